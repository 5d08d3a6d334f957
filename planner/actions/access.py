"""Signing in and out, one's own account, and what was tried without being allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from planner import passwords
from planner.actions import guessing
from planner.db import keys, signins, users
from planner.db.engine import Tx, reading, record, transaction
from planner.db.models import User
from planner.errors import Invalid, NotFound
from planner.who import Who

ROLES = ("receptionist", "provider", "manager")
LANGUAGES = ("en", "es")
LONGEST_ADDRESS = 254
DEMO_PASSWORD = "three sessions make a course"  # noqa: S105  of people who do not exist
DEMO_ADDRESSES = ("reception@example.com", "provider@example.com", "manager@example.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of trying to sign in: the new session's id, or seconds to wait, or neither."""

    session_id: str = ""
    wait_seconds: int = 0


def sign_in(
    email: str, password: str, *, replaces: str, lifetime: timedelta, by: Who, now: datetime
) -> Attempt:
    """Check an address and its password, and start a session that ends after ``lifetime``.

    The session has a new id, and the one that it replaces opens nothing any more. An unknown address
    takes as long as a known one and gets the same answer; ``guessing`` says who has to wait.
    """
    guess = guessing.of(email, by.origin)
    wait, user_id, stored = transaction(
        lambda tx: _admit(tx, email, guess), by=by, now=now, action="sign_in.try"
    )
    if wait:
        return Attempt(wait_seconds=wait)
    if not passwords.matches(stored, password):
        record("sign_in.failed", by=by, now=now, object_kind="user", object_id=user_id)
        return Attempt()
    session_id = signins.new_id()

    def work(tx: Tx) -> None:
        guessing.succeeded(tx, guess)
        signins.end(tx, keys.digest(replaces))
        _start(tx, _user(tx, user_id), session_id, lifetime)
        tx.note("user", user_id)

    transaction(work, by=by, now=now, action="sign_in")
    return Attempt(session_id=session_id)


def sign_out(session_id: str, *, by: Who, now: datetime) -> None:
    """End a session at once, wherever its cookie went."""

    def work(tx: Tx) -> None:
        signins.end(tx, keys.digest(session_id))
        if by.user_id is not None:
            tx.note("user", by.user_id)

    transaction(work, by=by, now=now, action="sign_out")


def denied(endpoint: str, *, by: Who, now: datetime) -> None:
    """Write down that somebody asked for what their role may not have."""
    record("denied", by=by, now=now, object_kind="page", facts={"endpoint": endpoint})


def change_password(old: str, new: str, *, lifetime: timedelta, by: Who, now: datetime) -> str:
    """Change one's own password and sign out everywhere; return the id of a new session.

    Raises Invalid.
    """
    if not passwords.matches(_stored_hash(by.user_id), old):
        raise Invalid({"old": "password_wrong"})
    session_id = signins.new_id()

    def work(tx: Tx) -> None:
        user = _user(tx, by.user_id)
        weakness = passwords.find_weakness(new, email=user.email)
        if weakness:
            raise Invalid({"new": weakness})
        user.password_hash = passwords.hashed(new)
        users.end_sign_ins(tx.session, user.id)
        _start(tx, user, session_id, lifetime)

    transaction(work, by=by, now=now, action="user.password")
    return session_id


def set_language(language: str, *, by: Who, now: datetime) -> None:
    """Keep the language a user wants the pages in. Raises Invalid."""
    if language not in LANGUAGES:
        raise Invalid({"language": "choice"})

    def work(tx: Tx) -> None:
        _user(tx, by.user_id).language = language

    transaction(work, by=by, now=now, action="user.language")


def add_user(
    email: str,
    *,
    name: str,
    role: str,
    password: str,
    provider_id: int | None = None,
    by: Who,
    now: datetime,
) -> int:
    """Add a user from the machine itself and return its id. Raises Invalid with a code per field.

    A provider may be linked later: until then there is no "My day" and nothing to decide.
    """
    address = email.strip().lower()
    wrong = {}
    if not _is_address(address):
        wrong["email"] = "email"
    if role not in ROLES:
        wrong["role"] = "role"
    if weakness := passwords.find_weakness(password, email=address):
        wrong["password"] = weakness
    if wrong:
        raise Invalid(wrong)
    columns: dict[str, Any] = {
        "email": address,
        "name": name.strip()[:120] or address.partition("@")[0][:120],
        "role": role,
        "password_hash": passwords.hashed(password),
        "provider_id": provider_id,
    }

    def work(tx: Tx) -> int:
        if users.find_by_email(tx.session, address):
            raise Invalid({"email": "email_taken"})
        user = User(**columns, created_at=tx.now)
        tx.session.add(user)
        tx.session.flush()
        return user.id

    return transaction(work, by=by, now=now, action="user.add")


def has_users() -> bool:
    """Whether anybody can sign in at all."""
    with reading() as session:
        return users.has_any(session)


def demo_sign_ins() -> tuple[str, ...]:
    """Return how to sign in to the demo clinic; nothing where there is no demo data."""
    with reading() as session:
        found = [users.find_by_email(session, address) for address in DEMO_ADDRESSES]
    return tuple(
        f"{user.role}: {user.email}, password: {DEMO_PASSWORD}"
        for user in found
        if user is not None
    )


def _admit(tx: Tx, email: str, guess: guessing.Guess) -> tuple[int, int | None, str | None]:
    """Return the seconds to wait, else whose password it would be and its stored hash."""
    wait = guessing.wait_seconds(tx, guess)
    if wait:
        return wait, None, None
    # Counted before it is known to be wrong, or attempts sent at once would all be free.
    guessing.failed(tx, guess)
    user = users.find_by_email(tx.session, email)
    if user is None or not user.is_active:
        return 0, None, None
    return 0, user.id, user.password_hash


def _start(tx: Tx, user: User, session_id: str, lifetime: timedelta) -> None:
    tx.session.flush()
    signins.add(
        tx,
        keys.digest(session_id),
        {"seal": signins.seal(user)},
        user_id=user.id,
        expires_at=tx.now + lifetime,
    )


def _stored_hash(user_id: int | None) -> str | None:
    if user_id is None:
        return None
    with reading() as session:
        user = session.get(User, user_id)
        return user.password_hash if user else None


def _user(tx: Tx, user_id: int | None) -> User:
    user = tx.session.get(User, user_id) if user_id is not None else None
    if user is None:
        raise NotFound("user")
    return user


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    is_plain = text.isprintable() and not any(letter.isspace() for letter in text)
    return bool(local and at and domain) and is_plain and len(text) <= LONGEST_ADDRESS
