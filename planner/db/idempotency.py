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
from planner.db.base import Base
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
    """Take the key for this transaction. A copy running at the same time waits here for its end.

    Raises KeyReused when the key came with another body before.
    """
    row_key = keys.digest(f"{by.user_id}\n{asked.key}")  # a key belongs to its user
    body_hash = keys.digest(keys.canonical([action, asked.body]))
    row: dict[str, Any] = {
        "key": row_key, "user_id": by.user_id, "action": action[:40], "body_hash": body_hash,
        "answer": {}, "created_at": now,
    }  # fmt: skip
    # Without the option psycopg's count is gone by the time it is asked for.
    inserted = session.execute(
        _insert(session).values(row), execution_options={"preserve_rowcount": True}
    )
    if inserted.rowcount == 1:  # type: ignore[attr-defined]  # a CursorResult
        return Claim(row_key, None)
    stored = sa.select(_TABLE.c.body_hash, _TABLE.c.answer).where(_TABLE.c.key == row_key)
    first = session.execute(stored).one()
    if first.body_hash != body_hash:
        raise KeyReused(action)
    return Claim(row_key, first.answer)


def keep(session: Session, claimed: Claim, answer: Any) -> dict[str, Any]:
    """Store the answer of the claimed key; return it as its repeats will get it."""
    plain: dict[str, Any] = json.loads(keys.canonical(answer))
    statement = sa.update(_TABLE).values(answer=plain)
    session.execute(statement.where(_TABLE.c.key == claimed.row_key))
    return plain


_TABLE = Base.metadata.tables["idempotency_key"]


def _insert(session: Session) -> Any:
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(_TABLE).on_conflict_do_nothing()
    return sqlite.insert(_TABLE).on_conflict_do_nothing()
