"""What messages to patients say, where the clinic has not written its own words.

Nothing here tells of a treatment; what does is added by ``queries.letters`` for patients who have
asked for plain words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from planner.wording import speech
from planner.wording.speech import N_

_INTROS = {
    "confirmation": N_("We look forward to seeing you. This is your appointment:"),
    "course": N_("We look forward to seeing you. These are your appointments:"),
    "change": N_("Something about your appointment has changed. This is how it stands now:"),
    "changes": N_("Some of your appointments have changed. This is how they stand now:"),
    "cancellation": N_("This appointment does not take place:"),
    "cancellations": N_("These appointments do not take place:"),
    "invitation": N_("This puts your appointment into your calendar:"),
    "reminder": N_("This is a reminder of your appointment:"),
    "aftercare": N_(
        "Thank you for your visit. Please keep to what we agreed on for the next days."
    ),
    "next_session": N_("Your next appointment is not booked yet. Please call us to choose a day."),
}
_SUBJECTS = {
    "confirmation": N_("Your appointment on %(day)s"),
    "course": N_("Your appointments from %(day)s"),
    "change": N_("Your appointment is now on %(day)s"),
    "provider": N_("Your appointment on %(day)s: a small change"),
    "changes": N_("Your appointments have changed"),
    "cancellation": N_("Your appointment on %(day)s is cancelled"),
    "cancellations": N_("Your appointments are cancelled"),
    "invitation": N_("For your calendar: your appointment on %(day)s"),
    "reminder": N_("Reminder: your appointment on %(day)s"),
    "aftercare": N_("After your visit on %(day)s"),
    "next_session": N_("Your next appointment"),
}
TITLES = {
    "confirmation": N_("Confirmation of one appointment"),
    "course": N_("Confirmation of a course"),
    "change": N_("Change"),
    "cancellation": N_("Cancellation"),
    "invitation": N_("Invitation for the calendar"),
    "reminder": N_("Reminder"),
    "aftercare": N_("After a session"),
    "next_session": N_("Next session not booked"),
    "test": N_("Test"),
}
_REASONS = {
    "superseded": N_("A later message took its place."),
    "undone": N_("Taken back before it was sent."),
    "too_late": N_("Too late to be of use."),
    "no_address": N_("No address to send it to: please call."),
    "by_hand": N_("Withdrawn in the queue."),
    "refused": N_("The server refused it."),
    "address": N_("This address cannot be written to."),
    "deferred": N_("The server asked to try again later."),
    "unclear": N_("The connection broke while it was being sent; it may have arrived."),
    "unreachable": N_("The server could not be reached."),
    "unsubscribed": N_("The patient has answered STOP to text messages."),
    "broken": N_("It could not be written."),
}
EDITABLE = (
    "confirmation", "course", "change", "cancellation", "reminder", "aftercare", "next_session",
)  # fmt: skip
"""Kinds whose first sentences the clinic can write itself."""

PLACEHOLDERS = ("name", "clinic", "phone")
"""What the clinic's own words may leave open, in braces."""

CHANNELS = ("mail", "sms")
WITHOUT_TIMES = ("aftercare", "next_session")
"""Kinds that name no appointment."""


def placeholders(channel: str, kind: str) -> tuple[str, ...]:
    """Return what may stand in braces: in a text message, which is nothing else, also when it is."""
    with_times = channel == "sms" and kind not in WITHOUT_TIMES
    return (*PLACEHOLDERS, "when") if with_times else PLACEHOLDERS


def greeting(name: str, locale: str) -> str:
    """Return "Hello Ana,", without a name for want of one."""
    spoken = speech.of(locale)
    return spoken.say(N_("Hello %(name)s,"), name=name) if name else spoken.say(N_("Hello,"))


def intro(code: str, locale: str, own: str = "", given: Mapping[str, str] | None = None) -> str:
    """Return the first sentence of a message: the clinic's own, else ours for this subject.

    Its own words count only when all they leave open can be filled in: no brace reaches a patient.
    """
    return filled(own, given or {}) or speech.of(locale).say(_INTROS[code])


def filled(text: str, given: Mapping[str, str]) -> str:
    """Return the text with its placeholders filled in; "" when one of them has no value."""
    if _odd(text) or any(not given.get(name) for name in _BRACES.findall(text)):
        return ""
    return _BRACES.sub(lambda found: given[found[1]], text).strip()


def is_open(text: str) -> bool:
    """Whether the text leaves anything open, or has a brace that stands for nothing."""
    return "{" in text or "}" in text


def unknown_placeholder(text: str, allowed: Sequence[str]) -> str:
    """Return the first thing in braces that nothing can be put in place of, or ""."""
    for name in _BRACES.findall(text):
        if name not in allowed:
            return f"{{{name}}}"
    return "{" if _odd(text) else ""


def subject(code: str, day: str, locale: str) -> str:
    """Return the subject; ``day`` is in words already."""
    return speech.of(locale).say(_SUBJECTS[code], day=day)


def was(before: str, locale: str) -> str:
    """Return what an appointment was before it moved."""
    return speech.of(locale).say(N_("Before: %(before)s"), before=before)


def other_provider(name: str, locale: str) -> str:
    """Return that somebody else will see the patient; by name in plain words only."""
    spoken = speech.of(locale)
    if name:
        return spoken.say(N_("%(provider)s will see you. The time stays the same."), provider=name)
    return spoken.say(N_("Another member of our team will see you. The time stays the same."))


def is_new(locale: str) -> str:
    """Return the mark of an appointment that was added beside others that moved."""
    return speech.of(locale).say(N_("New"))


def is_off(locale: str) -> str:
    """Return the mark of an appointment that does not take place."""
    return speech.of(locale).say(N_("Cancelled"))


def tentative(locale: str) -> str:
    """Return the mark of a reserved time."""
    return speech.of(locale).say(N_("Reserved for you, not confirmed yet"))


def your_page(kind: str, locale: str) -> str:
    """Return what the link says."""
    spoken = speech.of(locale)
    if kind == "aftercare":
        return spoken.say(N_("Your notes"))
    return spoken.say(N_("Your appointments"))


def title(kind: str, locale: str) -> str:
    """Return what the desk calls a kind of message."""
    return speech.of(locale).say(TITLES[kind])


def written_in(language: str, own: str, locale: str) -> str:
    """Return that a message was not written in the patient's own language, for want of texts."""
    return speech.of(locale).say(
        N_("Written in %(language)s: there are no texts in %(own)s yet."),
        language=language,
        own=own,
    )


def reason(code: str, locale: str) -> str:
    """Return why a message has not been sent."""
    return speech.of(locale).say(_REASONS[code]) if code in _REASONS else code


_BRACES = re.compile(r"\{(\w*)\}")


def _odd(text: str) -> bool:
    return is_open(_BRACES.sub("", text))
