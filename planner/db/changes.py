"""Undo records: the rows of a change as they were, kept for two minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.models import Change
from planner.db.traces import Trace
from planner.who import Who

UNDO_FOR = timedelta(minutes=2)
TABLES = frozenset({"appointment", "course", "course_session", "consult", "decision"})


def keep(
    session: Session, key: str, changed: Sequence[Trace], *, by: Who, now: datetime, label: str
) -> None:
    """Store how the rows of a change were before, so that it can be taken back."""
    rows = [_stored(trace) for trace in changed if trace.table in TABLES]
    if rows:
        session.add(Change(key=key, at=now, user_id=by.user_id, label=label[:40], rows=rows))
        session.flush()


def find(session: Session, key: str) -> Change | None:
    """Return the undo record of that key, or None. On PostgreSQL its row stays locked."""
    return session.scalar(sa.select(Change).where(Change.key == key).with_for_update())


def _stored(trace: Trace) -> dict[str, Any]:
    return {"table": trace.table, "id": trace.id, "before": trace.before, "after": trace.after}
