"""Consults and screenings: the reads and writes that use cases and pages need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.engine import Tx
from planner.db.models import Appointment, Consult, Course, CourseSession, Screening
from planner.scheduling.candidacy import Answers

ANSWERS = tuple(Answers.__dataclass_fields__)
TAKEN = ("held", "booked", "arrived", "started", "fulfilled", "no_show")
"""Statuses that show an order being followed. Reserved ones wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a provider found, less the answers about health."""

    veins: Sequence[Mapping[str, Any]]
    zones: Sequence[str]
    area_size: str  # S | M | L | ""
    duplex_advised: bool
    outcome: str  # candidate | not_now | no | refer
    not_until: date | None
    note: str


def find_of_appointment(session: Session, appointment_id: int) -> Consult | None:
    """Return what was recorded at a consult, or None."""
    return session.scalar(sa.select(Consult).where(Consult.appointment_id == appointment_id))


def of_patient(session: Session, patient_id: int) -> list[Consult]:
    """Return a patient's consults, the latest first."""
    statement = (
        sa.select(Consult)
        .where(Consult.patient_id == patient_id)
        .order_by(Consult.held_on.desc(), Consult.id.desc())
    )
    return list(session.scalars(statement))


def answers_of(session: Session, screening_id: int | None) -> Answers:
    """Return the answers of a screening; without any, those of nobody asked."""
    row = session.get(Screening, screening_id) if screening_id else None
    return Answers(**{name: getattr(row, name) for name in ANSWERS}) if row else Answers()


def add_screening(tx: Tx, patient_id: int, provider_id: int, answers: Answers) -> Screening:
    """Store the answers; the latest screening of a patient counts."""
    row = Screening(
        patient_id=patient_id, provider_id=provider_id, recorded_at=tx.now, **asdict(answers)
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def write(
    tx: Tx,
    row: Consult | None,
    appointment: Appointment,
    finding: Finding,
    *,
    provider_id: int,
    screening_id: int,
    held_on: date,
    course_id: int | None,
) -> Consult:
    """Store what was found at the consult, or correct what is stored."""
    if row is None:
        row = Consult(patient_id=appointment.patient_id, appointment_id=appointment.id)
        tx.session.add(row)
    row.provider_id, row.screening_id, row.course_id = provider_id, screening_id, course_id
    row.held_on, row.recorded_at = held_on, tx.now
    row.veins, row.zones = [dict(vein) for vein in finding.veins], list(finding.zones)
    row.area_size, row.duplex_advised = finding.area_size, finding.duplex_advised
    row.outcome, row.not_until, row.note = finding.outcome, finding.not_until, finding.note
    tx.session.flush()
    return row


def is_followed(session: Session, course_id: int) -> bool:
    """Whether anything of the course has been booked: then its order is no longer to be rewritten."""
    statement = (
        sa.select(Appointment.id)
        .join(CourseSession, CourseSession.id == Appointment.course_session_id)
        .where(CourseSession.course_id == course_id, Appointment.status.in_(TAKEN))
        .limit(1)
    )
    return session.scalar(statement) is not None


def provisional_of(session: Session, patient_id: int, course_id: int | None) -> list[Appointment]:
    """Return what is held or reserved for the patient's undecided courses, and for that course."""
    statement = (
        sa.select(Appointment)
        .join(CourseSession, CourseSession.id == Appointment.course_session_id)
        .join(Course, Course.id == CourseSession.course_id)
        .where(
            Course.patient_id == patient_id,
            sa.or_(Course.status == "draft", Course.id == course_id),
            Appointment.status.in_(("held", "reserved")),
        )
        .order_by(Appointment.starts_at)
    )
    return list(session.scalars(statement))
