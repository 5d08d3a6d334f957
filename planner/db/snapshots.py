"""What a process keeps of the catalogue, for as long as the schedule version says it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

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
    tracer: Tracer | None = session.info.get("tracer")
    if tracer is not None:
        session.flush()
        if tracer.has_touched(CATALOGUE):
            return _read(session)  # it may yet be rolled back: nobody else may see it
    version = session.scalar(sa.select(ScheduleVersion.catalogue).where(ScheduleVersion.id == 1))
    engine = session.get_bind()
    kept = _KEPT.get(engine)
    if kept is None or kept[0] != version:
        kept = _KEPT[engine] = (version, _read(session))
    return kept[1]


_KEPT: WeakKeyDictionary[Any, tuple[int | None, Catalogue]] = WeakKeyDictionary()


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
    table = Absence.metadata.tables["absence"]
    for row in session.execute(sa.select(table).order_by(table.c.from_date, table.c.id)):
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
    statement = sa.select(
        Site.id, Site.zone, Site.grid_minutes, Site.retired_from,
        SiteHours.weekday, SiteHours.opens, SiteHours.closes,
        SiteHours.valid_from, SiteHours.valid_until,
    ).outerjoin(SiteHours, SiteHours.site_id == Site.id)  # fmt: skip
    grouped = _grouped(session.execute(statement.order_by(Site.position, Site.id, SiteHours.id)))
    return {
        site_id: SiteFacts(
            zone=rows[0].zone,
            grid_minutes=rows[0].grid_minutes,
            hours=tuple(
                _weekly(row, row.opens, row.closes) for row in rows if row.weekday is not None
            ),
            closures=absences.get(("site", site_id), ()),
            retired_from=rows[0].retired_from,
        )
        for site_id, rows in grouped.items()
    }


def _rooms(session: Session, absences: _Absences) -> dict[int, RoomFacts]:
    statement = sa.select(
        Room.id, Room.site_id, Room.retired_from, RoomService.service_id
    ).outerjoin(RoomService, RoomService.room_id == Room.id)
    grouped = _grouped(session.execute(statement.order_by(Room.position, Room.id)))
    return {
        room_id: RoomFacts(
            site_id=rows[0].site_id,
            service_ids=frozenset(row.service_id for row in rows if row.service_id is not None),
            outages=absences.get(("room", room_id), ()),
            retired_from=rows[0].retired_from,
        )
        for room_id, rows in grouped.items()
    }


def _providers(session: Session, absences: _Absences) -> dict[int, ProviderFacts]:
    statement = sa.select(
        Provider.id, Provider.retired_from, ProviderHours.site_id, ProviderHours.kind,
        ProviderHours.weekday, ProviderHours.starts, ProviderHours.ends,
        ProviderHours.valid_from, ProviderHours.valid_until,
    ).outerjoin(ProviderHours, ProviderHours.provider_id == Provider.id)  # fmt: skip
    ordered = statement.order_by(Provider.position, Provider.id, ProviderHours.id)
    matrix = _matrix(session)
    return {
        provider_id: ProviderFacts(
            hours=_by_site(rows, "work"),
            breaks=_by_site(rows, "break"),
            treats=frozenset(matrix["may_treat", provider_id]),
            examines=frozenset(matrix["may_examine", provider_id]),
            absences=absences.get(("provider", provider_id), ()),
            retired_from=rows[0].retired_from,
        )
        for provider_id, rows in _grouped(session.execute(ordered)).items()
    }


def _matrix(session: Session) -> defaultdict[tuple[str, int], set[tuple[int, int]]]:
    found: defaultdict[tuple[str, int], set[tuple[int, int]]] = defaultdict(set)
    for row in session.execute(sa.select(ProviderService.metadata.tables["provider_service"])):
        for right in ("may_treat", "may_examine"):
            if getattr(row, right):
                found[right, row.provider_id].add((row.service_id, row.site_id))
    return found


def _services(session: Session) -> dict[int, ServiceFacts]:
    statement = sa.select(
        Service.id, Service.kind, Service.minutes, Service.preparation_minutes,
        Service.turnover_minutes, Service.walk_minutes, Service.retired_from,
    ).order_by(Service.position, Service.id)  # fmt: skip
    return {
        row.id: ServiceFacts(
            kind=Kind(row.kind),
            minutes=row.minutes,
            preparation_minutes=row.preparation_minutes,
            turnover_minutes=row.turnover_minutes,
            walk_minutes=row.walk_minutes,
            retired_from=row.retired_from,
        )
        for row in session.execute(statement)
    }


def _rules(session: Session) -> tuple[RuleSetting, ...]:
    table = RuleRecord.metadata.tables["rule_record"]
    return tuple(
        RuleSetting(
            code=row.code,
            scope=row.scope,
            scope_id=row.scope_id,
            value=row.value.get("value"),
            severity=Severity(row.severity),
            effective_from=row.effective_from,
        )
        for row in session.execute(sa.select(table).order_by(table.c.id))
    )


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    grouped: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.id].append(row)
    return dict(grouped)


def _by_site(rows: Iterable[Any], kind: str) -> dict[int, tuple[WeeklyHours, ...]]:
    found: defaultdict[int, list[WeeklyHours]] = defaultdict(list)
    for row in rows:
        if row.kind == kind:
            found[row.site_id].append(_weekly(row, row.starts, row.ends))
    return {site_id: tuple(hours) for site_id, hours in found.items()}


def _weekly(row: Any, starts: Any, ends: Any) -> WeeklyHours:
    return WeeklyHours(
        weekday=row.weekday,
        starts=starts,
        ends=ends,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )
