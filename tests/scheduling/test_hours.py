"""Wall-clock hours and the instants they mean, across every clock change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from planner.scheduling import hours
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import AbsentDays, SiteFacts, WeeklyHours
from tests.scheduling import clinic
from tests.scheduling.clinic import MD, MIAMI, ZONE

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
TEN_YEARS = 10 * 366 * 24


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
def test_every_hour_of_ten_years_is_the_one_zoneinfo_says(zone: str) -> None:
    info, at = ZoneInfo(zone), datetime(2025, 1, 1, tzinfo=UTC)
    wrong = []
    for _ in range(TEN_YEARS):
        local = at.astimezone(info)
        expected = at if local.fold == 0 else local.replace(fold=0).astimezone(UTC)
        if hours.instant(local.date(), local.time(), zone) != expected:
            wrong.append(at)
        if hours.day_of(at, zone) != local.date() or hours.local(at, zone) != local:
            wrong.append(at)
        at += timedelta(hours=1)
    assert wrong == []


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
def test_the_days_of_ten_years_leave_no_instant_out(zone: str) -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(3653)]
    bounds = [hours.day_bounds(day, zone) for day in days]
    assert all(one.ends_at == other.starts_at for one, other in pairwise(bounds))


def test_the_hour_that_spring_leaves_out_is_refused() -> None:
    with pytest.raises(hours.NoSuchTime):
        hours.instant(SPRING, time(2, 30), ZONE)


def test_of_the_hour_that_comes_twice_in_autumn_the_first_is_taken() -> None:
    assert hours.instant(AUTUMN, time(1, 30), ZONE) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(("day", "length"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
def test_a_day_has_the_hours_its_clocks_give_it(day: date, length: int) -> None:
    bounds = hours.day_bounds(day, ZONE)
    assert bounds.ends_at - bounds.starts_at == timedelta(hours=length)


def test_a_day_that_begins_with_a_jump_begins_after_it() -> None:
    bounds = hours.day_bounds(SPRING, "America/Havana")
    assert hours.local(bounds.starts_at, "America/Havana").time() == time(1)


def test_a_day_a_zone_never_had_is_refused() -> None:
    with pytest.raises(hours.NoSuchTime):
        hours.day_bounds(date(2011, 12, 30), "Pacific/Apia")


def test_the_last_day_of_all_is_refused_and_not_an_overflow() -> None:
    with pytest.raises(hours.NoSuchTime):
        hours.day_bounds(date.max, ZONE)


def test_a_name_that_is_no_zone_is_refused() -> None:
    with pytest.raises(hours.NoSuchZone):
        hours.instant(SPRING, time(9), "Florida/Miami")


def test_72_hours_over_the_spring_change_end_an_hour_later_by_the_clock() -> None:
    ends_at = clinic.at(date(2026, 3, 7), 14)
    assert hours.after_hours(ends_at, 72) == clinic.at(date(2026, 3, 10), 15)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 3, 31), 3, date(2026, 6, 30)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 3, 15), 3, date(2026, 6, 15)),
        (date(2026, 12, 1), 0, date(2026, 12, 1)),
    ],
)
def test_S19_calendar_months_keep_the_day_or_end_with_the_month(
    day: date, months: int, expected: date
) -> None:
    assert hours.add_months(day, months) == expected


@pytest.mark.parametrize(
    ("day", "age"), [(date(2026, 5, 4), 17), (date(2026, 5, 5), 18), (date(2026, 5, 6), 18)]
)
def test_age_turns_on_the_birthday(day: date, age: int) -> None:
    assert hours.age_on(day, date(2008, 5, 5)) == age


def test_who_was_born_on_a_leap_day_turns_older_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)
    assert hours.birthday(born, 18) == date(2026, 3, 1)
    assert hours.age_on(hours.birthday(born, 18), born) == 18
    assert hours.age_on(date(2026, 2, 28), born) == 17


def _day(day: date) -> Interval:
    return hours.day_bounds(day, ZONE)


def _spans(*ranges: tuple[int, int], day: date = date(2026, 3, 3)) -> tuple[Interval, ...]:
    return tuple(Interval(clinic.at(day, a), clinic.at(day, b)) for a, b in ranges)


def test_opening_hours_are_less_the_closures() -> None:
    closure = AbsentDays(
        from_date=date(2026, 3, 3), until_date=date(2026, 3, 3), starts=time(12), ends=time(13)
    )
    site = SiteFacts(zone=ZONE, grid_minutes=15, hours=clinic.week(), closures=(closure,))
    timetable = clinic.clinic(sites={MIAMI: site}, horizon=_day(date(2026, 3, 3)))
    assert hours.open_at_site(timetable, MIAMI) == _spans((9, 12), (13, 18))


def test_a_provider_works_less_breaks_and_absences() -> None:
    timetable = clinic.clinic(horizon=_day(date(2026, 3, 3)))
    absence = AbsentDays(
        from_date=date(2026, 3, 1), until_date=date(2026, 3, 9), starts=time(16), ends=time(17)
    )
    provider = replace(
        timetable.providers[MD],
        breaks={MIAMI: clinic.week(time(12), time(13))},
        absences=(absence,),
    )
    timetable = replace(timetable, providers={MD: provider})
    assert hours.working(timetable, MD, MIAMI) == _spans((9, 12), (13, 16), (17, 18))


def test_a_provider_who_has_left_works_no_longer() -> None:
    timetable = clinic.clinic()
    provider = replace(timetable.providers[MD], retired_from=date(2026, 3, 4))
    timetable = replace(timetable, providers={MD: provider})
    assert hours.working(timetable, MD, MIAMI)[-1] == _spans((9, 18))[0]


def test_weekly_hours_hold_from_their_first_day_to_their_last() -> None:
    row = WeeklyHours(
        weekday=1,
        starts=time(9),
        ends=time(10),
        valid_from=date(2026, 3, 10),
        valid_until=date(2026, 3, 17),
    )
    found = hours.weekly((row,), clinic.clinic().horizon, ZONE)
    days = [hours.day_of(span.starts_at, ZONE) for span in found]
    assert days == [date(2026, 3, 10), date(2026, 3, 17)]


def test_hours_into_the_gap_of_spring_begin_when_the_clocks_jump() -> None:
    row = WeeklyHours(weekday=6, starts=time(2, 30), ends=time(4))
    (span,) = hours.weekly((row,), _day(SPRING), ZONE)
    assert hours.local(span.starts_at, ZONE).time() == time(3)


def test_an_absence_without_end_is_worked_out_inside_the_horizon_alone() -> None:
    row = AbsentDays(from_date=date(2000, 1, 1), until_date=date(2999, 1, 1))
    horizon = clinic.clinic().horizon
    assert hours.absent((row,), horizon, ZONE) == (horizon,)
