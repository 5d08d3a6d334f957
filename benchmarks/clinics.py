"""The demo clinics that are measured on, filled once and kept below ``build/bench``."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import flask
import sqlalchemy as sa
import time_machine

from planner import demo
from planner.app import create_app
from planner.config import Settings
from planner.db import connections, engine, migrate

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "bench"
TODAY = date(2027, 3, 2)  # a Tuesday
NOW = datetime(2027, 3, 2, 17, tzinfo=UTC)  # noon in Miami
SEED = 1
SECRET = "a secret of the benchmarks, long enough"  # noqa: S105  of clinics that do not exist


def sqlite(size: str) -> Path:
    """Return the file of a filled clinic. Not to be written to: see ``copy``."""
    path = KEPT / f"{size}-{_fingerprint()}.sqlite3"
    if not path.is_file():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{size}-*"):
            old.unlink()
        draft = KEPT / f"draft-{uuid.uuid4().hex}.sqlite3"
        fill(f"sqlite:///{draft}", size)
        draft.rename(path)
    return path


@contextlib.contextmanager
def copy(size: str) -> Iterator[str]:
    """Give the address of a SQLite file of its own with a filled clinic in it."""
    with tempfile.TemporaryDirectory(dir=sqlite(size).parent) as folder:
        path = Path(folder) / "planner.sqlite3"
        shutil.copyfile(sqlite(size), path)
        yield f"sqlite:///{path}"


def postgres(server: str, size: str) -> str:
    """Return the address of a new database of the server with a filled clinic in it."""
    url = empty(server)
    fill(url, size)
    return url


def empty(server: str) -> str:
    """Return the address of a new, empty database of the server."""
    return _create(server, f"clinic_{uuid.uuid4().hex[:12]}")


def twin(server: str, url: str) -> str:
    """Return the address of a new database that is a copy of another of the server."""
    return _create(server, f"clinic_{uuid.uuid4().hex[:12]}", sa.make_url(url).database)


def fill(url: str, size: str) -> None:
    """Migrate an empty database and write the demo clinic into it."""
    print(f"filling a clinic of size {size} …", file=sys.stderr, flush=True)
    migrate.upgrade(url)
    with bare(url):
        demo.fill(size, seed=SEED, today=TODAY, progress=lambda what, done, total: None)


@contextlib.contextmanager
def bare(url: str) -> Iterator[sa.Engine]:
    """Give the engine of an application that knows nothing but its database."""
    app = flask.Flask("bench")
    engine.configure(app, url)
    with app.app_context():
        try:
            yield engine.db.engine
        finally:
            engine.db.engine.dispose()


@contextlib.contextmanager
def serving(url: str) -> Iterator[flask.Flask]:
    """Give the whole application on a database, at noon of the clinic's today."""
    with time_machine.travel(NOW, tick=True):
        app = create_app(Settings(database_url=url, secret_key=SECRET, log_level="warning"))
        yield app
        with app.app_context():
            engine.db.engine.dispose()


def _create(server: str, name: str, template: str | None = None) -> str:
    origin = f' TEMPLATE "{template}"' if template else ""
    maintenance = sa.create_engine(
        connections.address(server), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with maintenance.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"{origin}')
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def _fingerprint() -> str:
    """Return what the content of a filled clinic depends on, in one word."""
    told = hashlib.sha256(f"{TODAY} {SEED}".encode())
    for folder in ("planner/demo", "migrations"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            told.update(path.read_bytes())
    return told.hexdigest()[:16]
