"""Sound values of everything that a manager sets up, and ways to look at what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions.catalogue.clinic import ClinicValues
from planner.actions.catalogue.providers import ProviderValues
from planner.actions.catalogue.services import ProtocolValues, ServiceValues
from planner.actions.catalogue.sites import SiteValues
from planner.actions.catalogue.weekly import WeeklyRow
from planner.errors import Invalid
from planner.who import Who
from tests.factories import SmallClinic

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)  # Monday, 9:00 at the sites
TODAY = date(2027, 3, 1)
MANAGER = Who(user_id=None, role="manager", origin="127.0.0.1", request_id="r-1")
BY: dict[str, Any] = {"by": MANAGER, "now": NOW}

SITE = SiteValues(
    name="Kendall",
    address="1 Main St",
    phone="(305) 555-0100",
    colour="teal",
    zone="America/New_York",
    grid_minutes=15,
)
PROVIDER = ProviderValues(name="Ana Diaz", credentials="MD", colour="blue")
SERVICE = ServiceValues(
    code="VEIN",
    name="Vein mapping",
    kind="other",
    minutes=30,
    minutes_choices=(30, 45),
    preparation_minutes=None,
    turnover_minutes=10,
    walk_minutes=0,
    colour="green",
)
CLINIC = ClinicValues(
    name="Glamour",
    neutral_name="Your visits",
    phone="(305) 555-0100",
    email="desk@example.com",
    colour="#0f766e",
    languages=("en", "es"),
)
HUGE = "x" * 10_000


def protocol(clinic: SmallClinic, **changes: Any) -> ProtocolValues:
    sound = ProtocolValues(
        name="4 × 3 weeks",
        service_id=clinic.sclerotherapy,
        sessions=4,
        minutes=45,
        zones="new",
        gap_floor=14,
        gap_target=21,
        gap_soft_max=28,
        sentence="",
        is_active=True,
    )
    return replace(sound, **changes)


def row(weekday: int, starts: time, ends: time, **rest: Any) -> WeeklyRow:
    return WeeklyRow(weekday=weekday, starts=starts, ends=ends, **rest)


def refused(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        call()
    return caught.value.fields


def all_of(bound: sa.Engine, kind: type[Any]) -> list[Any]:
    with Session(bound) as session:
        return list(session.scalars(sa.select(kind)))


def version(bound: sa.Engine, kind: type[Any], row_id: int) -> int:
    with Session(bound) as session:
        return int(session.get_one(kind, row_id).version)
