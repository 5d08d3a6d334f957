"""Whether it is right for the patient: age, screening, consult, flights, trips, season."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from planner.scheduling import hours, rulebook
from planner.scheduling.interval import Interval
from planner.scheduling.rules.case import Case, day_of_slot
from planner.scheduling.timetable import Conflict, ConsultFact, Flight, Kind, PatientFacts, Status
from planner.scheduling.zones import FACE

# Bookings for which a fulfilled consult with outcome "candidate" is due; others are provisional.
FIRM = frozenset({"book", "here_now", "start", "audit"})
AFTERCARE = tuple(
    f"aftercare.{what}" for what in ("exercise", "sun", "hot_bath", "hot_tub", "sauna")
)


def is_of_age(case: Case) -> Iterator[Conflict]:
    """S12: eighteen on the day of every session."""
    patient = _facts(case)
    if patient.birth_date is None:
        yield case.conflict("patient.birth_date_missing")
        return
    years = case.rule("patient.age").value
    if hours.age_on(case.day, patient.birth_date) < years:
        yield case.conflict(
            "patient.age", years=years, earliest=hours.birthday(patient.birth_date, years)
        )


def guardian_comes_along(case: Case) -> Iterator[Conflict]:
    """S12: a consult for a minor only warns; one without a birth date says nothing."""
    birth_date = _facts(case).birth_date
    if birth_date is None:
        return
    years = case.rule("patient.age").value
    if hours.age_on(case.day, birth_date) < years:
        yield case.conflict(
            "patient.age_at_consult", years=years, age=hours.age_on(case.day, birth_date)
        )


def is_eligible(case: Case) -> Iterator[Conflict]:
    """S17, S19: not while pregnant, nor on a day before the one the patient is eligible from."""
    patient = _facts(case)
    if patient.is_pregnant:
        yield case.conflict("patient.paused")
    elif patient.eligible_from is not None and case.day < patient.eligible_from:
        yield case.conflict("patient.eligible_from", earliest=patient.eligible_from)


def screening_is_clear(case: Case) -> Iterator[Conflict]:
    """S16, S18: what the screening touched needs a decision, where that rule is switched on."""
    for code in sorted(_facts(case).flags):
        if code in rulebook.BY_CODE and case.rule(code).value is not False:
            yield case.conflict(code)


def face_is_decided(case: Case) -> Iterator[Conflict]:
    """S07: a zone of the face needs a decision."""
    if case.session is not None and any(zone.startswith(FACE) for zone in case.session.zones):
        yield case.conflict("zone.face")


def consult_was_held(case: Case) -> Iterator[Conflict]:
    """S20: before a fulfilled consult with outcome candidate it can be held or reserved, not booked."""
    latest = _latest_consult(case)
    if case.purpose in FIRM and (latest is None or latest.outcome != "candidate"):
        yield case.conflict(
            "consult.required",
            outcome=latest.outcome if latest else None,
            until=latest.not_until if latest else None,
        )


def consult_still_holds(case: Case) -> Iterator[Conflict]:
    """The consult is not older than its valid days when the first session takes place."""
    latest = _latest_consult(case)
    if latest is None or latest.outcome != "candidate" or not _is_first(case):
        return
    rule = case.rule("consult.valid_days")
    last = latest.on + timedelta(days=rule.value)
    if case.day > last:
        yield case.conflict("consult.valid_days", days=rule.value, on=latest.on, last=last)


def reservation_follows_the_consult(case: Case) -> Iterator[Conflict]:
    """S20: a reserved session comes on a later day than its consult, or on the same if the clinic pairs them."""
    latest = _latest_consult(case)
    consult = _planned_consult(case)
    if consult is None or (latest is not None and latest.outcome == "candidate"):
        return
    day, ends_at = consult
    is_paired = day == case.day and ends_at <= case.slot.starts_at
    if day > case.day or (day == case.day and not is_paired):
        yield case.conflict("consult.same_day_reservation", on=day, is_before=True)
    elif is_paired and not case.rule("consult.same_day_reservation").value:
        yield case.conflict("consult.same_day_reservation", on=day, is_before=False)


def length_is_usual(case: Case) -> Iterator[Conflict]:
    """S22: injections take 30 to 60 minutes."""
    usual = case.rule("session.minutes_range").value
    if not usual["from"] <= case.minutes <= usual["to"]:
        yield case.conflict(
            "session.minutes_range",
            minutes=int(case.minutes),
            least=usual["from"],
            most=usual["to"],
        )


def no_flight_follows(case: Case) -> Iterator[Conflict]:
    """S29: no flight within 48 hours without a decision, none within 72 without a warning."""
    flights = _facts(case).flights
    if not flights:
        return
    for code in ("flight.within_48h", "flight.within_72h"):
        limit = case.rule(code).value
        for flight in flights:
            if _is_within(flight, case.slot.starts_at, case.slot.ends_at, case.zone, limit):
                yield _flight(case, code, flight, limit)
                return


def no_event_follows(case: Case) -> Iterator[Conflict]:
    """S30 to S34: no race or beach day while exercise, sun and heat are to be avoided."""
    events = _facts(case).events
    if not events:
        return
    longest = max(case.rule(code).value for code in AFTERCARE)
    if longest <= 0:
        return
    window = Interval(case.slot.ends_at, hours.after_hours(case.slot.ends_at, longest))
    for event in events:
        if hours.absent((event,), window, case.zone):
            yield case.conflict(
                "event.within_72h",
                hours=longest,
                on=event.from_date,
                reason=event.reason,
                after=event.until_date + timedelta(days=1),
            )
            return


def patient_can_come(case: Case) -> Iterator[Conflict]:
    """The patient is not on a trip."""
    slot = case.slot
    for row in _facts(case).away:
        if hours.absent((row,), Interval(slot.starts_at, slot.patient_until), case.zone):
            yield case.conflict(
                "patient.away",
                from_date=row.from_date,
                until_date=row.until_date,
                reason=row.reason,
            )
            return


def patient_is_in_season(case: Case) -> Iterator[Conflict]:
    """A seasonal patient has arrived, and has not left yet."""
    patient = _facts(case)
    if patient.stay_from is not None and case.day < patient.stay_from:
        yield case.conflict("patient.stay", stay_from=patient.stay_from, stay_until=None)
    elif patient.stay_until is not None and case.day > patient.stay_until:
        yield case.conflict("patient.stay", stay_from=None, stay_until=patient.stay_until)


def screening_was_done(case: Case) -> Iterator[Conflict]:
    """Nobody is treated whom nobody has screened."""
    if not _facts(case).is_screened:
        yield case.conflict("screening.missing")


def consent_is_signed(case: Case) -> Iterator[Conflict]:
    """The consent to treatment is signed before the session starts."""
    rule = case.rule("consent.treatment")
    if rule.value and "treatment" not in _facts(case).consents:
        yield case.conflict("consent.treatment")


def departure(flight: Flight, starts_at: datetime, ends_at: datetime, zone: str) -> datetime:
    """Return when the flight leaves; without a time the start of its day, or right after a session that day."""
    if flight.at is not None:
        try:
            return hours.instant(flight.on, flight.at, zone)
        except hours.NoSuchTime:
            return hours.day_bounds(flight.on, zone).ends_at
    leaves_at = hours.day_bounds(flight.on, zone).starts_at
    return max(leaves_at, ends_at) if flight.on == hours.day_of(starts_at, zone) else leaves_at


ANY_KIND = (patient_can_come, patient_is_in_season)
CONSULT = (guardian_comes_along,)
SESSION = (
    is_of_age,
    is_eligible,
    screening_is_clear,
    face_is_decided,
    consult_was_held,
    consult_still_holds,
    reservation_follows_the_consult,
    length_is_usual,
    no_flight_follows,
    no_event_follows,
)
AT_START = (
    is_of_age,
    is_eligible,
    screening_is_clear,
    face_is_decided,
    consult_was_held,
    consult_still_holds,
    no_flight_follows,
    screening_was_done,
    consent_is_signed,
)


def _facts(case: Case) -> PatientFacts:
    return case.patient or PatientFacts()


def _latest_consult(case: Case) -> ConsultFact | None:
    consults = _facts(case).consults
    return consults[-1] if consults else None


def _planned_consult(case: Case) -> tuple[date, datetime] | None:
    if case.slot.patient_id is None:
        return None
    planned = [
        busy.slot
        for busy in case.index.busy_of_patient(case.slot.patient_id)
        if busy.appointment_id not in case.ignoring
        and busy.status is not Status.FULFILLED
        and case.timetable.services[busy.slot.service_id].kind is Kind.CONSULT
        and busy.slot.ends_at > case.timetable.now
    ]
    if not planned:
        return None
    first = planned[0]
    return day_of_slot(first, case.timetable), first.ends_at


def _is_first(case: Case) -> bool:
    numbers = [row.number for row in case.order.sessions] if case.order is not None else []
    return not numbers or case.slot.number in (None, min(numbers))


def _is_within(
    flight: Flight, starts_at: datetime, ends_at: datetime, zone: str, limit: int
) -> bool:
    leaves_at = departure(flight, starts_at, ends_at, zone)
    return ends_at <= leaves_at < hours.after_hours(ends_at, limit)


def _flight(case: Case, code: str, flight: Flight, limit: int) -> Conflict:
    return case.conflict(
        code,
        hours=limit,
        on=flight.on,
        at=flight.at,
        before=_better(case, -1),
        after=_better(case, 1),
    )


def _better(case: Case, step: int) -> date | None:
    """The nearest day, back or on, on which the same hours leave 72 h before any flight."""
    limit = case.rule("flight.within_72h").value
    length = case.slot.ends_at - case.slot.starts_at
    today = hours.day_of(case.timetable.now, case.zone)
    at: time = case.starts.time()
    for number in range(1, 60):
        day = case.day + timedelta(days=step * number)
        if day < today:
            return None
        try:
            starts_at = hours.instant(day, at, case.zone)
        except hours.NoSuchTime:
            continue
        ends_at = starts_at + length
        flights = _facts(case).flights
        if not any(_is_within(row, starts_at, ends_at, case.zone, limit) for row in flights):
            return day
    return None
