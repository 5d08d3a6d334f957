"""Where a course may end, followed as a wave, against every place of a day beside every place of the day before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from math import gcd

from hypothesis import given
from hypothesis import strategies as st

from planner.scheduling import availability, course, hours, rosters
from planner.scheduling.distances import NEVER
from planner.scheduling.interval import Interval
from planner.scheduling.options import Option, Places
from planner.scheduling.preferences import OBJECTIVES, Weights, Wishes
from planner.scheduling.reaching import Ends
from planner.scheduling.rosters import Roster
from planner.scheduling.timetable import (
    Busy,
    ConsultFact,
    Kind,
    ProviderFacts,
    ServiceFacts,
    SiteFacts,
    Status,
    WeeklyHours,
)
from tests.scheduling import clinic
from tests.support.effort import examples

SITES, PROVIDERS = (1, 2, 5), (3, 4, 7, 8)
NOTHING = Weights(**dict.fromkeys(Weights.__dataclass_fields__, 0))


@dataclass(frozen=True, kw_only=True)
class Day:
    """The places of a day, its own points, and the sites at which it may not be."""

    options: tuple[Option, ...]
    own: int
    barred: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Course:
    """Days of one session after the other, by the hour or not, and what a change costs."""

    days: tuple[Day, ...]
    weights: Weights
    step: int

    @property
    def roster(self) -> Roster:
        return rosters.of(SITES, PROVIDERS, self.step)

    def ends(self) -> list[Ends]:
        """The ends of each day, of which nothing is known yet."""
        found: list[Ends] = []
        for day in self.days:
            found.append(
                Ends(
                    Places(day.options, self.roster),
                    found[-1] if found else None,
                    self.weights,
                    self.roster,
                    day.own,
                    self.roster.at_sites(day.barred),
                )
            )
        return found


@st.composite
def courses(draw: st.DrawFn) -> Course:
    grid = draw(st.sampled_from([5, 10, 15, 15, 30]))
    points = st.sampled_from([0, 1, 3, 6, 12, 20])
    is_by_the_hour = draw(st.booleans())
    weights = replace(
        NOTHING,
        site=draw(points),
        provider=draw(points),
        quarters=draw(st.integers(1, 5)) if is_by_the_hour else 0,
    )
    odd = draw(st.sampled_from([0, 0, 0, 7]))  # what was placed before may be off the grid
    days = []
    for number in range(draw(st.sampled_from([1, 2, 2, 3, 4]))):
        minutes = st.integers(0, 12).map(lambda at: 540 + at * grid)
        if odd and not number:
            minutes = minutes.map(lambda at: at + odd)
        place = st.tuples(st.sampled_from(SITES), st.sampled_from(PROVIDERS), minutes)
        keys = draw(st.sets(place if is_by_the_hour else place.map(_whole_day), min_size=1))
        days.append(
            Day(
                options=tuple(
                    Option(*key, 0, draw(st.sampled_from([0, 0, 3, 17]))) for key in sorted(keys)
                ),
                own=draw(points),
                barred=draw(st.sampled_from([*[frozenset[int]()] * 4, frozenset(SITES[:1])])),
            )
        )
    step = gcd(grid, rosters.QUARTER, odd) if is_by_the_hour else rosters.DAY
    return Course(days=tuple(days), weights=weights, step=step)


@examples(250, 20_000)
@given(courses(), st.data())
def test_a_wave_comes_to_each_place_at_its_least_cost(course: Course, data: st.DataObject) -> None:
    """Whatever was asked before, and of whichever day."""
    ends, costs = course.ends(), _costs(course)
    assert course.ends()[-1].least() == min(costs[-1].values(), default=NEVER)
    asked = st.tuples(st.sampled_from(range(len(ends))), st.none() | st.integers(0, 60))
    for position, limit in data.draw(st.lists(asked, max_size=6)):
        its, expected = ends[position], costs[position]
        if limit is None:
            least = min(expected.values(), default=NEVER)
            assert its.least() == least
            leaders = {number for number, cost in expected.items() if cost == least}
            assert _numbers(course, position, its.leaders()) == leaders
        else:
            its.know(limit)
            assert _up_to(limit, _known(course, position, its)) == _up_to(limit, expected)
    for position, its in enumerate(ends):
        its.know(NEVER)
        assert _known(course, position, its) == costs[position]


@examples(150, 20_000)
@given(courses(), st.data())
def test_one_came_from_where_it_costs_the_least(course: Course, data: st.DataObject) -> None:
    ends, costs = course.ends(), _costs(course)
    last = len(ends) - 1
    if not last or not costs[last]:
        return
    number = data.draw(st.sampled_from(sorted(costs[last])))
    cost = costs[last][number]
    option, before = course.days[last].options[number], course.days[last - 1].options
    came, was = ends[last].whence(_bit(course, option), cost)
    expected = _first(course, option, cost - course.days[last].own - option.points, costs[last - 1])
    assert (came, was) == (_bit(course, before[expected]), costs[last - 1][expected])


@examples(60, 5_000)
@given(courses(), st.integers(0, 20), st.integers(0, 20))
def test_one_course_is_nowhere_dearer_than_another(course: Course, one: int, other: int) -> None:
    """Two that end on the same day, and whose first days cost something else."""
    first, *rest = course.days
    both = [replace(course, days=(replace(first, own=own), *rest)) for own in (one, other)]
    ours, theirs = (each.ends()[-1] for each in both)
    costs, beside = (_costs(each)[-1] for each in both)
    assert ours.is_nowhere_dearer(theirs) == all(costs[its] <= beside[its] for its in beside)


def test_what_is_dearer_on_one_day_may_be_cheapest_on_the_next() -> None:
    """Staying at the second site costs 3, at the first 17, and to go from there to the second 20."""
    first = (Option(1, 3, 0, 0, 0), Option(2, 3, 0, 0, 3))
    second = (Option(1, 3, 0, 0, 17), Option(2, 3, 0, 0, 0))
    days = tuple(Day(options=one, own=0, barred=frozenset()) for one in (first, second))
    weights = replace(NOTHING, site=20, provider=20)
    ends = Course(days=days, weights=weights, step=rosters.DAY).ends()
    assert ends[-1].least() == 3


def test_a_quarter_of_an_hour_counts_when_it_is_full() -> None:
    """Ten minutes to and ten from are no quarter, twenty at once are one."""
    minutes = (540, 550, 560)
    days = tuple(
        Day(options=(Option(1, 3, minute, 0, 0),), own=0, barred=frozenset()) for minute in minutes
    )
    weights = OBJECTIVES["same_time"]
    slowly = Course(days=days, weights=weights, step=5).ends()
    at_once = Course(days=(days[0], days[2]), weights=weights, step=5).ends()
    assert [its.least() for its in (slowly[-1], at_once[-1])] == [0, weights.quarters]


def _whole_day(key: tuple[int, int, int]) -> tuple[int, int, int]:
    return key[0], key[1], 0


def _costs(course: Course) -> list[dict[int, int]]:
    """By day and number what it costs to end there, every place looked at."""
    found: list[dict[int, int]] = []
    for position, day in enumerate(course.days):
        costs = {}
        for number, option in enumerate(day.options):
            if option.site_id in day.barred:
                continue
            changes = [0]
            if position:
                before = course.days[position - 1].options
                changes = [
                    cost + _change(course, before[its], option) for its, cost in found[-1].items()
                ]
            if changes:
                costs[number] = min(changes) + option.points + day.own
        found.append(costs)
    return found


def _change(course: Course, was: Option, option: Option) -> int:
    weights = course.weights
    return (
        weights.site * (was.site_id != option.site_id)
        + weights.provider * (was.provider_id != option.provider_id)
        + weights.quarters * (abs(was.minute - option.minute) // 15)
    )


def _first(course: Course, option: Option, least: int, before: dict[int, int]) -> int:
    """The number of the place one came from: of equal ones as ``Ends.whence`` says."""
    options, weights = course.days[-2].options, course.weights
    found = []
    for row, change in enumerate(
        (0, weights.provider, weights.site, weights.site + weights.provider)
    ):
        ways = [
            (cost, number)
            for number, cost in before.items()
            if row == 3
            or (row != 2 and options[number].site_id == option.site_id)
            or (row == 2 and not (weights.quarters and options[number].site_id == option.site_id))
            if row in (1, 3) or options[number].provider_id == option.provider_id
            if cost
            + change
            + weights.quarters * (abs(options[number].minute - option.minute) // 15)
            == least
        ]
        if ways:
            found.append(min(ways)[1])
    return min(found) if weights.quarters else found[0]


def _bit(course: Course, option: Option) -> int:
    return course.roster.bit(option.site_id, option.provider_id, option.minute)


def _numbers(course: Course, position: int, bits: int) -> set[int]:
    options = course.days[position].options
    return {number for number, one in enumerate(options) if bits >> _bit(course, one) & 1}


def _known(course: Course, position: int, its: Ends) -> dict[int, int]:
    return {
        number: cost for cost, bits in its.levels for number in _numbers(course, position, bits)
    }


def _up_to(limit: int, costs: dict[int, int]) -> dict[int, int]:
    return {number: cost for number, cost in costs.items() if cost <= limit}


def test_of_two_starts_in_the_hour_that_comes_twice_the_cheaper_is_taken() -> None:
    """On the clock both are at one; before the second the provider still comes from the other site."""
    day = date(2026, 11, 1)
    now = hours.instant(date(2026, 10, 26), time(8), clinic.ZONE)
    first, second = (datetime(2026, 11, 1, hour, tzinfo=UTC) for hour in (5, 6))
    nights = {
        clinic.MIAMI: (WeeklyHours(weekday=6, starts=time(1), ends=time(2)),),
        clinic.AVENTURA: (WeeklyHours(weekday=6, starts=time(1), ends=time(6)),),
    }
    treats = frozenset({(clinic.SESSION, site_id) for site_id in nights})
    timetable = clinic.clinic(
        horizon=Interval(now, now + timedelta(days=7)),
        now=now,
        sites={
            one: SiteFacts(zone=clinic.ZONE, grid_minutes=30, hours=its)
            for one, its in nights.items()
        },
        providers={
            clinic.MD: ProviderFacts(hours=nights, breaks={}, treats=treats, examines=frozenset())
        },
        services={
            clinic.SESSION: ServiceFacts(
                kind=Kind.SESSION, minutes=45, preparation_minutes=0, turnover_minutes=0
            )
        },
        patients={
            clinic.PATIENT: clinic.patient(
                consults=(ConsultFact(on=date(2026, 10, 20), outcome="candidate"),)
            )
        },
        rules=(clinic.rule("provider.travel_minutes", 45, "warn"),),
    )

    def visit(number: int, site_id: int, at: datetime, minutes: int) -> Busy:
        rooms = timetable.rooms.items()
        taken = availability.slot_at(
            timetable,
            service_id=clinic.SESSION,
            site_id=site_id,
            provider_id=clinic.MD,
            room_id=min(one for one, room in rooms if room.site_id == site_id),
            starts_at=at,
            minutes=minutes,
        )
        return Busy(appointment_id=number, status=Status.BOOKED, slot=taken)

    busy = (
        visit(1, clinic.MIAMI, first + timedelta(minutes=50), 5),
        visit(2, clinic.AVENTURA, second + timedelta(minutes=75), 30),
    )
    order = clinic.order(clinic.session(1, minutes=45))
    for objective in OBJECTIVES:
        (best,) = course.propose(
            order,
            replace(timetable, busy=busy),
            Wishes(site_ids=frozenset({clinic.MIAMI})),
            objective=objective,
            k=1,
        )
        assert [one.slot.starts_at for one in best.sessions] == [first], objective
        assert hours.day_of(first, clinic.ZONE) == day
