"""What a search keeps for whoever asks next: it has to be what would be found anew."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from planner.scheduling import (
    availability,
    cells,
    course,
    explaining,
    gaps,
    hours,
    index,
    obstacles,
    preferences,
    rules,
    search,
    verdicts,
)
from planner.scheduling import task as tasks
from planner.scheduling.costing import Costing
from planner.scheduling.occupancy import Occupancy
from planner.scheduling.preferences import OBJECTIVES
from planner.scheduling.rules import spells
from planner.scheduling.rules.case import Case, Rule
from planner.scheduling.rules.spells import Scene, Spell
from planner.scheduling.timetable import Busy, CourseOrder, PastSession, Slot, Status, Timetable
from planner.scheduling.verdicts import Verdicts
from tests.scheduling import workload, worlds
from tests.scheduling.oracle import Minutes, Question
from tests.support.effort import examples

DAY = timedelta(days=1)


@examples(40, 3_000)
@given(worlds.questions(), st.sampled_from(sorted(OBJECTIVES)), st.data())
def test_after_a_booking_only_what_it_touches_is_found_anew(
    question: Question, objective: str, data: st.DataObject
) -> None:
    """The timetable after a booking, or after a visit is gone, shares what was worked out before."""
    was = Occupancy(question.timetable.busy)
    for asked in _beside(question, data):
        _answers(replace(asked, timetable=replace(question.timetable, busy=was)), objective)
    taken = [busy.appointment_id for busy in was]
    gone = data.draw(st.sets(st.sampled_from(taken), max_size=2)) if taken else set()
    booked = was.changed(sorted(gone), data.draw(st.lists(_bookings(question), max_size=2)))
    anew = Occupancy(sorted(booked, key=lambda busy: busy.appointment_id))
    found, expected = (
        _answers(replace(question, timetable=replace(question.timetable, busy=busy)), objective)
        for busy in (booked, anew)
    )
    assert found == expected


@examples(40, 2_000)
@given(worlds.questions())
def test_the_warnings_of_a_day_are_those_of_its_cells(question: Question) -> None:
    timetable, order = question.timetable, question.order
    sites = sorted(timetable.sites)
    for session in order.sessions:
        its = Verdicts(
            timetable,
            verdicts.Question(
                service_id=order.service_id,
                minutes=session.minutes,
                patient_id=order.patient_id,
                number=session.number,
                order=order,
                purpose=question.purpose,
                ignoring=question.ignoring,
            ),
        )
        told = its.warnings(sites)
        assert set(told) == its.told(sites)
        # The days at the horizon's ends are told of.
        for day in range(min(told), max(told) + 1):
            warnings = told.get(day, tuple(map(its.usual_warnings, sites)))
            for number, site_id in enumerate(sites):
                frame = cells.frame(date.fromordinal(day), timetable.sites[site_id].zone)
                assert frame is not None
                verdict = its.on(site_id, frame)
                if warnings is not None:
                    assert verdict.warnings(frame.full) == warnings[number]
                for cell in list(cells.numbers(verdict.offered))[::7]:
                    is_silent = bool(verdict.silent >> cell & 1)
                    assert its.is_silent(site_id, frame, cell, day) == is_silent


@examples(40, 2_000)
@given(worlds.questions())
def test_rules_look_at_no_more_of_the_order_than_they_say(question: Question) -> None:
    """What is heard of a patient is kept by that: a rule that looked at more would be told wrongly."""
    timetable, order = question.timetable, question.order
    slot = _anywhere(timetable, order)
    asked = rules.asked_of_patient(Case(slot, timetable, order, question.purpose, frozenset()))
    bare = replace(order, sessions=(), same_zone_gap=order.same_zone_gap, course_id=None)
    for rule in (*asked.of_patients, *asked.of_sites):
        for session in order.sessions:
            assert _spells(rule, question, order, session.number) == _spells(
                rule, question, bare, None
            )
    for one in order.sessions:
        for other in order.sessions:
            looks = [
                spells.of_session(order, row.number, question.ignoring) for row in (one, other)
            ]
            if looks[0] == looks[1]:
                for rule in asked.of_numbers:
                    first, second = (
                        _spells(rule, question, order, row.number) for row in (one, other)
                    )
                    assert first == second


@examples(40, 4_000)
@given(worlds.questions(), st.data())
def test_a_session_is_drawn_as_its_window_says(question: Question, data: st.DataObject) -> None:
    """On days in their order: by one earlier session, by several, and by sessions of other courses."""
    order, past = question.order, _past(question)
    latest = max((row.on for row in past), default=question.timetable.now.date())
    day = latest
    days: dict[int, date] = {}
    for row in order.sessions:
        day += data.draw(st.integers(0 if not days else 1, 9)) * DAY
        days[row.number] = day
    ruler = gaps.Ruler(order, past, tasks.spacing_of(question.timetable, order))
    for number, day in days.items():
        window, drawn = ruler.window(number, days), ruler.drawn(number, days)
        if window is None:
            assert drawn is None
            continue
        assert drawn is not None
        assert drawn.measure == ruler.measured(number, days)
        assert drawn.off == (day - window.target).days
        past_soft_max = None if window.soft_max is None else (day - window.soft_max).days
        assert drawn.past == past_soft_max


@examples(60, 4_000)
@given(worlds.questions(), st.sampled_from(sorted(OBJECTIVES)))
def test_what_a_search_counts_is_what_its_sessions_cost(question: Question, objective: str) -> None:
    """Points are counted twice: by the search, and with their reasons. What stands has reasons alone."""
    order = question.order
    assume(all(row.fixed is None and row.done_on is None for row in order.sessions))
    task = tasks.Task(
        order=order,
        timetable=question.timetable,
        wishes=question.wishes,
        weights=OBJECTIVES[objective],
        purpose=question.purpose,
        ignoring=question.ignoring,
        k=5,
    )
    found = search.Search(task)
    costing = Costing(found)
    for placement in islice(found.placements(), 5):
        assert costing.of(placement).points == placement.points


def test_past_the_soft_max_costs_though_the_target_is_met() -> None:
    """Where rows mix: the target is that of one earlier session, the soft max that of another."""
    at = index.of(workload.clinic(4)).today
    visit = preferences.Visit(
        _anywhere(workload.clinic(4), workload.course(1, workload.SIX_WEEKS)), at, 600
    )
    departures = preferences.Departures(OBJECTIVES["order"], preferences.Wishes())
    costs = departures.costs(visit, None, gaps.Drawn(None, 0, 2), 0)
    assert [(cost.code, cost.amount) for cost in costs] == [("days_late", 24)]


def test_a_search_leaves_nothing_to_collect() -> None:
    """A clinic's timetable is large, and to look through it for what is over takes long."""
    timetable = workload.clinic(4, days=60, patients=1)
    ask = _asks(timetable)
    for work in ask:
        work()
    gc.collect()
    gc.disable()
    try:
        for work in ask:
            work()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_what_is_known_of_a_timetable_goes_with_it() -> None:
    gc.collect()
    gc.disable()
    try:
        assert _asked_about()() is None
    finally:
        gc.enable()


