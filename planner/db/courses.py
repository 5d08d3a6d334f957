"""Courses and their sessions: the reads and writes that use cases and pages need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from planner.db import keys
from planner.db.engine import Tx
from planner.db.models import Appointment, Course, CourseSession, Protocol, Site
from planner.scheduling import hours
from planner.scheduling.timetable import Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """One session of a course to be: its minutes, zones, and the gap from the one before."""

    minutes: int
    gap: Gap
    zones: tuple[str, ...] = ()
    is_custom_gap: bool = False
    gap_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A provider's order: who gave it, and why this interval."""

    provider_id: int
    reason: str


def add(
    tx: Tx,
    *,
    patient_id: int,
    service_id: int,
    protocol_id: int | None,
    zones: str,
    sessions: Sequence[SessionPlan],
    same_zone_gap: Gap,
    order: Order | None,
) -> Course:
    """Store a course with its sessions: active when ordered, a draft while it is undecided."""
    course = Course(
        key=keys.new(),
        patient_id=patient_id,
        protocol_id=protocol_id,
        service_id=service_id,
        status="active" if order else "draft",
        zones=zones,
        same_floor=same_zone_gap.floor,
        same_target=same_zone_gap.target,
        same_soft_max=same_zone_gap.soft_max,
        wishes={},
        created_at=tx.now,
    )
    tx.session.add(course)
    _order(tx, course, order)
    tx.session.flush()
    _add_sessions(tx, course, sessions)
    return course


def reorder(
    tx: Tx,
    course: Course,
    *,
    protocol_id: int | None,
    zones: str,
    sessions: Sequence[SessionPlan],
    same_zone_gap: Gap,
    order: Order,
) -> Course:
    """Give a draft the provider's order. Its sessions keep their numbers, so reservations stay theirs."""
    course.protocol_id = protocol_id
    course.zones = zones
    course.status = "active"
    course.same_floor = same_zone_gap.floor
    course.same_target = same_zone_gap.target
    course.same_soft_max = same_zone_gap.soft_max
    _order(tx, course, order)
    present = {row.number: row for row in sessions_of(tx.session, course.id)}
    for number, plan in enumerate(sessions, start=1):
        row = present.get(number)
        if row is None:
            tx.session.add(_row(course, number, plan))
        else:
            _fill(row, plan)
    for number, row in present.items():
        if number > len(sessions) and not _has_appointments(tx.session, row.id):
            tx.session.delete(row)
    tx.session.flush()
    return course


def find_by_key(session: Session, key: str) -> Course | None:
    """Return the course of an address, or None."""
    return session.scalar(sa.select(Course).where(Course.key == key))


def sessions_of(session: Session, course_id: int) -> list[CourseSession]:
    """Return the sessions of a course by number."""
    statement = (
        sa.select(CourseSession)
        .where(CourseSession.course_id == course_id)
        .order_by(CourseSession.number)
    )
    return list(session.scalars(statement))


def live_appointments(session: Session, course_id: int) -> list[tuple[int, Appointment]]:
    """Return (number, appointment) of what is held, reserved, booked or under way, by number."""
    statement = (
        sa.select(CourseSession.number, Appointment)
        .join(Appointment, Appointment.course_session_id == CourseSession.id)
        .where(
            CourseSession.course_id == course_id,
            Appointment.status.in_(("held", "reserved", "booked", "arrived", "started")),
        )
        .order_by(CourseSession.number)
    )
    return [(number, appointment) for number, appointment in session.execute(statement)]


def touch(course: Course) -> None:
    """Give the course a new version, because one of its sessions has changed."""
    flag_modified(course, "wishes")


def draft_of_patient(session: Session, patient_id: int) -> Course | None:
    """Return the patient's newest undecided course, or None."""
    return session.scalar(
        sa.select(Course)
        .where(Course.patient_id == patient_id, Course.status == "draft")
        .order_by(Course.id.desc())
        .limit(1)
    )


def plans_of_protocol(protocol: Protocol) -> tuple[SessionPlan, ...]:
    """Return the sessions a protocol stands for, all alike."""
    gap = Gap(floor=protocol.gap_floor, target=protocol.gap_target, soft_max=protocol.gap_soft_max)
    return tuple(SessionPlan(minutes=protocol.minutes, gap=gap) for _ in range(protocol.sessions))


def site_day(site: Site, appointment: Appointment) -> date:
    """Return the site's day on which an appointment took place, or is planned."""
    return hours.day_of(appointment.actual_starts_at or appointment.starts_at, site.zone)


def _order(tx: Tx, course: Course, order: Order | None) -> None:
    course.is_decided = order is not None
    course.ordered_by = order.provider_id if order else None
    course.ordered_at = tx.now if order else None
    course.interval_reason = order.reason if order else ""


def _add_sessions(tx: Tx, course: Course, sessions: Sequence[SessionPlan]) -> None:
    tx.session.add_all(_row(course, number, plan) for number, plan in enumerate(sessions, start=1))
    tx.session.flush()


def _row(course: Course, number: int, plan: SessionPlan) -> CourseSession:
    row = CourseSession(course_id=course.id, number=number)
    _fill(row, plan)
    return row


def _fill(row: CourseSession, plan: SessionPlan) -> None:
    row.minutes = plan.minutes
    row.zones = list(plan.zones)
    row.gap_floor = plan.gap.floor
    row.gap_target = plan.gap.target
    row.gap_soft_max = plan.gap.soft_max
    row.gap_is_custom = plan.is_custom_gap
    row.gap_reason = plan.gap_reason


def _has_appointments(session: Session, course_session_id: int) -> bool:
    statement = sa.select(Appointment.id).where(Appointment.course_session_id == course_session_id)
    return session.scalar(statement.limit(1)) is not None
