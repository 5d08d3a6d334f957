"""Subscriptions to calendars, when they were last fetched, and what could not be served."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from planner.db.base import Base


class CalendarFeed(Base):
    """A revocable subscription of one patient or one provider. Only the hash of its token is stored."""

    __tablename__ = "calendar_feed"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    provider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id")
    )  # a provider's own user
    link_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("patient_link.id")
    )  # by which the patient made it
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        sa.CheckConstraint("(patient_id IS NULL) <> (provider_id IS NULL)", name="one_owner"),
    )


class FeedFetch(Base):
    """When and by what a feed was last fetched, and since when its bytes are what they are."""

    __tablename__ = "feed_fetch"
    feed_id: Mapped[int] = mapped_column(
        sa.ForeignKey("calendar_feed.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    fetched_at: Mapped[datetime]
    agent: Mapped[str] = mapped_column(sa.String(120))
    etag: Mapped[str] = mapped_column(sa.String(32))
    changed_at: Mapped[datetime]


class Handover(Base):
    """A live visit that a provider had until another took it over, as it was then.

    Never removed: how many there are is part of the revision that providers' calendars see.
    """

    __tablename__ = "handover"
    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    sequence: Mapped[int]
    is_told: Mapped[bool]  # not of one that they had no longer than an undo takes
    at: Mapped[datetime]


class LeftOutEvent(Base):
    """An event that was kept out of calendars because some would stumble over it."""

    __tablename__ = "left_out_event"
    uid: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(120))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
