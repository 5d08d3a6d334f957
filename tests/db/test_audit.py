"""The audit trail can be walked, cannot be rewritten, and tells on whoever does it all the same."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from planner.db import audit, engine, guards
from planner.db.audit import Break, Verdict
from tests.db.conftest import DESK, NOW

ROWS = 5


@pytest.fixture
def trail(bound: sa.Engine) -> sa.Engine:
    """A database with five rows of audit trail."""
    for number in range(1, ROWS + 1):
        engine.record(
            "patient.read", by=DESK, now=NOW, object_kind="patient", object_id=number,
            facts={"name": "José \U0001f600"}, reason="asked",
        )  # fmt: skip
    return bound


def verdict() -> Verdict:
    """Walk the chain."""
    with engine.reading() as session:
        return audit.verify(session)


def test_an_empty_chain_is_whole(bound: sa.Engine) -> None:
    assert verdict() == Verdict(rows=0, head=audit.GENESIS, breaks=())


def test_an_untouched_chain_is_whole(trail: sa.Engine) -> None:
    found = verdict()
    assert (found.rows, found.breaks) == (ROWS, ())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET reason = 'never asked' WHERE id = 2",
        "DELETE FROM audit WHERE id = 2",
        "INSERT INTO audit SELECT * FROM audit WHERE id = 2",
        "UPDATE audit_head SET row_count = row_count - 1, last_id = 4",
        "UPDATE audit_head SET row_count = row_count + 1, last_id = last_id + 1",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head SELECT 2, 4, 4, hash FROM audit WHERE id = 4",
    ],
)
def test_the_database_refuses_to_rewrite_it(trail: sa.Engine, statement: str) -> None:
    with pytest.raises(sa.exc.IntegrityError), trail.begin() as connection:
        connection.exec_driver_sql(statement)
    assert verdict().breaks == ()


@pytest.mark.parametrize("engine_kind", ["sqlite"])
def test_sqlite_refuses_to_replace_a_row_by_inserting(trail: sa.Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), trail.begin() as connection:
        connection.exec_driver_sql("INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 2")


@pytest.mark.parametrize("engine_kind", ["postgresql"])
@pytest.mark.parametrize("table", ["audit", "audit_head"])
def test_postgresql_refuses_to_truncate_it(trail: sa.Engine, table: str) -> None:
    with pytest.raises(sa.exc.IntegrityError), trail.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {table}")


@pytest.mark.parametrize(
    ("statement", "breaks"),
    [
        ("UPDATE audit SET reason = 'never asked' WHERE id = 2", (Break(row_id=2, reason="hash"),)),
        ("UPDATE audit SET after = '{}' WHERE id = 4", (Break(row_id=4, reason="hash"),)),
        ("UPDATE audit SET object_id = NULL WHERE id = 5", (Break(row_id=5, reason="hash"),)),
        ("DELETE FROM audit WHERE id = 3", (Break(row_id=4, reason="previous"),)),
        ("DELETE FROM audit WHERE id = 1", (Break(row_id=2, reason="previous"),)),
        ("DELETE FROM audit WHERE id = 5", (Break(row_id=5, reason="head"),)),
        ("DELETE FROM audit WHERE id > 0", (Break(row_id=5, reason="head"),)),
        ("UPDATE audit_head SET row_count = 6", (Break(row_id=5, reason="head"),)),
        ("DELETE FROM audit_head", (Break(row_id=0, reason="head"),)),
    ],
)
def test_whoever_removes_the_guards_and_rewrites_it_is_found_out(
    trail: sa.Engine, statement: str, breaks: tuple[Break, ...]
) -> None:
    with trail.begin() as connection:
        guards.drop(connection)
        connection.exec_driver_sql(statement)
    assert verdict().breaks == breaks


def test_rows_that_were_cut_off_stay_missed_when_the_trail_goes_on(trail: sa.Engine) -> None:
    with trail.begin() as connection:
        guards.drop(connection)
        connection.exec_driver_sql("DELETE FROM audit WHERE id = 5")
        guards.create(connection)
    engine.record("patient.read", by=DESK, now=NOW, object_kind="patient", object_id=9)
    assert [broken.reason for broken in verdict().breaks] == ["previous"]


def test_a_head_written_down_elsewhere_tells_of_a_chain_that_was_written_anew(
    trail: sa.Engine,
) -> None:
    written_down = verdict().head
    engine.record("patient.read", by=DESK, now=NOW, object_kind="patient", object_id=9)
    with engine.reading() as session:
        assert audit.verify(session, expected=written_down[:16]).expected_at == ROWS
        assert audit.verify(session, expected="f" * 64).expected_at is None
