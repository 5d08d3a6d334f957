"""The database itself refuses double bookings, on both engines and exactly as the core would."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import guards
from planner.db.models import Appointment, Site
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import LIVE, Status
from tests import factories
from tests.factories import SmallClinic

Given = Callable[..., int]
DAY = date(2027, 3, 3)
TEN = factories.at(DAY, 10)
ALIVE = {status.value for status in LIVE}


def minutes(count: int) -> datetime:
    """Return the instant so many minutes after ten."""
    return TEN + timedelta(minutes=count)


def column_values(row: Appointment) -> dict[str, object]:
    """Return what raw SQL needs to copy a row."""
    return {column.key: getattr(row, column.key) for column in Appointment.__table__.columns}


def is_refused(
    connection: sa.Connection, statement: sa.Executable, values: dict[str, object] | None = None
) -> str:
    """Return what the database says against a statement, or "" when it lets it through."""
    savepoint = connection.begin_nested()
    try:
        connection.execute(statement, values)
    except sa.exc.IntegrityError as error:
        savepoint.rollback()
        return str(error.orig)
    savepoint.commit()
    return ""


@pytest.fixture
def booked(bound: sa.Engine, clinic: SmallClinic, given: Given) -> dict[str, object]:
    """A stored consult of md at ten, as a mapping of its columns."""
    ids = [given(factories.patient) for _ in range(2)]
    appointment_id = given(factories.appointment, clinic, ids[0], day=DAY)
    with Session(bound) as session:
        return column_values(session.get_one(Appointment, appointment_id))


@pytest.mark.parametrize(
    ("same", "spelled"),
    [("provider_id", "provider"), ("room_id", "room"), ("patient_id", "patient")],
)
def test_raw_sql_cannot_double_book(
    bound: sa.Engine, clinic: SmallClinic, booked: dict[str, object], same: str, spelled: str
) -> None:
    others = {"provider_id": clinic.pa, "room_id": clinic.miami_1, "patient_id": 2}
    row = {**booked, **others, same: booked[same], "id": 99, "key": "k", "uid": "u"}
    with bound.begin() as connection:
        assert spelled in is_refused(connection, sa.insert(Appointment).values(row))


def test_raw_sql_cannot_move_into_what_is_taken(
    bound: sa.Engine, booked: dict[str, object]
) -> None:
    later = {
        name: minutes(60 + offset)
        for name, offset in {
            "starts_at": 0, "ends_at": 30, "room_from": 0, "room_until": 30, "patient_until": 30,
        }.items()
    }  # fmt: skip
    row = {**booked, **later, "id": 99, "key": "k", "uid": "u"}
    earlier = {name: at - timedelta(minutes=50) for name, at in later.items()}
    move = sa.update(Appointment.__table__).where(Appointment.id == 99).values(earlier)  # type: ignore[arg-type]  # a Table
    with bound.begin() as connection:
        assert is_refused(connection, sa.insert(Appointment).values(row)) == ""
        assert is_refused(connection, move) != ""


def test_a_cancelled_appointment_cannot_come_back_to_a_place_that_is_taken(
    bound: sa.Engine, booked: dict[str, object]
) -> None:
    row = {**booked, "id": 99, "key": "k", "uid": "u", "status": "cancelled"}
    revive = sa.text("UPDATE appointment SET status = 'booked' WHERE id = 99")
    with bound.begin() as connection:
        assert is_refused(connection, sa.insert(Appointment).values(row)) == ""
        assert is_refused(connection, revive) != ""


def test_a_session_of_a_course_has_at_most_one_live_appointment(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    course_id = given(factories.course, clinic, patient_id)
    with Session(bound) as session:
        first = factories.course_sessions(session, course_id)[1]
    given(factories.appointment, clinic, patient_id, day=DAY, course_session_id=first)
    with pytest.raises(sa.exc.IntegrityError):
        given(
            factories.appointment, clinic, patient_id, day=date(2027, 3, 4),
            course_session_id=first,
        )  # fmt: skip


def test_the_room_is_one_of_the_site(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient)
    with pytest.raises(sa.exc.IntegrityError):
        given(factories.appointment, clinic, patient_id, day=DAY, room_id=clinic.aventura_consult)


@pytest.mark.parametrize("engine_kind", ["sqlite"])
def test_sqlite_refuses_instants_whose_text_does_not_sort_like_time(
    bound: sa.Engine, booked: dict[str, object]
) -> None:
    statement = sa.text("UPDATE appointment SET patient_until = '2027-03-03T15:30:00+00:00'")
    with bound.begin() as connection:
        assert is_refused(connection, statement) == "form: instant"


def test_the_engines_and_the_core_agree_on_thousands_of_cases(
    bound: sa.Engine, clinic: SmallClinic, booked: dict[str, object]
) -> None:
    """Random bookings of few actors in a short time: each is refused exactly when the core sees
    one of the live ones before it overlap on the clock of the same actor."""
    dice = random.Random(7)
    patients = [booked["patient_id"], 2]
    rooms = [clinic.miami_consult, clinic.miami_1, clinic.miami_2]
    kept: list[dict[str, object]] = [booked]
    wrong = []
    table = Appointment.__table__
    insert = sa.insert(table)  # type: ignore[arg-type]  # a Table
    update = sa.update(table).where(table.c.id == sa.bindparam("at"))  # type: ignore[arg-type]
    with bound.begin() as connection:
        connection.execute(sa.delete(Appointment).where(Appointment.id != booked["id"]))
        for number in range(2000):
            row = {**booked, **_random_clocks(dice), "id": 1000 + number}
            row |= {"key": f"k{number}", "uid": f"u{number}"}
            row |= {
                "provider_id": dice.choice([clinic.md, clinic.pa]),
                "room_id": dice.choice(rooms),
                "patient_id": dice.choice(patients),
                "status": dice.choice(list(Status)).value,
            }
            expected = any(_overlap(row, other) for other in kept)
            if bool(is_refused(connection, insert, row)) != expected:
                wrong.append(row)
            if not expected:
                kept.append(row)
        for _ in range(1000):
            row = dice.choice(kept)
            moved = {**row, **_random_clocks(dice), "status": dice.choice(list(Status)).value}
            expected = any(_overlap(moved, other) for other in kept if other is not row)
            if bool(is_refused(connection, update, {**moved, "at": row["id"]})) != expected:
                wrong.append(moved)
            if not expected:
                row.update(moved)
    assert (wrong, len(kept) > 100) == ([], True)


def test_the_guards_are_all_there_after_migrating(bound: sa.Engine) -> None:
    with bound.connect() as connection:
        guards.probe(connection)


@pytest.mark.parametrize("name", list(guards._statements("sqlite")))
def test_a_missing_guard_is_named_on_sqlite(sqlite_url: str, name: str) -> None:
    engine = sa.create_engine(sqlite_url)
    kind = "INDEX" if guards._statements("sqlite")[name].split()[1] != "TRIGGER" else "TRIGGER"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP {kind} {name}")
        with pytest.raises(guards.GuardsMissing, match=name):
            guards.probe(connection)
    engine.dispose()


DROPS = {
    "guard_appointment_provider": "ALTER TABLE appointment DROP CONSTRAINT guard_appointment_provider",
    "guard_appointment_room": "ALTER TABLE appointment DROP CONSTRAINT guard_appointment_room",
    "guard_appointment_patient": "ALTER TABLE appointment DROP CONSTRAINT guard_appointment_patient",
    "guard_appointment_one_live": "DROP INDEX guard_appointment_one_live",
    "guard_audit_append_only": "ALTER TABLE audit DISABLE TRIGGER guard_audit_append_only",
    "guard_head_forward": "ALTER TABLE audit_head DISABLE TRIGGER guard_head_forward",
}


@pytest.mark.parametrize("name", DROPS)
def test_a_missing_guard_is_named_on_postgresql(postgres_url: str, name: str) -> None:
    engine = sa.create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        connection.exec_driver_sql(DROPS[name])
        with pytest.raises(guards.GuardsMissing, match=name):
            guards.probe(connection)
    engine.dispose()


def test_creating_the_guards_again_changes_nothing(bound: sa.Engine) -> None:
    with bound.begin() as connection:
        guards.create(connection)
        guards.probe(connection)


def test_what_is_refused_leaves_the_rest_of_the_transaction(
    bound: sa.Engine, clinic: SmallClinic, booked: dict[str, object]
) -> None:
    again = sa.insert(Appointment).values({**booked, "id": 99, "key": "k", "uid": "u"})
    rename = sa.update(Site).where(Site.id == clinic.miami).values(phone="305-555-0100")
    with bound.begin() as connection:
        connection.execute(rename)
        assert is_refused(connection, again) != ""
    with Session(bound) as session:
        assert session.get_one(Site, clinic.miami).phone == "305-555-0100"


def _random_clocks(dice: random.Random) -> dict[str, datetime]:
    start = dice.randrange(0, 2000) * 5
    end = start + dice.choice([10, 30, 45, 60])
    return {
        "starts_at": minutes(start),
        "ends_at": minutes(end),
        "room_from": minutes(start - dice.choice([0, 5])),
        "room_until": minutes(end + dice.choice([0, 10])),
        "patient_until": minutes(end + dice.choice([0, 20])),
    }


def _overlap(one: dict[str, object], other: dict[str, object]) -> bool:
    both_live = {one["status"], other["status"]} <= ALIVE
    return both_live and any(
        one[f"{clock.actor}_id"] == other[f"{clock.actor}_id"]
        and _span(one, clock).overlaps(_span(other, clock))
        for clock in guards.CLOCKS
    )


def _span(row: dict[str, object], clock: guards.Clock) -> Interval:
    return Interval(row[clock.starts], row[clock.ends])  # type: ignore[arg-type]  # instants
