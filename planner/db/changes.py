"""Undo records: the rows of a change as they were, and how they are put back.

What the change altered gets its columns back to the letter, but for the version and, of an
appointment, the calendar revision, which grows. What it added is removed, with two exceptions that
others may refer to by now: an appointment is released, and a course with a history is ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import traces
from planner.db.models import (
    LIVE_STATUSES,
    Appointment,
    CalendarFeed,
    Change,
    Consent,
    Consult,
    Course,
    CourseSession,
    DateToAvoid,
    Decision,
    Notice,
    Patient,
    PatientLink,
    Screening,
)
from planner.db.prepared import Insertion
from planner.db.traces import Trace
from planner.errors import Stale
from planner.who import Who

UNDO_FOR = timedelta(minutes=2)
KEPT_FOR = timedelta(hours=1)
"""How long an undo record stays: it holds whole rows, also what a patient said about their health."""
FORGET_EVERY = timedelta(minutes=1)
"""How often a process looks for older ones: they are found by reading all."""

MODELS: Mapping[str, type[Any]] = {
    "patient": Patient,
    "screening": Screening,
    "course": Course,
    "course_session": CourseSession,
    "appointment": Appointment,
    "consult": Consult,
    "decision": Decision,
    "consent": Consent,
    "date_to_avoid": DateToAvoid,
    "patient_link": PatientLink,
    "calendar_feed": CalendarFeed,
    "notice": Notice,
}
"""What can be put back, each before what refers to it."""

GROWS = frozenset({"version", "sequence", "ical_modified_at"})
PLACE = (
    "starts_at", "ends_at", "room_from", "room_until", "patient_until",
    "provider_id", "room_id", "patient_id",
)  # fmt: skip
"""What an appointment occupies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actors:
    """Whom a change occupied before or after it."""

    provider_ids: frozenset[int]
    room_ids: frozenset[int]
    patient_ids: frozenset[int]


def keep(
    session: Session, key: str, changed: Sequence[Trace], *, by: Who, now: datetime, label: str
) -> None:
    """Store how the rows of a change were before, so that it can be taken back; forget what is old."""
    _forget(session, now)
    rows = [_stored(trace) for trace in changed if trace.table in MODELS]
    if rows:
        _INSERT.one(
            session.connection(),
            {"key": key, "at": now, "user_id": by.user_id, "label": label[:40], "rows": rows},
        )


def find(session: Session, key: str) -> Change | None:
    """Return the undo record of that key, or None. On PostgreSQL its row stays locked."""
    return session.scalar(sa.select(Change).where(Change.key == key).with_for_update())


def actors(change: Change) -> Actors:
    """Return whom the change occupied before and after: to be locked first."""
    images = [image for row in change.rows for image in (row["before"], row["after"]) if image]
    return Actors(
        provider_ids=frozenset(_ids(images, "provider_id")),
        room_ids=frozenset(_ids(images, "room_id")),
        patient_ids=frozenset(_ids(images, "patient_id")) | _patients(change),
    )


def take_back(session: Session, change: Change, *, now: datetime) -> list[Appointment]:
    """Put the rows of a change back; return the appointments that take a place again that they had left.

    Raises Stale when one of them has changed since; a guard refuses when a slot has gone.
    """
    rows = sorted(change.rows, key=lambda row: list(MODELS).index(row["table"]))
    present = {(row["table"], row["id"]): _present(session, row) for row in rows}
    _vacate(session, present.values())
    for row in rows:
        if row["before"] is not None:
            _put_back(session, row, present[row["table"], row["id"]], now)
            session.flush()
    for row in reversed(rows):
        if row["before"] is None:
            _withdraw(session, present[row["table"], row["id"]], now)
            session.flush()
    change.undone_at = now
    session.flush()
    return [present["appointment", row["id"]] for row in rows if _returns(row)]


def _patients(change: Change) -> frozenset[int]:
    return frozenset(row["id"] for row in change.rows if row["table"] == "patient")


def _returns(row: Mapping[str, Any]) -> bool:
    before, after = row["before"], row["after"]
    if row["table"] != "appointment" or before is None or before["status"] not in LIVE_STATUSES:
        return False
    return after["status"] not in LIVE_STATUSES or any(
        before[name] != after[name] for name in PLACE
    )


_TABLE = Change.metadata.tables["change"]
_INSERT = Insertion(_TABLE)
_DELETE = sa.delete(_TABLE).where(_TABLE.c.at < sa.bindparam("until"))
_LOOKED: WeakKeyDictionary[Any, datetime] = WeakKeyDictionary()


def _forget(session: Session, now: datetime) -> None:
    bind = session.get_bind()
    looked_at = _LOOKED.get(bind)
    if looked_at is None or abs(now - looked_at) >= FORGET_EVERY:  # a clock may also be set back
        session.connection().execute(_DELETE, {"until": now - KEPT_FOR})
        _LOOKED[bind] = now


def _stored(trace: Trace) -> dict[str, Any]:
    return {"table": trace.table, "id": trace.id, "before": trace.before, "after": trace.after}


def _ids(images: Iterable[Mapping[str, Any]], column: str) -> Iterator[int]:
    return (image[column] for image in images if image.get(column) is not None)


def _present(session: Session, row: Mapping[str, Any]) -> Any:
    """Return the row as it is now, or None for one the change deleted. Raises Stale."""
    found = session.get(MODELS[row["table"]], row["id"], populate_existing=True)
    now = traces.image(found) if found is not None else None
    after = row["after"]
    if now != after:
        names = (now or {}).keys() | (after or {}).keys()
        pairs = {name: ((after or {}).get(name), (now or {}).get(name)) for name in names}
        raise Stale({name: pair for name, pair in pairs.items() if pair[0] != pair[1]})
    return found


def _vacate(session: Session, rows: Iterable[Any]) -> None:
    # Guards judge row by row: what goes back into the place of another must find it empty.
    live = [row for row in rows if isinstance(row, Appointment) and row.status in LIVE_STATUSES]
    if len(live) > 1:
        for row in live:
            row.status = "released"
        session.flush()


def _put_back(session: Session, row: Mapping[str, Any], found: Any, now: datetime) -> None:
    if found is None:
        found = MODELS[row["table"]]()
        traces.restore(found, row["before"], without=frozenset())
        session.add(found)
        return
    traces.restore(found, row["before"], without=GROWS)
    if isinstance(found, Appointment):
        _revise(found, now)


def _withdraw(session: Session, row: Any, now: datetime) -> None:
    if isinstance(row, Appointment):
        row.status, row.ended_at, row.ended_by = "released", now, "clinic"
        _revise(row, now)
    elif not _is_referred_to(session, row):
        session.delete(row)
    elif isinstance(row, Course):
        row.status = "ended"


def _revise(row: Appointment, now: datetime) -> None:
    row.sequence += 1
    row.ical_modified_at = now


def _is_referred_to(session: Session, row: Any) -> bool:
    referring: dict[type[Any], tuple[Any, ...]] = {
        Course: (CourseSession.course_id, Consult.course_id, Decision.course_id),
        CourseSession: (Appointment.course_session_id,),
        Screening: (Consult.screening_id,),
    }
    return any(
        session.scalar(sa.select(column).where(column == row.id).limit(1)) is not None
        for column in referring.get(type(row), ())
    )