def _asked_about() -> weakref.ref[Any]:
    """The index of a timetable that all was asked about, and that nobody holds any more."""
    timetable = workload.clinic(4, days=60, patients=1)
    order = workload.course(3, workload.TWO_WEEKS)
    for work in _asks(timetable):
        work()
    of_patient: dict[str, Any] = {"service_id": workload.SERVICE, "patient_id": -1}
    availability.free_slots(timetable, interval=timetable.horizon, **of_patient)
    explaining.day(timetable, workload.MONDAY + DAY, site_id=1, order=order, number=1, **of_patient)
    obstacles.of(order, timetable)
    explaining.relaxations(order, timetable, preferences.Wishes(not_after=workload.MONDAY))
    return weakref.ref(index.of(timetable))


def _asks(timetable: Timetable) -> Sequence[Callable[[], Any]]:
    order = workload.course(3, workload.TWO_WEEKS)
    placed = course.propose(order, timetable, workload.WISHES)[0].slots
    return (
        lambda: course.propose(order, timetable, workload.WISHES, k=5),
        lambda: course.propose(order, timetable, objective="same_time", k=5),
        lambda: course.alternatives(order, 2, placed, timetable, workload.WISHES),
    )


def _beside(question: Question, data: st.DataObject) -> list[Question]:
    """The question, and others that share what is kept: of less, and as if something were moved away."""
    taken = [busy.appointment_id for busy in question.timetable.busy]
    moved = frozenset({data.draw(st.sampled_from(taken))} if taken else ())
    others = [
        question,
        replace(question, ignoring=moved),
        replace(question, wishes=replace(question.wishes, earliest=None, weekdays=frozenset({0}))),
    ]
    return data.draw(st.permutations(others))


