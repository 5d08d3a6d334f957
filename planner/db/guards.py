"""What the database itself refuses, whoever asks: double bookings, and a rewritten audit trail.

The guards are created here and nowhere else. A migration that touches ``appointment``, ``audit`` or ``audit_head``
calls ``create`` again at its end, because rebuilding a table drops what hangs on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from planner.db.models import LIVE_STATUSES

PREFIX = "guard_"
"""Every guard's name begins so; comparing models with the schema leaves them out."""


@dataclass(frozen=True, slots=True)
class Clock:
    """An actor of an appointment, and the columns between which it is taken."""

    actor: str
    starts: str
    ends: str


CLOCKS = (
    Clock("provider", "starts_at", "ends_at"),
    Clock("room", "room_from", "room_until"),
    Clock("patient", "starts_at", "patient_until"),
)
INSTANTS = ("starts_at", "ends_at", "room_from", "room_until", "patient_until")
ONE_LIVE = f"{PREFIX}appointment_one_live"
HEAD = f"{PREFIX}head"


class GuardsMissing(RuntimeError):
    """The database does not refuse what it must refuse; the application may not start on it."""


def create(connection: sa.Connection) -> None:
    """Create the guards of all tables that are there, replacing any they have."""
    drop(connection)
    has_head = _has_head(connection)
    for name, statement in _statements(connection.dialect.name).items():
        if has_head or not name.startswith(HEAD):
            connection.exec_driver_sql(statement)


def drop(connection: sa.Connection) -> None:
    """Drop all guards that are there: before a table they hang on is rebuilt or dropped."""
    tables = set(sa.inspect(connection).get_table_names())
    for statement in _drops(connection.dialect.name, tables):
        connection.exec_driver_sql(statement)


def probe(connection: sa.Connection, *, is_migrating: bool = False) -> None:
    """Prove that all guards are in place, on a connection that may write.

    Raises GuardsMissing, which names those that are not. Half-way through the migrations the table
    that keeps the head of the audit trail may not be there yet, and needs no guards then.
    """
    if connection.dialect.name == "sqlite":
        missing = _missing_on_sqlite(connection)
    else:
        missing = _missing_on_postgresql(connection)
    if is_migrating and not _has_head(connection):
        missing = [name for name in missing if not name.startswith(HEAD)]
    if missing:
        raise GuardsMissing(
            "The database does not refuse double bookings or a changed audit trail as it must."
            f" Missing or altered: {', '.join(missing)}. Run `planner init`, or restore a backup."
        )


_LIVE = "status IN ({})".format(", ".join(f"'{status}'" for status in LIVE_STATUSES))
_IS_LIVE = f"NEW.{_LIVE}"
_DIGITS = "[0-9]"
# The width and form SQLAlchemy stores; in any other form text order would not be time order.
_INSTANT_FORM = "{y}-{m}-{m} {m}:{m}:{m}.{u}".format(y=_DIGITS * 4, m=_DIGITS * 2, u=_DIGITS * 6)
_ONE_LIVE = f"CREATE UNIQUE INDEX {ONE_LIVE} ON appointment (course_session_id) WHERE {_LIVE}"


def _statements(dialect: str) -> dict[str, str]:
    return _sqlite() if dialect == "sqlite" else _postgresql()


def _sqlite() -> dict[str, str]:
    statements = {ONE_LIVE: _ONE_LIVE}
    for clock in CLOCKS:
        index = f"{PREFIX}appointment_{clock.actor}"
        statements[index] = (
            f"CREATE INDEX {index} ON appointment ({clock.actor}_id, {clock.starts}) WHERE {_LIVE}"
        )
        for verb in ("insert", "update"):
            name = f"{index}_{verb}"
            statements[name] = _overlap_trigger(name, clock, verb)
    for verb in ("insert", "update"):
        name = f"{PREFIX}appointment_form_{verb}"
        statements[name] = _form_trigger(name, verb)
    for verb in ("insert", "update", "delete"):
        name = f"{PREFIX}audit_{verb}"
        statements[name] = _audit_trigger(name, verb)
        name = f"{HEAD}_{verb}"
        statements[name] = _head_trigger(name, verb)
    return statements


