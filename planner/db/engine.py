"""The one holder of the engine, and the one place that commits."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from planner.db import (
    audit,
    changes,
    connections,
    handovers,
    idempotency,
    keys,
    outbox,
    traces,
    turns,
    violations,
)
from planner.db.base import Base
from planner.db.idempotency import Idempotency
from planner.db.prepared import Prepared
from planner.errors import Refused, Unavailable
from planner.who import Who

__all__ = ["Idempotency", "Tx", "configure", "db", "glance", "reading", "record", "transaction"]

T = TypeVar("T")

db = SQLAlchemy(metadata=Base.metadata)

RETRIES = 8
BUSY_RETRIES = 1  # SQLite has already waited for busy_timeout then
LONGEST_PAUSE = 0.2  # seconds
SETTINGS_LOCK = 0x706C616E03  # of PostgreSQL's advisory locks


@dataclass(frozen=True, slots=True, kw_only=True)
class Tx:
    """A transaction under way. ``change_key`` names the undo record when there will be one."""

    session: Session
    now: datetime
    by: Who
    change_key: str = ""
    entries: list[audit.Entry] = field(default_factory=list)
    tell_provider: set[int] = field(default_factory=set)
    """Appointments whose patients are told of another provider, though time and site stay."""

    def note(
        self, object_kind: str, object_id: int | None = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        """Add a line to the audit trail that no changed row tells: a read, a sign-in, an export."""
        self.entries.append(audit.Entry(object_kind=object_kind, object_id=object_id, after=facts))


def configure(app: Flask, url: str) -> None:
    """Bind the application to its database. Opens no connection."""
    app.config["SQLALCHEMY_DATABASE_URI"] = connections.address(url)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = connections.options(url)
    db.init_app(app)
    with app.app_context():
        connections.hook(db.engine)


def transaction(
    work: Callable[[Tx], T],
    *,
    by: Who,
    now: datetime,
    action: str,
    reason: str = "",
    undoable: bool = False,
    is_silent: bool = False,
    idempotency: Idempotency | None = None,
) -> T:
    """Run ``work`` as one transaction and return what it returns: plain values, never rows.

    Everything it changes through ``tx.session`` is written to the audit trail and, when
    ``undoable``, to an undo record; what it means to patients goes to the outbox, unless it
    ``is_silent``; the schedule version is bumped when a timetable depends on it.
    Serialisation failures are retried whole. With an ``idempotency`` key ``work`` returns a
    JSON-able dict, and a repeat gets the stored one. Transactions do not nest.

    Raises what ``work`` raises; Refused (recorded) when a guard refuses; Stale when a row has
    changed meanwhile; Invalid for a value that is taken or unusable; KeyReused; Unavailable.
    """
    job = _Job(
        work=work,
        by=by,
        now=now,
        action=action,
        reason=reason,
        undoable=undoable,
        is_silent=is_silent,
        asked=idempotency,
    )
    try:
        return cast(T, _persistently(job))
    except Refused as refusal:
        codes = sorted({conflict.code for conflict in refusal.conflicts})
        with contextlib.suppress(Unavailable):
            record(f"{action}.refused", by=by, now=now, facts={"codes": codes})
        raise


def record(
    action: str,
    *,
    by: Who,
    now: datetime,
    object_kind: str = "",
    object_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write one line to the audit trail, in its own transaction: a read, a refusal, a denial."""
    job = _Job(
        work=lambda tx: tx.note(object_kind, object_id, facts),
        by=by, now=now, action=action, reason=reason,
    )  # fmt: skip
    _persistently(job)


@contextlib.contextmanager
def reading() -> Iterator[Session]:
    """Open a session that reads one snapshot and writes nothing. Raises Unavailable."""
    bind = db.engine  # looked up once: it is a walk through the application
    try:
        with _Linked(bind, autoflush=False, expire_on_commit=False) as session:
            session.info[connections.ON_ONE_SNAPSHOT] = True
            connection = session.open(_SNAPSHOT[bind.dialect.name])
            try:
                yield session
            except sa.exc.SQLAlchemyError:
                raise
            except Exception:  # of ours: a page that is not there has been looked for all the same
                connections.end_reading(connection)
                raise
            connections.end_reading(connection)
    except sa.exc.SQLAlchemyError as error:
        raise violations.translated(error) or error from error


def glance(statement: Prepared, values: Mapping[str, Any]) -> Any:
    """Return the first row of one statement of columns, outside any transaction. Raises Unavailable."""
    bind = db.engine
    try:
        with bind.connect() as connection:
            if bind.dialect.name == "postgresql":  # spares two journeys to the server
                connection.execution_options(isolation_level="AUTOCOMMIT")
            return statement.first(connection, values)
    except sa.exc.SQLAlchemyError as error:
        raise violations.translated(error) or error from error


