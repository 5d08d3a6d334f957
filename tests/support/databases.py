"""Fresh databases by copying a migrated one; each original is made once in a test run.

There are originals with the small clinic in them too, one for each day it is set up on: copying is
quicker than setting it up.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import SmallClinic
from tests.support import memory
from tools import postgres

KINDS = ("sqlite", "postgresql")

sqlite_only = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)


def sqlite_template(run: Path, stocked: date | None = None) -> Path:
    """Return a migrated SQLite file to copy from, with the small clinic of a day or empty."""
    if stocked is None:
        return Path(once(run / "sqlite", lambda: _migrate_sqlite(run / "template.sqlite3")))
    return Path(once(run / f"sqlite-{stocked}", lambda: _stock_sqlite(run, stocked)))


def postgres_server(run: Path) -> str:
    """Return the address of the run's server, which the first to ask has started."""
    return postgres.given() or _server(run).url


def postgres_template(run: Path, stocked: date | None = None) -> str:
    """Return the name of a migrated PostgreSQL database to copy from: see ``sqlite_template``."""
    if stocked is None:
        return once(run / "template", lambda: _migrate_postgres(run))
    return once(run / f"template-{stocked}", lambda: _stock_postgres(run, stocked))


def small_clinic(run: Path, url: str, today: date, *, stocked: date | None) -> SmallClinic:
    """Return the ids of the small clinic; it is set up first where the database was copied empty."""
    ids = json.loads((run / _ids(url, today)).read_text()) if stocked else _set_up(url, today)
    return SmallClinic(**ids, today=today)


def clean_up(run: Path) -> None:
    """Stop the run's server; of a server that was given only the templates are removed."""
    if (run / "server").is_file():
        _server(run).stop()
        return
    for answer in run.glob("template*"):
        if not answer.suffix:
            execute(postgres_server(run), f'DROP DATABASE IF EXISTS "{answer.read_text()}"')


def with_name(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def execute(url: str, statement: str) -> None:
    """Run a statement that must stand outside any transaction."""
    with _maintaining(url).connect() as connection:
        connection.execute(sa.text(statement))


def copy_postgres(server: str, name: str, template: str) -> None:
    """Make a database like another, which nobody may have open."""
    execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"{_strategy(server)}')


@cache
def _maintaining(url: str) -> sa.Engine:
    """One connection for all that a process asks of a server: to make one takes longer than most it is for."""
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1, pool_pre_ping=True)


@cache
def _strategy(server: str) -> str:
    """Where nothing waits for the disk, copying files takes half the time of logging every page."""
    with _maintaining(server).connect() as connection:
        version = connection.dialect.server_version_info or (0,)
    return " STRATEGY FILE_COPY" if version >= (15,) and not postgres.given() else ""


def _server(run: Path) -> postgres.Server:
    facts = json.loads(once(run / "server", _start))
    paths = {name: Path(facts[name]) for name in ("programs", "folder")}
    return postgres.Server(url=facts["url"], **paths)


def _start() -> str:
    return json.dumps(asdict(postgres.start(place=memory.folder(for_programs=True))), default=str)


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


def _stock_sqlite(run: Path, today: date) -> str:
    path = run / f"template-{today}.sqlite3"
    shutil.copyfile(sqlite_template(run), path)
    _stock(run, f"sqlite:///{path}", today)
    return str(path)


def _stock_postgres(run: Path, today: date) -> str:
    empty, server = postgres_template(run), postgres_server(run)
    name = f"{empty}_{today:%Y%m%d}"
    copy_postgres(server, name, empty)
    _stock(run, with_name(server, name), today)
    return name


def _stock(run: Path, url: str, today: date) -> None:
    (run / _ids(url, today)).write_text(json.dumps(_set_up(url, today)))


def _set_up(url: str, today: date) -> dict[str, int]:
    from planner.db import connections

    engine = connections.create(url)
    with Session(engine) as session:
        ids = asdict(factories.clinic(session, today=today))
        session.commit()
    engine.dispose()
    del ids["today"]
    return ids


def _ids(url: str, today: date) -> str:
    return f"ids-{sa.make_url(url).get_backend_name()}-{today}.json"


def once(answer: Path, work: Callable[[], str]) -> str:
    """Return what the work returned to the first process of the run that asked: ``answer`` keeps it."""
    with _lock(answer.with_suffix(".lock")):
        if not answer.is_file():
            answer.write_text(work())
        return answer.read_text()


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
