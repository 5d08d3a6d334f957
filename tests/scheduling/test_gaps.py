"""How sessions are measured, and what the rules say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from planner.scheduling import course, gaps
from planner.scheduling.gaps import Measure, Spacing, State
from planner.scheduling.timetable import ConsultFact, Gap, PastSession, SessionOrder
from tests.scheduling import clinic
from tests.scheduling.clinic import (
    AVENTURA,
    AVENTURA_ROOM,
    COURSE,
    SAME_ZONE,
    busy,
    found,
    only,
    order,
    rule,
    session,
    slot,
    with_patient,
)

FIRST = date(2026, 3, 3)  # a Tuesday
DAY = timedelta(days=1)
LEFT, RIGHT = "left_calf", "right_calf"


def _past(on: date, zones: str = "", **rest: Any) -> PastSession:
    values = {"course_id": 9, "number": 1, "ends_at": clinic.at(on, 11), **rest}
    return PastSession(on=on, zones=frozenset(zones.split()), **values)


def _second(days: int, first: SessionOrder, second: SessionOrder, **rest: Any) -> dict[str, str]:
    """What is found for session 2 so many days after a first that was done."""
    timetable = clinic.clinic(now=clinic.at(FIRST, 18), **rest)
    open_all_week = {
        site: replace(facts, hours=clinic.week(days=range(7)))
        for site, facts in timetable.sites.items()
    }
    staff = {
        number: replace(facts, hours={clinic.MIAMI: clinic.week(days=range(7))})
        for number, facts in timetable.providers.items()
    }
    timetable = replace(timetable, sites=open_all_week, providers=staff)
    asked = order(replace(first, done_on=FIRST), second)
    return found(slot(FIRST + days * DAY, number=2), timetable, order=asked)


FLOOR, TARGET, LATE = (
    {"gap.below_floor": "decide"},
    {"gap.below_target": "warn"},
    {"gap.above_soft_max": "warn"},
)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(6, FLOOR), (7, TARGET), (13, TARGET), (14, {}), (15, {}), (21, {}), (22, LATE)],
)
def test_S36_new_zones_two_weeks_apart(days: int, expected: dict[str, str]) -> None:
    assert _second(days, session(1, LEFT), session(2, RIGHT)) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [(27, FLOOR), (28, TARGET), (41, TARGET), (42, {}), (43, {}), (56, {}), (57, LATE)],
)
def test_S38_the_same_zone_six_weeks_apart(days: int, expected: dict[str, str]) -> None:
    six_weeks = session(2, LEFT, gap=SAME_ZONE)
    assert _second(days, session(1, LEFT), six_weeks) == expected
    # Zones that overlap tighten a gap that was ordered for new ones.
    assert _second(days, session(1, LEFT), session(2, f"{LEFT} {RIGHT}")) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(17, FLOOR), (18, TARGET), (20, TARGET), (21, {}), (24, {}), (25, LATE)]
)
def test_a_gap_ordered_for_itself_alone_is_what_counts(days: int, expected: dict[str, str]) -> None:
    gap = Gap(floor=18, target=21, soft_max=24)
    custom = session(2, LEFT, gap=gap, is_custom_gap=True)
    assert _second(days, session(1, LEFT), custom) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(10, FLOOR), (11, TARGET), (14, {}), (17, {}), (18, LATE)]
)
def test_strict_keeps_the_page_to_the_letter(days: int, expected: dict[str, str]) -> None:
    rules = (rule("course.gap_mode", "strict"),)
    assert _second(days, session(1, LEFT), session(2, RIGHT), rules=rules) == expected


def test_strict_leaves_a_gap_alone_that_was_ordered_for_itself() -> None:
    rules = (rule("course.gap_mode", "strict"),)
    custom = session(2, RIGHT, gap=Gap(floor=7, target=21, soft_max=40), is_custom_gap=True)
    assert _second(39, session(1, LEFT), custom, rules=rules) == {}


@pytest.mark.parametrize("days", [1, 365])
def test_any_whole_number_of_days_from_1_to_365_works(days: int) -> None:
    gap = Gap(floor=days, target=days, soft_max=days)
    custom = session(2, LEFT, gap=gap, is_custom_gap=True)
    consults = (ConsultFact(on=FIRST, outcome="candidate"),)
    patients = {clinic.PATIENT: clinic.patient(consults=consults)}
    assert _second(days, session(1, LEFT), custom, patients=patients) == {}


def test_left_right_left_is_not_before_31_march() -> None:
    asked = order(session(1, LEFT), session(2, RIGHT), session(3, LEFT))
    days = {1: date(2026, 3, 3), 2: date(2026, 3, 10)}
    window = gaps.Ruler(asked).window(3, days)
    assert window is not None
    assert (window.floor, window.target, window.soft_max, window.since_number) == (
        date(2026, 3, 31),
        date(2026, 4, 14),
        date(2026, 4, 28),
        1,
    )


def test_the_measure_says_what_the_ruler_draws() -> None:
    days = {1: FIRST, 2: FIRST + 14 * DAY}
    assert course.measure(order(session(1), session(2)), days) == {
        2: Measure(
            days=14,
            since_number=1,
            gap=Gap(floor=7, target=14, soft_max=21),
            code="gap.ordered",
            since=FIRST,
            state=State.IN_WINDOW,
        )
    }


def test_where_rows_mix_the_measure_keeps_the_latest_of_each() -> None:
    """Right five days after left: the last left asks for a later target, the right for a later floor."""
    asked = order(
        session(1, LEFT),
        session(2, RIGHT),
        session(3, LEFT, gap=Gap(floor=26, target=30, soft_max=70)),
    )
    days = {1: FIRST, 2: FIRST + 7 * DAY, 3: FIRST + 45 * DAY}
    measure = course.measure(asked, days)[3]
    assert (measure.since_number, measure.gap, measure.days) == (
        1,
        Gap(floor=33, target=42, soft_max=77),
        45,
    )


def test_a_session_of_another_course_keeps_its_distance_while_it_matters() -> None:
    other = _past(FIRST, LEFT)
    asked = order(session(1, RIGHT))
    days = [FIRST + number * DAY for number in (6, 13, 14)]
    states = [
        measure.state if measure else None
        for measure in (gaps.Ruler(asked, (other,)).measured(1, {1: day}) for day in days)
    ]
    assert states == [State.BELOW_FLOOR, State.BELOW_TARGET, None]


def test_the_same_zone_in_another_course_asks_for_six_weeks() -> None:
    window = gaps.Ruler(order(session(1, LEFT)), (_past(FIRST, LEFT),)).window(1, {})
    assert window is not None
    assert (window.floor, window.target, window.soft_max) == (
        FIRST + 28 * DAY,
        FIRST + 42 * DAY,
        None,
    )


def test_zones_really_treated_count_more_than_those_ordered() -> None:
    done = _past(FIRST, LEFT, course_id=COURSE)
    asked = order(session(1, RIGHT, done_on=FIRST), session(2, LEFT))
    window = gaps.Ruler(asked, (done,)).window(2, {1: FIRST})
    assert window is not None
    assert window.floor == FIRST + 28 * DAY


def test_with_a_session_missing_in_between_nothing_is_late() -> None:
    days = {1: FIRST, 3: FIRST + 100 * DAY}
    measure = course.measure(order(), days)[3]
    assert (measure.since_number, measure.state) == (1, State.IN_WINDOW)


def test_a_first_session_has_no_measure() -> None:
    assert course.measure(order(), {1: FIRST}) == {}


def test_the_row_between_new_zones_is_a_rule_record() -> None:
    spacing = Spacing(new_zones=Gap(floor=10, target=10, soft_max=10))
    window = gaps.Ruler(order(session(1)), (_past(FIRST),), spacing).window(1, {})
    assert window is not None
    assert window.floor == FIRST + 10 * DAY


def test_days_are_counted_at_the_site_across_the_change_of_clocks() -> None:
    before = session(1, fixed=slot(FIRST, 17, 15, number=1), appointment_id=5)
    asked = order(before, session(2))
    taken = slot(date(2026, 3, 17), 9, number=2)
    assert found(taken, order=asked) == {}
    earlier = slot(date(2026, 3, 16), 17, 15, number=2)
    assert only(earlier, order=asked).params["days"] == 13


def test_a_session_that_comes_too_near_to_the_next_one_is_told_so() -> None:
    third = session(3, fixed=slot(FIRST + 21 * DAY, number=3), appointment_id=7)
    asked = order(session(1, done_on=FIRST - 6 * DAY), session(2), third)
    conflict = only(slot(FIRST + 15 * DAY, number=2), order=asked)
    assert (conflict.code, conflict.params["is_next"], conflict.params["number"]) == (
        "gap.below_floor",
        True,
        3,
    )


def test_a_planned_session_of_another_course_counts_both_ways() -> None:
    taken = busy(slot(FIRST + 7 * DAY), course_id=9, zones=frozenset({LEFT}))
    timetable = clinic.clinic(busy=(taken,))
    asked = order(session(1, RIGHT))
    results = [
        found(slot(FIRST + days * DAY, number=1), timetable, order=asked) for days in (1, 14, 0)
    ]
    assert results == [FLOOR, TARGET, {}]


def test_a_session_outside_any_course_is_measured_by_the_row_of_new_zones() -> None:
    timetable = with_patient(past_sessions=(_past(FIRST),))
    results = [found(slot(FIRST + days * DAY), timetable) for days in (6, 7, 14)]
    assert results == [FLOOR, TARGET, {}]


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        ("book", {"order.undecided": "block"}),
        ("here_now", {"order.undecided": "block"}),
        ("hold", {}),
        ("reserve", {}),
    ],
)
def test_S38_an_undecided_order_is_not_booked(purpose: str, expected: dict[str, str]) -> None:
    asked = order(is_decided=False)
    assert found(slot(FIRST, number=1), order=asked, purpose=purpose) == expected


def test_sessions_take_place_in_the_order_of_their_numbers() -> None:
    asked = order(session(1), session(2, fixed=slot(FIRST, number=2), appointment_id=5))
    later = only(slot(FIRST + 14 * DAY, number=1), order=asked)
    assert (later.code, later.params) == (
        "order.sequence",
        {"number": 1, "other": 2, "on": FIRST},
    )


def test_a_number_the_order_does_not_have_is_refused() -> None:
    assert found(slot(FIRST, number=4), order=order()) == {"order.unknown_session": "block"}


def test_a_session_has_one_appointment_unless_that_one_moves() -> None:
    asked = order(session(1, fixed=slot(FIRST, number=1), appointment_id=5))
    taken = slot(FIRST + DAY, number=1)
    assert found(taken, order=asked) == {"order.already_placed": "block"}
    assert found(taken, order=asked, ignoring=frozenset({5})) == {}


def test_a_pinned_session_has_no_appointment_yet() -> None:
    asked = order(session(1, fixed=slot(FIRST, number=1)))
    assert found(slot(FIRST, number=1), order=asked) == {}


def test_the_gap_is_measured_across_sites() -> None:
    asked = order(session(1, fixed=slot(FIRST, number=1), appointment_id=5), session(2))
    taken = slot(FIRST + 6 * DAY, number=2, site_id=AVENTURA, room_id=AVENTURA_ROOM)
    assert found(taken, order=asked) == FLOOR


def test_a_gap_asked_of_at_the_start_is_the_same() -> None:
    asked = order(session(1, done_on=FIRST), session(2))
    timetable = with_patient(consents=frozenset({"treatment"}))
    taken = slot(FIRST + 6 * DAY, number=2)
    assert found(taken, timetable, order=asked, purpose="start") == FLOOR
