"""What messages to patients are called at the desk, and what has become of them."""

from __future__ import annotations

from collections.abc import Mapping

from planner.wording import speech
from planner.wording.speech import N_

_KINDS: Mapping[str, str] = {
    "confirmation": N_("Confirmation"),
    "course": N_("Confirmation of the course"),
    "change": N_("Change"),
    "cancellation": N_("Cancellation"),
    "invitation": N_("Invitation for the calendar"),
    "reminder": N_("Reminder"),
    "aftercare": N_("Aftercare"),
    "next_session": N_("Next session not booked"),
    "test": N_("Test"),
}
_CHANNELS: Mapping[str, str] = {"mail": N_("Mail"), "sms": N_("Text message")}
_STATES: Mapping[str, str] = {
    "waiting": N_("waits to be sent"),
    "sending": N_("is being sent"),
    "sent": N_("sent"),
    "failed": N_("not sent"),
    "dropped": N_("not sent any more"),
}


def message(kind: str, channel: str, locale: str) -> str:
    """Return what a message is: "Reminder · Mail"."""
    spoken = speech.of(locale)
    return f"{spoken.say(_KINDS[kind])} · {spoken.say(_CHANNELS[channel])}"


def state(code: str, locale: str) -> str:
    """Return what has become of a message."""
    return speech.of(locale).say(_STATES[code])
