"""The free starts of a day at a site, cut out of those of all days that were asked for with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from planner.scheduling.cells import Lanes
from planner.scheduling.presence import Present
from planner.scheduling.stretch import Day


class Seat(NamedTuple):
    """The tightest room in which something could start, and the times of its three clocks."""

    room_id: int
    starts_at: datetime
    ends_at: datetime
    room_from: datetime
    room_until: datetime
    patient_until: datetime


class Starts(NamedTuple):
    """Where each of some providers could start in a stretch of days, were it allowed to anybody.

    By provider, ``warned`` are starts that somebody is warned of, ``noted`` cells that are too near to another
    site where that is no more than a note.
    """

    ids: tuple[int, ...]
    lanes: Lanes
    warned: Mapping[int, int]
    noted: Mapping[int, int]


class Free:
    """The free starts of one day at one site.

    ``any`` are the cells at which somebody could start. Who could, and which rooms are free, is taken apart when it
    is asked for: most who ask for starts want to know no more.
    """

    def __init__(self, day: Day, anybody: int, starts: Starts, rooms: Present) -> None:
        self.frame, self.any = day.frame, anybody
        self.first = day.first  # cells of the day before, where the rooms have some
        self.seats: dict[int, Seat] = {}  # room and times of a start
        self._day, self._starts, self._rooms = day, starts, rooms
        # Whether somebody is warned of some start.
        self.is_warned = bool(starts.warned) and any(map(self._own, starts.warned.values()))

    @cached_property
    def starts(self) -> tuple[tuple[int, int, int], ...]:
        """By provider the cells at which it could start, and those of them that somebody is warned of."""
        found, day = self._starts, self._day
        return tuple(
            (provider_id, starts, self._own(found.warned.get(provider_id, 0)))
            for provider_id, its in zip(
                found.ids, found.lanes.each(day.begins, day.size), strict=True
            )
            if (starts := its >> day.first & self.any)
        )

    @cached_property
    def rooms(self) -> tuple[tuple[int, int], ...]:
        """The free cells of each capable room, ``first`` cells before the day included."""
        day = self._day
        return tuple(
            zip(self._rooms.ids, self._rooms.lanes.each(day.begins, day.size), strict=True)
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
        found = self._starts.noted
        return frozenset(one for one, its in found.items() if its >> begins & full)

    def is_noted(self, provider_id: int, cell: int) -> bool:
        """Whether there is anything to say of the provider's travelling to a start, be it a note."""
        warned = next((warned for one, _, warned in self.starts if one == provider_id), 0)
        return provider_id in self.noted or bool(warned >> cell & 1)

    def _own(self, starts: int) -> int:
        """Those of some starts of the stretch at which somebody could start that day."""
        return starts >> self._day.begins + self.first & self.any


def of_days(days: Iterable[Day], anybody: int, starts: Starts, rooms: Present) -> Iterable[Free]:
    """Yield the free starts of each of the days on which there are some.

    ``anybody`` are those at which somebody could start, and may.
    """
    for day in days:
        own = anybody >> day.begins + day.first & day.frame.full
        if own:
            yield Free(day, own, starts, rooms)
