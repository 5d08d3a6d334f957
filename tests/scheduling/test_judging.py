"""Sessions judged with each other in place, and what a change does to the others."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from planner.scheduling import course
from planner.scheduling.gaps import State
from planner.scheduling.timetable import (
    Slot,
)
from tests.scheduling import clinic
from tests.scheduling.clinic import (
    busy,
    order,
    session,
    slot,
)

MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)
DAY = timedelta(days=1)
LEFT, RIGHT = "left_calf", "right_calf"


def _placed() -> dict[int, Slot]:
    return {number: slot(TUESDAY + 14 * (number - 1) * DAY, number=number) for number in (1, 2, 3)}


def test_sessions_of_a_proposal_are_judged_with_each_other_in_place() -> None:
    placed = {1: slot(TUESDAY), 2: slot(TUESDAY + 6 * DAY), 3: slot(TUESDAY + 27 * DAY)}
    judged = course.judge(order(), placed, clinic.clinic())
    assert {number: [one.code for one in found] for number, found in judged.items()} == {
        1: [],
        2: ["gap.below_floor"],
        3: [],
    }


def test_a_session_that_comes_too_near_to_one_that_stays_is_told_so() -> None:
    booked = slot(TUESDAY + 6 * DAY, number=2)
    asked = order(session(1), session(2, fixed=booked, appointment_id=5))
    timetable = clinic.clinic(busy=(busy(booked, 5, course_id=clinic.COURSE),))
    judged = course.judge(asked, {1: slot(TUESDAY), 2: booked}, timetable)
    assert [one.params["is_next"] for one in judged[1]] == [True]


def test_two_sessions_at_one_time_are_seen() -> None:
    placed = {1: slot(TUESDAY), 2: slot(TUESDAY)}
    codes = {one.code for one in course.judge(order(), placed, clinic.clinic())[2]}
    assert {"provider.busy", "room.busy", "patient.busy", "order.sequence"} <= codes


def test_what_stays_where_it_is_does_not_stand_in_its_own_way() -> None:
    booked = slot(TUESDAY, number=1)
    asked = order(session(1, fixed=booked, appointment_id=5), session(2))
    timetable = clinic.clinic(busy=(busy(booked, 5, course_id=clinic.COURSE),))
    placed = {1: booked, 2: slot(TUESDAY + 14 * DAY)}
    assert course.judge(asked, placed, timetable) == {1: (), 2: ()}


def test_a_move_ignores_the_appointment_it_moves() -> None:
    booked = slot(TUESDAY, number=1)
    asked = order(session(1, fixed=booked, appointment_id=5))
    timetable = clinic.clinic(busy=(busy(booked, 5, course_id=clinic.COURSE),))
    placed = {1: slot(TUESDAY, 10, 30)}
    assert course.judge(asked, placed, timetable, ignoring=frozenset({5})) == {1: ()}


def test_a_course_without_an_id_yet_does_not_measure_itself_twice() -> None:
    placed = {1: slot(TUESDAY), 2: slot(TUESDAY + 14 * DAY), 3: slot(TUESDAY + 28 * DAY)}
    assert course.judge(order(course_id=None), placed, clinic.clinic()) == {1: (), 2: (), 3: ()}


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, {1: "stays", 3: "stays"}),
        (-3, {1: "stays", 3: "stays"}),
        (-8, {1: "stays", 3: "now_late"}),
        (3, {1: "stays", 3: "now_early"}),
        (8, {1: "stays", 3: "now_early"}),
    ],
)
def test_moving_a_session_says_what_it_does_to_the_others(
    days: int, expected: dict[int, str]
) -> None:
    after = {**_placed(), 2: slot(TUESDAY + (14 + days) * DAY, 12, number=2)}
    found = course.effects(order(), _placed(), after, clinic.clinic())
    assert {effect.number: effect.code for effect in found} == expected


def test_an_effect_tells_whether_a_decision_is_needed() -> None:
    after = {**_placed(), 2: slot(TUESDAY + 22 * DAY, number=2)}
    effect = course.effects(order(), _placed(), after, clinic.clinic())[1]
    assert effect.after is not None
    assert (effect.is_below_floor, effect.after.days, effect.after.state) == (
        True,
        6,
        State.BELOW_FLOOR,
    )


def test_cancelling_a_session_leaves_the_others_as_they_are() -> None:
    after = {number: one for number, one in _placed().items() if number != 2}
    found = course.effects(order(), _placed(), after, clinic.clinic())
    assert [(effect.number, effect.code) for effect in found] == [(1, "stays"), (3, "stays")]
