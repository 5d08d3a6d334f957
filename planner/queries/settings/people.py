"""Providers and users."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine
from planner.db.models import Provider, ProviderHours, ProviderService, Service, Site, User
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
class SiteWeek:
    """A provider's week at a site, in short."""

    site: Named
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLine:
    """A provider in the list."""

    id: int
    name: str
    credentials: str
    colour: str
    initials: str
    weeks: tuple[SiteWeek, ...]
    service_count: int
    is_retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderView:
    """A provider as the form holds it."""

    id: int
    version: int
    name: str
    credentials: str
    colour: str
    position: int
    retirement: RetirementView


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHoursPage:
    """A provider's hours and breaks at one site, and the other sites to turn to."""

    provider: Named
    version: int
    site: Named | None
    sites: tuple[Named, ...]
    rows: tuple[WeeklyView, ...]
    opening: tuple[str, ...]
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPage:
    """What a provider may do: services × sites; cells are (service id, site id)."""

    provider: Named
    version: int
    services: tuple[Named, ...]
    sites: tuple[Named, ...]
    treats: frozenset[tuple[int, int]]
    examines: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsencesPage:
    """A provider's absences."""

    provider: Named
    absences: tuple[AbsenceView, ...]
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """A user in the list."""

    id: int
    name: str
    email: str
    role: str
    provider: str
    site: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user as the form holds it."""

    id: int
    version: int
    name: str
    email: str
    role: str
    language: str
    provider_id: int | None
    site_id: int | None
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChoices:
    """What a user may be linked to."""

    providers: tuple[Named, ...]
    sites: tuple[Named, ...]


def providers(
    *, locale: str, now: datetime
) -> tuple[tuple[ProviderLine, ...], tuple[FindingView, ...]]:
    """Return all providers with their weeks in short, and the warnings about the set-up."""
    with engine.reading() as session:
        today = shared.today(session, now)
        sites = shared.named(catalogue.in_order(session, Site), today)
        weekly = session.scalars(sa.select(ProviderHours).where(ProviderHours.kind == "work")).all()
        given = sa.select(
            ProviderService.provider_id,
            sa.func.count(sa.distinct(ProviderService.service_id)).label("services"),
        ).group_by(ProviderService.provider_id)
        counts = {row.provider_id: row.services for row in session.execute(given)}
        lines = [
            ProviderLine(
                id=row.id,
                name=row.name,
                credentials=row.credentials,
                colour=row.colour,
                initials=wording.initials(row.name),
                weeks=_weeks([h for h in weekly if h.provider_id == row.id], sites, locale, today),
                service_count=counts.get(row.id, 0),
                is_retired=shared.is_retired(row, today),
            )
            for row in catalogue.in_order(session, Provider)
        ]
        found = shared.findings(session, now=now, locale=locale)
    return tuple(sorted(lines, key=lambda line: line.is_retired)), found


def provider(provider_id: int, *, locale: str, now: datetime) -> ProviderView:
    """Return one provider. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Provider, provider_id)
        return ProviderView(
            id=row.id,
            version=row.version,
            name=row.name,
            credentials=row.credentials,
            colour=row.colour,
            position=row.position,
            retirement=shared.retirement(
                session,
                row,
                column="provider_id",
                zone=catalogue.first_zone(session),
                now=now,
                locale=locale,
            ),
        )


