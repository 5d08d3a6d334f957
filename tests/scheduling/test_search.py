"""The search for a course against every possible placement, and against the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.scheduling import availability, course, gaps, hours, rules, search
from planner.scheduling import task as tasks_of
from planner.scheduling.course import OBJECTIVES, Wishes
from planner.scheduling.interval import Interval
from planner.scheduling.occupancy import Occupancy
from planner.scheduling.preferences import Weights
from planner.scheduling.timetable import (
    AbsentDays,
    CourseOrder,
    Gap,
    SessionOrder,
    Slot,
    Timetable,
)
from planner.scheduling.verdicts import is_offered
from tests.scheduling import clinic, formula
from tests.scheduling.clinic import (
    AVENTURA,
    AVENTURA_ROOM,
    MD,
    MIAMI,
    NOW,
    NURSE,
    OTHER_PATIENT,
    PATIENT,
    SAME_ZONE,
    SESSION,
    ZONE,
    busy,
    order,
    rule,
    session,
    slot,
)

MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)
DAY = timedelta(days=1)
LEFT, RIGHT = "left_calf", "right_calf"


def _six_weeks() -> CourseOrder:
    return order(*(session(number, LEFT, gap=SAME_ZONE) for number in (1, 2, 3)))


@st.composite
def tasks(draw: st.DrawFn) -> tuple[CourseOrder, Timetable, Wishes]:
    horizon = Interval(NOW, NOW + 22 * DAY)
    few = clinic.week(time(9), time(10))
    timetable = clinic.clinic(horizon=horizon)
    providers = {
        number: replace(
            facts,
            hours={
                MIAMI: few if number == MD else few[::2],
                AVENTURA: few[1::2] if number == NURSE else (),
            },
            absences=draw(_absences),
        )
        for number, facts in timetable.providers.items()
    }
    taken = draw(st.lists(_taken, max_size=12))
    timetable = replace(
        timetable,
        providers=providers,
        busy=tuple(busy(one, number) for number, one in enumerate(taken, 1)),
        rules=tuple(rule("course.gap_mode", "strict") for _ in range(draw(st.integers(0, 1)))),
    )
    zones = st.sampled_from([LEFT, RIGHT, f"{LEFT} {RIGHT}", ""])
    same = Gap(floor=6, target=10, soft_max=12)
    rows = [
        session(number, draw(zones), gap=draw(_gaps), is_custom_gap=draw(st.booleans()))
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    wishes = Wishes(
        weekdays=draw(st.sampled_from([frozenset(), frozenset({1}), frozenset({2, 4})])),
        earliest=draw(st.sampled_from([None, time(9, 15)])),
        not_before=draw(st.sampled_from([None, MONDAY + 2 * DAY])),
    )
    return order(*rows, same_zone_gap=same), timetable, wishes


_gaps = st.tuples(st.integers(2, 5), st.integers(0, 4), st.integers(0, 3)).map(
    lambda parts: Gap(
        floor=parts[0], target=parts[0] + parts[1], soft_max=parts[0] + parts[1] + parts[2]
    )
)
_absences = st.lists(
    st.integers(0, 21).map(
        lambda number: AbsentDays(
            from_date=MONDAY + number * DAY, until_date=MONDAY + (number + 3) * DAY
        )
    ),
    max_size=2,
).map(tuple)
_taken = st.builds(
    lambda day, hour, provider, room: slot(
        MONDAY + day * DAY, hour, provider_id=provider, room_id=room, patient_id=OTHER_PATIENT,
        minutes=60, site_id=AVENTURA if room == AVENTURA_ROOM else MIAMI,
    ),
    st.integers(0, 21),
    st.integers(9, 9),
    st.sampled_from([MD, NURSE]),
    st.sampled_from([clinic.ROOM, clinic.ROOM_2, AVENTURA_ROOM]),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(tasks(), st.sampled_from(["order", "soonest", "same_time"]))
def test_the_cheapest_of_all_ways_is_proposed(
    task: tuple[CourseOrder, Timetable, Wishes], objective: str
) -> None:
    asked, timetable, wishes = task
    proposals = course.propose(asked, timetable, wishes, objective=objective)
    least = min(_brute_force(asked, timetable, wishes, OBJECTIVES[objective]), default=None)
    assert [proposal.cost for proposal in proposals] == ([] if least is None else [least])


@settings(max_examples=25, deadline=None)
@given(tasks(), st.sampled_from(["order", "soonest", "same_time"]))
def test_nothing_is_proposed_that_needs_a_decision(
    task: tuple[CourseOrder, Timetable, Wishes], objective: str
) -> None:
    asked, timetable, wishes = task
    for proposal in course.propose(asked, timetable, wishes, objective=objective, k=3):
        judged = course.judge(asked, proposal.slots, timetable)
        severities = {one.severity.value for found in judged.values() for one in found}
        assert severities <= {"info", "warn"}


@settings(max_examples=15, deadline=None)
@given(tasks())
def test_the_same_question_has_the_same_answer(
    task: tuple[CourseOrder, Timetable, Wishes],
) -> None:
    asked, timetable, wishes = task
    again = replace(timetable, busy=timetable.busy[::-1])
    assert course.propose(asked, timetable, wishes, k=3) == course.propose(
        asked, again, wishes, k=3
    )


def test_a_shorter_horizon_asked_about_before_hides_no_day_of_a_longer_one() -> None:
    asked = order(session(1, LEFT), session(2, RIGHT))
    horizons = [Interval(NOW, clinic.at(MONDAY + days * DAY, 0)) for days in (14, 20)]
    timetable = clinic.clinic()
    shared, alone = (
        [
            course.propose(asked, replace(timetable, busy=rows, horizon=horizon))
            for horizon in horizons
        ]
        for rows in (Occupancy(), ())
    )
    assert shared == alone


def test_a_session_placed_before_the_horizon_is_said_to_be_so_once() -> None:
    asked = order(session(1, LEFT, fixed=slot(MONDAY)), session(2, RIGHT))
    horizon = Interval(clinic.at(TUESDAY, 0), NOW + 60 * DAY)
    (best,) = course.propose(asked, clinic.clinic(horizon=horizon))
    assert [one.code for one in best.sessions[0].conflicts] == ["slot.outside_horizon"]


def _brute_force(
    asked: CourseOrder, timetable: Timetable, wishes: Wishes, weights: Weights
) -> Iterator[int]:
    """Yield the points of every placement of the cheapest slot per (day, provider, start)."""
    per_session = [_candidates(asked, row, timetable, wishes, weights) for row in asked.sessions]
    yield from _extended(asked, timetable, wishes, weights, per_session, {}, 0)


def _candidates(
    asked: CourseOrder, row: SessionOrder, timetable: Timetable, wishes: Wishes, weights: Weights
) -> list[Slot]:
    found = availability.free_slots(
        timetable, service_id=SESSION, interval=timetable.horizon, patient_id=PATIENT,
        minutes=row.minutes,
    )  # fmt: skip
    found = tuple(
        one
        for one in found
        if wishes.not_before is None or hours.day_of(one.starts_at, ZONE) >= wishes.not_before
    )
    if weights.quarters:
        return [one._replace(number=row.number) for one in found]
    cheapest: dict[tuple[date, int, int], tuple[int, Slot]] = {}
    for one in found:
        local = hours.local(one.starts_at, ZONE)
        points = formula.of_start(weights, wishes, local, row.minutes)
        key = (local.date(), one.provider_id, one.site_id)
        if key not in cheapest or points < cheapest[key][0]:
            cheapest[key] = (points, one)
    return [one._replace(number=row.number) for _, one in cheapest.values()]


def _extended(
    asked: CourseOrder,
    timetable: Timetable,
    wishes: Wishes,
    weights: Weights,
    per_session: list[list[Slot]],
    placed: Mapping[int, Slot],
    points: int,
) -> Iterator[int]:
    if len(placed) == len(per_session):
        yield points
        return
    row = asked.sessions[len(placed)]
    days = {number: hours.day_of(one.starts_at, ZONE) for number, one in placed.items()}
    spacing = tasks_of.spacing_of(timetable, asked)
    window = gaps.Ruler(asked, spacing=spacing).window(row.number, days)
    before = placed.get(row.number - 1)
    since = days.get(row.number - 1, MONDAY)
    for one in per_session[len(placed)]:
        day = hours.day_of(one.starts_at, ZONE)
        if (window is not None and day < window.floor) or (before is not None and day <= since):
            continue
        cost = formula.of_day(weights, window, day, since=since, is_first=before is None)
        cost += formula.of_start(weights, wishes, hours.local(one.starts_at, ZONE), row.minutes)
        if before is not None:
            cost += formula.of_change(weights, before, one, timetable)
        yield from _extended(
            asked,
            timetable,
            wishes,
            weights,
            per_session,
            {**placed, row.number: one},
            points + cost,
        )


def test_a_course_of_three_in_half_a_year_takes_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is bounded, and says when it has come to its bound; here it stays far below it."""
    week = clinic.week(days=range(6))
    providers = {
        number: replace(
            clinic.clinic().providers[NURSE], hours={MIAMI: week[::2], AVENTURA: week[1::2]}
        )
        for number in range(1, 7)
    }
    timetable = clinic.clinic(providers=providers, horizon=Interval(NOW, NOW + 180 * DAY))
    monkeypatch.setattr(search, "MAXIMUM_STEPS", 60)
    for objective in OBJECTIVES:
        (best,) = course.propose(_six_weeks(), timetable, objective=objective)
        assert best.is_proven


