"""Appointments: the reads and writes that use cases and pages need."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import keys, traces
from planner.db.base import one_of
from planner.db.engine import Tx
from planner.db.models import Appointment, AuditRow, Course, CourseSession
from planner.db.prepared import Prepared
from planner.errors import NotFound, Stale
from planner.scheduling import lifecycle
from planner.scheduling.timetable import Slot, Status

PROVISIONAL = ("held", "reserved")
TOLD = frozenset({"status", "starts_at", "ends_at", "site_id", "provider_id", "room_id", "note"})
"""Columns whose change is told to somebody who saw the row before it."""
OPEN = ("held", "reserved", "booked", "arrived", "started")


@dataclass(frozen=True, slots=True)
class Actors:
    """Whom an appointment occupies."""

    appointment_id: int
    patient_id: int
    provider_id: int
    room_id: int


@dataclass(frozen=True, slots=True)
class Served:
    """The session of a course that an appointment serves."""

    course_id: int
    course_session_id: int
    number: int


def find_actors(session: Session, key: str) -> Actors | None:
    """Return whom the appointment of an address occupies just now, without loading it, or None."""
    return next(iter(_actors(session, Appointment.key == key)), None)


def actors(session: Session, appointment_ids: Collection[int]) -> list[Actors]:
    """Return whom these appointments occupy just now, without loading them: to be locked first."""
    return _actors(session, Appointment.id.in_(appointment_ids)) if appointment_ids else []


def find_by_key(session: Session, key: str) -> Appointment | None:
    """Return the appointment of an address, or None."""
    return session.scalar(sa.select(Appointment).where(Appointment.key == key))


def find_served(session: Session, appointment_id: int) -> Served | None:
    """Return which session of which course the appointment serves, or None."""
    statement = (
        sa.select(CourseSession.course_id, CourseSession.id, CourseSession.number)
        .join(Appointment, Appointment.course_session_id == CourseSession.id)
        .where(Appointment.id == appointment_id)
    )
    return next((Served(*row) for row in session.execute(statement)), None)


def get(tx: Tx, appointment_id: int) -> Appointment:
    """Return the appointment as it is now. Raises NotFound."""
    row = tx.session.get(Appointment, appointment_id, populate_existing=True)
    if row is None:
        raise NotFound("appointment")
    return row


def check_version(session: Session, row: Appointment, version: int | None) -> None:
    """Raise ``Stale``, with what has changed, when a form was made from an earlier version."""
    if version is not None and row.version != version:
        raise Stale(_changed_since(session, row, version))


def provisional(session: Session) -> list[Appointment]:
    """Return what is held or reserved, expired or not, by the time it runs out."""
    statement = (
        sa.select(Appointment)
        .where(Appointment.status.in_(PROVISIONAL))
        .order_by(Appointment.expires_at, Appointment.id)
    )
    return list(session.scalars(statement))


def release_expired(
    tx: Tx,
    *,
    provider_ids: Collection[int],
    room_ids: Collection[int],
    patient_ids: Collection[int],
) -> None:
    """Let go what these actors hold past its time: a database guard cannot know the time."""
    tx.session.flush()
    found = _expired_statement().all(tx.session.connection(), {"now": tx.now})
    expired = [
        get(tx, row.id)
        for row in found
        if row.provider_id in provider_ids
        or row.room_id in room_ids
        or row.patient_id in patient_ids
    ]
    for row in expired:
        enter(row, Status.RELEASED, now=tx.now)
        row.ended_at = row.expires_at
    if expired:
        tx.session.flush()


def add(
    tx: Tx,
    slot: Slot,
    *,
    status: Status,
    course_session_id: int | None = None,
    expires_at: datetime | None = None,
    call_back_note: str = "",
    replaces_id: int | None = None,
) -> Appointment:
    """Store a new appointment with a uid of its own and sequence 0."""
    if slot.patient_id is None:
        raise ValueError("an appointment is somebody's")
    return traces.insert(
        tx.session,
        Appointment,
        {
            "key": keys.new(),
            "uid": keys.uid(),
            "sequence": 0,
            "ical_modified_at": tx.now,
            "status": status.value,
            "service_id": slot.service_id,
            "patient_id": slot.patient_id,
            "course_session_id": course_session_id,
            "expires_at": expires_at,
            "call_back_note": call_back_note,
            "zones_treated": [],
            "replaces_id": replaces_id,
            "created_at": tx.now,
            "created_by": tx.by.user_id,
            **_taken(slot),
        },
    )


def take(row: Appointment, slot: Slot) -> None:
    """Give the appointment the slot's actors and clocks, and nothing else."""
    for name, value in _taken(slot).items():
        setattr(row, name, value)


