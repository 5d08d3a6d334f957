"""What a process keeps of the catalogue, for as long as the schedule version says it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import connections
from planner.db.models import (
    Absence,
    Provider,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    RuleRecord,
    ScheduleVersion,
    Service,
    Site,
    SiteHours,
)
from planner.db.prepared import Prepared
from planner.db.traces import CATALOGUE, Tracer
from planner.scheduling.timetable import (
    AbsentDays,
    Kind,
    ProviderFacts,
    RoomFacts,
    RuleSetting,
    ServiceFacts,
    Severity,
    SiteFacts,
    WeeklyHours,
)

T = TypeVar("T")
MOST_KEPT = 64
"""How much a process keeps of one edition: what it has kept longest goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Sites, rooms, providers, services and rules as the core sees them."""

    sites: Mapping[int, SiteFacts]
    rooms: Mapping[int, RoomFacts]
    providers: Mapping[int, ProviderFacts]
    services: Mapping[int, ServiceFacts]
    rules: tuple[RuleSetting, ...]


def catalogue(session: Session) -> Catalogue:
    """Return the catalogue: one statement when this process has it already, else eight."""
    return kept(session, "catalogue", lambda: _read(session))


def edition(clinic: int | None, catalogue: int | None) -> str:
    """Return a word that is another once the clinic's own row, or anything of the catalogue, is.

    Empty before there is a clinic.
    """
    return "" if clinic is None else f"{clinic}-{catalogue}"


def kept(session: Session, key: Hashable, read: Callable[[], T]) -> T:
    """Return what was read under a key, read anew once anything of the catalogue has changed.

    For what depends on tables of the catalogue and on nothing else.
    """
    tracer: Tracer | None = session.info.get("tracer")
    if tracer is not None:
        session.flush()
        if tracer.has_touched(CATALOGUE):
            return read()  # it may yet be rolled back: nobody else may see it
    current, engine = _current(session), session.get_bind()
    known = _KEPT.get(engine)
    if known is None or known.edition != current:
        known = _KEPT[engine] = _Known(current)
    value = known.values.get(key, _NOTHING)
    if value is _NOTHING:
        value = read()
        for oldest in list(known.values)[: len(known.values) + 1 - MOST_KEPT]:
            known.values.pop(oldest, None)
        known.values[key] = value
    return cast(T, value)


def _current(session: Session) -> int | None:
    """Return the version that last changed the catalogue; asked once where it cannot change."""
    if "edition" in session.info:
        return cast("int | None", session.info["edition"])
    row = _EDITION.first(session.connection())
    found = row.catalogue if row else None
    if session.info.keys() & {connections.ON_ONE_SNAPSHOT, connections.HOLDS_SETTINGS}:
        session.info["edition"] = found
    return found


@dataclass(slots=True)
class _Known:
    edition: int | None
    values: dict[Hashable, Any] = field(default_factory=dict)


_KEPT: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()
_NOTHING = object()
_VERSIONS = ScheduleVersion.metadata.tables["schedule_version"]
_EDITION = Prepared(sa.select(_VERSIONS.c.catalogue).where(_VERSIONS.c.id == 1))


def _read(session: Session) -> Catalogue:
    absences = _absences(session)
    return Catalogue(
        sites=_sites(session, absences),
        rooms=_rooms(session, absences),
        providers=_providers(session, absences),
        services=_services(session),
        rules=_rules(session),
    )


_Absences = Mapping[tuple[str, int], tuple[AbsentDays, ...]]


def _absences(session: Session) -> _Absences:
    found: defaultdict[tuple[str, int], list[AbsentDays]] = defaultdict(list)
    for row in _rows(session, _absences_statement()):
        days = AbsentDays(
            from_date=row.from_date,
            until_date=row.until_date,
            starts=row.starts,
            ends=row.ends,
            reason=row.reason,
        )
        actors = (("site", row.site_id), ("provider", row.provider_id), ("room", row.room_id))
        for actor, actor_id in actors:
            if actor_id is not None:
                found[actor, actor_id].append(days)
    return {actor: tuple(rows) for actor, rows in found.items()}


def _sites(session: Session, absences: _Absences) -> dict[int, SiteFacts]:
    grouped: dict[int, tuple[Any, list[WeeklyHours]]] = {}
    for site_id, zone, grid_minutes, retired_from, *weekly in _rows(session, _sites_statement()):
        hours = grouped.setdefault(site_id, ((zone, grid_minutes, retired_from), []))[1]
        if weekly[0] is not None:
            hours.append(_weekly(*weekly))
    return {
        site_id: SiteFacts(
            zone=zone,
            grid_minutes=grid_minutes,
            hours=tuple(hours),
            closures=absences.get(("site", site_id), ()),
            retired_from=retired_from,
        )
        for site_id, ((zone, grid_minutes, retired_from), hours) in grouped.items()
    }


def _rooms(session: Session, absences: _Absences) -> dict[int, RoomFacts]:
    grouped: dict[int, tuple[Any, list[int]]] = {}
    for room_id, site_id, retired_from, service_id in _rows(session, _rooms_statement()):
        services = grouped.setdefault(room_id, ((site_id, retired_from), []))[1]
        if service_id is not None:
            services.append(service_id)
    return {
        room_id: RoomFacts(
            site_id=site_id,
            service_ids=frozenset(services),
            outages=absences.get(("room", room_id), ()),
            retired_from=retired_from,
        )
        for room_id, ((site_id, retired_from), services) in grouped.items()
    }


def _providers(session: Session, absences: _Absences) -> dict[int, ProviderFacts]:
    retired: dict[int, date | None] = {}
    hours: defaultdict[tuple[int, str], defaultdict[int, list[WeeklyHours]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in _rows(session, _providers_statement()):
        provider_id, retired[provider_id], site_id, kind, *weekly = row
        if site_id is not None:
            hours[provider_id, kind][site_id].append(_weekly(*weekly))
    matrix = _matrix(session)
    shared: dict[tuple[int, ...], tuple[WeeklyHours, ...]] = {}
    return {
        provider_id: ProviderFacts(
            hours=_by_site(hours[provider_id, "work"], shared),
            breaks=_by_site(hours[provider_id, "break"], shared),
            treats=frozenset(matrix["may_treat", provider_id]),
            examines=frozenset(matrix["may_examine", provider_id]),
            absences=absences.get(("provider", provider_id), ()),
            retired_from=retired_from,
        )
        for provider_id, retired_from in retired.items()
    }


def _by_site(
    hours: Mapping[int, list[WeeklyHours]], shared: dict[tuple[int, ...], tuple[WeeklyHours, ...]]
) -> dict[int, tuple[WeeklyHours, ...]]:
    """Many work the same hours: they share them, so that what is made of them is made once."""
    return {
        site_id: shared.setdefault(tuple(map(id, rows)), tuple(rows))
        for site_id, rows in hours.items()
    }


@lru_cache(maxsize=1024)
def _weekly(
    weekday: int, starts: time, ends: time, valid_from: date | None, valid_until: date | None
) -> WeeklyHours:
    return WeeklyHours(
        weekday=weekday, starts=starts, ends=ends, valid_from=valid_from, valid_until=valid_until
    )


def _matrix(session: Session) -> defaultdict[tuple[str, int], list[tuple[int, int]]]:
    found: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    rows = _rows(session, _matrix_statement())
    for provider_id, service_id, site_id, may_examine, may_treat in rows:
        if may_treat:
            found["may_treat", provider_id].append((service_id, site_id))
        if may_examine:
            found["may_examine", provider_id].append((service_id, site_id))
    return found


def _services(session: Session) -> dict[int, ServiceFacts]:
    return {
        row.id: ServiceFacts(
            kind=Kind(row.kind),
            minutes=row.minutes,
            preparation_minutes=row.preparation_minutes,
            turnover_minutes=row.turnover_minutes,
            walk_minutes=row.walk_minutes,
            retired_from=row.retired_from,
        )
        for row in _rows(session, _services_statement())
    }


def _rules(session: Session) -> tuple[RuleSetting, ...]:
    return tuple(
        RuleSetting(
            code=row.code,
            scope=row.scope,
            scope_id=row.scope_id,
            value=row.value.get("value"),
            severity=Severity(row.severity),
            effective_from=row.effective_from,
        )
        for row in _rows(session, _rules_statement())
    )


def _rows(session: Session, statement: Any) -> Any:
    """The rows of a statement of columns; by the connection, since the session would only take longer."""
    return session.connection().execute(statement).all()


# Each is built once: putting a statement together takes longer than running it.


@lru_cache
def _absences_statement() -> Any:
    table = Absence.metadata.tables["absence"]
    return sa.select(table).order_by(table.c.from_date, table.c.id)


@lru_cache
def _sites_statement() -> Any:
    return (
        sa.select(
            Site.id, Site.zone, Site.grid_minutes, Site.retired_from,
            SiteHours.weekday, SiteHours.opens, SiteHours.closes,
            SiteHours.valid_from, SiteHours.valid_until,
        )
        .outerjoin(SiteHours, SiteHours.site_id == Site.id)
        .order_by(Site.position, Site.id, SiteHours.id)
    )  # fmt: skip


@lru_cache
def _rooms_statement() -> Any:
    return (
        sa.select(Room.id, Room.site_id, Room.retired_from, RoomService.service_id)
        .outerjoin(RoomService, RoomService.room_id == Room.id)
        .order_by(Room.position, Room.id)
    )


@lru_cache
def _providers_statement() -> Any:
    return (
        sa.select(
            Provider.id, Provider.retired_from, ProviderHours.site_id, ProviderHours.kind,
            ProviderHours.weekday, ProviderHours.starts, ProviderHours.ends,
            ProviderHours.valid_from, ProviderHours.valid_until,
        )
        .outerjoin(ProviderHours, ProviderHours.provider_id == Provider.id)
        .order_by(Provider.position, Provider.id, ProviderHours.id)
    )  # fmt: skip


@lru_cache
def _matrix_statement() -> Any:
    its = ProviderService.metadata.tables["provider_service"].c
    return sa.select(its.provider_id, its.service_id, its.site_id, its.may_examine, its.may_treat)


@lru_cache
def _services_statement() -> Any:
    return sa.select(
        Service.id, Service.kind, Service.minutes, Service.preparation_minutes,
        Service.turnover_minutes, Service.walk_minutes, Service.retired_from,
    ).order_by(Service.position, Service.id)  # fmt: skip


@lru_cache
def _rules_statement() -> Any:
    table = RuleRecord.metadata.tables["rule_record"]
    return sa.select(table).order_by(table.c.id)
