"""What a process keeps of what is booked, for as long as the audit trail says it holds.

Read whole once, as far ahead as a question reaches; after that only what the trail says has changed since, until
one reaches further. Equal heads of the hash chain mean equal histories, so a database that was put back from a
copy is never taken for the one that was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import ledgers
from planner.db.models import Appointment, AuditRow
from planner.db.prepared import Prepared
from planner.scheduling.interval import Interval
from planner.scheduling.occupancy import Occupancy
from planner.scheduling.timetable import Busy

BEHIND = timedelta(days=3)
"""How far before the present the kept rows begin: questions about the past read for themselves."""

AHEAD = timedelta(days=7)
"""To whole such steps is read how far a question reaches, or each would reach a little further than the last."""

MOST_CHANGED = 400
"""Appointments changed since, above which reading all is as quick as reading those."""

MOST_CHANGES = 4_000
"""Appointments that came or went since all was read, above which it is read anew: they take more to keep."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Reader = Callable[[Session, Interval, Collection[int] | None], Iterable[Busy]]
"""Reads live appointments that begin in a time: those of some ids, or all that may run out."""


@dataclass(frozen=True, slots=True)
class _Kept:
    head_id: int
    head_hash: str
    newest_id: int  # of the appointments: what came in past the trail is seen by its number
    span: Interval  # in which what is kept begins
    occupancy: Occupancy


def current(
    session: Session, span: Interval, *, now: datetime, site_ids: Collection[int], read: Reader
) -> Occupancy | None:
    """Return all that is live and begins in the span, and more; None when that is too long ago to keep."""
    if span.starts_at < now - BEHIND:
        return None
    bind = session.get_bind()
    kept = _KEPT.get(bind)
    head = _HEAD.first(session.connection(), {"known": kept.head_id if kept else 0})
    if kept is not None and kept.span.contains(span) and (head.known or "") == kept.head_hash:
        if head.id == kept.head_id and (head.newest or 0) == kept.newest_id:
            return kept.occupancy
        changed = _changed(session, kept, head)
        if not changed:
            return _keep(bind, head, kept.span, kept.occupancy)
        if len(changed) <= MOST_CHANGED and kept.occupancy.changes <= MOST_CHANGES:
            rows = read(session, kept.span, changed)
            return _keep(bind, head, kept.span, kept.occupancy.changed(changed, rows))
    # What reaches further than before is read whole: all of it is then of the same head.
    whole = Interval(
        now - BEHIND - timedelta(hours=1), EPOCH - (EPOCH - span.ends_at) // AHEAD * AHEAD
    )
    if kept is not None and kept.span.ends_at > whole.ends_at:
        whole = Interval(whole.starts_at, kept.span.ends_at)
    written = ledgers.read(session, site_ids, whole)
    return _keep(bind, head, whole, Occupancy(read(session, whole, None), written))


def _keep(bind: Any, head: Any, span: Interval, occupancy: Occupancy) -> Occupancy:
    _KEPT[bind] = _Kept(head.id or 0, head.hash or "", head.newest or 0, span, occupancy)
    return occupancy


def _changed(session: Session, kept: _Kept, head: Any) -> set[int]:
    """The appointments that the trail says have changed, they or the session that they serve."""
    found: set[int] = set()
    if (head.newest or 0) > kept.newest_id:
        found.update(session.scalars(_newer(), {"known": kept.newest_id, "most": MOST_CHANGED + 1}))
    if head.id == kept.head_id:
        return found
    sessions: set[int] = set()
    for row in session.execute(_since(), {"known": kept.head_id, "most": MOST_CHANGED + 1}):
        (found if row.object_kind == "appointment" else sessions).add(row.object_id)
    if sessions:
        found.update(session.scalars(_serving(), {"sessions": sorted(sessions)}))
    return found


def _head() -> Prepared:
    newest = sa.select(sa.func.max(AuditRow.id)).scalar_subquery()
    known = sa.select(AuditRow.hash).where(AuditRow.id == sa.bindparam("known")).scalar_subquery()
    one = sa.select(sa.literal(1).label("one")).subquery()
    appointments = sa.select(sa.func.max(Appointment.id)).scalar_subquery()
    return Prepared(
        sa.select(
            AuditRow.id, AuditRow.hash, known.label("known"), appointments.label("newest")
        ).select_from(one.outerjoin(AuditRow, AuditRow.id == newest))
    )


@lru_cache
def _newer() -> Any:
    return (
        sa.select(Appointment.id)
        .where(Appointment.id > sa.bindparam("known"))
        .limit(sa.bindparam("most"))
    )


@lru_cache
def _since() -> Any:
    return (
        sa.select(AuditRow.object_kind, AuditRow.object_id)
        .where(
            AuditRow.id > sa.bindparam("known"),
            AuditRow.object_kind.in_(("appointment", "course_session")),
            AuditRow.object_id.is_not(None),
        )
        .distinct()
        .limit(sa.bindparam("most"))
    )


@lru_cache
def _serving() -> Any:
    return sa.select(Appointment.id).where(
        Appointment.course_session_id.in_(sa.bindparam("sessions", expanding=True))
    )


_HEAD = _head()
_KEPT: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
