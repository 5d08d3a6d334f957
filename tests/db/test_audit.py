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
def test_postgresql_refuses_to_truncate_it(trail: sa.Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), trail.begin() as connection:
        connection.exec_driver_sql("TRUNCATE audit")


@pytest.mark.parametrize(
    ("statement", "breaks"),
    [
        ("UPDATE audit SET reason = 'never asked' WHERE id = 2", (Break(row_id=2, reason="hash"),)),
        ("UPDATE audit SET after = '{}' WHERE id = 4", (Break(row_id=4, reason="hash"),)),
        ("UPDATE audit SET object_id = NULL WHERE id = 5", (Break(row_id=5, reason="hash"),)),
        ("DELETE FROM audit WHERE id = 3", (Break(row_id=4, reason="previous"),)),
        ("DELETE FROM audit WHERE id = 1", (Break(row_id=2, reason="previous"),)),
    ],
)
def test_whoever_removes_the_guards_and_rewrites_it_is_found_out(
    trail: sa.Engine, statement: str, breaks: tuple[Break, ...]
) -> None:
    with trail.begin() as connection:
        guards.drop(connection)
        connection.exec_driver_sql(statement)
    assert verdict().breaks == breaks
