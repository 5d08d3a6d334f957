"""What is booked, found by actor and day; shared by every timetable that is laid over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, overload

from planner.scheduling import cells
from planner.scheduling.cells import Frame
from planner.scheduling.ledger import Ledger, Marks, begins_with_a_cell
from planner.scheduling.taken import Taken, Written, days_of, widened
from planner.scheduling.timetable import LIVE, Busy, Status

PROVISIONAL = frozenset({Status.HELD, Status.RESERVED})
ONE_DAY = timedelta(days=1)

_Lists = dict[int, dict[int, list[Busy]]]
"""By UTC day and actor."""

_NOBODY: Mapping[int, list[Busy]] = {}
_NOTHING_TAKEN = Marks({}, {})


class Follower(Protocol):
    """Something worked out from what is booked, that can follow a change of it."""

    def after(self, changed: Occupancy, days: frozenset[int]) -> Follower:
        """Return the same of what is booked now; only these UTC days, as ordinals, have changed."""


class Occupancy(Sequence[Busy]):
    """Appointments, the live ones found by provider and day, room and day, or patient. Immutable.

    Most of them may stand in ledgers, one a site. Wherever an appointment has come or gone since a ledger was
    read, all that touches the same provider or room that day is listed, and the list is what holds. ``kept`` is
    for what others work out from it; it follows when ``changed`` makes another.
    """

    def __init__(self, rows: Iterable[Busy] = (), ledgers: Iterable[Ledger] = ()) -> None:
        self._ledgers: dict[int, Ledger] = {ledger.site_id: ledger for ledger in ledgers}
        self._gone: frozenset[int] = frozenset()  # of those in the ledgers
        self._rows: dict[object, Busy] = {}
        self._providers: _Lists = {}
        self._rooms: _Lists = {}
        self._patients: dict[int, list[Busy]] = {}
        self.provisional: tuple[Busy, ...] = ()
        self.kept: dict[Any, Follower] = {}
        self.changes = (
            0  # appointments that have come or gone since it was made of rows and ledgers
        )
        self._add(rows)

    def __len__(self) -> int:
        return len(self._rows) - len(self._gone) + sum(map(len, self._ledgers.values()))

    def __iter__(self) -> Iterator[Busy]:
        for ledger in self._ledgers.values():
            yield from (busy for busy in ledger if busy.appointment_id not in self._gone)
        yield from self._rows.values()

    @overload
    def __getitem__(self, index: int) -> Busy: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Busy]: ...
    def __getitem__(self, index: int | slice) -> Busy | Sequence[Busy]:
        return tuple(self)[index]

    def named(self, ids: Iterable[int]) -> list[Busy]:
        """Return the appointments of these ids that are among them."""
        wanted = frozenset(ids)
        written = (
            ledger.busy(position)
            for its_id in wanted - self._gone
            for ledger in self._ledgers.values()
            if (position := ledger.position(its_id)) is not None
        )
        return [*written, *(one for one in self._rows.values() if one.appointment_id in wanted)]

    def holds(self, appointment_id: int) -> bool:
        """Whether the appointment is among them."""
        return appointment_id in self._rows or (
            appointment_id not in self._gone
            and any(one.position(appointment_id) is not None for one in self._ledgers.values())
        )

    def of_provider(self, provider_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the provider on a UTC day, given as its ordinal."""
        listed = self._providers.get(day, _NOBODY).get(provider_id)
        return self._in_ledgers(self._providers, day, provider_id) if listed is None else listed

    def of_room(self, room_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the room, preparation and turnover included, on a UTC day."""
        listed = self._rooms.get(day, _NOBODY).get(room_id)
        return self._in_ledgers(self._rooms, day, room_id) if listed is None else listed

    def of_patient(self, patient_id: int) -> Sequence[Busy]:
        """Return all that is booked for the patient, ordered by start."""
        found = self._patients.get(patient_id)
        if found is None:
            found = [
                ledger.busy(position)
                for ledger in self._ledgers.values()
                for position in ledger.of_patient(patient_id)
            ]
            found = [busy for busy in found if busy.appointment_id not in self._gone]
            found += [
                busy
                for busy in self._rows.values()
                if busy.slot.patient_id == patient_id and busy.status in LIVE
            ]
            found.sort(key=_start)
            self._patients[patient_id] = found
        return found

    def taken(
        self, site_id: int, span: Frame, *, margin: timedelta, without: frozenset[int]
    ) -> Taken:
        """Return which cells of a span are taken at the site.

        ``margin`` is the way to and from another site; ``without`` are appointments that do not count.
        """
        if without or not begins_with_a_cell(span):
            return Taken(self, span, site_id=site_id, margin=margin, without=without)
        wide = widened(span, cells.touched_by(margin))
        marks = {its_site: one.marks(wide) for its_site, one in self._ledgers.items()}
        return Taken(
            self,
            span,
            site_id=site_id,
            margin=margin,
            written=Written(
                marks.pop(site_id, _NOTHING_TAKEN),
                tuple(marks.values()),
                _listed(self._rooms, wide.starts_at, wide.ends_at),
                _listed(self._providers, wide.starts_at, wide.ends_at),
            ),
        )

    def changed(self, gone: Collection[int], new: Iterable[Busy]) -> Occupancy:
        """Return the occupancy without the appointments of these ids, and with the new ones.

        What does not change is shared: it costs what the change is large, not what is booked.
        """
        left, added = self.named(gone), tuple(new)
        after = object.__new__(Occupancy)
        after._ledgers, after._rows = self._ledgers, {**self._rows}
        after._providers, after._rooms = {**self._providers}, {**self._rooms}
        after._patients = {}
        for busy in left:
            after._rows.pop(busy.appointment_id, None)
        after._gone = self._gone.union(
            busy.appointment_id for busy in left if busy.appointment_id not in self._rows
        )
        for busy in (*left, *added):
            after._open(busy)
        for busy in left:
            after._take_out(busy)
        after.provisional = tuple(busy for busy in self.provisional if busy not in left)
        after._add(added)
        days = frozenset(
            day
            for busy in (*left, *added)
            for day in days_of(busy.slot.room_from - ONE_DAY, busy.slot.room_until + ONE_DAY)
        )
        after.changes = self.changes + len(left) + len(added)
        after.kept = {key: item.after(after, days) for key, item in self.kept.copy().items()}
        return after

    def _add(self, rows: Iterable[Busy]) -> None:
        provisional = []
        for busy in rows:
            name: object = busy.appointment_id
            self._rows[name if name not in self._rows else (name, len(self._rows))] = busy
            if busy.status not in LIVE:
                continue
            for lists, day, its_id in self._lists(busy):
                of_day = lists.get(day)
                if of_day is None:
                    of_day = lists[day] = {}
                listed = of_day.get(its_id)
                if listed is None:
                    of_day[its_id] = [*self._in_ledgers(lists, day, its_id), busy]
                else:
                    listed.append(busy)
            if busy.status in PROVISIONAL:
                provisional.append(busy)
        self.provisional = (*self.provisional, *provisional)

    def _lists(self, busy: Busy) -> Iterable[tuple[_Lists, int, int]]:
        slot = busy.slot
        first, last = slot.room_from.toordinal(), slot.room_until.toordinal()
        if first == last:  # as is its own time then
            return (
                (self._providers, first, slot.provider_id), (self._rooms, first, slot.room_id)
            )  # fmt: skip
        return (
            *(
                (self._providers, day, slot.provider_id)
                for day in days_of(slot.starts_at, slot.ends_at)
            ),
            *((self._rooms, day, slot.room_id) for day in range(first, last + 1)),
        )

    def _open(self, busy: Busy) -> None:
        """Make the lists that hold it our own before they change."""
        for lists, day, its_id in self._lists(busy):
            of_day = lists[day] = {**lists.get(day, _NOBODY)}
            listed = of_day.get(its_id)
            of_day[its_id] = (
                self._in_ledgers(lists, day, its_id) if listed is None else list(listed)
            )

    def _take_out(self, busy: Busy) -> None:
        for lists, day, its_id in self._lists(busy):
            lists[day][its_id] = [other for other in lists[day][its_id] if other is not busy]

    def _in_ledgers(self, lists: _Lists, day: int, its_id: int) -> list[Busy]:
        """What the ledgers say of a provider's or a room's day."""
        found: list[Busy] = []
        for ledger in self._ledgers.values():
            of_actor = ledger.of_provider if lists is self._providers else ledger.of_room
            found += map(ledger.busy, of_actor(its_id, day))
        return found


def _listed(lists: _Lists, begins: datetime, ends: datetime) -> Mapping[int, Sequence[int]]:
    """Whose days are listed in that time, and which: UTC days as ordinals."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for day in days_of(begins, ends) if lists else ():
        for its_id in lists.get(day, ()):
            found[its_id].append(day)
    return found


class Widened(Sequence[Busy]):
    """An occupancy with what some patients have before it begins and after it ends; shares what is kept with it."""

    def __init__(self, base: Occupancy, more: Iterable[Busy]) -> None:
        self._base = base
        self._more = tuple(more)
        self.kept, self.provisional = base.kept, base.provisional

    def __len__(self) -> int:
        return len(self._base) + len(self._more)

    def __iter__(self) -> Iterator[Busy]:
        yield from self._more
        yield from self._base

    @overload
    def __getitem__(self, index: int) -> Busy: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Busy]: ...
    def __getitem__(self, index: int | slice) -> Busy | Sequence[Busy]:
        return tuple(self)[index]

    def of_provider(self, provider_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the provider on a UTC day, given as its ordinal."""
        return self._base.of_provider(provider_id, day)

    def of_room(self, room_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the room, preparation and turnover included, on a UTC day."""
        return self._base.of_room(room_id, day)

    def of_patient(self, patient_id: int) -> Sequence[Busy]:
        """Return all that is booked for the patient, ordered by start."""
        more = [
            busy
            for busy in self._more
            if busy.slot.patient_id == patient_id and busy.status in LIVE
        ]
        return sorted((*more, *self._base.of_patient(patient_id)), key=_start)

    def named(self, ids: Iterable[int]) -> list[Busy]:
        """Return the appointments of these ids that are among them."""
        wanted = frozenset(ids)
        more = (busy for busy in self._more if busy.appointment_id in wanted)
        return [*more, *self._base.named(wanted)]

    def taken(
        self, site_id: int, span: Frame, *, margin: timedelta, without: frozenset[int]
    ) -> Taken:
        """Return which cells of a span are taken at the site."""
        return self._base.taken(site_id, span, margin=margin, without=without)


class Overlay(Sequence[Busy]):
    """An occupancy with appointments added, and without those of some ids."""

    def __init__(
        self, base: Occupancy | Widened | Overlay, added: Iterable[Busy], without: frozenset[int]
    ) -> None:
        self._base = base
        self._added = tuple(added)
        self._without = without
        self.kept: dict[Any, Follower] = {}

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def __iter__(self) -> Iterator[Busy]:
        yield from self._left(self._base)
        yield from self._added

    @overload
    def __getitem__(self, index: int) -> Busy: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Busy]: ...
    def __getitem__(self, index: int | slice) -> Busy | Sequence[Busy]:
        return tuple(self)[index]

    @property
    def provisional(self) -> tuple[Busy, ...]:
        """The holds and reservations among them."""
        added = (busy for busy in self._added if busy.status in PROVISIONAL)
        return (*self._left(self._base.provisional), *added)

    def of_provider(self, provider_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the provider on a UTC day, given as its ordinal."""
        added = (busy for busy in self._live() if busy.slot.provider_id == provider_id)
        return self._left(self._base.of_provider(provider_id, day)) + [
            busy for busy in added if day in days_of(*clock("provider", busy))
        ]

    def of_room(self, room_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the room, preparation and turnover included, on a UTC day."""
        added = (busy for busy in self._live() if busy.slot.room_id == room_id)
        return self._left(self._base.of_room(room_id, day)) + [
            busy for busy in added if day in days_of(*clock("room", busy))
        ]

    def of_patient(self, patient_id: int) -> Sequence[Busy]:
        """Return all that is booked for the patient, ordered by start."""
        rows = self._left(self._base.of_patient(patient_id))
        rows += [busy for busy in self._live() if busy.slot.patient_id == patient_id]
        return sorted(rows, key=_start)

    def named(self, ids: Iterable[int]) -> list[Busy]:
        """Return the appointments of these ids that are among them."""
        wanted = frozenset(ids)
        added = (busy for busy in self._added if busy.appointment_id in wanted)
        return [*self._left(self._base.named(wanted)), *added]

    def taken(
        self, site_id: int, span: Frame, *, margin: timedelta, without: frozenset[int]
    ) -> Taken:
        """Return which cells of a span are taken at the site."""
        return Taken(self, span, site_id=site_id, margin=margin, without=without)

    def _live(self) -> Iterator[Busy]:
        return (busy for busy in self._added if busy.status in LIVE)

    def _left(self, rows: Iterable[Busy]) -> list[Busy]:
        return [busy for busy in rows if busy.appointment_id not in self._without]


Booked = Occupancy | Widened | Overlay


def of(rows: Sequence[Busy]) -> Booked:
    """Return the rows as an occupancy: themselves when they are one."""
    return rows if isinstance(rows, Booked) else Occupancy(rows)


def counts(busy: Busy, now: datetime) -> bool:
    """Whether it takes its actors: live, and no hold or reservation that has run out."""
    return busy.status in LIVE and not has_run_out(busy, now)


def has_run_out(busy: Busy, now: datetime) -> bool:
    """Whether it is a hold or reservation whose time is over."""
    return busy.expires_at is not None and now >= busy.expires_at and busy.status in PROVISIONAL


def clock(actor: str, busy: Busy) -> tuple[datetime, datetime]:
    """Return from when until when the appointment takes this kind of actor."""
    slot = busy.slot
    if actor == "provider":
        return slot.starts_at, slot.ends_at
    if actor == "room":
        return slot.room_from, slot.room_until
    return slot.starts_at, slot.patient_until


def _start(busy: Busy) -> datetime:
    return busy.slot.starts_at
