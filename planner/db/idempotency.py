"""One effect for one form, however often it is sent: the first answer is kept and given again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from planner.db import keys
from planner.db.models import IdempotencyKey
from planner.errors import KeyReused
from planner.who import Who


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The key a form was rendered with, and what it says: a text, or a mapping of JSON values."""

    key: str
    body: str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this transaction was the first to use, or the answer of the one that was."""

    row_key: str
    answer: dict[str, Any] | None


def claim(session: Session, asked: Idempotency, *, by: Who, now: datetime, action: str) -> Claim:
    """Take the key for this transaction. A copy that runs at the same time waits here until it ends.

    Raises KeyReused when the key came with another body before.
    """
    row_key = keys.digest(f"{by.user_id}\n{asked.key}")  # a key belongs to its user
    body_hash = keys.digest(keys.canonical([action, asked.body]))
    row = {
        "key": row_key, "user_id": by.user_id, "action": action[:40], "body_hash": body_hash,
        "answer": {}, "created_at": now,
    }  # fmt: skip
    if session.execute(_insert(session).values(row)).rowcount == 1:  # type: ignore[attr-defined]  # a CursorResult
        return Claim(row_key, None)
    table = IdempotencyKey.__table__.c
    first = session.execute(
        sa.select(table.body_hash, table.answer).where(table.key == row_key)
    ).one()
    if first.body_hash != body_hash:
        raise KeyReused(action)
    return Claim(row_key, first.answer)


def keep(session: Session, claimed: Claim, answer: Any) -> dict[str, Any]:
    """Store the answer of the claimed key; return it as its repeats will get it."""
    plain: dict[str, Any] = json.loads(keys.canonical(answer))
    statement = sa.update(IdempotencyKey.__table__).values(answer=plain)
    session.execute(statement.where(IdempotencyKey.key == claimed.row_key))
    return plain


def _insert(session: Session) -> Any:
    table = IdempotencyKey.__table__
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
