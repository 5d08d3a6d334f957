"""The core against its independent judges: availability minute by minute, courses against every other way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from planner.scheduling import availability, course, rules
from planner.scheduling.course import Proposal
from planner.scheduling.interval import Interval
from planner.scheduling.preferences import OBJECTIVES, Weights
from planner.scheduling.timetable import Busy, Severity, Slot, Status
from tests.scheduling import oracle, worlds
from tests.scheduling.oracle import Placed, Placements, Question, Start, TooMany
from tests.support.effort import IS_LONG, examples

MOST = 20_000 if IS_LONG else 4_000  # placements of one world
FEW = 300  # of a world of which each single one is judged
DAY = timedelta(days=1)

# Rules that the oracle can judge by looking at minutes.
OF_MINUTES = (
    "site.outside_hours", "site.closed", "site.retired", "provider.not_capable", "provider.outside_hours",
    "provider.absent", "provider.retired", "provider.busy", "room.other_site", "room.not_capable",
    "room.out_of_service", "room.retired", "room.busy", "patient.busy",
)  # fmt: skip


@st.composite
def looks(draw: st.DrawFn) -> tuple[Question, Interval, int]:
    """A clinic, which part of its horizon to look through, and for how long a service."""
    question = draw(worlds.questions())
    horizon = question.timetable.horizon
    starts_at = horizon.starts_at + draw(st.integers(-1, 20)) * DAY
    minutes = draw(st.sampled_from([0, 0, 600, 607]))
    within = Interval(
        starts_at, starts_at + timedelta(days=draw(st.integers(4, 9)), minutes=minutes)
    )
    return question, within, draw(st.sampled_from([25, 30, 45, 60]))


@examples(40, 2_000)
@given(looks(), st.booleans())
def test_free_slots_are_those_that_every_minute_allows(
    look: tuple[Question, Interval, int], has_patient: bool
) -> None:
    question, within, minutes = look
    patient_id = worlds.PATIENT if has_patient else None
    _assert_free(question, interval=within, minutes=minutes, patient_id=patient_id)


@examples(25, 1_500)
@given(worlds.questions(), st.integers(0, 3))
def test_free_slots_for_a_session_are_those_of_its_window(question: Question, at: int) -> None:
    session = question.order.sessions[at % len(question.order.sessions)]
    _assert_free(
        question,
        interval=question.timetable.horizon,
        minutes=session.minutes,
        patient_id=worlds.PATIENT,
        number=session.number,
        order=question.order,
    )


@examples(40, 1_500)
@given(worlds.questions(), st.data())
def test_the_rules_say_of_every_slot_what_its_minutes_say(
    question: Question, data: st.DataObject
) -> None:
    """Free or not, on or off the grid, in whatever room: hours, absences, outages and bookings."""
    timetable, judge = question.timetable, oracle.Minutes(question.timetable)
    for _ in range(12):
        start = (
            timetable.horizon.starts_at
            + data.draw(st.integers(0, 20)) * DAY
            + data.draw(st.integers(12 * 60, 18 * 60)) * oracle.MINUTE,
            data.draw(st.sampled_from(sorted(timetable.sites))),
            data.draw(st.sampled_from(sorted(timetable.providers))),
        )
        room_id = data.draw(st.sampled_from(sorted(timetable.rooms)))
        minutes = data.draw(st.sampled_from([25, 45, 60]))
        slot = judge.slot(worlds.SESSION, start, room_id, minutes, worlds.PATIENT)
        if slot.room_until > timetable.horizon.ends_at:
            continue
        codes = {conflict.code for conflict in rules.conflicts(slot, timetable)}
        assert (not codes & set(OF_MINUTES)) == judge.fits(slot), codes


@examples(12, 800)
@given(worlds.questions(), st.data())
def test_nearest_are_the_nearest_of_all_that_is_free(
    question: Question, data: st.DataObject
) -> None:
    timetable = question.timetable
    expected = oracle.free_starts(
        timetable,
        service_id=worlds.SESSION,
        interval=timetable.horizon,
        minutes=45,
        patient_id=worlds.PATIENT,
    )
    assume(expected)
    start = data.draw(st.sampled_from(sorted(expected)))
    room_id = min(expected[start])
    gone = oracle.Minutes(timetable).slot(worlds.SESSION, start, room_id, 45, worlds.PATIENT)
    others = sorted(_distance(other, start) for other in expected if other != start)
    found = availability.nearest(timetable, gone, limit=3)
    distances = [_distance(_key(slot), start) for slot in found]
    assert distances == [one for one in others if one < 45 * 24 * 60][:3]
    assert all(slot.room_id in expected[_key(slot)] for slot in found)


@examples(70, 4_000)
@given(worlds.questions(), worlds.weights(), st.integers(1, 6))
def test_the_proposals_are_the_cheapest_of_all_ways(
    question: Question, weights: Weights, k: int
) -> None:
    placements = Placements(question, most=MOST)
    try:
        expected = placements.best(weights, k)
    except TooMany:
        assume(False)
    found = _propose(question, weights, k)
    event(f"{len(placements.open)} open, {'some' if expected else 'none'}")
    assert [proposal.cost for proposal in found] == [placement.cost for placement in expected]
    for proposal in found:
        _assert_as_good_as_it_says(placements, weights, proposal)
    days = [placements.days(proposal.slots) for proposal in found]
    assert len(set(days)) == len(days)
    assert found == _propose(question, weights, k)


@examples(40, 2_000)
@given(worlds.questions(), worlds.weights())
def test_a_proposal_says_of_its_sessions_all_that_the_judge_says(
    question: Question, weights: Weights
) -> None:
    """Every rule is asked here; the engine asks only those its masks are not silent about."""
    order = Placements(question).order
    for proposal in _propose(question, weights, 4):
        judged = course.judge(
            order,
            proposal.slots,
            question.timetable,
            purpose=question.purpose,
            ignoring=question.ignoring,
        )
        assert {one.number: one.conflicts for one in proposal.sessions} == judged
        said = [conflict.code for conflicts in judged.values() for conflict in conflicts]
        event(said[0] if said else "nothing to say")


@examples(30, 2_000)
@given(worlds.questions(), worlds.weights())
def test_what_is_proposed_can_be_booked_one_after_the_other(
    question: Question, weights: Weights
) -> None:
    for proposal in _propose(question, weights, 3):
        booked = replace(question)
        for number in Placements(question).open:
            slot = proposal.slots[number]
            against = rules.conflicts(
                slot,
                booked.timetable,
                order=booked.order,
                purpose=question.purpose,
                ignoring=question.ignoring,
            )
            assert not oracle.hard(against)
            booked = _booked(booked, number, slot)


@examples(30, 2_000)
@given(worlds.questions())
def test_what_is_free_is_never_refused_a_moment_later(question: Question) -> None:
    found = availability.free_slots(
        question.timetable,
        service_id=worlds.SESSION,
        interval=question.timetable.horizon,
        patient_id=worlds.PATIENT,
    )
    again = replace(question.timetable)
    for slot in found:
        against = rules.conflicts(slot, again)
        assert all(conflict.severity is Severity.INFO for conflict in against)


@examples(30, 1_500)
@given(worlds.questions(), st.data())
def test_alternatives_are_the_cheapest_of_all_other_places(
    question: Question, data: st.DataObject
) -> None:
    """On the session's own day the best may be where it is now: other days are compared."""
    proposals = _propose(question, OBJECTIVES["order"], 3)
    assume(proposals)
    placed = dict(data.draw(st.sampled_from(proposals)).slots)
    number = data.draw(st.sampled_from(Placements(question).open))
    found = course.alternatives(
        question.order,
        number,
        placed,
        question.timetable,
        question.wishes,
        k=8,
        purpose=question.purpose,
        ignoring=question.ignoring,
    )
    placements = Placements(_around(question, number, placed), most=MOST)
    expected = placements.best(OBJECTIVES["order"], 10)
    now = placements.formula.day(placed[number])
    elsewhere = [one for one in expected if one.days != (now,)]
    ways: list[Placed] = [{**placed, number: session.slot} for session in found]
    costs = {
        way[number]: placements.cost(OBJECTIVES["order"], _fixed_as(placements, way, number))
        for way in ways
    }
    days = [placements.formula.day(way[number]) for way in ways]
    assert len(set(days)) == len(days)
    assert placed[number] not in [way[number]._replace(number=number) for way in ways]
    assert list(costs.values()) == sorted(costs.values())
    others = [costs[way[number]] for way, day in zip(ways, days, strict=True) if day != now]
    assert others == [one.cost for one in elsewhere[: len(others)]]
    assert len(ways) == 8 or len(others) == len(elsewhere)
    for way in ways:
        assert placements.is_allowed(_fixed_as(placements, way, number))


