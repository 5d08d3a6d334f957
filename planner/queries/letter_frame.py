"""The frame of a message: who speaks to whom, and what is in every one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.db.models import Clinic
from planner.ical.events import Event
from planner.mail.letters import Letter, Line
from planner.wording import messages as words
from planner.wording import visits

DEFAULT_COLOUR = "#0f766e"
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who speaks, to whom, and in which words."""

    recipient: str
    locale: str
    name: str
    practice: str
    phone: str
    colour: str = DEFAULT_COLOUR
    is_plain: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a message says beside its frame."""

    kind: str
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    subject: str = ""  # code; the kind unless it says otherwise
    day: str = ""
    event: Event | None = None
    method: str = "REQUEST"


def framed(said: Said, voice: Voice) -> Letter:
    """Return the whole letter: greeting, first sentence, appointments, notes, how to reach us."""
    locale = voice.locale
    given = {"name": voice.name, "clinic": voice.practice, "phone": voice.phone}
    own = voice.texts.get(f"mail.{said.kind}", "")
    if not voice.is_plain and not visits.is_discreet(own):
        own = ""
    code = said.subject or said.kind
    subject = words.subject(code, said.day, locale)
    return Letter(
        recipient=voice.recipient,
        locale=locale,
        practice=voice.practice,
        subject=subject,
        greeting=words.greeting(voice.name, locale),
        intro=words.intro(_INTROS.get(code, said.kind), locale, own, given),
        lines=said.lines,
        notes=said.notes,
        link_label=words.your_page(said.kind, locale),
        closing=visits.questions(voice.phone, locale),
        short=_short(said, voice, subject, given),
        colour=voice.colour,
        event=said.event,
        method=said.method,
    )


_INTROS = {"changes": "changes", "cancellations": "cancellations"}
"""Subjects with a first sentence of their own; others share that of their kind."""


def practice(clinic: Clinic | None) -> str:
    """Return the name the clinic writes under: one that does not tell of a treatment, or none."""
    names = (clinic.neutral_name, clinic.name) if clinic else ()
    return next((name for name in names if name and visits.is_discreet(name)), "")


def colour(clinic: Clinic | None) -> str:
    """Return the clinic's colour where white letters on it can be read, else ours."""
    own = clinic.colour if clinic else ""
    is_readable = _HEX.fullmatch(own) and 1.05 / (_luminance(own) + 0.05) >= LEAST_CONTRAST
    return own if is_readable else DEFAULT_COLOUR


def _short(said: Said, voice: Voice, subject: str, given: Mapping[str, str]) -> str:
    """Return the text message: the clinic's own words while they are neutral, else ours."""
    whens = "; ".join(line.when for line in said.lines if not line.is_off)
    own = voice.texts.get(f"sms.{said.kind}", "")
    if visits.is_discreet(own) and (text := words.filled(own, {**given, "when": whens})):
        return text
    parts = [f"{voice.practice}: {subject}" if voice.practice else subject]
    if whens:
        parts.append(whens)
    return ". ".join(parts) + "."


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))


_HEX = re.compile(r"#[0-9a-fA-F]{6}")
