"""What is written beside every change: audit, undo, idempotency, the schedule version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from planner.db.base import Base


class AuditRow(Base):
    """One link of the audit chain. The database refuses to change or delete it."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[int | None]
    origin: Mapped[str] = mapped_column(sa.String(64))  # address, or "cli"
    request_id: Mapped[str] = mapped_column(sa.String(36))
    action: Mapped[str] = mapped_column(sa.String(60))
    object_kind: Mapped[str] = mapped_column(sa.String(30))
    object_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    __table_args__ = (sa.Index("ix_audit_object", "object_kind", "object_id"),)


class AuditHead(Base):
    """One row: how far the chain has come. The database lets it only move forward."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True)
    last_id: Mapped[int]
    row_count: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(64))


class Change(Base):
    """A change that can be taken back for two minutes: the rows as they were."""

    __tablename__ = "change"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(16), unique=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    label: Mapped[str] = mapped_column(sa.String(40))  # code of the use case
    rows: Mapped[list[dict[str, Any]]]  # [{"table", "id", "before": {…}, "after": {…}}]
    undone_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """The first answer to a POST that books, given again to its repeats."""

    __tablename__ = "idempotency_key"
    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(sa.String(40))
    body_hash: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)


class ScheduleVersion(Base):
    """One row, bumped by every change that a schedule snapshot depends on."""

    __tablename__ = "schedule_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(sa.BigInteger)
    catalogue: Mapped[int] = mapped_column(
        sa.BigInteger, default=1
    )  # the version that last changed it
