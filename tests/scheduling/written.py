"""The same appointments as a database gives them: most as the numbers of ledgers, the others as they are."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import datetime

from planner.scheduling import ledger
from planner.scheduling.ledger import EPOCH, FIELDS, MINUTE, NUMBER, STATUSES, Ledger
from planner.scheduling.occupancy import Occupancy
from planner.scheduling.timetable import Busy


def occupancy(rows: Iterable[Busy]) -> Occupancy:
    """Return an occupancy of these; in ledgers stands what is somebody's and cannot run out."""
    settled: dict[int, list[Busy]] = {}
    others = []
    for busy in rows:
        is_somebodys = busy.slot.patient_id is not None
        if busy.status in STATUSES and busy.expires_at is None and is_somebodys:
            settled.setdefault(busy.slot.site_id, []).append(busy)
        else:
            others.append(busy)
    return Occupancy(others, [ledger_of(site_id, of_site) for site_id, of_site in settled.items()])


def ledger_of(site_id: int, rows: Iterable[Busy]) -> Ledger:
    """Return a ledger of appointments of one site, in the order in which they come."""
    listed = tuple(rows)
    numbers = array(NUMBER, [number for busy in listed for number in _numbers(busy)])
    return Ledger(site_id, ledger.columns(numbers), lambda: [busy.zones for busy in listed])


def _numbers(busy: Busy) -> tuple[int, ...]:
    slot = busy.slot
    found = {
        "appointment_id": busy.appointment_id,
        "provider_id": slot.provider_id,
        "room_id": slot.room_id,
        "patient_id": slot.patient_id or 0,
        "service_id": slot.service_id,
        "status": STATUSES.index(busy.status),
        "course_id": busy.course_id or 0,
        "number": slot.number or 0,
        "starts": _minutes(slot.starts_at),
        "ends": _minutes(slot.ends_at),
        "room_from": _minutes(slot.room_from),
        "room_until": _minutes(slot.room_until),
        "patient_until": _minutes(slot.patient_until),
    }
    return tuple(found[name] for name in FIELDS)


def _minutes(at: datetime) -> int:
    return (at - EPOCH) // MINUTE
