"""What is booked at one site, kept as the numbers it was read as.

A search wants to know which cells of a day are taken, and of thousands of appointments it names a handful. So a day
becomes cells straight from the numbers, and an appointment becomes a ``Busy`` when somebody asks for it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

from planner.scheduling.cells import Frame
from planner.scheduling.timetable import Busy, Slot, Status

FIELDS = (
    "appointment_id", "provider_id", "room_id", "patient_id", "service_id", "status", "course_id",
    "number", "starts", "ends", "room_from", "room_until", "patient_until",
)  # fmt: skip
"""The numbers of an appointment, in this order.

Times are minutes since 1970, those that end something rounded up. ``status`` is the place among ``STATUSES``;
``course_id`` and ``number`` are 0 for what serves no course.
"""

NUMBER = "i"
"""The type of the arrays that hold them."""

STATUSES = (Status.BOOKED, Status.ARRIVED, Status.STARTED, Status.FULFILLED)
"""What a ledger holds: what is live and stays so whatever the time. Holds and reservations run out."""

LONGEST = 24 * 60
"""Minutes that no appointment exceeds, preparation and turnover included."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = EPOCH.toordinal()
MINUTE = timedelta(minutes=1)
A_DAY = 24 * 60

Zones = Callable[[], Sequence[frozenset[str]]]
"""Gives the zones of each appointment, in the order of the numbers: asked for when the first is looked at."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The cells of a span in which each provider and each room of the site is taken; who is not named is free."""

    providers: Mapping[int, int]
    rooms: Mapping[int, int]


def columns(numbers: array[int]) -> list[array[int]]:
    """Return the columns of numbers that hold the ``FIELDS`` of one appointment after those of another."""
    return [numbers[place :: len(FIELDS)] for place in range(len(FIELDS))]


