"""From rows to the core's values: the timetable within a horizon, and a course as ordered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import appointments, decisions, occupancies, patient_facts, snapshots
from planner.db.base import one_of
from planner.db.models import LIVE_STATUSES, Appointment, Course, CourseSession, Site
from planner.db.prepared import Prepared
from planner.errors import NotFound
from planner.scheduling import hours, rulebook
from planner.scheduling.interval import Interval
from planner.scheduling.occupancy import Occupancy, Widened
from planner.scheduling.timetable import (
    Busy,
    CourseOrder,
    Gap,
    SessionOrder,
    Status,
    Timetable,
)

MARGIN = timedelta(days=1)
"""Around the horizon: longer than any appointment with its walk, turnover and the way to it."""

PROVISIONAL = ("held", "reserved")


def load(
    session: Session,
    *,
    horizon: Interval,
    now: datetime,
    patient_ids: Collection[int] = (),
    provider_ids: Collection[int] | None = None,
    room_ids: Collection[int] | None = None,
) -> Timetable:
    """Return what is known within the horizon, in at most nine statements.

    Busy is a superset of what the horizon needs, usually kept by the process, and of the patients all
    that is live, whenever it is. With providers or rooms given, and inside a transaction, it is read
    anew, a day around the horizon; with them it holds only what touches one of them or the patients.
    The catalogue and the rules are always whole.
    """
    known = snapshots.catalogue(session)
    everybody = provider_ids is None and room_ids is None
    booked = _kept(session, horizon, now, known.sites) if everybody else None
    rows = (
        _busy_rows(
            session,
            horizon,
            patient_ids=patient_ids,
            provider_ids=known.providers if everybody else provider_ids or (),
            room_ids=room_ids or (),
        )
        if booked is None
        else _busy_rows(session, horizon, patient_ids=patient_ids, provider_ids=(), room_ids=())
    )
    return Timetable(
        horizon=horizon,
        now=now,
        sites=known.sites,
        rooms=known.rooms,
        providers=known.providers,
        services=known.services,
        rules=known.rules,
        busy=tuple(map(_busy, rows)) if booked is None else _widened(booked, rows),
        patients=patient_facts.load(session, patient_ids, rows, known),
    )


def order(session: Session, course_id: int, *, now: datetime) -> CourseOrder:
    """Return a course as ordered, with what is placed and done. Raises NotFound.

    A hold or reservation that has run out by ``now`` counts as not placed.
    """
    # Columns, not rows of the session: those may have been read before the actors were locked.
    statement: Any = sa.select(*_COURSE).where(Course.id == course_id)
    course = session.execute(statement).first()
    if course is None:
        raise NotFound("course")
    return CourseOrder(
        service_id=course.service_id,
        sessions=tuple(_sessions(session, course_id, now)),
        same_zone_gap=Gap(
            floor=course.same_floor, target=course.same_target, soft_max=course.same_soft_max
        ),
        patient_id=course.patient_id,
        course_id=course.id,
        protocol_id=course.protocol_id,
        is_decided=course.is_decided,
        decided=decisions.codes_given(session, appointment_id=None, course_id=course_id),
    )


def same_zone_gap(session: Session, *, now: datetime) -> Gap:
    """Return the same-zone row that holds for the clinic today: what a new course copies."""
    rules = snapshots.catalogue(session).rules
    return rulebook.gap(rulebook.resolve(rules, "gap.same_zone", on=now.date()).value)


_COLUMNS: tuple[Any, ...] = (
    Appointment.id, Appointment.status, Appointment.service_id, Appointment.site_id,
    Appointment.provider_id, Appointment.room_id, Appointment.patient_id,
    Appointment.starts_at, Appointment.ends_at, Appointment.room_from, Appointment.room_until,
    Appointment.patient_until, Appointment.expires_at, Appointment.actual_starts_at,
    Appointment.actual_ends_at, Appointment.zones_treated,
    CourseSession.course_id, CourseSession.number, CourseSession.zones,
)  # fmt: skip


_COURSE: tuple[Any, ...] = (
    Course.id, Course.patient_id, Course.service_id, Course.protocol_id, Course.is_decided,
    Course.same_floor, Course.same_target, Course.same_soft_max,
)  # fmt: skip
_SESSION: tuple[Any, ...] = (
    CourseSession.minutes, CourseSession.gap_floor, CourseSession.gap_target,
    CourseSession.gap_soft_max, CourseSession.gap_is_custom,
)  # fmt: skip


def _kept(
    session: Session, horizon: Interval, now: datetime, site_ids: Collection[int]
) -> Occupancy | None:
    """What this process keeps of what is booked, where that may be used: not while something is written."""
    if session.info.get("tracer") is not None:
        return None
    around = Interval(horizon.starts_at - MARGIN, horizon.ends_at + MARGIN)
    return occupancies.current(session, around, now=now, site_ids=site_ids, read=_read)


def _read(session: Session, span: Interval, ids: Collection[int] | None) -> Iterator[Busy]:
    values: dict[str, Any] = {"from": span.starts_at, "until": span.ends_at}
    if ids is not None:
        values["ids"] = sorted(ids)
    return map(_busy, _begun_statement(ids is not None).all(session.connection(), values))


@lru_cache
def _begun_statement(of_ids: bool) -> Prepared:
    which = (
        Appointment.id.in_(_several("ids")) if of_ids else one_of(Appointment.status, PROVISIONAL)
    )
    return Prepared(
        _select(
            Appointment.starts_at >= sa.bindparam("from"),
            Appointment.starts_at < sa.bindparam("until"),
            which,
        )
    )


def _widened(booked: Occupancy, rows: list[Any]) -> Sequence[Busy]:
    """With what else the patients have, before and after what is kept: it counts for their distances."""
    more = [_busy(row) for row in rows if not booked.holds(row.id)]
    return Widened(booked, more) if more else booked


def _busy_rows(
    session: Session,
    horizon: Interval,
    *,
    patient_ids: Collection[int],
    provider_ids: Collection[int],
    room_ids: Collection[int],
) -> list[Any]:
    if not (provider_ids or room_ids or patient_ids):
        return []
    statement = _busy_statement(bool(provider_ids), bool(room_ids), bool(patient_ids))
    values = {
        "from": horizon.starts_at - MARGIN,
        "until": horizon.ends_at + MARGIN,
        "providers": sorted(provider_ids),
        "rooms": sorted(room_ids),
        "patients": sorted(patient_ids),
    }
    # Columns alone, by the connection: ``load`` has flushed, and the session would only take longer.
    rows = statement.all(session.connection(), {name: it for name, it in values.items() if it})
    return list({row.id: row for row in rows}.values())


@lru_cache
def _busy_statement(of_providers: bool, of_rooms: bool, of_patients: bool) -> Prepared:
    """Built once: putting a statement together takes longer than running it."""
    within = sa.and_(
        Appointment.starts_at >= sa.bindparam("from"), Appointment.starts_at < sa.bindparam("until")
    )
    # One select per index: a single OR over all of them would read the whole table.
    parts: list[Any] = []
    if of_providers:
        parts.append(_select(within, Appointment.provider_id.in_(_several("providers"))))
    if of_rooms:
        others = [Appointment.provider_id.not_in(_several("providers"))] if of_providers else []
        # The rest is in the first.
        parts.append(_select(within, Appointment.room_id.in_(_several("rooms")), *others))
    if of_patients:
        parts.append(_select(Appointment.patient_id.in_(_several("patients"))))
    return Prepared(sa.union_all(*parts))


def _several(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, expanding=True)


def _select(*where: sa.ColumnElement[bool]) -> Any:
    return (
        sa.select(*_COLUMNS)
        .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
        .where(one_of(Appointment.status, LIVE_STATUSES), *where)
    )


def _busy(row: Any) -> Busy:
    return Busy(
        appointment_id=row.id,
        status=Status(row.status),
        slot=appointments.slot_of(row, row.number),
        expires_at=row.expires_at,
        course_id=row.course_id,
        zones=frozenset(row.zones or ()),
    )


def _sessions(session: Session, course_id: int, now: datetime) -> Iterator[SessionOrder]:
    found: Any = session.execute(_sessions_statement(), {"course": course_id, "now": now})
    yield from map(_session, found)


@lru_cache
def _sessions_statement() -> Any:
    counts = sa.and_(
        Appointment.course_session_id == CourseSession.id,
        Appointment.status.in_(LIVE_STATUSES),
        sa.or_(
            Appointment.status.not_in(PROVISIONAL),
            Appointment.expires_at.is_(None),
            Appointment.expires_at > sa.bindparam("now"),
        ),
    )
    return (
        sa.select(*_COLUMNS, *_SESSION, Site.zone)
        .select_from(CourseSession)
        .outerjoin(Appointment, counts)
        .outerjoin(Site, Site.id == Appointment.site_id)
        .where(CourseSession.course_id == sa.bindparam("course"))
        .order_by(CourseSession.number)
    )


def _session(row: Any) -> SessionOrder:
    is_done = row.status == "fulfilled"
    day = hours.day_of(row.actual_starts_at or row.starts_at, row.zone) if is_done else None
    return SessionOrder(
        number=row.number,
        minutes=row.minutes,
        gap=Gap(floor=row.gap_floor, target=row.gap_target, soft_max=row.gap_soft_max),
        zones=frozenset((is_done and row.zones_treated) or row.zones),
        is_custom_gap=row.gap_is_custom,
        fixed=appointments.slot_of(row, row.number) if row.id is not None and not is_done else None,
        done_on=day,
        done_ends_at=(row.actual_ends_at or row.ends_at) if is_done else None,
        done_at=appointments.slot_of(row, row.number) if is_done else None,
        appointment_id=row.id,
    )
