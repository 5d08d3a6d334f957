"""Judges everything that is stored by the same rules that booked it, and walks the audit chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import appointments, audit, decisions, engine, timetables, trail
from planner.db.models import (
    Appointment,
    AuditRow,
    Consent,
    Consult,
    Course,
    CourseSession,
    DateToAvoid,
    Screening,
)
from planner.scheduling import rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import HARD, Conflict, CourseOrder, Timetable

MONTH = timedelta(days=31)
MARGIN = timedelta(days=2)
LIVE = ("held", "reserved", "booked", "arrived", "started", "fulfilled")
STRUCTURE = ("provider.busy", "room.busy", "patient.busy", "room.other_site")
"""What no change of hours or rules can bring about: somewhere a guard did not hold."""

PLACING = {"starts_at", "provider_id", "room_id"}
CHANGED_BY = {
    "site": ("site", "site_hours", "absence", "rule_record"),
    "provider": ("provider", "provider_hours", "provider_service", "absence", "rule_record"),
    "room": ("room", "room_service", "absence", "rule_record"),
    "service": ("service", "rule_record"),
}
"""Whose later change explains a conflict of this kind; for all others, the patient's own facts or the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What does not stand up to the rules or to the trail; ``is_violation`` when it never may have."""

    subject: str  # "appointment KEY at 2027-03-31T14:00:00Z", or kind and number of another row
    code: str
    is_violation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    row: Appointment
    number: int | None
    course_id: int | None


def everything(*, now: datetime) -> tuple[Finding, ...]:
    """Return every row that is not as the trail tells, and every live appointment that breaks a rule today.

    What a later change of hours, absences, rules or the patient's facts has put outside the rules is told
    apart from violations by the audit trail: without such a change, somebody has got round the rules. A
    conflict that a recorded decision answers is none.
    """
    with engine.reading() as session:
        found = [_past_the_trail(session, one) for one in trail.differences(session)]
        for month in _months(session):
            found += _month(session, month, now)
    return tuple(found)


def chain(*, expected: str = "") -> audit.Verdict:
    """Return what a walk along the audit chain found, and where a head written down earlier stands in it."""
    with engine.reading() as session:
        return audit.verify(session, expected=expected)


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
        appointments.slot_of(row, one.number),
        timetable,
        order=order,
        purpose=_purpose(row),
        ignoring=frozenset({row.id}),
    )
    serious = [c for c in conflicts if c.severity in HARD]
    if not serious:
        return
    decided = decisions.codes_answering(session, row.id, serious)
    for conflict in serious:
        if conflict.code not in decided:
            yield _finding(session, one, conflict)


def _purpose(row: Appointment) -> str:
    return "audit_provisional" if row.status in ("held", "reserved") else "audit"


def _finding(session: Session, one: _Stored, conflict: Conflict) -> Finding:
    is_structure = conflict.code in STRUCTURE
    return Finding(
        subject=_subject(one.row),
        code=conflict.code,
        is_violation=is_structure or not _has_changed_since(session, one, conflict.code),
    )


def _past_the_trail(session: Session, one: trail.Difference) -> Finding:
    row = session.get(Appointment, one.row_id) if one.kind == "appointment" else None
    subject = _subject(row) if row else f"{one.kind} {one.row_id}"
    return Finding(subject=subject, code=f"trail.{one.field or 'row'}", is_violation=True)


def _subject(row: Appointment) -> str:
    return f"appointment {row.key} at {row.starts_at:%Y-%m-%dT%H:%M:%SZ}"


def _has_changed_since(session: Session, one: _Stored, code: str) -> bool:
    """Whether the trail tells of a change, after the appointment was last placed, that explains the conflict."""
    placed = _last_placed(session, one.row.id)
    if placed is None:
        return False
    kinds = CHANGED_BY.get(code.partition(".")[0])
    later = sa.select(AuditRow.id).where(AuditRow.id > placed)
    if kinds is None:
        rules_changed = AuditRow.object_kind == "rule_record"
        later = later.where(sa.or_(rules_changed, _is_of_patient(one)))
    else:
        later = later.where(AuditRow.object_kind.in_(kinds))
    return session.scalar(later.limit(1)) is not None


def _last_placed(session: Session, appointment_id: int) -> int | None:
    """Return the audit row by which the appointment got its time and actors; None when none tells."""
    rows = session.execute(
        sa.select(AuditRow.id, AuditRow.after)
        .where(AuditRow.object_kind == "appointment", AuditRow.object_id == appointment_id)
        .order_by(AuditRow.id.desc())
    )
    return next((row.id for row in rows if PLACING & set(row.after or ())), None)


def _is_of_patient(one: _Stored) -> sa.ColumnElement[bool]:
    """Whether an audit row is about the patient of an appointment, or about anything of theirs."""
    patient_id = one.row.patient_id
    own = [sa.and_(AuditRow.object_kind == "patient", AuditRow.object_id == patient_id)]
    for model in (DateToAvoid, Screening, Consult, Consent, Course, Appointment):
        ids = sa.select(model.id).where(model.patient_id == patient_id)
        own.append(
            sa.and_(AuditRow.object_kind == model.__tablename__, AuditRow.object_id.in_(ids))
        )
    sessions = sa.select(CourseSession.id).where(CourseSession.course_id == one.course_id)
    own.append(sa.and_(AuditRow.object_kind == "course_session", AuditRow.object_id.in_(sessions)))
    return sa.or_(*own)
