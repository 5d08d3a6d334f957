"""The three statements of the day page: who and when, what, and how far apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.base import one_of
from planner.db.models import (
    Absence,
    Appointment,
    Consent,
    Course,
    CourseSession,
    Patient,
    Provider,
    ProviderHours,
    Room,
    Service,
    Site,
    SiteHours,
)
from planner.db.prepared import Prepared

SHOWN = ("held", "reserved", "booked", "arrived", "started", "fulfilled", "no_show")
"""Statuses with a card on the board; what is cancelled or released has left the day."""

PLACED = ("booked", "arrived", "started", "fulfilled", "held", "reserved")


class Fact(NamedTuple):
    """A row of the first statement: an actor, or hours of one on the day."""

    kind: str  # site | provider | room | open | work | break | absence
    id: int | None
    site_id: int | None
    provider_id: int | None
    room_id: int | None
    name: str
    detail: str
    colour: str
    position: int
    starts: time | None
    ends: time | None


def facts(session: Session, on: date) -> list[Fact]:
    """Return sites, providers and rooms there on the day, with their hours and absences."""
    rows = _facts().all(session.connection(), {"on": on, "weekday": on.weekday()})
    return [Fact._make(row) for row in rows]


def appointments(
    session: Session,
    *,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    site_ids: Sequence[int] | None = None,
    provider_id: int | None = None,
) -> Sequence[Any]:
    """Return what starts in the span, by time, with the names and signs of a card.

    Without ``site_ids`` of all sites. Holds and reservations that have expired are left out.
    """
    values: dict[str, Any] = {"from": starts_at, "until": ends_at, "now": now}
    if site_ids is not None:
        if not site_ids:
            return ()
        values["sites"] = site_ids
    if provider_id is not None:
        values["provider"] = provider_id
    statement = _cards(of_sites=site_ids is not None, of_provider=provider_id is not None)
    return statement.all(session.connection(), values)


def course_sessions(session: Session, course_ids: Sequence[int]) -> Sequence[Any]:
    """Return the sessions of the courses, each with its live appointment, by number."""
    if not course_ids:
        return ()
    return _sessions().all(session.connection(), {"courses": course_ids})


_INSTANT = Appointment.starts_at.type
_NO_ID = sa.cast(sa.null(), sa.Integer)
_NO_TIME = sa.cast(sa.null(), sa.Time)
_NO_TEXT = sa.literal("")
_ZERO = sa.literal(0)
_ON = sa.bindparam("on", type_=sa.Date())


@lru_cache
def _facts() -> Prepared:
    """Built once, like the other two: putting a statement together takes longer than running it."""
    facts = sa.union_all(
        _row("site", Site.id, Site.id, name=Site.name, detail=Site.zone, colour=Site.colour,
             position=Site.position).where(_there(Site.retired_from)),
        _row("provider", Provider.id, provider_id=Provider.id, name=Provider.name,
             detail=Provider.credentials, colour=Provider.colour, position=Provider.position,
             ).where(_there(Provider.retired_from)),
        _row("room", Room.id, Room.site_id, room_id=Room.id, name=Room.name, position=Room.position,
             ).where(_there(Room.retired_from)),
        _row("open", SiteHours.id, SiteHours.site_id, starts=SiteHours.opens, ends=SiteHours.closes,
             ).where(*_holds(SiteHours)),
        _row(ProviderHours.kind, ProviderHours.id, ProviderHours.site_id,
             provider_id=ProviderHours.provider_id, starts=ProviderHours.starts,
             ends=ProviderHours.ends).where(*_holds(ProviderHours)),
        _row("absence", Absence.id, Absence.site_id, provider_id=Absence.provider_id,
             room_id=Absence.room_id, name=Absence.reason, starts=Absence.starts, ends=Absence.ends,
             ).where(Absence.from_date <= _ON, Absence.until_date >= _ON),
    )  # fmt: skip
    return Prepared(facts)


def _row(
    kind: Any,
    id_: Any,
    site_id: Any = _NO_ID,
    *,
    provider_id: Any = _NO_ID,
    room_id: Any = _NO_ID,
    name: Any = _NO_TEXT,
    detail: Any = _NO_TEXT,
    colour: Any = _NO_TEXT,
    position: Any = _ZERO,
    starts: Any = _NO_TIME,
    ends: Any = _NO_TIME,
) -> sa.Select[Any]:
    return sa.select(
        (sa.literal(kind) if isinstance(kind, str) else kind).label("kind"),
        id_.label("id"),
        site_id.label("site_id"),
        provider_id.label("provider_id"),
        room_id.label("room_id"),
        name.label("name"),
        detail.label("detail"),
        colour.label("colour"),
        position.label("position"),
        starts.label("starts"),
        ends.label("ends"),
    )


def _there(retired_from: Any) -> Any:
    return sa.or_(retired_from.is_(None), retired_from > _ON)


def _holds(hours: Any) -> tuple[Any, ...]:
    return (
        hours.weekday == sa.bindparam("weekday"),
        sa.or_(hours.valid_from.is_(None), hours.valid_from <= _ON),
        sa.or_(hours.valid_until.is_(None), hours.valid_until >= _ON),
    )


@lru_cache
def _cards(*, of_sites: bool, of_provider: bool) -> Prepared:
    wanted: list[Any] = [
        Appointment.starts_at >= sa.bindparam("from"),
        Appointment.starts_at < sa.bindparam("until"),
        one_of(Appointment.status, SHOWN),
        sa.or_(Appointment.expires_at.is_(None), Appointment.expires_at > sa.bindparam("now")),
    ]
    if of_sites:
        wanted.append(Appointment.site_id.in_(sa.bindparam("sites", expanding=True)))
    if of_provider:
        wanted.append(Appointment.provider_id == sa.bindparam("provider"))
    return Prepared(_CARDS.where(*wanted).order_by(Appointment.starts_at, Appointment.id))


@lru_cache
def _sessions() -> Prepared:
    live = sa.and_(
        Appointment.course_session_id == CourseSession.id, one_of(Appointment.status, PLACED)
    )
    statement = (
        sa.select(
            CourseSession.course_id,
            CourseSession.number,
            CourseSession.minutes,
            sa.cast(CourseSession.zones, sa.Text).label("zones"),  # read where it is looked at
            CourseSession.gap_floor,
            CourseSession.gap_target,
            CourseSession.gap_soft_max,
            CourseSession.gap_is_custom,
            Course.same_floor,
            Course.same_target,
            Course.same_soft_max,
            Appointment.id.label("appointment_id"),
            sa.func.coalesce(
                Appointment.actual_starts_at, Appointment.starts_at, type_=_INSTANT
            ).label("starts_at"),
            Appointment.site_id,
        )
        .join(Course, Course.id == CourseSession.course_id)
        .outerjoin(Appointment, live)
        .where(CourseSession.course_id.in_(sa.bindparam("courses", expanding=True)))
        .order_by(CourseSession.course_id, CourseSession.number)
    )
    return Prepared(statement)


_EARLIER = Appointment.__table__.alias("earlier")
_SIBLING = CourseSession.__table__.alias("sibling")

_CARDS = (
    sa.select(
        Appointment.id,
        Appointment.key,
        Appointment.version,
        Appointment.status,
        Appointment.site_id,
        Appointment.provider_id,
        Appointment.room_id,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.room_from,
        Appointment.room_until,
        Appointment.patient_until,
        Appointment.confirmed_at,
        Appointment.arrived_at,
        Appointment.actual_starts_at,
        Appointment.health_state,
        Appointment.health_reviewed_at,
        Appointment.note,
        Appointment.call_back_note,
        Patient.key.label("patient_key"),
        Patient.given_name,
        Patient.family_name,
        Patient.language,
        Patient.note.label("patient_note"),
        Service.name.label("service_name"),
        Service.colour.label("service_colour"),
        Service.kind.label("service_kind"),
        Provider.name.label("provider_name"),
        Provider.colour.label("provider_colour"),
        Room.name.label("room_name"),
        CourseSession.number,
        CourseSession.course_id,
        Course.package,
        sa.select(sa.func.count())
        .where(_SIBLING.c.course_id == CourseSession.course_id)
        .scalar_subquery()
        .label("total"),
        sa.exists()
        .where(
            _EARLIER.c.patient_id == Appointment.patient_id,
            _EARLIER.c.status == "fulfilled",
            _EARLIER.c.starts_at < Appointment.starts_at,
        )
        .label("was_here"),
        sa.exists()
        .where(Consent.patient_id == Appointment.patient_id, Consent.kind == "treatment")
        .label("has_consent"),
    )
    .join(Patient, Patient.id == Appointment.patient_id)
    .join(Service, Service.id == Appointment.service_id)
    .join(Provider, Provider.id == Appointment.provider_id)
    .join(Room, Room.id == Appointment.room_id)
    .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
    .outerjoin(Course, Course.id == CourseSession.course_id)
)
