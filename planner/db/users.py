"""Users: who may sign in."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.models import SignIn, User


def find_by_email(session: Session, email: str) -> User | None:
    """Return the user of an address, whatever its case, or None."""
    return session.scalar(sa.select(User).where(User.email == email.strip().lower()))


def language(session: Session, user_id: int | None) -> str:
    """Return the language of a user; English for nobody's."""
    return session.scalar(sa.select(User.language).where(User.id == user_id)) or "en"


def end_sign_ins(session: Session, user_id: int, *, except_hash: str = "") -> None:
    """Sign a user out everywhere, but for one browser."""
    session.execute(
        sa.delete(SignIn).where(SignIn.user_id == user_id, SignIn.id_hash != except_hash)
    )


def has_any(session: Session) -> bool:
    """Whether anybody can sign in at all."""
    return session.scalar(sa.select(User.id).limit(1)) is not None


def lock_managers(session: Session) -> frozenset[int]:
    """Return the ids of the active managers, locked: so that two cannot remove each other at once."""
    query = (
        sa.select(User.id)
        .where(User.role == "manager", User.is_active)
        .order_by(User.id)
        .with_for_update()
    )
    return frozenset(session.scalars(query))
