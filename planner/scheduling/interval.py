"""Half-open spans of instants and their algebra. Holds the only ``overlaps``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The instants from ``starts_at`` up to, not including, ``ends_at``; both aware, in UTC."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if not self.starts_at < self.ends_at:
            raise ValueError(f"an interval ends after it starts: {self.starts_at} … {self.ends_at}")

    def overlaps(self, other: Interval) -> bool:
        """Whether the two share an instant; touching ends do not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: Interval) -> bool:
        """Whether all of ``other`` lies inside."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the union as ordered intervals that neither overlap nor touch."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if result and interval.starts_at <= result[-1].ends_at:
            if interval.ends_at > result[-1].ends_at:
                result[-1] = Interval(result[-1].starts_at, interval.ends_at)
        else:
            result.append(interval)
    return tuple(result)


def subtracted(whole: Iterable[Interval], holes: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the parts of ``whole`` that lie in none of ``holes``, ordered and merged."""
    taken = merged(holes)
    return tuple(part for span in merged(whole) for part in _outside(span, taken))


def intersected(one: Iterable[Interval], other: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the instants that lie in both, ordered and merged."""
    result: list[Interval] = []
    left, right = merged(one), merged(other)
    i = j = 0
    while i < len(left) and j < len(right):
        starts_at = max(left[i].starts_at, right[j].starts_at)
        ends_at = min(left[i].ends_at, right[j].ends_at)
        if starts_at < ends_at:
            result.append(Interval(starts_at, ends_at))
        if left[i].ends_at <= right[j].ends_at:
            i += 1
        else:
            j += 1
    return tuple(result)


def _outside(span: Interval, taken: tuple[Interval, ...]) -> Iterator[Interval]:
    starts_at = span.starts_at
    for hole in taken:
        if hole.ends_at <= starts_at:
            continue
        if hole.starts_at >= span.ends_at:
            break
        if hole.starts_at > starts_at:
            yield Interval(starts_at, hole.starts_at)
        starts_at = hole.ends_at
    if starts_at < span.ends_at:
        yield Interval(starts_at, span.ends_at)
