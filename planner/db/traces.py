"""What a transaction changed: gathered as the session flushes, so that nobody has to remember."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import (
    ORMExecuteState,
    PassiveFlag,
    Session,
    attributes,
    make_transient_to_detached,
)

from planner.db.base import Base, UtcDateTime
from planner.db.prepared import Insertion

T = TypeVar("T", bound=Base)

UNTRACED = frozenset(
    {
        "sign_in", "throttle", "idempotency_key", "audit", "audit_head", "change",
        "schedule_version", "feed_fetch", "handover", "left_out_event", "message",
    }
)  # fmt: skip
"""Tables that are no part of the clinic's record, or that keep it themselves: a message's row says
when it was written and sent, and its many steps there would only fill the trail."""

CATALOGUE = frozenset(
    {
        "site", "site_hours", "room", "room_service", "provider", "provider_hours",
        "provider_service", "absence", "service", "rule_record", "protocol",
    }
)  # fmt: skip
"""Tables of which a process keeps a copy in memory."""

SCHEDULE = CATALOGUE | {
    "appointment", "date_to_avoid", "screening", "consult", "consent", "course", "course_session",
}  # fmt: skip
"""Tables a timetable is made of; of a patient only some columns are."""

PLANNING_FACTS = frozenset(
    {"birth_date", "stay_from", "stay_until", "eligible_from", "merged_into_id"}
)
SHOWN_FACTS = frozenset({"given_name", "family_name", "language", "note"})
"""What a day shows of a patient: it is unchanged only while these are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One row as it was before the transaction (None: inserted) and is after it (None: deleted)."""

    table: str
    id: int | None  # None for a key of several columns
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def changed(self) -> frozenset[str]:
        """The columns that differ."""
        before, after = self.before or {}, self.after or {}
        return frozenset(
            key for key in before.keys() | after.keys() if before.get(key) != after.get(key)
        )


def follow(kind: type[Session]) -> None:
    """Let each session of this kind tell its tracer, in ``session.info``, what it writes."""
    event.listen(kind, "before_flush", _on_flush)
    event.listen(kind, "do_orm_execute", _refuse_unseen_writes)


@dataclass(slots=True)
class Tracer:
    """Gathers what one session writes, from its first flush to its last."""

    session: Session
    _rows: dict[int, tuple[Base, dict[str, Any] | None]] = field(default_factory=dict)
    _deleted: set[int] = field(default_factory=set)

    def traces(self) -> list[Trace]:
        """Return what changed, in the order in which it was first touched. Flush before."""
        return [trace for trace in self._all() if trace.before != trace.after]

    def has_touched(self, tables: frozenset[str]) -> bool:
        """Whether a row of one of the tables was written."""
        return any(row.__tablename__ in tables for row, _ in self._rows.values())

    def has_inserted(self, row: Base) -> None:
        """Note a new row that was stored without a flush."""
        self._rows[id(row)] = (row, None)

    def gather(self) -> None:
        """Note what is about to be flushed."""
        session = self.session
        for row in session.new:
            self._rows.setdefault(id(row), (row, None))
        for row in session.dirty:
            if session.is_modified(row):
                self._remember(row)
        for row in session.deleted:
            self._remember(row)
            self._deleted.add(id(row))

    def _remember(self, row: Any) -> None:
        if id(row) not in self._rows and row.__tablename__ not in UNTRACED:
            self._rows[id(row)] = (row, _image_before(self.session, row))

    def _all(self) -> Iterator[Trace]:
        for key, (row, before) in self._rows.items():
            if row.__tablename__ in UNTRACED:
                continue
            after = None if key in self._deleted else image(row)
            identity = sa.inspect(type(row)).primary_key_from_instance(row)
            number = identity[0] if len(identity) == 1 and isinstance(identity[0], int) else None
            yield Trace(table=row.__tablename__, id=number, before=before, after=after)


def insert(session: Session, model: type[T], values: Mapping[str, Any]) -> T:
    """Store one new row at once, and return it as the session hands out what it has flushed.

    A flush looks for references, cascades and an order among many rows, and takes thrice as long. Not
    for rows of the catalogue, for which the settings are to be locked first.
    """
    if model.__tablename__ in CATALOGUE:
        raise ValueError(f"rows of {model.__tablename__} are added to the session")
    session.flush()
    insertion = _insertion(model)
    number = insertion.one(session.connection(), values)
    row = cast(T, sa.inspect(model).class_manager.new_instance())
    vars(row).update(insertion.completed(values), id=number)
    make_transient_to_detached(row)
    session.add(row)
    session.info["tracer"].has_inserted(row)
    return row


def image(row: Base) -> dict[str, Any]:
    """Return all columns of a row as JSON values."""
    loaded = vars(row)  # what is not in there, the session reads
    return {
        key: encoded(loaded[key] if key in loaded else getattr(row, key))
        for key in _names(type(row))
    }


def restore(row: Base, before: dict[str, Any], *, without: frozenset[str]) -> None:
    """Set the columns of a row to what an image says, leaving some as they are."""
    for column in _columns(row):
        if column.key in before and column.key not in without:
            kind = column.columns[0].type
            setattr(row, column.key, _decoded(kind, before[column.key]))


def encoded(value: Any) -> Any:
    """Return the JSON value that stands for a column's value."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date | time) else value


def is_schedule_change(traces: list[Trace]) -> bool:
    """Whether a snapshot of the schedule, or a page of it, made before is out of date."""
    return any(
        trace.table in SCHEDULE
        or (
            trace.table == "patient"
            and trace.before is not None
            and trace.changed & (PLANNING_FACTS | SHOWN_FACTS)
        )
        for trace in traces
    )


def is_catalogue_change(traces: list[Trace]) -> bool:
    """Whether what a process keeps of the catalogue is out of date."""
    return any(trace.table in CATALOGUE for trace in traces)


@lru_cache
def _insertion(model: type[Base]) -> Insertion:
    return Insertion(Base.metadata.tables[model.__tablename__])


@lru_cache
def _names(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.key for column in sa.inspect(model).column_attrs)


def _image_before(session: Session, row: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in _columns(row):
        history = attributes.get_history(row, column.key, PassiveFlag.PASSIVE_NO_INITIALIZE)
        old = history.deleted or history.unchanged
        if not old:  # set without having been loaded
            return _stored_image(session, row)
        values[column.key] = encoded(old[0])
    return values


def _stored_image(session: Session, row: Any) -> dict[str, Any]:
    mapper = sa.inspect(type(row))
    identity = zip(mapper.primary_key, sa.inspect(row).identity, strict=True)
    where = [column == value for column, value in identity]
    stored = session.connection().execute(sa.select(mapper.local_table).where(*where)).one()
    return {key: encoded(value) for key, value in stored._mapping.items()}


def _columns(row: Base) -> Any:
    return sa.inspect(type(row)).column_attrs


def _decoded(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, sa.Time):
        return time.fromisoformat(value)
    return value


def _on_flush(session: Session, context: object, instances: object) -> None:
    tracer: Tracer = session.info["tracer"]
    tracer.gather()


def _refuse_unseen_writes(state: ORMExecuteState) -> None:
    # A statement that writes past the session would leave no trace in the audit trail.
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    table = getattr(state.statement, "table", None)
    name = getattr(table, "name", "")
    if name in Base.metadata.tables and name not in UNTRACED:
        raise RuntimeError(f"write rows of {name} through the session, so that the audit sees them")
