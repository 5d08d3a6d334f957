"""The public holidays of the United States, computed for any year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from planner.scheduling.timetable import AbsentDays

MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
NEAR_DAYS = 2
KEPT_AS_THEY_FALL = frozenset(
    {"good_friday", "day_after_thanksgiving", "christmas_eve", "new_years_eve"}
)
"""Days on which many close, and that the law does not know: no other day is taken for one on a weekend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day on which a clinic may close; ``observed`` is the weekday the law takes for a weekend day."""

    code: str
    day: date
    observed: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """A closure of the site close to a day (``closure``), or the holiday that the day itself is."""

    code: str
    on: date
    until: date
    reason: str = ""
    is_observed: bool = False  # the holiday itself is on a weekend day beside it


def of_year(year: int) -> tuple[Holiday, ...]:
    """Return the federal holidays (5 U.S.C. 6103) and the usual days beside them, by date."""
    thanksgiving = _nth(year, 11, THURSDAY, 4)
    days = {
        "new_year": date(year, 1, 1),
        "king": _nth(year, 1, MONDAY, 3),
        "presidents": _nth(year, 2, MONDAY, 3),
        "good_friday": _easter(year) - timedelta(days=2),
        "memorial": _last(year, 5, MONDAY),
        "juneteenth": date(year, 6, 19),
        "independence": date(year, 7, 4),
        "labor": _nth(year, 9, MONDAY, 1),
        "columbus": _nth(year, 10, MONDAY, 2),
        "veterans": date(year, 11, 11),
        "thanksgiving": thanksgiving,
        "day_after_thanksgiving": thanksgiving + timedelta(days=1),
        "christmas_eve": date(year, 12, 24),
        "christmas": date(year, 12, 25),
        "new_years_eve": date(year, 12, 31),
    }
    return tuple(
        Holiday(code=code, day=day, observed=day if code in KEPT_AS_THEY_FALL else _observed(day))
        for code, day in sorted(days.items(), key=lambda pair: pair[1])
    )


def nearby(day: date, closures: Iterable[AbsentDays]) -> Iterator[Nearby]:
    """Yield what is worth a word to whoever takes the day: a closure of the site close to it, or a holiday on it.

    Close are two days before and after: then the site is closed while aftercare is at its strictest, or was
    when the patient would have called to move.
    """
    for closure in closures:
        away = (closure.from_date - day).days
        ago = (day - closure.until_date).days
        if 0 < max(away, ago) <= NEAR_DAYS:
            yield Nearby(
                code="closure",
                on=closure.from_date,
                until=closure.until_date,
                reason=closure.reason,
            )
    # The next year's first day may be observed on this year's last.
    for holiday in (*of_year(day.year), *of_year(day.year + 1)[:1]):
        if day in (holiday.day, holiday.observed):
            is_observed = day != holiday.day
            yield Nearby(code=holiday.code, on=day, until=day, is_observed=is_observed)


def _observed(day: date) -> date:
    if day.weekday() == SATURDAY:
        return day - timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == SUNDAY else day


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last(year: int, month: int, weekday: int) -> date:
    end = date(year, month + 1, 1) - timedelta(days=1)
    return end - timedelta(days=(end.weekday() - weekday) % 7)


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar, after the anonymous algorithm of 1876."""
    golden, century, rest = year % 19, year // 100, year % 100
    leaps, skipped = century // 4, century % 4
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moon + 15) % 30
    to_sunday = (32 + 2 * skipped + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


CODES = frozenset(holiday.code for holiday in of_year(2026))
