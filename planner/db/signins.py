"""Browsers' session rows. They are no part of the clinic's record: nothing here is audited."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from planner.db import keys, notices
from planner.db.engine import Tx, glance
from planner.db.models import Clinic, ScheduleVersion, SignIn, User
from planner.db.prepared import Prepared


def new_id() -> str:
    """Return a new opaque id of 256 bits; only its hash is ever stored."""
    return secrets.token_urlsafe(32)


def seal(user: User | Any) -> str:
    """Return a digest of what a sign-in rests on: when any of it changes, the sign-in is over.

    ``user`` is a user, or what ``find`` returns.
    """
    return keys.digest(f"{user.role}\n{user.provider_id}\n{user.password_hash}")


def find(id_hash: str) -> Any:
    """Return a browser's session row with its user and the versions of what pages show, or None.

    ``user_id``, ``contents``, ``seen_at``, ``expires_at``; of the user ``name``, ``email``, ``role``,
    ``password_hash``, ``language``, ``provider_id``, ``site_id``, ``is_active``, which are None before
    sign-in; ``schedule``, the schedule version, ``catalogue``, the one of the catalogue, and ``clinic``,
    the one of the clinic's own row, which are None before ``planner init``; ``waiting``, how many
    notices of patients wait for the user.
    """
    return glance(_FIND, {"id_hash": id_hash})


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


_FIND = Prepared(  # every request asks it, and most ask nothing else of the database
    sa.select(
        SignIn.user_id, SignIn.contents, SignIn.seen_at, SignIn.expires_at,
        User.name, User.email, User.role, User.password_hash, User.language, User.provider_id,
        User.site_id, User.is_active,
        ScheduleVersion.version.label("schedule"), ScheduleVersion.catalogue,
        sa.select(Clinic.version).limit(1).scalar_subquery().label("clinic"),
        notices.waiting_for(User.provider_id).label("waiting"),
    )
    .outerjoin(User, User.id == SignIn.user_id)
    .outerjoin(ScheduleVersion, ScheduleVersion.id == 1)
    .where(SignIn.id_hash == sa.bindparam("id_hash"))
)  # fmt: skip
