"""Counters of failed attempts, and the addresses from which an account was opened before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from planner.db.engine import Tx
from planner.db.models import Throttle

FORGOTTEN_AFTER = timedelta(minutes=30)
KNOWN_FOR = timedelta(days=90)
KNOWN = "known"
"""How subjects begin under which sign-ins have succeeded."""


def failures(tx: Tx, subjects: Collection[str]) -> Mapping[str, tuple[int, datetime]]:
    """Return how often each failed lately, and when last; the rows stay locked until the end."""
    # A row has to be there to be locked: otherwise the first attempts, sent at once, would all pass.
    for subject in sorted(subjects):
        _put(tx, subject, 0, None)
    found = tx.session.execute(
        sa.select(Throttle.subject, Throttle.failures, Throttle.last_failed_at)
        .where(Throttle.subject.in_(subjects), Throttle.last_failed_at > tx.now - FORGOTTEN_AFTER)
        .order_by(Throttle.subject)
        .with_for_update()
    )
    return {subject: (count, last) for subject, count, last in found}


def count(tx: Tx, subjects: Collection[str]) -> None:
    """Note one more failure of each; what failed long ago begins anew."""
    for subject in sorted(subjects):
        _put(tx, subject, 1, _one_more(tx))


def clear(tx: Tx, subject: str) -> None:
    """Forget the failures of a subject, and all rows that no longer mean anything."""
    tx.session.execute(
        sa.delete(Throttle).where(
            sa.or_(Throttle.subject == subject, Throttle.last_failed_at < tx.now - KNOWN_FOR)
        )
    )


def forgive(tx: Tx, subjects: Collection[str]) -> None:
    """Take back one failure of each: it was counted before it was known to be none."""
    tx.session.execute(
        sa.update(Throttle)
        .where(Throttle.subject.in_(subjects), Throttle.failures > 0)
        .values(failures=Throttle.failures - 1)
    )


def is_known(tx: Tx, subject: str) -> bool:
    """Whether a sign-in has succeeded under this subject in the last months."""
    query = sa.select(Throttle.subject).where(
        Throttle.subject == subject, Throttle.last_failed_at > tx.now - KNOWN_FOR
    )
    return tx.session.scalar(query) is not None


def set_known(tx: Tx, subject: str) -> None:
    """Remember that a sign-in has succeeded under this subject: a row without failures."""
    _put(tx, subject, 0, sa.literal(0))


def is_over(table: sa.Table, now: datetime) -> sa.ColumnElement[bool]:
    """Whether a row means nothing any more; an address that is known does so for longer."""
    is_of_known = table.c.subject.startswith(f"{KNOWN}:")
    return sa.or_(
        table.c.last_failed_at < now - KNOWN_FOR,
        sa.and_(~is_of_known, table.c.last_failed_at < now - FORGOTTEN_AFTER),
    )


def _one_more(tx: Tx) -> sa.ColumnElement[int]:
    is_old = Throttle.last_failed_at <= tx.now - FORGOTTEN_AFTER
    return sa.case((is_old, 1), else_=Throttle.failures + 1)


def _put(tx: Tx, subject: str, first: int, later: sa.ColumnElement[int] | None) -> None:
    """Insert a row, or set the count of the one that is there; None leaves that as it is."""
    insert: Any = (
        postgresql.insert(Throttle)
        if tx.session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(Throttle)
    ).values(subject=subject, failures=first, last_failed_at=tx.now)
    if later is None:
        tx.session.execute(insert.on_conflict_do_nothing())
        return
    changed = {"failures": later, "last_failed_at": tx.now}
    tx.session.execute(insert.on_conflict_do_update(index_elements=["subject"], set_=changed))
