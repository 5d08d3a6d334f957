"""Rooms, and what each can host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from planner.actions.catalogue import checks
from planner.db import catalogue
from planner.db.engine import Tx, transaction
from planner.db.models import Room, Service, Site
from planner.errors import Invalid, NotFound
from planner.who import Who


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomValues:
    """A room as it is typed. Its site is given once and stays."""

    name: str
    note: str = ""
    position: int = 0


def add(
    site_id: int, values: RoomValues, service_ids: frozenset[int], *, by: Who, now: datetime
) -> int:
    """Add a room to a site; return its id. Raises Invalid or NotFound."""
    checks.raise_if(_problems(values))

    def work(tx: Tx) -> int:
        catalogue.get(tx.session, Site, site_id)
        _refuse_taken(tx, site_id, values.name, None)
        typed = {**checks.fields(values), "site_id": site_id}
        room = catalogue.write(tx.session, Room, None, 0, typed)
        _host(tx, room.id, service_ids)
        return room.id

    return transaction(work, by=by, now=now, action="room.add")


def change(
    room_id: int,
    values: RoomValues,
    service_ids: frozenset[int],
    *,
    version: int,
    by: Who,
    now: datetime,
) -> None:
    """Change a room and what it can host. Raises Invalid, Stale or NotFound."""
    checks.raise_if(_problems(values))

    def work(tx: Tx) -> None:
        room = catalogue.get(tx.session, Room, room_id)
        _refuse_taken(tx, room.site_id, values.name, room_id)
        catalogue.write(tx.session, Room, room_id, version, checks.fields(values))
        _host(tx, room_id, service_ids)

    transaction(work, by=by, now=now, action="room.change")


def host(
    site_id: int,
    wanted: Mapping[int, frozenset[int]],
    *,
    versions: Mapping[int, int],
    by: Who,
    now: datetime,
) -> None:
    """Set which services each room of the site can host. Raises NotFound for a room elsewhere."""

    def work(tx: Tx) -> None:
        for room_id, service_ids in wanted.items():
            room = catalogue.get(tx.session, Room, room_id)
            if room.site_id != site_id:
                raise NotFound(f"room {room_id} of site {site_id}")
            catalogue.expect(room, versions.get(room_id, 0), {})
            if catalogue.hosted(tx.session, room_id) != service_ids:
                catalogue.touch(room)
                _host(tx, room_id, service_ids)

    transaction(work, by=by, now=now, action="room.host")


def _host(tx: Tx, room_id: int, service_ids: frozenset[int]) -> None:
    if catalogue.known(tx.session, Service, service_ids) != service_ids:
        raise Invalid({"services": "choice"})
    catalogue.replace_room_services(tx.session, room_id, service_ids)


def _refuse_taken(tx: Tx, site_id: int, name: str, but_id: int | None) -> None:
    if catalogue.is_taken(tx.session, Room, but_id=but_id, site_id=site_id, name=name):
        raise Invalid({"name": "taken"})


def _problems(values: RoomValues) -> dict[str, str | None]:
    return {
        "name": checks.text(values.name, 80, required=True),
        "note": checks.text(values.note, 300, lines=True),
        "position": checks.within(values.position, 0, 999),
    }
