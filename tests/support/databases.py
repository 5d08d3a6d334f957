"""Fresh databases by copying a migrated one; each original is made once in a test run."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import sqlalchemy as sa

from tools import postgres

KINDS = ("sqlite", "postgresql")

sqlite_only = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)


def sqlite_template(run: Path) -> Path:
    """Return a migrated SQLite file to copy from."""
    return Path(_once(run / "sqlite", lambda: _migrate_sqlite(run / "template.sqlite3")))


def postgres_server(run: Path) -> str:
    """Return the address of the run's server, which the first to ask has started."""
    return postgres.given() or _server(run).url


def postgres_template(run: Path) -> str:
    """Return the name of a migrated PostgreSQL database to copy from."""
    return _once(run / "template", lambda: _migrate_postgres(run))


def clean_up(run: Path) -> None:
    """Stop the run's server; of a server that was given only the template is removed."""
    if (run / "server").is_file():
        _server(run).stop()
    elif (run / "template").is_file():
        execute(postgres_server(run), f'DROP DATABASE IF EXISTS "{postgres_template(run)}"')


def with_name(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def execute(url: str, statement: str) -> None:
    """Run a statement that must stand outside any transaction."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))


def _server(run: Path) -> postgres.Server:
    facts = json.loads(_once(run / "server", _start))
    paths = {name: Path(facts[name]) for name in ("programs", "folder")}
    return postgres.Server(url=facts["url"], **paths)


def _start() -> str:
    return json.dumps(asdict(postgres.start()), default=str)


def _migrate_sqlite(path: Path) -> str:
    from planner.db import migrate

    migrate.upgrade(f"sqlite:///{path}")
    return str(path)


def _migrate_postgres(run: Path) -> str:
    from planner.db import migrate

    name = run.name.replace("-", "_").lower()
    execute(postgres_server(run), f'CREATE DATABASE "{name}"')
    migrate.upgrade(with_name(postgres_server(run), name))
    return name


def _once(answer: Path, work: Callable[[], str]) -> str:
    """Return what the work returned to the first process of the run that asked."""
    with _lock(answer.with_suffix(".lock")):
        if not answer.is_file():
            answer.write_text(work())
        return answer.read_text()


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
