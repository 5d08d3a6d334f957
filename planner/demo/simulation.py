"""Sixteen months at the front desk, with a clock of their own.

Each appointment is judged by ``rules.conflicts`` at the instant it is made, on a timetable in memory that holds
everything placed so far; only what no rule speaks against is kept. Then chance decides what became of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from planner.db import timetables
from planner.db.engine import reading
from planner.db.models import Protocol
from planner.demo import catalogue, names
from planner.demo.names import Person
from planner.scheduling import availability, hours, rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    Busy,
    Conflict,
    ConsultFact,
    CourseOrder,
    Gap,
    Kind,
    PastSession,
    PatientFacts,
    SessionOrder,
    Severity,
    Slot,
    Status,
    Timetable,
)

if TYPE_CHECKING:
    from planner.demo import Progress, Size

TRIES = 40
KEPT = (Status.FULFILLED, Status.STARTED, Status.BOOKED)
REASONS = {"order": "New zones each time.", "same": "Same zones: results show after six weeks."}
ZONES = (
    "left_calf",
    "right_calf",
    "left_thigh_front",
    "right_thigh_front",
    "left_knee",
    "right_knee",
)
SAME = Gap(floor=28, target=42, soft_max=56)


@dataclass(slots=True, kw_only=True)
class Visit:
    """An appointment of the demo, before there is a row."""

    person: Person
    slot: Slot
    status: Status
    made_at: datetime
    key: str
    uid: str
    course: Course | None = None
    number: int | None = None
    ended_by: str = ""
    confirmed: bool = False
    row_id: int = 0


@dataclass(slots=True, kw_only=True)
class Course:
    """A course of the demo, before there is a row."""

    person: Person
    key: str
    consult: Visit
    protocol_id: int
    zones: str
    gap: Gap
    is_custom: bool
    minutes: int
    count: int
    made_at: datetime
    package: str
    visits: list[Visit] = field(default_factory=list)
    is_ended: bool = False
    is_decided: bool = True
    is_paused: bool = False

    def zones_of(self, number: int) -> tuple[str, ...]:
        """Return the zones of a session: the same each time, or the next ones."""
        if self.zones == "same":
            return ZONES[:2]
        return (ZONES[(number - 1) % len(ZONES)],)


@dataclass
class World:
    """The clinic as it fills up."""

    size: Size
    seed: int
    today: date
    now: datetime
    random: Random = field(init=False)
    people: list[Person] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311  the same clinic for the same seed
        first = self.today - timedelta(days=round(30.4 * self.size.months_before))
        last = self.today + timedelta(days=round(30.4 * self.size.months_after))
        self.first, self.last = first, last
        horizon = Interval(
            datetime(first.year, first.month, first.day, tzinfo=UTC),
            datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2),
        )
        with reading() as session:
            self.base = timetables.load(session, horizon=horizon, now=self.now)
            self.protocols = list(session.query(Protocol).order_by(Protocol.position))
            # Left to what is planted: chance places nothing with them.
            self.withheld_provider = catalogue.leaver(session)
            self.withheld_service = catalogue.one_room_service(session)
        self.by_kind = _by_kind(self)
        self.busy: defaultdict[date, list[Busy]] = defaultdict(list)
        self.days: dict[date, _Day] = {}
        self._next = 1

    def day(self, day: date) -> _Day:
        """Return who works where on a day, worked out once."""
        found = self.days.get(day)
        if found is None:
            found = self.days[day] = _Day(self, day)
        return found

    def number(self) -> int:
        """Return a new number for an appointment in memory."""
        self._next += 1
        return self._next


class _Day:
    """Who works where on one day, and the day's timetable without appointments."""

    def __init__(self, world: World, day: date) -> None:
        zones = {facts.zone for facts in world.base.sites.values()}
        spans = [hours.day_bounds(day, zone) for zone in zones]
        horizon = Interval(min(s.starts_at for s in spans), max(s.ends_at for s in spans))
        self.timetable = replace(world.base, horizon=horizon, busy=())
        every = [
            (provider_id, site_id, span)
            for provider_id, facts in world.base.providers.items()
            for site_id in facts.hours
            for span in hours.working(self.timetable, provider_id, site_id)
        ]
        self.withheld = [shift for shift in every if shift[0] == world.withheld_provider]
        self.shifts = [shift for shift in every if shift[0] != world.withheld_provider]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be placed: for whom, when it is asked for, and with whom if possible."""

    person: Person
    service_id: int
    minutes: int
    made_at: datetime
    facts: PatientFacts
    order: CourseOrder | None = None
    number: int | None = None
    provider_id: int | None = None
    site_id: int | None = None


def run(world: World, progress: Progress) -> None:
    """Fill the whole span, day by day."""
    days = [
        world.first + timedelta(days=offset) for offset in range((world.last - world.first).days)
    ]
    pool = [_newcomer(world) for _ in range(world.size.regulars)]
    for done, day in enumerate(days, start=1):
        if world.day(day).shifts:
            _consults(world, day)
            _others(world, day, pool)
        if done % 7 == 0 or done == len(days):
            progress("booking", done, len(days))


def _consults(world: World, day: date) -> None:
    if day > world.today + timedelta(days=28):
        return
    for _ in range(_count(world, 0.235)):
        person = _newcomer(world)
        consult = _place_consult(world, person, day)
        if consult is None or consult.status is not Status.FULFILLED:
            continue
        if world.random.random() < 0.82:
            _begin_course(world, consult)


def _place_consult(world: World, person: Person, day: date) -> Visit | None:
    service = world.by_kind[Kind.CONSULT][0]
    wanted = Wanted(
        person=person,
        service_id=service,
        minutes=world.base.services[service].minutes,
        made_at=_before(world, day, 1, 10),
        facts=facts_of(person, (), ()),
    )
    return _kept(world, wanted, day, no_show=0.2, cancelled=0.06)


def _others(world: World, day: date, pool: Sequence[Person]) -> None:
    if day > world.today + timedelta(days=40):
        return
    thinner = 1.0 if day <= world.today else 0.6
    for _ in range(_count(world, 0.6 * thinner)):
        person = world.random.choice(pool)
        service = world.random.choice(world.by_kind[Kind.OTHER])
        wanted = Wanted(
            person=person,
            service_id=service,
            minutes=world.base.services[service].minutes,
            made_at=_before(world, day, 1, 20),
            facts=facts_of(person, (), ()),
        )
        _kept(world, wanted, day, no_show=0.05, cancelled=0.1)


def _begin_course(world: World, consult: Visit) -> None:
    """Order a course at the consult and place its sessions, one after the other."""
    roll = world.random.random()
    protocol = world.protocols[1 if 0.55 <= roll < 0.9 else 0]
    is_custom = roll >= 0.9
    gap = Gap(floor=protocol.gap_floor, target=protocol.gap_target, soft_max=protocol.gap_soft_max)
    course = Course(
        person=consult.person,
        key=names.key(world.random),
        consult=consult,
        protocol_id=protocol.id,
        zones=protocol.zones,
        gap=Gap(floor=14, target=21, soft_max=28) if is_custom else gap,
        is_custom=is_custom,
        minutes=world.random.choice((30, 45, 45, 45, 60)),
        count=3,
        made_at=consult.slot.ends_at,
        package=world.random.choice(("", "", "package of 3", "package of 3, deposit due")),
    )
    world.courses.append(course)
    target = _day_of(world, consult.slot) + timedelta(days=world.random.randint(3, 12))
    for number in range(1, course.count + 1):
        visit = _session(world, course, number, target)
        if visit is None or world.random.random() < 0.06:
            course.is_ended = visit is not None and world.random.random() < 0.5
            return
        target = _day_of(world, visit.slot) + timedelta(days=course.gap.target)


def _session(world: World, course: Course, number: int, target: date) -> Visit | None:
    """Place a session; one that is missed or called off is placed again some days later."""
    for _ in range(3):
        visit = _place_session(world, course, number, target)
        if visit is None:
            return None
        course.visits.append(visit)
        if visit.status in KEPT:
            return visit
        target = _day_of(world, visit.slot) + timedelta(days=world.random.randint(2, 7))
    return None


def _place_session(world: World, course: Course, number: int, target: date) -> Visit | None:
    kept = [v for v in course.visits if v.status in KEPT]
    last = kept[-1] if kept else course.consult
    service = world.by_kind[Kind.SESSION][0]
    for offset in (0, 1, 2, 3, 4, 5, 6):
        day = target + timedelta(days=offset)
        if day >= world.last or not world.day(day).shifts:
            continue
        made_at = min(course.made_at, _midnight(day)) if number == 1 else last.made_at
        wanted = Wanted(
            person=course.person,
            service_id=service,
            minutes=course.minutes,
            made_at=made_at,
            facts=facts_of(course.person, (course.consult,), kept),
            order=order_of(world, course, kept),
            number=number,
            provider_id=last.slot.provider_id if world.random.random() < 0.7 else None,
            site_id=course.consult.slot.site_id,
        )
        visit = _kept(world, wanted, day, no_show=0.05, cancelled=0.1)
        if visit is not None:
            visit.course, visit.number = course, number
            return visit
    return None


def _kept(
    world: World, wanted: Wanted, day: date, *, no_show: float, cancelled: float
) -> Visit | None:
    """Place it on the day and let chance say what became of it; None when nothing was free."""
    visit = draft(world, wanted, day, no_show=no_show, cancelled=cancelled)
    if visit is not None:
        keep(world, visit, day)
    return visit


def draft(
    world: World,
    wanted: Wanted,
    day: date,
    *,
    no_show: float = 0,
    cancelled: float = 0,
    allowing: frozenset[str] = frozenset(),
    tries: int = TRIES,
) -> Visit | None:
    """Return a visit on the day that is not in the clinic yet, with what became of it; None: nothing is free."""
    slot = find(world, wanted, day, allowing, tries)
    if slot is None:
        return None
    status = _fate(world, slot, no_show, cancelled)
    return Visit(
        person=wanted.person,
        slot=slot,
        status=status,
        made_at=wanted.made_at,
        key=names.key(world.random),
        uid=f"{world.random.getrandbits(128):032x}@planner.invalid",
        ended_by="patient" if status is Status.CANCELLED else "",
        confirmed=status is Status.FULFILLED or world.random.random() < 0.3,
    )


def keep(world: World, visit: Visit, day: date) -> None:
    """Put the visit into the clinic, where it takes its place."""
    world.visits.append(visit)
    if visit.status in KEPT:
        world.busy[day].append(
            Busy(
                appointment_id=world.number(), status=visit.status, slot=visit.slot, course_id=None
            )
        )


def against(world: World, course: Course, visit: Visit) -> tuple[Conflict, ...]:
    """Return what stands against a session with all others of its course in place."""
    timetable = replace(
        world.day(_day_of(world, visit.slot)).timetable,
        now=visit.made_at,
        patients={
            _patient_id(course.person): facts_of(course.person, (course.consult,), course.visits)
        },
    )
    return rules.conflicts(visit.slot, timetable, order=order_of(world, course, course.visits))


def find(
    world: World, wanted: Wanted, day: date, allowing: frozenset[str], tries: int
) -> Slot | None:
    """Return a start on the day by chance among those free; only what is allowed speaks against it."""
    shifts = _shifts(world, wanted, day)
    if not shifts:
        return None
    timetable = replace(
        world.day(day).timetable,
        now=wanted.made_at,
        busy=tuple(world.busy[day]),
        patients={_patient_id(wanted.person): wanted.facts},
    )
    taken = _taken(world.busy[day])
    for _ in range(tries):
        slot = _draw(world, wanted, timetable, world.random.choice(shifts), taken)
        if slot is None:
            continue
        found = rules.conflicts(slot, timetable, order=wanted.order)
        if all(one.severity is Severity.INFO or one.code in allowing for one in found):
            return slot
    return None


def _shifts(world: World, wanted: Wanted, day: date) -> list[tuple[int, int, Interval]]:
    kind = world.base.services[wanted.service_id].kind

    def may(provider_id: int, site_id: int) -> bool:
        facts = world.base.providers[provider_id]
        allowed = facts.examines if kind is Kind.CONSULT else facts.treats
        return (wanted.service_id, site_id) in allowed

    on = world.day(day)
    able = [
        shift
        for shift in (on.withheld if wanted.provider_id == world.withheld_provider else on.shifts)
        if may(shift[0], shift[1]) and wanted.site_id in (None, shift[1])
    ]
    same = [shift for shift in able if shift[0] == wanted.provider_id]
    return same or able


def _draw(
    world: World,
    wanted: Wanted,
    timetable: Timetable,
    shift: tuple[int, int, Interval],
    taken: Mapping[tuple[str, int], Sequence[Interval]],
) -> Slot | None:
    provider_id, site_id, span = shift
    grid = timedelta(minutes=world.base.sites[site_id].grid_minutes)
    room_left = span.ends_at - span.starts_at - timedelta(minutes=wanted.minutes)
    if room_left < timedelta(0):
        return None
    starts_at = span.starts_at + grid * world.random.randint(0, room_left // grid)
    for room_id in _rooms(world, wanted.service_id, site_id):
        slot = availability.slot_at(
            timetable,
            service_id=wanted.service_id,
            site_id=site_id,
            provider_id=provider_id,
            room_id=room_id,
            starts_at=starts_at,
            minutes=wanted.minutes,
            patient_id=_patient_id(wanted.person),
            number=wanted.number,
        )
        if _is_taken(taken, ("provider", provider_id), slot.starts_at, slot.ends_at):
            return None
        if not _is_taken(taken, ("room", room_id), slot.room_from, slot.room_until):
            return slot
    return None


def _rooms(world: World, service_id: int, site_id: int) -> Iterator[int]:
    """Yield the rooms that can host the service, those that can host the fewest others first."""
    able = [
        (len(facts.service_ids), room_id)
        for room_id, facts in world.base.rooms.items()
        if facts.site_id == site_id and service_id in facts.service_ids
    ]
    return (room_id for _, room_id in sorted(able))


def _taken(busy: Sequence[Busy]) -> dict[tuple[str, int], list[Interval]]:
    found: dict[tuple[str, int], list[Interval]] = {}
    for one in busy:
        slot = one.slot
        found.setdefault(("provider", slot.provider_id), []).append(
            Interval(slot.starts_at, slot.ends_at)
        )
        found.setdefault(("room", slot.room_id), []).append(
            Interval(slot.room_from, slot.room_until)
        )
    return found


def _is_taken(
    taken: Mapping[tuple[str, int], Sequence[Interval]],
    actor: tuple[str, int],
    starts_at: datetime,
    ends_at: datetime,
) -> bool:
    wanted = Interval(starts_at, ends_at)
    return any(span.overlaps(wanted) for span in taken.get(actor, ()))


def order_of(world: World, course: Course, kept: Sequence[Visit]) -> CourseOrder:
    """Return the order of a course of which these are placed."""
    placed = {visit.number: visit for visit in kept}

    def session(number: int) -> SessionOrder:
        plain = SessionOrder(
            number=number,
            minutes=course.minutes,
            gap=course.gap,
            zones=frozenset(course.zones_of(number)),
            is_custom_gap=course.is_custom,
        )
        visit = placed.get(number)
        if visit is None:
            return plain
        if visit.status is Status.FULFILLED:
            return replace(
                plain, done_on=_day_of(world, visit.slot), done_ends_at=visit.slot.ends_at
            )
        return replace(plain, fixed=visit.slot)

    return CourseOrder(
        service_id=world.by_kind[Kind.SESSION][0],
        sessions=tuple(session(number) for number in range(1, course.count + 1)),
        same_zone_gap=SAME,
        patient_id=_patient_id(course.person),
        protocol_id=course.protocol_id,
    )


def facts_of(person: Person, consults: Sequence[Visit], sessions: Sequence[Visit]) -> PatientFacts:
    """Return what the rules know of a person who has had these."""
    return PatientFacts(
        birth_date=person.birth_date,
        is_screened=bool(consults),
        consults=tuple(
            ConsultFact(on=visit.slot.starts_at.date(), outcome="candidate") for visit in consults
        ),
        past_sessions=tuple(
            PastSession(
                on=visit.slot.starts_at.date(),
                ends_at=visit.slot.ends_at,
                zones=frozenset(visit.course.zones_of(visit.number or 1) if visit.course else ()),
                course_id=None,
                number=visit.number,
            )
            for visit in sessions
            if visit.status is Status.FULFILLED and visit.course is None
        ),
        stay_from=person.stay_from,
        stay_until=person.stay_until,
        consents=frozenset({"treatment"}),
    )


def _fate(world: World, slot: Slot, no_show: float, cancelled: float) -> Status:
    if slot.starts_at > world.now:
        return Status.BOOKED
    if slot.ends_at > world.now:
        return Status.STARTED
    roll = world.random.random()
    if roll < no_show:
        return Status.NO_SHOW
    return Status.CANCELLED if roll < no_show + cancelled else Status.FULFILLED


def _newcomer(world: World) -> Person:
    person = names.person(world.random, len(world.people) + 1, world.today)
    world.people.append(person)
    person.row_id = len(world.people)  # until there is a row
    return person


def _patient_id(person: Person) -> int:
    return person.row_id


def _count(world: World, share: float) -> int:
    """Return how many of a kind come on one day: the share of all, give or take."""
    mean = world.size.per_day * share
    spread = world.random.uniform(-0.5, 0.5) * mean
    return max(0, round(mean + spread))


def _before(world: World, day: date, least: int, most: int) -> datetime:
    """Return when something on the day was asked for: some days earlier, never after today."""
    asked = _midnight(day) - timedelta(days=world.random.randint(least, most))
    return min(asked + timedelta(hours=15), world.now)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _day_of(world: World, slot: Slot) -> date:
    return hours.day_of(slot.starts_at, world.base.sites[slot.site_id].zone)


def _by_kind(world: World) -> dict[Kind, list[int]]:
    found: dict[Kind, list[int]] = {}
    for service_id, facts in sorted(world.base.services.items()):
        if service_id != world.withheld_service:
            found.setdefault(facts.kind, []).append(service_id)
    return found
