"""A process that books in a loop is killed: what it had acknowledged is there, and whole courses only."""

from __future__ import annotations

import random
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import flask
import pytest
import sqlalchemy as sa

from planner.db import engine
from planner.db.models import Appointment, CourseSession
from tests import factories
from tests.factories import SmallClinic
from tests.races import arena
from tests.races.arena import FIRST_DAY, RIVALS, Arena
from tests.support import processes

KILLS = 4
MANY_KILLS = 50
PER_LIFE = 12  # patients, each with a consult and a course
SESSIONS = 3
LONGEST_LIFE = 0.3  # seconds after the first booking
PATIENCE = 60.0


def book_until_killed(
    url: str, ring: Arena, asked: list[tuple[int, str]], first: int, told: Path
) -> None:
    """Book a consult and a course for each patient; write down every key once it is acknowledged."""
    app = flask.Flask("victim")
    engine.configure(app, url)
    with app.app_context(), told.open("a", buffering=1) as file:
        for number, (patient, course) in enumerate(asked, start=first):
            rival, turn = number % RIVALS, number // RIVALS
            hour = turn % 3
            day = FIRST_DAY + timedelta(days=turn // 3 % 5 + 42 * (turn // 15))
            at = factories.at(day, 9 + hour)
            file.write(f"{arena.book(patient, arena.consult(ring, rival, rival, at))}\n")
            chosen = arena.sessions(ring, [rival] * 3, [rival] * 3, day, 14 + hour)
            file.writelines(f"{key}\n" for key in arena.book_course(course, chosen))
        sleep(PATIENCE)


@pytest.mark.parametrize(
    "kills", [KILLS, pytest.param(MANY_KILLS, marks=pytest.mark.long)], ids=["some", "many"]
)
def test_nothing_acknowledged_is_lost_and_no_course_is_torn(
    bound: sa.Engine,
    ring: Arena,
    clinic: SmallClinic,
    database_url: str,
    tmp_path: Path,
    kills: int,
) -> None:
    told, chance = tmp_path / "told", random.Random(kills)
    told.touch()
    for life in range(kills):
        patients = arena.add_patients(bound, clinic, PER_LIFE)
        courses = arena.add_courses(bound, clinic, patients)
        asked = list(zip(patients, courses, strict=True))
        _live_and_die(database_url, ring, asked, life, told, chance.uniform(0, LONGEST_LIFE))
    acknowledged = set(told.read_text().split())
    with engine.reading() as session:
        stored = set(session.scalars(sa.select(Appointment.key)))
        per_course = Counter(session.scalars(_APPOINTMENTS_PER_COURSE))
    assert (acknowledged - stored, set(per_course) - {0, SESSIONS}) == (set(), set())
    # What was under way when it died may have been stored and not told: a course at most.
    assert len(stored - acknowledged) <= kills * SESSIONS
    assert len(acknowledged) >= kills
    assert arena.faults() == ()


def _live_and_die(
    url: str, ring: Arena, asked: list[tuple[int, str]], life: int, told: Path, seconds: float
) -> None:
    """Let a process book, and kill it so many seconds after its first acknowledged booking."""
    size = told.stat().st_size
    victim = processes.context().Process(
        target=book_until_killed, args=(url, ring, asked, life * PER_LIFE, told)
    )
    victim.start()
    deadline = monotonic() + PATIENCE
    while told.stat().st_size == size and victim.is_alive() and monotonic() < deadline:
        sleep(0.005)
    sleep(seconds)
    victim.kill()
    victim.join(timeout=PATIENCE)
    assert victim.exitcode == -signal.SIGKILL


_APPOINTMENTS_PER_COURSE = (
    sa.select(sa.func.count(Appointment.id))
    .select_from(CourseSession)
    .outerjoin(Appointment, Appointment.course_session_id == CourseSession.id)
    .group_by(CourseSession.course_id)
)