@st.composite
def _bookings(draw: st.DrawFn, question: Question) -> Busy:
    """A visit of somebody else, where one could be."""
    timetable = question.timetable
    starts = Minutes(timetable).starts(timetable.horizon)
    first = min(timetable.sites)
    anywhere = (timetable.horizon.starts_at + timedelta(hours=9), first, min(timetable.providers))
    start = draw(st.sampled_from(starts or [anywhere]))
    room_id = draw(st.sampled_from(sorted(timetable.rooms)))
    slot = Minutes(timetable).slot(worlds.SESSION, start, room_id, 45, worlds.STRANGER)
    number = draw(st.integers(800, 899))
    return Busy(appointment_id=number, status=Status.BOOKED, slot=slot)


def _answers(question: Question, objective: str) -> Any:
    """The proposals, and the starts that are free for anybody."""
    timetable, service_id = question.timetable, question.order.service_id
    starts = availability.free_starts(
        timetable, service_id=service_id, interval=timetable.horizon, purpose=question.purpose
    )
    return _proposed(question, objective), starts


def _proposed(question: Question, objective: str) -> Any:
    try:
        return course.propose(
            question.order,
            question.timetable,
            question.wishes,
            objective=objective,
            k=5,
            purpose=question.purpose,
            ignoring=question.ignoring,
        )
    except course.NothingToPlace:
        return ()


def _past(question: Question) -> tuple[PastSession, ...]:
    facts = question.timetable.patients.get(question.order.patient_id or 0)
    return facts.past_sessions if facts is not None else ()


def _anywhere(timetable: Timetable, order: CourseOrder) -> Slot:
    at = timetable.horizon.starts_at
    return Slot(
        service_id=order.service_id,
        site_id=min(timetable.sites),
        provider_id=0,
        room_id=0,
        starts_at=at,
        ends_at=at,
        room_from=at,
        room_until=at,
        patient_until=at,
        patient_id=order.patient_id,
    )


def _spells(
    rule: Rule, question: Question, order: CourseOrder, number: int | None
) -> list[list[Spell]]:
    timetable, its = question.timetable, index.of(question.timetable)
    booked = tuple(
        busy
        for busy in its.busy_of_patient(order.patient_id or 0)
        if busy.appointment_id not in question.ignoring
    )
    return [
        list(
            spells.of(
                rule,
                Scene(
                    timetable=timetable,
                    index=its,
                    facts=timetable.patients[order.patient_id or 0],
                    site_id=site_id,
                    zone=site.zone,
                    service_id=order.service_id,
                    length=timedelta(minutes=45),
                    order=order,
                    number=number,
                    purpose=question.purpose,
                    ignoring=question.ignoring,
                    on=hours.day_of(timetable.horizon.starts_at, site.zone),
                    booked=booked,
                ),
            )
        )
        for site_id, site in timetable.sites.items()
    ]
