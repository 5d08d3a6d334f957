"""Days asked about together answer as each would alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from planner.scheduling import cells, stretch, supply
from planner.scheduling.cells import Frame
from planner.scheduling.free import Free
from planner.scheduling.timetable import Timetable
from tests.scheduling import worlds, written
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
