"""What every test may ask for: a fresh database of either kind, and a Chromium."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from planner.db import migrate
from tests.support import postgresql

KINDS = ("sqlite", "postgresql")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, so that it can be chosen by marker."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("engine_kind") == "postgresql":
            item.add_marker(pytest.mark.postgresql)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of this worker's own server."""
    with postgresql.server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated database to copy from."""
    name = "planner_template"
    _execute(postgres_server, f'DROP DATABASE IF EXISTS "{name}"')
    _execute(postgres_server, f'CREATE DATABASE "{name}"')
    migrate.upgrade(_with_name(postgres_server, name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file to copy from."""
    path = tmp_path_factory.mktemp("template") / "planner.sqlite3"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=KINDS)
def engine_kind(request: pytest.FixtureRequest) -> str:
    """Both engines, one after the other."""
    return str(request.param)


@pytest.fixture
def database_url(engine_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh, empty, migrated database of the kind under test."""
    if engine_kind == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    yield request.getfixturevalue("postgres_url")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh, empty, migrated SQLite file."""
    path = tmp_path / "planner.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """A fresh, empty, migrated PostgreSQL database."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    _execute(postgres_server, f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
    yield _with_name(postgres_server, name)
    _execute(postgres_server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _with_name(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
