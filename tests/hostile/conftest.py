"""The clinic in the middle of its work, made once and put back after every test."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine

from tests.hostile import world as worlds
from tests.hostile.world import World
from tests.support import databases


@pytest.fixture(scope="session")
def sqlite_world(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The clinic on SQLite, made once a process."""
    path = tmp_path_factory.mktemp("hostile") / "planner.sqlite3"
    shutil.copyfile(databases.sqlite_template(run_folder), path)
    url = f"sqlite:///{path}"
    with time_machine.travel(worlds.NOW, tick=False):
        made = worlds.open_on(url, worlds.fill(url), lambda _version: None)
        made.put_back = worlds.keep_sqlite(url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres_world(run_folder: Path, postgres_server: str) -> Iterator[World]:
    """The clinic on PostgreSQL, made once a process."""
    template = databases.postgres_template(run_folder)
    name = f"{template}_hostile_{uuid.uuid4().hex[:8]}"
    databases.copy_postgres(postgres_server, name, template)
    url = databases.with_name(postgres_server, name)
    with time_machine.travel(worlds.NOW, tick=False):
        made = worlds.open_on(url, worlds.fill(url), lambda _version: None)
        made.put_back = worlds.keep_postgres(postgres_server, name)
    yield made
    made.close()
    for each in (name, f"{name}_kept"):
        databases.execute(postgres_server, f'DROP DATABASE IF EXISTS "{each}" WITH (FORCE)')


@pytest.fixture
def world(engine_kind: str, request: pytest.FixtureRequest) -> Iterator[World]:
    """The clinic on each engine in turn, as it was before the first test; the clock stands still."""
    fixture = "sqlite_world" if engine_kind == "sqlite" else "postgres_world"
    found: World = request.getfixturevalue(fixture)
    with time_machine.travel(worlds.NOW, tick=False):
        found.restore()
        yield found
