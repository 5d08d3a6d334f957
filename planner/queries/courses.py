"""What the smaller course pages show: work lists, the form for a new one, one gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import engine
from planner.db.models import (
    Appointment,
    Course,
    CourseSession,
    Patient,
    Protocol,
    Site,
)
from planner.errors import NotFound
from planner.queries import holds
from planner.queries.appointment_view import HoldLine
from planner.queries.course_view import GapView
from planner.scheduling import hours

LIVE = ("held", "reserved", "booked", "arrived", "started")
LONGEST_LIST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One session of a course as a dot."""

    status: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseLine:
    """One course on a work list, with what to do next."""

    key: str
    patient_name: str
    patient_phone: str
    language_label: str
    order: str
    dots: tuple[Dot, ...]
    dots_label: str
    when_label: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkList:
    """A list of courses that wait for the same thing."""

    code: str
    title: str
    hint: str
    lines: tuple[CourseLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """All work lists, in the order in which they press."""

    holds: tuple[HoldLine, ...]
    lists: tuple[WorkList, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for anybody."""
        return not self.holds and not any(work.lines for work in self.lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCourse:
    """The form for a course before the provider has ordered one."""

    patient_id: int
    patient_key: str
    patient_name: str
    protocols: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapPage:
    """The form for one gap of one course."""

    key: str
    number: int
    patient_name: str
    version: int
    gap: GapView


def lists(*, locale: str, now: datetime) -> Lists:
    """Return the courses that wait for somebody, grouped by what they wait for."""
    with engine.reading() as session:
        rows = _running(session)
        found = _appointments(session)
    lines: dict[str, list[tuple[date, CourseLine]]] = {code: [] for code in wording.LISTS}
    for course, patient in rows:
        code, when, line = _line(course, patient, found.get(course.id, ()), locale, now)
        if code:
            lines[code].append((when or date.max, line))
    return Lists(
        holds=holds.open_holds(locale=locale, now=now),
        lists=tuple(
            WorkList(
                code=code,
                title=wording.list_title(code, locale),
                hint=wording.list_hint(code, locale),
                lines=_soonest_first(lines[code]),
            )
            for code in wording.LISTS
        ),
    )


def new(patient_key: str, *, locale: str) -> NewCourse:
    """Return whom the course is for and which protocols there are. Raises NotFound."""
    with engine.reading() as session:
        patient = session.scalar(sa.select(Patient).where(Patient.key == patient_key))
        if patient is None or patient.merged_into_id is not None:
            raise NotFound("patient")
        rows = session.scalars(
            sa.select(Protocol).where(Protocol.is_active).order_by(Protocol.position, Protocol.name)
        )
        return NewCourse(
            patient_id=patient.id,
            patient_key=patient.key,
            patient_name=_name(patient),
            protocols=tuple((str(row.id), _protocol_label(row)) for row in rows),
        )


def gap(key: str, number: int, *, locale: str) -> GapPage:
    """Return the gap before one session as it is ordered now. Raises NotFound."""
    with engine.reading() as session:
        found = session.execute(
            sa.select(Course, Patient, CourseSession)
            .join(Patient, Patient.id == Course.patient_id)
            .join(CourseSession, CourseSession.course_id == Course.id)
            .where(Course.key == key, CourseSession.number == number, CourseSession.number > 1)
        ).first()
    if found is None:
        raise NotFound("session")
    course, patient, row = found
    return GapPage(
        key=course.key,
        number=number,
        patient_name=_name(patient),
        version=course.version,
        gap=GapView(
            floor=row.gap_floor,
            target=row.gap_target,
            soft_max=row.gap_soft_max,
            is_custom=row.gap_is_custom,
            reason=row.gap_reason,
        ),
    )


def _running(session: Session) -> list[tuple[Course, Patient]]:
    statement = (
        sa.select(Course, Patient)
        .join(Patient, Patient.id == Course.patient_id)
        .where(Course.status.in_(("draft", "active", "paused")))
        .order_by(Course.created_at)
    )
    return [(course, patient) for course, patient in session.execute(statement)]


def _appointments(session: Session) -> dict[int, list[Any]]:
    statement = (
        sa.select(
            CourseSession.course_id,
            CourseSession.number,
            CourseSession.gap_target,
            CourseSession.gap_soft_max,
            Appointment.status,
            Appointment.starts_at,
            Appointment.expires_at,
            Appointment.call_back_note,
            Site.zone,
        )
        .outerjoin(
            Appointment,
            sa.and_(
                Appointment.course_session_id == CourseSession.id,
                Appointment.status.in_((*LIVE, "fulfilled", "no_show")),
            ),
        )
        .outerjoin(Site, Site.id == Appointment.site_id)
        .join(Course, Course.id == CourseSession.course_id)
        .where(Course.status.in_(("draft", "active", "paused")))
        .order_by(CourseSession.course_id, CourseSession.number)
    )
    found: dict[int, list[Any]] = {}
    for row in session.execute(statement):
        found.setdefault(row.course_id, []).append(row)
    return found


def _line(
    course: Course, patient: Patient, rows: Sequence[Any], locale: str, now: datetime
) -> tuple[str, date | None, CourseLine]:
    by_number = _best_by_number(rows, now)
    dots = tuple(
        Dot(status=status, label=wording.status(status, locale)) for _, status, _ in by_number
    )
    code, when, note = _waiting_for(course, by_number, now)
    line = CourseLine(
        key=course.key,
        patient_name=_name(patient),
        patient_phone=wording.format_phone(patient.phone),
        language_label=wording.language(patient.language, locale),
        order=course.package,
        dots=dots,
        dots_label=", ".join(dot.label for dot in dots),
        when_label=wording.format_date(when, locale) if when else "",
        note=note or course.status_reason,
    )
    return code, when, line


def _soonest_first(lines: Iterable[tuple[date, CourseLine]]) -> tuple[CourseLine, ...]:
    """Return the lines by the day they turn on; those without a day last, the oldest course first."""
    ordered = sorted(lines, key=lambda dated: dated[0])
    return tuple(line for _, line in ordered[:LONGEST_LIST])


def _best_by_number(rows: Sequence[Any], now: datetime) -> list[tuple[int, str, Any]]:
    """Return each session once: its live or fulfilled appointment before a missed one."""
    order = ("fulfilled", "started", "arrived", "booked", "reserved", "held", "no_show")
    best: dict[int, tuple[int, str, Any]] = {}
    for row in rows:
        status = row.status or "open"
        if row.expires_at is not None and row.expires_at <= now:
            status = "open"
        present = best.get(row.number)
        if present is None or _rank(order, status) < _rank(order, present[1]):
            best[row.number] = (row.number, status, row)
    return [best[number] for number in sorted(best)]


def _rank(order: tuple[str, ...], status: str) -> int:
    return order.index(status) if status in order else len(order)


def _waiting_for(
    course: Course, sessions: Sequence[tuple[int, str, Any]], now: datetime
) -> tuple[str, date | None, str]:
    """Return the list a course stands on, the day it turns on, and a note."""
    if any(status in ("held", "reserved") for _, status, _ in sessions):
        return "", None, ""  # on the list of holds
    if course.status == "paused":
        return "paused", course.restart_from, ""
    if not course.is_decided:
        return "undecided", None, ""
    if any(status == "no_show" for _, status, _ in sessions):
        return "missed", None, ""
    return _unbooked(sessions, now)


def _unbooked(
    sessions: Sequence[tuple[int, str, Any]], now: datetime
) -> tuple[str, date | None, str]:
    opens = [row for _, status, row in sessions if status == "open"]
    if not opens:
        return "", None, ""
    before = [row for n, _, row in sessions if n == opens[0].number - 1 and row.starts_at]
    if not before:
        return "open", None, ""
    last = _day(before[0].starts_at, before[0].zone)
    late = last + timedelta(days=opens[0].gap_soft_max) if last else None
    is_late = late is not None and late < now.date()
    return "late" if is_late else "open", late, ""


def _day(instant: datetime | None, zone: str | None) -> date | None:
    return hours.day_of(instant, zone) if instant and zone else None


def _protocol_label(row: Protocol) -> str:
    return f"{row.name}: {row.sentence}" if row.sentence else row.name


def _name(patient: Patient) -> str:
    return f"{patient.given_name} {patient.family_name}"