@examples(12, 250)
@given(worlds.questions(), worlds.weights(), st.integers(1, 4))
def test_the_oracle_itself_agrees_with_judging_every_single_way(
    question: Question, weights: Weights, k: int
) -> None:
    placements = Placements(question, most=FEW)
    try:
        everything = placements.every(weights)
    except TooMany:
        assume(False)
    cheapest = {one.days: one.cost for one in reversed(everything)}
    assert [one.cost for one in placements.best(weights, k)] == sorted(cheapest.values())[:k]


def _propose(question: Question, weights: Weights, k: int) -> tuple[Proposal, ...]:
    named = {id(points): name for name, points in OBJECTIVES.items()}
    return course.propose(
        question.order,
        question.timetable,
        question.wishes,
        objective=named.get(id(weights), "order"),
        weights=None if id(weights) in named else weights,
        k=k,
        purpose=question.purpose,
        ignoring=question.ignoring,
    )


def _assert_free(question: Question, **asked: Any) -> None:
    """Assert that the free slots are the oracle's, each in a room that can host as little else as possible."""
    asked |= {
        "service_id": worlds.SESSION,
        "purpose": question.purpose,
        "ignoring": question.ignoring,
    }
    expected = oracle.free_starts(question.timetable, **asked)
    found = availability.free_slots(question.timetable, **asked)
    keys = [_key(slot) for slot in found]
    assert keys == sorted(expected)
    for slot in found:
        rooms = expected[_key(slot)]
        hosts = {room: len(question.timetable.rooms[room].service_ids) for room in rooms}
        assert slot.room_id in rooms
        assert hosts[slot.room_id] == min(hosts.values())


