"""A process that is killed in the middle of a change leaves nothing of it, and locks nobody out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import flask
import sqlalchemy as sa

from planner.db import audit, engine
from planner.db.engine import Tx
from planner.db.models import AuditRow, Patient
from tests import factories
from tests.db.conftest import DESK, NOW
from tests.support import processes

KILLS = 5


def die_before_the_commit(url: str, patient_id: int) -> None:
    """Change a row, have it flushed, and be killed."""
    app = flask.Flask("killed")
    engine.configure(app, url)

    def work(tx: Tx) -> None:
        tx.session.get_one(Patient, patient_id).note = "never"
        factories.patient(tx.session, given_name="Nobody")
        os.kill(os.getpid(), signal.SIGKILL)

    with app.app_context():
        engine.transaction(work, by=DESK, now=NOW, action="test.kill")


def test_a_killed_process_leaves_nothing_behind(
    bound: sa.Engine, database_url: str, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    context = processes.context()
    for _ in range(KILLS):
        victim = context.Process(target=die_before_the_commit, args=(database_url, patient_id))
        victim.start()
        victim.join(timeout=30)
        assert victim.exitcode == -signal.SIGKILL

    def work(tx: Tx) -> None:
        tx.session.get_one(Patient, patient_id).note = "after"

    engine.transaction(work, by=DESK, now=NOW, action="test.after")
    with engine.reading() as session:
        notes = session.scalars(sa.select(Patient.note)).all()
        actions = session.scalars(sa.select(AuditRow.action)).all()
        assert (notes, actions) == (["after"], ["test.after"])
        assert audit.verify(session).breaks == ()
