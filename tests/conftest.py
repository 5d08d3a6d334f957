"""What every test may ask for: a fresh database of either kind, and a page in a real browser."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support import databases, memory, order
from tests.support.console import Console
from tools import assets, chromium

RUN = "PLANNER_TEST_RUN"  # the folder that the processes of one test run share

# A busy machine is no finding: what a random example may take is no test's business.
hypothesis.settings.register_profile("planner", deadline=None)
hypothesis.settings.load_profile("planner")

os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(assets.node()))


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a folder; the workers, which are started later, inherit its name."""
    if not hasattr(config, "workerinput"):
        place = memory.folder()
        if place is not None:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place))
        os.environ[RUN] = tempfile.mkdtemp(prefix="planner-tests-", dir=place)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the workers have shared, when the last of them has gone."""
    if not hasattr(config, "workerinput") and (run := os.environ.pop(RUN, None)):
        databases.clean_up(Path(run))
        shutil.rmtree(run, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL or a browser, so that it can be chosen by marker; put long ones first."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        names = set(getattr(item, "fixturenames", ()))
        kind = callspec.params.get("engine_kind") if callspec else None
        if kind == "postgresql" or names & {"postgres_url", "postgres_server"}:
            item.add_marker(pytest.mark.postgresql)
        if names & {"page", "context", "browser"}:
            item.add_marker(pytest.mark.browser)
    items[:] = order.arranged(items)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """The folder that all processes of this test run share."""
    return Path(os.environ[RUN])


@pytest.fixture(scope="session")
def postgres_server(run_folder: Path) -> str:
    """The address of the server's maintenance database; one server for the whole run."""
    return databases.postgres_server(run_folder)


@pytest.fixture(params=databases.KINDS)
def engine_kind(request: pytest.FixtureRequest) -> str:
    """Both engines, one after the other; ``databases.sqlite_only`` and such choose one."""
    return str(request.param)


@pytest.fixture
def database_url(engine_kind: str, request: pytest.FixtureRequest) -> str:
    """A fresh, empty, migrated database of the kind under test."""
    fixture = "sqlite_url" if engine_kind == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def stocked() -> date | None:
    """The day on which the database is set up with the small clinic; None leaves it empty."""
    return None


@pytest.fixture
def sqlite_url(run_folder: Path, tmp_path: Path, stocked: date | None) -> str:
    """A fresh, migrated SQLite file, empty unless ``stocked``."""
    path = tmp_path / "planner.sqlite3"
    shutil.copyfile(databases.sqlite_template(run_folder, stocked), path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(run_folder: Path, postgres_server: str, stocked: date | None) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database, empty unless ``stocked``."""
    template = databases.postgres_template(run_folder, stocked)
    name = f"{template}_{uuid.uuid4().hex[:12]}"
    databases.copy_postgres(postgres_server, name, template)
    yield databases.with_name(postgres_server, name)
    databases.execute(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def chromium_executable() -> Path | None:
    """The browser to drive; None when it is Playwright's own."""
    return chromium.find()


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium_executable: Path | None) -> dict[str, Any]:
    """How pytest-playwright starts the browser."""
    start: dict[str, Any] = {"args": list(chromium.FLAGS), "headless": True}
    if chromium_executable is not None:
        start["executable_path"] = str(chromium_executable)
    return start


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A desk's screen, the same on every machine, and nothing that moves while it is looked at."""
    return browser_context_args | {
        "viewport": {"width": 1280, "height": 900},
        "reduced_motion": "reduce",
        "locale": "en-US",
        "timezone_id": "America/New_York",
    }


@pytest.fixture(autouse=True)
def console_errors(request: pytest.FixtureRequest) -> Iterator[Console]:
    """Fail a browser test in which a page reports an error that the test has not expected."""
    console = Console()
    if "context" in request.fixturenames or "page" in request.fixturenames:
        console.watch(request.getfixturevalue("context"))
    yield console
    assert console.unexpected() == []
