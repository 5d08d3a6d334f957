"""A sentence for every conflict. None of them says anything about a patient's health to the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from planner.scheduling import hours
from planner.scheduling.timetable import Conflict
from planner.wording import rules, speech, times
from planner.wording.speech import N_, Speech, ngettext


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the ids in conflicts are called, and the zone of each site."""

    sites: Mapping[int, str] = field(default_factory=dict)
    providers: Mapping[int, str] = field(default_factory=dict)
    rooms: Mapping[int, str] = field(default_factory=dict)
    services: Mapping[int, str] = field(default_factory=dict)
    zones: Mapping[int, str] = field(default_factory=dict)


def conflict(
    conflict: Conflict, *, locale: str, names: Names | None = None, clinical: bool = False
) -> str:
    """Return the sentence that says how the rule does not hold.

    Dates and times are those of the site concerned. Only with ``clinical`` does a sentence say which
    answer of the screening it is about: for pages that providers alone may open.
    """
    words = _Words(conflict, speech.of(locale), locale, names or Names())
    said = _said(conflict.code, words, locale, clinical=clinical)
    return said[:1].upper() + said[1:]


def is_spoken(code: str) -> bool:
    """Whether a conflict of this code has a sentence of its own."""
    return code in _SENTENCES or code in _SPECIAL or code.startswith("screening.")


def _said(code: str, words: _Words, locale: str, *, clinical: bool) -> str:
    if code.startswith("screening.") and code != "screening.missing":
        if clinical:
            return rules.rule(code, locale)[1]
        return words.say(N_("An answer in the screening needs a provider’s decision."))
    special, sentence = _SPECIAL.get(code), _SENTENCES.get(code)
    if special is not None:
        return special(words)
    return words.say(sentence) if sentence else rules.rule(code, locale)[0]


class _Words:
    """A conflict's parameters, said when a sentence asks for them."""

    def __init__(self, conflict: Conflict, spoken: Speech, locale: str, names: Names) -> None:
        self.params, self.spoken = conflict.params, spoken
        self._locale, self._names = locale, names

    def say(self, sentence: str, **more: object) -> str:
        return self.spoken.say(sentence, **{**self._all(), **more})

    def get(self, name: str) -> Any:
        return self.params.get(name)

    def date(self, name: str) -> str:
        value = _as_date(self.params.get(name))
        return times.format_date(value, self._locale) if value else ""

    def days(self, name: str) -> str:
        return times.count_days(abs(int(self.params.get(name) or 0)), self._locale)

    def days_range(self) -> str:
        first, last = _as_date(self.get("from_date")), _as_date(self.get("until_date"))
        if first is None or last is None:
            return ""
        return times.days_range(first, last, self._locale)

    def hours(self) -> str:
        ranges = self.get("hours") or ()
        return self.spoken.listed(
            f"{self._clock(starts)}–{self._clock(ends)}" for starts, ends in ranges
        )

    def _clock(self, text: str) -> str:
        return times.format_time(time.fromisoformat(text), self._locale)

    def _all(self) -> dict[str, object]:
        """Every parameter as it is said; those a conflict does not have are called in general."""
        said: dict[str, object] = {"site": self._site(), "provider": self._provider()}
        said["room"] = self._named("rooms", "room_id", N_("the room"))
        said["service"] = self._named("services", "service_id", N_("the service"))
        for name, value in self.params.items():
            said[name] = self._said(value)
        return said

    def _said(self, value: object) -> object:
        if isinstance(value, datetime):
            return times.format_time(hours.local(value, self._zone()), self._locale)
        if isinstance(value, date):
            return times.format_date(value, self._locale)
        if isinstance(value, time):
            return times.format_time(value, self._locale)
        return "" if value is None else value

    def _zone(self) -> str:
        zones = self._names.zones
        return zones.get(self.get("site_id") or 0) or next(iter(zones.values()), "UTC")

    def _site(self) -> str:
        return self._named("sites", "site_id", N_("the site"))

    def _provider(self) -> str:
        return self._named("providers", "provider_id", N_("the provider"))

    def _named(self, kind: str, key: str, general: str) -> str:
        known: Mapping[int, str] = getattr(self._names, kind)
        return known.get(self.get(key) or 0) or self.spoken.say(general)


def _unknown(words: _Words) -> str:
    return words.say(_UNKNOWN.get(words.get("what") or "", N_("This is not known here.")))


def _site_hours(words: _Words) -> str:
    if not words.get("hours"):
        return words.say(N_("%(site)s is closed on %(on)s."))
    return words.say(N_("%(site)s is open %(hours)s on %(on)s."), hours=words.hours())


def _provider_hours(words: _Words) -> str:
    if not words.get("hours"):
        return words.say(N_("%(provider)s does not work at %(site)s on %(on)s."))
    if words.get("is_break"):
        return words.say(N_("%(provider)s has a break then."))
    return words.say(N_("%(provider)s works at %(site)s %(hours)s on %(on)s."), hours=words.hours())


