"""What a search reads of all that is booked comes from one index, and says what the rows say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import engine, ledgers, migrate
from planner.db.models import Appointment
from planner.scheduling.interval import Interval
from planner.scheduling.ledger import Ledger
from tests import factories
from tests.factories import SmallClinic

Given = Callable[..., int]
MONTH = Interval(factories.at(date(2027, 3, 1), 0), factories.at(date(2027, 4, 1), 0))


@pytest.fixture
def visit(bound: sa.Engine, clinic: SmallClinic, given: Given) -> int:
    return given(factories.appointment, clinic, given(factories.patient), day=date(2027, 3, 3))


def read(clinic: SmallClinic) -> list[Ledger]:
    with engine.reading() as session:
        return list(ledgers.read(session, (clinic.miami, clinic.aventura), MONTH))


def put(bound: sa.Engine, visit: int, **values: Any) -> None:
    """Change a row past the application."""
    with Session(bound) as session:
        session.execute(sa.update(Appointment).where(Appointment.id == visit).values(values))
        session.commit()


def steps(bound: sa.Engine) -> Iterator[str]:
    """What the database says that it would do."""
    statement = ledgers._statement(bound.dialect.name)
    values = {"sites": [1, 2], "since": MONTH.starts_at, "until": MONTH.ends_at}
    seen: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, text: str, given: Any, *others: object) -> None:
        seen.append((text, given))

    with bound.connect() as connection:
        sa.event.listen(bound, "before_cursor_execute", note)
        statement.all(connection, values)
        sa.event.remove(bound, "before_cursor_execute", note)
        text, parameters = seen[-1]  # after the beginning of a transaction
        if bound.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # hardly a row is there
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            explain = "EXPLAIN "
        else:
            explain = "EXPLAIN QUERY PLAN "
        for row in connection.exec_driver_sql(explain + text, parameters):
            yield str(row[-1])


def test_it_is_read_from_the_index_by_site_and_start(bound: sa.Engine, visit: int) -> None:
    index = "ledger_appointment_site_day"
    expected = {
        "sqlite": f"SEARCH appointment USING INDEX {index} (site_id=? AND starts_at>? AND starts_at<?)",
        "postgresql": f"Index Only Scan using {index} on appointment",
    }
    found = list(steps(bound))
    assert any(expected[bound.dialect.name] in step for step in found), found


def test_what_has_changed_past_the_application_is_in_it(
    bound: sa.Engine, clinic: SmallClinic, visit: int
) -> None:
    later = datetime(2027, 3, 4, 16, tzinfo=UTC)
    put(
        bound, visit, starts_at=later, ends_at=later + timedelta(minutes=25), room_from=later,
        room_until=later + timedelta(minutes=40), patient_until=later + timedelta(minutes=30),
        status="arrived",
    )  # fmt: skip
    ((busy,),) = read(clinic)
    assert (busy.appointment_id, busy.status) == (visit, "arrived")
    assert (busy.slot.starts_at, busy.slot.ends_at) == (later, later + timedelta(minutes=25))
    assert busy.slot.room_until == later + timedelta(minutes=40)


def test_a_database_of_before_has_records_of_all_that_it_held(
    bound: sa.Engine, database_url: str, clinic: SmallClinic, visit: int
) -> None:
    before = [list(ledger) for ledger in read(clinic)]
    migrate.downgrade(database_url, "0008")
    migrate.upgrade(database_url)
    assert [list(ledger) for ledger in read(clinic)] == before != []


@pytest.mark.parametrize("status", ["cancelled", "released", "no_show", "held", "reserved"])
def test_what_takes_nobodys_time_or_runs_out_is_not(
    bound: sa.Engine, clinic: SmallClinic, visit: int, status: str
) -> None:
    put(bound, visit, status=status)
    assert read(clinic) == []


def test_a_visit_of_weeks_is_a_long_one_and_spoils_nothing(
    bound: sa.Engine, clinic: SmallClinic, visit: int
) -> None:
    with Session(bound) as session:
        starts_at = session.get_one(Appointment, visit).starts_at
    ends_at = starts_at + timedelta(days=60)
    put(bound, visit, ends_at=ends_at, room_until=ends_at, patient_until=ends_at)
    ((busy,),) = read(clinic)
    assert busy.slot.ends_at - starts_at > timedelta(days=20)
