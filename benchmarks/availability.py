"""Free starts within 28 days beside bitsets: the least that an answer to the same question costs.

The clinic is that of ``tests.scheduling.workload``; every start is one with a provider and a room at the same site.
Cold is a timetable about which nothing is known yet, warm one that has been asked before; so for the bitsets. With a
provider and a room named for each start there is no floor: nobody else answers that.

Out of a database, cold is all of it: the session, hours and rules, what is booked, and the answer; beside it the floor
reads the same bookings by the driver alone into the same bitsets, its hours given for nothing. It has to make numbers
of times; beside plain numbers it reads a table that holds nothing else.
"""

from __future__ import annotations

import gc
import math
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial

import sqlalchemy as sa

from benchmarks import clinics, measuring, questions, workload_rows
from benchmarks.measuring import Row
from planner.db import engine, occupancies, timetables
from planner.scheduling import availability
from planner.scheduling.timetable import Kind, Slot, Timetable
from tests.scheduling import workload
from tests.scheduling.workload import DAY, GRID, MONDAY, PARTS, SERVICE, SITES
from tools import postgres

DAYS = 28
SIZES = (4, 16, 64)
HISTORY = 10 * DAYS  # as long ago as to make ten times as many older appointments
CELL = timedelta(minutes=5)
GOALS = {4: 3.0, 16: 1.19, 64: 1.09}
"""The largest ratio to the floor that is 150 times as fast as Cal.com's slot algorithm.

Cal.com cannot be run here: where both were measured, it took 449, 178 and 163 times as long as such a floor.
"""
WANTED_MS = {4: 0.0314, 16: 0.0462, 64: 0.1726}
"""The most that a question asked before may take: 1/10,000 of what Cal.com's took, where both were measured."""
Starts = set[tuple[int, datetime]]
Span = tuple[int, int, int, int, int, int]
_TIMES = ("starts_at", "ends_at", "room_from", "room_until")
_FLOOR = "SELECT provider_id, room_id, {} FROM appointment WHERE status = 'booked'"
_PLAIN = "SELECT * FROM plain"
_FLOORS = {
    "sqlite": _FLOOR.format(
        ", ".join(f"(unixepoch({one}) - {{0:.0f}}) / 300 AS {one}" for one in _TIMES)
    ),
    "postgresql": _FLOOR.format(
        ", ".join(
            f"((date_part('epoch', {one}) - {{0:.0f}}) / 300)::integer AS {one}" for one in _TIMES
        )
    ),
}
"""Provider and room of each booking, and from which to which bit it takes them; {0} is the first instant.

The same stands in a table of its own, ``plain``, whose six columns are these numbers.
"""


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
            wanted_ms=WANTED_MS[count],
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


def stored(seconds: float) -> Iterator[Row]:
    """Every start out of either engine, by a process that knows nothing, and by one that knows the hours."""
    with tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            yield from _stored(f"SQLite, P={count}", count, f"sqlite:///{folder}/{count}", seconds)
    with postgres.server(durable=True) as server:
        for count in SIZES:
            url = clinics.empty(server)
            yield from _stored(f"PostgreSQL, P={count}", count, url, seconds)


def _stored(size: str, count: int, url: str, seconds: float) -> Iterator[Row]:
    timetable = clinic(count)
    with clinics.bare(url) as bind:
        workload_rows.write(url, bind, timetable)
        raw = bind.raw_connection()
        read = _FLOORS[bind.dialect.name].format(timetable.horizon.starts_at.timestamp())
        with bind.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE plain AS {read}")
        _settle(bind)

        def ours() -> tuple[tuple[int, datetime], ...]:
            with engine.reading() as session:
                loaded = timetables.load(session, horizon=timetable.horizon, now=timetable.now)
                return _free(loaded)

        def floor(statement: str) -> Starts:
            cursor = raw.cursor()
            cursor.execute(statement)
            return Bitsets(timetable, cursor.fetchall()).starts()

        def cold(forget: Callable[[], None]) -> tuple[tuple[int, datetime], ...]:
            forget()
            return ours()

        if (
            not set(cold(questions.forget))
            == floor(read)
            == floor(_PLAIN)
            == Bitsets(timetable).starts()
        ):
            raise RuntimeError(f"free starts and bitsets disagree in {size}")
        for name, forget, statement in (
            ("cold", questions.forget, read),
            ("hours known", occupancies._KEPT.clear, read),
            ("cold, beside plain numbers", questions.forget, _PLAIN),
        ):
            yield measuring.beside(
                f"free starts, stored, {name}",
                size,
                partial(cold, forget),
                partial(floor, statement),
                seconds=seconds,
                goal=GOALS[count],
                bookings=len(timetable.busy),
            )
        raw.close()


def _settle(bind: sa.Engine) -> None:
    """Do what PostgreSQL's autovacuum would after a while: know the tables, and which pages all may see."""
    if bind.dialect.name == "postgresql":
        with bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


class Bitsets:
    """One integer an actor, a bit per five minutes: what is taken, and when who works.

    ``spans`` are provider and room of each booking, and from which to which bit it takes them.
    """

    def __init__(self, timetable: Timetable, spans: Iterable[Span] | None = None) -> None:
        self.first = timetable.horizon.starts_at
        self.timetable = timetable
        providers = dict.fromkeys(timetable.providers, 0)
        rooms = dict.fromkeys(timetable.rooms, 0)
        for provider, room, start, end, room_start, room_end in spans or self._of_objects():
            providers[provider] |= (1 << end) - (1 << start)
            rooms[room] |= (1 << room_end) - (1 << room_start)
        works = {site: [0, 0] for site in SITES}  # by the parity of a provider's number
        opens = 0
        for day in _days():
            morning, noon, evening = (self._wall(day, part) for part in PARTS)
            opens |= morning | noon | evening
            for parity in (0, 1):
                works[workload.site_on(parity, day.weekday())][parity] |= morning | evening
        self.providers = {
            site: [works[site][one % 2] & ~bits for one, bits in providers.items()]
            for site in SITES
        }
        self.rooms = {
            site: [
                opens & ~bits for one, bits in rooms.items() if timetable.rooms[one].site_id == site
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
        return (1 << self._bit(ends_at)) - (1 << self._bit(starts_at))

    def _bit(self, at: datetime) -> int:
        return (at - self.first) // CELL

    def _of_objects(self) -> Iterator[Span]:
        bit = self._bit
        for busy in self.timetable.busy:
            slot = busy.slot
            if slot.room_until > self.first:
                yield (
                    slot.provider_id, slot.room_id, bit(slot.starts_at), bit(slot.ends_at),
                    bit(slot.room_from), bit(slot.room_until),
                )  # fmt: skip


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
