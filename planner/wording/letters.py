"""What the desk writes or says to a patient by its own means: neutral words, whoever reads or listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.wording import speech, visits
from planner.wording.speech import N_

_OPENINGS = {
    "confirmation": N_("Hello %(name)s, your appointment is booked: %(when)s."),
    "reminder": N_("Hello %(name)s, a reminder of your appointment: %(when)s."),
    "change": N_("Hello %(name)s, your appointment has changed. It is now: %(when)s."),
}
_TITLES = {
    "confirmation": N_("Confirmation"),
    "reminder": N_("Reminder"),
    "change": N_("Change"),
}
KINDS = tuple(_OPENINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a text says: all of it as words already, and empty where it is not known."""

    name: str
    when: str
    where: str
    clinic: str = ""
    phone: str = ""
    link: str = ""


def title(kind: str, locale: str) -> str:
    """Return what a text is for."""
    return speech.of(locale).say(_TITLES[kind])


def text(kind: str, facts: Facts, locale: str) -> str:
    """Return a text to be sent by the desk's own messenger."""
    spoken = speech.of(locale)
    parts = [
        spoken.say(_OPENINGS[kind], name=facts.name, when=facts.when),
        f"{facts.where}." if facts.where else "",
        spoken.say(N_("Please tell us whether you can come.")) if kind != "confirmation" else "",
        spoken.say(N_("Details, and to confirm or change it: %(link)s"), link=facts.link)
        if facts.link
        else "",
        visits.questions(facts.phone, locale),
        facts.clinic,
    ]
    return "\n".join(part for part in parts if part)


def call(facts: Facts, locale: str) -> Sequence[str]:
    """Return what to say on the phone, sentence by sentence."""
    spoken = speech.of(locale)
    greeting = (
        spoken.say(
            N_("Hello, this is %(clinic)s. May I speak with %(name)s?"),
            clinic=facts.clinic,
            name=facts.name,
        )
        if facts.clinic
        else spoken.say(N_("Hello, may I speak with %(name)s?"), name=facts.name)
    )
    return (
        greeting,
        spoken.say(
            N_("You have an appointment: %(when)s, %(where)s. Can you come?"),
            when=facts.when,
            where=facts.where,
        ),
        spoken.say(N_("If not: which days and which time of day would suit you?")),
    )
