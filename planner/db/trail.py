"""Holds the rows against the audit trail: what the last entry about a field says is what has to stand there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import audit, traces
from planner.db.models import (
    Appointment,
    AuditRow,
    Consult,
    Course,
    CourseSession,
    DateToAvoid,
    Patient,
    Screening,
)

MODELS: dict[str, Any] = {
    model.__tablename__: model
    for model in (
        Appointment,
        Consult,
        Course,
        CourseSession,
        DateToAvoid,
        Patient,
        Screening,
    )
}
GONE: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row, or one of its fields, that is not as the trail tells; ``field`` is empty for a whole row."""

    kind: str
    row_id: int
    field: str


def differences(session: Session) -> Iterator[Difference]:
    """Yield what was changed or removed past the trail, and appointments added past it, by kind and id.

    Secret fields, of which the trail says only that they changed, cannot be compared.
    """
    told = _told(session)
    for kind, model in MODELS.items():
        stored = {row.id: traces.image(row) for row in session.scalars(sa.select(model))}
        known = {row_id: facts for (of, row_id), facts in told.items() if of == kind}
        for row_id in sorted(stored.keys() | {i for i, facts in known.items() if facts}):
            yield from _of_row(kind, row_id, stored.get(row_id), known.get(row_id))


def _told(session: Session) -> dict[tuple[str, int], dict[str, Any]]:
    """Return by kind and id what the trail last said of every field; empty for a row that was removed."""
    told: dict[tuple[str, int], dict[str, Any]] = {}
    rows = session.execute(
        sa.select(AuditRow.object_kind, AuditRow.object_id, AuditRow.before, AuditRow.after)
        .where(AuditRow.object_kind.in_(MODELS), AuditRow.object_id.is_not(None))
        .order_by(AuditRow.id)
    )
    for kind, row_id, before, after in rows:
        if not before and not after:
            continue  # an action, or a row of which no field has changed but its version
        if after is None:
            told[kind, row_id] = GONE
            continue
        facts = dict(told.get((kind, row_id), GONE))
        facts.update(dict.fromkeys(before or ()))
        facts.update(after)
        told[kind, row_id] = facts
    return told


def _of_row(
    kind: str, row_id: int, stored: dict[str, Any] | None, told: dict[str, Any] | None
) -> Iterator[Difference]:
    if stored is None or not told:
        if stored is None or told is not None or kind == Appointment.__tablename__:
            yield Difference(kind=kind, row_id=row_id, field="")
        return
    for field, value in told.items():
        if field in audit.MASKED or field not in stored:
            continue
        if (value or None) != (stored[field] or None):
            yield Difference(kind=kind, row_id=row_id, field=field)
