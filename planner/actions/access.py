"""Signing in and out, browser sessions, and one's own account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from planner import passwords
from planner.db import keys, throttles, users
from planner.db.engine import Tx, reading, record, transaction
from planner.db.models import SignIn, User
from planner.errors import Invalid, NotFound
from planner.who import Who

FREE_ATTEMPTS = 5
LONGEST_WAIT = 60  # seconds: slows guessing down, locks nobody out
TOUCH_AFTER = timedelta(minutes=1)
DEMO_PASSWORD = "three sessions make a course"  # noqa: S105  of people who do not exist
DEMO_ADDRESSES = ("reception@example.com", "provider@example.com", "manager@example.com")
ROLES = ("receptionist", "provider", "manager")


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
class BrowserSession:
    """A browser's session as it is stored, with its account when it is signed in."""

    id_hash: str
    contents: dict[str, Any]
    account: Account | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The outcome of an attempt: the user's id, or how many seconds to wait, or neither."""

    user_id: int | None = None
    wait_seconds: int = 0


def new_session_id() -> str:
    """Return a new opaque id of 256 bits; only its hash is ever stored."""
    return secrets.token_urlsafe(32)


def find_session(session_id: str, *, now: datetime, idle: timedelta) -> BrowserSession | None:
    """Return the live session of a cookie; None when it is unknown, idle for too long, or over.

    A session of a user who is no longer active is none. Writes at most once a minute that it was seen.
    """
    id_hash = keys.digest(session_id)
    with reading() as session:
        found = users.find_sign_in(session, id_hash)
        if found is None:
            return None
        row, user = found
        if row.expires_at <= now or row.seen_at + idle <= now:
            return None
        if user is not None and not user.is_active:
            return None
        stored = BrowserSession(
            id_hash=id_hash, contents=row.contents, account=_account(user) if user else None
        )
        is_old = now - row.seen_at > TOUCH_AFTER
    if is_old:
        _touch(id_hash, now)
    return stored


def save_session(
    session_id: str,
    contents: dict[str, Any],
    *,
    user_id: int | None,
    now: datetime,
    lifetime: timedelta,
) -> None:
    """Store what a browser's session holds; a new id gets a row that ends after ``lifetime``."""

    def work(tx: Tx) -> None:
        row = tx.session.get(SignIn, keys.digest(session_id))
        if row is None:
            users.forget_expired(tx.session, tx.now)
            tx.session.add(
                SignIn(
                    id_hash=keys.digest(session_id),
                    user_id=user_id,
                    contents=contents,
                    created_at=tx.now,
                    seen_at=tx.now,
                    expires_at=tx.now + lifetime,
                )
            )
            return
        row.contents, row.user_id, row.seen_at = contents, user_id, tx.now

    transaction(work, by=_nobody(), now=now, action="session.save")


def end_session(session_id: str, *, now: datetime) -> None:
    """Forget a browser's session: signed out at once, wherever its cookie went."""

    def work(tx: Tx) -> None:
        row = tx.session.get(SignIn, keys.digest(session_id))
        if row is not None:
            tx.session.delete(row)

    transaction(work, by=_nobody(), now=now, action="session.end")


def sign_in(email: str, password: str, *, by: Who, now: datetime) -> SignedIn:
    """Check an address and its password.

    Every wrong attempt after the fifth makes the next wait longer, for that account from that address
    alone; so nobody can lock another out. An unknown address takes as long and answers alike.
    """
    subject = keys.digest(f"{email.strip().lower()} {by.origin}")

    def check(tx: Tx) -> SignedIn:
        count, last = throttles.failures(tx, subject)
        wait = _wait_seconds(count, last, now)
        if wait:
            return SignedIn(wait_seconds=wait)
        user = users.find_by_email(tx.session, email)
        return SignedIn(user_id=user.id if user and user.is_active else None)

    def count_failure(tx: Tx) -> None:
        throttles.count(tx, subject)
        tx.note("user", None, {"subject": subject[:12]})

    known = transaction(check, by=by, now=now, action="sign_in.check")
    if known.wait_seconds:
        return known
    stored = _password_hash(known.user_id)
    if not passwords.matches(stored, password):
        transaction(count_failure, by=by, now=now, action="sign_in.failed")
        return SignedIn()

    def succeed(tx: Tx) -> None:
        throttles.clear(tx, subject)
        tx.note("user", known.user_id)

    transaction(succeed, by=by, now=now, action="sign_in")
    return known


