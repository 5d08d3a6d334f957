"""Visits that another provider has taken over: the calendar of the one before takes them out in words.

Derived from what changed, like the outbox, so that moves, swaps, repairs and undo need not remember.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import changes
from planner.db.models import LIVE_STATUSES, Handover
from planner.db.traces import Trace


def write(session: Session, traces: Sequence[Trace], *, now: datetime) -> None:
    """Add a row for each live visit of these changes that has another provider than before."""
    given_away = [
        (trace.id, trace.before)
        for trace in traces
        if trace.table == "appointment"
        and trace.before is not None
        and "provider_id" in trace.changed
        and trace.before["status"] in LIVE_STATUSES
    ]
    if not given_away:
        return
    earlier = _earlier(session, [appointment_id for appointment_id, _ in given_away])
    for appointment_id, before in given_away:
        had_since = datetime.fromisoformat(before["created_at"])
        count, last_at = earlier.get(appointment_id, (0, had_since))
        session.add(
            Handover(
                appointment_id=appointment_id,
                provider_id=before["provider_id"],
                site_id=before["site_id"],
                starts_at=datetime.fromisoformat(before["starts_at"]),
                ends_at=datetime.fromisoformat(before["ends_at"]),
                sequence=before["sequence"] + count + 1,
                is_told=now - last_at > changes.UNDO_FOR,
                at=now,
            )
        )
    session.flush()


def _earlier(
    session: Session, appointment_ids: Collection[int | None]
) -> dict[int | None, tuple[int, datetime]]:
    """Return how often the visits were handed over, and when last; without those that never were."""
    last_at: sa.ColumnElement[Any] = sa.func.max(Handover.at, type_=Handover.at.type)
    statement = (
        sa.select(Handover.appointment_id, sa.func.count(), last_at)
        .where(Handover.appointment_id.in_(appointment_ids))
        .group_by(Handover.appointment_id)
    )
    return {row_id: (count, at) for row_id, count, at in session.execute(statement)}