def _closed(words: _Words) -> str:
    if words.get("reason"):
        return words.say(N_("%(site)s is closed %(days)s: %(reason)s."), days=words.days_range())
    return words.say(N_("%(site)s is closed %(days)s."), days=words.days_range())


def _absent(words: _Words) -> str:
    return words.say(N_("%(provider)s is away %(days)s."), days=words.days_range())


def _out_of_service(words: _Words) -> str:
    return words.say(N_("%(room)s is out of service %(days)s."), days=words.days_range())


def _away(words: _Words) -> str:
    return words.say(N_("The patient is away %(days)s."), days=words.days_range())


def _sequence(words: _Words) -> str:
    if int(words.get("other") or 0) < int(words.get("number") or 0):
        return words.say(
            N_("Session %(number)s comes after session %(other)s, which is on %(on)s.")
        )
    return words.say(N_("Session %(number)s comes before session %(other)s, which is on %(on)s."))


def _below_floor(words: _Words) -> str:
    days = words.days("days")
    if words.get("is_next") and words.get("number"):
        return words.say(
            N_("Session %(number)s would be only %(days)s later; not before %(floor)s."), days=days
        )
    if words.get("is_next"):
        return words.say(
            N_("A session of another course is only %(days)s later; not before %(floor)s."),
            days=days,
        )
    return _since(
        words,
        N_("%(days)s after session %(since_number)s; not before %(floor)s."),
        N_("%(days)s after a session of another course; not before %(floor)s."),
    )


def _below_target(words: _Words) -> str:
    if words.get("is_next"):
        return words.say(
            N_("Session %(number)s would be %(days)s later; the target is %(target)s."),
            days=words.days("days"),
        )
    return _since(
        words,
        N_("%(days)s after session %(since_number)s; the target is %(target)s."),
        N_("%(days)s after a session of another course; the target is %(target)s."),
    )


def _above_soft_max(words: _Words) -> str:
    return _since(
        words,
        N_("%(days)s after session %(since_number)s; late after %(soft_max)s."),
        N_("%(days)s after a session of another course; late after %(soft_max)s."),
    )


def _since(words: _Words, own: str, foreign: str) -> str:
    sentence = own if words.get("since_number") else foreign
    return words.say(sentence, days=words.days("days"))


def _consult_required(words: _Words) -> str:
    outcome = words.get("outcome")
    if not outcome:
        return words.say(N_("Before the consult it can be reserved, not booked."))
    if outcome == "not_now" and words.get("until"):
        return words.say(
            N_("The consult said: not now, until %(until)s."), until=words.date("until")
        )
    if outcome == "not_now":
        return words.say(N_("The consult said: not now."))
    return words.say(N_("The consult did not end with a course."))


def _paired_reservation(words: _Words) -> str:
    if words.get("is_before"):
        return words.say(N_("The consult is on %(on)s; the session comes after it."))
    return words.say(
        N_("The consult is on the same day; reserving both for one day is switched off.")
    )


def _age_at_consult(words: _Words) -> str:
    return words.spoken.count(
        *ngettext(
            "The patient is %(number)s year old then: a guardian comes along.",
            "The patient is %(number)s years old then: a guardian comes along.",
        ),
        int(words.get("age") or 0),
    )


def _flight(words: _Words) -> str:
    flight = words.say(N_("Flight on %(on)s, within %(hours)s hours of the end of the session."))
    before, after = words.date("before"), words.date("after")
    if before and after:
        better = words.say(
            N_("Better: by %(before)s, or from %(after)s."), before=before, after=after
        )
    elif after:
        better = words.say(N_("Better: from %(after)s."), after=after)
    elif before:
        better = words.say(N_("Better: by %(before)s."), before=before)
    else:
        return flight
    return f"{flight} {better}"


def _event(words: _Words) -> str:
    if words.get("reason"):
        return words.say(
            N_(
                "“%(reason)s” on %(on)s is within %(hours)s hours of the session. Better: from %(after)s."
            )
        )
    return words.say(
        N_("An event on %(on)s is within %(hours)s hours of the session. Better: from %(after)s.")
    )


def _stay(words: _Words) -> str:
    if words.get("stay_until"):
        return words.say(
            N_("The patient leaves Florida on %(stay_until)s."), stay_until=words.date("stay_until")
        )
    return words.say(
        N_("The patient arrives in Florida on %(stay_from)s."), stay_from=words.date("stay_from")
    )


def _as_date(value: object) -> date | None:
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


_UNKNOWN = {
    "site": N_("This site is not known."),
    "room": N_("This room is not known."),
    "provider": N_("This provider is not known."),
    "service": N_("This service is not known."),
    "patient": N_("This patient is not known."),
}


def _too_long(words: _Words) -> str:
    return words.say(
        N_(
            "The gaps alone take %(needed)s; from the first possible day to the last there are %(left)s."
        ),
        needed=words.days("needed"),
        left=words.days("days"),
    )


