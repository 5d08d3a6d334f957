"""A clinic to try planner on: made up, seeded, and booked by the same rules as a real one.

``fill`` writes sites, people and sixteen months of appointments into an empty database. The same seed, size
and day always give the same clinic. Names are generated, phones are 305-555-01xx, mail is @example.com.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from planner.db.engine import reading
from planner.demo import catalogue, planted, simulation, writing
from planner.scheduling import hours

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much to make: people who come for other services, visits a day over all sites, the span in months.

    Every consult brings a new patient besides.
    """

    regulars: int
    per_day: float
    months_before: int
    months_after: int
    sites: int
    providers: int


SIZES = {
    "S": Size(regulars=5, per_day=2, months_before=2, months_after=2, sites=2, providers=6),
    "M": Size(regulars=820, per_day=22, months_before=12, months_after=4, sites=2, providers=6),
    "L": Size(regulars=6_000, per_day=180, months_before=9, months_after=3, sites=6, providers=64),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made, in numbers."""

    patients: int
    courses: int
    appointments: int


class NotEmpty(Exception):
    """The database has a clinic in it already; nothing was written."""


def is_empty() -> bool:
    """Whether nobody has set up a site yet."""
    with reading() as session:
        return catalogue.is_empty(session)


def day_of(now: datetime) -> date:
    """Return the day it is in the demo clinic."""
    return hours.day_of(now, catalogue.ZONE)


def fill(
    size: str, *, seed: int, today: date, progress: Progress, now: datetime | None = None
) -> Made:
    """Write the demo clinic of a size (S, M or L) as it is at ``now``: early on the day, unless told.

    Raises NotEmpty.

    ``progress`` is called with what is being done, how much of it is done, and how much there is.
    """
    if not is_empty():
        raise NotEmpty
    chosen = SIZES[size]
    now = now or datetime.combine(today, time(12), tzinfo=UTC)
    writing.write_catalogue(chosen, seed=seed, today=today, now=now)
    world = simulation.World(chosen, seed=seed, today=today, now=now)
    simulation.run(world, progress)
    return writing.write_people(world, planted.plant(world), progress)
