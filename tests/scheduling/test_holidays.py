"""The holidays of a year fall on the days that calendars print."""

from __future__ import annotations

from datetime import date

import pytest

from planner.scheduling import holidays
from planner.scheduling.timetable import AbsentDays


def test_a_year_has_its_holidays_in_order() -> None:
    days = {holiday.code: holiday.day for holiday in holidays.of_year(2027)}
    assert days == {
        "new_year": date(2027, 1, 1),
        "king": date(2027, 1, 18),
        "presidents": date(2027, 2, 15),
        "good_friday": date(2027, 3, 26),
        "memorial": date(2027, 5, 31),
        "juneteenth": date(2027, 6, 19),
        "independence": date(2027, 7, 4),
        "labor": date(2027, 9, 6),
        "columbus": date(2027, 10, 11),
        "veterans": date(2027, 11, 11),
        "thanksgiving": date(2027, 11, 25),
        "day_after_thanksgiving": date(2027, 11, 26),
        "christmas_eve": date(2027, 12, 24),
        "christmas": date(2027, 12, 25),
        "new_years_eve": date(2027, 12, 31),
    }
    assert list(days.values()) == sorted(days.values())


@pytest.mark.parametrize(
    ("year", "good_friday"),
    [
        (2000, date(2000, 4, 21)),
        (2008, date(2008, 3, 21)),
        (2024, date(2024, 3, 29)),
        (2025, date(2025, 4, 18)),
        (2038, date(2038, 4, 23)),  # the latest Easter there can be: 25 April
    ],
)
def test_good_friday_follows_easter(year: int, good_friday: date) -> None:
    days = {holiday.code: holiday.day for holiday in holidays.of_year(year)}
    assert days["good_friday"] == good_friday


def test_a_holiday_on_a_weekend_is_observed_on_the_nearest_weekday() -> None:
    observed = {holiday.code: holiday.observed for holiday in holidays.of_year(2027)}
    assert (observed["independence"], observed["juneteenth"], observed["veterans"]) == (
        date(2027, 7, 5),
        date(2027, 6, 18),
        date(2027, 11, 11),
    )


@pytest.mark.parametrize(
    ("day", "codes"),
    [
        (date(2027, 8, 7), []),  # three days before the closure
        (date(2027, 8, 8), ["closure"]),
        (date(2027, 8, 9), ["closure"]),
        (date(2027, 8, 10), []),  # within: no start is offered at all
        (date(2027, 8, 15), ["closure"]),
        (date(2027, 8, 16), []),
        (date(2027, 11, 25), ["thanksgiving"]),
        (date(2027, 11, 24), []),
        (date(2027, 7, 5), ["independence"]),  # observed
        (date(2027, 12, 31), ["new_years_eve", "new_year"]),  # the second observed: a Saturday
        (
            date(2028, 12, 25),
            ["christmas"],
        ),  # not the Sunday before it, which the law does not know
        (date(2033, 12, 23), []),
    ],
)
def test_a_closure_close_by_and_a_holiday_on_the_day_are_worth_a_word(
    day: date, codes: list[str]
) -> None:
    closure = AbsentDays(from_date=date(2027, 8, 10), until_date=date(2027, 8, 13), reason="Storm")
    assert [found.code for found in holidays.nearby(day, (closure,))] == codes
