"""What a manager sets up: the reads and writes that actions and pages need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from planner.db.models import (
    Absence,
    Appointment,
    Clinic,
    ClinicText,
    Patient,
    Protocol,
    Provider,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    RuleRecord,
    Service,
    Site,
    SiteHours,
    User,
)
from planner.errors import Invalid, NotFound, Stale
from planner.scheduling import hours
from planner.scheduling.timetable import RuleSetting, Severity, WeeklyHours

Row = TypeVar(
    "Row", Site, Room, Provider, Service, Protocol, Clinic, ClinicText, Absence, User, RuleRecord
)
Owned = Site | Room | Provider | Service | Protocol

KINDS: Mapping[str, type[Owned]] = {
    "site": Site,
    "room": Room,
    "provider": Provider,
    "service": Service,
    "protocol": Protocol,
}
STILL_TO_COME = ("held", "reserved", "booked", "arrived", "started")
_PARTS = {"site_hours", "room_service", "provider_hours", "provider_service", "absence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyRow:
    """One weekly range as it is stored: of a site (kind "open") or of a provider at a site."""

    weekday: int
    starts: time
    ends: time
    kind: str = "work"  # work | break
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One ticked cell of the matrix: this service at this site."""

    service_id: int
    site_id: int
    may_treat: bool
    may_examine: bool


def get(session: Session, kind: type[Row], row_id: int) -> Row:
    """Return the row. Raises NotFound."""
    row = session.get(kind, row_id)
    if row is None:
        raise NotFound(f"{kind.__tablename__} {row_id}")
    return row


def get_owned(session: Session, kind: str, row_id: int) -> Owned:
    """Return a site, room, provider, service or protocol by the name of its kind."""
    row = session.get(KINDS[kind], row_id) if kind in KINDS else None
    if row is None:
        raise NotFound(f"{kind} {row_id}")
    return cast(Owned, row)


def write(
    session: Session, kind: type[Row], row_id: int | None, version: int, values: Mapping[str, Any]
) -> Row:
    """Add a row, or change the one that still has this version. Raises NotFound or Stale."""
    if row_id is None:
        row = kind(**values)
        session.add(row)
    else:
        row = get(session, kind, row_id)
        expect(row, version, values)
        for name, value in values.items():
            setattr(row, name, value)
        touch(row)
    session.flush()
    return row


def expect(row: Any, version: int, values: Mapping[str, Any]) -> None:
    """Raise Stale when the row has changed: per field what was typed, and what is stored now."""
    if row.version == version:
        return
    stored = {name: getattr(row, name, None) for name in values}
    raise Stale({name: (values[name], now) for name, now in stored.items() if now != values[name]})


def touch(row: Any) -> None:
    """Let the version grow even when only rows beside this one change."""
    flag_modified(row, next(n for n in ("name", "text", "reason") if hasattr(row, n)))


def is_taken(session: Session, kind: type[Any], *, but_id: int | None, **values: Any) -> bool:
    """Whether another row already has these values; texts are compared without case."""
    columns = kind.__table__.c
    conditions = [
        sa.func.lower(columns[name]) == value.lower()
        if isinstance(value, str)
        else columns[name] == value
        for name, value in values.items()
    ]
    query = sa.select(columns.id).where(*conditions, columns.id != (but_id or 0)).limit(1)
    return session.scalar(query) is not None


def known(session: Session, kind: type[Any], ids: Iterable[int]) -> frozenset[int]:
    """Return those of the ids that exist."""
    wanted = set(ids)
    if not wanted:
        return frozenset()
    return frozenset(session.scalars(sa.select(kind.id).where(kind.id.in_(wanted))))


def clinic(session: Session) -> Clinic | None:
    """Return the one row of the clinic, if it has been set up."""
    return session.scalars(sa.select(Clinic).order_by(Clinic.id).limit(1)).first()


def text(session: Session, code: str, language: str) -> ClinicText | None:
    """Return a text of the clinic in a language, if it is stored."""
    query = sa.select(ClinicText).where(ClinicText.code == code, ClinicText.language == language)
    return session.scalars(query).first()


