"""``planner ics`` writes the same file as the pages hand out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from planner import clock
from planner.app import create_app
from planner.cli import cli
from planner.db import connections
from planner.db.models import AuditRow, Patient
from tests import factories
from tests.support import calendars


@pytest.fixture
def patient(sqlite_url: str) -> tuple[int, str]:
    """Number and key of a patient with a visit next week."""
    today = clock.now().date()
    engine = connections.create(sqlite_url)
    with Session(engine) as session:
        clinic = factories.clinic(session, today=today)
        patient_id = factories.patient(session)
        factories.appointment(session, clinic, patient_id, day=today + timedelta(days=7))
        session.commit()
        key = session.get_one(Patient, patient_id).key
    engine.dispose()
    return patient_id, key


@pytest.fixture
def planner(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command line on the database."""
    monkeypatch.setenv("PLANNER_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("PLANNER_SECRET_KEY", "a secret of the tests, long enough")

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words), obj=create_app)

    return run


def test_a_patient_is_named_by_number_or_by_key(
    planner: Callable[..., Result], patient: tuple[int, str], sqlite_url: str
) -> None:
    by_number, by_key = (planner("ics", "--patient", str(name)) for name in patient)
    assert (by_number.exit_code, by_number.stdout_bytes) == (0, by_key.stdout_bytes)
    assert len(calendars.icaljs(by_number.stdout_bytes)) == 1
    engine = connections.create(sqlite_url)
    with Session(engine) as session:
        actions = list(session.scalars(sa.select(AuditRow.action)))
    engine.dispose()
    assert actions == ["calendar.download"] * 2


@pytest.mark.parametrize("name", ["0", "999999", "nobody", "", "9" * 40])
def test_nobody_is_a_sentence_and_exit_code_2(
    planner: Callable[..., Result], patient: tuple[int, str], name: str
) -> None:
    answer = planner("ics", "--patient", name)
    assert (answer.exit_code, answer.stderr) == (2, "planner: there is no such patient.\n")
