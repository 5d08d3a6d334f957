"""A day as cells of five minutes, one bit a cell: what makes a search of many starts a few operations.

Bit 0 is the first cell after midnight at the site; a day has 288 cells, 276 or 300 when the clocks change.
What is free is rounded inwards and what is taken outwards, so that a bit never promises too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import compress

from planner.scheduling import hours
from planner.scheduling.interval import Interval

CELL = timedelta(minutes=5)
USUAL = 288


@dataclass(frozen=True, slots=True)
class Frame:
    """A day of a zone: its first instant, its number of cells, and whether the clocks stay as they are."""

    day: date
    zone: str
    starts_at: datetime
    ends_at: datetime
    size: int
    is_usual: bool

    @property
    def full(self) -> int:
        """All cells of the day."""
        return (1 << self.size) - 1

    def instant(self, cell: int) -> datetime:
        """Return when the cell begins."""
        return self.starts_at + CELL * cell

    def instants(self, cells: int) -> list[datetime]:
        """Return when each of the cells begins, the first one first."""
        bits = f"{cells:b}"[::-1].encode().translate(_BITS)
        return list(map(self.starts_at.__add__, compress(_SINCE, bits)))

    def inside(self, spans: Iterable[Interval]) -> int:
        """Return the cells that lie wholly within a span."""
        cells = 0
        for span in spans:
            first = -((self.starts_at - span.starts_at) // CELL)
            cells |= between(max(0, first), min(self.size, (span.ends_at - self.starts_at) // CELL))
        return cells

    def touched(self, starts_at: datetime, ends_at: datetime) -> int:
        """Return the cells that share an instant with the time."""
        last = -((self.starts_at - ends_at) // CELL)
        return between(max(0, (starts_at - self.starts_at) // CELL), min(self.size, last))

    def from_on(self, at: datetime) -> int:
        """Return the cells that begin at the instant or later."""
        first = -((self.starts_at - at) // CELL)
        return between(max(0, first), self.size)


@lru_cache(maxsize=8192)
def frame(day: date, zone: str) -> Frame | None:
    """Return the day's frame, or None for a day that the zone's calendar leaves out."""
    try:
        bounds = hours.day_bounds(day, zone)
    except hours.NoSuchTime:
        return None
    size = (bounds.ends_at - bounds.starts_at) // CELL
    offset = hours.local(bounds.starts_at, zone).utcoffset()
    middle = hours.local(bounds.starts_at + (bounds.ends_at - bounds.starts_at) / 2, zone)
    ends = hours.local(bounds.ends_at, zone)
    is_usual = size == USUAL and offset == middle.utcoffset() == ends.utcoffset()
    return Frame(day, zone, bounds.starts_at, bounds.ends_at, size, is_usual)


@lru_cache(maxsize=8192)
def grid(of: Frame, minutes: int) -> int:
    """Return the cells that begin on the grid, counted from local midnight by the wall clock."""
    if of.is_usual and minutes % 5 == 0:
        return every(minutes // 5, of.size)
    cells = 0
    for cell in range(of.size):
        local = hours.local(of.instant(cell), of.zone)
        if (local.hour * 60 + local.minute) % minutes == 0:
            cells |= 1 << cell
    return cells


@lru_cache(maxsize=256)
def every(step: int, size: int) -> int:
    """Return the first of each so many cells, up to a size."""
    return sum(1 << cell for cell in range(0, size, step))


def between(first: int, end: int) -> int:
    """Return the cells from ``first`` up to, not including, ``end``."""
    return (1 << end) - (1 << first) if first < end else 0


def runs(free: int, length: int) -> int:
    """Return the cells at which ``length`` free ones begin."""
    if length <= 0:
        return free
    done = 1
    while done * 2 <= length:
        free &= free >> done
        done *= 2
    return free & (free >> (length - done)) if done < length else free


def meeting(taken: int, length: int) -> int:
    """Return the cells at which so many begin that one of them is taken."""
    done = 1
    while done * 2 <= length:
        taken |= taken >> done
        done *= 2
    return taken | taken >> (length - done)


def numbers(cells: int) -> Iterator[int]:
    """Yield the numbers of the cells, the first one first."""
    while cells:
        lowest = cells & -cells
        yield lowest.bit_length() - 1
        cells ^= lowest


def first(cells: int) -> int:
    """Return the number of the first cell; there has to be one."""
    return (cells & -cells).bit_length() - 1


def spread(minutes: int) -> int:
    """Return how many cells so many minutes touch."""
    return -(-minutes // 5)


def touched_by(length: timedelta) -> int:
    """Return how many cells so long a time touches."""
    return -(-length // CELL)


_BITS = bytes.maketrans(b"01", b"\0\1")
_SINCE = tuple(CELL * cell for cell in range(4 * USUAL))
"""How long after the first cell each begins: more than any day has, with the two around it."""