_SPECIAL: Mapping[str, Callable[[_Words], str]] = {
    "slot.unknown": _unknown,
    "site.outside_hours": _site_hours,
    "site.closed": _closed,
    "provider.outside_hours": _provider_hours,
    "provider.absent": _absent,
    "room.out_of_service": _out_of_service,
    "patient.away": _away,
    "patient.stay": _stay,
    "patient.age_at_consult": _age_at_consult,
    "order.sequence": _sequence,
    "order.too_long": _too_long,
    "gap.below_floor": _below_floor,
    "gap.below_target": _below_target,
    "gap.above_soft_max": _above_soft_max,
    "consult.required": _consult_required,
    "consult.same_day_reservation": _paired_reservation,
    "flight.within_48h": _flight,
    "flight.within_72h": _flight,
    "event.within_72h": _event,
}

_SENTENCES: Mapping[str, str] = {
    "slot.outside_horizon": N_("This is too far away, or in the past."),
    "slot.past": N_("This time has passed."),
    "slot.off_grid": N_("Starts are every %(minutes)s minutes here, counted from midnight."),
    "slot.minutes_step": N_("Starts and lengths are multiples of %(minutes)s minutes."),
    "notice.minutes": N_("This is less than %(minutes)s minutes from now."),
    "site.retired": N_("%(site)s is no longer used from %(on)s."),
    "site.no_hours": N_("%(site)s has no opening hours."),
    "service.nobody": N_("Nobody who gives this service works at %(site)s."),
    "service.no_room": N_("No room of %(site)s is set up for this service."),
    "service.retired": N_("This service is no longer offered from %(on)s."),
    "provider.not_capable": N_("%(provider)s does not give this service at %(site)s."),
    "provider.retired": N_("%(provider)s no longer works here from %(on)s."),
    "provider.busy": N_("%(provider)s has another appointment from %(starts_at)s to %(ends_at)s."),
    "provider.travel_minutes": N_(
        "%(provider)s is at %(site)s from %(starts_at)s to %(ends_at)s;"
        " the way takes %(minutes)s minutes."
    ),
    "patient.travel_minutes": N_(
        "The patient is at %(site)s from %(starts_at)s to %(ends_at)s;"
        " the way takes %(minutes)s minutes."
    ),
    "room.other_site": N_("%(room)s belongs to %(site)s."),
    "room.not_capable": N_("%(room)s is not set up for this service."),
    "room.retired": N_("%(room)s is no longer used from %(on)s."),
    "room.busy": N_("%(room)s is taken from %(starts_at)s to %(ends_at)s, cleaning included."),
    "patient.busy": N_(
        "The patient has another appointment from %(starts_at)s to %(ends_at)s, the walk included."
    ),
    "patient.age": N_("The patient is under %(years)s then; possible from %(earliest)s."),
    "patient.birth_date_missing": N_("The patient’s birth date is missing."),
    "patient.duplicate": N_("There may be a file of this person already."),
    "patient.merge_overlap": N_(
        "Both files have an appointment on %(on)s that takes the same time, at %(kept_starts_at)s and"
        " at %(other_starts_at)s. Cancel or move one of them first."
    ),
    "course.paused": N_("The course is paused: resume it first."),
    "course.not_paused": N_("The course is not paused."),
    "course.over": N_("The course is completed or ended."),
    "patient.paused": N_("Treatment is paused; the provider says when it goes on."),
    "patient.eligible_from": N_("The patient is eligible from %(earliest)s."),
    "screening.missing": N_("The health screening has not been recorded."),
    "zone.face": N_("The face is to be treated: a provider decides."),
    "consult.valid_days": N_(
        "The consult was on %(on)s and holds for %(days)s days, until %(last)s."
    ),
    "consent.treatment": N_("The consent to treatment has not been signed."),
    "health.unanswered": N_("The health question has not been answered yet."),
    "visit.other_day": N_("This visit is on %(on)s. Move it to today first, or use “Here now”."),
    "visit.not_begun": N_(
        "This visit is on %(on)s at %(starts_at)s: nobody can have missed it before."
    ),
    "visit.future_times": N_("A visit cannot have started or ended later than now."),
    "visit.times_elsewhere": N_("The times of this visit belong to its own day, %(on)s."),
    "health.unreviewed": N_("A provider has to review an answer to the health question first."),
    "session.minutes_range": N_("%(minutes)s minutes; usual are %(least)s to %(most)s."),
    "dose.max_ml": N_(
        "%(volume)s ml were injected; the clinic’s most in a session is %(most)s ml."
    ),
    "review.outside_window": N_(
        "%(days)s days after the session; the review is due on day %(floor)s to %(soft_max)s."
    ),
    "order.undecided": N_("The provider has not chosen the interval yet."),
    "order.unknown_session": N_("The course has no session %(number)s."),
    "order.already_placed": N_("Session %(number)s has an appointment already."),
}
