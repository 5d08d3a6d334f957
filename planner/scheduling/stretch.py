"""Days of a site that follow each other, as the cells of one span.

What is asked of many days is then asked once: it takes hardly longer than asking it of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, cycle, groupby, islice
from typing import NamedTuple

from planner.scheduling import cells
from planner.scheduling.cells import CELL, USUAL, Frame

_BYTES = USUAL // 8
"""Of a usual day: they are whole."""


class Day(NamedTuple):
    """A day of a stretch: where among its cells those begin that belong to the day, and how many there are.

    The ``first`` of them belong to the day before: where the site is open over midnight, so do some after it.
    """

    frame: Frame
    begins: int
    size: int
    first: int = 0


class Stretch:
    """Days that follow each other, one or more, of which some are asked about."""

    def __init__(self, frames: Sequence[Frame], days: Iterable[Day]) -> None:
        self.frames, self.days = frames, tuple(days)
        self.span = frames[0] if len(frames) == 1 else _joined(frames)
        # Usual days that follow each other count together, others alone.
        runs = (list(run) for _, run in groupby(frames, lambda one: one.is_usual or one))
        self._runs = [(len(run), run[0]) for run in runs]

    def joined(self, cells_of: Callable[[Frame], int]) -> int:
        """Return the cells of all days, asked for day by day."""
        found = offset = 0
        for one in self.frames:
            found |= cells_of(one) << offset
            offset += one.size
        return found

    def repeated(self, cells_of: Callable[[Frame], int]) -> int:
        """Return the cells of all days, of which usual ones have the same."""
        found = offset = 0
        for count, one in self._runs:
            found |= cells_of(one) * cells.every(one.size, count * one.size) << offset
            offset += count * one.size
        return found

    def weekly(self, of_weekdays: Sequence[int], cells_of: Callable[[Frame], int]) -> int:
        """Return the cells of all days: usual ones have those of their weekday, others are asked for."""
        week = [its.to_bytes(_BYTES, "little") for its in of_weekdays]
        found = offset = 0
        for count, one in self._runs:
            if one.is_usual:
                first = one.day.weekday()
                days = islice(cycle(week), first, first + count)
                found |= int.from_bytes(b"".join(days), "little") << offset
            else:
                found |= cells_of(one) << offset
            offset += count * one.size
        return found


def apart(frames: Sequence[Frame]) -> Stretch:
    """Return a stretch of days of which each is asked about by itself: nothing goes on over midnight."""
    begins = accumulate((one.size for one in frames), initial=0)
    return Stretch(frames, map(Day, frames, begins, (one.size for one in frames)))


def over_midnight(day: Frame, before: Frame | None, after: Frame | None) -> Stretch:
    """Return a day with those around it, of which it alone is asked about."""
    if before is not None and before.instant(before.size) != day.starts_at:
        before = None  # its cells end within one: where clocks were once set by minutes
    frames = [one for one in (before, day, after) if one is not None]
    size = sum(one.size for one in frames)
    return Stretch(frames, (Day(day, 0, size, 0 if before is None else before.size),))


def _joined(frames: Sequence[Frame]) -> Frame:
    first, last = frames[0], frames[-1]
    size = (last.ends_at - first.starts_at) // CELL
    return Frame(first.day, first.zone, first.starts_at, last.ends_at, size, is_usual=False)
