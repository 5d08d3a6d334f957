"""SQL past the application, many connections at once: the database itself lets only one have it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from planner.db import connections
from planner.db.base import Base
from tests import factories
from tests.factories import SmallClinic
from tests.races import arena
from tests.races.arena import Arena

TABLE = Base.metadata.tables["appointment"]
WRITERS = 8
STARTS_AT = factories.at(arena.FIRST_DAY, 10)
SHARED = {"provider": "provider_id", "room": "room_id", "patient": "patient_id"}


@pytest.mark.parametrize("clash", SHARED)
def test_of_connections_that_insert_the_same_at_once_one_commits(
    bound: sa.Engine, clinic: SmallClinic, ring: Arena, database_url: str, clash: str
) -> None:
    booked = _copied(bound, ring)
    start = Barrier(WRITERS, timeout=30)
    writers = connections.create(database_url)

    def write(number: int) -> str:
        row = {
            **booked,
            "key": f"raw-{number}",
            "uid": f"raw-{number}@example.com",
            "provider_id": ring.providers[number],
            "room_id": ring.rooms[number],
            "patient_id": ring.patients[number],
        }
        row[SHARED[clash]] = booked[SHARED[clash]]
        start.wait()
        try:
            with writers.connect().execution_options(**{connections.WRITING: True}) as connection:
                connection.execute(sa.insert(TABLE), row)
                connection.commit()
        except (sa.exc.IntegrityError, sa.exc.OperationalError) as error:
            return _said(error, clash)
        return "stored"

    with ThreadPoolExecutor(WRITERS) as pool:
        endings = sorted(pool.map(write, range(WRITERS)))
    writers.dispose()
    assert endings == ["refused"] * (WRITERS - 1) + ["stored"]


def _copied(bound: sa.Engine, ring: Arena) -> dict[str, object]:
    """Return the columns of an appointment that was booked and has then been taken away."""
    key = arena.book(ring.patients[-1], arena.consult(ring, -1, -1, STARTS_AT))
    with bound.connect().execution_options(**{connections.WRITING: True}) as connection:
        row = connection.execute(sa.select(TABLE).where(TABLE.c.key == key)).mappings().one()
        values = {name: value for name, value in row.items() if name != "id"}
        connection.execute(sa.delete(Base.metadata.tables["message"]))
        connection.execute(sa.delete(TABLE))
        connection.commit()
    return values


def _said(error: sa.exc.DBAPIError, clash: str) -> str:
    # Two that wait for each other's row end by the one's deadlock: refused too, but by another word.
    told = str(error.orig)
    named = (f"guard_appointment_{clash}", f"overlap: {clash}", "deadlock detected")
    return "refused" if any(name in told for name in named) else told
