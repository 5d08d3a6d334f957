"""What is booked, found by actor and day; shared by every timetable that is laid over it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, overload

from planner.scheduling.timetable import LIVE, Busy, Status

PROVISIONAL = frozenset({Status.HELD, Status.RESERVED})
ONE_DAY = timedelta(days=1)


class Follower(Protocol):
    """Something worked out from what is booked, that can follow a change of it."""

    def after(self, changed: Occupancy, days: frozenset[int]) -> Follower:
        """Return the same of what is booked now; only these UTC days, as ordinals, have changed."""


class Occupancy(Sequence[Busy]):
    """Appointments, the live ones found by provider and day, room and day, or patient. Immutable.

    ``kept`` is for what others work out from it; it follows when ``changed`` makes another.
    """

    def __init__(self, rows: Iterable[Busy] = ()) -> None:
        self._rows: dict[object, Busy] = {}
        self._providers: dict[tuple[int, int], list[Busy]] = {}
        self._rooms: dict[tuple[int, int], list[Busy]] = {}
        self._patients: dict[int, list[Busy]] = {}
        self.provisional: tuple[Busy, ...] = ()
        self.kept: dict[Any, Follower] = {}
        self._add(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Busy]:
        return iter(self._rows.values())

    @overload
    def __getitem__(self, index: int) -> Busy: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Busy]: ...
    def __getitem__(self, index: int | slice) -> Busy | Sequence[Busy]:
        return tuple(self._rows.values())[index]

    @property
    def ids(self) -> Collection[object]:
        """The ids of the appointments."""
        return self._rows.keys()

    def of_provider(self, provider_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the provider on a UTC day, given as its ordinal."""
        return self._providers.get((provider_id, day), ())

    def of_room(self, room_id: int, day: int) -> Sequence[Busy]:
        """Return what touches the room, preparation and turnover included, on a UTC day."""
        return self._rooms.get((room_id, day), ())

    def of_patient(self, patient_id: int) -> Sequence[Busy]:
        """Return all that is booked for the patient, ordered by start."""
        return self._patients.get(patient_id, ())

    def changed(self, gone: Collection[int], new: Iterable[Busy]) -> Occupancy:
        """Return the occupancy without the appointments of these ids, and with the new ones.

        What does not change is shared: it costs what the change is large, not what is booked.
        """
        left = [self._rows[its_id] for its_id in gone if its_id in self._rows]
        added = tuple(new)
        after = object.__new__(Occupancy)
        after._rows = {**self._rows}
        after._providers, after._rooms = {**self._providers}, {**self._rooms}
        after._patients = {**self._patients}
        for busy in left:
            del after._rows[busy.appointment_id]
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
        after.kept = {key: item.after(after, days) for key, item in self.kept.items()}
        return after

    def _add(self, rows: Iterable[Busy]) -> None:
        provisional = []
        for busy in rows:
            its_id: object = busy.appointment_id
            self._rows[its_id if its_id not in self._rows else (its_id, len(self._rows))] = busy
            if busy.status not in LIVE:
                continue
            slot = busy.slot
            for lists, key in self._lists(busy):
                if key in lists:
                    lists[key].append(busy)
                else:
                    lists[key] = [busy]
            if slot.patient_id is not None and len(self._patients[slot.patient_id]) > 1:
                self._patients[slot.patient_id].sort(key=_start)
            if busy.status in PROVISIONAL:
                provisional.append(busy)
        self.provisional = (*self.provisional, *provisional)

    def _lists(self, busy: Busy) -> Iterator[tuple[dict[Any, list[Busy]], object]]:
        slot = busy.slot
        for day in range(slot.starts_at.toordinal(), slot.ends_at.toordinal() + 1):
            yield self._providers, (slot.provider_id, day)
        for day in range(slot.room_from.toordinal(), slot.room_until.toordinal() + 1):
            yield self._rooms, (slot.room_id, day)
        if slot.patient_id is not None:
            yield self._patients, slot.patient_id

    def _open(self, busy: Busy) -> None:
        """Make the lists that hold it our own before they change."""
        for lists, key in self._lists(busy):
            if key in lists:
                lists[key] = list(lists[key])

    def _take_out(self, busy: Busy) -> None:
        for lists, key in self._lists(busy):
            if key in lists:
                lists[key] = [other for other in lists[key] if other is not busy]


class Widened(Sequence[Busy]):
    """An occupancy with what some patients had before it begins; shares what is kept with it."""

    def __init__(self, base: Occupancy, earlier: Iterable[Busy]) -> None:
        self._base = base
        self._earlier = tuple(earlier)
        self.kept, self.provisional = base.kept, base.provisional

    def __len__(self) -> int:
        return len(self._base) + len(self._earlier)

    def __iter__(self) -> Iterator[Busy]:
        yield from self._earlier
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
        earlier = [
            busy
            for busy in self._earlier
            if busy.slot.patient_id == patient_id and busy.status in LIVE
        ]
        return (*sorted(earlier, key=_start), *self._base.of_patient(patient_id))


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


def days_of(starts_at: datetime, ends_at: datetime) -> range:
    """Return the ordinals of the UTC days that the time touches."""
    return range(starts_at.toordinal(), ends_at.toordinal() + 1)


def _start(busy: Busy) -> datetime:
    return busy.slot.starts_at
