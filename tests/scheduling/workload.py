"""A clinic of a real size, the same on every machine: for the tests beside a solver, and for the benchmarks.

Two sites; P providers, each at one site a day, Monday to Friday 8 to 18 with an hour for lunch; as many rooms;
bookings of 30, 45 and 60 minutes on a grid of 15 fill 65 % of the providers' time.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from planner.scheduling.interval import Interval
from planner.scheduling.preferences import Wishes
from planner.scheduling.timetable import (
    AbsentDays,
    Busy,
    ConsultFact,
    CourseOrder,
    Flight,
    Gap,
    Kind,
    PastSession,
    PatientFacts,
    ProviderFacts,
    RoomFacts,
    RuleSetting,
    ServiceFacts,
    SessionOrder,
    Severity,
    SiteFacts,
    Slot,
    Status,
    Timetable,
    WeeklyHours,
)

ZONE = ZoneInfo("America/New_York")
MONDAY = date(2027, 3, 1)
SITES = (1, 2)
SERVICE, MINUTES, GRID = 1, 45, 15
FILLED = 0.65
PARTS = ((time(8), time(12)), (time(12), time(13)), (time(13), time(18)))  # the middle one is lunch
DAY = timedelta(days=1)
TWO_WEEKS = Gap(floor=11, target=14, soft_max=17)
SIX_WEEKS = Gap(floor=35, target=42, soft_max=49)
PLACES = ("left_calf", "right_calf", "left_ankle", "right_ankle", "left_shin", "right_shin")
WISHES = Wishes(weekdays=frozenset({1, 3}), earliest=time(9), latest=time(16, 30))


def clinic(
    count: int,
    *,
    days: int = 28,
    history_days: int = 0,
    kind: Kind = Kind.SESSION,
    patients: int = 0,
    seed: int = 1,
) -> Timetable:
    """Return the timetable of a clinic with so many providers and rooms.

    ``patients`` are people with a life of their own, numbered down from -1; ``history_days`` is how long before
    the first day there are bookings too.
    """
    horizon = Interval(at(MONDAY, time()), at(MONDAY + days * DAY, time()))
    return Timetable(
        horizon=horizon,
        now=horizon.starts_at,
        sites={
            site: SiteFacts(zone=ZONE.key, grid_minutes=GRID, hours=_weekly(8, 18))
            for site in SITES
        },
        rooms={
            room: RoomFacts(site_id=room % 2 + 1, service_ids=frozenset({SERVICE}))
            for room in range(count)
        },
        providers={provider: _provider(provider) for provider in range(count)},
        services={
            SERVICE: ServiceFacts(
                kind=kind, minutes=MINUTES, preparation_minutes=0, turnover_minutes=0
            )
        },
        rules=RULES,
        busy=tuple(_bookings(count, range(-history_days, days), random.Random(seed))),
        patients={-number: patient(number) for number in range(1, patients + 1)},
    )


def patient(number: int) -> PatientFacts:
    """An adult who is a candidate, and flies, travels, swims and was treated before on days of her own."""
    chance = random.Random(number)

    def some_day(least: int = 3, most: int = 80) -> date:
        return MONDAY + chance.randint(least, most) * DAY

    trip, swim, before = some_day(), some_day(), MONDAY - chance.randint(30, 60) * DAY
    return PatientFacts(
        birth_date=date(1980, 2, 29),
        is_screened=True,
        consults=(ConsultFact(on=MONDAY - 3 * DAY, outcome="candidate"),),
        past_sessions=(
            PastSession(
                on=before, ends_at=at(before, time(10)), zones=frozenset({"left_calf"}), course_id=None,
                number=None,
            ),
        ),
        flights=(Flight(on=some_day(), at=time(18)), Flight(on=some_day())),
        away=(AbsentDays(from_date=trip, until_date=trip + 4 * DAY),),
        events=(AbsentDays(from_date=swim, until_date=swim),),
        stay_until=MONDAY + 170 * DAY,
    )  # fmt: skip


def course(sessions: int, gap: Gap, patient_id: int = -1) -> CourseOrder:
    """Return a course: two weeks apart in a new zone each time, or six weeks apart in the same."""
    is_same = gap is SIX_WEEKS
    rows = tuple(
        SessionOrder(
            number=number,
            minutes=MINUTES,
            gap=gap,
            zones=frozenset({PLACES[0 if is_same else number % len(PLACES)]}),
        )
        for number in range(1, sessions + 1)
    )
    return CourseOrder(
        service_id=SERVICE, sessions=rows, same_zone_gap=SIX_WEEKS, patient_id=patient_id
    )


def again(timetable: Timetable) -> Timetable:
    """Return an equal timetable about which nothing is known yet."""
    return replace(timetable)


def at(day: date, wall: time) -> datetime:
    """The instant, in UTC, of a wall-clock time."""
    return datetime.combine(day, wall, ZONE).astimezone(UTC)


def site_on(provider: int, weekday: int) -> int:
    """Where the provider is that day of the week."""
    return SITES[(provider + weekday) % 2]


def _weekly(
    opens: int, closes: int, days: range | tuple[int, ...] = range(5)
) -> tuple[WeeklyHours, ...]:
    return tuple(WeeklyHours(weekday=day, starts=time(opens), ends=time(closes)) for day in days)


def _provider(number: int) -> ProviderFacts:
    days = {site: tuple(d for d in range(5) if site_on(number, d) == site) for site in SITES}
    return ProviderFacts(
        hours={site: _weekly(8, 18, days[site]) for site in SITES},
        breaks={site: _weekly(12, 13, days[site]) for site in SITES},
        treats=frozenset((SERVICE, site) for site in SITES),
        examines=frozenset(),
    )


def _bookings(count: int, days: range, chance: random.Random) -> Iterator[Busy]:
    numbers = itertools.count(1)
    for day in (MONDAY + number * DAY for number in days):
        for provider in range(count) if day.weekday() < 5 else ():
            for opens, closes in (PARTS[0], PARTS[2]):
                starts_at, end = at(day, opens), at(day, closes)
                while (until := starts_at + timedelta(minutes=chance.choice((30, 45, 60)))) <= end:
                    if chance.random() < FILLED:
                        yield _booked(next(numbers), provider, count, day, starts_at, until)
                    starts_at = until


def _booked(
    number: int, provider: int, count: int, day: date, starts_at: datetime, until: datetime
) -> Busy:
    site = site_on(provider, day.weekday())
    turn = (provider // 2 + day.day) % (count // 2)  # another room every day, never somebody else's
    slot = Slot(
        service_id=SERVICE,
        site_id=site,
        provider_id=provider,
        room_id=turn * 2 + site - 1,
        patient_id=number,
        starts_at=starts_at,
        ends_at=until,
        room_from=starts_at,
        room_until=until,
        patient_until=until,
    )
    return Busy(appointment_id=number, status=Status.BOOKED, slot=slot)


# Records as a clinic makes them, so that rules are looked up and not only shipped.
RULES = tuple(
    RuleSetting(
        code=code, scope="clinic", scope_id=None, value=value, severity=severity,
        effective_from=date(2026, 1, 1),
    )
    for code, value, severity in (
        ("notice.minutes", 1440, Severity.WARN),
        ("provider.travel_minutes", 45, Severity.BLOCK),
        ("flight.within_72h", 96, Severity.WARN),
    )
)  # fmt: skip
