"""What is done to many side by side is what is done to each."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_

from hypothesis import given
from hypothesis import strategies as st

from planner.scheduling import cells
from planner.scheduling.cells import Frame
from tests.support.effort import examples

ZONE = "America/New_York"
DAYS = (date(2027, 3, 2), date(2027, 3, 14), date(2027, 11, 7))  # 288, 276 and 300 cells


def frame(day: date) -> Frame:
    found = cells.frame(day, ZONE)
    assert found is not None
    return found


spans = st.sampled_from(DAYS).map(frame)


@examples(200, 5_000)
@given(spans, st.integers(1, 300), st.data())
def test_lanes_answer_for_each_actor_as_it_would_alone(
    span: Frame, length: int, data: st.DataObject
) -> None:
    some = st.integers(0, span.full)
    # What is free in long stretches too, up to all day, where a run could go on in the next lane.
    rows = data.draw(st.lists(some | st.just(span.full), max_size=9))
    taken = data.draw(st.lists(some | st.just(0), min_size=len(rows), max_size=len(rows)))
    free = cells.lanes(rows, span).without(taken)
    alone = [cells.runs(row & ~its, length) for row, its in zip(rows, taken, strict=True)]
    runs = free.runs(length)
    begins = data.draw(st.integers(0, span.size))
    size = data.draw(st.integers(0, span.size - begins))
    assert list(runs.each(0, span.size)) == alone
    assert list(runs.each(begins, size)) == [its >> begins & (1 << size) - 1 for its in alone]
    assert [runs.of(place) for place in range(len(rows))] == alone
    assert runs.any() == reduce(or_, alone, 0)


@examples(100, 2_000)
@given(spans, st.integers(1, 200), st.data())
def test_meeting_is_to_begin_at_none_of_the_free(
    span: Frame, length: int, data: st.DataObject
) -> None:
    taken = data.draw(st.integers(0, span.full))
    free = ~taken & (1 << span.size + length) - 1
    assert cells.meeting(taken, length) & span.full == ~cells.runs(free, length) & span.full


@examples(100, 2_000)
@given(spans, st.data())
def test_instants_are_those_of_the_cells(span: Frame, data: st.DataObject) -> None:
    some = data.draw(st.integers(0, span.full))
    assert span.instants(some) == [span.instant(cell) for cell in cells.numbers(some)]
