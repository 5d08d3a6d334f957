"""Booking with several clients: the guarded insert beside an unprotected one, and the whole use case."""

from __future__ import annotations

import itertools
import multiprocessing
import operator
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from time import perf_counter, process_time
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from benchmarks import clinics, measuring
from benchmarks.measuring import Row
from planner.actions.appointments import booking
from planner.actions.placing import Place, Terms
from planner.db import connections, guards, keys, timetables
from planner.db.base import Base
from planner.db.models import Appointment, Patient, Provider, Room, Service
from planner.errors import Unavailable
from planner.scheduling import availability, rulebook
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Severity, Slot
from planner.who import Who
from tools import postgres

CLIENTS = 4
CROWD = 24
WANTED = {"SQLite": 200, "PostgreSQL": 100}
"""Whole bookings a second by the crowd, of which none may wait for more than a second (99 of 100)."""

ROUNDS = 7
GOALS = {"SQLite": 1 / 0.8, "PostgreSQL": 1 / 0.5}
EMPTY_YEARS = datetime(2035, 1, 1, 14, tzinfo=UTC)  # nothing is booked there
DESK = Who(user_id=None, role="receptionist", origin="bench", request_id="bench")
GIVEN = (
    "key", "uid", "status", "course_session_id", "provider_id", "room_id", "site_id", "patient_id",
    "starts_at", "ends_at", "room_from", "room_until", "patient_until",
)  # fmt: skip
WARNINGS = frozenset(rule.code for rule in rulebook.DEFAULTS if rule.severity is Severity.WARN)


@dataclass(frozen=True, slots=True)
class Round:
    """What one client did of one round: when, and how long each operation took in milliseconds."""

    variant: int
    starts_at: float
    ends_at: float
    taken: list[float]
    processor: float = 0  # seconds of it
    refused: int = 0  # bookings that ended as "come back later"


def both(seconds: float) -> Iterator[Row]:
    """Both engines, both durable: what is acknowledged is on the disk."""
    with clinics.copy("M") as guarded, clinics.copy("M") as unprotected:
        yield from _engine("SQLite", guarded, unprotected, seconds)
    with postgres.server(durable=True) as server:
        guarded = clinics.postgres(server, "M")
        yield from _engine("PostgreSQL", guarded, clinics.twin(server, guarded), seconds)


def _engine(name: str, guarded: str, unprotected: str, seconds: float) -> Iterator[Row]:
    with clinics.bare(unprotected) as engine, engine.begin() as connection:
        guards.drop(connection)
    insert = _inserts(name, (guarded, unprotected), seconds)
    yield insert
    several = (CLIENTS, CROWD)
    each = [max(20, round(seconds * 80 / clients)) for clients in several]
    wanted = _wanted(guarded, sum(map(operator.mul, several, each)))
    for clients, number in zip(several, each, strict=True):
        part, wanted = wanted[: clients * number], wanted[clients * number :]
        yield _bookings(name, guarded, part, clients, floor_ms=insert.floor_ms or 0)


def _inserts(name: str, urls: tuple[str, str], seconds: float) -> Row:
    each = max(20, round(seconds * 25))
    rounds = _race(_insert, [(urls, each, number) for number in range(CLIENTS)])
    ours, floor = ([r for r in rounds if r.variant == variant] for variant in (0, 1))
    return _row("guarded insert", name, ours, floor, goal=GOALS[name])


def _bookings(
    name: str, url: str, wanted: Sequence[tuple[int, Place]], clients: int, *, floor_ms: float
) -> Row:
    rounds = _race(_book, [(url, wanted[number::clients]) for number in range(clients)])
    own = _row("whole booking", name, rounds, [], goal=None, clients=clients)
    processor = sum(r.processor for r in rounds) / sum(len(r.taken) for r in rounds)
    facts: dict[str, Any] = {"processor_ms": round(processor * 1000, 2)}
    facts["refused"] = sum(r.refused for r in rounds)
    if clients == CROWD:
        facts["wanted_per_second"] = WANTED[name]
    return measuring.Row(
        name=own.name,
        size=own.size,
        ours_ms=own.ours_ms,
        floor_ms=floor_ms,
        ratio=own.ours_ms / floor_ms,
        facts=own.facts | facts,
    )


