"""Statements that every page or booking asks: compiled once, then handed to the driver as text.

SQLAlchemy's way from a statement to its rows takes several times what SQLite takes to answer it, and while
one books all others wait. So these few go past it, on the connection of the transaction under way. What their
text is, how values are written and read, who listens and what an error means: that it still says.
"""

from __future__ import annotations

import contextlib
import operator
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.sql import visitors

Values = Mapping[str, Any]
Processor = Callable[[Any], Any]
NONE: Values = {}


class Prepared:
    """A statement that reads columns or changes rows, asked with values by name.

    A list, for ``IN``, must not be empty: it is filled up with what is in it, so that there are few texts.
    Long values come sooner when they are ``is_binary``: PostgreSQL would send bytes as text.
    """

    def __init__(self, statement: sa.SelectBase | sa.Update, *, is_binary: bool = False) -> None:
        self._statement: Any = statement
        self._is_binary = is_binary
        binds = (one for one in visitors.iterate(statement) if isinstance(one, sa.BindParameter))
        self._lists = sorted({one.key for one in binds if one.expanding and one.required})
        self._forms: dict[tuple[Any, ...], _Form] = {}

    def all(self, connection: sa.Connection, values: Values = NONE) -> list[Any]:
        """Return all rows as named tuples."""
        form, rows = self._asked(connection, values, _ALL)
        return form.read(rows)

    def first(self, connection: sa.Connection, values: Values = NONE) -> Any:
        """Return the first row as a named tuple, or None."""
        form, row = self._asked(connection, values, _ONE)
        return None if row is None else form.read((row,))[0]

    def run(self, connection: sa.Connection, values: Values = NONE) -> None:
        """Do what it says."""
        self._asked(connection, values, None)

    def _asked(
        self, connection: sa.Connection, values: Values, take: Processor | None
    ) -> tuple[_Form, Any]:
        _announce(connection, self._statement, values)
        if self._lists:
            values = {**values, **{name: _filled(values[name]) for name in self._lists}}
        key = (connection.dialect.name, *(len(values[name]) for name in self._lists))
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = self._form(connection.dialect, values)
        is_binary = self._is_binary and connection.dialect.name == "postgresql"
        named = {"binary": True} if is_binary else {}
        return form, send(connection, form.text, form.written(values), take, **named)

    def _form(self, dialect: sa.Dialect, values: Values) -> _Form:
        compiled: Any = self._statement.compile(dialect=dialect)
        told = compiled.construct_expanded_state(values)
        spread = {name: told.parameter_expansion[name] for name in self._lists}
        given = {*values, *(name for several in spread.values() for name in several)}
        processors = _processors(compiled, dialect)
        for name, several in told.parameter_expansion.items():
            processors |= {one: processors[name] for one in several if name in processors}
        constants = {key: value for key, value in told.parameters.items() if key not in given}
        columns = getattr(self._statement, "selected_columns", ())
        return _Form(
            text=told.statement,
            order=told.positiontup,
            constants={key: _written(processors.get(key), it) for key, it in constants.items()},
            spread=spread,
            processors=processors,
            row=namedtuple("Row", [column.key for column in columns]),
            readers=_readers(columns, dialect),
        )


