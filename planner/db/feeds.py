"""Subscriptions to calendars: the reads and writes that use cases and pages need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from planner.db import keys
from planner.db.engine import Tx
from planner.db.models import CalendarFeed, FeedFetch, LeftOutEvent

FORGOTTEN_AFTER = timedelta(days=400)
"""A subscription that nobody has fetched for so long ends by itself."""

EMPTY_FOR = timedelta(days=30)
"""How long an ended one gives an empty calendar: phones keep the old visits when it gives none."""

NOTED_EVERY = timedelta(minutes=1)
"""How often it is written down that one was fetched, unless it gives something else than before."""

REPORTED_FOR = timedelta(days=30)
"""How long it is told that an event was left out."""


def add(
    tx: Tx,
    token: str,
    *,
    patient_id: int | None = None,
    provider_id: int | None = None,
    link_id: int | None = None,
) -> CalendarFeed:
    """Store a subscription of one of them; ``link_id``: the link it was made by; not flushed."""
    row = CalendarFeed(
        patient_id=patient_id,
        provider_id=provider_id,
        token_hash=keys.digest(token),
        created_at=tx.now,
        created_by=tx.by.user_id,
        link_id=link_id,
    )
    tx.session.add(row)
    return row


def find(session: Session, token: str) -> tuple[CalendarFeed, FeedFetch | None] | None:
    """Return the subscription of a token with its last fetch, ended or not, or None."""
    statement = (
        sa.select(CalendarFeed, FeedFetch)
        .outerjoin(FeedFetch, FeedFetch.feed_id == CalendarFeed.id)
        .where(CalendarFeed.token_hash == keys.digest(token))
    )
    found = session.execute(statement).first()
    return (found[0], found[1]) if found else None


def rows(
    session: Session, *where: sa.ColumnElement[bool]
) -> Sequence[tuple[CalendarFeed, FeedFetch | None]]:
    """Return the subscriptions of which the conditions are true, newest first."""
    statement = (
        sa.select(CalendarFeed, FeedFetch)
        .outerjoin(FeedFetch, FeedFetch.feed_id == CalendarFeed.id)
        .where(*where)
        .order_by(CalendarFeed.created_at.desc(), CalendarFeed.id.desc())
    )
    return [(feed, fetch) for feed, fetch in session.execute(statement)]


def open_of_patient(
    session: Session, patient_id: int, now: datetime
) -> Sequence[tuple[CalendarFeed, FeedFetch | None]]:
    """Return the subscriptions of a patient that go on, newest first."""
    found = rows(session, CalendarFeed.patient_id == patient_id, CalendarFeed.revoked_at.is_(None))
    return [row for row in found if ended_at(*row, now) is None]


def ended_at(feed: CalendarFeed, fetch: FeedFetch | None, now: datetime) -> datetime | None:
    """Return when the subscription ended: revoked, or forgotten for long; None while it goes on."""
    if feed.revoked_at is not None:
        return feed.revoked_at
    forgotten_at = (fetch.fetched_at if fetch else feed.created_at) + FORGOTTEN_AFTER
    return forgotten_at if now >= forgotten_at else None


def revoke_of_user(tx: Tx, user_id: int) -> None:
    """End what a user subscribes to as a provider: they have left, or are another one now."""
    statement = sa.select(CalendarFeed).where(
        CalendarFeed.created_by == user_id,
        CalendarFeed.provider_id.is_not(None),
        CalendarFeed.revoked_at.is_(None),
    )
    for row in tx.session.scalars(statement):
        row.revoked_at = tx.now


def revoke_of_links(tx: Tx, link_ids: Collection[int]) -> None:
    """End what was made by links that end: whoever must not open them must not read on either."""
    statement = sa.select(CalendarFeed).where(
        CalendarFeed.link_id.in_(link_ids), CalendarFeed.revoked_at.is_(None)
    )
    for row in tx.session.scalars(statement):
        row.revoked_at = tx.now


def left_out(session: Session, now: datetime) -> Sequence[LeftOutEvent]:
    """Return the events that were lately left out of a calendar, the latest first."""
    statement = sa.select(LeftOutEvent).where(LeftOutEvent.last_at > now - REPORTED_FOR)
    return session.scalars(statement.order_by(LeftOutEvent.last_at.desc())).all()


def note_left_out(tx: Tx, uid: str, reason: str) -> None:
    """Write down that an event was left out, and forget those of long ago."""
    tx.session.execute(sa.delete(LeftOutEvent).where(LeftOutEvent.last_at <= tx.now - REPORTED_FOR))
    # Two processes may come upon the same event at once.
    insert: Any = (
        postgresql.insert(LeftOutEvent)
        if tx.session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(LeftOutEvent)
    ).values(uid=uid, reason=reason, first_at=tx.now, last_at=tx.now)
    changed = {"reason": reason, "last_at": tx.now}
    tx.session.execute(insert.on_conflict_do_update(index_elements=["uid"], set_=changed))
