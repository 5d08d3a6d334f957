"""What patients told the clinic on their own page: the reads and writes that use cases and pages need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from planner.db.engine import Tx
from planner.db.models import Appointment, AuditRow, Notice, Provider, ProviderService, User
from planner.errors import NotFound, Stale

KINDS = ("another_time", "cannot_come", "flight", "health")
HEALTH = "health"
"""The kind whose words only providers read."""
READ = "notice.read"
"""What the audit trail calls it that such words were shown to somebody."""
BEFORE_VISIT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a patient says: of one visit, or of none in particular."""

    kind: str
    text: str = ""
    wishes: Mapping[str, Any] = field(default_factory=dict)
    flight_on: date | None = None
    flight_at: time | None = None


def add(tx: Tx, told: Told, *, patient_id: int, appointment_id: int | None) -> Notice:
    """Store what somebody told; the same said again while it waits is one notice, not two."""
    present = _same(tx.session, told, patient_id, appointment_id)
    if present is not None:
        return present
    is_health = told.kind == HEALTH
    row = Notice(
        patient_id=patient_id,
        appointment_id=appointment_id,
        kind=told.kind,
        text="" if is_health else told.text,
        health_text=told.text if is_health else "",
        wishes=dict(told.wishes),
        flight_on=told.flight_on,
        flight_at=told.flight_at,
        created_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def get_waiting(tx: Tx, notice_id: int) -> Notice:
    """Return a notice that nobody has handled; on PostgreSQL others wait for it.

    Raises NotFound; Stale when it was handled meanwhile.
    """
    statement = sa.select(Notice).where(Notice.id == notice_id).with_for_update()
    row = tx.session.scalar(statement)
    if row is None:
        raise NotFound("notice")
    if row.handled_at is not None:
        raise Stale({"handled_at": (None, row.handled_at)})
    return row


def handle(tx: Tx, row: Notice, *, how: str, note: str = "") -> None:
    """Take a notice off the list: when, by whom, and what came of it."""
    row.handled_at, row.handled_by = tx.now, tx.by.user_id
    row.handled_how, row.handled_note = how, note


def of_patients(session: Session, patient_ids: Collection[int], *, since: datetime) -> list[Notice]:
    """Return what waits of these patients, and what was handled since, newest first."""
    statement = (
        sa.select(Notice)
        .where(
            Notice.patient_id.in_(patient_ids),
            sa.or_(Notice.handled_at.is_(None), Notice.handled_at >= since),
        )
        .order_by(Notice.id.desc())
    )
    return list(session.scalars(statement))


def waiting_of(session: Session, patient_id: int) -> Sequence[Notice]:
    """Return what nobody has handled yet of a patient, oldest first."""
    statement = sa.select(Notice).where(
        Notice.patient_id == patient_id, Notice.handled_at.is_(None)
    )
    return session.scalars(statement.order_by(Notice.id)).all()


def readable_by(provider_id: int) -> sa.ColumnElement[bool]:
    """Whether this provider may read a notice about health: who may examine, or treats the patient."""
    return _reads(provider_id, Notice.patient_id)


def waiting_for(provider_id: Any) -> sa.ColumnElement[Any]:
    """Select how many notices wait for somebody: of health for this provider, else (None) the desk's.

    ``provider_id`` may be a column: of the user whom a request is from.
    """
    own = sa.select(sa.func.count()).select_from(Notice).where(Notice.handled_at.is_(None))
    health = own.where(Notice.kind == HEALTH, _reads(provider_id, Notice.patient_id))
    desk = own.where(Notice.kind != HEALTH)
    return sa.case(
        (provider_id.is_(None), desk.scalar_subquery()),
        else_=health.correlate_except(Notice).scalar_subquery(),
    )


def readers(session: Session, patient_id: int, *, on: date) -> Sequence[str]:
    """Return the names of the providers who may read what this patient says of health, that day."""
    is_there = sa.or_(Provider.retired_from.is_(None), Provider.retired_from > on)
    statement = sa.select(Provider.name).where(is_there, _reads(Provider.id, patient_id))
    return session.scalars(statement.order_by(Provider.position, Provider.id)).all()


def of_visit(session: Session, visit: Appointment) -> Sequence[Notice]:
    """Return what a provider should know of health at a visit, oldest first.

    What waits of the patient; what was told of this visit; and what was told of none in particular
    in the weeks before it.
    """
    lately = sa.and_(
        Notice.appointment_id.is_(None),
        Notice.created_at.between(visit.starts_at - BEFORE_VISIT, visit.ends_at),
    )
    statement = sa.select(Notice).where(
        Notice.patient_id == visit.patient_id,
        Notice.kind == HEALTH,
        sa.or_(Notice.handled_at.is_(None), Notice.appointment_id == visit.id, lately),
    )
    return session.scalars(statement.order_by(Notice.id)).all()


def readings(session: Session, since: datetime) -> Sequence[Any]:
    """Return which notices were shown to whom and when, the earliest first: ``(at, name, after)``."""
    statement = (
        sa.select(AuditRow.at, User.name, AuditRow.after)
        .join(User, User.id == AuditRow.user_id)
        .where(
            AuditRow.object_kind == "notice",
            AuditRow.object_id.is_(None),
            AuditRow.action == READ,
            AuditRow.at >= since,
        )
        .order_by(AuditRow.id)
    )
    return session.execute(statement).all()


def may_read(session: Session, notice_id: int, provider_id: int) -> bool:
    """Whether this provider may read that notice about health."""
    statement = sa.select(Notice.id).where(Notice.id == notice_id, readable_by(provider_id))
    return session.scalar(statement) is not None


def _reads(provider_id: Any, patient_id: Any) -> sa.ColumnElement[bool]:
    examines = sa.exists().where(
        ProviderService.provider_id == provider_id, ProviderService.may_examine
    )
    own = aliased(Appointment)  # a statement that asks this may show visits of its own
    treats = sa.exists().where(own.patient_id == patient_id, own.provider_id == provider_id)
    return sa.or_(examines, treats)


def _same(
    session: Session, told: Told, patient_id: int, appointment_id: int | None
) -> Notice | None:
    waiting = [
        row
        for row in waiting_of(session, patient_id)
        if (row.kind, row.appointment_id) == (told.kind, appointment_id)
    ]
    said = (told.text, dict(told.wishes), told.flight_on, told.flight_at)
    for row in waiting:
        if (row.text or row.health_text, row.wishes, row.flight_on, row.flight_at) == said:
            return row
    return None
