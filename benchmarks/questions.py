"""What the desk asks most, out of the database: cold, as by a process that has just begun, and warm.

On both engines, in clinics of sizes M and L. The floor of cold is the reading of the same rows by the driver alone,
the floor of warm an empty statement: how far it is to the database and back.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, MutableMapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import clinics, measuring
from benchmarks.measuring import Row
from planner.db import engine, occupancies, snapshots, timetables
from planner.db.models import Appointment, Course, CourseSession, Service
from planner.scheduling import availability, course, presence
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import CourseOrder, Timetable
from tools import postgres

FOUR_WEEKS, HALF_A_YEAR = timedelta(days=28), timedelta(days=180)
SINCE = datetime.combine(clinics.TODAY, time(), UTC) - occupancies.BEHIND
EVERYTHING = sa.text(
    "SELECT a.id, a.status, a.service_id, a.site_id, a.provider_id, a.room_id, a.patient_id, a.starts_at,"
    " a.ends_at, a.room_from, a.room_until, a.patient_until, a.expires_at, a.zones_treated, s.course_id,"
    " s.number, s.zones FROM appointment a LEFT JOIN course_session s ON s.id = a.course_session_id"
    " WHERE a.ends_at > :since AND a.status NOT IN ('cancelled', 'released', 'noshow')"
)

Question = Callable[[Session], object]


def both(seconds: float) -> Iterator[Row]:
    """Free starts of four weeks, and five proposals for a course, in either engine."""
    for size in ("M", "L"):
        with clinics.copy(size) as url:
            yield from _engine(f"SQLite, {size}", url, seconds)
    with postgres.server(durable=True) as server:
        for size in ("M", "L"):
            yield from _engine(f"PostgreSQL, {size}", clinics.postgres(server, size), seconds)


def _engine(size: str, url: str, seconds: float) -> Iterator[Row]:
    with clinics.serving(url) as app, app.app_context():
        with engine.reading() as session:
            service_id = session.scalars(
                sa.select(Service.id).where(Service.kind == "session").order_by(Service.id)
            ).first()
            course_id = _open_course(session)
            facts = {"bookings": len(list(_load(session, HALF_A_YEAR).busy))}
        for name, question in (
            ("free starts, 28 days", partial(_free, service_id=service_id or 0)),
            ("five proposals, 180 days", partial(_proposals, course_id=course_id)),
        ):
            ask = partial(_asked, question)
            yield measuring.beside(
                f"{name}, cold",
                size,
                partial(_cold, ask),
                lambda: _asked(lambda session: session.execute(EVERYTHING, {"since": SINCE}).all()),
                seconds=seconds,
                megabytes=_megabytes(ask),
                **facts,
            )
            yield measuring.beside(
                f"{name}, warm",
                size,
                ask,
                lambda: _asked(lambda session: session.execute(sa.text("SELECT 1")).all()),
                seconds=seconds,
                **facts,
            )


def _free(session: Session, *, service_id: int) -> object:
    timetable = _load(session, FOUR_WEEKS)
    return availability.free_starts(timetable, service_id=service_id, interval=timetable.horizon)


def _proposals(session: Session, *, course_id: int) -> object:
    order: CourseOrder = timetables.order(session, course_id, now=clinics.NOW)
    patients = () if order.patient_id is None else (order.patient_id,)
    found = course.propose(order, _load(session, HALF_A_YEAR, *patients), k=5)
    if len(found) != 5:
        raise RuntimeError(f"{len(found)} proposals")
    return found


def _load(session: Session, length: timedelta, *patient_ids: int) -> Timetable:
    horizon = Interval(clinics.NOW, clinics.NOW + length)
    return timetables.load(session, horizon=horizon, now=clinics.NOW, patient_ids=patient_ids)


def _asked(question: Question) -> object:
    with engine.reading() as session:
        return question(session)


def _cold(ask: Callable[[], object]) -> object:
    forget()
    return ask()


def forget() -> None:
    """Let the process know as little of the clinic as one that has just begun."""
    caches: tuple[MutableMapping[Any, Any], ...] = (
        occupancies._KEPT,
        snapshots._KEPT,
        presence._KEPT,
    )
    for kept in caches:
        kept.clear()


def _megabytes(ask: Callable[[], object]) -> float:
    """Return what the process keeps when it has been asked once."""
    forget()
    tracemalloc.start()
    ask()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return round(kept / 1e6, 1)


def _open_course(session: Session) -> int:
    """Return a decided course of three sessions of which nothing is placed."""
    placed = (
        sa.select(Appointment.id).where(Appointment.course_session_id == CourseSession.id).exists()
    )
    statement: Any = (
        sa.select(Course.id)
        .join(CourseSession)
        .where(Course.status == "active", Course.is_decided)
        .group_by(Course.id)
        .having(sa.func.count() == 3, sa.func.sum(sa.case((placed, 1), else_=0)) == 0)
        .order_by(Course.id.desc())
    )
    return int(session.scalars(statement).first() or 0)
