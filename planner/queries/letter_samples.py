"""Messages with made-up data, for the manager who writes their words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, messages
from planner.db.models import Site
from planner.errors import NotFound
from planner.mail import letters, parts
from planner.mail.letters import Letter, Line
from planner.mail.parts import Length
from planner.queries import letter_frame
from planner.queries.letter_frame import Said, Voice
from planner.scheduling import hours
from planner.wording import messages as words
from planner.wording import visits

SAMPLE_DAY = timedelta(days=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a text looks like in a message; and whether only some patients would get it."""

    letter: Letter
    is_telling: bool  # it tells of the treatment: for patients who asked for plain words
    is_lacking: bool  # what it leaves open cannot be filled in: the shipped text stands here


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPreview:
    """A text message as it would arrive, how long it is, and whether the typed words may be sent."""

    body: str
    length: Length
    is_telling: bool  # it tells of the treatment: never sent, the shipped text stands here
    is_lacking: bool  # what it leaves open cannot be filled in: the shipped text stands here too


def preview(kind: str, language: str, text: str, *, now: datetime) -> Preview:
    """Return a message with made-up data in a text that need not be stored. Raises NotFound."""
    with engine.reading() as session:
        letter, shipped = (
            sample(session, kind, language, text=typed, now=now) for typed in (text, "")
        )
    return Preview(
        letter=letter,
        is_telling=not visits.is_discreet(text),
        is_lacking=words.is_open(text) and letter.intro == shipped.intro,
    )


def preview_text(kind: str, language: str, text: str, *, link: str, now: datetime) -> TextPreview:
    """Return a text message with made-up data in words that need not be stored. Raises NotFound."""
    with engine.reading() as session:
        letter, shipped = (
            sample(session, kind, language, text=typed, channel="sms", now=now)
            for typed in (text, "")
        )
    body = letters.text_message(letter.with_link(link))
    is_telling = not visits.is_discreet(text)
    return TextPreview(
        body=body,
        length=parts.length(body),
        is_telling=is_telling,
        is_lacking=not is_telling and words.is_open(text) and letter.short == shipped.short,
    )


def sample(
    session: Session,
    kind: str,
    language: str,
    recipient: str = "",
    *,
    text: str | None = None,
    channel: str = "mail",
    now: datetime,
) -> Letter:
    """Return a message of a kind in the words the clinic uses, or in a text not stored yet.

    Raises NotFound for a kind there is not.
    """
    clinic = catalogue.clinic(session)
    own = messages.texts(session, language)
    if text is not None:
        own[f"{channel}.{kind}"] = text
    voice = Voice(
        recipient=recipient,
        locale=language,
        name="Ana",
        phone=wording.format_phone(clinic.phone if clinic else ""),
        texts=own,
        is_plain=text is not None,  # it is shown as it was typed
        practice=letter_frame.practice(clinic),
        colour=letter_frame.colour(clinic),
    )
    site = next(iter(catalogue.in_order(session, Site)), None)
    return letter_frame.framed(_made_up(kind, language, site, now), voice)


def _made_up(kind: str, locale: str, site: Site | None, now: datetime) -> Said:
    if kind not in words.TITLES:
        raise NotFound("text")
    first = hours.day_of(now, site.zone if site else "UTC") + SAMPLE_DAY
    count = 3 if kind == "course" else 1
    days = [first + timedelta(days=14 * number) for number in range(count)]
    before = datetime.combine(first - timedelta(days=1), datetime.min.time(), UTC)
    earlier = wording.format_day_time(before.replace(hour=14, minute=30), locale)
    lines = tuple(
        Line(
            when=_sample_when(day, locale),
            where=(site.name,) if site else (),
            was=words.was(earlier, locale) if kind == "change" else "",
            is_off=kind == "cancellation",
        )
        for day in days
    )
    return Said(
        kind=kind,
        lines=() if kind in ("aftercare", "next_session") else lines,
        notes=(visits.on_your_sheet(locale),) if kind == "aftercare" else (),
        day=wording.format_short_date(first, locale),
    )


def _sample_when(day: date, locale: str) -> str:
    at = datetime.combine(day, datetime.min.time(), UTC).replace(hour=10)
    text = f"{wording.format_full_date(day, locale)}, {wording.format_time(at, locale)}"
    return text[:1].upper() + text[1:]
