"""What a process keeps of the catalogue, for as long as the schedule version says it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast
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
    """Return the catalogue: one statement when this process has it already, else two."""
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


class _Tables(NamedTuple):
    """Of each table of the catalogue the rows, or its columns: first what orders them."""

    sites: Sequence[Any]
    site_hours: Sequence[Any]
    rooms: Sequence[Any]
    room_services: Sequence[Any]
    providers: Sequence[Any]
    provider_hours: Sequence[Any]
    provider_services: Sequence[Any]
    absences: Sequence[Any]
    services: Sequence[Any]
    rules: Sequence[Any]


def _read(session: Session) -> Catalogue:
    statement = _statement(session.get_bind().dialect.name)
    found = statement.first(session.connection())
    tables = _Tables(*(sorted(rows or ()) for rows in found))
    absences = _absences(tables)
    return Catalogue(
        sites=_sites(tables, absences),
        rooms=_rooms(tables, absences),
        providers=_providers(tables, absences),
        services=_services(tables),
        rules=_rules(tables),
    )


_Absences = Mapping[tuple[str, int], tuple[AbsentDays, ...]]
_Week = tuple[WeeklyHours, ...]


def _absences(tables: _Tables) -> _Absences:
    found: defaultdict[tuple[str, int], list[AbsentDays]] = defaultdict(list)
    for from_date, _, until_date, starts, ends, reason, *ids in tables.absences:
        days = AbsentDays(
            from_date=date.fromisoformat(from_date),
            until_date=date.fromisoformat(until_date),
            starts=_time(starts),
            ends=_time(ends),
            reason=reason,
        )
        for actor, actor_id in zip(("site", "provider", "room"), ids, strict=True):
            if actor_id is not None:
                found[actor, actor_id].append(days)
    return {actor: tuple(rows) for actor, rows in found.items()}


def _sites(tables: _Tables, absences: _Absences) -> dict[int, SiteFacts]:
    hours: defaultdict[int, list[WeeklyHours]] = defaultdict(list)
    for _, site_id, *weekly in tables.site_hours:
        hours[site_id].append(_weekly(*weekly))
    return {
        site_id: SiteFacts(
            zone=zone,
            grid_minutes=grid_minutes,
            hours=tuple(hours[site_id]),
            closures=absences.get(("site", site_id), ()),
            retired_from=_date(retired_from),
        )
        for _, site_id, zone, grid_minutes, retired_from in tables.sites
    }


def _rooms(tables: _Tables, absences: _Absences) -> dict[int, RoomFacts]:
    services: defaultdict[int, list[int]] = defaultdict(list)
    for room_id, service_id in tables.room_services:
        services[room_id].append(service_id)
    return {
        room_id: RoomFacts(
            site_id=site_id,
            service_ids=frozenset(services[room_id]),
            outages=absences.get(("room", room_id), ()),
            retired_from=_date(retired_from),
        )
        for _, room_id, site_id, retired_from in tables.rooms
    }


def _providers(tables: _Tables, absences: _Absences) -> dict[int, ProviderFacts]:
    hours: defaultdict[tuple[int, str], defaultdict[int, list[Any]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for _, provider_id, kind, site_id, *weekly in tables.provider_hours:
        hours[provider_id, kind][site_id].append(tuple(weekly))
    treats: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    examines: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for provider_id, service_id, site_id, may_examine, may_treat in tables.provider_services:
        if may_treat:
            treats[provider_id].append((service_id, site_id))
        if may_examine:
            examines[provider_id].append((service_id, site_id))
    shared: dict[tuple[Any, ...], _Week] = {}
    return {
        provider_id: ProviderFacts(
            hours=_by_site(hours[provider_id, "work"], shared),
            breaks=_by_site(hours[provider_id, "break"], shared),
            treats=frozenset(treats[provider_id]),
            examines=frozenset(examines[provider_id]),
            absences=absences.get(("provider", provider_id), ()),
            retired_from=_date(retired_from),
        )
        for _, provider_id, retired_from in tables.providers
    }


def _by_site(
    hours: Mapping[int, list[Any]], shared: dict[tuple[Any, ...], _Week]
) -> dict[int, _Week]:
    """Many work the same hours: they share them, so that what is made of them is made once."""
    found = {}
    for site_id, rows in hours.items():
        week = tuple(rows)
        if week not in shared:
            shared[week] = tuple(_weekly(*row) for row in week)
        found[site_id] = shared[week]
    return found


@lru_cache(maxsize=1024)
def _weekly(
    weekday: int, starts: str, ends: str, valid_from: str | None, valid_until: str | None
) -> WeeklyHours:
    return WeeklyHours(
        weekday=weekday,
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
        valid_from=_date(valid_from),
        valid_until=_date(valid_until),
    )


def _services(tables: _Tables) -> dict[int, ServiceFacts]:
    return {
        service_id: ServiceFacts(
            kind=Kind(kind),
            minutes=minutes,
            preparation_minutes=preparation_minutes,
            turnover_minutes=turnover_minutes,
            walk_minutes=walk_minutes,
            retired_from=_date(retired_from),
        )
        for _, service_id, kind, minutes, preparation_minutes, turnover_minutes, walk_minutes,
            retired_from in tables.services
    }  # fmt: skip


def _rules(tables: _Tables) -> tuple[RuleSetting, ...]:
    return tuple(
        RuleSetting(
            code=code,
            scope=scope,
            scope_id=scope_id,
            value=value.get("value"),
            severity=Severity(severity),
            effective_from=date.fromisoformat(effective_from),
        )
        for _, code, scope, scope_id, value, severity, effective_from in tables.rules
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)


@lru_cache
def _statement(dialect: str) -> Prepared:
    """All tables in one row, each as one JSON value: a journey to the server and an object a value cost more."""
    is_sqlite = dialect == "sqlite"
    row_of = sa.func.json_array if is_sqlite else sa.func.json_build_array
    list_of = sa.func.json_group_array if is_sqlite else sa.func.json_agg

    def value(column: Any) -> Any:
        # What SQLite keeps as JSON is a text to it.
        return sa.func.json(column) if is_sqlite and isinstance(column.type, sa.JSON) else column

    lists = {
        name: sa.select(list_of(row_of(*map(value, columns)))).scalar_subquery()
        for name, columns in zip(_Tables._fields, _COLUMNS, strict=True)
    }
    return Prepared(
        sa.select(*(sa.type_coerce(rows, sa.JSON).label(name) for name, rows in lists.items()))
    )


_COLUMNS: tuple[Any, ...] = _Tables(
    sites=(
        Site.position, Site.id, Site.zone, Site.grid_minutes, Site.retired_from,
    ),
    site_hours=(
        SiteHours.id, SiteHours.site_id, SiteHours.weekday, SiteHours.opens, SiteHours.closes,
        SiteHours.valid_from, SiteHours.valid_until,
    ),
    rooms=(
        Room.position, Room.id, Room.site_id, Room.retired_from,
    ),
    room_services=(
        RoomService.room_id, RoomService.service_id,
    ),
    providers=(
        Provider.position, Provider.id, Provider.retired_from,
    ),
    provider_hours=(
        ProviderHours.id, ProviderHours.provider_id, ProviderHours.kind, ProviderHours.site_id,
        ProviderHours.weekday, ProviderHours.starts, ProviderHours.ends, ProviderHours.valid_from,
        ProviderHours.valid_until,
    ),
    provider_services=(
        ProviderService.provider_id, ProviderService.service_id, ProviderService.site_id,
        ProviderService.may_examine, ProviderService.may_treat,
    ),
    absences=(
        Absence.from_date, Absence.id, Absence.until_date, Absence.starts, Absence.ends,
        Absence.reason, Absence.site_id, Absence.provider_id, Absence.room_id,
    ),
    services=(
        Service.position, Service.id, Service.kind, Service.minutes, Service.preparation_minutes,
        Service.turnover_minutes, Service.walk_minutes, Service.retired_from,
    ),
    rules=(
        RuleRecord.id, RuleRecord.code, RuleRecord.scope, RuleRecord.scope_id, RuleRecord.value,
        RuleRecord.severity, RuleRecord.effective_from,
    ),
)  # fmt: skip
