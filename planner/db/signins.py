"""Browsers' session rows. They are no part of the clinic's record: nothing here is audited."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import keys
from planner.db.engine import Tx
from planner.db.models import SignIn, User


def new_id() -> str:
    """Return a new opaque id of 256 bits; only its hash is ever stored."""
    return secrets.token_urlsafe(32)


def seal(user: User) -> str:
    """Return a digest of what a sign-in rests on: when any of it changes, the sign-in is over."""
    return keys.digest(f"{user.role}\n{user.provider_id}\n{user.password_hash}")


def find(session: Session, id_hash: str) -> tuple[SignIn, User | None] | None:
    """Return a browser's session row with its user, or None."""
    found = session.execute(_FIND, {"id_hash": id_hash}).first()
    return (found[0], found[1]) if found else None


def add(
    tx: Tx, id_hash: str, contents: dict[str, Any], *, user_id: int | None, expires_at: datetime
) -> None:
    """Add a row, and drop those whose time is over."""
    tx.session.execute(sa.delete(SignIn).where(SignIn.expires_at < tx.now))
    tx.session.add(
        SignIn(
            id_hash=id_hash,
            user_id=user_id,
            contents=contents,
            created_at=tx.now,
            seen_at=tx.now,
            expires_at=expires_at,
        )
    )


def keep(tx: Tx, id_hash: str, contents: dict[str, Any] | None) -> bool:
    """Note that a row was seen, and what it holds now; return False when it is gone.

    Never adds one: a request that ends after its sign-out must not bring it back.
    """
    values: dict[str, Any] = {"seen_at": tx.now}
    if contents is not None:
        values["contents"] = contents
    result = tx.session.execute(sa.update(SignIn).where(SignIn.id_hash == id_hash).values(values))
    return cast("sa.CursorResult[Any]", result).rowcount == 1


def end(tx: Tx, id_hash: str) -> None:
    """Forget a browser's session."""
    tx.session.execute(sa.delete(SignIn).where(SignIn.id_hash == id_hash))


_FIND = (  # built once: every request asks it
    sa.select(SignIn, User)
    .outerjoin(User, User.id == SignIn.user_id)
    .where(SignIn.id_hash == sa.bindparam("id_hash"))
)
