"""What a browser's session holds between two requests, kept in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from planner.db import keys, signins, snapshots
from planner.db.engine import Tx, transaction
from planner.db.models import SignIn
from planner.who import Who

SEEN_EVERY = timedelta(minutes=1)
LONGEST_ID = 100
_NOBODY = Who(user_id=None, role="system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who is signed in, as far as pages need it."""

    id: int
    name: str
    email: str
    role: str
    language: str
    provider_id: int | None
    site_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """A browser's session as it is stored; ``is_due``: that it was seen should be noted again.

    Read at the same moment: ``schedule`` is another number once a day may look different, ``edition``
    another text once the clinic's name, or anything set up, does. ``waiting`` notices wait for the user.
    """

    contents: dict[str, Any]
    account: Account | None
    is_due: bool
    schedule: int
    edition: str
    waiting: int


def find(session_id: str, *, now: datetime, idle: timedelta) -> Browser | None:
    """Return the live session of a cookie; None when it is unknown, idle for too long, or over.

    None too once its user was deactivated, got another role or password, or another provider. Before
    sign-in a session may be idle: a sign-in page that stood open overnight must still work.
    """
    if len(session_id) > LONGEST_ID:
        return None
    row = signins.find(keys.digest(session_id))
    if row is None or not _is_alive(row, now=now, idle=idle):
        return None
    return Browser(
        contents=dict(row.contents.get("values", {})),
        account=_account(row) if row.user_id is not None else None,
        is_due=now - row.seen_at >= SEEN_EVERY,
        schedule=row.schedule or 0,
        edition=snapshots.edition(row.clinic, row.catalogue),
        waiting=row.waiting,
    )


def start(contents: dict[str, Any], *, now: datetime, lifetime: timedelta) -> str:
    """Store the session of a browser in which nobody has signed in; return its id."""
    session_id = signins.new_id()

    def work(tx: Tx) -> None:
        stored = {"values": contents}
        signins.add(tx, keys.digest(session_id), stored, user_id=None, expires_at=tx.now + lifetime)

    transaction(work, by=_NOBODY, now=now, action="browser.start")
    return session_id


def keep(session_id: str, contents: dict[str, Any] | None, *, now: datetime) -> bool:
    """Note that a session was seen and, unless None, what it holds; return False when it is over."""
    id_hash = keys.digest(session_id)

    def work(tx: Tx) -> bool:
        if contents is None:
            return signins.keep(tx, id_hash, None)
        row = tx.session.get(SignIn, id_hash)
        return row is not None and signins.keep(tx, id_hash, {**row.contents, "values": contents})

    return transaction(work, by=_NOBODY, now=now, action="browser.keep")


def end(session_id: str, *, now: datetime) -> None:
    """Forget a browser's session: it opens nothing any more, wherever its cookie went."""
    transaction(
        lambda tx: signins.end(tx, keys.digest(session_id)),
        by=_NOBODY,
        now=now,
        action="browser.end",
    )


def _is_alive(row: Any, *, now: datetime, idle: timedelta) -> bool:
    if row.expires_at <= now:
        return False
    if row.user_id is None:
        return True
    return bool(
        row.is_active and now - row.seen_at < idle and row.contents.get("seal") == signins.seal(row)
    )


def _account(row: Any) -> Account:
    return Account(
        id=row.user_id,
        name=row.name,
        email=row.email,
        role=row.role,
        language=row.language,
        provider_id=row.provider_id,
        site_id=row.site_id,
    )
