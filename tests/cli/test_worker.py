"""``planner worker`` as a process: once for cron, and until it is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import clock, config
from planner.config import BadSetting
from planner.db import connections
from planner.db.models import Message
from tests import factories
from tests.support import post_office

PATIENCE = 60.0


@pytest.fixture
def raw(sqlite_url: str) -> sa.Engine:
    """A database with the small clinic and one patient, who waits for a message."""
    engine = connections.create(sqlite_url)
    with Session(engine) as session:
        factories.clinic(session, today=clock.now().date())
        session.commit()
    _wait(engine, "ana@example.com")
    return engine


def environment(url: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PLANNER_DATABASE_URL": url,
        "PLANNER_SECRET_KEY": "k" * 40,
        "PLANNER_MAIL": "file",
        "PLANNER_MAIL_FROM": "desk@clinic.example",
        "PLANNER_MAIL_FOLDER": str(folder / "mail"),
    }


def _wait(engine: sa.Engine, email: str) -> None:
    with Session(engine) as session:
        patient_id = factories.patient(session, email=email)
        due = datetime(2026, 1, 1, tzinfo=UTC)
        session.add(
            Message(
                key=email.partition("@")[0], kind="next_session", channel="mail",
                status="waiting", patient_id=patient_id, facts={}, not_before=due,
                next_attempt_at=due, created_at=due, expires_at=clock.now() + timedelta(days=1),
            )
        )  # fmt: skip
        session.commit()


def test_once_sends_what_is_due_and_ends(raw: sa.Engine, sqlite_url: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "planner", "worker", "--once"],
        capture_output=True, check=False, text=True, env=environment(sqlite_url, tmp_path),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1 messages dealt with.\n")
    (file,) = (tmp_path / "mail").iterdir()
    mail = post_office.parsed(file.read_bytes())
    assert (file.name, mail["To"], mail["Subject"]) == (
        "ana.eml", "ana@example.com", "Your next appointment",
    )  # fmt: skip
    assert "ana@example.com" not in done.stderr  # no address in the log
    raw.dispose()


def test_told_to_stop_it_ends_by_itself(raw: sa.Engine, sqlite_url: str, tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "planner", "worker"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(sqlite_url, tmp_path),
    )  # fmt: skip
    deadline = monotonic() + PATIENCE
    while not (tmp_path / "mail" / "ana.eml").exists() and monotonic() < deadline:
        sleep(0.05)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=PATIENCE) == 0
    with Session(raw) as session:
        statuses = list(session.scalars(sa.select(Message.status)))
    assert statuses == ["sent"]
    raw.dispose()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"MAIL": "pigeon"}, "PLANNER_MAIL is none, console, file, smtp, not 'pigeon'."),
        ({"MAIL": "console"}, "PLANNER_MAIL=console also needs PLANNER_MAIL_FROM."),
        (
            {"MAIL": "smtp", "MAIL_FROM": "a@b.example"},
            "PLANNER_MAIL=smtp also needs PLANNER_SMTP_HOST, PLANNER_PUBLIC_URL.",
        ),
        ({"MAIL_FROM": "a@b\r\nBcc: c@d.example"}, "PLANNER_MAIL_FROM is a mail address"),
        ({"SMTP_USER": "planner"}, "PLANNER_SMTP_USER and PLANNER_SMTP_PASSWORD go together."),
        ({"SMS": "twilio"}, "PLANNER_SMS=twilio also needs PLANNER_SMS_ACCOUNT"),
        ({"SMTP_SECURITY": "yes"}, "PLANNER_SMTP_SECURITY is starttls, tls, none, not 'yes'."),
    ],
)
def test_settings_that_cannot_send_are_said_before_anything_is(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    variables = {f"PLANNER_{name}": value for name, value in given.items()}
    with pytest.raises(BadSetting) as wrong:
        config.from_environment(variables, instance=tmp_path)
    assert said in str(wrong.value)
