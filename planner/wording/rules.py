"""Title and explanation of every rule, for the settings page."""

from __future__ import annotations

from collections.abc import Mapping

from planner.wording import speech
from planner.wording.speech import N_


def rule(code: str, locale: str) -> tuple[str, str]:
    """Return the title and the explanation of a rule; of an unknown code the code itself."""
    title, explanation = RULES.get(code, (code, ""))
    spoken = speech.of(locale)
    return spoken.say(title), spoken.say(explanation) if explanation else ""


RULES: Mapping[str, tuple[str, str]] = {
    "gap.new_zones": (
        N_("Days between sessions, new zones"),
        N_("Two weeks apart: each session treats what the one before did not."),
    ),
    "gap.same_zone": (
        N_("Days between sessions, same zone"),
        N_("Six weeks apart: a treated vein shows its response only then."),
    ),
    "course.gap_mode": (
        N_("How the interval is kept"),
        N_("Range: from target to soft max freely. Strict: the target, give or take three days."),
    ),
    "gap.below_floor": (N_("Below the floor"), N_("Sooner after a session than its gap allows.")),
    "gap.below_target": (
        N_("Below the target"),
        N_("Between the floor and the target of the gap."),
    ),
    "gap.above_soft_max": (
        N_("Past the soft max"),
        N_("Later than the gap says; usually harmless."),
    ),
    "proposal.order": (
        N_("Closest to the order"),
        N_("What each departure costs; the proposal with the fewest points comes first."),
    ),
    "proposal.soonest": (
        N_("Soonest"),
        N_("The same for the proposal that is over soonest."),
    ),
    "proposal.same_time": (
        N_("Same time each visit"),
        N_("The same for the proposal that keeps weekday and hour."),
    ),
    "review.window_days": (
        N_("Review between sessions"),
        N_("A short review after a session, to drain trapped blood. Off when empty."),
    ),
    "review.outside_window": (
        N_("Review outside its days"),
        N_("A review earlier or later after the session than its days say."),
    ),
    "course.sessions": (N_("Sessions of a course"), N_("How many a new course begins with.")),
    "session.minutes_default": (
        N_("Minutes of a session"),
        N_("How long a new session is planned."),
    ),
    "session.minutes_range": (
        N_("Usual length of a session"),
        N_("Injections take about 30 to 60 minutes."),
    ),
    "session.walk_range": (N_("Walk after a session"), N_("What the patient is told.")),
    "session.walk_minutes": (
        N_("Walk after a session, planned"),
        N_("The patient’s time that is taken right after the session."),
    ),
    "dose.max_ml": (
        N_("Most millilitres in a session"),
        N_("Warns when the session’s note says more. Off when empty."),
    ),
    "consent.treatment": (
        N_("Consent to treatment"),
        N_("Signed before the first session starts."),
    ),
    "session.desk_treats": (
        N_("The desk starts and completes treatments"),
        N_("Sessions and reviews are a provider’s to start and complete. On: the desk may too."),
    ),
    "notice.minutes": (
        N_("Shortest notice"),
        N_("How long before its start a visit is booked at the latest."),
    ),
    "photo.after_days": (
        N_("Photo after the course"),
        N_("Days after the last session on which a photo is due."),
    ),
    "consult.required": (
        N_("Consult before sessions"),
        N_("Sessions can be reserved before the consult, and booked once it says candidate."),
    ),
    "consult.valid_days": (
        N_("How long a consult holds"),
        N_("Days from the consult to the first session."),
    ),
    "consult.same_day_reservation": (
        N_("Consult and first session on one day"),
        N_("Allows to reserve the first session right after the consult."),
    ),
    "reservation.days": (
        N_("How long a reservation holds"),
        N_("Days after which an unconfirmed reservation falls away."),
    ),
    "patient.age": (N_("Of age"), N_("Completed years on the day of every session.")),
    "patient.age_at_consult": (
        N_("Minor at a consult"),
        N_("A guardian comes along."),
    ),
    "patient.birth_date_missing": (
        N_("Birth date missing"),
        N_("Sessions need a birth date; consults do not."),
    ),
    "patient.paused": (N_("Treatment paused"), N_("No session while the screening says pregnant.")),
    "patient.eligible_from": (
        N_("Eligible again"),
        N_("Calendar months after a pregnancy before a session."),
    ),
    "screening.missing": (
        N_("Screening missing"),
        N_("Nobody is treated without a recorded screening."),
    ),
    "screening.clots": (N_("Screening: clots"), N_("Blood clotting issues in the past.")),
    "screening.nursing": (N_("Screening: nursing"), N_("The patient is nursing.")),
    "screening.health": (N_("Screening: health"), N_("The patient is not a healthy adult.")),
    "screening.allergy": (N_("Screening: allergy"), N_("Allergy to what is injected.")),
    "screening.acute_clot": (N_("Screening: acute clot"), N_("An acute thrombosis.")),
    "screening.infection": (
        N_("Screening: infection"),
        N_("An infection where is treated, or fever."),
    ),
    "screening.limb_ischaemia": (
        N_("Screening: circulation"),
        N_("Severely reduced blood flow to the leg."),
    ),
    "zone.face": (N_("Face"), N_("What is said about treatment is about legs.")),
    "flight.within_48h": (
        N_("Flight very soon after"),
        N_("Hours after a session’s end in which a flight needs a decision."),
    ),
    "flight.within_72h": (
        N_("Flight soon after"),
        N_("Hours after a session’s end in which a flight is warned of."),
    ),
    "event.within_72h": (
        N_("Event soon after"),
        N_("A race or a beach day while exercise, sun and heat are to be avoided."),
    ),
    "patient.away": (N_("Patient away"), N_("On a trip, or cannot come.")),
    "patient.stay": (
        N_("Out of season"),
        N_("Before a seasonal patient arrives, or after leaving."),
    ),
    "aftercare.flying": (N_("No flying"), N_("Hours after the end of a session.")),
    "aftercare.exercise": (N_("No heavy exercise"), N_("Hours after the end of a session.")),
    "aftercare.sun": (N_("No sunbathing"), N_("Hours after the end of a session.")),
    "aftercare.hot_bath": (N_("No hot baths"), N_("Hours after the end of a session.")),
    "aftercare.hot_tub": (N_("No hot tubs"), N_("Hours after the end of a session.")),
    "aftercare.sauna": (N_("No sauna"), N_("Hours after the end of a session.")),
    "compression.day_night_days": (
        N_("Stockings day and night"),
        N_("Days after a session; the calendar entry ends at the far end."),
    ),
    "compression.as_needed_weeks": (
        N_("Stockings as needed"),
        N_("Weeks after the days and nights."),
    ),
    "compression.reticular_days": (
        N_("Stockings day and night, reticular veins"),
        N_("Longer for veins of 1 to 3 mm. Off when empty: as for spider veins."),
    ),
    "provider.travel_minutes": (
        N_("Way between sites, provider"),
        N_("Minutes between two appointments at different sites."),
    ),
    "patient.travel_minutes": (
        N_("Way between sites, patient"),
        N_("Minutes between two appointments at different sites."),
    ),
    "room.preparation_minutes": (
        N_("Preparation of the room"),
        N_("Minutes before an appointment. A service may set its own."),
    ),
    "room.turnover_minutes": (
        N_("Turnover of the room"),
        N_("Minutes after an appointment. A service may set its own."),
    ),
    "slot.unknown": (N_("Known"), N_("Site, room, provider, service and patient exist.")),
    "slot.outside_horizon": (N_("Within reach"), N_("Not further away than is planned.")),
    "slot.past": (N_("In the future"), N_("Nothing is booked in the past.")),
    "slot.off_grid": (
        N_("On the grid"),
        N_("Starts lie on the site’s grid, counted from midnight."),
    ),
    "slot.minutes_step": (N_("Whole steps"), N_("Times are multiples of five minutes.")),
    "site.outside_hours": (N_("Opening hours"), N_("The site is open all the time.")),
    "site.closed": (N_("Closure"), N_("The site is not closed for a holiday or a storm.")),
    "site.retired": (N_("Site in use"), N_("The site has not been given up.")),
    "service.retired": (N_("Service offered"), N_("The service has not been given up.")),
    "provider.not_capable": (N_("Provider may"), N_("Treats or examines with this service here.")),
    "provider.outside_hours": (
        N_("Provider’s hours"),
        N_("The provider works there all the time."),
    ),
    "provider.absent": (N_("Provider there"), N_("The provider is not away.")),
    "provider.retired": (N_("Provider works here"), N_("The provider has not left.")),
    "provider.busy": (N_("Provider free"), N_("No provider is in two appointments at once.")),
    "room.other_site": (N_("Room of the site"), N_("The room is at the site of the appointment.")),
    "room.not_capable": (N_("Room suits"), N_("The room can host the service.")),
    "room.out_of_service": (N_("Room in service"), N_("The room is not out of service.")),
    "room.retired": (N_("Room in use"), N_("The room has not been given up.")),
    "room.busy": (N_("Room free"), N_("No room has two appointments at once, cleaning included.")),
    "patient.busy": (N_("Patient free"), N_("No patient is in two appointments at once.")),
    "order.undecided": (
        N_("Interval decided"),
        N_("The provider chooses the interval before the desk books."),
    ),
    "order.unknown_session": (N_("Session ordered"), N_("The session is one of the course.")),
    "order.already_placed": (N_("One appointment a session"), N_("The session has no other.")),
    "order.sequence": (N_("Sessions in order"), N_("Session 2 comes after session 1.")),
}