def _row(
    name: str,
    engine: str,
    ours: Sequence[Round],
    floor: Sequence[Round],
    *,
    goal: float | None,
    clients: int = CLIENTS,
) -> Row:
    """Return the row whose milliseconds are those of the clock per operation, over all clients."""
    ours_ms = _per_operation(ours, clients)
    floor_ms = _per_operation(floor, clients) if floor else None
    taken = [one for r in ours for one in r.taken]
    return Row(
        name=name,
        size=f"{engine}, {clients} clients",
        ours_ms=ours_ms,
        floor_ms=floor_ms,
        ratio=ours_ms / floor_ms if floor_ms else None,
        goal=goal,
        facts={
            "per_second": round(1000 / ours_ms),
            "client_p50_ms": round(measuring.percentile(taken, 50), 2),
            "client_p95_ms": round(measuring.percentile(taken, 95), 2),
            "client_p99_ms": round(measuring.percentile(taken, 99), 2),
            "runs": len(taken),
        },
    )


def _per_operation(rounds: Sequence[Round], clients: int) -> float:
    """Return the median over the rounds; every client took part in each of them once."""
    ordered = sorted(rounds, key=lambda one: one.starts_at)
    together = [ordered[at : at + clients] for at in range(0, len(ordered), clients)]
    return statistics.median(
        (max(r.ends_at for r in group) - min(r.starts_at for r in group))
        * 1000
        / sum(len(r.taken) for r in group)
        for group in together
    )


def _race(work: Any, parts: Sequence[tuple[Any, ...]]) -> list[Round]:
    """Run the work in a process per part, and return all rounds of all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.booking"])
    start, told = context.Barrier(len(parts), timeout=300), context.Queue()
    clients = [context.Process(target=work, args=(*part, start, told)) for part in parts]
    for client in clients:
        client.start()
    rounds = [one for _ in clients for one in told.get(timeout=600)]
    for client in clients:
        client.join()
    return rounds


def _insert(
    urls: tuple[str, str], each: int, number: int, start: Barrier, told: Queue[list[Round]]
) -> None:
    """Be a client: insert rows of one's own provider, room and patient into one database, then the other."""
    engines = [connections.create(url) for url in urls]
    links = [engine.raw_connection() for engine in engines]
    text, actors = _statement(engines[0]), _actors(engines[0], number)
    is_sqlite = engines[0].dialect.name == "sqlite"
    rounds = []
    for turn in range(ROUNDS):
        rows = [_values(actors, turn * each + one, is_sqlite) for one in range(each)]
        for variant in (0, 1) if turn % 2 else (1, 0):
            cursor, link = links[variant].cursor(), links[variant]
            taken = []
            start.wait()
            starts_at = perf_counter()
            for row in rows:
                began = perf_counter()
                if is_sqlite:
                    cursor.execute("BEGIN IMMEDIATE")
                cursor.execute(text, row)
                link.commit() if not is_sqlite else cursor.execute("COMMIT")
                taken.append((perf_counter() - began) * 1000)
            rounds.append(Round(variant, starts_at, perf_counter(), taken))
    told.put(rounds)


def _book(
    url: str, wanted: Sequence[tuple[int, Place]], start: Barrier, told: Queue[list[Round]]
) -> None:
    """Be a client: book what is wanted, one after the other."""
    with clinics.bare(url):
        warm, rest = wanted[:3], wanted[3:]
        for one in warm:
            _is_booked(one)
        start.wait()
        starts_at, spent = perf_counter(), process_time()
        taken, refused = [], 0
        for one in rest:
            began = perf_counter()
            refused += not _is_booked(one)
            taken.append((perf_counter() - began) * 1000)
        ended = Round(0, starts_at, perf_counter(), taken, process_time() - spent, refused)
        told.put([ended])