class Ledger:
    """The appointments of one site, ordered by start, as columns of numbers. Immutable."""

    def __init__(self, site_id: int, columns: Sequence[array[int]], zones: Zones) -> None:
        self.site_id, self._columns, self._zones_of = site_id, columns, zones
        starts = columns[FIELDS.index("starts")].tolist()
        if sorted(starts) != starts:
            order = sorted(range(len(starts)), key=starts.__getitem__)
            self._columns = [array(NUMBER, map(each.__getitem__, order)) for each in columns]
            self._zones_of = lambda: tuple(map(zones().__getitem__, order))
        (
            self._ids, self._providers, self._rooms, self._patients, _, _, _, _,
            self._starts, self._ends, self._room_from, self._room_until, _,
        ) = self._columns  # fmt: skip
        self._made: dict[int, Busy] = {}
        self._marks: dict[tuple[datetime, int], Marks] = {}
        self._between: dict[tuple[datetime, datetime], frozenset[int]] = {}
        self._days: dict[int, tuple[_Places, _Places]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Busy]:
        return map(self.busy, range(len(self)))

    def position(self, appointment_id: int) -> int | None:
        """Return where the appointment stands, or None."""
        return self._positions.get(appointment_id)

    def busy(self, position: int) -> Busy:
        """Return the appointment, made when it is first asked for."""
        found = self._made.get(position)
        if found is None:
            found = self._made[position] = self._busy(position)
        return found

    def of_provider(self, provider_id: int, day: int) -> Sequence[int]:
        """Return the positions of what touches the provider on a UTC day, given as its ordinal."""
        return self._day(day)[0].get(provider_id, ())

    def of_room(self, room_id: int, day: int) -> Sequence[int]:
        """Return the positions of what touches the room on a UTC day."""
        return self._day(day)[1].get(room_id, ())

    def of_patient(self, patient_id: int) -> Iterator[int]:
        """Yield the positions of all that is booked for the patient."""
        position = -1
        for _ in range(self._patients.count(patient_id)):
            position = self._patients.index(patient_id, position + 1)
            yield position

    def providers_between(self, starts_at: datetime, ends_at: datetime) -> frozenset[int]:
        """Return who has something here in that time, and perhaps some who have it a little earlier or later."""
        key = (starts_at, ends_at)
        found = self._between.get(key)
        if found is None:
            near = self._near(_floor(starts_at), _ceiling(ends_at))
            found = self._between[key] = frozenset(self._providers[near])
        return found

    def marks(self, span: Frame) -> Marks:
        """Return who and what is taken in which cells of the span."""
        key = (span.starts_at, span.size)
        found = self._marks.get(key)
        if found is None:
            found = self._marks[key] = self._marked(span)
        return found

    def _marked(self, span: Frame) -> Marks:
        begins = _floor(span.starts_at)
        near = self._near(begins, begins + 5 * span.size)
        # What began before the span counts from there on: all is shifted by as many cells for once.
        earlier = -(min(0, min(self._room_from[near], default=begins) - begins) // 5)
        zero = begins - 5 * earlier
        most = max(self._room_until[near], default=zero) - zero
        down, up = _powers(-(-most // A_DAY))
        providers: defaultdict[int, int] = defaultdict(int)
        rooms: defaultdict[int, int] = defaultdict(int)
        columns = (
            self._providers, self._rooms, self._starts, self._ends, self._room_from, self._room_until,
        )  # fmt: skip
        for provider_id, room_id, starts, ends, room_from, room_until in zip(
            *(column[near] for column in columns), strict=True
        ):
            taken = up[ends - zero] - down[starts - zero]
            providers[provider_id] |= taken
            if room_from != starts or room_until != ends:
                taken = up[room_until - zero] - down[room_from - zero]
            rooms[room_id] |= taken
        if earlier:
            for cells in (providers, rooms):
                for its_id in cells:
                    cells[its_id] >>= earlier
        return Marks(providers, rooms)

    def _near(self, begins: int, ends: int) -> slice:
        """Return where all is that shares an instant with the time, and now and then some more."""
        starts = self._starts
        first = bisect_left(starts, begins)
        last = bisect_left(starts, ends, first)
        before = bisect_left(starts, begins - LONGEST, 0, first)
        if before < first and max(self._room_until[before:first]) > begins:
            first = before
        after = bisect_left(starts, ends + LONGEST, last)
        if last < after and min(self._room_from[last:after]) < ends:
            last = after
        return slice(first, last)

    def _day(self, day: int) -> tuple[_Places, _Places]:
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._listed(day)
        return found

    def _listed(self, day: int) -> tuple[_Places, _Places]:
        """The positions of a UTC day, by provider and by room; midnight, when something ends, is of both days."""
        begins = (day - FIRST_DAY) * A_DAY
        ends = begins + A_DAY
        near = self._near(begins - 1, ends)
        providers: defaultdict[int, list[int]] = defaultdict(list)
        rooms: defaultdict[int, list[int]] = defaultdict(list)
        for position in range(near.start, near.stop):
            if self._starts[position] < ends and self._ends[position] >= begins:
                providers[self._providers[position]].append(position)
            if self._room_from[position] < ends and self._room_until[position] >= begins:
                rooms[self._rooms[position]].append(position)
        return providers, rooms

    @cached_property
    def _positions(self) -> Mapping[int, int]:
        return {its_id: position for position, its_id in enumerate(self._ids)}

    @cached_property
    def _zones(self) -> Sequence[frozenset[str]]:
        return self._zones_of()

    def _busy(self, position: int) -> Busy:
        (
            appointment_id, provider_id, room_id, patient_id, service_id, status, course_id, number,
            *times,
        ) = (column[position] for column in self._columns)  # fmt: skip
        starts_at, ends_at, room_from, room_until, patient_until = map(_instant, times)
        return Busy(
            appointment_id=appointment_id,
            status=STATUSES[status],
            slot=Slot(
                service_id=service_id,
                site_id=self.site_id,
                provider_id=provider_id,
                room_id=room_id,
                starts_at=starts_at,
                ends_at=ends_at,
                room_from=room_from,
                room_until=room_until,
                patient_until=patient_until,
                patient_id=patient_id,
                number=number or None,
            ),
            course_id=course_id or None,
            zones=self._zones[position],
        )


_Places = Mapping[int, list[int]]


@lru_cache(maxsize=8)
def _powers(days: int) -> tuple[list[int], list[int]]:
    """By minutes, the bit of the cell that holds them, and that of the first cell to begin then or later."""
    bits = [1 << cell for cell in range(days * A_DAY // 5 + 1)]
    minutes = range(days * A_DAY + 1)
    return [bits[at // 5] for at in minutes], [bits[-(-at // 5)] for at in minutes]


def _instant(minutes: int) -> datetime:
    return EPOCH + MINUTE * minutes


def _floor(at: datetime) -> int:
    return (at - EPOCH) // MINUTE


def _ceiling(at: datetime) -> int:
    return -((EPOCH - at) // MINUTE)
