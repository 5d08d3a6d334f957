"""The audit trail: one chain of rows, each sealed by the hash of the one before it.

How far it has come stands in a row of its own, which the database lets only move forward: so a trail
whose newest rows were cut off does not look whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import keys
from planner.db.base import Base
from planner.db.models import AuditRow
from planner.db.prepared import Insertion, Prepared
from planner.db.traces import Trace
from planner.who import Who

GENESIS = "0" * 64
"""What the first row says was before it."""

SECRETS = frozenset({"password_hash", "token_hash", "id_hash"})
ANSWERS = frozenset(
    {
        "health_answer", "health_text", "had_clots", "is_pregnant", "pregnancy_ended_on", "is_nursing",
        "is_healthy", "has_allergy", "has_acute_clot", "has_infection", "has_limb_ischaemia",
    }
)  # fmt: skip
"""What a patient said about their health: for providers only, wherever it would be copied to."""

MASKED = SECRETS | ANSWERS
DERIVED = frozenset({"version", "search_text"})
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened to one object: changed fields before and after, as JSON values."""

    object_kind: str
    object_id: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A row of the chain that is not as it was written.

    ``reason``: hash | previous | head (the chain does not end with the row, the last it had).
    """

    row_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk along the chain found; ``expected_at`` is the row with the hash that was asked for."""

    rows: int
    head: str
    breaks: tuple[Break, ...]
    expected_at: int | None = None


def entry_of(trace: Trace) -> Entry:
    """Return the entry that tells of a changed row: what differs, secrets only as "changed"."""
    fields = sorted(trace.changed - DERIVED)
    return Entry(
        object_kind=trace.table,
        object_id=trace.id,
        before=_shown(trace.before, fields),
        after=_shown(trace.after, fields),
    )


def append(
    session: Session,
    entries: Sequence[Entry],
    *,
    by: Who,
    now: datetime,
    action: str,
    reason: str = "",
) -> None:
    """Append entries to the chain. Writers queue here until they commit, so do it late."""
    if not entries:
        return
    previous = _locked_head(session)
    rows = []
    for entry in entries:
        row = _row(entry, by=by, now=now, action=action, reason=reason)
        row["previous_hash"] = previous
        previous = row["hash"] = seal(row)
        rows.append(row)
    connection = session.connection()
    _INSERT.all(connection, rows)
    _ADVANCE.run(connection, {"added": len(rows), "newest": previous})


def seal(row: Mapping[str, Any]) -> str:
    """Return the hash of a row: of all it says, and of the hash before it."""
    said = {key: row[key] for key in _SEALED}
    said["at"] = row["at"].astimezone(UTC).isoformat()
    return keys.digest(keys.canonical(said))


def verify(session: Session, *, expected: str = "") -> Verdict:
    """Walk the whole chain and return every row that is not as it was written.

    ``expected`` is a head that was written down elsewhere (or how it begins): it stays in the chain.
    """
    previous, count, last_id, expected_at = GENESIS, 0, 0, None
    breaks = []
    for row in _rows(session):
        reason = _fault(row, previous)
        if reason:
            breaks.append(Break(row_id=row["id"], reason=reason))
        previous, last_id = row["hash"], row["id"]
        count += 1
        if expected and previous.startswith(expected):
            expected_at = last_id
    head = session.execute(_STORED_HEAD).one_or_none() or (0, 0, "")
    is_end = (last_id, previous) == (head[0], head[2])
    if not is_end or (count != head[1] and not breaks):
        breaks.append(Break(row_id=head[0], reason="head"))
    return Verdict(rows=count, head=previous, breaks=tuple(breaks), expected_at=expected_at)


_TABLE = Base.metadata.tables["audit"]
# Built once: every change asks them while all other writers wait.
_HEAD_TABLE = Base.metadata.tables["audit_head"]
_STORED_HEAD = sa.select(_HEAD_TABLE.c.last_id, _HEAD_TABLE.c.row_count, _HEAD_TABLE.c.hash)
_HEAD = Prepared(sa.select(_HEAD_TABLE.c.hash).with_for_update())
_INSERT = Insertion(_TABLE)
_ADVANCE = Prepared(
    sa.update(_HEAD_TABLE).values(
        last_id=sa.select(sa.func.max(_TABLE.c.id)).scalar_subquery(),
        row_count=_HEAD_TABLE.c.row_count + sa.bindparam("added"),
        hash=sa.bindparam("newest"),
    )
)
_SEALED = (
    "user_id", "origin", "request_id", "action", "object_kind", "object_id",
    "before", "after", "reason", "previous_hash",
)  # fmt: skip


def _shown(values: Mapping[str, Any] | None, fields: Sequence[str]) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        key: "changed" if key in MASKED else values[key]
        for key in fields
        if key in values and values[key] not in (None, "")
    }


def _locked_head(session: Session) -> str:
    # Whoever waits for the row gets it as the one before has left it. SQLite has one writer anyway.
    found: str = _HEAD.first(session.connection()).hash
    return found


def _row(entry: Entry, *, by: Who, now: datetime, action: str, reason: str) -> dict[str, Any]:
    return {
        "at": now,
        "user_id": by.user_id,
        "origin": by.origin[:64],
        "request_id": by.request_id[:36],
        "action": action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "before": dict(entry.before) if entry.before is not None else None,
        "after": dict(entry.after) if entry.after is not None else None,
        "reason": reason[:LONGEST_REASON],
    }


def _rows(session: Session) -> Iterator[dict[str, Any]]:
    statement = sa.select(_TABLE).order_by(AuditRow.id)
    for row in session.execute(statement.execution_options(yield_per=1000)):
        yield row._asdict()


def _fault(row: Mapping[str, Any], previous: str) -> str | None:
    if row["previous_hash"] != previous:
        return "previous"
    return None if row["hash"] == seal(row) else "hash"
