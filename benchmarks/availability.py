"""Free starts within 28 days beside bitsets: the least that an answer to the same question costs.

The clinic is that of ``tests.scheduling.workload``; every start is one with a provider and a room at the same site.
Cold is a timetable about which nothing is known yet, warm one that has been asked before; so for the bitsets. With a
provider and a room named for each start there is no floor: nobody else answers that.
"""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from benchmarks import measuring
from benchmarks.measuring import Row
from planner.scheduling import availability
from planner.scheduling.timetable import Kind, Slot, Timetable
from tests.scheduling import workload
from tests.scheduling.workload import DAY, GRID, MONDAY, PARTS, SERVICE, SITES

DAYS = 28
SIZES = (4, 16, 64)
HISTORY = 10 * DAYS  # as long ago as to make ten times as many older appointments
CELL = timedelta(minutes=5)
Starts = set[tuple[int, datetime]]


def free(seconds: float) -> Iterator[Row]:
    """Every start of a 45-minute service, cold and warm, with whom and where, and how the time grows."""
    warm: dict[int, float] = {}
    for count in SIZES:
        timetable = clinic(count)
        bits = Bitsets(timetable)
        found = _free(timetable)
        slots = _slots(timetable)
        named = {(slot.site_id, slot.starts_at) for slot in slots}
        if not set(found) == named == bits.starts():
            raise RuntimeError(f"free starts and bitsets disagree for {count} providers")
        facts = {"starts": len(found), "bookings": len(timetable.busy)}
        yield measuring.beside(
            "free starts, 28 days, cold",
            f"P={count}",
            lambda table=timetable: _free(workload.again(table)),  # type: ignore[misc]
            lambda table=timetable: Bitsets(table).starts(),  # type: ignore[misc]
            seconds=seconds,
            megabytes=_megabytes(timetable),
            **facts,
        )
        row = measuring.beside(
            "free starts, 28 days, warm",
            f"P={count}",
            lambda table=timetable: _free(table),  # type: ignore[misc]
            bits.starts,
            seconds=seconds,
            **facts,
        )
        warm[count] = row.ours_ms
        yield replace(row, facts=row.facts | measuring.growth(warm))
        for name, patient_id in (("", None), (" for a patient", -1)):
            yield measuring.alone(
                f"free slots{name}, warm",
                f"P={count}",
                lambda table=timetable, patient_id=patient_id: _slots(table, patient_id),  # type: ignore[misc]
                seconds=seconds,
                slots=len(slots),
            )
    yield from _with_history(seconds)


def clinic(count: int, history_days: int = 0) -> Timetable:
    """Return the timetable with so many providers and rooms, whatever the notice."""
    found = workload.clinic(
        count, days=DAYS, history_days=history_days, kind=Kind.SESSION, patients=1
    )
    return replace(found, rules=())


class Bitsets:
    """One integer an actor, a bit per five minutes: what is taken, and when who works."""

    def __init__(self, timetable: Timetable) -> None:
        self.first = timetable.horizon.starts_at
        self.timetable = timetable
        taken = {("provider", one): 0 for one in timetable.providers}
        taken |= {("room", one): 0 for one in timetable.rooms}
        for busy in timetable.busy:
            slot = busy.slot
            if slot.room_until > self.first:
                taken["provider", slot.provider_id] |= self._bits(slot.starts_at, slot.ends_at)
                taken["room", slot.room_id] |= self._bits(slot.room_from, slot.room_until)
        works = {site: [0, 0] for site in SITES}  # by the parity of a provider's number
        opens = 0
        for day in _days():
            morning, noon, evening = (self._wall(day, part) for part in PARTS)
            opens |= morning | noon | evening
            for parity in (0, 1):
                works[workload.site_on(parity, day.weekday())][parity] |= morning | evening
        self.providers = {
            site: [works[site][one % 2] & ~taken["provider", one] for one in timetable.providers]
            for site in SITES
        }
        self.rooms = {
            site: [
                opens & ~taken["room", one]
                for one, room in timetable.rooms.items()
                if room.site_id == site
            ]
            for site in SITES
        }

    def starts(self) -> Starts:
        """Return every start with a free provider and a free room."""
        found: Starts = set()
        for site in SITES:
            providers = rooms = 0
            for bits in self.providers[site]:
                providers |= _runs(bits)
            for bits in self.rooms[site]:
                rooms |= _runs(bits)
            found |= {(site, self.first + CELL * cell) for cell in _on_grid(providers & rooms)}
        return found

    def _wall(self, day: date, part: tuple[time, time]) -> int:
        return self._bits(*(workload.at(day, wall) for wall in part))

    def _bits(self, starts_at: datetime, ends_at: datetime) -> int:
        start, end = ((at - self.first) // CELL for at in (starts_at, ends_at))
        return (1 << end) - (1 << start)


def _with_history(seconds: float) -> Iterator[Row]:
    """The same question with ten times as many appointments that are long over."""
    young, old = clinic(16), clinic(16, HISTORY)
    older = len(old.busy) / len(young.busy)
    for name, ours, theirs in (
        ("cold", lambda: _free(workload.again(old)), lambda: _free(workload.again(young))),
        ("warm", lambda: _free(old), lambda: _free(young)),
    ):
        row = measuring.beside(
            f"free starts with history, {name}", "P=16", ours, theirs, seconds=seconds
        )
        exponent = round(math.log(row.ratio or 1) / math.log(older), 2)
        facts = row.facts | {"bookings": len(old.busy), "exponent": exponent, "floor": "no history"}
        yield replace(row, facts=facts)


def _free(timetable: Timetable) -> tuple[tuple[int, datetime], ...]:
    return availability.free_starts(timetable, service_id=SERVICE, interval=timetable.horizon)


def _slots(timetable: Timetable, patient_id: int | None = None) -> tuple[Slot, ...]:
    return availability.free_slots(
        timetable, service_id=SERVICE, interval=timetable.horizon, patient_id=patient_id
    )


def _megabytes(timetable: Timetable) -> float:
    """Return what the process keeps of a timetable that has been asked, beside its own rows."""
    gc.collect()
    tracemalloc.start()
    asked = workload.again(timetable)
    _free(asked)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return round(kept / 1e6, 2)


def _days() -> Iterator[date]:
    days = (MONDAY + offset * DAY for offset in range(DAYS))
    return (day for day in days if day.weekday() < 5)


def _runs(free: int) -> int:
    """Return the cells at which so many free ones begin as the service is long."""
    for shift in (1, 2, 4, 1):  # 1 + 1 + 2 + 4 + 1 = nine cells
        free &= free >> shift
    return free


def _on_grid(cells: int) -> Iterator[int]:
    text = bin(cells)[:1:-1]
    step = GRID // 5
    return (cell for cell in range(0, len(text), step) if text[cell] == "1")
