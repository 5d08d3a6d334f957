"""Statements handed to the driver: they read, write, are heard and fail as SQLAlchemy's own do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from planner.db import keys, violations
from planner.db.base import Base
from planner.db.models import Appointment, AuditRow, CourseSession, Patient
from planner.db.prepared import Insertion, Prepared
from planner.errors import Invalid
from tests import factories
from tests.db.conftest import NOW, TODAY
from tests.factories import SmallClinic

AUDIT = Base.metadata.tables["audit"]
CHANGE = Base.metadata.tables["change"]


@pytest.fixture
def link(bound: sa.Engine) -> Iterator[sa.Connection]:
    with bound.connect() as connection:
        yield connection


@pytest.fixture
def visits(clinic: SmallClinic, given: Callable[..., Any]) -> list[int]:
    """Five appointments, one of them of a course."""
    patient_id = given(factories.patient)
    numbers = given(factories.course_sessions, given(factories.course, clinic, patient_id))
    served = [numbers[1], None, None, None, None]
    return [
        given(
            factories.appointment, clinic, patient_id,
            day=TODAY + timedelta(days=number), course_session_id=session_id,
        )
        for number, session_id in enumerate(served)
    ]  # fmt: skip


def line(**columns: Any) -> dict[str, Any]:
    """Return a row of the audit trail."""
    told = {"at": NOW, "origin": "", "request_id": "", "action": "", "object_kind": "test"}
    return {**told, "previous_hash": "0" * 64, "hash": keys.digest(repr(columns)), **columns}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_rows_are_those_that_sqlalchemy_reads(
    link: sa.Connection, visits: list[int], count: int
) -> None:
    statement = (
        sa.select(
            Appointment.id, Appointment.key, Appointment.starts_at, Appointment.confirmed_at,
            Appointment.zones_treated, Appointment.has_stockings, CourseSession.zones,
            Patient.birth_date, sa.literal(7).label("seven"),
        )
        .join(Patient, Patient.id == Appointment.patient_id)
        .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
        .where(
            Appointment.id.in_(sa.bindparam("ids", expanding=True)),
            Appointment.starts_at >= sa.bindparam("from"),
            Appointment.status.in_(("booked", "held")),
        )
        .order_by(Appointment.id)
    )  # fmt: skip
    values = {"ids": visits[:count], "from": factories.at(TODAY, 0)}
    asked = Prepared(statement)
    known = [row._asdict() for row in link.execute(statement, values)]
    assert [row._asdict() for row in asked.all(link, values)] == known
    assert asked.first(link, values)._asdict() == known[0]
    assert asked.first(link, {**values, "ids": [0]}) is None


def test_a_listener_hears_of_each(bound: sa.Engine, link: sa.Connection, visits: list[int]) -> None:
    heard: list[str] = []
    sa.event.listen(bound, "before_execute", lambda *told: heard.append(type(told[1]).__name__))
    sa.event.listen(bound, "before_cursor_execute", lambda *told: heard.append(told[2]))
    Prepared(sa.select(Appointment.id)).all(link)
    assert heard == ["Select", "SELECT appointment.id \nFROM appointment"]


def test_what_a_row_leaves_out_is_its_default_or_empty(link: sa.Connection) -> None:
    insertion = Insertion(AUDIT)
    with link.begin():
        insertion.one(link, line(after={"a": [1]}))
        insertion.all(link, [line(before=None, number=1), line(reason="said", number=2)])
        found = Prepared(sa.select(AuditRow.id, AuditRow.before, AuditRow.after, AuditRow.reason))
        rows = found.all(link)
        empty = link.execute(sa.text('SELECT id FROM audit WHERE "before" IS NULL ORDER BY id'))
        assert [row[1:] for row in rows] == [
            (None, {"a": [1]}, ""), (None, None, ""), (None, None, "said"),
        ]  # fmt: skip
        # As SQLAlchemy has it: a None that is given is a null in the JSON.
        assert empty.scalars().all() == [rows[0].id, rows[2].id]
        assert insertion.completed({"action": "x"})["reason"] == ""


def test_a_refusal_means_what_it_means_elsewhere(link: sa.Connection) -> None:
    insertion = Insertion(CHANGE)
    row = {"key": "k", "at": NOW, "label": "x", "rows": []}
    with pytest.raises(sa.exc.IntegrityError) as caught, link.begin():
        insertion.one(link, row)
        insertion.one(link, row)
    meant = violations.translated(caught.value)
    assert isinstance(meant, Invalid)
    assert meant.fields == {"key": "taken"}
    with link.begin():  # the connection is as good as before
        assert insertion.one(link, row) > 0


def test_what_fails_while_rows_come_in_is_a_failure_of_the_database(bound: sa.Engine) -> None:
    # SQLite finds rows as they are asked for; PostgreSQL would have said so before.
    text = {"sqlite": "abs(-9223372036854775807 - 1)", "postgresql": "1 / 0"}[bound.dialect.name]
    numbers = sa.values(sa.column("n", sa.Integer), name="numbers").data([(1,), (2,)])
    wrong = sa.literal_column(text, sa.Integer)
    asked = Prepared(
        sa.select(sa.case((numbers.c.n == sa.bindparam("of"), wrong), else_=0).label("n"))
    )
    with bound.connect() as link, pytest.raises(sa.exc.DBAPIError):
        asked.all(link, {"of": 2})


def test_an_instant_without_a_zone_is_refused(link: sa.Connection) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Insertion(CHANGE).one(
            link, {"key": "k", "at": NOW.replace(tzinfo=None), "label": "x", "rows": []}
        )


def test_a_statement_stopped_half_way_gives_its_connection_up(
    bound: sa.Engine, link: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_given: object) -> None:
        raise KeyboardInterrupt

    asked = Prepared(sa.select(Patient.id))
    asked.all(link)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(bound.dialect, "do_execute", stop)
        asked.all(link)
    assert link.invalidated


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_a_server_that_has_gone_is_told_from_a_refusal(
    bound: sa.Engine, link: sa.Connection
) -> None:
    asked = Prepared(sa.select(Patient.id))
    process = link.execute(sa.text("SELECT pg_backend_pid()")).scalar()
    with bound.connect() as other:
        other.execute(sa.text("SELECT pg_terminate_backend(:process)"), {"process": process})
    with pytest.raises(sa.exc.OperationalError) as caught:
        asked.all(link)
    assert (caught.value.connection_invalidated, link.invalidated) == (True, True)


def test_a_table_whose_defaults_are_no_values_is_refused() -> None:
    table = sa.Table(
        "odd",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime, default=sa.func.now()),
    )
    with pytest.raises(ValueError, match="odd"):
        Insertion(table)
