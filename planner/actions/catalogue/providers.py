"""Providers: who they are, when they work where, and what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from planner.actions.catalogue import checks, weekly
from planner.db import catalogue
from planner.db.catalogue import Capability, WeeklyRow
from planner.db.engine import Tx, transaction
from planner.db.models import Provider, Service, Site
from planner.errors import Invalid
from planner.who import Who

__all__ = ["Capability", "ProviderValues", "allow", "save", "save_hours"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderValues:
    """A provider as typed."""

    name: str
    credentials: str
    colour: str
    position: int = 0


def save(
    provider_id: int | None, values: ProviderValues, *, version: int, by: Who, now: datetime
) -> int:
    """Add a provider, or change one; return the id. Raises Invalid, Stale or NotFound."""
    checks.raise_if(_problems(values))

    def work(tx: Tx) -> int:
        typed = checks.fields(values)
        return catalogue.write(tx.session, Provider, provider_id, version, typed).id

    return transaction(work, by=by, now=now, action="provider.save")


def save_hours(
    provider_id: int,
    site_id: int,
    rows: Sequence[WeeklyRow],
    *,
    version: int,
    by: Who,
    now: datetime,
) -> None:
    """Make these the provider's hours and breaks at one site. Raises Invalid by row."""
    weekly.judge(rows)

    def work(tx: Tx) -> None:
        provider = catalogue.get(tx.session, Provider, provider_id)
        catalogue.get(tx.session, Site, site_id)
        catalogue.expect(provider, version, {})
        catalogue.touch(provider)
        catalogue.replace_provider_hours(tx.session, provider_id, site_id, rows)

    transaction(work, by=by, now=now, action="provider.save_hours")


def allow(
    provider_id: int, cells: Sequence[Capability], *, version: int, by: Who, now: datetime
) -> None:
    """Set what the provider may treat and examine, per service and site."""

    def work(tx: Tx) -> None:
        provider = catalogue.get(tx.session, Provider, provider_id)
        catalogue.expect(provider, version, {})
        services = {cell.service_id for cell in cells}
        sites = {cell.site_id for cell in cells}
        if catalogue.known(tx.session, Service, services) != services:
            raise Invalid({"": "choice"})
        if catalogue.known(tx.session, Site, sites) != sites:
            raise Invalid({"": "choice"})
        catalogue.touch(provider)
        catalogue.replace_capabilities(tx.session, provider_id, cells)

    transaction(work, by=by, now=now, action="provider.allow")


def _problems(values: ProviderValues) -> dict[str, str | None]:
    return {
        "name": checks.text(values.name, 120, required=True),
        "credentials": checks.text(values.credentials, 40),
        "colour": checks.colour(values.colour),
        "position": checks.within(values.position, 0, 999),
    }
