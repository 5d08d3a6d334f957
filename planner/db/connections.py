"""How a connection to SQLite or PostgreSQL is opened, so that both keep the same promises."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sqlite3
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from planner.db import prepared

WRITING = "planner_writing"
"""Execution option of a connection whose next transaction writes."""

QUEUING = "planner_queuing"
"""Execution option of a connection that waits for its turn first: ``begin_writing`` begins then."""

ON_ONE_SNAPSHOT = "planner_on_one_snapshot"
"""Note of a session (``Session.info``) that sees the database as it was at its first statement."""

HOLDS_SETTINGS = "planner_holds_settings"
"""Note of a session in whose transaction nobody else can change the catalogue any more."""

SQLITE_BUSY_MS = 15_000
POSTGRESQL_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": "15s",
    "lock_timeout": "14s",  # as patient as SQLite, and before the statement's own limit
    "idle_in_transaction_session_timeout": "30s",
    "application_name": "planner",
}
WAL_SAFE_SINCE = (3, 51, 3)
"""Older SQLite can lose a WAL file's contents when it is reset under load."""


def address(url: str) -> str:
    """Return the database address with the driver this project uses."""
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def options(url: str, *, is_migrating: bool = False) -> dict[str, Any]:
    """Return the engine options for an address. A migration may take as long as it takes."""
    if sa.make_url(address(url)).get_backend_name() == "sqlite":
        return {"module": sqlite_module(), "connect_args": {"timeout": SQLITE_BUSY_MS / 1000}}
    settings = {"timezone": "UTC"} if is_migrating else POSTGRESQL_SETTINGS
    given = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return {
        "connect_args": {"options": given, "connect_timeout": 5},
        "isolation_level": "READ COMMITTED",
        "pool_pre_ping": True,
    }


def create(url: str, *, is_migrating: bool = False) -> sa.Engine:
    """Return an engine outside any application: for migrations and tools."""
    engine = sa.create_engine(address(url), **options(url, is_migrating=is_migrating))
    hook(engine, is_migrating=is_migrating)
    return engine


def hook(engine: sa.Engine, *, is_migrating: bool = False) -> None:
    """Give every SQLite connection the settings on which durability and the guards rest."""
    if engine.dialect.name != "sqlite":
        return

    def on_connect(connection: Any, record: object) -> None:
        _set_up(connection, enforces_references=not is_migrating)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", _begin)


def begin_writing(connection: sa.Connection) -> None:
    """Begin to write on a connection that has waited for its turn."""
    if connection.dialect.name == "sqlite":
        prepared.send(connection, "BEGIN IMMEDIATE")


def end_reading(connection: sa.Connection) -> None:
    """End a transaction that has only read, before its connection is given back.

    That would roll it back, and at that PostgreSQL's driver forgets the statements that it has prepared.
    """
    if connection.dialect.name == "postgresql" and not connection.invalidated:
        # Whoever is gone by now is noticed where it is given back.
        with contextlib.suppress(connection.dialect.loaded_dbapi.Error):
            cursor = connection.connection.cursor()
            cursor.execute("END")
            cursor.close()


def sqlite_module() -> ModuleType:
    """Return the newest SQLite at hand: the one of the pysqlite3 wheel, else Python's own."""
    if importlib.util.find_spec("pysqlite3") is None:
        return sqlite3
    return importlib.import_module("pysqlite3.dbapi2")


def set_journal(engine: sa.Engine) -> None:
    """Choose SQLite's journal, once for the life of the file; PostgreSQL needs nothing.

    Never done per connection: many processes that open a new file at once would fail.
    """
    if engine.dialect.name != "sqlite":
        return
    is_safe = sqlite_module().sqlite_version_info >= WAL_SAFE_SINCE
    with engine.connect() as connection:
        cursor = connection.connection.cursor()  # no transaction: it may not change inside one
        cursor.execute(f"PRAGMA journal_mode={'WAL' if is_safe else 'DELETE'}")
        cursor.close()


def _set_up(connection: Any, *, enforces_references: bool) -> None:
    connection.isolation_level = (
        None  # transactions begin where _begin says, not where the driver guesses
    )
    for pragma in (
        f"busy_timeout={SQLITE_BUSY_MS}",
        f"foreign_keys={'ON' if enforces_references else 'OFF'}",
        "synchronous=FULL",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # Begun deferred, one that reads and then writes fails when another has written between.
    options = connection.get_execution_options()
    if options.get(WRITING):
        begin_writing(connection)
    elif not options.get(QUEUING):
        prepared.send(connection, "BEGIN")
