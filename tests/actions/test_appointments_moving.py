"""Moving an appointment: what it keeps, what it asks for, and what it may not break."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import changes, placing
from planner.actions.appointments import booking, moving
from planner.actions.placing import Place, Terms
from planner.db.decisions import GivenDecision
from planner.db.engine import Tx, transaction
from planner.db.models import Appointment, Decision
from planner.errors import Refused, Stale
from planner.scheduling.timetable import Status
from planner.who import Who
from tests import factories
from tests.factories import SmallClinic, at

NOW = at(date(2027, 3, 1), 9)
NEARER = Terms(acknowledged=frozenset({"gap.below_target"}))
DESK = Who(user_id=None, role="receptionist", origin="127.0.0.1", request_id="r-1")


@pytest.fixture
def patient_id(given: Callable[..., int], clinic: SmallClinic) -> int:
    its_id = given(factories.patient)
    given(factories.consult_done, clinic, its_id, on=date(2027, 2, 1))
    return its_id


@pytest.fixture
def sessions(given: Callable[..., int], clinic: SmallClinic, patient_id: int) -> dict[int, int]:
    """Sessions 1 to 3, two weeks apart: 3, 17 and 31 March at 10:00; ids by number."""
    course_id = given(factories.course, clinic, patient_id)
    numbers = given(factories.course_sessions, course_id)
    return {
        number: given(
            factories.appointment, clinic, patient_id, day=date(2027, 3, day),
            course_session_id=numbers[number],  # type: ignore[index]  # a mapping by number
        )
        for number, day in ((1, 3), (2, 17), (3, 31))
    }  # fmt: skip


def read(bound: sa.Engine, appointment_id: int) -> Appointment:
    with Session(bound) as session:
        return session.get_one(Appointment, appointment_id)


def to(clinic: SmallClinic, row: Appointment, day: int, hour: int = 10, **changed: int) -> Place:
    return Place(
        **{
            "service_id": row.service_id,
            "site_id": row.site_id,
            "provider_id": row.provider_id,
            "room_id": row.room_id,
            "minutes": 45,
            "version": row.version,
            **changed,
        },
        starts_at=at(date(2027, 3, day), hour),
    )


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [conflict.code for conflict in refusal.value.conflicts]


def test_a_moved_session_keeps_its_uid_and_grows_its_sequence(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int]
) -> None:
    before = read(bound, sessions[2])
    moving.move(before.key, to(clinic, before, 18), NEARER, by=DESK, now=NOW)
    after = read(bound, sessions[2])
    assert (after.starts_at, after.uid, after.sequence, after.ical_modified_at, after.status) == (
        at(date(2027, 3, 18), 10), before.uid, 1, NOW, "booked",
    )  # fmt: skip


def test_another_room_alone_is_no_revision_and_stays_confirmed(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int]
) -> None:
    before = read(bound, sessions[2])
    place = to(clinic, before, 17, room_id=clinic.miami_2)
    moving.move(before.key, place, Terms(purpose="here_now"), by=DESK, now=NOW)
    after = read(bound, sessions[2])
    assert (after.room_id, after.sequence) == (clinic.miami_2, 0)


def test_below_the_floor_a_move_needs_a_decision_which_it_keeps(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int]
) -> None:
    row = read(bound, sessions[2])
    with pytest.raises(Refused) as refusal:
        moving.move(row.key, to(clinic, row, 8), Terms(), by=DESK, now=NOW)
    yes = GivenDecision(
        rule_code="gap.below_floor", provider_id=clinic.pa, reason="goes abroad", by_phone=True
    )
    late = Terms(decisions=(yes,), acknowledged=frozenset({"gap.above_soft_max"}))
    moving.move(row.key, to(clinic, row, 8), late, by=DESK, now=NOW)
    with Session(bound) as session:
        kept = session.scalars(sa.select(Decision)).one()
    assert ("gap.below_floor" in codes(refusal), kept.appointment_id, kept.params["days"]) == (
        True, sessions[2], 5,
    )  # fmt: skip


def test_a_decision_for_one_day_does_not_hold_for_another(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int]
) -> None:
    row = read(bound, sessions[2])
    yes = GivenDecision(
        rule_code="gap.below_floor", provider_id=clinic.pa, reason="goes abroad", by_phone=True
    )
    late = frozenset({"gap.above_soft_max"})
    moving.move(
        row.key, to(clinic, row, 8), Terms(decisions=(yes,), acknowledged=late), by=DESK, now=NOW
    )
    row = read(bound, sessions[2])
    moving.move(row.key, to(clinic, row, 8, 14), Terms(acknowledged=late), by=DESK, now=NOW)
    row = read(bound, sessions[2])
    with pytest.raises(Refused) as refusal:
        moving.move(row.key, to(clinic, row, 5), Terms(acknowledged=late), by=DESK, now=NOW)
    assert "gap.below_floor" in codes(refusal)


def test_a_session_does_not_overtake_the_one_before_it(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int]
) -> None:
    row = read(bound, sessions[2])
    with pytest.raises(Refused) as refusal:
        moving.move(row.key, to(clinic, row, 2), Terms(), by=DESK, now=NOW)
    assert "order.sequence" in codes(refusal)


def test_a_stale_form_moves_nothing_and_says_what_changed(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int]
) -> None:
    row = read(bound, sessions[2])
    moving.move(row.key, to(clinic, row, 18), NEARER, by=DESK, now=NOW)
    with pytest.raises(Stale) as stale:
        moving.move(row.key, to(clinic, row, 19), NEARER, by=DESK, now=NOW)
    changed = stale.value.changed["starts_at"]
    assert (changed[0][:10], changed[1][:10]) == ("2027-03-17", "2027-03-18")


def test_what_has_started_cannot_be_moved_to_another_time_but_swapped(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int], patient_id: int
) -> None:
    started = given(
        factories.appointment, clinic, patient_id, day=date(2027, 3, 1), hour=9, status="started"
    )
    row = read(bound, started)
    with pytest.raises(Stale):
        moving.move(row.key, to(clinic, row, 1, 14, minutes=30), Terms(), by=DESK, now=NOW)
    swap = to(clinic, row, 1, 9, minutes=30, room_id=clinic.miami_flex)
    moving.move(row.key, swap, Terms(purpose="here_now"), by=DESK, now=NOW)
    assert read(bound, started).room_id == clinic.miami_flex


def test_a_move_into_what_is_taken_is_refused(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int], given: Callable[..., int]
) -> None:
    other = given(factories.patient, given_name="Ana")
    given(
        factories.appointment, clinic, other, day=date(2027, 3, 18),
        service_id=clinic.toxin, provider_id=clinic.pa, room_id=clinic.miami_1,
    )  # fmt: skip
    row = read(bound, sessions[2])
    with pytest.raises(Refused) as refusal:
        moving.move(row.key, to(clinic, row, 18), NEARER, by=DESK, now=NOW)
    assert codes(refusal) == ["provider.busy", "room.busy"]


def test_undone_it_is_back_where_it_was_with_one_more_sequence(
    bound: sa.Engine, clinic: SmallClinic, sessions: dict[int, int]
) -> None:
    before = read(bound, sessions[2])
    done = moving.move(before.key, to(clinic, before, 18), NEARER, by=DESK, now=NOW)
    changes.undo(done.change_key, by=DESK, now=NOW)
    after = read(bound, sessions[2])
    assert (after.starts_at, after.uid, after.sequence) == (before.starts_at, before.uid, 2)


def test_two_sessions_change_places_because_all_are_released_before_any_is_placed(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient = given(factories.patient, given_name="Ana")
    first, second = (
        given(factories.appointment, clinic, patient, day=date(2027, 3, 3), hour=hour)
        for hour in (10, 14)
    )
    rows = [read(bound, first), read(bound, second)]
    swapped = tuple(
        Place(
            service_id=row.service_id, site_id=row.site_id, provider_id=row.provider_id,
            room_id=row.room_id, starts_at=other.starts_at, minutes=30, appointment_id=row.id,
        )
        for row, other in zip(rows, reversed(rows), strict=True)
    )  # fmt: skip

    def work(tx: Tx) -> None:
        placing.place(tx, patient, swapped, Terms())

    transaction(work, by=DESK, now=NOW, action="test.swap")
    assert [read(bound, its_id).starts_at for its_id in (first, second)] == [
        rows[1].starts_at,
        rows[0].starts_at,
    ]


def test_a_held_appointment_that_is_moved_stays_held(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    place = Place(
        service_id=clinic.consult, site_id=clinic.miami, provider_id=clinic.md,
        room_id=clinic.miami_consult, starts_at=at(date(2027, 3, 3), 10), minutes=30,
    )  # fmt: skip
    held = booking.book(patient_id, place, Terms(status=Status.HELD), by=DESK, now=NOW)
    with Session(bound) as session:
        row = session.scalars(sa.select(Appointment).where(Appointment.key == held.key)).one()
    later = to(clinic, row, 3, 14, minutes=30)
    moving.move(held.key, later, Terms(), by=DESK, now=NOW)
    assert (read(bound, row.id).status, read(bound, row.id).expires_at) == ("held", row.expires_at)


def test_a_move_asks_only_for_what_it_brings(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    minor = given(factories.patient, birth_date=date(2011, 6, 1))
    booked = given(factories.appointment, clinic, minor, day=date(2027, 3, 3))
    row = read(bound, booked)
    moving.move(row.key, to(clinic, row, 3, 14, minutes=30), Terms(), by=DESK, now=NOW)
    assert read(bound, booked).starts_at == at(date(2027, 3, 3), 14)
