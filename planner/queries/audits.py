"""Judges everything that is stored by the same rules that booked it, and walks the audit chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import audit, decisions, engine, timetables
from planner.db.models import Appointment, CourseSession
from planner.scheduling import rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Conflict, CourseOrder, Severity, Slot, Timetable

MONTH = timedelta(days=31)
MARGIN = timedelta(days=2)
LIVE = ("held", "reserved", "booked", "arrived", "started", "fulfilled")
STRUCTURE = ("provider.busy", "room.busy", "patient.busy", "room.site")
"""What no change of hours or rules can bring about: somewhere a guard did not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One appointment that does not stand up to the rules; ``is_violation`` when it never may have."""

    appointment_key: str
    starts_at: datetime
    code: str
    is_violation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    row: Appointment
    number: int | None
    course_id: int | None


def appointments(*, now: datetime) -> tuple[Finding, ...]:
    """Return every live appointment that breaks a rule today, month by month.

    Overlaps and a room of another site are violations. What a later change of hours, absences, rules or
    facts has put outside the rules is listed apart from them, as are conflicts that a recorded decision or
    a click answered when it was booked.
    """
    with engine.reading() as session:
        found: list[Finding] = []
        for month in _months(session):
            found += _month(session, month, now)
    return tuple(found)


def chain() -> audit.Verdict:
    """Return what a walk along the audit chain found."""
    with engine.reading() as session:
        return audit.verify(session)


def _months(session: Session) -> Iterator[Interval]:
    first, last = session.execute(
        sa.select(sa.func.min(Appointment.starts_at), sa.func.max(Appointment.starts_at))
    ).one()
    while first is not None and first <= last:
        yield Interval(first, first + MONTH)
        first += MONTH


def _month(session: Session, month: Interval, now: datetime) -> Iterator[Finding]:
    stored = _stored(session, month)
    if not stored:
        return
    patients = sorted({one.row.patient_id for one in stored})
    around = Interval(month.starts_at - MARGIN, month.ends_at + MARGIN)
    timetable = timetables.load(session, horizon=around, now=now, patient_ids=patients)
    orders: dict[int, CourseOrder] = {}
    for one in stored:
        if one.course_id is not None and one.course_id not in orders:
            orders[one.course_id] = timetables.order(session, one.course_id, now=now)
        order = orders.get(one.course_id) if one.course_id is not None else None
        yield from _judged(session, one, timetable, order)


def _stored(session: Session, month: Interval) -> Sequence[_Stored]:
    rows = session.execute(
        sa.select(Appointment, CourseSession.number, CourseSession.course_id)
        .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
        .where(
            Appointment.status.in_(LIVE),
            Appointment.starts_at >= month.starts_at,
            Appointment.starts_at < month.ends_at,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return [_Stored(row=row, number=number, course_id=course) for row, number, course in rows]


def _judged(
    session: Session, one: _Stored, timetable: Timetable, order: CourseOrder | None
) -> Iterator[Finding]:
    row = one.row
    conflicts = rules.conflicts(
        _slot(one), timetable, order=order, purpose="here_now", ignoring=frozenset({row.id})
    )
    serious = [c for c in conflicts if c.severity in (Severity.DECIDE, Severity.BLOCK)]
    if not serious:
        return
    decided = decisions.codes_answering(session, row.id, serious)
    for conflict in serious:
        if conflict.code not in decided:
            yield _finding(row, conflict)


def _finding(row: Appointment, conflict: Conflict) -> Finding:
    return Finding(
        appointment_key=row.key,
        starts_at=row.starts_at,
        code=conflict.code,
        is_violation=conflict.code in STRUCTURE,
    )


def _slot(one: _Stored) -> Slot:
    row = one.row
    return Slot(
        service_id=row.service_id,
        site_id=row.site_id,
        provider_id=row.provider_id,
        room_id=row.room_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        room_from=row.room_from,
        room_until=row.room_until,
        patient_until=row.patient_until,
        patient_id=row.patient_id,
        number=one.number,
    )
