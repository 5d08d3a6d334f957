"""The names of work lists, and what to do with what stands on them."""

from __future__ import annotations

from planner.wording import speech
from planner.wording.speech import N_

_LISTS = {
    "missed": (
        N_("Missed: call today"),
        N_("A session was missed. The rest is not silently kept."),
    ),
    "undecided": (
        N_("Interval undecided"),
        N_("The provider has to choose the interval before sessions can be booked."),
    ),
    "late": (N_("Overdue"), N_("The next session should have taken place by the date shown.")),
    "open": (N_("Next session not booked"), N_("It is late after the date shown.")),
    "paused": (N_("Paused"), ""),
}
LISTS = tuple(_LISTS)
"""The codes of the lists, most pressing first."""


def list_title(code: str, locale: str) -> str:
    """Return the heading of a work list."""
    return speech.of(locale).say(_LISTS[code][0])


def list_hint(code: str, locale: str) -> str:
    """Return what to know of a work list; empty when its heading says it all."""
    hint = _LISTS[code][1]
    return speech.of(locale).say(hint) if hint else ""