def _overlap_trigger(name: str, clock: Clock, verb: str) -> str:
    # What is live does not overlap, so the latest to start before the end is the only one to look
    # at: the guard costs one step in an index, however long the history.
    actor, starts, ends = f"{clock.actor}_id", clock.starts, clock.ends
    when = "INSERT" if verb == "insert" else f"UPDATE OF id, status, {actor}, {starts}, {ends}"
    other = "" if verb == "insert" else " AND id <> OLD.id"
    last = (
        f"{ends} FROM appointment WHERE {actor} = NEW.{actor} AND {_LIVE}"
        f" AND {starts} < NEW.{ends}{other} ORDER BY {starts} DESC LIMIT 1"
    )
    return (
        f"CREATE TRIGGER {name} BEFORE {when} ON appointment WHEN {_IS_LIVE} BEGIN"
        f" SELECT RAISE(ABORT, 'overlap: {clock.actor}') WHERE NEW.{starts} < (SELECT {last}); END"
    )


def _form_trigger(name: str, verb: str) -> str:
    when = "INSERT" if verb == "insert" else f"UPDATE OF {', '.join(INSTANTS)}"
    wrong = " OR ".join(f"NEW.{column} NOT GLOB '{_INSTANT_FORM}'" for column in INSTANTS)
    return (
        f"CREATE TRIGGER {name} BEFORE {when} ON appointment WHEN {wrong} BEGIN"
        " SELECT RAISE(ABORT, 'form: instant'); END"
    )


def _audit_trigger(name: str, verb: str) -> str:
    # INSERT OR REPLACE deletes without firing a delete trigger: a row that is there is refused too.
    condition = "" if verb != "insert" else (
        " WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id OR hash = NEW.hash)"
    )  # fmt: skip
    return (
        f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON audit{condition} BEGIN"
        " SELECT RAISE(ABORT, 'append-only: audit'); END"
    )


_BACKWARD = (
    "NEW.id <> OLD.id OR NEW.row_count <= OLD.row_count OR NOT EXISTS"
    " (SELECT 1 FROM audit WHERE id = NEW.last_id AND hash = NEW.hash"
    " AND id = (SELECT max(id) FROM audit))"
)


def _head_trigger(name: str, verb: str) -> str:
    condition = {
        "update": f" WHEN {_BACKWARD}",
        "insert": " WHEN EXISTS (SELECT 1 FROM audit_head)",
    }
    return (
        f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON audit_head{condition.get(verb, '')} BEGIN"
        " SELECT RAISE(ABORT, 'forward-only: audit_head'); END"
    )


def _postgresql() -> dict[str, str]:
    statements = {ONE_LIVE: _ONE_LIVE}
    for clock in CLOCKS:
        name = f"{PREFIX}appointment_{clock.actor}"
        # A range of one number stands for equality: so no extension is needed.
        statements[name] = (
            f"ALTER TABLE appointment ADD CONSTRAINT {name} EXCLUDE USING gist ("
            f"int4range({clock.actor}_id, {clock.actor}_id, '[]') WITH &&,"
            f" tstzrange({clock.starts}, {clock.ends}) WITH &&) WHERE ({_LIVE})"
        )
    statements[f"{PREFIX}audit()"] = (
        f"CREATE FUNCTION {PREFIX}audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'append-only: audit' USING ERRCODE = 'restrict_violation'; END $$"
    )
    statements[f"{PREFIX}audit_append_only"] = (
        f"CREATE TRIGGER {PREFIX}audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {PREFIX}audit()"
    )
    statements[f"{HEAD}()"] = (
        f"CREATE FUNCTION {HEAD}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP = 'UPDATE' THEN IF NOT ({_BACKWARD}) THEN RETURN NEW; END IF; END IF;"
        " RAISE EXCEPTION 'forward-only: audit_head' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for name, when in (
        (f"{HEAD}_forward", "BEFORE INSERT OR UPDATE OR DELETE ON audit_head FOR EACH ROW"),
        (f"{HEAD}_truncate", "BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT"),
    ):
        statements[name] = f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {HEAD}()"
    return statements


