"""What patients tell the clinic, and what they wish for, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from planner.wording import labels, speech, times
from planner.wording.speech import N_

_KINDS: Mapping[str, str] = {
    "another_time": N_("Asks for another time"),
    "cannot_come": N_("Cannot come"),
    "flight": N_("Has a flight"),
    "health": N_("Something about health, for a provider"),
}
_OWN: Mapping[str, str] = {
    "another_time": N_("You asked for another time"),
    "cannot_come": N_("You told us that you cannot come"),
    "flight": N_("You told us of a flight"),
    "health": N_("You wrote to your provider"),
}


def kind(code: str, locale: str) -> str:
    """Return what a notice is, for the clinic's list."""
    return speech.of(locale).say(_KINDS[code])


def own(code: str, locale: str) -> str:
    """Return what a notice is, for the patient who left it."""
    return speech.of(locale).say(_OWN[code])


def wishes(wanted: Mapping[str, Any], locale: str) -> str:
    """Return "Mon, Thu · morning" of the days and the part of the day that were ticked."""
    spoken = speech.of(locale)
    days = [times.weekday_within(day, locale) for day in wanted.get("weekdays", ())]
    part = wanted.get("part", "")
    return " · ".join(_filled((spoken.listed(days), labels.day_part(part, locale) if part else "")))


def flight(on: date | None, at: time | None, locale: str) -> str:
    """Return "Fri 12 Mar 2027, 2:30 PM" of a flight; empty for none."""
    if on is None:
        return ""
    return ", ".join(
        _filled((times.format_date(on, locale), times.format_time(at, locale) if at else ""))
    )


def _filled(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text]