def test_a_search_that_is_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAXIMUM_STEPS", 2)
    found = course.propose(_six_weeks(), clinic.clinic(), k=3)
    assert found
    assert not any(proposal.is_proven for proposal in found)


def test_a_course_that_cannot_fit_takes_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [session(number, LEFT, gap=SAME_ZONE) for number in range(1, 13)]
    timetable = clinic.clinic(horizon=Interval(NOW, NOW + 180 * DAY))
    monkeypatch.setattr(search, "MAXIMUM_STEPS", 1)
    assert course.propose(order(*rows), timetable, objective="same_time", k=5) == ()


def test_a_session_that_was_too_near_before_does_not_keep_another_from_its_days() -> None:
    """The second stands on the day of a visit of another course, so it is below its floor of ten already."""
    day = TUESDAY + 9 * DAY
    elsewhere = busy(slot(day, 15), 5, course_id=77)
    timetable = clinic.clinic(busy=(elsewhere,), horizon=Interval(NOW, NOW + 12 * DAY))
    gap = Gap(floor=10, target=14, soft_max=21)
    asked = order(session(1), session(2, gap=gap, fixed=slot(day, number=2)))
    starts = [slot(MONDAY + number * DAY, number=1) for number in range(5)]
    allowed = {
        one.starts_at.date()
        for one in starts
        if all(map(is_offered, rules.conflicts(one, timetable, order=asked)))
    }
    found = course.propose(asked, timetable, k=20)
    assert {one.slots[1].starts_at.date() for one in found} == allowed


