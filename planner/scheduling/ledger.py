"""What is booked at one site, kept as the records it was read as.

A search wants to know which cells of a day are taken, and of thousands of appointments it names a handful. So a day
becomes cells straight from the records, and an appointment becomes a ``Busy`` when somebody asks for it.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, reduce
from operator import or_
from struct import Struct
from typing import NamedTuple

from planner.scheduling import cells
from planner.scheduling.cells import CELL, USUAL, Frame
from planner.scheduling.timetable import Busy, Slot, Status

LAYOUT = Struct(">7I6H")
"""How the numbers of a record are laid out: seven of four bytes, six of two, the highest byte first."""

SHAPE = Struct(">4H")
"""The last four of them."""

STATUSES = (Status.BOOKED, Status.ARRIVED, Status.STARTED, Status.FULFILLED)
"""What a ledger holds: what is live and stays so whatever the time. Holds and reservations run out."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = EPOCH.toordinal()
MINUTE = timedelta(minutes=1)
A_DAY = 24 * 60
MOST_SHAPES = 4096
"""Shapes whose cells a process keeps: a clinic has some hundreds."""
FEW = 1024
"""Ids below it are their own places in a list of all."""
MOST_MARKS = 4
"""Spans whose marks are kept: each site asks for the same ones, one after the other."""


class Record(NamedTuple):
    """An appointment as numbers: minutes all of them but the ids and the place among ``STATUSES``.

    What ends something is rounded up to whole minutes, what begins it down.
    """

    appointment_id: int
    patient_id: int
    session_id: int  # of a course; 0 for what serves none
    provider_id: int
    room_id: int
    service_id: int
    starts: int  # since 1970
    status: int
    walk: int
    # The last four say which cells of a day the appointment takes: as one number, its shape.
    since_midnight: int  # of UTC, until the start
    length: int
    preparation: int
    turnover: int


class Served(NamedTuple):
    """What an appointment says of the session of a course that it serves, if it serves one."""

    course_id: int | None = None
    number: int | None = None
    zones: frozenset[str] = frozenset()


UNSERVED = Served()


class Marks(NamedTuple):
    """The cells of a span in which each provider and each room of the site is taken; who is not named is free."""

    providers: Mapping[int, int]
    rooms: Mapping[int, int]


