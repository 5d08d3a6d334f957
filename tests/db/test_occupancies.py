"""What a process keeps of what is booked is, after every change, what a fresh reading finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import appointments, engine, occupancies, timetables
from planner.db.engine import Tx
from planner.db.models import Appointment, CourseSession
from planner.scheduling import availability
from planner.scheduling.interval import Interval
from planner.scheduling.occupancy import Occupancy
from planner.scheduling.timetable import Busy, Slot, Status, Timetable
from tests import factories
from tests.db.conftest import DESK, NOW
from tests.factories import SmallClinic

Given = Callable[..., int]
MONTH = Interval(factories.at(date(2027, 3, 1), 0), factories.at(date(2027, 4, 1), 0))


def loaded(now: datetime = NOW) -> Timetable:
    with engine.reading() as session:
        return timetables.load(session, horizon=MONTH, now=now)


def change(work: Callable[[Tx], object]) -> None:
    engine.transaction(work, by=DESK, now=NOW, action="test.act")


def afresh(bound: sa.Engine) -> Timetable:
    """Load as a process does that has just begun."""
    occupancies._KEPT.pop(bound, None)
    return loaded()


def by_id(timetable: Timetable) -> dict[int, Busy]:
    return {busy.appointment_id: busy for busy in timetable.busy}


def free(timetable: Timetable, clinic: SmallClinic) -> tuple[Slot, ...]:
    return availability.free_slots(timetable, service_id=clinic.consult, interval=MONTH)


def at(clinic: SmallClinic, patient_id: int, day: int, hour: int) -> Slot:
    return availability.slot_at(
        loaded(),
        service_id=clinic.consult,
        site_id=clinic.miami,
        provider_id=clinic.md,
        room_id=clinic.miami_consult,
        starts_at=factories.at(date(2027, 3, day), hour),
        patient_id=patient_id,
    )


def test_after_any_changes_it_is_what_a_fresh_reading_finds(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patients = [given(factories.patient) for _ in range(20)]
    for patient_id, day in zip(patients, (2, 3, 4, 5, 8, 9, 10, 11, 12, 15), strict=False):
        given(factories.appointment, clinic, patient_id, day=date(2027, 3, day))
    free(loaded(), clinic)
    days = [day for day in range(16, 31) if date(2027, 3, day).weekday() < 5]
    for turn in range(9):

        def work(tx: Tx, turn: int = turn) -> None:
            slot = at(clinic, patients[turn + 10], days[turn], 9 + turn % 8)
            row = tx.session.scalars(
                sa.select(Appointment)
                .where(Appointment.status == "booked")
                .order_by(Appointment.id)
            ).first()
            assert row is not None
            if turn % 3 == 0:
                appointments.enter(row, Status.CANCELLED, now=NOW)
            elif turn % 3 == 1:
                appointments.move(row, slot._replace(patient_id=row.patient_id), now=NOW)
            else:
                appointments.add(tx, slot, status=Status.BOOKED)

        change(work)
        kept = loaded()
        found, offered = by_id(kept), free(kept, clinic)
        fresh = afresh(bound)
        assert (found, offered) == (by_id(fresh), free(fresh, clinic))


def test_only_what_has_changed_is_read_again(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3))
    before = by_id(loaded())
    change(lambda tx: appointments.add(tx, at(clinic, patient_id, 4, 9), status=Status.BOOKED))
    after = by_id(loaded())
    assert len(after) == 2
    assert all(after[its_id] is busy for its_id, busy in before.items())


def test_a_session_ordered_anew_is_seen(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    course_id = given(factories.course, clinic, patient_id)
    with engine.reading() as session:
        first = factories.course_sessions(session, course_id)[1]
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3), course_session_id=first)
    loaded()

    def work(tx: Tx) -> None:
        tx.session.get_one(CourseSession, first).zones = ["face"]

    change(work)
    assert [busy.zones for busy in loaded().busy] == [frozenset({"face"})]


def test_a_hold_frees_its_place_when_its_time_is_over_without_any_change(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    held = at(clinic, patient_id, 3, 9)
    until = NOW + timedelta(minutes=10)
    change(lambda tx: appointments.add(tx, held, status=Status.HELD, expires_at=until))
    taken = (held.provider_id, held.starts_at)

    def starts(now: datetime) -> set[tuple[int, datetime]]:
        return {(slot.provider_id, slot.starts_at) for slot in free(loaded(now), clinic)}

    assert [taken in starts(now) for now in (NOW, until, NOW)] == [False, True, False]


def test_a_database_put_back_from_a_copy_is_read_anew(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    """The trail has the same length, and another history."""
    patient_id, other_id = given(factories.patient), given(factories.patient)
    change(lambda tx: appointments.add(tx, at(clinic, patient_id, 3, 9), status=Status.BOOKED))
    kept = loaded()
    assert len(kept.busy) == 1
    state = occupancies._KEPT[bound]
    change(lambda tx: appointments.add(tx, at(clinic, other_id, 4, 9), status=Status.BOOKED))
    occupancies._KEPT[bound] = replace(state, head_hash="0" * 64)
    assert len(loaded().busy) == 2


@pytest.mark.parametrize("days", [1, 400])
def test_a_transaction_reads_for_itself(
    bound: sa.Engine, clinic: SmallClinic, given: Given, days: int
) -> None:
    patient_id = given(factories.patient)
    slot = at(clinic, patient_id, 3, 9)
    loaded()
    horizon = Interval(NOW, NOW + timedelta(days=days + 2))

    def work(tx: Tx) -> int:
        appointments.add(tx, slot, status=Status.BOOKED)
        tx.session.flush()
        return len(timetables.load(tx.session, horizon=horizon, now=NOW).busy)

    assert engine.transaction(work, by=DESK, now=NOW, action="test.act") == 1


def test_what_came_in_past_the_trail_is_seen_too(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    loaded()
    patient_id = given(factories.patient)
    with Session(bound) as session:
        factories.appointment(session, clinic, patient_id, day=date(2027, 3, 3))
        session.commit()
    assert len(loaded().busy) == 1


def test_long_ago_is_read_for_itself(bound: sa.Engine, clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient)
    given(factories.appointment, clinic, patient_id, day=date(2027, 1, 12))
    january = Interval(datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 20, tzinfo=UTC))
    loaded()
    with engine.reading() as session:
        assert len(timetables.load(session, horizon=january, now=NOW).busy) == 1


def test_what_is_read_as_numbers_is_what_a_transaction_reads(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    """Every status, all that a visit has, and both of the ways to read it."""
    patient_id = given(factories.patient)
    course_id = given(factories.course, clinic, patient_id)
    with engine.reading() as session:
        sessions = factories.course_sessions(session, course_id)
    until = datetime(2027, 3, 2, 15, 30, 20, 123456, tzinfo=UTC)
    statuses = ("held", "booked", "arrived", "started", "fulfilled", "no_show", "cancelled")
    for day, status in enumerate(statuses, start=1):
        visit = {
            "status": status,
            "day": date(2027, 3, day),
            "minutes": 35,
            "expires_at": until if status == "held" else None,
        }
        given(factories.appointment, clinic, given(factories.patient), **visit)
    late = {"day": date(2027, 3, 9), "hour": 18, "minute": 30, "site_id": clinic.aventura}
    given(
        factories.appointment, clinic, patient_id, course_session_id=sessions[2],
        room_id=clinic.aventura_1, **late,
    )  # fmt: skip
    kept = by_id(loaded())
    read = engine.transaction(
        lambda tx: by_id(timetables.load(tx.session, horizon=MONTH, now=NOW)),
        by=DESK, now=NOW, action="test.act",
    )  # fmt: skip
    assert len(kept) == 6
    assert kept == read


def test_a_question_that_reaches_further_finds_what_is_further(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    near = given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3))
    far = given(factories.appointment, clinic, patient_id, day=date(2027, 7, 7))
    summer = Interval(NOW, NOW + timedelta(days=180))
    found = [set(by_id(loaded()))]
    with engine.reading() as session:
        found.append(set(by_id(timetables.load(session, horizon=summer, now=NOW))))
    found.append(set(by_id(loaded())))
    assert found == [{near}, {near, far}, {near, far}]


def test_what_is_put_off_past_all_that_is_kept_is_found_there_once(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    visit = given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3))
    assert set(by_id(loaded())) == {visit}

    def work(tx: Tx) -> None:
        row = tx.session.get_one(Appointment, visit)
        later = at(clinic, patient_id, 3, 9)._replace(number=None)
        by = timedelta(days=126)
        moved = later._replace(
            starts_at=later.starts_at + by,
            ends_at=later.ends_at + by,
            room_from=later.room_from + by,
            room_until=later.room_until + by,
            patient_until=later.patient_until + by,
        )
        appointments.move(row, moved, now=NOW)

    change(work)
    assert not loaded().busy
    with engine.reading() as session:
        summer = Interval(NOW, NOW + timedelta(days=180))
        found = timetables.load(session, horizon=summer, now=NOW)
    assert [busy.appointment_id for busy in found.busy] == [visit]
    assert len(free(found, clinic)) == len(free(afresh(bound), clinic))


def test_after_many_changes_all_is_read_anew(
    bound: sa.Engine, clinic: SmallClinic, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occupancies, "MOST_CHANGES", 1)
    patient_id = given(factories.patient)
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3))
    loaded()
    changes = []
    for day in (4, 5, 8):
        slot = at(clinic, patient_id, day, 9)
        change(lambda tx, slot=slot: appointments.add(tx, slot, status=Status.BOOKED))  # type: ignore[misc]
        changes.append(occupancies_kept(bound).changes)
    assert changes == [1, 2, 0]
    assert len(loaded().busy) == 4


def occupancies_kept(bound: sa.Engine) -> Occupancy:
    loaded()
    return occupancies._KEPT[bound].occupancy