# Twelve days before the second session is above the floor of seven, and below the target of fourteen.
DECIDED_BELOW_TARGET = clinic.clinic(
    rules=(rule("gap.below_target", severity="decide"),), horizon=Interval(NOW, NOW + 20 * DAY)
)
SECOND = slot(TUESDAY + 13 * DAY, number=2)


@pytest.mark.parametrize("appointment_id", [9, None], ids=["booked", "pinned"])
def test_nothing_is_placed_so_near_before_a_session_that_stays_that_it_needs_a_decision(
    appointment_id: int | None,
) -> None:
    asked = order(session(1), session(2, fixed=SECOND, appointment_id=appointment_id))
    found = course.propose(asked, DECIDED_BELOW_TARGET, k=20)
    assert found
    assert _in_need_of_a_decision([one.slots[1] for one in found], asked) == []


def test_no_alternative_needs_a_decision_for_the_session_after_it() -> None:
    placed = {1: slot(MONDAY, 9, number=1), 2: SECOND}
    found = course.alternatives(order(session(1), session(2)), 1, placed, DECIDED_BELOW_TARGET)
    asked = order(session(1), session(2, fixed=SECOND))
    assert found
    assert _in_need_of_a_decision([one.slot for one in found], asked) == []


def _in_need_of_a_decision(slots: list[Slot], asked: CourseOrder) -> list[Slot]:
    return [
        one
        for one in slots
        if not all(map(is_offered, rules.conflicts(one, DECIDED_BELOW_TARGET, order=asked)))
    ]
