"""The clinic of ``tests.scheduling.workload`` as rows of a database: what is asked cold has to be read first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from planner.db import keys, migrate
from planner.db.base import Base
from planner.scheduling.timetable import Timetable, WeeklyHours

TABLES = Base.metadata.tables
COLOUR = "#0f766e"
WRITTEN_AT = datetime(2026, 1, 5, 15, tzinfo=UTC)


def write(url: str, engine: sa.Engine, timetable: Timetable) -> None:
    """Migrate an empty database and write the timetable's catalogue, its bookings and whose they are."""
    migrate.upgrade(url)
    with engine.begin() as connection:
        for name, rows in (
            *_catalogue(timetable),
            ("patient", _patients(timetable)),
            ("appointment", _appointments(timetable)),
        ):
            connection.execute(sa.insert(TABLES[name]), list(rows))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")  # as its autovacuum would after a while


Rows = Iterator[dict[str, Any]]


def _catalogue(timetable: Timetable) -> Iterator[tuple[str, Rows]]:
    sites, services = timetable.sites, timetable.services
    rooms, providers = timetable.rooms, timetable.providers
    yield (
        "site",
        (
            {
                "id": one,
                "name": f"Site {one}",
                "colour": COLOUR,
                "zone": site.zone,
                "grid_minutes": site.grid_minutes,
            }
            for one, site in sites.items()
        ),
    )
    yield (
        "site_hours",
        (
            {"site_id": one, "opens": row.starts, "closes": row.ends, "weekday": row.weekday}
            for one, site in sites.items()
            for row in site.hours
        ),
    )
    yield (
        "service",
        (
            {
                "id": one,
                "code": f"S{one}",
                "name": f"Service {one}",
                "colour": COLOUR,
                "kind": service.kind.value,
                "minutes": service.minutes,
                "minutes_choices": [service.minutes],
                "walk_minutes": service.walk_minutes,
                "preparation_minutes": service.preparation_minutes,
                "turnover_minutes": service.turnover_minutes,
            }
            for one, service in services.items()
        ),
    )
    yield (
        "room",
        (
            {"id": one, "site_id": room.site_id, "name": f"Room {one}"}
            for one, room in rooms.items()
        ),
    )
    yield (
        "room_service",
        (
            {"room_id": one, "service_id": service_id}
            for one, room in rooms.items()
            for service_id in room.service_ids
        ),
    )
    yield "provider", ({"id": one, "name": f"Provider {one}"} for one in providers)
    yield (
        "provider_hours",
        (
            {"provider_id": one, "site_id": site_id, "kind": kind} | _weekly(row)
            for one, provider in providers.items()
            for kind, hours in (("work", provider.hours), ("break", provider.breaks))
            for site_id, rows in hours.items()
            for row in rows
        ),
    )
    yield (
        "provider_service",
        (
            {"provider_id": one, "service_id": service_id, "site_id": site_id}
            for one, provider in providers.items()
            for service_id, site_id in provider.treats
        ),
    )


def _weekly(row: WeeklyHours) -> dict[str, Any]:
    return {"weekday": row.weekday, "starts": row.starts, "ends": row.ends}


def _patients(timetable: Timetable) -> Rows:
    for patient_id in sorted({busy.slot.patient_id or 0 for busy in timetable.busy}):
        yield {
            "id": patient_id,
            "key": keys.new(),
            "given_name": "Maria",
            "family_name": f"Lopez {patient_id}",
            "search_text": f"maria lopez {patient_id}",
            "created_at": WRITTEN_AT,
        }


def _appointments(timetable: Timetable) -> Rows:
    for busy in timetable.busy:
        slot = busy.slot
        yield {
            "id": busy.appointment_id,
            "key": keys.new(),
            "uid": keys.uid(),
            "ical_modified_at": WRITTEN_AT,
            "status": busy.status.value,
            "service_id": slot.service_id,
            "patient_id": slot.patient_id,
            "provider_id": slot.provider_id,
            "room_id": slot.room_id,
            "site_id": slot.site_id,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "room_from": slot.room_from,
            "room_until": slot.room_until,
            "patient_until": slot.patient_until,
            "zones_treated": [],
            "created_at": WRITTEN_AT,
        }
