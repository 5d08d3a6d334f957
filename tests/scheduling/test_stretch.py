"""Days asked about together answer as each would alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.scheduling import availability, cells, hours, rules, stretch, supply
from planner.scheduling.cells import Frame
from planner.scheduling.free import Free
from planner.scheduling.interval import Interval
from planner.scheduling.occupancy import Occupancy
from planner.scheduling.timetable import (
    Busy,
    ProviderFacts,
    RoomFacts,
    SiteFacts,
    Status,
    Timetable,
    WeeklyHours,
)
from tests.scheduling import clinic, worlds, written
from tests.scheduling.oracle import Question
from tests.support.effort import examples

ZONE = "America/New_York"
FIRST_DAYS = (date(2027, 3, 1), date(2027, 3, 14), date(2027, 10, 28), date(2027, 11, 7))
ONE_DAY = timedelta(days=1)


def frames_from(first: date, count: int) -> list[Frame]:
    found = (cells.frame(first + ONE_DAY * number, ZONE) for number in range(count))
    return [frame for frame in found if frame is not None]


runs = st.builds(frames_from, st.sampled_from(FIRST_DAYS), st.integers(1, 20))


@examples(100, 2_000)
@given(runs, st.integers(0, (1 << cells.USUAL) - 1))
def test_what_every_day_has_is_that_of_each(frames: list[Frame], its: int) -> None:
    def of_day(frame: Frame) -> int:
        return its & frame.full

    days = stretch.apart(frames)
    assert days.repeated(of_day) == days.joined(of_day)


@examples(100, 2_000)
@given(runs, st.lists(st.integers(0, (1 << cells.USUAL) - 1), min_size=7, max_size=7))
def test_what_a_weekday_has_is_that_of_each(frames: list[Frame], week: list[int]) -> None:
    def of_day(frame: Frame) -> int:
        return week[frame.day.weekday()] & frame.full

    days = stretch.apart(frames)
    assert days.weekly(week, of_day) == days.joined(of_day)


@examples(20, 500)
@given(runs)
def test_its_cells_are_those_of_the_time_it_spans(frames: list[Frame]) -> None:
    days = stretch.apart(frames)
    assert days.span.ends_at - days.span.starts_at == cells.CELL * days.span.size
    for day in days.days:
        assert days.span.instant(day.begins) == day.frame.starts_at
        assert day.size == day.frame.size


ALL_DAYS = clinic.week(days=range(7))
NIGHTS = tuple(WeeklyHours(weekday=day, starts=time(), ends=time(23, 59)) for day in range(7))


@pytest.mark.parametrize("opening", [ALL_DAYS, NIGHTS])
@pytest.mark.parametrize(
    ("zone", "first"),
    [("Africa/Monrovia", date(1972, 1, 6)), ("Europe/Amsterdam", date(1937, 6, 29))],
)
def test_a_day_that_is_no_whole_number_of_cells_long_shifts_none_after_it(
    zone: str, first: date, opening: tuple[WeeklyHours, ...]
) -> None:
    noon = hours.instant(first, time(12), zone)
    timetable = clinic.clinic(
        horizon=Interval(noon, noon + 9 * ONE_DAY),
        now=noon,
        sites={clinic.MIAMI: SiteFacts(zone=zone, grid_minutes=15, hours=opening)},
        providers={
            clinic.MD: ProviderFacts(
                hours={clinic.MIAMI: opening},
                breaks={},
                treats=frozenset({(clinic.SESSION, clinic.MIAMI)}),
                examines=frozenset(),
            )
        },
    )
    days = [first + ONE_DAY * number for number in range(1, 6)]
    busy = tuple(
        Busy(
            appointment_id=number,
            status=Status.BOOKED,
            slot=availability.slot_at(
                timetable,
                service_id=clinic.SESSION,
                site_id=clinic.MIAMI,
                provider_id=clinic.MD,
                room_id=min(timetable.rooms),
                starts_at=hours.instant(day, time(11, 3), zone),
            ),
        )
        for number, day in enumerate(days, start=1)
    )
    for day in days:
        together, alone = (
            supply.of(replace(timetable, busy=busy), service_id=clinic.SESSION, minutes=45)
            for _ in range(2)
        )
        together.on(clinic.MIAMI, first, ahead=9)
        assert _said(together.on(clinic.MIAMI, day)) == _said(alone.on(clinic.MIAMI, day))
        free = alone.on(clinic.MIAMI, day)
        if free is None:  # the clock never shows a quarter of an hour that day
            continue
        for at in free.instants(free.clear):
            start = availability.slot_at(
                timetable,
                service_id=clinic.SESSION,
                site_id=clinic.MIAMI,
                provider_id=clinic.MD,
                room_id=min(timetable.rooms),
                starts_at=at,
                minutes=45,
            )
            found = rules.conflicts(start, replace(timetable, busy=busy))
            assert not {one.code for one in found} & {"provider.busy"}


def test_the_room_of_a_start_does_not_depend_on_what_was_asked_before() -> None:
    """Where a site is open over midnight, rooms are looked at on the days around, too."""
    zone, day = "Pacific/Pago_Pago", date(2026, 5, 5)
    now = hours.instant(day - 2 * ONE_DAY, time(), zone)
    able = frozenset({clinic.SESSION})
    timetable = clinic.clinic(
        horizon=Interval(now, now + 10 * ONE_DAY),
        now=now,
        sites={1: SiteFacts(zone=zone, grid_minutes=15, hours=NIGHTS)},
        rooms={one: RoomFacts(site_id=1, service_ids=able) for one in (1, 2)},
        providers={
            1: ProviderFacts(
                hours={1: NIGHTS},
                breaks={},
                treats=frozenset({(clinic.SESSION, 1)}),
                examines=frozenset(),
            )
        },
    )
    visit = Busy(
        appointment_id=1,
        status=Status.BOOKED,
        slot=availability.slot_at(
            timetable,
            service_id=clinic.SESSION,
            site_id=1,
            provider_id=1,
            room_id=2,
            starts_at=hours.instant(day + ONE_DAY, time(14), zone),
        ),
    )
    found = []
    for is_asked_before in (False, True):
        none = Occupancy()
        if is_asked_before:
            _at_eight(replace(timetable, busy=none), day)
        found.append(_at_eight(replace(timetable, busy=none.changed((), (visit,))), day))
    assert found[0] == found[1]


def _at_eight(timetable: Timetable, day: date) -> int:
    """Return the room of a start at eight in the evening."""
    its = supply.of(timetable, service_id=clinic.SESSION, minutes=45)
    free = its.on(1, day)
    assert free is not None
    return its.slot(free, 1, 1, 20 * 12, patient_id=None, number=None).room_id


@examples(60, 3_000)
@given(worlds.questions(), st.data())
def test_free_starts_of_days_found_together_are_those_of_each(
    question: Question, data: st.DataObject
) -> None:
    timetable = question.timetable
    busy = written.occupancy(timetable.busy) if data.draw(st.booleans()) else timetable.busy
    first = timetable.horizon.starts_at.date()
    count = (timetable.horizon.ends_at - timetable.horizon.starts_at).days + 2
    days = [first + ONE_DAY * number for number in range(count)]
    asked = data.draw(st.lists(st.integers(1, count), min_size=1, max_size=3))
    minutes = question.order.sessions[0].minutes
    for site_id in timetable.sites:
        together = _supply(replace(timetable, busy=busy), question, minutes)
        for number in asked:
            together.on(site_id, days[number - 1], ahead=data.draw(st.integers(1, count)))
        for day in days:
            alone = _supply(replace(timetable, busy=timetable.busy), question, minutes)
            assert _said(together.on(site_id, day)) == _said(alone.on(site_id, day))


def _supply(timetable: Timetable, question: Question, minutes: int) -> supply.Supply:
    return supply.of(
        timetable, service_id=worlds.SESSION, minutes=minutes, ignoring=question.ignoring
    )


def _said(free: Free | None) -> object:
    """All that is said of a day."""
    if free is None:
        return None
    noted = [free.is_noted(one, cell) for one, its, _ in free.starts for cell in _each(its)]
    return free.frame, free.any, free.first, free.starts, free.rooms, free.clear, noted


def _each(its: int) -> Iterable[int]:
    return cells.numbers(its)