class Ledger:
    """The appointments of one site, ordered by start. Immutable.

    ``records`` stand behind each other; ``served`` gives the sessions of courses that they serve, and is asked when
    the first appointment is looked at.
    """

    def __init__(
        self, site_id: int, records: bytes, served: Callable[[], Mapping[int, Served]]
    ) -> None:
        self.site_id, self._served_by = site_id, served
        starts = _column("starts", records)
        listed = starts.tolist()
        if sorted(listed) != listed:
            order = sorted(range(len(starts)), key=starts.__getitem__)
            size = LAYOUT.size
            records = b"".join([records[at * size : (at + 1) * size] for at in order])
            starts = _column("starts", records)
        self._records, self._starts = records, starts
        self._provider_ids, self._providers = _placed("provider_id", records)
        self._room_ids, self._rooms = _placed("room_id", records)
        self._shapes = array("Q", records)[LAYOUT.size // 8 - 1 :: LAYOUT.size // 8]
        self._made: dict[int, Busy] = {}
        self._days: dict[int, _Day] = {}
        self._marks: dict[tuple[datetime, int], Marks] = {}
        self._lists: dict[int, tuple[_Places, _Places]] = {}

    def __len__(self) -> int:
        return len(self._starts)

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
        return self._listed(day - FIRST_DAY)[0].get(provider_id, ())

    def of_room(self, room_id: int, day: int) -> Sequence[int]:
        """Return the positions of what touches the room on a UTC day."""
        return self._listed(day - FIRST_DAY)[1].get(room_id, ())

    def of_patient(self, patient_id: int) -> Iterator[int]:
        """Yield the positions of all that is booked for the patient."""
        position = -1
        for _ in range(self._patients.count(patient_id)):
            position = self._patients.index(patient_id, position + 1)
            yield position

    def marks(self, span: Frame) -> Marks:
        """Return who and what is taken in which cells of the span, which has to begin where a cell of UTC does."""
        key = (span.starts_at, span.size)
        found = self._marks.get(key)
        if found is None:
            for oldest in list(self._marks)[: len(self._marks) + 1 - MOST_MARKS]:
                self._marks.pop(oldest, None)
            found = self._marks[key] = self._marked((span.starts_at - EPOCH) // CELL, span.size)
        return found

    def _marked(self, first: int, size: int) -> Marks:
        """The marks of so many cells from one on, counted from the first of 1970.

        Of the day before and after, what is long enough.
        """
        window = (1 << size) - 1
        begins = first // USUAL - 1
        before = first - (begins - 1) * USUAL
        providers, rooms = [0] * len(self._provider_ids), [0] * len(self._room_ids)
        for later, number in enumerate(range(begins, (first + size - 1) // USUAL + 2)):
            if number in self._begun:
                day, offset = self._day(number), later * USUAL
                if day.reach << offset >> before & window:
                    for found, its in ((providers, day.providers), (rooms, day.rooms)):
                        for place, taken in enumerate(its):
                            if taken:
                                found[place] |= taken << offset
        return Marks(
            *(
                {one: its >> before & window for one, its in zip(ids, found, strict=True) if its}
                for ids, found in ((self._provider_ids, providers), (self._room_ids, rooms))
            )
        )

    def _day(self, number: int) -> _Day:
        """Return what begins on a UTC day, counted from the first of 1970."""
        found = self._days.get(number)
        if found is None:
            found = self._days[number] = self._taken(self._begun.get(number, slice(0)))
        return found

    def _taken(self, begun: slice) -> _Day:
        providers, rooms = [0] * len(self._provider_ids), [0] * len(self._room_ids)
        for provider, room, (of_provider, of_room) in zip(
            self._providers[begun],
            self._rooms[begun],
            map(_SHAPES.__getitem__, self._shapes[begun]),
            strict=True,
        ):
            providers[provider] |= of_provider
            rooms[room] |= of_room
        return _Day(providers, rooms, reduce(or_, rooms, 0))

    @cached_property
    def _begun(self) -> Mapping[int, slice]:
        """Where all stands that begins on a UTC day, for each on which something does."""
        found, first = {}, 0
        while first < len(self._starts):
            number = self._starts[first] // A_DAY
            last = bisect_left(self._starts, (number + 1) * A_DAY, first)
            found[number], first = slice(first, last), last
        return found

    def _listed(self, number: int) -> tuple[_Places, _Places]:
        found = self._lists.get(number)
        if found is None:
            found = self._lists[number] = self._placed(number)
        return found

    def _placed(self, number: int) -> tuple[_Places, _Places]:
        """The positions of a UTC day, by provider and by room; midnight, when something ends, is of both days."""
        midnight = number * A_DAY
        providers: defaultdict[int, list[int]] = defaultdict(list)
        rooms: defaultdict[int, list[int]] = defaultdict(list)
        if self._day(number - 1).reach >> 2 * USUAL - 1:
            for position, row in self._rows(number - 1):
                ends = row.starts + row.length
                if ends >= midnight:
                    providers[row.provider_id].append(position)
                if ends + row.turnover >= midnight:
                    rooms[row.room_id].append(position)
        begun = self._begun.get(number, slice(0))
        for position, provider, room in zip(
            range(len(self))[begun], self._providers[begun], self._rooms[begun], strict=True
        ):
            providers[self._provider_ids[provider]].append(position)
            rooms[self._room_ids[room]].append(position)
        if self._day(number + 1).reach & (1 << USUAL) - 1:
            for position, row in self._rows(number + 1):
                if row.starts - row.preparation < midnight + A_DAY:
                    rooms[row.room_id].append(position)
        return providers, rooms

    def _rows(self, number: int) -> Iterator[tuple[int, Record]]:
        """Yield what begins on the day, and where it stands."""
        for position in range(len(self))[self._begun.get(number, slice(0))]:
            yield position, self._record(position)

    def _record(self, position: int) -> Record:
        return Record._make(LAYOUT.unpack_from(self._records, position * LAYOUT.size))

    @cached_property
    def _positions(self) -> Mapping[int, int]:
        ids = _column("appointment_id", self._records)
        return {its_id: position for position, its_id in enumerate(ids)}

    @cached_property
    def _patients(self) -> array[int]:
        return _column("patient_id", self._records)

    @cached_property
    def _served(self) -> Mapping[int, Served]:
        return self._served_by()

    def _busy(self, position: int) -> Busy:
        row = self._record(position)
        served = self._served[row.session_id] if row.session_id else UNSERVED
        ends = row.starts + row.length
        return Busy(
            appointment_id=row.appointment_id,
            status=STATUSES[row.status],
            slot=Slot(
                service_id=row.service_id,
                site_id=self.site_id,
                provider_id=row.provider_id,
                room_id=row.room_id,
                starts_at=_instant(row.starts),
                ends_at=_instant(ends),
                room_from=_instant(row.starts - row.preparation),
                room_until=_instant(ends + row.turnover),
                patient_until=_instant(ends + row.walk),
                patient_id=row.patient_id,
                number=served.number,
            ),
            course_id=served.course_id,
            zones=served.zones,
        )


def begins_with_a_cell(span: Frame) -> bool:
    """Whether the cells of the span are those of UTC: not so where clocks were once set by the second."""
    return not (span.starts_at - EPOCH) % CELL


_Places = Mapping[int, list[int]]


class _Day(NamedTuple):
    """What starts on a UTC day, as cells since the midnight before it: preparation may begin there.

    By the place of provider and room among those of the ledger.
    """

    providers: list[int]
    rooms: list[int]
    reach: int  # all that is taken


class _Shapes(dict[int, tuple[int, int]]):
    """The cells of provider and room of each shape, since the midnight before the day; the same every day."""

    def __missing__(self, shape: int) -> tuple[int, int]:
        if len(self) >= MOST_SHAPES:
            self.clear()
        since, length, before, after = SHAPE.unpack(shape.to_bytes(SHAPE.size, sys.byteorder))
        starts = A_DAY + since
        ends = starts + length
        found = self[shape] = (_cells(starts, ends), _cells(max(0, starts - before), ends + after))
        return found


_SHAPES = _Shapes()


def _placed(name: str, records: bytes) -> tuple[Sequence[int], array[int]]:
    """Return some ids, and by appointment the place among them of its own.

    Where all are small they are their own places.
    """
    column = _column(name, records)
    ids = sorted(set(column))
    if not ids or ids[-1] < FEW:
        return range(ids[-1] + 1 if ids else 0), column
    places = {one: place for place, one in enumerate(ids)}
    return ids, array("I", map(places.__getitem__, column))


def _column(name: str, records: bytes) -> array[int]:
    """Return one of the numbers of four bytes of all records."""
    numbers = array("I", records)[Record._fields.index(name) :: LAYOUT.size // 4]
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _cells(starts: int, ends: int) -> int:
    return cells.between(starts // 5, -(-ends // 5))


def _instant(minutes: int) -> datetime:
    return EPOCH + MINUTE * minutes
