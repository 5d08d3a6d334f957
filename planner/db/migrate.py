"""Bring a database to a numbered revision, and prove after each step that its guards stand."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import planner
from planner.db import connections, guards
from planner.db.base import Base
from planner.errors import Unavailable

LOCK = 0x706C616E02  # of PostgreSQL's advisory locks: two hosts that start at once migrate in turn


def upgrade(url: str, revision: str = "head") -> None:
    """Create the database's tables, or bring them up to a revision."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database back to an earlier revision; ``base`` removes everything."""
    _run(url, lambda config: command.downgrade(config, revision))


def current(engine: sa.Engine) -> str | None:
    """Return the revision the database is at, or None for one that was never initialised."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: sa.Engine) -> bool:
    """Whether the database is at the newest revision."""
    return current(engine) == head()


def head() -> str | None:
    """Return the newest revision there is."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def configure(context: EnvironmentContext, connection: sa.Connection) -> None:
    """Set up Alembic's environment: what ``migrations/env.py`` has to say."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,  # also on SQLite: connections.py begins its transactions itself
        transaction_per_migration=True,
        render_as_batch=connection.dialect.name == "sqlite",
        include_object=is_compared,
        on_version_apply=cast(Any, _prove),  # it is called by these names
    )


def is_compared(
    schema_item: object, name: str | None, kind: str, reflected: bool, other: Any
) -> bool:
    """Whether the models answer for it: guards are answered for by ``guards.probe``."""
    return not (name or "").startswith(guards.PREFIX)


def _run(url: str, work: Callable[[Config], None]) -> None:
    engine = connections.create(url, is_migrating=True)
    try:
        _reach(engine)
        connections.set_journal(engine)
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            _alone(connection)
            work(config)
    finally:
        engine.dispose()


def _reach(engine: sa.Engine) -> None:
    """Raise Unavailable when the database does not let us in at all."""
    try:
        engine.connect().close()
    except sa.exc.OperationalError as error:
        raise Unavailable(str(error.orig)) from error


def _alone(connection: sa.Connection) -> None:
    """Keep other processes from migrating at the same time."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_lock(LOCK)))
        connection.rollback()  # the lock is the connection's, not the transaction's
    else:
        connection.execution_options(**{connections.WRITING: True})


def _prove(
    *, ctx: MigrationContext, step: object, heads: Collection[Any], run_args: object
) -> None:
    connection = cast(sa.Connection, ctx.connection)
    if connection.dialect.name == "sqlite":
        torn = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if torn:
            raise RuntimeError(f"a migration left rows that refer to nothing: {torn[:3]}")
    if heads:
        guards.probe(connection, is_migrating=True)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> Path:
    beside = Path(planner.__file__).resolve().parent.parent / "migrations"
    if not (beside / "env.py").is_file():
        raise FileNotFoundError(f"The migrations are not at {beside}: install planner again.")
    return beside
