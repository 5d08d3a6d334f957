"""Courses and visits planted with known answers, placed after everything that chance has placed.

``docs/demo.md`` lists them. Each keeps the rules but for what it is there to show; that is decided on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from planner.demo import catalogue, names, simulation
from planner.demo.names import Person
from planner.demo.simulation import Course, Visit
from planner.scheduling import hours
from planner.scheduling.timetable import Conflict, Gap, Kind

if TYPE_CHECKING:
    from planner.demo.simulation import World

NEW_GAPS = (6, 7, 13, 14, 15)
SAME_GAPS = (41, 42, 43)
FUTURES_OF_WHO_LEAVES = 14
LEAVES_AFTER = timedelta(days=7)
OUTAGE_IN = timedelta(days=5)
OUTAGE_DAYS = 3
EIGHTEEN_IN = timedelta(days=20)
BEFORE = timedelta(days=10)
STAYS_FOR, SEASON = timedelta(days=60), timedelta(days=180)
WEEKS_TRIED = 6
DAYS_TRIED = 25
TRIES = 400  # a busy day is looked through more closely than chance would
ANY_GAP = frozenset({"gap.below_floor", "gap.below_target"})


class NoRoom(RuntimeError):
    """What is to be planted found no place: another day or seed is needed."""


@dataclass(slots=True, kw_only=True)
class Planted:
    """What still has to be written once the visits have rows."""

    below_floor: list[tuple[Visit, Conflict]] = field(default_factory=list)
    leaves_on: date | None = None
    outage: tuple[int, date, date] | None = None  # room, first and last day


def plant(world: World) -> Planted:
    """Place all of them in the clinic as it has filled up."""
    done = Planted()
    for days in NEW_GAPS:
        _gap(world, done, days, protocol=0)
    for days in SAME_GAPS:
        _gap(world, done, days, protocol=1)
    _course_of_six(world)
    _turning_18(world)
    for season, saturday in _clock_changes(world):
        _clock_change(world, season, saturday)
    _leaving(world, done)
    _only_room(world, done)
    _waiting(world)
    return done


def _gap(world: World, done: Planted, days: int, *, protocol: int) -> None:
    """Two sessions of one course so many days apart, both to come."""
    course = _ordered(world, _person(world, "Gail", f"Gap {days}"), protocol)
    for week in range(WEEKS_TRIED):
        first = _next_tuesday(world.today) + timedelta(weeks=week)
        visits = _placed(world, course, (first, first + timedelta(days=days)), allowing=ANY_GAP)
        if visits:
            done.below_floor += [
                (visit, conflict)
                for visit in visits
                for conflict in simulation.against(world, course, visit)
                if conflict.code == "gap.below_floor"
            ]
            return
    raise NoRoom(f"two sessions {days} days apart")


def _course_of_six(world: World) -> None:
    """Six sessions two weeks apart: some were held, some are to come."""
    start = _next_tuesday(world.today) - timedelta(weeks=6)
    person = _person(world, "Sixta", "Course-of-Six")
    course = _ordered(world, person, 0, on=start - timedelta(days=4), count=6)
    for offset in range(4):
        days = [start + timedelta(weeks=2 * number, days=offset) for number in range(6)]
        if _placed(world, course, days):
            return
    raise NoRoom("a course of six")


def _turning_18(world: World) -> None:
    """A course that was ordered before the patient is of age; nothing of it is booked yet."""
    born = hours.add_months(world.today + EIGHTEEN_IN, -18 * 12)
    world.courses.append(_ordered(world, _person(world, "Tina", "Turning", born=born), 0))


def _clock_changes(world: World) -> Iterator[tuple[str, date]]:
    """Yield the Saturday before the last change of the clocks of each season in the clinic's span."""
    zone, seen = ZoneInfo(catalogue.ZONE), set()
    day = min(world.last, world.today + timedelta(days=40)) - timedelta(days=1)
    while day > world.first + timedelta(days=30):
        before, after = (
            datetime.combine(on, time(12), tzinfo=zone).utcoffset() or timedelta()
            for on in (day, day + timedelta(days=1))
        )
        season = "Spring" if after > before else "Autumn"
        if before != after and season not in seen:
            seen.add(season)
            yield season, day
        day -= timedelta(days=1)


def _clock_change(world: World, season: str, saturday: date) -> None:
    """A session within 72 hours before the clocks change: 72 hours later it is another hour."""
    on = min(saturday, world.today) - BEFORE
    course = _ordered(world, _person(world, "Clara", f"Clock {season}"), 0, on=on)
    near = (saturday - timedelta(days=back) for back in range(3))
    if not any(_placed(world, course, (day,)) for day in near):
        raise NoRoom(f"a session before the change of clocks in {season.lower()}")


