"""Bring a database to a numbered revision, and prove after each step that its guards stand.

Alembic is loaded where tables are changed and nowhere else: a process that finds them as they should
be starts without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

import planner
from planner.db import connections, guards, ledgers
from planner.db.base import Base
from planner.errors import Unavailable

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext

LOCK = 0x706C616E02  # of PostgreSQL's advisory locks: two hosts that start at once migrate in turn


def upgrade(url: str, revision: str = "head") -> None:
    """Create the database's tables, or bring them up to a revision."""
    if revision == "head" and _stands(url):
        return
    from alembic import command  # noqa: PLC0415  see above

    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database back to an earlier revision; ``base`` removes everything."""
    from alembic import command  # noqa: PLC0415  see above

    _run(url, lambda config: command.downgrade(config, revision))


def current(engine: sa.Engine) -> str | None:
    """Return the revision the database is at, or None for one that was never initialised."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(_REVISION).scalar()
        return found


def is_current(engine: sa.Engine) -> bool:
    """Whether the database is at the newest revision."""
    return current(engine) == head()


def head() -> str | None:
    """Return the newest revision there is: its files are numbered."""
    return max(
        (path.name[:4] for path in (_scripts() / "versions").glob("[0-9]*.py")), default=None
    )


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
    return not (name or "").startswith((guards.PREFIX, ledgers.PREFIX))


_REVISION = sa.text("SELECT version_num FROM alembic_version")


def _stands(url: str) -> bool:
    """Whether the tables are those of this version, with all their guards."""
    engine = connections.create(url, is_migrating=True)
    try:
        _reach(engine)
        if not is_current(engine):
            return False
        with engine.connect() as connection:
            guards.probe(connection)
            return True
    except guards.GuardsMissing:
        return False
    finally:
        engine.dispose()


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
    from alembic.config import Config  # noqa: PLC0415  see above

    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> Path:
    beside = Path(planner.__file__).resolve().parent.parent / "migrations"
    if not (beside / "env.py").is_file():
        raise FileNotFoundError(f"The migrations are not at {beside}: install planner again.")
    return beside
