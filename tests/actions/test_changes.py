"""Undo puts everything back to the letter, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import changes, consults, merging
from planner.db import appointments, engine, keys, patients
from planner.db import changes as stored
from planner.db.engine import Tx
from planner.db.models import (
    Appointment,
    Change,
    Consult,
    Course,
    CourseSession,
    Decision,
    Message,
    Patient,
    Site,
)
from planner.db.traces import image
from planner.errors import NotFound, Refused, Stale
from planner.scheduling.timetable import Gap, Slot, Status
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


def test_settings_keep_no_undo_record(clinic: SmallClinic, given: Given, desk: Who) -> None:
    change(desk, lambda tx: setattr(tx.session.get_one(Site, clinic.miami), "phone", "1"))
    with engine.reading() as session:
        assert session.scalars(sa.select(Change)).all() == []


def test_what_was_said_about_health_is_forgotten_with_the_undo_records_of_the_hour(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    patient_id = given(factories.patient)
    change(desk, lambda tx: factories.screening(tx.session, patient_id, on=TODAY, had_clots=True))
    later = NOW + timedelta(hours=1, seconds=1)
    engine.transaction(
        lambda tx: setattr(tx.session.get_one(Patient, patient_id), "phone", "1"),
        by=desk, now=later, action="test.later", undoable=True,
    )  # fmt: skip
    with engine.reading() as session:
        assert session.scalars(sa.select(Change.label)).all() == ["test.later"]


def test_older_undo_records_are_looked_for_once_a_minute(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    patient_id = given(factories.patient)

    def left(seconds: int) -> list[str]:
        engine.transaction(
            lambda tx: setattr(tx.session.get_one(Patient, patient_id), "phone", str(seconds)),
            by=desk, now=NOW + timedelta(seconds=seconds), action=f"at {seconds}", undoable=True,
        )  # fmt: skip
        with engine.reading() as session:
            return list(session.scalars(sa.select(Change.label).order_by(Change.id)))

    left(0)
    given(undo_record, label="old", at=NOW - timedelta(hours=2))
    assert [left(30), left(60)] == [["at 0", "old", "at 30"], ["at 0", "at 30", "at 60"]]


def undo_record(session: Session, *, label: str, at: datetime) -> int:
    """Store an undo record of nothing."""
    row = Change(key=label, at=at, label=label, rows=[])
    session.add(row)
    session.flush()
    return row.id


def test_everything_that_is_a_patients_can_be_put_back() -> None:
    """A message follows its visit or course, there and back."""
    assert set(patients.THEIRS) - {Message} <= set(stored.MODELS.values())


def test_a_merge_is_undone_with_all_that_was_handed_over(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    kept, other = (given(factories.patient, family_name=name) for name in ("Lopez", "López"))
    visit = given(factories.appointment, clinic, other, day=DAY)
    given(factories.date_to_avoid, other, kind="flight", on=DAY)
    for factory in (factories.consent, factories.screening):
        given(factory, other, on=DAY)
    given(factories.course, clinic, other)
    given(factories.message, other, appointment_id=visit, expires_at=SOON)
    before = everything()
    with engine.reading() as session:
        keys_of = [session.get_one(Patient, row_id).key for row_id in (kept, other)]
    done = merging.merge(*keys_of, kept_version=1, other_version=1, by=desk, now=NOW)
    assert everything() != before
    changes.undo(done.change_key, by=desk, now=SOON)
    assert (everything(), live_uid(visit)) == (before, 1)


def test_a_merge_is_not_undone_once_the_kept_file_has_gone_on(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    kept, other = given(factories.patient), given(factories.patient, note="two files")
    with engine.reading() as session:
        keys_of = [session.get_one(Patient, row_id).key for row_id in (kept, other)]
    done = merging.merge(*keys_of, kept_version=1, other_version=1, by=desk, now=NOW)
    change(desk, lambda tx: setattr(tx.session.get_one(Patient, kept), "phone", "1"))
    with pytest.raises(Stale):
        changes.undo(done.change_key, by=desk, now=SOON)


def test_a_recorded_consult_is_undone_with_its_answers_its_course_and_its_decisions(
    clinic: SmallClinic, given: Given
) -> None:
    doctor = Who(user_id=clinic.provider_user, role="provider", provider_id=clinic.md)
    visit = given(
        factories.appointment, clinic, given(factories.patient), day=NOW.date(), status="started",
        arrived_at=NOW, actual_starts_at=NOW,
    )  # fmt: skip
    before = everything()
    with engine.reading() as session:
        row = session.get_one(Appointment, visit)
        key, version = row.key, row.version
    plan = consults.SessionPlan(
        minutes=45, zones=("left_calf",), gap=Gap(floor=7, target=14, soft_max=21)
    )
    order = consults.OrderGiven(
        protocol_id=clinic.two_weeks, reason="new zones", sessions=(plan, plan, plan),
        decisions={"screening.clots": "long ago"},
    )  # fmt: skip
    finding = consults.Finding(
        veins=({"type": "spider", "diameter_mm": 0.6},), zones=("left_calf",), area_size="M",
        duplex_advised=False, outcome="candidate", not_until=None, note="",
    )  # fmt: skip
    answers = consults.Answers(had_clots=True)
    done = consults.record(key, answers, finding, order, version=version, by=doctor, now=NOW)
    assert everything() != before
    changes.undo(done.change_key, by=doctor, now=SOON)
    assert everything() == before


def test_what_the_rules_no_longer_allow_does_not_come_back(
    clinic: SmallClinic, given: Given, desk: Who
) -> None:
    visit = given(factories.appointment, clinic, given(factories.patient), day=DAY)
    key = change(desk, lambda tx: setattr(appointments.get(tx, visit), "status", "cancelled"))
    given(factories.absence, on=DAY, provider_id=clinic.md)
    with pytest.raises(Refused) as refusal:
        changes.undo(key, by=desk, now=SOON)
    assert [conflict.code for conflict in refusal.value.conflicts] == ["provider.absent"]
    assert images(Appointment)[0]["status"] == "cancelled"


def everything() -> dict[str, list[dict[str, object]]]:
    """Return all rows that can be put back, without what may only grow."""
    growing = {"version", "sequence", "ical_modified_at"}
    with engine.reading() as session:
        return {
            name: [
                {key: value for key, value in image(row).items() if key not in growing}
                for row in session.scalars(sa.select(model).order_by(model.id))
            ]
            for name, model in stored.MODELS.items()
        }


def live_uid(visit: int) -> int:
    """Return how often a calendar has heard of the appointment."""
    with engine.reading() as session:
        return session.get_one(Appointment, visit).sequence