class Insertion:
    """The insertion of rows into a table; what one leaves out is the column's default, or empty."""

    def __init__(self, table: sa.Table) -> None:
        number = table.autoincrement_column
        if number is None or not all(map(_is_plain, table.columns)):
            raise ValueError(f"{table.name} has no number, or a default that is not a value")
        self._number = number
        columns = [column for column in table.columns if column is not number]
        self._defaults = {c.key: getattr(c.default, "arg", None) for c in columns}
        self._statement = sa.insert(table)
        self._forms: dict[str, _Form] = {}

    def completed(self, row: Values) -> dict[str, Any]:
        """Return the row with what it leaves out, but for its number."""
        return {**self._defaults, **row}

    def one(self, connection: sa.Connection, row: Values) -> int:
        """Insert a row; return its number."""
        form = self._form(connection.dialect)
        _announce(connection, self._statement, row)
        is_told = connection.dialect.name == "sqlite"  # where RETURNING takes longer
        found = send(connection, form.text, form.written(row), _NUMBER if is_told else _ONE)
        number: int = found if is_told else found[0]
        return number

    def all(self, connection: sa.Connection, rows: Sequence[Values]) -> None:
        """Insert rows in their order."""
        for row in rows:
            self.one(connection, row)

    def _form(self, dialect: sa.Dialect) -> _Form:
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = self._made(dialect)
        return form

    def _made(self, dialect: sa.Dialect) -> _Form:
        statement: Any = self._statement
        if dialect.name != "sqlite":
            statement = statement.returning(self._number)
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(self._defaults))
        processors = _processors(compiled, dialect)
        # What is left out is no value: an empty column of JSON is not a null in it.
        return _Form(
            text=compiled.string,
            order=compiled.positiontup,
            constants={
                key: None if it is None else _written(processors.get(key), it)
                for key, it in self._defaults.items()
            },
            spread={},
            processors=processors,
            row=tuple,
            readers=(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A statement as one driver takes it, with lists of certain lengths."""

    text: str
    order: Sequence[str] | None  # None where the driver wants names
    constants: Values
    spread: Mapping[str, Sequence[str]]
    processors: Mapping[str, Processor]
    row: Any
    readers: Sequence[tuple[int, Processor]]

    def written(self, values: Values) -> Any:
        """Return the values as the driver takes them."""
        if self.spread:
            values = dict(values)
            for name, several in self.spread.items():
                values |= zip(several, values.pop(name), strict=True)
        ready = {**self.constants, **values}
        for name, process in self.processors.items():
            if name in values:
                ready[name] = process(values[name])
        return ready if self.order is None else tuple(map(ready.__getitem__, self.order))

    def read(self, rows: Sequence[Any]) -> list[Any]:
        """Return rows of the driver as what they mean."""
        make, readers = self.row._make, self.readers
        found = []
        for row in rows:
            values = list(row)
            for place, read in readers:
                values[place] = read(values[place])
            found.append(make(values))
        return found


def _announce(connection: sa.Connection, statement: sa.Executable, values: Values) -> None:
    for listen in connection.engine.dispatch.before_execute:
        listen(connection, statement, (), values, {})


def send(
    connection: sa.Connection,
    text: str,
    parameters: Any = (),
    take: Processor | None = None,
    **named: Any,
) -> Any:
    """Let the driver execute a text; return what is taken from its cursor. Raises as SQLAlchemy does.

    What is ``named`` the cursor is opened with.
    """
    cursor: Any = connection.connection.cursor(**named)
    for listen in connection.engine.dispatch.before_cursor_execute:
        listen(connection, cursor, text, parameters, None, False)
    try:
        connection.dialect.do_execute(cursor, text, parameters)
        found = None if take is None else take(cursor)
        cursor.close()
    except connection.dialect.loaded_dbapi.Error as error:
        _raise(connection, cursor, text, parameters, error)
    except BaseException as error:
        if not isinstance(error, Exception):
            connection.invalidate()  # stopped half way: nobody knows what it would answer next
        raise
    return found


_ALL, _ONE = operator.methodcaller("fetchall"), operator.methodcaller("fetchone")
_NUMBER = operator.attrgetter("lastrowid")


def _raise(
    connection: sa.Connection, cursor: Any, text: str, parameters: Any, error: Any
) -> NoReturn:
    dialect = connection.dialect
    kind = dialect.loaded_dbapi.Error
    is_away = dialect.is_disconnect(error, connection.connection, cursor)
    with contextlib.suppress(kind):
        cursor.close()
    if is_away:
        connection.invalidate(error)
    raise sa.exc.DBAPIError.instance(
        text, parameters, error, kind, connection_invalidated=is_away, dialect=dialect
    ) from error


def _processors(compiled: Any, dialect: sa.Dialect) -> dict[str, Processor]:
    found = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for bind, name in compiled.bind_names.items()
    }
    return {name: process for name, process in found.items() if process is not None}


def _readers(columns: Sequence[Any], dialect: sa.Dialect) -> list[tuple[int, Processor]]:
    found = [
        (place, column.type.dialect_impl(dialect).result_processor(dialect, None))
        for place, column in enumerate(columns)
    ]
    return [(place, read) for place, read in found if read is not None]


def _written(process: Processor | None, value: Any) -> Any:
    return value if process is None else process(value)


def _filled(values: Sequence[Any]) -> list[Any]:
    """Return a list up to the next power of two, filled with its last."""
    count = 1 << (len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (count - len(values))]


def _is_plain(column: sa.Column[Any]) -> bool:
    return column.server_default is None and (column.default is None or column.default.is_scalar)
