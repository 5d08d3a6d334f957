"""Services, protocols and rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine
from planner.db.models import Protocol, RuleRecord, Service, Site, User
from planner.errors import NotFound
from planner.queries.settings import shared
from planner.queries.settings.shared import FindingView, Named, RetirementView
from planner.scheduling import hours, rulebook
from planner.scheduling.rulebook import RuleDefault


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """A service as its form and its line hold it."""

    id: int
    version: int
    code: str
    name: str
    kind: str
    minutes: int
    minutes_choices: tuple[int, ...]
    preparation_minutes: int | None
    turnover_minutes: int | None
    walk_minutes: int
    colour: str
    reminder_days: tuple[int, ...]
    position: int
    is_retired: bool = False
    retirement: RetirementView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolView:
    """A protocol as its form and its line hold it; gaps in days."""

    id: int
    version: int
    name: str
    service_id: int
    service: str
    sessions: int
    minutes: int
    zones: str
    gap_floor: int
    gap_target: int
    gap_soft_max: int
    sentence: str
    is_active: bool
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRecordView:
    """A stored record of a rule: what holds, for whom, from when, and who said so."""

    scope: str
    scope_name: str
    value: Any
    severity: str
    from_label: str
    is_future: bool
    made_label: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A rule as it holds today for the whole clinic."""

    code: str
    area: str
    title: str
    explanation: str
    source: str
    value: Any
    severity: str
    is_changed: bool
    has_exceptions: bool
    rule: RuleDefault


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePage:
    """A rule, its records (latest first), and what a record may be for."""

    line: RuleLine
    history: tuple[RuleRecordView, ...]
    sites: tuple[Named, ...]
    services: tuple[Named, ...]
    protocols: tuple[Named, ...]
    today: date


def services(
    *, locale: str, now: datetime
) -> tuple[tuple[ServiceView, ...], tuple[FindingView, ...]]:
    """Return all services, those in use first, and the warnings about the set-up."""
    with engine.reading() as session:
        today = shared.today(session, now)
        views = [_service(row, today) for row in catalogue.in_order(session, Service)]
        found = shared.findings(session, now=now, locale=locale)
    return tuple(sorted(views, key=lambda view: view.is_retired)), found


def service(service_id: int, *, locale: str, now: datetime) -> ServiceView:
    """Return one service. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Service, service_id)
        retirement = shared.retirement(
            session,
            row,
            column="service_id",
            zone=catalogue.first_zone(session),
            now=now,
            locale=locale,
        )
        return _service(row, shared.today(session, now), retirement)


def protocols() -> tuple[ProtocolView, ...]:
    """Return all protocols, active ones first."""
    with engine.reading() as session:
        names = _names(session, Service)
        views = [_protocol(row, names) for row in catalogue.in_order(session, Protocol)]
    return tuple(sorted(views, key=lambda view: not view.is_active))


def protocol(protocol_id: int) -> tuple[ProtocolView, bool]:
    """Return one protocol, and whether it may be removed. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Protocol, protocol_id)
        return _protocol(row, _names(session, Service)), not catalogue.referring(session, row)


def service_choices(*, now: datetime) -> tuple[Named, ...]:
    """Return the services that can be booked."""
    with engine.reading() as session:
        views = shared.named(catalogue.in_order(session, Service), shared.today(session, now))
    return tuple(view for view in views if not view.is_retired)


def rules(*, locale: str, now: datetime) -> tuple[RuleLine, ...]:
    """Return every rule as it holds today for the whole clinic, in the order of the rulebook."""
    with engine.reading() as session:
        today = shared.today(session, now)
        records = catalogue.rule_settings(session)
    return tuple(_rule(rule, records, today, locale) for rule in rulebook.DEFAULTS)


def rule(code: str, *, locale: str, now: datetime) -> RulePage:
    """Return a rule with its history. Raises NotFound."""
    if code not in rulebook.BY_CODE:
        raise NotFound(f"rule {code}")
    with engine.reading() as session:
        today = shared.today(session, now)
        kinds = {"site": Site, "service": Service, "protocol": Protocol}
        named = {
            scope: shared.named(catalogue.in_order(session, kind), today)
            for scope, kind in kinds.items()
        }
        zone = catalogue.first_zone(session)
        rows = session.execute(
            sa.select(RuleRecord, User.name)
            .outerjoin(User, User.id == RuleRecord.created_by)
            .where(RuleRecord.code == code)
            .order_by(RuleRecord.effective_from.desc(), RuleRecord.id.desc())
        ).all()
        return RulePage(
            line=_rule(rulebook.default(code), catalogue.rule_settings(session), today, locale),
            history=tuple(
                RuleRecordView(
                    scope=row.scope,
                    scope_name=next(
                        (n.name for n in named.get(row.scope, ()) if n.id == row.scope_id), ""
                    ),
                    value=row.value["value"],
                    severity=row.severity,
                    from_label=wording.format_date(row.effective_from, locale),
                    is_future=row.effective_from > today,
                    made_label=wording.format_date(hours.day_of(row.created_at, zone), locale),
                    made_by=name or "",
                )
                for row, name in rows
            ),
            sites=named["site"],
            services=named["service"],
            protocols=named["protocol"],
            today=today,
        )


def _rule(rule: RuleDefault, records: Any, today: date, locale: str) -> RuleLine:
    setting = rulebook.resolve(records, rule.code, on=today)
    title, explanation = wording.rule(rule.code, locale)
    return RuleLine(
        code=rule.code,
        area=rule.area,
        title=title,
        explanation=explanation,
        source=rule.source,
        value=setting.value,
        severity=setting.severity,
        is_changed=(setting.value, setting.severity) != (rule.value, rule.severity),
        has_exceptions=any(r.code == rule.code and r.scope != "clinic" for r in records),
        rule=rule,
    )


def _service(row: Service, today: date, retirement: RetirementView | None = None) -> ServiceView:
    return ServiceView(
        id=row.id,
        version=row.version,
        code=row.code,
        name=row.name,
        kind=row.kind,
        minutes=row.minutes,
        minutes_choices=tuple(row.minutes_choices),
        reminder_days=tuple(row.reminder_days),
        preparation_minutes=row.preparation_minutes,
        turnover_minutes=row.turnover_minutes,
        walk_minutes=row.walk_minutes,
        colour=row.colour,
        position=row.position,
        is_retired=shared.is_retired(row, today),
        retirement=retirement,
    )


def _protocol(row: Protocol, services: dict[int, str]) -> ProtocolView:
    return ProtocolView(
        id=row.id,
        version=row.version,
        name=row.name,
        service_id=row.service_id,
        service=services.get(row.service_id, ""),
        sessions=row.sessions,
        minutes=row.minutes,
        zones=row.zones,
        gap_floor=row.gap_floor,
        gap_target=row.gap_target,
        gap_soft_max=row.gap_soft_max,
        sentence=row.sentence,
        is_active=row.is_active,
        position=row.position,
    )


def _names(session: Session, kind: type[Service]) -> dict[int, str]:
    rows = session.execute(sa.select(kind.id, kind.name))
    return {row.id: row.name for row in rows}
