"""What a person does with a whole course: draft, book, hold, reserve, settle, change a gap, pause, end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from planner.actions import placing
from planner.db import appointments, courses, timetables
from planner.db.engine import Idempotency, Tx, transaction
from planner.db.models import Course, CourseSession, Patient, Protocol
from planner.errors import Invalid, NotFound, Refused, Stale
from planner.scheduling.timetable import Conflict, Gap, Severity, Status
from planner.who import Who

LONGEST_REASON = 500
LONGEST_PACKAGE = 120
RUNNING = ("draft", "active", "paused")
BOOKABLE = ("draft", "active")
FUTURE = ("held", "reserved", "booked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Where one session of the course is wanted: untrusted until it has been judged."""

    number: int
    site_id: int
    provider_id: int
    room_id: int
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was booked, by key and number, and the change that undoes it."""

    appointments: Mapping[int, str]
    change_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The key of a course that was started, and the change that undoes it."""

    key: str
    change_key: str


def draft(
    patient_id: int, protocol_id: int, *, package: str = "", by: Who, now: datetime
) -> Drafted:
    """Start an undecided course from a protocol, so that sessions can be reserved before the consult.

    Raises ``NotFound`` for an unknown or inactive protocol.
    """

    def work(tx: Tx) -> Drafted:
        protocol = tx.session.get(Protocol, protocol_id)
        if protocol is None or not protocol.is_active:
            raise NotFound("protocol")
        course = courses.add(
            tx,
            patient_id=patient_id,
            service_id=protocol.service_id,
            protocol_id=protocol.id,
            zones=protocol.zones,
            sessions=courses.plans_of_protocol(protocol),
            same_zone_gap=timetables.same_zone_gap(tx.session, now=now),
            order=None,
        )
        course.package = _checked(package, LONGEST_PACKAGE, "package")
        return Drafted(key=course.key, change_key=tx.change_key)

    return transaction(work, by=by, now=now, action="course.draft", undoable=True)


def book(
    key: str,
    chosen: tuple[Chosen, ...],
    terms: placing.Terms,
    *,
    version: int,
    wishes: Mapping[str, Any],
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Done:
    """Book, hold or reserve the chosen sessions of a course: all of them or none.

    Raises ``Stale`` when the course has changed since the page was made, ``Refused`` with every reason
    when one of them cannot be had; then nothing is saved.
    """

    def work(tx: Tx) -> dict[str, Any]:
        course = _bookable_course(tx, key, version)
        rows = {row.number: row for row in courses.sessions_of(tx.session, course.id)}
        placed = placing.place(
            tx,
            course.patient_id,
            tuple(_place(course, rows, one) for one in chosen),
            terms,
            course_id=course.id,
        )
        course.wishes = dict(wishes)
        courses.touch(course)
        numbers = {row.id: number for number, row in rows.items()}
        return {
            "appointments": {numbers[row.course_session_id or 0]: row.key for row in placed},
            "change_key": tx.change_key,
        }

    answer = transaction(
        work,
        by=by,
        now=now,
        action=f"course.{terms.status.value}",
        undoable=True,
        idempotency=idempotency,
    )
    return Done(
        appointments={int(n): k for n, k in answer["appointments"].items()},
        change_key=answer["change_key"],
    )


def settle(
    key: str,
    *,
    version: int,
    terms: placing.Terms,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Done:
    """Book everything of the course that is held or reserved, judged again where it stands."""

    def work(tx: Tx) -> dict[str, Any]:
        course = _bookable_course(tx, key, version)
        waiting = [
            (n, row)
            for n, row in courses.live_appointments(tx.session, course.id)
            if row.status in ("held", "reserved")
        ]
        if not waiting:
            raise NotFound("held or reserved sessions")
        placing.settle(tx, tuple(row for _, row in waiting), terms, course_id=course.id)
        return {"appointments": {n: row.key for n, row in waiting}, "change_key": tx.change_key}

    answer = transaction(
        work, by=by, now=now, action="course.settle", undoable=True, idempotency=idempotency
    )
    return Done(
        appointments={int(n): k for n, k in answer["appointments"].items()},
        change_key=answer["change_key"],
    )


def release(key: str, *, version: int, by: Who, now: datetime) -> Done:
    """Let everything go that is held or reserved for the course."""

    def work(tx: Tx) -> Done:
        course = _open_course(tx, key, version)
        return Done(
            appointments=_released(tx, course, ("held", "reserved"), reason=""),
            change_key=tx.change_key,
        )

    return transaction(work, by=by, now=now, action="course.release", undoable=True)


def change_gap(
    key: str, number: int, gap: Gap, *, reason: str, version: int, by: Who, now: datetime
) -> str | None:
    """Order another gap before one session, for this course alone. Returns the change's key.

    Only sessions that have not taken place follow it; what is booked stays, and shows its new distance.
    """
    why = _checked(reason, LONGEST_REASON, "reason", required=True)

    def work(tx: Tx) -> str | None:
        course = _open_course(tx, key, version)
        row = _session(tx, course, number)
        row.gap_floor, row.gap_target, row.gap_soft_max = gap.floor, gap.target, gap.soft_max
        row.gap_is_custom, row.gap_reason = True, why[:300]
        courses.touch(course)
        return tx.change_key

    return transaction(work, by=by, now=now, action="course.gap", reason=why, undoable=True)


def set_package(key: str, package: str, *, version: int, by: Who, now: datetime) -> str:
    """Keep one typed line about what was sold; no cash desk. Returns the change's key."""
    text = _checked(package, LONGEST_PACKAGE, "package")

    def work(tx: Tx) -> str:
        _open_course(tx, key, version).package = text
        return tx.change_key

    return transaction(work, by=by, now=now, action="course.package", undoable=True)


def ask_provider(key: str, *, by: Who, now: datetime) -> str:
    """Put the undecided course on the providers' list. Returns the change's key."""

    def work(tx: Tx) -> str:
        course = _course(tx, key)
        if course.asked_at is None:
            course.asked_at = now
        return tx.change_key

    return transaction(work, by=by, now=now, action="course.ask", undoable=True)


def pause(key: str, *, reason: str, version: int, by: Who, now: datetime) -> Done:
    """Pause the course and release its future sessions."""
    return _stop(key, "paused", reason, version=version, by=by, now=now)


def end(key: str, *, reason: str, version: int, by: Who, now: datetime) -> Done:
    """End the course and release its future sessions."""
    return _stop(key, "ended", reason, version=version, by=by, now=now)


def resume(key: str, *, version: int, by: Who, now: datetime) -> str | None:
    """Take a paused course up again; its sessions are open and wait to be booked. Returns the change's key."""

    def work(tx: Tx) -> str | None:
        course = _open_course(tx, key, version)
        if course.status != "paused":
            raise Refused([_standing("course.not_paused")])
        course.status, course.status_reason = "active" if course.is_decided else "draft", ""
        course.restart_from = None
        return tx.change_key

    return transaction(work, by=by, now=now, action="course.resume", undoable=True)


def _stop(key: str, status: str, reason: str, *, version: int, by: Who, now: datetime) -> Done:
    why = _checked(reason, LONGEST_REASON, "reason", required=True)

    def work(tx: Tx) -> Done:
        course = _open_course(tx, key, version)
        released = _released(tx, course, FUTURE, reason=why[:300])
        course.status, course.status_reason = status, why
        eligible_from = tx.session.get_one(Patient, course.patient_id).eligible_from
        course.restart_from = eligible_from if status == "paused" else None
        return Done(appointments=released, change_key=tx.change_key)

    return transaction(work, by=by, now=now, action=f"course.{status}", reason=why, undoable=True)


def _released(tx: Tx, course: Course, statuses: tuple[str, ...], *, reason: str) -> dict[int, str]:
    released = {}
    for number, row in courses.live_appointments(tx.session, course.id):
        if row.status in statuses:
            ended = Status.CANCELLED if row.status == "booked" else Status.RELEASED
            row.ended_by, row.ended_reason = "clinic", reason
            appointments.enter(row, ended, now=tx.now)
            released[number] = row.key
    return released


def _course(tx: Tx, key: str) -> Course:
    course = courses.find_by_key(tx.session, key)
    if course is None:
        raise NotFound("course")
    return course


def _open_course(tx: Tx, key: str, version: int) -> Course:
    course = _course(tx, key)
    if course.version != version:
        raise Stale({"course": (version, course.version)})
    if course.status not in RUNNING:
        raise Refused([_standing("course.over")])
    return course


def _bookable_course(tx: Tx, key: str, version: int) -> Course:
    course = _open_course(tx, key, version)
    if course.status not in BOOKABLE:
        raise Refused([_standing("course.paused")])
    return course


def _session(tx: Tx, course: Course, number: int) -> CourseSession:
    for row in courses.sessions_of(tx.session, course.id):
        if row.number == number:
            return row
    raise NotFound("session")


def _place(course: Course, rows: Mapping[int, CourseSession], one: Chosen) -> placing.Place:
    row = rows.get(one.number)
    if row is None:
        raise NotFound("session")
    return placing.Place(
        service_id=course.service_id,
        site_id=one.site_id,
        provider_id=one.provider_id,
        room_id=one.room_id,
        starts_at=one.starts_at,
        minutes=row.minutes,
        course_session_id=row.id,
        number=row.number,
    )


def _checked(text: str, longest: int, field: str, *, required: bool = False) -> str:
    stripped = text.strip()
    if required and not stripped:
        raise Invalid({field: "required"})
    if len(stripped) > longest:
        raise Invalid({field: "too_long"})
    return stripped


def _standing(code: str) -> Conflict:
    return Conflict(code=code, severity=Severity.BLOCK)
