"""Counters of failed attempts, per account and per address."""

from __future__ import annotations

from datetime import datetime, timedelta

from planner.db.engine import Tx
from planner.db.models import Throttle

FORGOTTEN_AFTER = timedelta(minutes=30)


def failures(tx: Tx, subject: str) -> tuple[int, datetime | None]:
    """Return how often it failed lately, and when last."""
    row = tx.session.get(Throttle, subject)
    if row is None or tx.now - row.last_failed_at > FORGOTTEN_AFTER:
        return 0, None
    return row.failures, row.last_failed_at


def count(tx: Tx, subject: str) -> None:
    """Note one more failure."""
    row = tx.session.get(Throttle, subject)
    if row is None:
        tx.session.add(Throttle(subject=subject, failures=1, last_failed_at=tx.now))
        return
    fresh = tx.now - row.last_failed_at <= FORGOTTEN_AFTER
    row.failures = row.failures + 1 if fresh else 1
    row.last_failed_at = tx.now


def clear(tx: Tx, subject: str) -> None:
    """Forget the failures after a success."""
    row = tx.session.get(Throttle, subject)
    if row is not None:
        tx.session.delete(row)