def lock_settings(session: Session) -> None:
    """Wait for bookings under way, and keep new ones waiting, until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(SETTINGS_LOCK)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    work: Callable[[Tx], Any]
    by: Who
    now: datetime
    action: str
    reason: str
    undoable: bool = False
    is_silent: bool = False
    asked: Idempotency | None = None


_SNAPSHOT: Mapping[str, Mapping[str, Any]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_VERSION = Base.metadata.tables["schedule_version"]
_NEXT = _VERSION.c.version + 1
_UPDATE = sa.update(_VERSION).where(_VERSION.c.id == 1).values(version=_NEXT)
_BUMP, _BUMP_CATALOGUE = Prepared(_UPDATE), Prepared(_UPDATE.values(catalogue=_NEXT))
_is_open: ContextVar[bool] = ContextVar("planner_transaction_is_open", default=False)


def _persistently(job: _Job) -> Any:
    if _is_open.get():
        raise RuntimeError(f"transactions do not nest: {job.action}")
    token = _is_open.set(True)
    try:
        for attempt in range(RETRIES + 1):
            try:
                return _once(job)
            except (sa.exc.SQLAlchemyError, StaleDataError) as error:
                if not _may_retry(error, attempt):
                    raise violations.translated(error) or error from error
            _pause(attempt)
        raise AssertionError("the last attempt returns or raises")
    finally:
        _is_open.reset(token)


def _pause(attempt: int) -> None:
    jitter = random.uniform(0, 1)  # noqa: S311  keeps rivals apart, hides nothing
    time.sleep(jitter * min(LONGEST_PAUSE, 0.005 * 2**attempt))


def _may_retry(error: Exception, attempt: int) -> bool:
    if violations.is_busy(error):
        return attempt < BUSY_RETRIES
    return violations.is_serialisation(error) and attempt < RETRIES


def _once(job: _Job) -> Any:
    bind = db.engine
    with _Writing(bind, expire_on_commit=False) as session:
        # All that can be done before others have to wait, and the last after the next is let in.
        connection = session.open({connections.QUEUING: True})
        if bind.dialect.name == "sqlite":
            session.info[connections.HOLDS_SETTINGS] = True
        session.info["tracer"] = tracer = traces.Tracer(session)
        change_key = keys.new() if job.undoable else ""
        tx = Tx(session=session, now=job.now, by=job.by, change_key=change_key)
        with turns.turn(bind) as end_turn, _undone(session):
            session.info["end_turn"] = end_turn
            connections.begin_writing(connection)
            return _done(tx, job, tracer)


def _done(tx: Tx, job: _Job, tracer: traces.Tracer) -> Any:
    session, claimed = tx.session, None
    if job.asked is not None:
        claimed = idempotency.claim(session, job.asked, by=job.by, now=job.now, action=job.action)
        if claimed.answer is not None:
            return claimed.answer
    result = job.work(tx)
    if claimed is not None:
        result = idempotency.keep(session, claimed, result)
    session.flush()
    _seal(tx, job, tracer.traces())
    session.commit()
    return result


class _Linked(Session):
    """A session that has one connection from ``open`` to its end: to ask for it takes no time."""

    _link: sa.Connection | None = None

    def open(self, options: Mapping[str, Any]) -> sa.Connection:
        """Take the connection, with these execution options, and begin."""
        self._link = super().connection(execution_options=options)
        return self._link

    def connection(self, *given: Any, **named: Any) -> sa.Connection:
        return super().connection(*given, **named) if self._link is None else self._link


class _Writing(_Linked):
    """A session of a transaction: what is listened to in it, is listened to in all."""


traces.follow(_Writing)


@event.listens_for(_Writing, "before_flush")
def _lock_settings_when_written(session: Session, context: object, instances: object) -> None:
    if "settings_locked" in session.info:
        return
    rows = (*session.new, *session.dirty, *session.deleted)
    if any(row.__tablename__ in traces.CATALOGUE for row in rows):
        session.info["settings_locked"] = True
        with session.no_autoflush:
            lock_settings(session)


@event.listens_for(_Writing, "after_commit")
def _let_the_next_in(session: Session) -> None:
    """End the turn as soon as all is kept: the next need not wait until all is put away."""
    session.info["end_turn"]()


@contextlib.contextmanager
def _undone(session: Session) -> Iterator[None]:
    """Undo what has not been kept, before the next writer is let in."""
    try:
        yield
    finally:
        session.rollback()


def _seal(tx: Tx, job: _Job, changed: list[traces.Trace]) -> None:
    """Write what goes with the change. Chain and version come last: other writers queue there."""
    if not job.is_silent:
        telling = tx.tell_provider
        outbox.write(tx.session, changed, tell_provider=telling, by=tx.by, now=tx.now)
    handovers.write(tx.session, changed, now=tx.now)
    if tx.change_key:
        changes.keep(tx.session, tx.change_key, changed, by=tx.by, now=tx.now, label=job.action)
    entries = [*map(audit.entry_of, changed), *tx.entries]
    audit.append(tx.session, entries, by=tx.by, now=tx.now, action=job.action, reason=job.reason)
    if traces.is_schedule_change(changed):
        _bump(tx.session, is_catalogue=traces.is_catalogue_change(changed))


def _bump(session: Session, *, is_catalogue: bool) -> None:
    (_BUMP_CATALOGUE if is_catalogue else _BUMP).run(session.connection())
