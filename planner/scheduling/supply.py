"""Where a service of some length fits: free starts by day, site and provider, as cells.

The mask form of the rules about places and times (``rules.PLACES``): what is found here is what they
allow, as a property test shows. Of the patient it knows nothing: that is for ``verdicts``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import repeat
from typing import NamedTuple

from planner.scheduling import cells, index, occupancy
from planner.scheduling.cells import CELL, Frame, Lanes
from planner.scheduling.index import Index
from planner.scheduling.occupancy import Booked, Occupancy
from planner.scheduling.presence import Presence, Present, present
from planner.scheduling.shelves import Shelf
from planner.scheduling.timetable import HARD, Busy, ServiceFacts, Severity, Slot, Timetable

ONE_DAY = timedelta(days=1)
MOST_KEPT = 32
"""Services and lengths whose free starts are kept."""
MOST_WISHES = 8
"""Kinds of wishes for which the places of each day are kept, and choices of sites for which its starts are."""

Listed = tuple[tuple[int, datetime], ...]
"""Sites and starts."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long before and after it an appointment takes its room and its patient."""

    preparation: timedelta
    turnover: timedelta
    walk: timedelta

    def slot(
        self,
        starts_at: datetime,
        ends_at: datetime,
        *,
        service_id: int,
        site_id: int,
        provider_id: int,
        room_id: int,
        patient_id: int | None,
        number: int | None,
    ) -> Slot:
        """Return the slot of that time, with its three clocks."""
        return Slot(
            service_id=service_id,
            site_id=site_id,
            provider_id=provider_id,
            room_id=room_id,
            starts_at=starts_at,
            ends_at=ends_at,
            room_from=starts_at - self.preparation,
            room_until=ends_at + self.turnover,
            patient_until=ends_at + self.walk,
            patient_id=patient_id,
            number=number,
        )


class _Seat(NamedTuple):
    """The tightest room in which something could start, and the times of its three clocks."""

    room_id: int
    starts_at: datetime
    ends_at: datetime
    room_from: datetime
    room_until: datetime
    patient_until: datetime


class _Starts(NamedTuple):
    """Where each of some providers could start: ``first`` cells before the day included, but those of ``any`` alone.

    ``warned`` are starts of which somebody is warned, by provider.
    """

    ids: tuple[int, ...]
    lanes: Lanes
    first: int
    any: int
    warned: Mapping[int, int]


class Free:
    """The free starts of one day at one site.

    ``any`` are the cells at which somebody could start. Who could, and which rooms are free, is taken apart when it
    is asked for: most who ask for starts want to know no more.
    """

    def __init__(
        self, frame: Frame, starts: _Starts, rooms: Present, *, noted: frozenset[int]
    ) -> None:
        self.frame = frame
        self.any = starts.any
        self.first = starts.first  # cells of the day before, where the rooms have some
        self.is_warned = any(starts.warned.values())  # somebody is warned of some start
        self.noted = noted  # who has a note about travelling, no matter at which start
        self.seats: dict[int, _Seat] = {}  # room and times of a start
        self._starts, self._rooms = starts, rooms

    @cached_property
    def starts(self) -> tuple[tuple[int, int, int], ...]:
        """By provider the cells at which it could start, and those of them that somebody is warned of."""
        found = self._starts
        return tuple(
            (provider_id, starts, found.warned.get(provider_id, 0))
            for provider_id, its in zip(found.ids, found.lanes.each(), strict=True)
            if (starts := its >> found.first & found.any)
        )

    @cached_property
    def rooms(self) -> tuple[tuple[int, int], ...]:
        """The free cells of each capable room, ``first`` cells before the day included."""
        return tuple(zip(self._rooms.ids, self._rooms.lanes.each(), strict=True))

    @cached_property
    def clear(self) -> int:
        """The cells at which somebody could start unwarned."""
        if not self.is_warned:
            return self.any
        clear = 0
        for _, starts, warned in self.starts:
            clear |= starts & ~warned
        return clear

    def is_noted(self, provider_id: int, cell: int) -> bool:
        """Whether there is anything to say of the provider's travelling to a start, be it a note."""
        warned = next((warned for one, _, warned in self.starts if one == provider_id), 0)
        return provider_id in self.noted or bool(warned >> cell & 1)


