"""The first page under Settings: what is set up, what is missing, what contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import catalogue, engine
from planner.db.models import (
    ClinicText,
    Protocol,
    Provider,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    Service,
    Site,
    SiteHours,
    User,
)
from planner.queries import feeds
from planner.queries.feeds import LeftOutView
from planner.queries.settings import shared
from planner.queries.settings.shared import FindingView


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the checklist: its code, how many there are, and the row still to be finished."""

    code: str
    is_done: bool
    count: int = 0
    row_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """The checklist in the order of work, and the warnings."""

    steps: tuple[Step, ...]
    findings: tuple[FindingView, ...]
    left_out: tuple[LeftOutView, ...]  # events that some calendar could not have read

    @property
    def done_count(self) -> int:
        """How many steps are done."""
        return sum(step.is_done for step in self.steps)

    @property
    def next_step(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.is_done), None)


def page(*, locale: str, now: datetime) -> OverviewPage:
    """Return how far the set-up is."""
    with engine.reading() as session:
        return OverviewPage(
            steps=_steps(session),
            findings=shared.findings(session, now=now, locale=locale),
            left_out=feeds.left_out(session, locale, now),
        )


def _steps(session: Session) -> tuple[Step, ...]:
    clinic = catalogue.clinic(session)
    counts = session.execute(_counts()).one()
    is_reachable = clinic is not None and bool(clinic.name and clinic.phone)
    return (
        Step(code="clinic", is_done=is_reachable),
        _all("sites", counts.sites, None),
        _all("site_hours", counts.sites, counts.site_without_hours),
        Step(code="services", is_done=counts.services > 0, count=counts.services),
        _all("rooms", counts.rooms, counts.site_without_rooms),
        _all("room_services", counts.rooms, counts.room_without_services),
        _all("providers", counts.providers, None),
        _all("provider_hours", counts.providers, counts.provider_without_hours),
        _all("provider_services", counts.providers, counts.provider_without_services),
        Step(code="protocols", is_done=counts.protocols > 0, count=counts.protocols),
        Step(code="users", is_done=counts.users > 1, count=counts.users),
        Step(
            code="texts",
            is_done=counts.texts > 0 and counts.placeholders == 0,
            count=counts.placeholders,
        ),
    )


def _all(code: str, count: int, missing_id: int | None) -> Step:
    return Step(code=code, is_done=count > 0 and missing_id is None, count=count, row_id=missing_id)


def _counts() -> sa.Select[*tuple[Any, ...]]:
    def count(
        kind: type[object], *conditions: sa.ColumnExpressionArgument[bool]
    ) -> sa.ScalarSelect[int]:
        return sa.select(sa.func.count()).select_from(kind).where(*conditions).scalar_subquery()

    def lacking(
        kind: type[Site] | type[Room] | type[Provider], part: sa.ColumnElement[bool], table: type
    ) -> sa.ScalarSelect[int]:
        exists = sa.exists().where(part).select_from(table).correlate(kind)
        return (
            sa.select(sa.func.min(kind.id))
            .where(kind.retired_from.is_(None), ~exists)
            .scalar_subquery()
        )

    return sa.select(
        count(Site, Site.retired_from.is_(None)).label("sites"),
        count(Room, Room.retired_from.is_(None)).label("rooms"),
        count(Provider, Provider.retired_from.is_(None)).label("providers"),
        count(Service, Service.retired_from.is_(None)).label("services"),
        count(Protocol, Protocol.is_active).label("protocols"),
        count(User, User.is_active).label("users"),
        count(ClinicText).label("texts"),
        count(ClinicText, ClinicText.is_placeholder).label("placeholders"),
        lacking(Site, SiteHours.site_id == Site.id, SiteHours).label("site_without_hours"),
        lacking(Site, Room.site_id == Site.id, Room).label("site_without_rooms"),
        lacking(Room, RoomService.room_id == Room.id, RoomService).label("room_without_services"),
        lacking(Provider, ProviderHours.provider_id == Provider.id, ProviderHours).label(
            "provider_without_hours"
        ),
        lacking(Provider, ProviderService.provider_id == Provider.id, ProviderService).label(
            "provider_without_services"
        ),
    )
