"""Sixteen processes book whole use cases against each other: one gets it, the others are told why not."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from planner.db import engine
from planner.db.models import Appointment
from tests import factories
from tests.races import arena, rivals
from tests.races.arena import FIRST_DAY, RIVALS, Arena
from tests.races.rivals import Attempt

CLASHES = ("provider", "room", "patient")
ROUNDS = 2


def wishes(ring: Arena, clash: str, number: int) -> list[Attempt]:
    """Return a booking per rival: overlapping the others', with only the clashing actor the same."""
    day = FIRST_DAY + timedelta(days=number)
    hour = 10 + CLASHES.index(clash)
    return [
        partial(
            arena.book,
            ring.patients[0 if clash == "patient" else rival],
            arena.consult(
                ring,
                0 if clash == "provider" else rival,
                0 if clash == "room" else rival,
                factories.at(day, hour, 15 * (rival % 2)),
            ),
        )
        for rival in range(RIVALS)
    ]


def apart(ring: Arena) -> list[Attempt]:
    """Return bookings at the same time that share nothing."""
    at = factories.at(FIRST_DAY, 15)
    return [
        partial(arena.book, ring.patients[rival], arena.consult(ring, rival, rival, at))
        for rival in range(RIVALS)
    ]


def test_of_sixteen_bookings_exactly_one_gets_the_actor_and_nobody_else_waits_in_vain(
    ring: Arena, database_url: str
) -> None:
    contests = {
        f"{clash} {number}": wishes(ring, clash, number)
        for clash in CLASHES
        for number in range(ROUNDS)
    }
    winners = dict.fromkeys(contests, 1) | {"apart": RIVALS}
    told = rivals.race(database_url, contests | {"apart": apart(ring)})
    assert told == rivals.endings(winners, RIVALS)
    with engine.reading() as session:
        stored = session.scalar(sa.select(sa.func.count()).select_from(Appointment))
    assert (stored, arena.faults()) == (sum(winners.values()), ())
