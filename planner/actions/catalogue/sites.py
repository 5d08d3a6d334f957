"""Sites and their weekly hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from planner.actions.catalogue import checks, weekly
from planner.db import catalogue
from planner.db.catalogue import WeeklyRow
from planner.db.engine import Tx, transaction
from planner.db.models import Site
from planner.who import Who

GRIDS = (5, 10, 15, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteValues:
    """A site as it is typed; starts lie every ``grid_minutes`` from midnight.

    From ``quiet_from`` until ``quiet_until`` no message leaves; when they are equal any time will do.
    """

    name: str
    address: str
    phone: str
    colour: str
    zone: str
    grid_minutes: int
    arrival_note: str = ""
    quiet_from: time = time(20)
    quiet_until: time = time(8)
    position: int = 0


def save(site_id: int | None, values: SiteValues, *, version: int, by: Who, now: datetime) -> int:
    """Add a site, or change one; return its id. Raises Invalid, Stale or NotFound."""
    checks.raise_if(_problems(values))

    def work(tx: Tx) -> int:
        if catalogue.is_taken(tx.session, Site, but_id=site_id, name=values.name):
            checks.raise_if({"name": "taken"})
        typed = checks.fields(values)
        return catalogue.write(tx.session, Site, site_id, version, typed).id

    return transaction(work, by=by, now=now, action="site.save")


def save_hours(
    site_id: int, rows: Sequence[WeeklyRow], *, version: int, by: Who, now: datetime
) -> None:
    """Make these the site's weekly hours. Raises Invalid by ``rows-<index>-<field>``."""
    weekly.judge(rows)

    def work(tx: Tx) -> None:
        site = catalogue.get(tx.session, Site, site_id)
        catalogue.expect(site, version, {})
        catalogue.touch(site)
        catalogue.replace_site_hours(tx.session, site_id, rows)

    transaction(work, by=by, now=now, action="site.save_hours")


def _problems(values: SiteValues) -> dict[str, str | None]:
    return {
        "name": checks.text(values.name, 80, required=True),
        "address": checks.text(values.address, 300, lines=True),
        "phone": checks.phone(values.phone),
        "colour": checks.colour(values.colour),
        "zone": checks.zone(values.zone),
        "grid_minutes": None if values.grid_minutes in GRIDS else "choice",
        "arrival_note": checks.text(values.arrival_note, 500, lines=True),
        "position": checks.within(values.position, 0, 999),
    }
