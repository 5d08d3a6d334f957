"""What a change leaves in the outbox: one message per course, the later one in place of the earlier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import changes, courses
from planner.actions.appointments import booking, lifecycle, moving
from planner.actions.courses import Chosen
from planner.actions.placing import Place, Terms
from planner.db import outbox
from planner.db.models import Appointment, Course, Message, Patient, Site
from planner.scheduling.timetable import Status
from tests import factories
from tests.db.conftest import DESK, NOW
from tests.factories import SmallClinic, at

Given = Callable[..., int]
WEDNESDAY = date(2027, 3, 3)
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def patient_id(given: Given, clinic: SmallClinic) -> int:
    its_id = given(factories.patient, email="maria@example.com")
    given(factories.consult_done, clinic, its_id, on=date(2027, 2, 24))
    given(factories.consent, its_id, on=date(2027, 2, 24))
    return its_id


@pytest.fixture
def course_key(bound: sa.Engine, given: Given, clinic: SmallClinic, patient_id: int) -> str:
    course_id = given(factories.course, clinic, patient_id)
    with Session(bound) as session:
        return session.get_one(Course, course_id).key


def book_course(bound: sa.Engine, clinic: SmallClinic, key: str, **how: Any) -> courses.Done:
    chosen = tuple(
        Chosen(
            number=number,
            site_id=clinic.miami,
            provider_id=clinic.pa,
            room_id=clinic.miami_1,
            starts_at=at(WEDNESDAY + timedelta(days=day), 10),
        )
        for number, day in enumerate((0, 14, 28), start=1)
    )
    with Session(bound) as session:
        version = session.scalars(sa.select(Course.version).where(Course.key == key)).one()
    return courses.book(key, chosen, Terms(**how), version=version, wishes={}, by=DESK, now=NOW)


def consult(clinic: SmallClinic, patient_id: int, **how: Any) -> booking.Booked:
    return booking.book(patient_id, place(clinic, 10), Terms(**how), by=DESK, now=NOW)


def place(clinic: SmallClinic, hour: int, **changed: Any) -> Place:
    return Place(
        **{
            "service_id": clinic.consult,
            "site_id": clinic.miami,
            "provider_id": clinic.md,
            "room_id": clinic.miami_consult,
            "starts_at": at(WEDNESDAY, hour),
            "minutes": 30,
            **changed,
        }
    )


def move(clinic: SmallClinic, key: str, hour: int, now: datetime, **changed: Any) -> str:
    done = moving.move(key, place(clinic, hour, **changed), Terms(), by=DESK, now=now)
    return done.change_key


def messages(bound: sa.Engine) -> list[Message]:
    with Session(bound) as session:
        return list(session.scalars(sa.select(Message).order_by(Message.id)))


def kinds(bound: sa.Engine, status: str = "waiting") -> list[str]:
    return [row.kind for row in messages(bound) if row.status == status]


def send(bound: sa.Engine) -> None:
    """Say of all that waits that it was sent."""
    with Session(bound) as session:
        for row in session.scalars(sa.select(Message).where(Message.status == "waiting")):
            row.status, row.sent_at = "sent", NOW
        session.commit()


def version(bound: sa.Engine, key: str) -> int:
    with Session(bound) as session:
        return session.scalars(sa.select(Appointment.version).where(Appointment.key == key)).one()


def change(bound: sa.Engine, kind: type[Any], row_id: int, **columns: Any) -> None:
    with Session(bound) as session:
        row = session.get_one(kind, row_id)
        for name, value in columns.items():
            setattr(row, name, value)
        session.commit()


def test_a_booked_course_is_one_message_that_leaves_when_undo_is_over(
    bound: sa.Engine, clinic: SmallClinic, course_key: str
) -> None:
    book_course(bound, clinic, course_key)
    (row,) = messages(bound)
    assert (row.kind, len(row.facts), row.status) == ("course", 3, "waiting")
    assert row.not_before - NOW == timedelta(minutes=2) + outbox.SKEW


def test_a_room_tells_nobody_and_a_provider_only_when_asked(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    booked = consult(clinic, patient_id)
    send(bound)
    move(clinic, booked.key, 10, LATER, room_id=clinic.miami_flex)
    move(clinic, booked.key, 10, LATER, provider_id=clinic.pa)
    silent = kinds(bound)
    back = place(clinic, 10, provider_id=clinic.md)
    moving.move(booked.key, back, Terms(), tells_provider=True, by=DESK, now=LATER)
    assert (silent, kinds(bound)) == ([], ["change"])


def test_the_later_change_takes_the_place_of_the_unsent_one(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    booked = consult(clinic, patient_id)
    send(bound)
    move(clinic, booked.key, 14, LATER)
    move(clinic, booked.key, 16, LATER)
    _, earlier, later = messages(bound)
    (known,) = outbox.facts_of(later).values()
    assert (earlier.status, earlier.superseded_by) == ("dropped", later.id)
    assert known is not None
    assert (later.kind, known.starts_at) == ("change", at(WEDNESDAY, 10))


def test_moving_back_before_anybody_was_told_leaves_nothing_to_tell(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    booked = consult(clinic, patient_id)
    send(bound)
    move(clinic, booked.key, 14, LATER)
    move(clinic, booked.key, 10, LATER)
    assert (kinds(bound), kinds(bound, "dropped")) == ([], ["change"])


def test_a_session_that_moves_before_the_course_was_told_is_told_with_it(
    bound: sa.Engine, clinic: SmallClinic, course_key: str
) -> None:
    done = book_course(bound, clinic, course_key)
    to = place(
        clinic, 10, service_id=clinic.sclerotherapy, provider_id=clinic.pa, minutes=45,
        room_id=clinic.miami_1, starts_at=at(WEDNESDAY + timedelta(days=15), 10),
    )  # fmt: skip
    terms = Terms(acknowledged=frozenset({"gap.below_target"}))
    moving.move(done.appointments[2], to, terms, by=DESK, now=LATER)
    first, second = messages(bound)
    assert (first.status, second.kind, len(second.facts)) == ("dropped", "course", 3)


@pytest.mark.parametrize("step", ["book", "move", "cancel"])
def test_undo_withdraws_what_nobody_has_been_told(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, step: str
) -> None:
    booked = consult(clinic, patient_id)
    key = booked.change_key
    if step != "book":
        send(bound)
    if step == "move":
        key = move(clinic, booked.key, 14, NOW)
    if step == "cancel":
        key = lifecycle.cancel(
            booked.key, ended_by="patient", reason="", version=1, by=DESK, now=NOW
        )
    before = kinds(bound)
    changes.undo(key, by=DESK, now=NOW + timedelta(minutes=2))
    told = {"book": "confirmation", "move": "change", "cancel": "cancellation"}[step]
    assert (before, kinds(bound)) == ([told], [])


def test_a_booking_taken_back_at_once_is_silent_and_a_later_cancellation_is_not(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    def told(now: datetime, hour: int) -> list[str]:
        booked = booking.book(patient_id, place(clinic, hour), Terms(), by=DESK, now=NOW)
        lifecycle.cancel(booked.key, ended_by="clinic", reason="", version=1, by=DESK, now=now)
        found = kinds(bound)
        send(bound)
        return found

    assert (told(NOW + timedelta(minutes=1), 10), told(LATER, 14)) == ([], ["cancellation"])


def test_who_comes_early_is_told_nothing_and_afterwards_of_a_move_again(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    """Somebody who stands at the desk does not count on the visit any more: that is no cancellation."""
    booked = consult(clinic, patient_id)
    send(bound)
    early = at(WEDNESDAY, 9, 30)
    came = lifecycle.check_in(booked.key, lifecycle.CheckIn(), version=1, by=DESK, now=early)
    at_the_desk = kinds(bound)
    changes.undo(came, by=DESK, now=early)
    gone_again = kinds(bound)
    move(clinic, booked.key, 14, early)
    assert (at_the_desk, gone_again, kinds(bound)) == ([], [], ["change"])


def test_of_a_hold_nobody_is_told_and_a_reservation_that_becomes_firm_is_told_again(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    held = consult(clinic, patient_id, status=Status.HELD)
    silent = kinds(bound)
    lifecycle.release(held.key, version=1, by=DESK, now=NOW)
    reserved = consult(clinic, patient_id, status=Status.RESERVED)
    told = kinds(bound)
    send(bound)
    booking.settle(reserved.key, Terms(), version=1, by=DESK, now=LATER)
    assert (silent, told, kinds(bound)) == ([], ["confirmation"], ["confirmation"])


def test_a_patient_who_asked_for_invitations_gets_one_mail_per_session_beside_the_course(
    bound: sa.Engine, clinic: SmallClinic, course_key: str, patient_id: int
) -> None:
    change(bound, Patient, patient_id, invitations_since=NOW)
    book_course(bound, clinic, course_key)
    found = [(row.kind, len(row.facts)) for row in messages(bound)]
    assert found == [("course", 3), ("invitation", 1), ("invitation", 1), ("invitation", 1)]


def test_a_session_that_took_place_is_followed_by_aftercare_until_that_is_taken_back(
    bound: sa.Engine, clinic: SmallClinic, given: Given, patient_id: int
) -> None:
    numbers = given(factories.course_sessions, given(factories.course, clinic, patient_id))
    id_ = given(
        factories.appointment, clinic, patient_id, day=NOW.date(), hour=8, status="started",
        course_session_id=numbers[1], actual_starts_at=at(NOW.date(), 8),  # type: ignore[index]
    )  # fmt: skip
    with Session(bound) as session:
        key = session.get_one(Appointment, id_).key
    treated = lifecycle.Treated(starts_at=at(NOW.date(), 8), ends_at=at(NOW.date(), 8, 40))
    provider = replace(DESK, role="provider", provider_id=clinic.pa)
    undo = lifecycle.complete(key, treated, version=1, by=provider, now=NOW)
    told = kinds(bound)
    changes.undo(undo, by=provider, now=NOW)
    assert (told, kinds(bound)) == (["aftercare"], [])


def test_quiet_hours_hold_back_what_can_wait_and_not_what_is_about_tomorrow_morning(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    change(bound, Site, clinic.miami, quiet_from=time(7), quiet_until=time(9, 30))
    consult(clinic, patient_id)
    tomorrow = place(clinic, 10, starts_at=at(date(2027, 3, 1), 11))
    booking.book(patient_id, tomorrow, Terms(), by=DESK, now=NOW)
    waits, leaves = messages(bound)
    assert waits.not_before == at(date(2027, 3, 1), 9, 30)
    assert leaves.not_before == NOW + timedelta(minutes=2) + outbox.SKEW


def test_a_refused_booking_leaves_no_message(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    consult(clinic, patient_id)
    with pytest.raises(Exception, match="busy"):
        consult(clinic, patient_id)
    assert kinds(bound) == ["confirmation"]