def of(
    timetable: Timetable,
    *,
    service_id: int,
    minutes: int,
    protocol_id: int | None = None,
    settled: frozenset[str] = frozenset(),
    ignoring: frozenset[int] = frozenset(),
) -> Supply:
    """Return the free starts of a service, shared with whoever has asked for the same of what is booked.

    ``settled`` are rules a provider has decided; ``ignoring`` names appointments that are moved away.
    """
    its = index.of(timetable)
    is_settled = "provider.travel_minutes" in settled
    facts = timetable.services[service_id]
    key = (id(its.presence), id(facts), service_id, minutes, protocol_id, is_settled)
    kept = its.occupancy.kept
    whole = kept.get(key)
    if not isinstance(whole, Supply):
        while len(kept) >= MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        # The presence and the facts are held with it, so that their ids stay theirs.
        whole = kept[key] = Supply(timetable, its, service_id, minutes, protocol_id, is_settled)
    gone = [
        busy for busy in its.occupancy.provisional if occupancy.has_run_out(busy, timetable.now)
    ]
    if ignoring:
        gone += its.occupancy.named(ignoring)
    return whole.without(gone) if gone else whole


class Supply:
    """The free starts of one service and length on what is booked, each day worked out once."""

    def __init__(  # noqa: PLR0917  one place makes it
        self,
        timetable: Timetable,
        its: Index,
        service_id: int,
        minutes: int,
        protocol_id: int | None,
        is_travel_settled: bool,
    ) -> None:
        self.service_id, self.minutes = service_id, minutes
        self._service = timetable.services[service_id]
        self._presence = its.presence
        self._occupancy: Booked = its.occupancy
        self._protocol_id = protocol_id
        self._is_travel_settled = is_travel_settled
        self._length, self._duration = cells.spread(minutes), timedelta(minutes=minutes)
        self._days: dict[tuple[int, date], Free | None] = {}
        self._listed: dict[tuple[int, ...], dict[int, Listed]] = {}
        self._clocks: dict[tuple[int, date], Clocks] = {}
        self._always: dict[tuple[int, int], Present] = {}  # rooms that may always be used
        self._shelves: dict[Hashable, Shelf] = {}
        self._whole: Supply | None = None
        self._gone: frozenset[int] = frozenset()
        self._touched: frozenset[int] = frozenset()

    def without(self, gone: Iterable[Busy]) -> Supply:
        """Return the supply as if these were not booked; days they do not touch are shared."""
        rows = tuple(gone)
        left = object.__new__(Supply)
        left.__dict__.update(self.__dict__)
        left._days, left._listed, left._whole = {}, {}, self
        left._shelves = {}
        left._gone = frozenset(busy.appointment_id for busy in rows)
        left._touched = frozenset(
            day
            for busy in rows
            for day in occupancy.days_of(
                busy.slot.room_from - ONE_DAY, busy.slot.room_until + ONE_DAY
            )
        )
        return left

    def after(self, changed: Occupancy, days: frozenset[int]) -> Supply:
        """Return the supply on what is booked now; days that the change does not touch are shared."""
        following = object.__new__(Supply)
        following.__dict__.update(self.__dict__)
        following._occupancy = changed
        following._shelves = {key: shelf.after(days) for key, shelf in list(self._shelves.items())}
        following._days = {
            key: free for key, free in self._days.items() if key[1].toordinal() not in days
        }
        following._listed = {
            sites: {day: found for day, found in kept.copy().items() if day not in days}
            for sites, kept in list(self._listed.items())
        }
        return following

    def on(self, site_id: int, day: date) -> Free | None:
        """Return the free starts of the site's day, or None when nothing can start."""
        key = (site_id, day)
        if key in self._days:
            return self._days[key]
        if self._whole is not None and day.toordinal() not in self._touched:
            found = self._whole.on(site_id, day)
        else:
            found = self._found(site_id, day)
        self._days[key] = found
        return found

    def listed(self, site_ids: tuple[int, ...]) -> dict[int, Listed]:
        """Return by day, as an ordinal, what ``starts_of`` has found at these sites so far."""
        kept = self._listed.get(site_ids)
        if kept is None:
            while len(self._listed) >= MOST_WISHES:
                self._listed.pop(next(iter(self._listed)), None)
            kept = self._listed[site_ids] = {}
        return kept

    def starts_of(self, site_ids: tuple[int, ...], day: int) -> Listed:
        """Return (site, start) of all that somebody could take unwarned on a day, site by site."""
        on = date.fromordinal(day)
        found: list[tuple[int, datetime]] = []
        for site_id in site_ids:
            free = self.on(site_id, on)
            if free is not None:
                found += zip(repeat(site_id), free.frame.instants(free.clear))
        listed = self.listed(site_ids)[day] = tuple(found)
        return listed

    def shelf(self, key: Hashable) -> Shelf:
        """Return where others keep what they have worked out from its days, under a key of theirs."""
        found = self._shelves.get(key)
        if found is None:
            while len(self._shelves) >= MOST_WISHES:
                self._shelves.pop(next(iter(self._shelves)), None)
            whole = self._whole.shelf(key) if self._whole is not None else None
            found = self._shelves[key] = Shelf(whole, self._touched)
        return found

    def frame(self, site_id: int, day: date) -> Frame | None:
        """Return the site's day as cells, or None for a day that its calendar leaves out."""
        return self._presence.frame(site_id, day)

    def clocks(self, site_id: int, day: date) -> Clocks:
        """Return the service's own minutes, or those of the rule records where it has none."""
        key = (site_id, day)
        if key not in self._clocks:
            self._clocks[key] = clocks_of(
                self._service, self.service_id, self._presence, site_id, day
            )
        return self._clocks[key]

    def slot(
        self,
        free: Free,
        site_id: int,
        provider_id: int,
        cell: int,
        *,
        patient_id: int | None,
        number: int | None,
    ) -> Slot:
        """Return the slot in the tightest free room.

        It hosts the fewest other services, then leaves the smallest hole around it.
        """
        seat = free.seats.get(cell)
        if seat is None:
            seat = free.seats[cell] = self._seat(free, site_id, cell)
        return Slot(self.service_id, site_id, provider_id, *seat, patient_id, number)

    def _seat(self, free: Free, site_id: int, cell: int) -> _Seat:
        """The tightest free room, and the times: looked for once, whoever starts there."""
        clocks = self.clocks(site_id, free.frame.day)
        begins = free.first + cell - cells.touched_by(clocks.preparation)
        ends = free.first + cell + self._length + cells.touched_by(clocks.turnover)
        wanted = cells.between(begins, ends)
        able = [(room_id, usable) for room_id, usable in free.rooms if usable & wanted == wanted]
        if len(able) > 1:
            able.sort(key=lambda row: self._tightness(row[0], row[1], begins, ends))
        starts_at = free.frame.instant(cell)
        ends_at = starts_at + self._duration
        return _Seat(
            able[0][0],
            starts_at,
            ends_at,
            starts_at - clocks.preparation,
            ends_at + clocks.turnover,
            ends_at + clocks.walk,
        )

    def _tightness(self, room_id: int, usable: int, begins: int, ends: int) -> tuple[int, int, int]:
        taken_before = ~usable & cells.between(0, begins)
        after = ~(usable >> ends)
        hole = begins - taken_before.bit_length() + cells.first(after)
        return len(self._presence.rooms[room_id].service_ids), hole, room_id

    def _found(self, site_id: int, day: date) -> Free | None:
        presence, frame = self._presence, self._presence.frame(site_id, day)
        retired_from = self._service.retired_from
        if frame is None or self.minutes % 5 or not self._length:
            return None
        if retired_from is not None and day >= retired_from:
            return None
        opened = presence.open_cells(site_id, frame)
        if not opened:
            return None
        clocks = self.clocks(site_id, day)
        before, after = cells.touched_by(clocks.preparation), cells.touched_by(clocks.turnover)
        reaches_over = opened >> max(0, frame.size - self._length - after)
        reaches_back = opened & cells.between(0, before)
        whole = _Stretch(presence.frame, site_id, frame, is_long=bool(reaches_over | reaches_back))
        if whole.span is not frame:
            opened = whole.joined(presence.open_cells, site_id)
        return self._starts(whole, site_id, opened, before, after)

    def _starts(
        self, whole: _Stretch, site_id: int, opened: int, before: int, after: int
    ) -> Free | None:
        presence, frame = self._presence, whole.frame
        margin, severity = self._travel(site_id, frame.day)
        taken = self._occupancy.taken(site_id, whole.span, margin=margin, without=self._gone)
        rooms = self._rooms(site_id, whole)
        usable = rooms.lanes.without(taken.rooms(rooms.ids))
        has_room = usable.runs(before + self._length + after).any() << before
        stays_open = cells.runs(opened, self._length)
        grid = cells.grid(frame, presence.sites[site_id].grid_minutes)
        allowed = (has_room & stays_open) >> whole.first & grid
        if not allowed:
            return None
        staff = self._staff(site_id, whole)
        busy, near_others = taken.providers(staff.ids)
        travels, noted = {}, set()
        for place, travel in near_others.items():
            if severity in HARD:
                busy[place] |= travel
            elif severity is Severity.INFO:
                noted.add(staff.ids[place])
            else:
                travels[place] = travel
        free = staff.lanes.without(busy)
        starts = free.runs(self._length)
        anybody = starts.any() >> whole.first & allowed
        if not anybody:
            return None
        warned = {}
        for place, travel in travels.items():
            unwarned = cells.runs(free.of(place) & ~travel, self._length)
            warned[staff.ids[place]] = (starts.of(place) & ~unwarned) >> whole.first & anybody
        found = _Starts(staff.ids, starts, whole.first, anybody, warned)
        return Free(frame, found, Present(rooms.ids, usable), noted=frozenset(noted))

    def _rooms(self, site_id: int, whole: _Stretch) -> Present:
        """The rooms that can host the service, and the cells in which they may be used."""
        key = (site_id, whole.span.size)
        found = self._always.get(key)
        if found is None:
            presence = self._presence
            ids = presence.rooms_of(self.service_id, site_id)
            found = present(((one, self._usable(one, whole)) for one in ids), whole.span)
            rooms = [presence.rooms[one] for one in ids]
            if not any(room.outages or room.retired_from for room in rooms):
                self._always[key] = found
        return found

    def _usable(self, room_id: int, whole: _Stretch) -> int:
        """The cells in which the room is neither out of service nor, that day, retired."""
        room = self._presence.rooms[room_id]
        if room.retired_from is not None and whole.frame.day >= room.retired_from:
            return 0
        return (
            whole.joined(self._presence.usable_cells, room_id) if room.outages else whole.span.full
        )

    def _staff(self, site_id: int, whole: _Stretch) -> Present:
        """Who may give the service, and the cells in which they work at the site."""
        presence, kind = self._presence, self._service.kind
        if whole.span is whole.frame:
            return presence.staff(self.service_id, site_id, kind, whole.frame)
        both = (
            (one, whole.joined(presence.there_cells, one, site_id))
            for one in presence.providers_of(self.service_id, site_id, kind)
        )
        return present(both, whole.span)

    def _travel(self, site_id: int, day: date) -> tuple[timedelta, Severity]:
        if len(self._presence.sites) < 2:
            return timedelta(0), Severity.INFO
        rule = self._presence.rule(
            "provider.travel_minutes",
            on=day,
            site_id=site_id,
            service_id=self.service_id,
            protocol_id=self._protocol_id,
        )
        is_settled = self._is_travel_settled and rule.severity is Severity.DECIDE
        return timedelta(minutes=rule.value), Severity.INFO if is_settled else rule.severity


