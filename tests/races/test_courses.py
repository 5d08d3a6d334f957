"""Sixteen processes book whole courses against each other: a course is booked whole, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import sqlalchemy as sa

from planner.db import engine
from planner.db.models import Appointment, CourseSession
from tests import factories
from tests.factories import SmallClinic
from tests.races import arena, rivals
from tests.races.arena import FIRST_DAY, RIVALS, Arena
from tests.races.rivals import Attempt

SESSIONS = 3
LAST = SESSIONS - 1
EVERYBODY = range(RIVALS)
HOUR = 14


def test_of_sixteen_courses_exactly_one_is_booked_and_that_one_whole(
    bound: sa.Engine, ring: Arena, clinic: SmallClinic, database_url: str
) -> None:
    def courses(of: int = RIVALS) -> list[str]:
        return arena.add_courses(bound, clinic, arena.add_patients(bound, clinic, of))

    own = [[rival] * SESSIONS for rival in EVERYBODY]
    monday, tuesday, wednesday, thursday, friday = (FIRST_DAY + timedelta(days=n) for n in range(5))
    contests = {
        "provider": _all(ring, courses(), monday, [[0] * SESSIONS] * RIVALS, own),
        "room of the last": _all(ring, courses(), tuesday, own, [[r, r, 0] for r in EVERYBODY]),
        "crosswise": _all(ring, courses(), wednesday, _turns(), _turns()),
        "same course": _all(ring, courses(1) * RIVALS, thursday, own, own),
        "course and others": [
            *_all(ring, courses(1), friday, [[0] * SESSIONS], [[0] * SESSIONS]),
            *_consults(ring, friday + LAST * arena.GAP),
        ],
    }
    # Crosswise all want the same three providers and rooms in another order: three orders fit.
    winners = dict.fromkeys(contests, 1) | {"crosswise": SESSIONS}
    found = rivals.race(database_url, contests)
    # Whoever reads the course when it is booked already is told that it has changed.
    found["same course refused"] += found.pop("same course Stale: course", 0)
    assert found == rivals.endings(winners, RIVALS)
    assert set(_booked_per_course()) == {0, SESSIONS}
    assert arena.faults() == ()


def _all(
    ring: Arena,
    keys: Sequence[str],
    day: date,
    providers: Sequence[Sequence[int]],
    rooms: Sequence[Sequence[int]],
) -> list[Attempt]:
    """Return for each course the attempt to book it with its providers and rooms, from a day on."""
    return [
        partial(arena.book_course, key, arena.sessions(ring, own, where, day, HOUR))
        for key, own, where in zip(keys, providers, rooms, strict=True)
    ]


def _turns() -> list[list[int]]:
    return [[(rival + number) % SESSIONS for number in range(SESSIONS)] for rival in EVERYBODY]


def _consults(ring: Arena, day: date) -> list[Attempt]:
    """Return what all rivals but the first want of the first's provider."""
    at = factories.at(day, HOUR)
    return [
        partial(arena.book, ring.patients[rival], arena.consult(ring, 0, rival, at))
        for rival in EVERYBODY[1:]
    ]


def _booked_per_course() -> Counter[int]:
    """Return how many courses have how many appointments."""
    statement = (
        sa.select(sa.func.count(Appointment.id))
        .select_from(CourseSession)
        .outerjoin(Appointment, Appointment.course_session_id == CourseSession.id)
        .group_by(CourseSession.course_id)
    )
    with engine.reading() as session:
        return Counter(session.scalars(statement))
