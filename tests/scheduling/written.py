"""The same appointments as a database gives them: most as the records of ledgers, the others as they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from planner.scheduling.ledger import A_DAY, EPOCH, LAYOUT, MINUTE, STATUSES, Ledger, Record, Served
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
    sessions = dict(enumerate(rows, start=1))
    records = b"".join(LAYOUT.pack(*_record(busy, its_id)) for its_id, busy in sessions.items())
    return Ledger(site_id, records, lambda: {one: _served(busy) for one, busy in sessions.items()})


def _record(busy: Busy, session_id: int) -> Record:
    slot = busy.slot
    starts, ends = _minutes(slot.starts_at), _minutes(slot.ends_at)
    return Record(
        appointment_id=busy.appointment_id,
        patient_id=slot.patient_id or 0,
        session_id=session_id,
        provider_id=slot.provider_id,
        room_id=slot.room_id,
        service_id=slot.service_id,
        starts=starts,
        status=STATUSES.index(busy.status),
        walk=_minutes(slot.patient_until) - ends,
        since_midnight=starts % A_DAY,
        length=ends - starts,
        preparation=starts - _minutes(slot.room_from),
        turnover=_minutes(slot.room_until) - ends,
    )


def _served(busy: Busy) -> Served:
    return Served(busy.course_id, busy.slot.number, busy.zones)


def _minutes(at: datetime) -> int:
    return (at - EPOCH) // MINUTE
