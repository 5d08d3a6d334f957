"""Free starts within 28 days beside bitsets: the least that an answer to the same question costs.

The clinic: two sites, P providers (one site a day, Monday to Friday 8 to 18, an hour for lunch), as many rooms;
bookings of 30, 45 and 60 minutes fill 65 % of the providers' time.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from benchmarks import measuring
from benchmarks.measuring import Row
from planner.scheduling import availability, hours
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    Busy,
    Kind,
    ProviderFacts,
    RoomFacts,
    ServiceFacts,
    SiteFacts,
    Slot,
    Status,
    Timetable,
    WeeklyHours,
)

ZONE = "America/New_York"
MONDAY = date(2027, 3, 1)
DAYS = 28
SITES = (1, 2)
SERVICE, MINUTES, GRID = 1, 45, 15
FILLED = 0.65
CELL = timedelta(minutes=5)
PARTS = ((time(8), time(12)), (time(12), time(13)), (time(13), time(18)))  # the middle one is lunch
Starts = set[tuple[int, datetime]]


def free(seconds: float) -> Iterator[Row]:
    """Every start of a 45-minute service with a provider and a room at the same site."""
    for count in (4, 16, 64):
        timetable = clinic(count)
        found = {(slot.site_id, slot.starts_at) for slot in _free(timetable)}
        if found != starts_by_bitsets(timetable):
            raise RuntimeError(f"free starts and bitsets disagree for {count} providers")
        yield measuring.beside(
            "free starts, 28 days",
            f"P={count}",
            lambda table=timetable: _free(table),  # type: ignore[misc]
            lambda table=timetable: starts_by_bitsets(table),  # type: ignore[misc]
            seconds=seconds,
            starts=len(found),
            bookings=len(timetable.busy),
        )


def clinic(count: int, seed: int = 1) -> Timetable:
    """Return the timetable of a clinic with so many providers and rooms."""
    chance = random.Random(seed)
    horizon = Interval(_at(MONDAY, time()), _at(MONDAY + timedelta(days=DAYS), time()))
    return Timetable(
        horizon=horizon,
        now=horizon.starts_at,
        sites={
            site: SiteFacts(zone=ZONE, grid_minutes=GRID, hours=_weekly(8, 18)) for site in SITES
        },
        rooms={
            room: RoomFacts(site_id=room % 2 + 1, service_ids=frozenset({SERVICE}))
            for room in range(count)
        },
        providers={provider: _provider(provider) for provider in range(count)},
        services={
            SERVICE: ServiceFacts(
                kind=Kind.OTHER, minutes=MINUTES, preparation_minutes=0, turnover_minutes=0
            )
        },
        busy=tuple(_bookings(count, chance)),
    )


def starts_by_bitsets(timetable: Timetable) -> Starts:
    """Return every start with a free provider and a free room: one integer an actor, a bit per five minutes."""
    first = timetable.horizon.starts_at
    taken: dict[tuple[str, int], int] = defaultdict(int)
    for busy in timetable.busy:
        slot = busy.slot
        taken["provider", slot.provider_id] |= _bits(slot.starts_at, slot.ends_at, first)
        taken["room", slot.room_id] |= _bits(slot.room_from, slot.room_until, first)
    works = {site: [0, 0] for site in SITES}  # by the parity of a provider's number
    opens = 0
    for day in _days():
        morning, noon, evening = (_bits(_at(day, a), _at(day, b), first) for a, b in PARTS)
        opens |= morning | noon | evening
        for parity in (0, 1):
            works[_site_on(parity, day.weekday())][parity] |= morning | evening
    found: Starts = set()
    for site in SITES:
        providers = rooms = 0
        for one in timetable.providers:
            providers |= _runs(works[site][one % 2] & ~taken["provider", one])
        for one, room in timetable.rooms.items():
            if room.site_id == site:
                rooms |= _runs(opens & ~taken["room", one])
        found |= {(site, first + CELL * cell) for cell in _on_grid(providers & rooms)}
    return found


def _free(timetable: Timetable) -> tuple[Slot, ...]:
    return availability.free_slots(timetable, service_id=SERVICE, interval=timetable.horizon)


def _at(day: date, at: time) -> datetime:
    return hours.instant(day, at, ZONE)


def _weekly(
    opens: int, closes: int, days: range | tuple[int, ...] = range(5)
) -> tuple[WeeklyHours, ...]:
    return tuple(WeeklyHours(weekday=day, starts=time(opens), ends=time(closes)) for day in days)


def _site_on(provider: int, weekday: int) -> int:
    return SITES[(provider + weekday) % 2]


def _provider(number: int) -> ProviderFacts:
    days = {site: tuple(d for d in range(5) if _site_on(number, d) == site) for site in SITES}
    return ProviderFacts(
        hours={site: _weekly(8, 18, days[site]) for site in SITES},
        breaks={site: _weekly(12, 13, days[site]) for site in SITES},
        treats=frozenset((SERVICE, site) for site in SITES),
        examines=frozenset(),
    )


def _bookings(count: int, chance: random.Random) -> Iterator[Busy]:
    numbers = itertools.count(1)
    for day in _days():
        for provider in range(count):
            for opens, closes in (PARTS[0], PARTS[2]):
                at, end = _at(day, opens), _at(day, closes)
                while (until := at + timedelta(minutes=chance.choice((30, 45, 60)))) <= end:
                    if chance.random() < FILLED:
                        yield _booked(next(numbers), provider, count, at, until)
                    at = until


def _booked(number: int, provider: int, count: int, at: datetime, until: datetime) -> Busy:
    day = hours.day_of(at, ZONE)
    site = _site_on(provider, day.weekday())
    turn = (provider // 2 + day.day) % (count // 2)  # another room every day, never somebody else's
    slot = Slot(
        service_id=SERVICE,
        site_id=site,
        provider_id=provider,
        room_id=turn * 2 + site - 1,
        patient_id=number,
        starts_at=at,
        ends_at=until,
        room_from=at,
        room_until=until,
        patient_until=until,
    )
    return Busy(appointment_id=number, status=Status.BOOKED, slot=slot)


def _days() -> Iterator[date]:
    days = (MONDAY + timedelta(days=offset) for offset in range(DAYS))
    return (day for day in days if day.weekday() < 5)


def _bits(starts_at: datetime, ends_at: datetime, first: datetime) -> int:
    start, end = (starts_at - first) // CELL, (ends_at - first) // CELL
    return (1 << end) - (1 << start)


def _runs(free: int) -> int:
    """Return the cells at which so many free ones begin as the service is long."""
    for shift in (1, 2, 4, 1):  # 1 + 1 + 2 + 4 + 1 = nine cells
        free &= free >> shift
    return free


def _on_grid(cells: int) -> Iterator[int]:
    text = bin(cells)[:1:-1]
    step = GRID // 5
    return (cell for cell in range(0, len(text), step) if text[cell] == "1")