def hosted(session: Session, room_id: int) -> frozenset[int]:
    """Return the services that the room can host."""
    query = sa.select(RoomService.service_id).where(RoomService.room_id == room_id)
    return frozenset(session.scalars(query))


def is_absent(
    session: Session, actor: str, actor_id: int, from_date: date, until_date: date
) -> bool:
    """Whether an absence of exactly these whole days is already stored for the actor."""
    return bool(
        session.scalar(
            sa.select(
                sa.exists().where(
                    Absence.__table__.c[f"{actor}_id"] == actor_id,
                    Absence.from_date == from_date,
                    Absence.until_date == until_date,
                    Absence.starts.is_(None),
                )
            )
        )
    )


def earliest_today(session: Session, now: datetime) -> date:
    """Return the day it is where the day is youngest: at the clinic's westernmost site."""
    zones = session.scalars(sa.select(Site.zone).distinct()).all()
    return min((hours.day_of(now, zone) for zone in zones), default=now.date())


def first_zone(session: Session) -> str:
    """Return the zone of the first site, for days that belong to no site."""
    return session.scalar(sa.select(Site.zone).order_by(Site.position, Site.id).limit(1)) or "UTC"


def site_hours(session: Session, site_id: int) -> tuple[WeeklyHours, ...]:
    """Return a site's weekly opening."""
    rows = session.scalars(sa.select(SiteHours).where(SiteHours.site_id == site_id)).all()
    return tuple(
        WeeklyHours(
            weekday=row.weekday,
            starts=row.opens,
            ends=row.closes,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
        for row in rows
    )


def rule_settings(session: Session) -> tuple[RuleSetting, ...]:
    """Return all rule records in the order they were made."""
    return tuple(
        RuleSetting(
            code=row.code,
            scope=row.scope,
            scope_id=row.scope_id,
            value=row.value["value"],
            severity=Severity(row.severity),
            effective_from=row.effective_from,
        )
        for row in session.scalars(sa.select(RuleRecord).order_by(RuleRecord.id))
    )


def retire(row: Any, from_date: date | None) -> None:
    """Set the first day on which the row can no longer be booked; ``None`` keeps it in use."""
    row.retired_from = from_date
    touch(row)


def in_order(session: Session, kind: type[Any]) -> Sequence[Any]:
    """Return all rows of a kind as the manager ordered them."""
    return session.scalars(sa.select(kind).order_by(kind.position, kind.name, kind.id)).all()


def replace_site_hours(session: Session, site_id: int, rows: Iterable[WeeklyRow]) -> None:
    """Make these the site's weekly hours; ranges that stay are not touched."""
    old = session.scalars(sa.select(SiteHours).where(SiteHours.site_id == site_id)).all()
    wanted = [
        SiteHours(
            site_id=site_id,
            weekday=row.weekday,
            opens=row.starts,
            closes=row.ends,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
        for row in rows
    ]
    _replace(
        session, old, wanted, ("site_id", "weekday", "opens", "closes", "valid_from", "valid_until")
    )


def replace_provider_hours(
    session: Session, provider_id: int, site_id: int, rows: Iterable[WeeklyRow]
) -> None:
    """Make these the provider's hours and breaks at one site."""
    old = session.scalars(
        sa.select(ProviderHours).where(
            ProviderHours.provider_id == provider_id, ProviderHours.site_id == site_id
        )
    ).all()
    names = ("weekday", "starts", "ends", "kind", "valid_from", "valid_until")
    wanted = [
        ProviderHours(
            provider_id=provider_id, site_id=site_id, **{n: getattr(row, n) for n in names}
        )
        for row in rows
    ]
    _replace(session, old, wanted, ("provider_id", "site_id", *names))


def replace_capabilities(session: Session, provider_id: int, cells: Iterable[Capability]) -> None:
    """Make these the matrix of a provider; a cell with neither right is no row."""
    old = session.scalars(
        sa.select(ProviderService).where(ProviderService.provider_id == provider_id)
    ).all()
    wanted = [
        ProviderService(
            provider_id=provider_id,
            service_id=cell.service_id,
            site_id=cell.site_id,
            may_treat=cell.may_treat,
            may_examine=cell.may_examine,
        )
        for cell in cells
        if cell.may_treat or cell.may_examine
    ]
    _replace(session, old, wanted, ("service_id", "site_id"), ("may_treat", "may_examine"))


def replace_room_services(session: Session, room_id: int, service_ids: Iterable[int]) -> None:
    """Make these the services that the room can host."""
    old = session.scalars(sa.select(RoomService).where(RoomService.room_id == room_id)).all()
    wanted = [RoomService(room_id=room_id, service_id=i) for i in service_ids]
    _replace(session, old, wanted, ("room_id", "service_id"))


def referring(session: Session, row: Any) -> tuple[str, ...]:
    """Return the tables that refer to the row, but for its own hours, matrix and absences."""
    name = row.__tablename__
    found = []
    for table in Appointment.metadata.sorted_tables:
        if table.name in _PARTS:
            continue
        columns = [c for c in table.c if any(k.column.table.name == name for k in c.foreign_keys)]
        if columns and session.scalar(
            sa.select(sa.exists().where(sa.or_(*[column == row.id for column in columns])))
        ):
            found.append(table.name)
    scoped = sa.exists().where(RuleRecord.scope == name, RuleRecord.scope_id == row.id)
    if session.scalar(sa.select(scoped)):
        found.append("rule_record")
    return tuple(found)


def remove(session: Session, row: Any) -> None:
    """Delete a row and its parts. Raises Invalid when something still refers to it."""
    if referring(session, row):
        raise Invalid({"": "in_use"})
    name = row.__tablename__
    for kind in (SiteHours, RoomService, ProviderHours, ProviderService, Absence):
        column = kind.__table__.c.get(f"{name}_id")
        if column is not None:
            for part in session.scalars(sa.select(kind).where(column == row.id)):
                session.delete(part)
    session.flush()
    session.delete(row)


def upcoming(
    session: Session, *, column: str, row_id: int, from_instant: datetime
) -> Sequence[sa.Row[Any]]:
    """Return the appointments still to come of an actor: earliest first, with patient and service.

    ``column`` is "site_id", "provider_id", "room_id" or "service_id".
    """
    return session.execute(
        _visits().where(
            Appointment.__table__.c[column] == row_id,
            Appointment.status.in_(STILL_TO_COME),
            Appointment.ends_at > from_instant,
        )
    ).all()


def visits(session: Session, ids: Sequence[int]) -> Sequence[sa.Row[Any]]:
    """Return these appointments, earliest first, with patient and service."""
    return session.execute(_visits().where(Appointment.id.in_(ids))).all() if ids else []


def _visits() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Appointment.id,
            Appointment.key,
            Appointment.status,
            Appointment.starts_at,
            Appointment.ends_at,
            Appointment.room_from,
            Appointment.room_until,
            Appointment.site_id,
            Patient.given_name,
            Patient.family_name,
            Service.name.label("service"),
            Site.name.label("site"),
            Site.zone,
            Provider.name.label("provider"),
            Room.name.label("room"),
        )
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Service, Service.id == Appointment.service_id)
        .join(Site, Site.id == Appointment.site_id)
        .join(Provider, Provider.id == Appointment.provider_id)
        .join(Room, Room.id == Appointment.room_id)
        .order_by(Appointment.starts_at, Appointment.id)
    )


def _replace(
    session: Session,
    old: Iterable[Any],
    wanted: Iterable[Any],
    key: tuple[str, ...],
    rest: tuple[str, ...] = (),
) -> None:
    standing = {tuple(getattr(row, name) for name in key): row for row in old}
    for row in wanted:
        present = standing.pop(tuple(getattr(row, name) for name in key), None)
        if present is None:
            session.add(row)
        else:
            for name in rest:
                setattr(present, name, getattr(row, name))
    for gone in standing.values():
        session.delete(gone)
    session.flush()
