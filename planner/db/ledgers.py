"""Reads what is booked as numbers, a ledger a site: one row of the database instead of one an appointment.

What a row costs is mostly its way through driver and library, as an object for each value. So the database itself
puts the numbers of all appointments of a site behind each other, and they arrive as one value.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, aggregate_order_by
from sqlalchemy.orm import Session

from planner.db.models import Appointment, CourseSession
from planner.scheduling import ledger
from planner.scheduling.interval import Interval
from planner.scheduling.ledger import FIELDS, NUMBER, STATUSES, Ledger

BETWEEN = "\x1e"
"""Stands between the zones of two appointments: no JSON holds it."""


def read(session: Session, site_ids: Collection[int], span: Interval) -> Iterator[Ledger]:
    """Yield for each of the sites a ledger of what begins there in the span and cannot run out."""
    statement = _statement(session.get_bind().dialect.name)
    values = {"sites": sorted(site_ids), "since": span.starts_at, "until": span.ends_at}
    rows: Any = session.connection().execute(statement, values).all()
    for site_id, count, packed, zones in rows:
        digits = 8 if isinstance(packed, str) else 4
        if len(packed) != count * len(FIELDS) * digits:
            raise OverflowError(f"a number of site {site_id} has more than 32 bits")
        numbers = array(NUMBER, bytes.fromhex(packed) if isinstance(packed, str) else packed)
        if sys.byteorder == "little":
            numbers.byteswap()
        yield Ledger(site_id, ledger.columns(numbers), _reader(zones))


def _reader(zones: str) -> Callable[[], Sequence[frozenset[str]]]:
    return lambda: tuple(map(_zones, zones.split(BETWEEN)))


@lru_cache(maxsize=1024)
def _zones(text: str) -> frozenset[str]:
    return frozenset(json.loads(text) or ()) if text else frozenset()


@lru_cache
def _statement(dialect: str) -> Any:
    """Built once: putting a statement together takes longer than running it."""
    packed, zones = _PACKED[dialect]()
    return (
        sa.select(Appointment.site_id, sa.func.count(), packed, zones)
        .select_from(Appointment)
        .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
        .where(
            # Of all sites, but named: so the index by site and start is the obvious one to every planner.
            Appointment.site_id.in_(sa.bindparam("sites", expanding=True)),
            Appointment.starts_at >= sa.bindparam("since"),
            Appointment.starts_at < sa.bindparam("until"),
            Appointment.status.in_([_plain(status.value) for status in STATUSES]),
        )
        .group_by(Appointment.site_id)
    )


def _numbers(seconds: Callable[[Any], Any]) -> Iterator[Any]:
    def minutes(at: Any) -> Any:
        return seconds(at) // _plain(60)

    def minutes_up(at: Any) -> Any:
        return (seconds(at) + _plain(59)) // _plain(60)

    places = [(_plain(one.value), _plain(place)) for place, one in enumerate(STATUSES)]
    status = sa.case(*((Appointment.status == word, place) for word, place in places))
    found: Mapping[str, Any] = {
        "appointment_id": Appointment.id,
        "provider_id": Appointment.provider_id,
        "room_id": Appointment.room_id,
        "patient_id": Appointment.patient_id,
        "service_id": Appointment.service_id,
        "status": status,
        "course_id": sa.func.coalesce(CourseSession.course_id, _plain(0)),
        "number": sa.func.coalesce(CourseSession.number, _plain(0)),
        "starts": minutes(Appointment.starts_at),
        "ends": minutes_up(Appointment.ends_at),
        "room_from": minutes(Appointment.room_from),
        "room_until": minutes_up(Appointment.room_until),
        "patient_until": minutes_up(Appointment.patient_until),
    }
    return (found[name] for name in FIELDS)


def _sqlite() -> tuple[Any, Any]:
    """Hexadecimal, eight digits a number: what can be put together there. Ordered by the ledger, when need be."""
    numbers = _numbers(lambda at: sa.func.unixepoch(at, type_=sa.Integer))
    packed = sa.func.printf(_plain("%08x" * len(FIELDS)), *numbers)
    zones = sa.func.coalesce(sa.type_coerce(CourseSession.zones, sa.Text), _plain(""))
    return sa.func.group_concat(packed, ""), sa.func.group_concat(zones, BETWEEN)


def _postgresql() -> tuple[Any, Any]:
    """Bytes, four a number, highest first: as the server sends an integer."""

    def seconds(at: Any) -> Any:
        return sa.cast(sa.func.date_part(_plain("epoch"), at), sa.BigInteger)

    def sent(number: Any) -> Any:
        return sa.func.int4send(sa.cast(number, sa.Integer), type_=BYTEA)

    packed, *others = map(sent, _numbers(seconds))
    for number in others:
        packed = packed.concat(number)
    zones = sa.func.coalesce(sa.cast(CourseSession.zones, sa.Text), _plain(""))
    order = (Appointment.starts_at, Appointment.id)
    return (
        sa.func.string_agg(packed, aggregate_order_by(sa.literal_column("''::bytea"), *order)),
        sa.func.string_agg(zones, aggregate_order_by(sa.literal(BETWEEN), *order)),
    )


def _plain(value: int | str) -> Any:
    """A number or word as part of the statement: looked up for every row, parameters take a third of its time."""
    return sa.literal_column(repr(value), sa.Text if isinstance(value, str) else sa.Integer)


_PACKED: Mapping[str, Callable[[], tuple[Any, Any]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
}