class _Stretch:
    """A day as cells; with the days around it where the site is open over midnight."""

    def __init__(
        self,
        frame_of: Callable[[int, date], Frame | None],
        site_id: int,
        frame: Frame,
        *,
        is_long: bool,
    ) -> None:
        self.frame, self.first, self.span = frame, 0, frame
        self._frames: tuple[Frame, ...] = (frame,)
        if is_long:
            before = frame_of(site_id, frame.day - ONE_DAY)
            after = frame_of(site_id, frame.day + ONE_DAY)
            self._frames = tuple(one for one in (before, frame, after) if one is not None)
            self.first = before.size if before is not None else 0
            starts_at, ends_at = self._frames[0].starts_at, self._frames[-1].ends_at
            size = (ends_at - starts_at) // CELL
            self.span = Frame(frame.day, frame.zone, starts_at, ends_at, size, is_usual=False)

    def joined(self, cells_of: Callable[..., int], *ids: int) -> int:
        """Return what holds for these ids on each of its days, as cells of all of them."""
        found = offset = 0
        for one in self._frames:
            found |= cells_of(*ids, one) << offset
            offset += one.size
        return found


def clocks_of(
    service: ServiceFacts, service_id: int, its: Presence, site_id: int, day: date
) -> Clocks:
    """Return the service's own minutes, or those of the rule records where it has none."""

    def minutes(own: int | None, code: str) -> int:
        if own is not None:
            return own
        return int(its.rule(code, on=day, site_id=site_id, service_id=service_id).value)

    preparation = minutes(service.preparation_minutes, "room.preparation_minutes")
    turnover = minutes(service.turnover_minutes, "room.turnover_minutes")
    return _clocks(preparation, turnover, service.walk_minutes)


@lru_cache(maxsize=256)
def _clocks(*minutes: int) -> Clocks:
    return Clocks(*(timedelta(minutes=length) for length in minutes))
