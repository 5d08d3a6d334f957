"""Sites and rooms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import catalogue, engine
from planner.db.models import Room, RoomService, Service, Site, SiteHours
from planner.queries.settings import shared
from planner.queries.settings.shared import (
    AbsenceView,
    FindingView,
    Named,
    RetirementView,
    WeeklyView,
)
from planner.scheduling.timetable import WeeklyHours


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLine:
    """A site in the list."""

    id: int
    name: str
    colour: str
    address: str
    phone: str
    hours: tuple[str, ...]
    room_count: int
    is_retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLine:
    """A room in its site's matrix."""

    id: int
    name: str
    note: str
    version: int
    service_ids: frozenset[int]
    is_retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A site as its form holds it."""

    id: int
    version: int
    name: str
    address: str
    phone: str
    colour: str
    zone: str
    grid_minutes: int
    arrival_note: str
    quiet_from: time
    quiet_until: time
    position: int
    retirement: RetirementView


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHoursPage:
    """A site with its weekly hours."""

    site: Named
    version: int
    rows: tuple[WeeklyView, ...]
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosuresPage:
    """A site with its closures; ``sites`` are all that a holiday may close."""

    site: Named
    closures: tuple[AbsenceView, ...]
    sites: tuple[Named, ...]
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsPage:
    """The matrix of a site: rooms × services."""

    site: Named
    rooms: tuple[RoomLine, ...]
    services: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPage:
    """A room as its form holds it, its outages, and what it can host."""

    id: int
    version: int
    site: Named
    name: str
    note: str
    position: int
    service_ids: frozenset[int]
    services: tuple[Named, ...]
    outages: tuple[AbsenceView, ...]
    retirement: RetirementView


def sites(*, locale: str, now: datetime) -> tuple[tuple[SiteLine, ...], tuple[FindingView, ...]]:
    """Return all sites with hours and rooms in short, and the warnings about the set-up."""
    with engine.reading() as session:
        today = shared.today(session, now)
        weekly = session.scalars(sa.select(SiteHours)).all()
        in_use = sa.or_(Room.retired_from.is_(None), Room.retired_from > today)
        rooms = (
            sa.select(Room.site_id, sa.func.count().label("rooms"))
            .where(in_use)
            .group_by(Room.site_id)
        )
        counts = {row.site_id: row.rooms for row in session.execute(rooms)}
        lines = [
            SiteLine(
                id=row.id,
                name=row.name,
                colour=row.colour,
                address=row.address,
                phone=row.phone,
                hours=shared.week_summary(
                    [_weekly(h) for h in weekly if h.site_id == row.id], locale, today
                ),
                room_count=counts.get(row.id, 0),
                is_retired=shared.is_retired(row, today),
            )
            for row in catalogue.in_order(session, Site)
        ]
        found = shared.findings(session, now=now, locale=locale)
    return tuple(sorted(lines, key=lambda line: line.is_retired)), found


def site(site_id: int, *, locale: str, now: datetime) -> SiteView:
    """Return one site. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Site, site_id)
        return SiteView(
            id=row.id,
            version=row.version,
            name=row.name,
            address=row.address,
            phone=row.phone,
            colour=row.colour,
            zone=row.zone,
            grid_minutes=row.grid_minutes,
            arrival_note=row.arrival_note,
            quiet_from=row.quiet_from,
            quiet_until=row.quiet_until,
            position=row.position,
            retirement=shared.retirement(
                session, row, column="site_id", zone=row.zone, now=now, locale=locale
            ),
        )


def site_hours(site_id: int, *, now: datetime) -> SiteHoursPage:
    """Return a site's weekly hours, ready for the editor. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Site, site_id)
        weekly = session.scalars(
            sa.select(SiteHours)
            .where(SiteHours.site_id == site_id)
            .order_by(SiteHours.valid_from, SiteHours.weekday, SiteHours.opens)
        ).all()
        return SiteHoursPage(
            site=_named(row, session, now),
            version=row.version,
            rows=tuple(
                WeeklyView(
                    weekday=h.weekday,
                    starts=h.opens,
                    ends=h.closes,
                    valid_from=h.valid_from,
                    valid_until=h.valid_until,
                )
                for h in weekly
            ),
            zone=row.zone,
        )


def closures(site_id: int, *, locale: str, now: datetime) -> ClosuresPage:
    """Return a site's closures, each with what it displaces. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Site, site_id)
        today = shared.today(session, now)
        return ClosuresPage(
            site=_named(row, session, now),
            closures=shared.absences(session, actor="site", row_id=site_id, now=now, locale=locale),
            sites=shared.named(catalogue.in_order(session, Site), today),
            today=today,
        )


def rooms(site_id: int, *, now: datetime) -> RoomsPage:
    """Return a site's rooms and what each can host. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Site, site_id)
        today = shared.today(session, now)
        pairs = session.execute(
            sa.select(RoomService.room_id, RoomService.service_id)
            .join(Room, Room.id == RoomService.room_id)
            .where(Room.site_id == site_id)
        ).all()
        stored = [r for r in catalogue.in_order(session, Room) if r.site_id == site_id]
        lines = [
            RoomLine(
                id=r.id,
                name=r.name,
                note=r.note,
                version=r.version,
                service_ids=frozenset(s for room_id, s in pairs if room_id == r.id),
                is_retired=shared.is_retired(r, today),
            )
            for r in stored
        ]
        return RoomsPage(
            site=_named(row, session, now),
            rooms=tuple(sorted(lines, key=lambda line: line.is_retired)),
            services=_services_in_use(session, today),
        )


def room(room_id: int, *, locale: str, now: datetime) -> RoomPage:
    """Return one room. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Room, room_id)
        at = catalogue.get(session, Site, row.site_id)
        return RoomPage(
            id=row.id,
            version=row.version,
            site=_named(at, session, now),
            name=row.name,
            note=row.note,
            position=row.position,
            service_ids=catalogue.hosted(session, room_id),
            services=_services_in_use(session, shared.today(session, now)),
            outages=shared.absences(session, actor="room", row_id=room_id, now=now, locale=locale),
            retirement=shared.retirement(
                session, row, column="room_id", zone=at.zone, now=now, locale=locale
            ),
        )


def _services_in_use(session: Session, today: date) -> tuple[Named, ...]:
    views = shared.named(catalogue.in_order(session, Service), today)
    return tuple(view for view in views if not view.is_retired)


def _named(row: Site, session: Session, now: datetime) -> Named:
    return shared.named((row,), shared.today(session, now))[0]


def _weekly(row: SiteHours) -> WeeklyHours:
    return WeeklyHours(
        weekday=row.weekday,
        starts=row.opens,
        ends=row.closes,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )
