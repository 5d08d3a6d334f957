"""Names for the codes that pages show: statuses, severities, zones of the body, veins, languages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time

from planner.scheduling import zones as body
from planner.wording import speech, times
from planner.wording.speech import N_

_STATUSES = {
    "held": N_("held"),
    "reserved": N_("reserved"),
    "booked": N_("booked"),
    "arrived": N_("arrived"),
    "started": N_("in room"),
    "fulfilled": N_("done"),
    "no_show": N_("did not come"),
    "cancelled": N_("cancelled"),
    "released": N_("released"),
    "open": N_("not booked"),
    "proposed": N_("proposed"),
}
_HOLIDAYS = {
    "new_year": N_("New Year’s Day"),
    "king": N_("Martin Luther King Jr. Day"),
    "presidents": N_("Presidents’ Day"),
    "good_friday": N_("Good Friday"),
    "memorial": N_("Memorial Day"),
    "juneteenth": N_("Juneteenth"),
    "independence": N_("Independence Day"),
    "labor": N_("Labor Day"),
    "columbus": N_("Columbus Day"),
    "veterans": N_("Veterans Day"),
    "thanksgiving": N_("Thanksgiving"),
    "day_after_thanksgiving": N_("Day after Thanksgiving"),
    "christmas_eve": N_("Christmas Eve"),
    "christmas": N_("Christmas Day"),
    "new_years_eve": N_("New Year’s Eve"),
}
_COURSE_STATUSES = {
    "draft": N_("draft"),
    "active": N_("active"),
    "paused": N_("paused"),
    "completed": N_("completed"),
    "ended": N_("ended"),
}
_SEVERITIES = {
    "info": N_("Information"),
    "warn": N_("Warning"),
    "decide": N_("A provider decides"),
    "block": N_("Not possible"),
}
_OUTCOMES = {
    "": N_("No consult yet"),
    "candidate": N_("Candidate"),
    "not_now": N_("Not now"),
    "no": N_("Not a candidate"),
    "refer": N_("Referred"),
}
_AREAS = {
    "thigh_front": N_("front of the thigh"),
    "thigh_back": N_("back of the thigh"),
    "thigh_inner": N_("inner thigh"),
    "thigh_outer": N_("outer thigh"),
    "knee": N_("knee"),
    "calf": N_("calf"),
    "shin": N_("shin"),
    "ankle": N_("ankle"),
    "foot": N_("foot"),
    "face": N_("face"),
}
_LEFT, _RIGHT = N_("left %(area)s"), N_("right %(area)s")
_VEINS = {
    "spider": N_("Spider veins (under 1 mm)"),
    "reticular": N_("Reticular veins (1–3 mm)"),
    "over": N_("Over 3 mm: provider assessment"),
}
_LANGUAGES = {
    "en": N_("English"),
    "es": N_("Spanish"),
    "pt": N_("Portuguese"),
    "ht": N_("Haitian Creole"),
}
_OBJECTIVES = {
    "order": N_("Closest to the order"),
    "soonest": N_("Soonest"),
    "same_time": N_("Same time each visit"),
}
_DAY_PARTS = {
    "": N_("Any time"),
    "morning": N_("Morning"),
    "afternoon": N_("Afternoon"),
    "evening": N_("Evening"),
}
_DATES = {
    "flight": N_("Flight"),
    "trip": N_("Trip"),
    "event": N_("Event"),
    "absence": N_("Cannot come"),
}
_UNITS = {
    "": "",
    "days": N_("days"),
    "weeks": N_("weeks"),
    "months": N_("months"),
    "hours": N_("hours"),
    "minutes": N_("minutes"),
    "years": N_("years"),
    "sessions": N_("sessions"),
    "ml": N_("ml"),
    "mm": N_("mm"),
}


def status(code: str, locale: str) -> str:
    """Return the name of an appointment's status."""
    return _named(_STATUSES, code, locale)


