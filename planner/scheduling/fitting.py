"""Where a service of some length fits: free spans of providers and rooms, found by interval subtraction.

What is found here is a superset of what the rules allow: it knows hours and what is booked, nothing of
travel or of the patient's health. Whoever offers a start asks ``rules.conflicts`` first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from planner.scheduling import hours, index, interval
from planner.scheduling.index import Spans
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Busy, Kind, Slot, Timetable


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long before and after it an appointment takes its room and its patient."""

    preparation: timedelta
    turnover: timedelta
    walk: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for, and where."""

    service_id: int
    minutes: int
    within: Interval
    site_ids: tuple[int, ...]
    provider_ids: tuple[int, ...]
    patient_id: int | None = None
    number: int | None = None
    ignoring: frozenset[int] = frozenset()


@lru_cache(maxsize=8)
def of(timetable: Timetable, wanted: Wanted) -> Fitting:
    """Return the free starts of a service: worked out once for the objectives that ask for the same.

    A handful are kept, so that a timetable does not outlive its page by much.
    """
    return Fitting(timetable, wanted)


class Fitting:
    """The free starts of one wanted service on a timetable, day by day, each worked out once."""

    def __init__(self, timetable: Timetable, wanted: Wanted) -> None:
        self._timetable = timetable
        self._wanted = wanted
        self._index = index.of(timetable)
        self._length = timedelta(minutes=wanted.minutes)
        self._taken = _taken(timetable, wanted.ignoring)
        self._provider_spans: dict[tuple[int, int], Spans] = {}
        self._room_spans: dict[int, Spans] = {}
        self._days: dict[tuple[int, date], tuple[tuple[datetime, int], ...]] = {}
        self._clocks: dict[tuple[int, date], Clocks] = {}
        self._providers = {
            site_id: tuple(
                provider_id
                for provider_id in wanted.provider_ids
                if may(timetable, provider_id, wanted.service_id, site_id)
            )
            for site_id in wanted.site_ids
        }
        self._rooms = {site_id: self._capable_rooms(site_id) for site_id in wanted.site_ids}

    def starts(self, site_id: int, day: date) -> tuple[tuple[datetime, int], ...]:
        """Return (start, provider id) of that day at the site, in order, for which some room is free too."""
        key = (site_id, day)
        if key not in self._days:
            self._days[key] = tuple(sorted(self._starts(site_id, day)))
        return self._days[key]

    def slots(self, site_id: int, starts_at: datetime, provider_id: int) -> Iterator[Slot]:
        """Yield the slot in each free room, the tightest first.

        The tightest room hosts the fewest other services, then leaves the smallest hole around it.
        """
        zone = self._timetable.sites[site_id].zone
        clocks = self._clocks_on(site_id, hours.day_of(starts_at, zone))
        ends_at = starts_at + self._length
        room_from, room_until = starts_at - clocks.preparation, ends_at + clocks.turnover
        for room_id in self._free_rooms(site_id, room_from, room_until):
            yield Slot(
                service_id=self._wanted.service_id,
                site_id=site_id,
                provider_id=provider_id,
                room_id=room_id,
                starts_at=starts_at,
                ends_at=ends_at,
                room_from=room_from,
                room_until=room_until,
                patient_until=ends_at + clocks.walk,
                patient_id=self._wanted.patient_id,
                number=self._wanted.number,
            )

    def _starts(self, site_id: int, day: date) -> Iterator[tuple[datetime, int]]:
        site = self._timetable.sites[site_id]
        try:
            bounds = hours.day_bounds(day, site.zone)
        except hours.NoSuchTime:
            return
        clocks, grid = self._clocks_on(site_id, day), timedelta(minutes=site.grid_minutes)
        has_room: dict[datetime, bool] = {}
        for provider_id in self._providers[site_id]:
            spans = self._free_provider(provider_id, site_id)
            for span in spans.within(bounds.starts_at, bounds.ends_at):
                starts_at = _on_grid(max(span.starts_at, bounds.starts_at), bounds.starts_at, grid)
                while starts_at < bounds.ends_at and starts_at + self._length <= span.ends_at:
                    if starts_at not in has_room:
                        has_room[starts_at] = self._has_room(site_id, starts_at, clocks)
                    if has_room[starts_at]:
                        yield starts_at, provider_id
                    starts_at += grid

    def _has_room(self, site_id: int, starts_at: datetime, clocks: Clocks) -> bool:
        from_ = starts_at - clocks.preparation
        until = starts_at + self._length + clocks.turnover
        return any(
            self._free_room(room_id).contain(from_, until) for room_id in self._rooms[site_id]
        )

    def _free_rooms(self, site_id: int, from_: datetime, until: datetime) -> list[int]:
        found = []
        for room_id in self._rooms[site_id]:
            around = self._free_room(room_id).around(from_, until)
            if around is not None:
                hole = around.ends_at - around.starts_at
                found.append((len(self._timetable.rooms[room_id].service_ids), hole, room_id))
        return [room_id for _, _, room_id in sorted(found)]

    def _free_provider(self, provider_id: int, site_id: int) -> Spans:
        key = (provider_id, site_id)
        if key not in self._provider_spans:
            there = interval.intersected(
                self._index.spans.working(provider_id, site_id).spans,
                self._index.spans.open_at(site_id).spans,
            )
            there = interval.intersected(there, (self._wanted.within,))
            taken = self._taken["provider", provider_id]
            self._provider_spans[key] = Spans(interval.subtracted(there, taken))
        return self._provider_spans[key]

    def _free_room(self, room_id: int) -> Spans:
        if room_id not in self._room_spans:
            usable = (_around(self._timetable.horizon),)
            outages = hours.absent(
                self._timetable.rooms[room_id].outages,
                usable[0],
                self._timetable.sites[self._timetable.rooms[room_id].site_id].zone,
            )
            taken = (*outages, *self._taken["room", room_id])
            self._room_spans[room_id] = Spans(interval.subtracted(usable, taken))
        return self._room_spans[room_id]

    def _capable_rooms(self, site_id: int) -> tuple[int, ...]:
        return tuple(
            room_id
            for room_id, room in sorted(self._timetable.rooms.items())
            if room.site_id == site_id and self._wanted.service_id in room.service_ids
        )

    def _clocks_on(self, site_id: int, day: date) -> Clocks:
        key = (site_id, day)
        if key not in self._clocks:
            self._clocks[key] = clocks(self._timetable, self._wanted.service_id, site_id, day)
        return self._clocks[key]


def clocks(timetable: Timetable, service_id: int, site_id: int, day: date) -> Clocks:
    """Return the service's own minutes, or those of the rule records where it has none."""
    service = timetable.services[service_id]

    def minutes(own: int | None, code: str) -> timedelta:
        if own is None:
            rules = index.of(timetable)
            own = int(rules.rule(code, on=day, site_id=site_id, service_id=service_id).value)
        return timedelta(minutes=own)

    return Clocks(
        preparation=minutes(service.preparation_minutes, "room.preparation_minutes"),
        turnover=minutes(service.turnover_minutes, "room.turnover_minutes"),
        walk=timedelta(minutes=service.walk_minutes),
    )


