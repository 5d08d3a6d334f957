"""What is done to many side by side is what is done to each."""

from __future__ import annotations

from datetime import date

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
