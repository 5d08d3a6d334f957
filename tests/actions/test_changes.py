"""Undo puts everything back to the letter, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from planner.actions import changes
from planner.db import appointments, engine, keys
from planner.db.engine import Tx
from planner.db.models import Appointment, Change, Consult, Course, CourseSession, Decision, Patient
from planner.db.traces import image
from planner.errors import NotFound, Refused, Stale
from planner.scheduling.timetable import Slot, Status
from planner.who import Who
from tests import factories
from tests.db.conftest import NOW, TODAY
from tests.factories import SmallClinic

SOON = NOW + timedelta(minutes=2)
DAY = date(2027, 3, 3)
Given = Callable[..., int]


@pytest.fixture
def desk(clinic: SmallClinic) -> Who:
    """The receptionist."""
    return Who(user_id=clinic.receptionist, role="receptionist")


def change(desk: Who, work: Callable[[Tx], object]) -> str:
    """Do something that can be undone; return its key."""

    def whole(tx: Tx) -> str:
        work(tx)
        return tx.change_key

    return engine.transaction(whole, by=desk, now=NOW, action="test.change", undoable=True)


def images(model: type[Appointment | Course | CourseSession]) -> list[dict[str, object]]:
    """Return all rows of a table without what may only grow."""
    growing = {"version", "sequence", "ical_modified_at"}
    with engine.reading() as session:
        rows = session.scalars(sa.select(model).order_by(model.id))
        return [
            {key: value for key, value in image(row).items() if key not in growing} for row in rows
        ]


def moved(row: Appointment, by: timedelta) -> Slot:
    """The slot of an appointment, later."""
    slot = appointments.slot_of(row)
    names = ("starts_at", "ends_at", "room_from", "room_until", "patient_until")
    values = {name: getattr(slot, name) + by for name in names}
    return Slot(
        service_id=slot.service_id, site_id=slot.site_id, provider_id=slot.provider_id,
        room_id=slot.room_id, patient_id=slot.patient_id, **values,
    )  # fmt: skip


def move(tx: Tx, appointment_id: int, minutes: int) -> None:
    """Move an appointment, as an action does."""
    row = appointments.get(tx, appointment_id)
    appointments.move(row, moved(row, timedelta(minutes=minutes)), now=tx.now)
    tx.session.flush()


def test_an_undone_move_is_where_it_was_with_its_uid_and_a_grown_sequence(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    visit = given(factories.appointment, clinic, given(factories.patient), day=DAY)
    before = images(Appointment)
    key = change(desk, lambda tx: move(tx, visit, 60))
    label = changes.undo(key, by=desk, now=SOON)
    with engine.reading() as session:
        row = session.get_one(Appointment, visit)
        assert (label, row.sequence, row.ical_modified_at) == ("test.change", 2, SOON)
    assert images(Appointment) == before


def test_two_that_swapped_places_swap_back(clinic: SmallClinic, given: Given, desk: Who) -> None:
    one = given(factories.appointment, clinic, given(factories.patient), day=DAY, hour=10)
    other = given(factories.appointment, clinic, given(factories.patient), day=DAY, hour=11)
    before = images(Appointment)

    def swap(tx: Tx) -> None:
        for visit in (one, other):
            appointments.get(tx, visit).status = "released"
        tx.session.flush()
        for visit, minutes in ((one, 60), (other, -60)):
            move(tx, visit, minutes)
            appointments.get(tx, visit).status = "booked"

    key = change(desk, swap)
    assert images(Appointment) != before
    changes.undo(key, by=desk, now=SOON)
    assert images(Appointment) == before


def test_an_undone_booking_is_released(clinic: SmallClinic, given: Given, desk: Who) -> None:
    patient_id = given(factories.patient)
    visit = given(factories.appointment, clinic, patient_id, day=DAY, status="cancelled")

    def book(tx: Tx) -> None:
        slot = appointments.slot_of(appointments.get(tx, visit))
        appointments.add(tx, slot, status=Status.BOOKED)

    key = change(desk, book)
    changes.undo(key, by=desk, now=SOON)
    with engine.reading() as session:
        rows = list(session.scalars(sa.select(Appointment).order_by(Appointment.id)))
    assert [(row.status, row.sequence) for row in rows] == [("cancelled", 0), ("released", 1)]


def test_a_course_that_was_just_added_is_gone_again(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    patient_id = given(factories.patient)

    def add(tx: Tx) -> None:
        course_id = factories.course(tx.session, clinic, patient_id)
        factories.consult_done(tx.session, clinic, patient_id, on=TODAY, course_id=course_id)
        tx.session.add(
            Decision(
                rule_code="gap.below_floor", patient_id=patient_id, course_id=course_id,
                provider_id=clinic.md, reason="seen", params={}, given_at=NOW,
            )
        )  # fmt: skip

    key = change(desk, add)
    changes.undo(key, by=desk, now=SOON)
    with engine.reading() as session:
        left = [session.scalars(sa.select(model.id)).all() for model in (Course, CourseSession)]
        left += [session.scalars(sa.select(model.id)).all() for model in (Consult, Decision)]
    assert left == [[], [], [], []]


def test_a_course_that_has_an_appointment_by_now_is_ended_instead(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    patient_id = given(factories.patient)
    made: list[int] = []
    key = change(desk, lambda tx: made.append(factories.course(tx.session, clinic, patient_id)))
    with engine.reading() as session:
        first = factories.course_sessions(session, made[0])[1]
    given(factories.appointment, clinic, patient_id, day=DAY, course_session_id=first)
    changes.undo(key, by=desk, now=SOON)
    assert [row["status"] for row in images(Course)] == ["ended"]


def test_a_removed_session_comes_back(clinic: SmallClinic, given: Given, desk: Who) -> None:
    course_id = given(factories.course, clinic, given(factories.patient))
    before = images(CourseSession)

    def shorten(tx: Tx) -> None:
        last = factories.course_sessions(tx.session, course_id)[3]
        tx.session.delete(tx.session.get_one(CourseSession, last))
        tx.session.get_one(Course, course_id).package = "package of 2"

    key = change(desk, shorten)
    assert len(images(CourseSession)) == 2
    changes.undo(key, by=desk, now=SOON)
    assert images(CourseSession) == before
    assert [row["package"] for row in images(Course)] == [""]


def test_what_has_changed_again_is_stale_and_nothing_is_put_back(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    visits = [
        given(factories.appointment, clinic, given(factories.patient), day=DAY, hour=hour)
        for hour in (10, 12)
    ]

    def both(tx: Tx) -> None:
        for visit in visits:
            move(tx, visit, 60)

    key = change(desk, both)
    change(desk, lambda tx: setattr(appointments.get(tx, visits[1]), "note", "late"))
    before = images(Appointment)
    with pytest.raises(Stale) as refusal:
        changes.undo(key, by=desk, now=SOON)
    assert refusal.value.changed["note"] == ("", "late")
    assert images(Appointment) == before


def test_a_slot_that_has_gone_is_refused(clinic: SmallClinic, given: Given, desk: Who) -> None:
    visit = given(factories.appointment, clinic, given(factories.patient), day=DAY)
    key = change(desk, lambda tx: move(tx, visit, 60))
    given(factories.appointment, clinic, given(factories.patient), day=DAY)
    with pytest.raises(Refused):
        changes.undo(key, by=desk, now=SOON)


@pytest.mark.parametrize("case", ["too late", "twice", "somebody else's", "unknown"])
def test_what_can_no_longer_be_undone_is_not_found(
    clinic: SmallClinic, given: Given, desk: Who, case: str
) -> None:
    visit = given(factories.appointment, clinic, given(factories.patient), day=DAY)
    key = change(desk, lambda tx: move(tx, visit, 60))
    by, now = desk, SOON
    if case == "too late":
        now = SOON + timedelta(seconds=1)
    elif case == "twice":
        changes.undo(key, by=desk, now=SOON)
    elif case == "somebody else's":
        by = Who(user_id=clinic.provider_user, role="provider")
    else:
        key = keys.new()
    with pytest.raises(NotFound):
        changes.undo(key, by=by, now=now)


def test_a_manager_may_undo_what_others_did(clinic: SmallClinic, given: Given, desk: Who) -> None:
    visit = given(factories.appointment, clinic, given(factories.patient), day=DAY)
    before = images(Appointment)
    key = change(desk, lambda tx: move(tx, visit, 60))
    changes.undo(key, by=Who(user_id=clinic.manager, role="manager"), now=SOON)
    assert images(Appointment) == before


def test_what_is_no_appointment_or_course_keeps_no_undo_record(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    patient_id = given(factories.patient)
    change(desk, lambda tx: setattr(tx.session.get_one(Patient, patient_id), "phone", "1"))
    with engine.reading() as session:
        assert session.scalars(sa.select(Change)).all() == []