def provider_hours(
    provider_id: int, site_id: int | None, *, locale: str, now: datetime
) -> ProviderHoursPage:
    """Return a provider's hours at a site (the first one when none is named). Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Provider, provider_id)
        today = shared.today(session, now)
        sites = shared.named(catalogue.in_order(session, Site), today)
        at = site_id or (sites[0].id if sites else None)
        chosen = catalogue.get(session, Site, at) if at is not None else None
        weekly = session.scalars(
            sa.select(ProviderHours)
            .where(ProviderHours.provider_id == provider_id, ProviderHours.site_id == at)
            .order_by(ProviderHours.valid_from, ProviderHours.weekday, ProviderHours.starts)
        ).all()
        opening = catalogue.site_hours(session, at) if at is not None else ()
        found = shared.findings(session, now=now, locale=locale)
        return ProviderHoursPage(
            provider=_named(row, session, now),
            version=row.version,
            site=shared.named((chosen,), today)[0] if chosen else None,
            sites=sites,
            rows=tuple(_weekly_view(h) for h in weekly),
            opening=shared.week_summary(opening, locale, today),
            findings=tuple(
                f for f in found if f.provider_id == provider_id and f.code.startswith("hours.")
            ),
        )


def matrix(provider_id: int, *, now: datetime) -> MatrixPage:
    """Return what a provider may treat and examine. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Provider, provider_id)
        today = shared.today(session, now)
        cells = session.scalars(
            sa.select(ProviderService).where(ProviderService.provider_id == provider_id)
        ).all()
        return MatrixPage(
            provider=_named(row, session, now),
            version=row.version,
            services=_in_use(shared.named(catalogue.in_order(session, Service), today)),
            sites=_in_use(shared.named(catalogue.in_order(session, Site), today)),
            treats=frozenset((c.service_id, c.site_id) for c in cells if c.may_treat),
            examines=frozenset((c.service_id, c.site_id) for c in cells if c.may_examine),
        )


def absences(provider_id: int, *, locale: str, now: datetime) -> AbsencesPage:
    """Return a provider's absences, each with what it displaces. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, Provider, provider_id)
        return AbsencesPage(
            provider=_named(row, session, now),
            absences=shared.absences(
                session, actor="provider", row_id=provider_id, now=now, locale=locale
            ),
            today=shared.today(session, now),
        )


def users() -> tuple[UserLine, ...]:
    """Return everybody who may sign in, those active first."""
    with engine.reading() as session:
        rows = session.execute(
            sa.select(User, Provider.name, Site.name)
            .outerjoin(Provider, Provider.id == User.provider_id)
            .outerjoin(Site, Site.id == User.site_id)
            .order_by(User.is_active.desc(), User.name, User.id)
        ).all()
        return tuple(
            UserLine(
                id=row.id,
                name=row.name,
                email=row.email,
                role=row.role,
                provider=provider_name or "",
                site=site_name or "",
                is_active=row.is_active,
            )
            for row, provider_name, site_name in rows
        )


def user(user_id: int) -> UserView:
    """Return one user. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get(session, User, user_id)
        return UserView(
            id=row.id,
            version=row.version,
            name=row.name,
            email=row.email,
            role=row.role,
            language=row.language,
            provider_id=row.provider_id,
            site_id=row.site_id,
            is_active=row.is_active,
        )


def user_choices(*, now: datetime) -> UserChoices:
    """Return the providers and sites a user may be linked to."""
    with engine.reading() as session:
        today = shared.today(session, now)
        return UserChoices(
            providers=shared.named(catalogue.in_order(session, Provider), today),
            sites=_in_use(shared.named(catalogue.in_order(session, Site), today)),
        )


def _weeks(
    rows: Iterable[ProviderHours], sites: Iterable[Named], locale: str, today: date
) -> tuple[SiteWeek, ...]:
    by_site: dict[int, list[WeeklyHours]] = {}
    for row in rows:
        by_site.setdefault(row.site_id, []).append(
            WeeklyHours(
                weekday=row.weekday,
                starts=row.starts,
                ends=row.ends,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
            )
        )
    return tuple(
        SiteWeek(site=site, lines=shared.week_summary(by_site[site.id], locale, today))
        for site in sites
        if site.id in by_site
    )


def _weekly_view(row: ProviderHours) -> WeeklyView:
    return WeeklyView(
        weekday=row.weekday,
        starts=row.starts,
        ends=row.ends,
        kind=row.kind,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def _named(row: Provider, session: Session, now: datetime) -> Named:
    return shared.named((row,), shared.today(session, now))[0]


def _in_use(views: Iterable[Named]) -> tuple[Named, ...]:
    return tuple(view for view in views if not view.is_retired)
