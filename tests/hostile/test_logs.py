"""What is logged: never what somebody typed, is called, or holds."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog.testing
import time_machine

from planner.db.engine import db
from tests import factories
from tests.hostile import judge, plan
from tests.hostile import world as worlds
from tests.hostile.world import OTHER_TOKEN, PAGE_TOKEN, World
from tests.support import databases
from tests.web.conftest import EMAILS

NAMES = {
    "given_name": "Quetzalina", "family_name": "Wyvernquist", "phone": "+13055550177",
    "email": "quetzalina@example.com", "note": "unmistakable-note", "reason": "unmistakable-reason",
    "health_answer": "unmistakable-answer", "call_back_note": "unmistakable-call",
}  # fmt: skip
TYPED = "unmistakable-typing"
PASSWORD_TYPED = "seven green umbrellas at noon"


@pytest.fixture
def told(run_folder: Path, tmp_path: Path) -> Iterator[World]:
    """The clinic with a patient whose facts would be noticed anywhere."""
    path = tmp_path / "planner.sqlite3"
    shutil.copyfile(databases.sqlite_template(run_folder), path)
    url = f"sqlite:///{path}"
    with time_machine.travel(worlds.NOW, tick=False):
        made = worlds.open_on(url, worlds.fill(url, NAMES), lambda _version: None)
        made.put_back = worlds.keep_sqlite(url)
        yield made
    made.close()


def test_no_log_line_says_who_it_was_about_or_what_was_typed(
    told: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        _work(told)
    written = capfd.readouterr()
    everything = f"{lines}{caplog.text}{written.out}{written.err}".casefold()
    assert [secret for secret in _secrets(told) if secret.casefold() in everything] == []
    assert len(lines) > 100


def test_no_fault_is_logged_with_its_message(
    told: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What broke may quote the values around it; here everything breaks that reads a patient."""
    token = {"q": TYPED, "given_name": TYPED}
    with structlog.testing.capture_logs() as lines:
        for break_it in (_unreadable, _without_tables):
            with break_it(told):
                answers = [
                    told.ask("manager", f"/patients?q={TYPED}"),
                    told.ask("manager", f"/patients/{told.cast.patients['ana']}"),
                    told.ask("manager", "/patients/new", method="POST", data=token),
                    told.ask("", f"/p/{PAGE_TOKEN}"),
                ]
            assert {answer.status_code for answer in answers} <= {302, 400, 401, 500, 503}
            assert not any(fault for one in answers for fault in judge.wrong_text(one))
    written = capfd.readouterr()
    everything = f"{lines}{written.out}{written.err}".casefold()
    assert any(line["event"] == "fault" for line in lines)
    assert [secret for secret in _secrets(told) if secret.casefold() in everything] == []


def _work(world: World) -> None:
    """Look at everything, send every form once as meant and once spoilt, sign in wrongly."""
    found = list(plan.cases(world, plan.forms(world)))
    for case in plan.sample(found, 400, seed=7):
        judge.send(world, case)
    world.restore()
    for address in (EMAILS["manager"], NAMES["email"], TYPED):
        fields = {"email": address, "password": PASSWORD_TYPED, "next": f"/patients/{TYPED}"}
        world.post("", "/sign-in", f"/sign-in?next=/{TYPED}", fields)
    for path in (f"/p/{TYPED}", f"/patients/{TYPED}", f"/patients?q={NAMES['family_name']}"):
        world.ask("manager", path, headers={"Referer": f"http://localhost/p/{PAGE_TOKEN}"})


def _secrets(world: World) -> list[str]:
    keys = [*world.cast.patients.values(), *world.cast.appointments.values()]
    return [
        *NAMES.values(), "305) 555-0177", TYPED, PASSWORD_TYPED, factories.PASSWORD, "umbrellas",
        OTHER_TOKEN, PAGE_TOKEN, *EMAILS.values(), *world.cookies.values(), *keys,
        "Something plain", "csrf_token",
    ]  # fmt: skip


class _unreadable:  # noqa: N801  reads like a function where it is used
    """The database file holds something else."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self) -> None:
        with self.world.app.app_context():
            db.engine.dispose()
            self.path = Path(db.engine.url.database or "")
        self.sound = self.path.read_bytes()
        self.path.write_bytes(f"{TYPED} {NAMES['family_name']}".encode() * 500)

    def __exit__(self, *_error: object) -> None:
        with self.world.app.app_context():
            db.engine.dispose()
        self.path.write_bytes(self.sound)


class _without_tables(_unreadable):  # noqa: N801  the same
    """The table of patients has gone."""

    def __enter__(self) -> None:
        with self.world.app.app_context():
            self.path = Path(db.engine.url.database or "")
            db.engine.dispose()
            self.sound = self.path.read_bytes()
            with db.engine.begin() as connection:
                connection.execute(sa.text("ALTER TABLE patient RENAME TO gone"))
            db.engine.dispose()
