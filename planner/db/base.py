"""The declarative base, the column types and the names of constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An instant. Refuses naive values; gives back aware UTC on both engines.

    PostgreSQL keeps a timestamptz; SQLite keeps fixed-width UTC text, so that text order is time order.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        _check_zone(value)
        return value.astimezone(UTC)

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
        if dialect.name == "sqlite":
            return _to_text
        return super().bind_processor(dialect)

    def result_processor(
        self, dialect: sa.Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        # One call for each value instead of three: a page reads hundreds of instants.
        if dialect.name == "sqlite":
            return _from_text
        return super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def one_of(column: sa.SQLColumnExpression[str], words: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether a column is one of a few fixed words of ours.

    They are spelled out: a list given as parameters is written into the text anew at each execution.
    """
    return column.in_([sa.literal_column(f"'{word}'") for word in words])


def _check_zone(value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {value!r}")


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    _check_zone(value)
    return value.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")


def _from_text(text: str | None) -> datetime | None:
    # Written behind the text, the zone costs a fifth of what it costs put into the value afterwards.
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class Base(DeclarativeBase):
    """All tables. Knows nothing of Flask."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads this class attribute as a plain dict
        datetime: UtcDateTime(),
        dict[str, Any]: sa.JSON(),
        list[str]: sa.JSON(),
        list[dict[str, Any]]: sa.JSON(),
    }
