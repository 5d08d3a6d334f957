"""Workers are killed in the middle of their work, before a server that has its own faults."""

from __future__ import annotations

import random
import signal
from collections import Counter
from datetime import datetime, timedelta
from time import monotonic, sleep

import flask
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import engine, keys
from planner.db.messages import LEASE
from planner.db.models import Message
from planner.worker import OUT_OF_REACH
from tests import factories
from tests.db.conftest import NOW
from tests.factories import SmallClinic
from tests.mail.conftest import Clock, make_worker
from tests.support import processes
from tests.support.post_office import PostOffice

PATIENCE = 60.0
FAULTS = ("defer-once", "swallow-once", "hang-up")
"""Every tenth recipient meets one of these."""


def send_until_killed(url: str, port: int, now: datetime) -> None:
    """Send what is due, as a process of its own."""
    app = flask.Flask("victim")
    engine.configure(app, url)
    with app.app_context():
        make_worker(port, Clock(now)).once()


@pytest.mark.parametrize(
    ("count", "kills"),
    [(50, 3), pytest.param(1000, 40, marks=pytest.mark.long)],
    ids=["some", "many"],
)
def test_no_message_is_lost_and_copies_carry_one_message_id(
    bound: sa.Engine,
    clinic: SmallClinic,
    office: PostOffice,
    database_url: str,
    count: int,
    kills: int,
) -> None:
    wanted = _fill(bound, count)
    chance = random.Random(count)
    now, lives = NOW, 0
    while lives < kills and _unsent(bound):
        _live_and_die(database_url, office, now, chance.uniform(0, 0.3))
        now, lives = now + LEASE + timedelta(seconds=1), lives + 1
    _send_the_rest(bound, office, now)
    assert (_unsent(bound), set(office.recipients)) == (Counter(), wanted)
    copies = {whom: times for whom, times in Counter(office.recipients).items() if times > 1}
    ids = {whom: {str(mail["Message-ID"]) for mail in office.of(whom)} for whom in copies}
    assert {whom: len(found) for whom, found in ids.items()} == dict.fromkeys(copies, 1)
    # A copy only where nobody could know: the answer was lost, or the worker with it.
    unexplained = {whom for whom in copies if not whom.startswith("swallow-once")}
    assert len(unexplained) <= lives
    assert lives >= min(kills, 2)


def _fill(bound: sa.Engine, count: int) -> set[str]:
    """Let a message wait for each of so many patients; return their addresses."""
    wanted = set()
    with Session(bound) as session:
        for number in range(count):
            fault = FAULTS[number // 10 % 3] if number % 10 == 0 else "patient"
            email = f"{fault}+{number}@example.com"
            wanted.add(email)
            patient_id = factories.patient(session, email=email)
            session.add(
                Message(
                    key=keys.new(), kind="next_session", channel="mail", status="waiting",
                    patient_id=patient_id, facts={}, not_before=NOW, next_attempt_at=NOW,
                    expires_at=NOW + timedelta(days=30), created_at=NOW,
                )
            )  # fmt: skip
        session.commit()
    return wanted


def _unsent(bound: sa.Engine) -> Counter[tuple[str, str]]:
    """Count what has not been sent, by status and reason."""
    unsent = sa.select(Message.status, Message.reason).where(Message.status != "sent")
    with Session(bound) as session:
        return Counter((status, reason) for status, reason in session.execute(unsent))


def _send_the_rest(bound: sa.Engine, office: PostOffice, now: datetime) -> None:
    """Let one last worker send until nothing waits any more, the clock going on to what is due next.

    A server that does not answer within the worker's patience ends a pass: as many are needed as
    there are. Ends early when a minute brings nothing.
    """
    clock = Clock(now)
    worker = make_worker(office.port, clock)
    left, deadline = _unsent(bound).total(), monotonic() + PATIENCE
    while (due := _next_due(bound)) is not None and monotonic() < deadline:
        clock.at = max(clock.at + OUT_OF_REACH, due)
        worker.once()
        if left != (left := _unsent(bound).total()):
            deadline = monotonic() + PATIENCE
    worker.rest()


def _next_due(bound: sa.Engine) -> datetime | None:
    """Return when the next message may be tried, or its dead worker's lease is over."""
    at = sa.case((Message.status == "sending", Message.lease_until), else_=Message.next_attempt_at)
    due = sa.func.min(at, type_=Message.next_attempt_at.type)
    statement = sa.select(due).where(Message.status.in_(("waiting", "sending")))
    with Session(bound) as session:
        found: datetime | None = session.scalar(statement)
    return found


def _live_and_die(url: str, office: PostOffice, now: datetime, seconds: float) -> None:
    """Let a worker send, and kill it so many seconds after its first message arrived."""
    before = len(office.taken)
    victim = processes.context().Process(target=send_until_killed, args=(url, office.port, now))
    victim.start()
    deadline = monotonic() + PATIENCE
    while len(office.taken) == before and victim.is_alive() and monotonic() < deadline:
        sleep(0.005)
    sleep(seconds)
    victim.kill()
    victim.join(timeout=PATIENCE)
    assert victim.exitcode in (-signal.SIGKILL, 0)
