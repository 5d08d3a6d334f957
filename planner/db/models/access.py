"""Users, their signed-in sessions, and the counters that slow guessing down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from planner.db.base import Base


class User(Base):
    """Somebody who signs in. May be linked to a provider."""

    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)  # lower case
    name: Mapped[str] = mapped_column(sa.String(120))
    role: Mapped[str] = mapped_column(sa.String(12))  # receptionist | provider | manager
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    language: Mapped[str] = mapped_column(sa.String(5), default="en")
    provider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"))
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"))  # where they usually sit
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("role IN ('receptionist', 'provider', 'manager')", name="role"),
    )


class SignIn(Base):
    """A browser's session row, signed in or not; the cookie holds a random id, this row its hash."""

    __tablename__ = "sign_in"
    id_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"), index=True)
    contents: Mapped[dict[str, Any]]  # CSRF secret, flashed messages, language
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)  # absolute


class Throttle(Base):
    """Failed attempts per account and per address."""

    __tablename__ = "throttle"
    subject: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_failed_at: Mapped[datetime]