def _is_booked(wanted: tuple[int, Place]) -> bool:
    """Book; False where a person would have been asked to come back later."""
    patient_id, place = wanted
    try:
        booking.book(patient_id, place, Terms(acknowledged=WARNINGS), by=DESK, now=clinics.NOW)
    except Unavailable:
        return False
    return True


def _values(actors: tuple[int, ...], number: int, is_sqlite: bool) -> tuple[Any, ...]:
    """Return what makes a copy of an appointment another one: half an hour later than the last."""
    starts_at = EMPTY_YEARS + timedelta(minutes=30 * number)
    ends_at = starts_at + timedelta(minutes=30)
    instants: list[Any] = [starts_at, ends_at, starts_at, ends_at, ends_at]
    if is_sqlite:
        instants = [at.strftime("%Y-%m-%d %H:%M:%S.%f") for at in instants]
    return (keys.new(), keys.uid(), "booked", None, *actors[1:], *instants, actors[0])


def _statement(engine: sa.Engine) -> str:
    """Return the insert of a copy of a row; what ``_values`` gives takes the place of what the row says."""
    others = [
        column.name
        for column in Base.metadata.tables["appointment"].columns
        if column.name not in ("id", *GIVEN)
    ]
    sign = "?" if engine.dialect.name == "sqlite" else "%s"
    into, values = ", ".join((*GIVEN, *others)), ", ".join((*[sign] * len(GIVEN), *others))
    return f"INSERT INTO appointment ({into}) SELECT {values} FROM appointment WHERE id = {sign}"  # noqa: S608


def _actors(engine: sa.Engine, number: int) -> tuple[int, ...]:
    """Return a row to copy, and a provider, a room with its site, and a patient of the client's own."""
    with engine.connect() as connection:
        row, provider, patient, room = (
            connection.execute(sa.select(*columns).order_by(columns[0]).offset(number).limit(1)).one()
            for columns in (
                (Appointment.id,), (Provider.id,), (Patient.id,), (Room.id, Room.site_id),
            )
        )  # fmt: skip
    return (*row, *provider, *room, *patient)


def _wanted(url: str, count: int) -> list[tuple[int, Place]]:
    """Return consults that stand in nobody's way, each of another patient."""
    starts_at = clinics.NOW + timedelta(days=180)
    horizon = Interval(starts_at, starts_at + timedelta(days=7 * (count // 100 + 2)))
    with clinics.bare(url) as engine, sa.orm.Session(engine) as session:
        service = session.scalar(sa.select(Service.id).where(Service.kind == "consult"))
        born = Patient.birth_date < (clinics.TODAY - timedelta(days=20 * 365))
        patients = session.scalars(sa.select(Patient.id).where(born).order_by(Patient.id)).all()
        timetable = timetables.load(session, horizon=horizon, now=clinics.NOW)
    found = availability.free_slots(timetable, service_id=service or 0, interval=horizon)
    apart = itertools.islice(_apart(found), count)
    return [(patient, _place(slot)) for patient, slot in zip(patients, apart, strict=False)]


def _apart(found: Sequence[Slot]) -> Iterator[Slot]:
    """Yield those of which none overlaps another; they come by time."""
    until: dict[tuple[str, int], datetime] = {}
    for slot in found:
        provider, room = ("provider", slot.provider_id), ("room", slot.room_id)
        free_since = max(until.get(one, slot.room_from) for one in (provider, room))
        if free_since <= slot.room_from:
            until[provider], until[room] = slot.ends_at, slot.room_until
            yield slot


def _place(slot: Slot) -> Place:
    return Place(
        service_id=slot.service_id,
        site_id=slot.site_id,
        provider_id=slot.provider_id,
        room_id=slot.room_id,
        starts_at=slot.starts_at,
        minutes=int((slot.ends_at - slot.starts_at).total_seconds() // 60),
    )
