"""Reads what is booked as records, a ledger a site: one row of the database instead of one an appointment.

What a row costs is mostly its way through driver and library, as an object for each value. So the database itself
keeps of each appointment a record of its numbers, in the index by site and start (migration 0009), puts those of a
site behind each other, and they arrive as one value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.models import Appointment, CourseSession
from planner.db.prepared import Prepared
from planner.scheduling.interval import Interval
from planner.scheduling.ledger import LAYOUT, Ledger, Served

PREFIX = "ledger_"
"""So begin the names of what the database works out for ledgers: no model has it, so none can write it."""

BETWEEN = "\x1e"
"""Stands between what is said of two sessions: no JSON holds it."""


def read(session: Session, site_ids: Collection[int], span: Interval) -> Iterator[Ledger]:
    """Yield for each of the sites a ledger of what begins there in the span and cannot run out."""
    if not site_ids:
        return
    statement = _statement(session.get_bind().dialect.name)
    values = {"sites": sorted(site_ids), "since": span.starts_at, "until": span.ends_at}
    for site_id, count, found, served in statement.all(session.connection(), values):
        if not count:
            continue
        records = bytes.fromhex(found) if isinstance(found, str) else found
        if len(records) != count * LAYOUT.size:
            raise OverflowError(f"a number of site {site_id} is too large for its record")
        yield Ledger(site_id, records, _reader(served or ""))


def _reader(served: str) -> Callable[[], Mapping[int, Served]]:
    return lambda: dict(map(_served, served.split(BETWEEN))) if served else {}


def _served(text: str) -> tuple[int, Served]:
    its_id, course_id, number, zones = text.split(",", 3)
    return int(its_id), Served(int(course_id), int(number), _zones(zones))


@lru_cache(maxsize=1024)
def _zones(text: str) -> frozenset[str]:
    return frozenset(json.loads(text) or ())


@lru_cache
def _statement(dialect: str) -> Prepared:
    visit, its = Appointment, CourseSession
    record: Any = sa.literal_column(f"{visit.__tablename__}.{PREFIX}record")
    first, *others = (
        sa.type_coerce(one, sa.Text) for one in (its.id, its.course_id, its.number, its.zones)
    )
    served: Any = sum((_plain(",") + other for other in others), first)
    # Looked up where there is one: a join would ask about each.
    its_session = sa.select(served).where(its.id == visit.course_session_id).scalar_subquery()
    together, nothing = _TOGETHER[dialect]
    return Prepared(
        sa.select(
            visit.site_id,
            sa.func.count(record).label("count"),
            together(record, nothing).label("records"),
            together(
                sa.case((visit.course_session_id.is_not(None), its_session)), _plain(BETWEEN)
            ).label("served"),
        )
        .where(
            # Of all sites, but named: so the index by site and start is the obvious one to every planner.
            visit.site_id.in_(sa.bindparam("sites", expanding=True)),
            visit.starts_at >= sa.bindparam("since"),
            visit.starts_at < sa.bindparam("until"),
        )
        .group_by(visit.site_id),
        is_binary=True,
    )


def _plain(text: str) -> Any:
    """A text as part of the statement: looked up for every row, parameters take a third of its time."""
    return sa.literal_column(f"'{text}'", sa.Text)


_TOGETHER: Mapping[str, tuple[Any, Any]] = {
    "sqlite": (sa.func.group_concat, _plain("")),
    "postgresql": (sa.func.string_agg, sa.literal_column("''::bytea")),
}