def holiday(code: str, locale: str) -> str:
    """Return the name of a public holiday."""
    return speech.of(locale).say(_HOLIDAYS[code])


def course_status(code: str, locale: str) -> str:
    """Return the name of a course's status."""
    return _named(_COURSE_STATUSES, code, locale)


def severity(code: str, locale: str) -> str:
    """Return what a severity means for whoever reads it."""
    return _named(_SEVERITIES, code, locale)


def outcome(code: str, locale: str) -> str:
    """Return the name of a consult's outcome; an empty code says that there was none."""
    return _named(_OUTCOMES, code, locale)


def zone(code: str, locale: str) -> str:
    """Return the name of a zone of the body: "left calf"."""
    area = _named(_AREAS, body.area(code), locale)
    side = body.side(code)
    if side is None:
        return area
    return speech.of(locale).say(_LEFT if side == "left" else _RIGHT, area=area)


def zones(codes: Iterable[str], locale: str) -> str:
    """Return the names of zones in the order of the map: "left calf, right calf, face"."""
    known = sorted(set(codes), key=lambda code: (code not in body.ZONES, _place(code), code))
    return ", ".join(zone(code, locale) for code in known)


def vein(code: str, locale: str) -> str:
    """Return the name of a vein type with its diameters."""
    return _named(_VEINS, code, locale)


def language(code: str, locale: str) -> str:
    """Return the name of a language."""
    return _named(_LANGUAGES, code, locale)


def objective(code: str, locale: str) -> str:
    """Return the name of what a proposal aims at."""
    return _named(_OBJECTIVES, code, locale)


def further_proposal(locale: str) -> str:
    """Return the name of those that come after the best by the order."""
    return speech.of(locale).say(N_("Also close to the order"))


def day_part(code: str, locale: str) -> str:
    """Return the name of a part of the day; an empty code says any."""
    return _named(_DAY_PARTS, code, locale)


def unit(code: str, locale: str) -> str:
    """Return the name of a rule's unit."""
    return _named(_UNITS, code, locale)


def date_to_avoid(
    kind: str, first: date, last: date, *, at: time | None, note: str, locale: str
) -> str:
    """Return "Flight on Tue 3 Mar 2026, 2:30 PM: to Boston"."""
    words = f"{_named(_DATES, kind, locale)} {times.days_range(first, last, locale)}"
    words += f", {times.format_time(at, locale)}" if at is not None else ""
    return f"{words}: {note}" if note else words


def stay(first: date | None, last: date | None, locale: str) -> str:
    """Return when a seasonal patient is here; empty when nothing is known."""
    spoken = speech.of(locale)
    if first is not None and last is not None:
        days = times.days_range(first, last, locale)
        return spoken.say(N_("In Florida %(days)s"), days=days)
    if first is not None:
        return spoken.say(N_("In Florida from %(day)s"), day=times.format_date(first, locale))
    if last is not None:
        return spoken.say(N_("In Florida until %(day)s"), day=times.format_date(last, locale))
    return ""


def person(given_name: str, family_name: str) -> str:
    """Return a name as it is read, whichever part there is."""
    return f"{given_name} {family_name}".strip()


def initials(name: str) -> str:
    """Return up to two initials of a name, in capitals; a title such as "Dr." has none."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    words = [word for word in words if len(word) < 3 or not word.endswith(".")] or words
    chosen = words if len(words) < 2 else [words[0], words[-1]]
    return "".join(word[0].upper() for word in chosen)


def format_phone(phone: str) -> str:
    """Return a number of the United States as "(305) 555-0100", any other as it is."""
    digits = phone.removeprefix("+1")
    if phone.startswith("+1") and len(digits) == 10 and digits.isdecimal():
        return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"
    return phone


def _named(names: dict[str, str], code: str, locale: str) -> str:
    name = names.get(code, code)
    return speech.of(locale).say(name) if name and code in names else name


def _place(code: str) -> int:
    return body.ZONES.index(code) if code in body.ZONES else 0