def may(timetable: Timetable, provider_id: int, service_id: int, site_id: int) -> bool:
    """Whether the provider may give the service at the site: treat, for a consult examine, for a review either."""
    provider, key = timetable.providers[provider_id], (service_id, site_id)
    kind = timetable.services[service_id].kind
    if kind is Kind.CONSULT:
        return key in provider.examines
    return key in provider.treats or (kind is Kind.REVIEW and key in provider.examines)


def _taken(
    timetable: Timetable, ignoring: frozenset[int]
) -> defaultdict[tuple[str, int], list[Interval]]:
    taken: defaultdict[tuple[str, int], list[Interval]] = defaultdict(list)
    for busy in _counting(timetable, ignoring):
        slot = busy.slot
        taken["provider", slot.provider_id].append(Interval(*index.clock("provider", busy)))
        taken["room", slot.room_id].append(Interval(*index.clock("room", busy)))
    return taken


def _counting(timetable: Timetable, ignoring: frozenset[int]) -> Iterable[Busy]:
    return (
        busy
        for busy in timetable.busy
        if busy.appointment_id not in ignoring and index.counts(busy, timetable.now)
    )


def _on_grid(at: datetime, midnight: datetime, grid: timedelta) -> datetime:
    return midnight + -((midnight - at) // grid) * grid


def _around(horizon: Interval) -> Interval:
    """A day more on both ends: preparation and turnover may reach over the horizon."""
    return Interval(horizon.starts_at - timedelta(days=1), horizon.ends_at + timedelta(days=1))