def move(row: Appointment, slot: Slot, *, now: datetime) -> None:
    """Move the appointment: the same uid, a revision when a calendar would show a difference.

    Another time or site has to be confirmed again; another room alone is nobody's business (RFC
    5546, 2.1.4).
    """
    is_elsewhere = (row.starts_at, row.ends_at, row.site_id) != (
        slot.starts_at, slot.ends_at, slot.site_id,
    )  # fmt: skip
    if is_elsewhere:
        row.confirmed_at, row.confirmed_by = None, ""
        row.sequence += 1
    if is_elsewhere or row.provider_id != slot.provider_id:
        row.ical_modified_at = now
    take(row, slot)


def enter(row: Appointment, status: Status, *, now: datetime) -> None:
    """Give the appointment another status, and the revision by which a calendar hears of it."""
    if lifecycle.is_revision(Status(row.status), status):
        row.sequence += 1
        row.ical_modified_at = now
    row.status = status.value
    if status is Status.BOOKED:
        row.expires_at = None


def complete_course(tx: Tx, row: Appointment) -> None:
    """Complete the course of a fulfilled appointment when none of its sessions is left to do."""
    served = find_served(tx.session, row.id)
    if served is None:
        return
    done = sa.select(Appointment.course_session_id).where(Appointment.status == "fulfilled")
    left = sa.select(CourseSession.id).where(
        CourseSession.course_id == served.course_id,
        CourseSession.id != served.course_session_id,
        CourseSession.id.not_in(done.where(Appointment.course_session_id.is_not(None))),
    )
    course = tx.session.get_one(Course, served.course_id)
    if course.status == "active" and tx.session.scalar(left.limit(1)) is None:
        course.status = "completed"


def last_actual_minutes(session: Session, patient_id: int, service_id: int) -> int | None:
    """Return the minutes the patient's last finished appointment really took, or None."""
    statement = (
        sa.select(Appointment.actual_starts_at, Appointment.actual_ends_at)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.service_id == service_id,
            Appointment.status == "fulfilled",
            Appointment.actual_ends_at.is_not(None),
        )
        .order_by(Appointment.starts_at.desc())
        .limit(1)
    )
    for starts_at, ends_at in session.execute(statement):
        if starts_at is not None and ends_at is not None:
            return max(5, round((ends_at - starts_at).total_seconds() / 300) * 5)
    return None


def slot_of(row: Appointment, number: int | None = None) -> Slot:
    """Return the slot a stored appointment stands in, with the clocks it was stored with."""
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
        number=number,
    )


def _taken(slot: Slot) -> dict[str, Any]:
    return {
        "site_id": slot.site_id,
        "provider_id": slot.provider_id,
        "room_id": slot.room_id,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "room_from": slot.room_from,
        "room_until": slot.room_until,
        "patient_until": slot.patient_until,
    }


def ids(rows: Iterable[Appointment]) -> frozenset[int]:
    """Return the ids of the rows."""
    return frozenset(row.id for row in rows)


def _changed_since(session: Session, row: Appointment, version: int) -> dict[str, tuple[Any, Any]]:
    """Return (as the form had it, as it is now) of every column that differs."""
    statement = (
        sa.select(AuditRow.before, AuditRow.after)
        .where(AuditRow.object_kind == Appointment.__tablename__, AuditRow.object_id == row.id)
        .order_by(AuditRow.id.desc())
        .limit(
            max(0, row.version - version)
        )  # a change of the row has one line, and at least one version
    )
    changed: dict[str, tuple[Any, Any]] = {}
    for before, after in reversed(session.execute(statement).all()):
        for name in (TOLD & (after or {}).keys()) if before else ():
            first = changed.get(name, (before.get(name), None))[0]
            changed[name] = (first, after.get(name))
    return {name: pair for name, pair in changed.items() if pair[0] != pair[1]}


@lru_cache
def _expired_statement() -> Prepared:
    """Built once: every booking asks it, and putting it together takes longer than running it.

    Of everybody, because few are ever left: one index gives them, and whose they are is seen here.
    """
    return Prepared(
        sa.select(
            Appointment.id, Appointment.provider_id, Appointment.room_id, Appointment.patient_id
        ).where(
            one_of(Appointment.status, PROVISIONAL),
            Appointment.expires_at <= sa.bindparam("now"),
        )
    )


def _actors(session: Session, where: sa.ColumnElement[bool]) -> list[Actors]:
    statement = sa.select(
        Appointment.id, Appointment.patient_id, Appointment.provider_id, Appointment.room_id
    ).where(where)
    return [Actors(*row) for row in session.execute(statement)]