def _leaving(world: World, done: Planted) -> None:
    """Fourteen sessions to come with a provider who is then recorded to leave before the first."""
    done.leaves_on = world.today + LEAVES_AFTER
    for number, count in enumerate((3, 3, 3, 3, 2), start=1):
        person = _person(world, "Lara", f"Leaving {number}")
        course = _ordered(world, person, 0, count=count)
        firsts = (done.leaves_on + timedelta(days=offset) for offset in range(DAYS_TRIED))
        plans = ([first + timedelta(weeks=2 * step) for step in range(count)] for first in firsts)
        with_whom = world.withheld_provider
        if not any(_placed(world, course, days, provider_id=with_whom) for days in plans):
            raise NoRoom("fourteen sessions of one provider")


def _only_room(world: World, done: Planted) -> None:
    """A visit in the only room that can host its service, which then goes out of service."""
    person = _person(world, "Otto", "Only-Room")
    wanted = simulation.Wanted(
        person=person,
        service_id=world.withheld_service,
        minutes=world.base.services[world.withheld_service].minutes,
        made_at=world.now - timedelta(days=2),
        facts=simulation.facts_of(person, (), ()),
    )
    for offset in range(DAYS_TRIED):
        day = world.today + OUTAGE_IN + timedelta(days=offset)
        visit = simulation.draft(world, wanted, day, tries=TRIES)
        if visit is not None:
            simulation.keep(world, visit, day)
            done.outage = (visit.slot.room_id, day, day + timedelta(days=OUTAGE_DAYS - 1))
            return
    raise NoRoom("a visit in the only room")


def _waiting(world: World) -> None:
    """A course whose interval the provider has yet to choose, for somebody who leaves soon; one that rests."""
    undecided = _ordered(world, _person(world, "Una", "Undecided"), 0)
    undecided.person.stay_until = world.today + STAYS_FOR
    undecided.person.stay_from = undecided.person.stay_until - SEASON
    undecided.is_decided = False
    paused = _ordered(world, _person(world, "Petra", "Paused"), 1)
    paused.is_paused = True
    world.courses += [undecided, paused]


def _ordered(
    world: World, person: Person, protocol: int, *, on: date | None = None, count: int = 3
) -> Course:
    """Return a course that a consult on the day, or soon before, has ordered; not yet in the clinic."""
    row = world.protocols[protocol]
    consult = _consult(world, person, on or world.today - BEFORE)
    return Course(
        person=person,
        key=names.key(world.random),
        consult=consult,
        protocol_id=row.id,
        zones=row.zones,
        gap=Gap(floor=row.gap_floor, target=row.gap_target, soft_max=row.gap_soft_max),
        is_custom=False,
        minutes=45,
        count=count,
        made_at=consult.slot.ends_at,
        package="",
    )


def _consult(world: World, person: Person, on: date) -> Visit:
    service_id = world.by_kind[Kind.CONSULT][0]
    for offset in range(DAYS_TRIED):
        day = on - timedelta(days=offset)
        wanted = simulation.Wanted(
            person=person,
            service_id=service_id,
            minutes=world.base.services[service_id].minutes,
            made_at=datetime.combine(day - timedelta(days=3), time(15), tzinfo=UTC),
            facts=simulation.facts_of(person, (), ()),
        )
        visit = simulation.draft(
            world, wanted, day, allowing=frozenset({"patient.age_at_consult"}), tries=TRIES
        )
        if visit is not None:
            simulation.keep(world, visit, day)
            return visit
    raise NoRoom("a consult")


def _placed(
    world: World,
    course: Course,
    days: Sequence[date],
    *,
    allowing: frozenset[str] = frozenset(),
    provider_id: int | None = None,
) -> list[Visit]:
    """Put the first sessions of the course on these days: all of them or none."""
    visits: list[Visit] = []
    for number, day in enumerate(days, start=1):
        wanted = simulation.Wanted(
            person=course.person,
            service_id=world.by_kind[Kind.SESSION][0],
            minutes=course.minutes,
            made_at=course.made_at,
            facts=simulation.facts_of(course.person, (course.consult,), visits),
            order=simulation.order_of(world, course, visits),
            number=number,
            provider_id=provider_id,
        )
        visit = simulation.draft(world, wanted, day, allowing=allowing, tries=TRIES)
        if visit is None:
            return []
        visit.course, visit.number = course, number
        visits.append(visit)
    for visit, day in zip(visits, days, strict=True):
        simulation.keep(world, visit, day)
    course.visits += visits
    world.courses.append(course)
    return visits


def _next_tuesday(today: date) -> date:
    """Return the first Tuesday at least three days on: work, whatever the day is after it."""
    day = today + timedelta(days=3)
    return day + timedelta(days=(1 - day.weekday()) % 7)


def _person(world: World, given: str, family: str, *, born: date = date(1984, 5, 17)) -> Person:
    number = len(world.people) + 1
    person = Person(
        key=names.key(world.random),
        given_name=given,
        family_name=family,
        birth_date=born,
        language="en",
        phone=f"+1305555{100 + world.random.randrange(names.PHONES):04d}",
        email=f"planted{number}@example.com",
        row_id=number,
    )
    world.people.append(person)
    return person