def signed_out(*, by: Who, now: datetime) -> None:
    """Write down that somebody signed out."""
    record("sign_out", by=by, now=now, object_kind="user", object_id=by.user_id)


def denied(endpoint: str, *, by: Who, now: datetime) -> None:
    """Write down that somebody asked for what their role may not have."""
    record("denied", by=by, now=now, object_kind="page", facts={"endpoint": endpoint})


def change_password(old: str, new: str, *, session_id: str, by: Who, now: datetime) -> None:
    """Change one's own password, and sign out every other browser. Raises ``Invalid``."""
    if not passwords.matches(_password_hash(by.user_id), old):
        raise Invalid({"old": "password_wrong"})

    def work(tx: Tx) -> None:
        user = _user(tx, by.user_id)
        weakness = passwords.find_weakness(new, email=user.email)
        if weakness:
            raise Invalid({"new": weakness})
        user.password_hash = passwords.hashed(new)
        users.end_sign_ins(tx.session, user.id, except_hash=keys.digest(session_id))

    transaction(work, by=by, now=now, action="user.password")


def set_language(language: str, *, by: Who, now: datetime) -> None:
    """Keep the language a user wants the pages in."""

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
    """Add a user and return its id. Raises ``Invalid`` with a code per field."""
    address = email.strip().lower()
    wrong = {}
    if "@" not in address[1:-1] or len(address) > 254 or any(c.isspace() for c in address):
        wrong["email"] = "email"
    if role not in ROLES:
        wrong["role"] = "role"
    if weakness := passwords.find_weakness(password, email=address):
        wrong["password"] = weakness
    if wrong:
        raise Invalid(wrong)
    password_hash = passwords.hashed(password)

    def work(tx: Tx) -> int:
        if users.find_by_email(tx.session, address):
            raise Invalid({"email": "email_taken"})
        user = User(
            email=address,
            name=name.strip() or address.partition("@")[0],
            role=role,
            password_hash=password_hash,
            provider_id=provider_id,
            created_at=tx.now,
        )
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
        f"{user.role}: {user.email}, password: {DEMO_PASSWORD}" for user in found if user is not None
    )


def _password_hash(user_id: int | None) -> str | None:
    if user_id is None:
        return None
    with reading() as session:
        user = session.get(User, user_id)
        return user.password_hash if user else None


def _touch(id_hash: str, now: datetime) -> None:
    def work(tx: Tx) -> None:
        row = tx.session.get(SignIn, id_hash)
        if row is not None:
            row.seen_at = now

    transaction(work, by=_nobody(), now=now, action="session.touch")


def _wait_seconds(count: int, last: datetime | None, now: datetime) -> int:
    if last is None or count < FREE_ATTEMPTS:
        return 0
    pause = min(LONGEST_WAIT, 2 ** (count - FREE_ATTEMPTS))
    left = pause - int((now - last).total_seconds())
    return max(0, left)


def _account(user: User) -> Account:
    return Account(
        id=user.id,
        name=user.name,
        email=user.email,
        role=user.role,
        language=user.language,
        provider_id=user.provider_id,
        site_id=user.site_id,
    )


def _user(tx: Tx, user_id: int | None) -> User:
    user = tx.session.get(User, user_id) if user_id is not None else None
    if user is None:
        raise NotFound("user")
    return user


def _nobody() -> Who:
    return Who(user_id=None, role="system")
