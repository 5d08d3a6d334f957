"""Sixteen processes want the same provider, room or patient at the same time: exactly one gets it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import flask
import pytest
import sqlalchemy as sa

from planner.db import appointments, audit, engine, guards, locks
from planner.db.engine import Tx
from planner.db.models import Appointment
from planner.errors import Refused
from planner.scheduling.timetable import Slot, Status
from tests import factories
from tests.db.conftest import DESK, NOW, TODAY
from tests.factories import SmallClinic
from tests.support import processes

RIVALS = 16
ROUNDS = 6
CLASHES = ("provider", "room", "patient")


def wanted(clinic: SmallClinic, clash: str, rival: int, number: int) -> Slot:
    """The slot a rival wants: of everybody's actors only the clashing one is the same for all."""
    hour = number * len(CLASHES) + CLASHES.index(clash)
    starts_at = factories.at(TODAY, 0) + timedelta(hours=hour)
    ends_at = starts_at + timedelta(minutes=30)
    return Slot(
        service_id=clinic.consult,
        site_id=clinic.miami,
        provider_id=clinic.md if clash == "provider" else 100 + rival,
        room_id=clinic.miami_1 if clash == "room" else 100 + rival,
        patient_id=1 if clash == "patient" else 100 + rival,
        starts_at=starts_at, ends_at=ends_at, room_from=starts_at, room_until=ends_at,
        patient_until=ends_at,
    )  # fmt: skip


def race(
    url: str, clinic: SmallClinic, is_locking: bool, rival: int, start: Barrier, told: Queue[str]
) -> None:
    """Be one of the processes: one attempt per clash and round, and tell how each ended."""
    app = flask.Flask("race")
    engine.configure(app, url)
    with app.app_context():
        for number in range(ROUNDS):
            for clash in CLASHES:
                slot = wanted(clinic, clash, rival, number)
                start.wait()
                told.put(f"{clash} {number} {_attempt(slot, is_locking)}")
        engine.db.engine.dispose()


@pytest.mark.parametrize("is_locking", [True, False], ids=["locks", "guards alone"])
def test_exactly_one_of_sixteen_processes_wins_each_race(
    bound: sa.Engine,
    database_url: str,
    clinic: SmallClinic,
    given: Callable[..., int],
    is_locking: bool,
) -> None:
    _add_actors(bound, clinic, given)
    context = processes.context()
    start, told = context.Barrier(RIVALS, timeout=60), context.Queue()
    rivals = [
        context.Process(target=race, args=(database_url, clinic, is_locking, rival, start, told))
        for rival in range(RIVALS)
    ]
    for rival in rivals:
        rival.start()
    outcomes = Counter(told.get(timeout=60) for _ in range(RIVALS * ROUNDS * len(CLASHES)))
    for rival in rivals:
        rival.join(timeout=30)
    expected = {
        f"{clash} {number} {end}": count
        for clash in CLASHES
        for number in range(ROUNDS)
        for end, count in (("won", 1), (f"{clash}.busy", RIVALS - 1))
    }
    assert outcomes == expected
    with bound.connect() as connection:
        guards.probe(connection)
    with engine.reading() as session:
        assert audit.verify(session).breaks == ()
        stored = session.scalar(sa.select(sa.func.count()).select_from(Appointment))
    assert stored == ROUNDS * len(CLASHES)


def _attempt(slot: Slot, is_locking: bool) -> str:
    def work(tx: Tx) -> None:
        if is_locking:
            locks.lock(
                tx,
                provider_ids=[slot.provider_id],
                room_ids=[slot.room_id],
                patient_ids=[slot.patient_id or 0],
            )
        appointments.add(tx, slot, status=Status.BOOKED)

    try:
        engine.transaction(work, by=DESK, now=NOW, action="appointment.book")
    except Refused as refusal:
        return refusal.conflicts[0].code
    return "won"


def _add_actors(bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]) -> None:
    given(factories.patient)
    with bound.begin() as connection:
        for rival in range(100, 100 + RIVALS):
            for table, columns in (
                ("provider", f"{rival}, 'P{rival}', '', '#000000', 0, 1"),
                ("room", f"{rival}, {clinic.miami}, 'R{rival}', '', 0, 1"),
            ):
                names = "id, name, credentials, colour, position, version"
                if table == "room":
                    names = "id, site_id, name, note, position, version"
                connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({columns})")
    for rival in range(100, 100 + RIVALS):
        given(factories.patient, id=rival)
