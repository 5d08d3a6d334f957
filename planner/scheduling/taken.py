"""Which cells of a span are taken: out of ledgers, and where they are not what holds, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Protocol

from planner.scheduling import cells
from planner.scheduling.cells import CELL, USUAL, Frame
from planner.scheduling.ledger import Marks
from planner.scheduling.timetable import Busy

ONE_DAY = timedelta(days=1)


class Listing(Protocol):
    """What is booked, found by actor and UTC day, given as its ordinal."""

    def of_provider(self, provider_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the provider."""

    def of_room(self, room_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the room, preparation and turnover included."""


class Written(NamedTuple):
    """What ledgers say of a span and the way to it and from it: of the site, and of the others.

    It does not hold for the days on which a room or a provider is listed.
    """

    own: Marks
    elsewhere: Sequence[Marks]
    rooms: Mapping[int, Sequence[int]]
    providers: Mapping[int, Sequence[int]]


class Taken:
    """The cells of a span in which providers and rooms are taken at a site.

    Out of the ledgers; where they are not what holds, appointment by appointment.
    """

    def __init__(
        self,
        booked: Listing,
        span: Frame,
        *,
        site_id: int,
        margin: timedelta,
        without: frozenset[int] = frozenset(),
        written: Written | None = None,
    ) -> None:
        self._booked, self._site_id, self._span = booked, site_id, span
        self._margin, self._without, self._written = margin, without, written
        self._way, self._full = cells.touched_by(margin), span.full
        wide = widened(span, self._way)
        self._all_days = days_of(wide.starts_at, wide.ends_at)
        self._days: dict[int, _Day] = {}

    def room(self, room_id: int) -> int:
        """Return the cells that the appointments in a room take, preparation and turnover included."""
        written = self._written
        if written is None:
            return self._in_room(room_id, self._all_days)
        its = written.own.rooms.get(room_id, 0) >> self._way & self._full
        days = written.rooms.get(room_id)
        if not days:
            return its
        return its & ~(self._cells_of(days) >> self._way) | self._in_room(room_id, days)

    def provider(self, provider_id: int, there: int) -> tuple[int, int]:
        """Return the cells that a provider's appointments take, and those too near to one at another site.

        Some may be left out that do not matter to who is there in these cells.
        """
        written = self._written
        if written is None:
            return self._of_provider(provider_id, self._all_days, there)
        own = written.own.providers.get(provider_id, 0)
        others = [its for marks in written.elsewhere if (its := marks.providers.get(provider_id))]
        if others and self._margin % CELL:
            return self._of_provider(provider_id, self._all_days, there)
        taken = near = 0
        days = written.providers.get(provider_id)
        if days:
            taken, near = self._of_provider(provider_id, days, there)
            left = ~self._cells_of(days) if own or others else 0
            own, others = own & left, [its & left for its in others]
        way, full = self._way, self._full
        taken |= own >> way & full
        for its in others:
            taken |= its >> way & full
            near |= cells.meeting(its, 2 * way + 1) & full
        return taken, near

    def _cells_of(self, days: Iterable[int]) -> int:
        """The cells of UTC days, those of the way before the span included."""
        found = 0
        for day in days:
            begins = self._day(day).offset + USUAL + self._way
            found |= cells.between(max(0, begins), max(0, begins + USUAL))
        return found

    def _in_room(self, room_id: int, days: Iterable[int]) -> int:
        taken = 0
        for day in map(self._day, days):
            its = 0
            for busy in self._booked.of_room(room_id, day.number):
                if busy.appointment_id not in self._without:
                    its |= day.touched(busy.slot.room_from, busy.slot.room_until)
            taken |= day.moved(its)
        return taken & self._full

    def _of_provider(self, provider_id: int, days: Iterable[int], there: int) -> tuple[int, int]:
        taken, near, margin = 0, 0, self._margin
        for day in map(self._day, days):
            if not there & day.around:
                continue
            its = travel = 0
            for busy in self._booked.of_provider(provider_id, day.number):
                slot = busy.slot
                if busy.appointment_id not in self._without:
                    its |= day.touched(slot.starts_at, slot.ends_at)
                    if slot.site_id != self._site_id:
                        travel |= day.touched(slot.starts_at - margin, slot.ends_at + margin)
            taken |= day.moved(its)
            near |= day.moved(travel)
        return taken & self._full, near & self._full

    def _day(self, number: int) -> _Day:
        found = self._days.get(number)
        if found is None:
            found = self._days[number] = _day(number, self._span, self._way)
        return found


class _Day(NamedTuple):
    """A UTC day beside a span, its cells counted from the day before: so numbers stay small."""

    number: int
    begins: datetime
    offset: int  # cells of the span before it begins
    around: int  # cells of the span on that day, or so near to it that there is a way to it

    def touched(self, starts_at: datetime, ends_at: datetime) -> int:
        """Return the cells that share an instant with a time on that day."""
        first, last = (starts_at - self.begins) // CELL, -((self.begins - ends_at) // CELL)
        if 0 <= first < last:
            return (1 << last) - (1 << first)
        return cells.between(max(0, first), max(0, last))

    def moved(self, its: int) -> int:
        """Return cells of the day as cells of the span."""
        return its << self.offset if self.offset >= 0 else its >> -self.offset


def _day(number: int, span: Frame, way: int) -> _Day:
    midnight = datetime.combine(date.fromordinal(number), time(), UTC)
    offset = (midnight - ONE_DAY - span.starts_at) // CELL
    first, last = offset + USUAL - way, offset + 2 * USUAL + way + 1
    around = cells.between(max(0, first), max(0, last))
    return _Day(number, span.starts_at + CELL * offset, offset, around)


def widened(span: Frame, by: int) -> Frame:
    """Return the span with so many cells more on either side."""
    if not by:
        return span
    starts_at, ends_at = span.starts_at - CELL * by, span.ends_at + CELL * by
    return Frame(span.day, span.zone, starts_at, ends_at, span.size + 2 * by, is_usual=False)


def days_of(starts_at: datetime, ends_at: datetime) -> range:
    """Return the ordinals of the UTC days that the time touches."""
    return range(starts_at.toordinal(), ends_at.toordinal() + 1)
