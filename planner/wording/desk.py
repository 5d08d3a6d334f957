"""Words of the day page: what a card's signs mean, what closes a column, what became of a visit."""

from __future__ import annotations

from collections.abc import Mapping

from planner.wording import speech
from planner.wording.speech import N_, ngettext

_SIGNS: Mapping[str, str] = {
    "new": N_("New patient"),
    "consent": N_("Consent not signed"),
    "review": N_("Provider to review"),
    "note": N_("Has a note"),
    "call": N_("Call back"),
}
_BANDS: Mapping[str, str] = {
    "closed": N_("Closed"),
    "not_here": N_("Not here"),
    "break": N_("Break"),
    "absence": N_("Away"),
    "out": N_("Out of service"),
}
_TAILS: Mapping[str, str] = {
    "preparation": N_("Preparation"),
    "turnover": N_("Cleaning"),
    "walk": N_("Walk"),
}
_HAPPENED: Mapping[str, str] = {
    "appointment.booked": N_("Booked"),
    "appointment.held": N_("Held"),
    "appointment.reserved": N_("Reserved"),
    "appointment.here_now": N_("Came without an appointment"),
    "appointment.settle": N_("Booked for good"),
    "appointment.move": N_("Moved"),
    "appointment.confirm": N_("Confirmed"),
    "own_page.confirm": N_("Confirmed by the patient"),
    "own_page.answer_health": N_("Health question answered by the patient"),
    "appointment.check_in": N_("Checked in"),
    "appointment.health": N_("Health question answered"),
    "appointment.review_health": N_("Health answer reviewed"),
    "appointment.start": N_("Started"),
    "appointment.complete": N_("Completed"),
    "appointment.cancel": N_("Cancelled"),
    "appointment.no_show": N_("Did not come"),
    "appointment.release": N_("Released"),
    "appointment.annotate": N_("Note changed"),
    "course.booked": N_("Booked with the course"),
    "course.held": N_("Held with the course"),
    "course.reserved": N_("Reserved with the course"),
    "course.settle": N_("Booked with the course"),
    "course.release": N_("Released with the course"),
    "course.pause": N_("Released: the course was paused"),
    "course.end": N_("Released: the course was ended"),
    "change.undo": N_("Undone"),
}


def sign(code: str, locale: str) -> str:
    """Return what a sign on a card means."""
    return speech.of(locale).say(_SIGNS[code])


def band(code: str, locale: str) -> str:
    """Return why nothing can be booked in a stretch of a column."""
    return speech.of(locale).say(_BANDS[code])


def tail(code: str, locale: str) -> str:
    """Return what an appointment still occupies beside its own time."""
    return speech.of(locale).say(_TAILS[code])


def waits(minutes: int, locale: str) -> str:
    """Return how long somebody has been waiting, short enough for a card."""
    return speech.of(locale).say(N_("waits %(minutes)s min"), minutes=minutes)


def late(minutes: int, locale: str) -> str:
    """Return how late somebody is, short enough for a card."""
    return speech.of(locale).say(N_("late %(minutes)s min"), minutes=minutes)


def visits(number: int, locale: str) -> str:
    """Return "1 visit", "12 visits"."""
    return speech.of(locale).count(*ngettext("%(number)s visit", "%(number)s visits"), number)


def happened(action: str, locale: str) -> str:
    """Return what a line of the audit trail says of an appointment; empty for what is no news."""
    return speech.of(locale).say(_HAPPENED[action]) if action in _HAPPENED else ""


def moved(before: str, after: str, locale: str) -> str:
    """Return "Moved from … to …"."""
    return speech.of(locale).say(
        N_("Moved from %(before)s to %(after)s"), before=before, after=after
    )
