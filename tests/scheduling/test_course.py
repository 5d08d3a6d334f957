"""Whole courses are proposed, and other places for one session."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from planner.scheduling import course, hours
from planner.scheduling.course import Proposal, Wishes
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    AbsentDays,
    CourseOrder,
    Flight,
    Gap,
    Slot,
    Timetable,
)
from tests.scheduling import clinic
from tests.scheduling.clinic import (
    AVENTURA,
    MIAMI,
    NOW,
    NURSE,
    SAME_ZONE,
    ZONE,
    busy,
    order,
    session,
    slot,
    with_patient,
)

MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)
DAY = timedelta(days=1)
LEFT, RIGHT = "left_calf", "right_calf"


def _days(proposal: Proposal) -> list[date]:
    return [hours.day_of(row.slot.starts_at, ZONE) for row in proposal.sessions]


def _first(asked: CourseOrder, timetable: Timetable | None = None, **rest: Any) -> Proposal:
    wishes = rest.pop("wishes", None)
    return course.propose(asked, timetable or clinic.clinic(), wishes, **rest)[0]


def _six_weeks() -> CourseOrder:
    return order(*(session(number, LEFT, gap=SAME_ZONE) for number in (1, 2, 3)))


def _at(proposal: Proposal) -> list[str]:
    return [f"{hours.local(row.slot.starts_at, ZONE):%a %H:%M}" for row in proposal.sessions]


def test_S36_three_sessions_two_weeks_apart() -> None:
    proposal = _first(order())
    assert _days(proposal) == [MONDAY, MONDAY + 14 * DAY, MONDAY + 28 * DAY]
    assert (proposal.cost, [row.costs for row in proposal.sessions]) == (0, [(), (), ()])


def test_S38_three_sessions_six_weeks_apart() -> None:
    assert _days(_first(_six_weeks())) == [MONDAY, MONDAY + 42 * DAY, MONDAY + 84 * DAY]


def test_left_right_left_waits_for_the_left() -> None:
    asked = order(session(1, LEFT), session(2, RIGHT), session(3, LEFT))
    assert _days(_first(asked)) == [MONDAY, MONDAY + 14 * DAY, MONDAY + 42 * DAY]
    soonest = _first(asked, objective="soonest")
    assert _days(soonest) == [MONDAY, MONDAY + 14 * DAY, MONDAY + 28 * DAY]


def test_soonest_goes_down_to_the_floor_and_says_what_that_costs() -> None:
    proposal = _first(order(), objective="soonest")
    assert _days(proposal) == [MONDAY, MONDAY + 7 * DAY, MONDAY + 14 * DAY]
    second = proposal.sessions[1]
    assert [(cost.code, cost.params) for cost in second.costs] == [("days_early", {"days": 7})]
    assert [conflict.code for conflict in second.conflicts] == ["gap.below_target"]


def test_one_gap_of_21_days_moves_everything_after_it() -> None:
    gap = Gap(floor=18, target=21, soft_max=28)
    asked = order(session(1), session(2, gap=gap, is_custom_gap=True), session(3))
    assert _days(_first(asked)) == [MONDAY, MONDAY + 21 * DAY, MONDAY + 35 * DAY]


def test_same_time_keeps_weekday_hour_provider_and_site() -> None:
    # At ten the MD is taken on the days that would be cheapest.
    taken = tuple(
        busy(slot(MONDAY + days * DAY, 9, minutes=60, patient_id=77), number)
        for number, days in enumerate((14, 28), 1)
    )
    proposal = _first(order(), clinic.clinic(busy=taken), objective="same_time")
    rows = [(row.slot.provider_id, row.slot.site_id) for row in proposal.sessions]
    assert len(set(_at(proposal))) == 1
    assert len(set(rows)) == 1


def test_wished_weekdays_and_hours_are_kept_when_they_can_be() -> None:
    wishes = Wishes(weekdays=frozenset({1, 3}), earliest=time(15), latest=time(17))
    proposal = _first(order(), wishes=wishes)
    assert _at(proposal) == ["Tue 15:00", "Tue 15:00", "Tue 15:00"]
    assert [cost.code for row in proposal.sessions for cost in row.costs] == ["wait"]


def test_a_wish_that_cannot_be_kept_is_a_cost_with_its_reason() -> None:
    wishes = Wishes(weekdays=frozenset({5}), earliest=time(17, 30))
    proposal = _first(order(session(1)), wishes=wishes)
    costs = {cost.code: dict(cost.params) for cost in proposal.sessions[0].costs}
    assert costs == {"other_weekday": {"on": MONDAY}, "outside_hours": {"minutes": 15}}


def test_sites_providers_and_dates_are_kept_to_the_letter() -> None:
    wishes = Wishes(
        site_ids=frozenset({AVENTURA}),
        provider_ids=frozenset({NURSE}),
        not_before=MONDAY + 7 * DAY,
        not_after=MONDAY + 36 * DAY,
    )
    proposal = _first(order(), wishes=wishes)
    assert {(row.slot.site_id, row.slot.provider_id) for row in proposal.sessions} == {
        (AVENTURA, NURSE)
    }
    assert (_days(proposal)[0], _days(proposal)[-1]) == (MONDAY + 7 * DAY, MONDAY + 35 * DAY)


def test_where_there_is_no_way_nothing_is_proposed() -> None:
    wishes = Wishes(not_after=MONDAY + 13 * DAY)
    assert course.propose(order(), clinic.clinic(), wishes) == ()
    assert course.propose(order(), clinic.clinic(), Wishes(provider_ids=frozenset({99}))) == ()


def test_S40_another_site_costs_and_is_never_silent() -> None:
    closed = AbsentDays(from_date=MONDAY + 10 * DAY, until_date=MONDAY + 60 * DAY)
    sites = dict(clinic.clinic().sites)
    sites[AVENTURA] = replace(
        sites[AVENTURA], closures=(AbsentDays(from_date=MONDAY, until_date=MONDAY + 9 * DAY),)
    )
    sites[MIAMI] = replace(sites[MIAMI], closures=(closed,))
    proposal = _first(order(session(1), session(2)), clinic.clinic(sites=sites))
    assert [row.slot.site_id for row in proposal.sessions] == [MIAMI, AVENTURA]
    assert "site_change" in {cost.code for cost in proposal.sessions[1].costs}


def test_S29_no_session_is_proposed_before_a_flight() -> None:
    flights = (Flight(on=MONDAY + 15 * DAY),)
    proposal = _first(order(), with_patient(flights=flights))
    assert _days(proposal)[1] == MONDAY + 16 * DAY


def test_a_trip_is_never_proposed_and_another_warning_costs() -> None:
    away = (AbsentDays(from_date=MONDAY, until_date=MONDAY + 3 * DAY),)
    events = (AbsentDays(from_date=MONDAY + 4 * DAY, until_date=MONDAY + 60 * DAY),)
    proposal = _first(order(session(1)), with_patient(away=away, events=events))
    assert _days(proposal) == [MONDAY + 4 * DAY]
    assert [(cost.code, cost.params) for cost in proposal.sessions[0].costs] == [
        ("wait", {"days": 4}),
        ("warning", {"code": "event.within_72h"}),
    ]


def test_S20_before_the_consult_a_course_is_proposed_to_be_reserved_only() -> None:
    timetable = with_patient(consults=())
    assert course.propose(order(), timetable) == ()
    assert len(course.propose(order(), timetable, purpose="reserve")) == 1


def test_S38_an_undecided_order_is_not_proposed_for_booking() -> None:
    assert course.propose(order(is_decided=False), clinic.clinic()) == ()


def test_proposals_differ_in_their_days_and_come_cheapest_first() -> None:
    proposals = course.propose(order(), clinic.clinic(), k=8)
    days = [tuple(_days(proposal)) for proposal in proposals]
    costs = [proposal.cost for proposal in proposals]
    assert (len(set(days)), costs) == (8, sorted(costs))


def test_a_pinned_session_stays_and_the_others_go_around_it() -> None:
    pinned = slot(MONDAY + 17 * DAY, 11, number=2)
    proposal = _first(order(session(1), session(2, fixed=pinned), session(3)))
    assert _days(proposal) == [MONDAY + 3 * DAY, MONDAY + 17 * DAY, MONDAY + 31 * DAY]
    assert [row.is_fixed for row in proposal.sessions] == [False, True, False]


def test_what_was_done_is_measured_against_and_not_proposed_again() -> None:
    asked = order(session(1, done_on=MONDAY - 7 * DAY), session(2), session(3))
    proposal = _first(asked)
    assert [row.number for row in proposal.sessions] == [2, 3]
    assert _days(proposal) == [MONDAY + 7 * DAY, MONDAY + 21 * DAY]


def test_a_booked_session_that_moves_away_is_open_again() -> None:
    booked = slot(MONDAY + DAY, number=1)
    asked = order(session(1, fixed=booked, appointment_id=5), session(2))
    timetable = clinic.clinic(busy=(busy(booked, 5, course_id=clinic.COURSE),))
    assert _days(_first(asked, timetable))[0] == MONDAY + DAY
    assert _days(_first(asked, timetable, ignoring=frozenset({5})))[0] == MONDAY


def test_sessions_may_have_lengths_of_their_own() -> None:
    proposal = _first(order(session(1, minutes=60), session(2, minutes=30)))
    lengths = [row.slot.ends_at - row.slot.starts_at for row in proposal.sessions]
    assert lengths == [timedelta(minutes=60), timedelta(minutes=30)]


def test_S43_a_course_of_twelve_is_proposed_and_one_of_thirteen_refused() -> None:
    rows = [session(number) for number in range(1, 14)]
    assert len(_first(order(*rows[:12])).sessions) == 12
    with pytest.raises(course.TooManySessions):
        course.propose(order(*rows), clinic.clinic())


def test_questions_without_an_answer_are_refused_clearly() -> None:
    with pytest.raises(course.NothingToPlace):
        course.propose(order(session(1, done_on=MONDAY)), clinic.clinic())
    past = clinic.clinic(horizon=Interval(NOW - 9 * DAY, NOW))
    with pytest.raises(course.HorizonPast):
        course.propose(order(), past)
    with pytest.raises(ValueError, match="no objective"):
        course.propose(order(), clinic.clinic(), objective="cheapest")
    with pytest.raises(ValueError, match="proposals"):
        course.propose(order(), clinic.clinic(), k=0)


def test_the_points_of_a_proposal_are_those_of_its_sessions() -> None:
    wishes = Wishes(weekdays=frozenset({5}), earliest=time(16))
    for objective in ("order", "same_time"):
        for proposal in course.propose(order(), clinic.clinic(), wishes, objective=objective, k=4):
            assert proposal.cost == sum(row.cost for row in proposal.sessions)


def _placed() -> dict[int, Slot]:
    return {number: slot(TUESDAY + 14 * (number - 1) * DAY, number=number) for number in (1, 2, 3)}


def test_alternatives_stay_in_the_window_between_the_others() -> None:
    found = course.alternatives(order(), 2, _placed(), clinic.clinic(), k=20)
    days = sorted(hours.day_of(row.slot.starts_at, ZONE) for row in found)
    assert (days[0], days[-1]) == (TUESDAY + 7 * DAY, TUESDAY + 21 * DAY)
    assert len(set(days)) == len(days) == 11  # the weekdays of the window


def test_alternatives_leave_out_where_the_session_is() -> None:
    found = course.alternatives(order(), 2, _placed(), clinic.clinic(), k=20)
    assert _placed()[2] not in [row.slot for row in found]


def test_alternatives_of_the_next_session_alone_do_not_wait_for_the_rest() -> None:
    asked = order(session(1, done_on=MONDAY - 7 * DAY), session(2), session(3))
    found = course.alternatives(asked, 2, {}, clinic.clinic(), k=6)
    days = [hours.day_of(row.slot.starts_at, ZONE) for row in found]
    assert len(set(days)) == 6
    assert days[0] == MONDAY + 7 * DAY


def test_alternatives_say_what_they_cost() -> None:
    asked = order(session(1, done_on=MONDAY - 7 * DAY), session(2))
    found = course.alternatives(asked, 2, {}, clinic.clinic(), k=3)
    assert [[cost.code for cost in row.costs] for row in found] == [
        ["wait"],
        ["wait", "days_late"],
        ["wait", "days_late"],
    ]


def test_alternatives_of_a_booked_session_are_judged_without_it() -> None:
    placed = _placed()
    asked = order(session(1), session(2, fixed=placed[2], appointment_id=5), session(3))
    timetable = clinic.clinic(busy=(busy(placed[2], 5, course_id=clinic.COURSE),))
    found = course.alternatives(asked, 2, placed, timetable, k=2)
    assert len(found) == 2