def _assert_as_good_as_it_says(
    placements: Placements, weights: Weights, proposal: Proposal
) -> None:
    placed = dict(proposal.slots)
    assert set(placed) == {*placements.open, *placements.fixed}
    assert {n: placed[n] for n in placements.fixed} == placements.fixed
    assert placements.is_allowed(placed)
    assert placements.cost(weights, placed) == proposal.cost
    assert sum(session.cost for session in proposal.sessions) <= proposal.cost
    best = placements.cheapest_on(weights, placements.days(placed))
    assert best is not None
    assert best.cost == proposal.cost
    judged = placements.judged(placed)
    for session in proposal.sessions:
        listed = [conflict.code for conflict in session.conflicts]
        said = [conflict.code for conflict in judged[session.number]]
        assert [code for code in listed if not code.startswith("gap.")] == [
            code for code in said if not code.startswith("gap.")
        ]


def _key(slot: Slot) -> Start:
    return slot.starts_at, slot.site_id, slot.provider_id


def _distance(start: Start, wanted: Start) -> float:
    """Minutes apart; another provider counts as half an hour, another site as four."""
    minutes = abs((start[0] - wanted[0]).total_seconds()) / 60
    return minutes + 240 * (start[1] != wanted[1]) + 30 * (start[2] != wanted[2])


def _booked(question: Question, number: int, slot: Slot) -> Question:
    """The clinic a moment later, the session being booked."""
    row = next(row for row in question.order.sessions if row.number == number)
    booked = Busy(
        appointment_id=900 + number,
        status=Status.BOOKED,
        slot=slot,
        course_id=question.order.course_id or worlds.COURSE,
        zones=row.zones,
    )
    rows = tuple(
        replace(row, fixed=slot, appointment_id=900 + number) if row.number == number else row
        for row in question.order.sessions
    )
    return replace(
        question,
        order=replace(question.order, sessions=rows, course_id=booked.course_id),
        timetable=replace(question.timetable, busy=(*question.timetable.busy, booked)),
    )


def _around(question: Question, number: int, placed: Mapping[int, Slot]) -> Question:
    """The same question about one session, the others being pinned where they are placed."""
    placements = Placements(question)
    rows = tuple(
        replace(row, fixed=placed[row.number])
        if row.number in placed and row.number != number
        else row
        for row in placements.order.sessions
    )
    return replace(question, order=replace(question.order, sessions=rows))


def _fixed_as(placements: Placements, way: Placed, number: int) -> Placed:
    return {**placements.fixed, number: way[number]._replace(number=number)}
