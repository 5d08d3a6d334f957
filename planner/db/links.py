"""Links that patients hold: the reads and writes that use cases and pages need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import keys
from planner.db.engine import Tx
from planner.db.models import CalendarFeed, Patient, PatientLink, User
from planner.errors import NotFound


def kept_patient(session: Session, key: str) -> int:
    """Return the id of the patient of an address, or of whom they were merged into.

    Raises NotFound.
    """
    found = session.scalar(sa.select(Patient.id).where(Patient.key == key))
    if found is None:
        raise NotFound("patient")
    return kept(session, found)


def kept(session: Session, patient_id: int) -> int:
    """Return the id of the patient that a chain of merges ends with."""
    seen = {patient_id}
    while True:
        into = session.scalar(sa.select(Patient.merged_into_id).where(Patient.id == patient_id))
        if into is None or into in seen:
            return patient_id
        seen.add(into)
        patient_id = into


def merged_ids(session: Session, patient_id: int) -> frozenset[int]:
    """Return the id of a patient and of all that were merged into them."""
    found = newest = frozenset({patient_id})
    while newest:
        statement = sa.select(Patient.id).where(Patient.merged_into_id.in_(newest))
        newest = frozenset(session.scalars(statement)) - found
        found |= newest
    return found


def add(tx: Tx, *, patient_id: int, token_hash: str, expires_at: datetime) -> PatientLink:
    """Store a link; not flushed."""
    row = PatientLink(
        patient_id=patient_id,
        token_hash=token_hash,
        created_at=tx.now,
        created_by=tx.by.user_id,
        expires_at=expires_at,
    )
    tx.session.add(row)
    return row


def find(session: Session, token: str) -> PatientLink | None:
    """Return the link of a token, open or not, or None."""
    return session.scalar(
        sa.select(PatientLink).where(PatientLink.token_hash == keys.digest(token))
    )


def holder(session: Session, link_id: int, *, now: datetime) -> int | None:
    """Return whose link this is while it opens their page, else None."""
    row = session.get(PatientLink, link_id)
    if row is None or not is_open(row, now):
        return None
    return kept(session, row.patient_id)


def last_holder(session: Session, link_id: int) -> int | None:
    """Return whose link this is or was, whatever has become of it."""
    row = session.get(PatientLink, link_id)
    return kept(session, row.patient_id) if row else None


def of_patients(session: Session, patient_ids: Collection[int]) -> Sequence[PatientLink]:
    """Return the links of the patients, newest first."""
    statement = (
        sa.select(PatientLink)
        .where(PatientLink.patient_id.in_(patient_ids))
        .order_by(PatientLink.created_at.desc(), PatientLink.id.desc())
    )
    return session.scalars(statement).all()


def makers(
    session: Session, rows: Collection[PatientLink] | Collection[CalendarFeed]
) -> dict[int, str]:
    """Return the names of those who made the links, by user id."""
    ids = {row.created_by for row in rows if row.created_by is not None}
    found = session.execute(sa.select(User.id, User.name).where(User.id.in_(ids)))
    return dict(found.all())


def is_open(row: PatientLink, now: datetime) -> bool:
    """Whether the link still opens its page."""
    return now < closes_at(row)


def closes_at(row: PatientLink) -> datetime:
    """Return when the link ends or ended: revoked, or else run out."""
    return min(row.revoked_at or row.expires_at, row.expires_at)
