"""The free starts of a day at a site, cut out of those of all days that were asked for with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from planner.scheduling.stretch import Day


class Seat(NamedTuple):
    """The tightest room in which something could start, and the times of its three clocks."""

    room_id: int
    starts_at: datetime
    ends_at: datetime
    room_from: datetime
    room_until: datetime
    patient_until: datetime


class Found(NamedTuple):
    """What was found of a stretch of days, each time as number and cells.

    ``starts`` are those of each provider, were it allowed to anybody; ``warned`` those that somebody is warned of,
    ``noted`` cells too near to another site where that is no more than a note. ``rooms`` are the cells in which
    each capable room may be used, and those that are taken of it.
    """

    starts: Sequence[tuple[int, int]]
    warned: Mapping[int, int]
    noted: Mapping[int, int]
    rooms: Sequence[tuple[int, int, int]]


class Free:
    """The free starts of one day at one site.

    ``any`` are the cells at which somebody could start. Who could, and which rooms are free, is taken apart when it
    is asked for: most who ask for starts want to know no more.
    """

    def __init__(self, day: Day, anybody: int, found: Found) -> None:
        self.frame, self.any = day.frame, anybody
        self.first = day.first  # cells of the day before, where the rooms have some
        self.seats: dict[int, Seat] = {}  # room and times of a start
        self._day, self._found = day, found
        self._asked: tuple[int, list[datetime]] = (0, [])
        # Whether somebody is warned of some start.
        self.is_warned = bool(found.warned) and any(map(self._own, found.warned.values()))

    @cached_property
    def starts(self) -> tuple[tuple[int, int, int], ...]:
        """By provider the cells at which it could start, and those of them that somebody is warned of."""
        warned = self._found.warned
        return tuple(
            (provider_id, starts, self._own(warned.get(provider_id, 0)))
            for provider_id, its in self._found.starts
            if (starts := self._own(its))
        )

    @cached_property
    def rooms(self) -> tuple[tuple[int, int], ...]:
        """The free cells of each capable room that has some, ``first`` cells before the day included."""
        begins, full = self._day.begins, (1 << self._day.size) - 1
        return tuple(
            (room_id, left)
            for room_id, usable, taken in self._found.rooms
            if (left := usable >> begins & ~(taken >> begins) & full)
        )

    @cached_property
    def clear(self) -> int:
        """The cells at which somebody could start unwarned."""
        if not self.is_warned:
            return self.any
        clear = 0
        for _, starts, warned in self.starts:
            clear |= starts & ~warned
        return clear

    @cached_property
    def noted(self) -> frozenset[int]:
        """Who has a note about travelling, no matter at which start."""
        begins, full = self._day.begins, (1 << self._day.size) - 1
        noted = self._found.noted
        return frozenset(one for one, its in noted.items() if its >> begins & full)

    def instants(self, starts: int) -> list[datetime]:
        """Return when some of its starts are; of those asked for last it is kept."""
        which, found = self._asked
        if which != starts:
            found = self.frame.instants(starts)
            self._asked = starts, found
        return found

    def is_noted(self, provider_id: int, cell: int) -> bool:
        """Whether there is anything to say of the provider's travelling to a start, be it a note."""
        warned = next((warned for one, _, warned in self.starts if one == provider_id), 0)
        return provider_id in self.noted or bool(warned >> cell & 1)

    def _own(self, starts: int) -> int:
        """Those of some starts of the stretch at which somebody could start that day."""
        return starts >> self._day.begins + self.first & self.any


def of_days(days: Iterable[Day], anybody: int, found: Found) -> Iterator[Free]:
    """Yield the free starts of each of the days on which there are some.

    ``anybody`` are those at which somebody could start, and may.
    """
    for day in days:
        own = anybody >> day.begins + day.first & day.frame.full
        if own:
            yield Free(day, own, found)
