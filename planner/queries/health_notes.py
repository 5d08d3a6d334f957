"""What a patient told of their health, on the page of a visit: the words for providers who may read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import rights
from planner.db import notices
from planner.db.models import Appointment, Notice, User
from planner.who import Who
from planner.wording import speech

Clock = Callable[[datetime | None], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNote:
    """One note, and who has seen it; ``readings`` are "name, when", the earliest of each first."""

    id: int
    text: str
    told_label: str
    readings: tuple[str, ...]
    seen_label: str  # "name, when" of who took it off the list; empty while it waits
    seen_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNotes:
    """What stands on the page; of what may not be read only how much waits, and for whom."""

    lines: tuple[HealthNote, ...] = ()
    waiting: int = 0
    readers_label: str = ""


def of_visit(
    session: Session, visit: Appointment, *, by: Who, when: Clock, locale: str, today: date
) -> HealthNotes:
    """Return the notes about health that belong to a visit, as far as somebody may read them."""
    rows = notices.of_visit(session, visit)
    if not rows:
        return HealthNotes()
    readable = _readable(session, rows, by)
    shown = [row for row in rows if row.id in readable]
    waiting = sum(row.handled_at is None for row in rows if row.id not in readable)
    names = notices.readers(session, visit.patient_id, on=today) if waiting else ()
    return HealthNotes(
        lines=_lines(session, shown, when) if shown else (),
        waiting=waiting,
        readers_label=speech.of(locale).listed(names) if names else "",
    )


def _readable(session: Session, rows: Sequence[Notice], by: Who) -> frozenset[int]:
    if by.provider_id is None or not rights.may(by, "read_health"):
        return frozenset()
    ids = [row.id for row in rows]
    found = sa.select(Notice.id).where(Notice.id.in_(ids), notices.readable_by(by.provider_id))
    return frozenset(session.scalars(found))


def _lines(session: Session, rows: Sequence[Notice], when: Clock) -> tuple[HealthNote, ...]:
    seen: dict[int, dict[str, datetime]] = {row.id: {} for row in rows}
    for at, name, after in notices.readings(session, min(row.created_at for row in rows)):
        for id_ in seen.keys() & set((after or {}).get("ids", ())):
            seen[id_].setdefault(name, at)
    wanted = sa.select(User.id, User.name).where(User.id.in_({row.handled_by for row in rows}))
    people: dict[int | None, str] = dict(session.execute(wanted).all())
    return tuple(
        HealthNote(
            id=row.id,
            text=row.health_text,
            told_label=when(row.created_at),
            readings=tuple(f"{name}, {when(at)}" for name, at in seen[row.id].items()),
            seen_label=_seen(row, people, when),
            seen_note=row.handled_note,
        )
        for row in rows
    )


def _seen(row: Notice, people: Mapping[int | None, str], when: Clock) -> str:
    if row.handled_at is None:
        return ""
    return ", ".join(
        part for part in (people.get(row.handled_by, ""), when(row.handled_at)) if part
    )
