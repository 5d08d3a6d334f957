"""The algebra of spans, against sets of minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.scheduling import interval
from planner.scheduling.interval import Interval

START = datetime(2026, 3, 1, tzinfo=UTC)


def _at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def _span(first: int, length: int) -> Interval:
    return Interval(_at(first), _at(first + length))


spans = st.lists(st.builds(_span, st.integers(0, 60), st.integers(1, 20)), max_size=8)


def _minutes(found: tuple[Interval, ...] | list[Interval]) -> set[datetime]:
    return {
        at for at in map(_at, range(100)) for span in found if span.starts_at <= at < span.ends_at
    }


def test_a_span_ends_after_it_starts() -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        Interval(START, START)


def test_touching_spans_do_not_overlap() -> None:
    assert not _span(0, 5).overlaps(_span(5, 5))


@given(spans)
def test_merged_spans_hold_the_same_minutes(one: list[Interval]) -> None:
    assert _minutes(interval.merged(one)) == _minutes(one)


@given(spans)
def test_merged_spans_are_ordered_and_do_not_touch(one: list[Interval]) -> None:
    merged = interval.merged(one)
    assert all(before.ends_at < after.starts_at for before, after in pairwise(merged))


@given(spans, spans)
def test_subtracting_leaves_what_is_only_in_the_first(
    one: list[Interval], other: list[Interval]
) -> None:
    assert _minutes(interval.subtracted(one, other)) == _minutes(one) - _minutes(other)


@given(spans, spans)
def test_intersecting_leaves_what_is_in_both(one: list[Interval], other: list[Interval]) -> None:
    assert _minutes(interval.intersected(one, other)) == _minutes(one) & _minutes(other)


@given(spans, spans)
def test_spans_overlap_when_they_share_a_minute(one: list[Interval], other: list[Interval]) -> None:
    assert all(
        left.overlaps(right) == bool(_minutes([left]) & _minutes([right]))
        for left in one
        for right in other
    )