def _drops(dialect: str, tables: set[str]) -> list[str]:
    if dialect == "sqlite":
        kinds = {name: text.split()[1] for name, text in _sqlite().items()}
        return [
            f"DROP {'INDEX' if kind in ('INDEX', 'UNIQUE') else 'TRIGGER'} IF EXISTS {name}"
            for name, kind in kinds.items()
        ]
    statements = [f"DROP INDEX IF EXISTS {ONE_LIVE}"]
    if "appointment" in tables:
        statements += [
            f"ALTER TABLE appointment DROP CONSTRAINT IF EXISTS {PREFIX}appointment_{clock.actor}"
            for clock in CLOCKS
        ]
    functions = (f"{PREFIX}audit", HEAD)
    return [*statements, *(f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in functions)]


def _missing_on_sqlite(connection: sa.Connection) -> list[str]:
    statement = sa.text("SELECT name, sql FROM sqlite_master WHERE name GLOB :names")
    found: dict[str, str] = dict(connection.execute(statement, {"names": f"{PREFIX}*"}).all())
    return [name for name, text in _sqlite().items() if found.get(name) != text]


def _missing_on_postgresql(connection: sa.Connection) -> list[str]:
    found = _definitions(connection)
    missing = [
        f"{PREFIX}appointment_{clock.actor}"
        for clock in CLOCKS
        if not _excludes(found.get(f"{PREFIX}appointment_{clock.actor}", ""), clock)
    ]
    if not _names_all_live(found.get(ONE_LIVE, "")):
        missing.append(ONE_LIVE)
    if not _refuses(connection, _AUDIT_ATTEMPTS, "append-only"):
        missing.append(f"{PREFIX}audit_append_only")
    if not _has_head(connection) or not _refuses(connection, _HEAD_ATTEMPTS, "forward-only"):
        missing.append(f"{HEAD}_forward")
    return missing


def _definitions(connection: sa.Connection) -> dict[str, str]:
    """Return the text of each valid exclusion constraint and unique index of the appointments."""
    statement = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = to_regclass('appointment') AND contype = 'x'"
        " UNION ALL SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = to_regclass('appointment') AND i.indisunique AND i.indisvalid"
    )
    return dict(connection.exec_driver_sql(statement).all())


def _excludes(text: str, clock: Clock) -> bool:
    actor = f"int4range({clock.actor}_id, {clock.actor}_id, '[]'::text) WITH &&"
    span = f"tstzrange({clock.starts}, {clock.ends}) WITH &&"
    return text.startswith("EXCLUDE") and actor in text and span in text and _names_all_live(text)


def _names_all_live(text: str) -> bool:
    return bool(text) and all(f"'{status}'" in text for status in LIVE_STATUSES)


# The first trigger speaks once per statement, even when no row is meant: the attempts cost nothing.
_AUDIT_ATTEMPTS = ("DELETE FROM audit WHERE false", "UPDATE audit SET id = id WHERE false")
_HEAD_ATTEMPTS = ("DELETE FROM audit_head", "UPDATE audit_head SET row_count = row_count")


def _has_head(connection: sa.Connection) -> bool:
    return "audit_head" in sa.inspect(connection).get_table_names()


def _refuses(connection: sa.Connection, attempts: tuple[str, ...], saying: str) -> bool:
    for attempt in attempts:
        savepoint = connection.begin_nested()
        try:
            connection.exec_driver_sql(attempt)
        except sa.exc.DBAPIError as error:
            if saying not in str(error.orig):
                return False
        else:
            return False
        finally:
            savepoint.rollback()
    return True
