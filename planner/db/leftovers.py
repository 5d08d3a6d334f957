"""Rows that nobody can need any more: of none of these tables is the clinic's record made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa

from planner.db import throttles
from planner.db.base import Base
from planner.db.engine import Tx

ANSWERS_KEPT = timedelta(days=2)
"""Answers of forms: a sign-in lasts for half a day, and with it the forms that were opened in it."""

CHANGES_KEPT = timedelta(days=1)
"""Undo records: they can be taken back for two minutes."""


def remove(tx: Tx, *, most: int) -> Mapping[str, int]:
    """Remove at most so many rows of each table, the oldest first; return how many by table."""
    answer, change, sign_in, throttle = (
        Base.metadata.tables[name] for name in ("idempotency_key", "change", "sign_in", "throttle")
    )
    # In an order that an index gives, or the numbers of the rows, so that few are looked at.
    wanted = (
        (answer, answer.c.created_at < tx.now - ANSWERS_KEPT, answer.c.created_at),
        (change, change.c.at < tx.now - CHANGES_KEPT, change.c.id),
        (sign_in, sign_in.c.expires_at < tx.now, sign_in.c.expires_at),
        (throttle, throttles.is_over(throttle, tx.now), throttle.c.last_failed_at),
    )
    return {table.name: _remove(tx, table, where, age, most) for table, where, age in wanted}


def _remove(tx: Tx, table: sa.Table, where: Any, age: Any, most: int) -> int:
    (key,) = table.primary_key.columns
    # What another is using just now is left for the next time, so that nobody waits for anybody.
    oldest = sa.select(key).where(where).order_by(age).limit(most).with_for_update(skip_locked=True)
    removed = tx.session.execute(
        sa.delete(table).where(key.in_(oldest)), execution_options={"preserve_rowcount": True}
    )
    return cast("sa.CursorResult[Any]", removed).rowcount
