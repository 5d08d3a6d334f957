"""Up, down and up again on a filled database: the same rows, and guards that still refuse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from planner.db import audit, connections, guards, migrate
from planner.db.base import Base
from planner.db.models import AuditHead, PatientLink, ScheduleVersion
from planner.who import SYSTEM
from tests import factories

TODAY = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)


@pytest.fixture
def raw(database_url: str) -> Iterator[sa.Engine]:
    """An engine without an application."""
    engine = connections.create(database_url)
    yield engine
    engine.dispose()


def revisions() -> list[str]:
    """Return all revisions, newest first."""
    scripts = ScriptDirectory.from_config(migrate._config())
    return [script.revision for script in scripts.walk_revisions()]


def fill(engine: sa.Engine) -> None:
    """Put something into most tables."""
    with Session(engine) as session:
        clinic = factories.clinic(session, today=TODAY)
        patient_id = factories.patient(session)
        factories.consult_done(session, clinic, patient_id, on=TODAY)
        course_id = factories.course(session, clinic, patient_id)
        first = factories.course_sessions(session, course_id)[1]
        factories.appointment(
            session, clinic, patient_id, day=date(2027, 3, 3), course_session_id=first
        )
        session.commit()


def contents(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables."""
    with engine.connect() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(sa.select(table))), key=str
            )
            for table in Base.metadata.sorted_tables
        }


def test_the_migrated_schema_is_what_the_models_say(raw: sa.Engine) -> None:
    with raw.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": migrate.is_compared, "compare_type": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_a_fresh_database_holds_a_schedule_version_and_the_head_of_an_empty_trail(
    raw: sa.Engine,
) -> None:
    found = {table: rows for table, rows in contents(raw).items() if rows}
    assert found == {
        ScheduleVersion.__tablename__: [(1, 1, 1)],
        AuditHead.__tablename__: [(1, 0, 0, audit.GENESIS)],
    }


def test_up_down_and_up_keep_every_row_and_every_guard(raw: sa.Engine, database_url: str) -> None:
    fill(raw)
    before = contents(raw)
    newest_first = revisions()
    for revision in [*newest_first[1:], *reversed(newest_first[:-1])]:
        is_older = newest_first.index(revision) > newest_first.index(_at(raw))
        (migrate.downgrade if is_older else migrate.upgrade)(database_url, revision)
        with raw.connect() as connection:
            guards.probe(connection, is_migrating=True)
    assert (contents(raw), migrate.is_current(raw)) == (before, True)


def test_down_to_nothing_and_up_gives_the_same_schema(raw: sa.Engine, database_url: str) -> None:
    before = _schema(raw)
    migrate.downgrade(database_url, "base")
    assert (migrate.current(raw), _schema(raw)) == (None, {"alembic_version"})
    migrate.upgrade(database_url)
    assert _schema(raw) == before


def test_a_trail_that_is_there_already_gets_its_head(raw: sa.Engine, database_url: str) -> None:
    with Session(raw) as session:
        entries = [audit.Entry(object_kind="patient", object_id=number) for number in (1, 2)]
        audit.append(session, entries, by=SYSTEM, now=NOW, action="patient.read")
        session.commit()
    before = contents(raw)[AuditHead.__tablename__]
    migrate.downgrade(database_url, "0001")
    migrate.upgrade(database_url)
    assert (contents(raw)[AuditHead.__tablename__], before[0][1:3]) == (before, (2, 2))


def test_a_link_that_opened_a_calendar_alone_ends_and_that_of_a_page_stays(
    raw: sa.Engine, database_url: str
) -> None:
    with Session(raw) as session:
        patient_id = factories.patient(session)
        session.add_all(
            PatientLink(
                patient_id=patient_id, token_hash=name, created_at=NOW,
                expires_at=NOW + timedelta(days=400),
            )
            for name in ("calendar_file", "page")
        )  # fmt: skip
        session.commit()
    migrate.downgrade(database_url, "0006")
    with raw.begin() as connection:
        connection.execute(sa.text("UPDATE patient_link SET purpose = token_hash"))
    migrate.upgrade(database_url)
    with Session(raw) as session:
        ended = {row.token_hash: row.revoked_at for row in session.scalars(sa.select(PatientLink))}
    assert (ended["page"], ended["calendar_file"] is not None) == (None, True)


def test_the_newest_revision_is_the_one_that_alembic_takes_for_it() -> None:
    assert migrate.head() == ScriptDirectory.from_config(migrate._config()).get_current_head()


def test_migrating_what_is_current_does_nothing(raw: sa.Engine, database_url: str) -> None:
    fill(raw)
    before = contents(raw)
    migrate.upgrade(database_url)
    assert contents(raw) == before


def test_a_step_that_loses_a_guard_is_not_taken(
    raw: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.downgrade(database_url, "base")
    monkeypatch.setattr(guards, "create", lambda connection: None)
    with pytest.raises(guards.GuardsMissing):
        migrate.upgrade(database_url)
    assert migrate.current(raw) is None


def _at(engine: sa.Engine) -> str:
    revision = migrate.current(engine)
    assert revision is not None
    return revision


def _schema(engine: sa.Engine) -> set[str]:
    names = set(sa.inspect(engine).get_table_names())
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            texts = connection.exec_driver_sql(
                "SELECT sql FROM sqlite_master WHERE type <> 'table'"
            )
            names |= {text for (text,) in texts if text is not None}
    return names
