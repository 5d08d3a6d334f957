"""Where a service of some length fits: free starts by day, site and provider, as cells.

The mask form of the rules about places and times (``rules.PLACES``): what is found here is what they
allow, as a property test shows. Of the patient it knows nothing: that is for ``verdicts``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from itertools import repeat

from planner.scheduling import cells, free, index, occupancy, stretch
from planner.scheduling.cells import Frame
from planner.scheduling.free import Found, Free, Seat
from planner.scheduling.index import Index
from planner.scheduling.occupancy import Booked, Occupancy
from planner.scheduling.presence import Presence
from planner.scheduling.shelves import Shelf
from planner.scheduling.stretch import Stretch
from planner.scheduling.taken import days_of
from planner.scheduling.timetable import HARD, Busy, ServiceFacts, Severity, Slot, Timetable

ONE_DAY = timedelta(days=1)
MOST_KEPT = 32
"""Services and lengths whose free starts are kept."""
MOST_WISHES = 8
"""Kinds of wishes for which the places of each day are kept, and choices of sites for which its starts are."""

MOST_DAYS = 35
"""Days looked at together."""

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
            for day in days_of(busy.slot.room_from - ONE_DAY, busy.slot.room_until + ONE_DAY)
        )
        return left

    def after(self, changed: Occupancy, days: frozenset[int]) -> Supply:
        """Return the supply on what is booked now; days that the change does not touch are shared."""
        following = object.__new__(Supply)
        following.__dict__.update(self.__dict__)
        following._occupancy = changed
        following._shelves = {key: shelf.after(days) for key, shelf in list(self._shelves.items())}
        following._days = {
            key: free for key, free in self._days.copy().items() if key[1].toordinal() not in days
        }
        following._listed = {
            sites: {day: found for day, found in kept.copy().items() if day not in days}
            for sites, kept in list(self._listed.items())
        }
        return following

    def on(self, site_id: int, day: date, ahead: int = 1) -> Free | None:
        """Return the free starts of the site's day, or None when nothing can start.

        If they have to be found, so are those of up to so many days ``ahead``, this one the first of them: they
        are asked for next, and together they take less than one by one.
        """
        key = (site_id, day)
        if key not in self._days:
            first = day.toordinal()
            days = map(date.fromordinal, range(first, first + min(ahead, MOST_DAYS)))
            self._find(site_id, [day for day in days if (site_id, day) not in self._days])
        return self._days[key]

    def listed(self, site_ids: tuple[int, ...]) -> dict[int, Listed]:
        """Return by day, as an ordinal, what ``starts_of`` has found at these sites so far."""
        kept = self._listed.get(site_ids)
        if kept is None:
            while len(self._listed) >= MOST_WISHES:
                self._listed.pop(next(iter(self._listed)), None)
            kept = self._listed[site_ids] = {}
        return kept

    def starts_of(self, site_ids: tuple[int, ...], day: int, ahead: int = 1) -> Listed:
        """Return (site, start) of all that somebody could take unwarned on a day, site by site."""
        on = date.fromordinal(day)
        found: list[tuple[int, datetime]] = []
        for site_id in site_ids:
            free = self.on(site_id, on, ahead)
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

    def _seat(self, free: Free, site_id: int, cell: int) -> Seat:
        """The tightest free room, and the times: looked for once, whoever starts there."""
        clocks = self.clocks(site_id, free.frame.day)
        begins = free.first + cell - cells.touched_by(clocks.preparation)
        ends = free.first + cell + self._length + cells.touched_by(clocks.turnover)
        wanted = cells.between(begins, ends)
        able = [(room_id, usable) for room_id, usable in free.rooms if usable & wanted == wanted]
        if len(able) > 1:
            # What is booked on the days around is not looked at: which room it is depends on this day alone.
            day = free.frame.full << free.first
            able.sort(key=lambda row: self._tightness(row[0], row[1] & day, begins, ends))
        starts_at = free.frame.instant(cell)
        ends_at = starts_at + self._duration
        return Seat(
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

    def _find(self, site_id: int, days: Iterable[date]) -> None:
        """Find the free starts of days of which they are not known, the earliest first."""
        if self._whole is not None:
            days = self._shared(site_id, days, self._whole)
        found: dict[tuple[int, date], Free | None] = {(site_id, day): None for day in days}
        for whole, opened in self._stretches(site_id, days):
            for its in self._starts(site_id, whole, opened):
                found[site_id, its.frame.day] = its
        self._days.update(found)

    def _shared(self, site_id: int, days: Iterable[date], whole: Supply) -> list[date]:
        """Take over from the whole the days on which nothing is gone; return the others."""
        own: list[date] = []
        others: list[date] = []
        for day in days:
            (own if day.toordinal() in self._touched else others).append(day)
        whole._find(site_id, [day for day in others if (site_id, day) not in whole._days])
        self._days.update({(site_id, day): whole._days[site_id, day] for day in others})
        return own

    def _stretches(self, site_id: int, days: Iterable[date]) -> Iterator[tuple[Stretch, int]]:
        """Yield the days, as many at a time as follow each other and are alike, and when the site is open."""
        presence, retired_from = self._presence, self._service.retired_from
        if self.minutes % 5 or not self._length:
            return
        if retired_from is not None:
            days = [day for day in days if day < retired_from]
        for frames in presence.alike(site_id, days):
            whole = stretch.apart(frames)
            opened = presence.opening(site_id, whole)
            edges = self._edges(site_id, frames[0].day)
            if not opened & whole.repeated(edges):
                yield whole, opened
                continue
            for frame in frames:
                goes_over = presence.open_cells(site_id, frame) & edges(frame)
                its = self._around_midnight(site_id, frame) if goes_over else stretch.apart([frame])
                yield its, presence.opening(site_id, its)

    def _edges(self, site_id: int, day: date) -> Callable[[Frame], int]:
        """The cells in which a site that is open lets a room be taken on the day before or after, too."""
        before, after = self._around(site_id, day)
        at_end = self._length + after
        return lambda frame: (
            cells.between(0, before) | (cells.between(max(0, frame.size - at_end), frame.size))
        )

    def _around_midnight(self, site_id: int, frame: Frame) -> Stretch:
        before, after = (
            self._presence.frame(site_id, frame.day + one) for one in (-ONE_DAY, ONE_DAY)
        )
        return stretch.over_midnight(frame, before, after)

    def _around(self, site_id: int, day: date) -> tuple[int, int]:
        """How many cells a room is taken before a start, and after the end."""
        clocks = self.clocks(site_id, day)
        return cells.touched_by(clocks.preparation), cells.touched_by(clocks.turnover)

    def _starts(self, site_id: int, whole: Stretch, opened: int) -> Iterable[Free]:
        if not opened:
            return ()
        presence, day = self._presence, whole.days[0].frame.day
        grid = partial(cells.grid, minutes=presence.sites[site_id].grid_minutes)
        allowed = cells.runs(opened, self._length) & whole.repeated(grid)
        margin, severity = self._travel(site_id, day)
        taken = self._occupancy.taken(site_id, whole.span, margin=margin, without=self._gone)
        anybody = 0
        starts, warned, noted = [], {}, {}
        for one, there in presence.staff(self.service_id, site_id, self._service.kind, whole):
            busy, travel = taken.provider(one, there)
            left = there & ~(busy | travel if severity in HARD else busy)
            its = cells.runs(left, self._length) & allowed
            if not its:
                continue
            starts.append((one, its))
            anybody |= its
            if severity is Severity.INFO:
                noted[one] = travel
            elif left & travel:
                warned[one] = its & ~cells.runs(left & ~travel, self._length)
        rooms = [(one, usable, taken.room(one)) for one, usable in self._rooms(site_id, whole)]
        before, after = self._around(site_id, day)
        needed, has_room = before + self._length + after, 0
        for _, usable, busy in rooms:
            has_room |= cells.runs(usable & ~busy, needed)
        anybody &= has_room << before
        return free.of_days(whole.days, anybody, Found(starts, warned, noted, rooms))

    def _rooms(self, site_id: int, whole: Stretch) -> list[tuple[int, int]]:
        """The rooms that can host the service, and the cells in which they may be used."""
        found = (
            (one, self._usable(one, whole))
            for one in self._presence.rooms_of(self.service_id, site_id)
        )
        return [room for room in found if room[1]]

    def _usable(self, room_id: int, whole: Stretch) -> int:
        """The cells in which the room is neither out of service nor, on those days, retired."""
        room = self._presence.rooms[room_id]
        if room.retired_from is not None and whole.days[0].frame.day >= room.retired_from:
            return 0
        if not room.outages:
            return whole.span.full
        return whole.joined(partial(self._presence.usable_cells, room_id))

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
