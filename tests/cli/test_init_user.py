"""``planner init``, ``user add`` and ``serve``, run as people run them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.app import create_app
from planner.cli import cli
from tests.support import commands

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "purple tractors never whisper"


def _environment(**others: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLANNER_")}
    return {**kept, "PYTHONPATH": str(ROOT), **others}


def _planner(folder: Path, *words: str, typed: str = "", **others: str) -> tuple[int, str, str]:
    done = commands.run(*words, environment=_environment(**others), folder=folder, typed=typed)
    return done.returncode, done.stdout, done.stderr


def _rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "instance" / "planner.sqlite3") as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine after ``planner init``, to copy from."""
    folder = tmp_path_factory.mktemp("made")
    assert _planner(folder, "init")[0] == 0
    return folder


@pytest.fixture
def ready(made: Path, tmp_path: Path) -> Path:
    """A machine after ``planner init``."""
    shutil.copytree(made / "instance", tmp_path / "instance")
    return tmp_path


@pytest.fixture
def add(ready: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``planner user add`` there, in this process."""
    monkeypatch.chdir(ready)
    for variable in [name for name in os.environ if name.startswith("PLANNER_")]:
        monkeypatch.delenv(variable)

    def run(*words: str, typed: str = PASSWORD) -> Result:
        words = ("user", "add", *words, "--password-stdin")
        return CliRunner().invoke(cli, words, obj=create_app, input=typed, prog_name="planner")

    return run


def test_init_makes_everything_that_serving_needs_for_its_owner_alone(ready: Path) -> None:
    instance = ready / "instance"
    modes = {path.name: path.stat().st_mode & 0o777 for path in instance.iterdir()}
    assert (modes["planner.sqlite3"], modes["secret_key"], instance.stat().st_mode & 0o777) == (
        0o600, 0o600, 0o700,
    )  # fmt: skip


def test_init_ships_three_services_and_the_two_sentences_of_the_page(ready: Path) -> None:
    services = _rows(
        ready, "SELECT code, kind, minutes, walk_minutes FROM service ORDER BY position"
    )
    protocols = _rows(
        ready,
        "SELECT name, sessions, zones, gap_floor, gap_target, gap_soft_max, sentence"
        " FROM protocol ORDER BY position",
    )
    assert services == [
        ("CONSULT", "consult", 30, 0),
        ("SCLERO", "session", 45, 20),
        ("REVIEW", "review", 10, 0),
    ]
    assert protocols == [
        ("3 × 2 weeks", 3, "new", 7, 14, 21, "typically three sessions, two weeks apart"),
        (
            "3 × 6 weeks", 3, "same", 28, 42, 56,
            "usually 3 treatments, 6 weeks apart, for the optimal correction",
        ),
    ]  # fmt: skip


def test_init_again_changes_nothing(ready: Path) -> None:
    _rows(ready, "UPDATE service SET name = 'Our own name' WHERE code = 'REVIEW'")
    before = _rows(ready, "SELECT * FROM service") + _rows(ready, "SELECT * FROM clinic_text")
    code = _planner(ready, "init")[0]
    after = _rows(ready, "SELECT * FROM service") + _rows(ready, "SELECT * FROM clinic_text")
    assert (code, after) == (0, before)


def test_what_init_adds_is_in_the_audit_trail(ready: Path) -> None:
    found = _rows(ready, "SELECT DISTINCT action, origin, user_id FROM audit")
    assert found == [("setup.seed", "cli", None)]


def test_a_user_is_added_with_a_password_from_standard_input(
    ready: Path, add: Callable[..., Result]
) -> None:
    added = add("Boss@Example.com", "--role", "manager", typed=PASSWORD + "\n")
    stored = _rows(ready, 'SELECT email, name, role, is_active, password_hash FROM "user"')
    assert (added.exit_code, stored[0][:4]) == (0, ("boss@example.com", "boss", "manager", 1))
    assert PASSWORD not in str(stored) + added.output


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("boss@example.com", "short", "at least 15 characters"),
        ("boss@example.com", "", "at least 15 characters"),
        ("boss@example.com", "boss@example.com!", "easy to guess"),
        ("boss@example.com", "a" * 300, "at most 200"),
        ("not an address", PASSWORD, "not a mail address"),
        ("@", PASSWORD, "not a mail address"),
        ("a" * 300 + "@example.com", PASSWORD, "not a mail address"),
        ("x\ny@example.com", PASSWORD, "not a mail address"),
    ],
)
def test_a_user_that_cannot_be_is_refused_in_one_sentence(
    ready: Path, add: Callable[..., Result], email: str, password: str, sentence: str
) -> None:
    done = add(email, "--role", "manager", typed=password)
    assert (done.exit_code, done.stdout, done.stderr.count("\n"), sentence in done.stderr) == (
        2, "", 1, True,
    )  # fmt: skip
    assert _rows(ready, 'SELECT count(*) FROM "user"') == [(0,)]


def test_an_address_is_given_to_one_user_only(add: Callable[..., Result]) -> None:
    add("boss@example.com", "--role", "manager")
    again = add("boss@example.com", "--role", "receptionist")
    assert (again.exit_code, again.stderr) == (
        2, "planner: somebody already signs in with that address.\n",
    )  # fmt: skip


def test_a_provider_that_does_not_exist_is_refused(add: Callable[..., Result]) -> None:
    done = add("a@example.com", "--role", "provider", "--provider", "77")
    assert (done.exit_code, done.stderr) == (2, "planner: there is no provider 77.\n")


@pytest.mark.parametrize(
    "words", [("serve",), ("user", "add", "a@b.c", "--role", "manager", "--password-stdin")]
)
def test_before_init_every_command_says_what_to_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, _, err = _planner(tmp_path, *words, typed=PASSWORD, PLANNER_PORT=str(_free_port()))
    assert (code, err.count("\n"), "run `planner init`" in err) == (2, 1, True)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PLANNER_PORT", "none"),
        ("PLANNER_DATABASE_URL", "sqlite:////nowhere/at/all/x.sqlite3"),
        ("PLANNER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"),
        ("PLANNER_DATABASE_URL", "oracle://x"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_code_2(
    tmp_path: Path, variable: str, value: str
) -> None:
    code, _, err = _planner(tmp_path, "init", **{variable: value})
    assert (code, err.count("\n"), "Traceback" in err) == (2, 1, False)


@pytest.mark.parametrize("words", [("nonsense",), ("user", "add"), ("serve", "--port", "x")])
def test_bad_use_is_code_2(words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(cli, words, obj=create_app).exit_code == 2


def test_serving_on_a_port_that_is_taken_says_so(ready: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = _planner(ready, "serve", PLANNER_PORT=str(port))
    assert (code, err) == (
        2, f"planner: port {port} is taken: set PLANNER_PORT to another, or stop what uses it.\n",
    )  # fmt: skip


@pytest.fixture
def served(ready: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running server, and its address."""
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "planner", "serve"],
        cwd=ready,
        env=_environment(PLANNER_PORT=str(port), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield f"http://127.0.0.1:{port}", server
    if server.poll() is None:
        server.kill()
    server.communicate()


def test_serving_says_where_and_how_to_begin_and_stops_on_ctrl_c(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    address, server = served
    _wait_for(int(address.rpartition(":")[2]))
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=15)
    assert out.splitlines() == [
        f"planner serves {address} (Ctrl-C ends it)",
        "Nobody can sign in yet. Add the first manager:"
        " planner user add you@example.com --role manager --password-stdin",
    ]
    assert server.returncode == 0
    assert "Traceback" not in err, err


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    """Ask until there is an answer, and until it is given: who is stopped while answering says so."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
                link.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                while link.recv(4096):
                    pass
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at port {port}")
