"""Wall-clock hours and days of a site, and the instants they mean. The only code that knows of clock changes."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from planner.scheduling import interval
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import AbsentDays, ProviderFacts, Timetable, WeeklyHours

ONE_DAY = timedelta(days=1)


class NoSuchTime(ValueError):
    """A wall-clock time that the clocks jump over on that day, or a day a zone never had."""

    def __init__(self, day: date, at: time, zone: str) -> None:
        super().__init__(f"{day} {at} does not exist in {zone}")
        self.day, self.at, self.zone = day, at, zone


class NoSuchZone(ValueError):
    """A name that is no IANA time zone."""


def instant(day: date, at: time, zone: str) -> datetime:
    """Return the UTC instant of a wall-clock time; of an hour that comes twice in autumn, the first.

    Raises NoSuchTime for the hour that spring leaves out.
    """
    try:
        result = _earlier(day, at, zone)
    except OverflowError:
        raise NoSuchTime(day, at, zone) from None
    if local(result, zone).replace(tzinfo=None) != datetime.combine(day, at):
        raise NoSuchTime(day, at, zone)
    return result


def moment(day: date, at: time, zone: str) -> datetime:
    """Return the UTC instant of a wall-clock time; of one that spring leaves out, the jump."""
    return _at_or_after(day, at, zone)


def local(at: datetime, zone: str) -> datetime:
    """Return the same instant as the clocks of ``zone`` show it."""
    return at.astimezone(zone_info(zone))


def day_of(at: datetime, zone: str) -> date:
    """Return the calendar day it is in ``zone`` at this instant."""
    return at.astimezone(zone_info(zone)).date()


@lru_cache(maxsize=8192)
def day_bounds(day: date, zone: str) -> Interval:
    """Return the day from its first instant to the first of the next: 23, 24 or 25 hours."""
    try:
        starts_at = _at_or_after(day, time(), zone)
        ends_at = _at_or_after(day + ONE_DAY, time(), zone)
    except OverflowError:
        raise NoSuchTime(day, time(), zone) from None
    if starts_at >= ends_at:
        raise NoSuchTime(day, time(), zone)
    return Interval(starts_at, ends_at)


def days_of(span: Interval, zone: str) -> Iterator[date]:
    """Yield every calendar day of ``zone`` that shares an instant with the span."""
    day = day_of(span.starts_at, zone)
    while day < date.max and _at_or_after(day, time(), zone) < span.ends_at:
        yield day
        day += ONE_DAY


def after_hours(at: datetime, hours: float) -> datetime:
    """Return the instant that many elapsed hours later: 72 h over a clock change are 72 real hours."""
    return at + timedelta(hours=hours)


def add_months(day: date, months: int) -> date:
    """Return the same day of the month so many calendar months later, or that month's last day.

    30 Nov + 3 months is 28 (or 29) Feb; 31 Mar + 3 months is 30 Jun.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def age_on(day: date, birth_date: date) -> int:
    """Return the completed years of age; who was born on 29 Feb turns older on 1 Mar."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (not had_birthday)


def birthday(birth_date: date, years: int) -> date:
    """Return the first day on which ``age_on`` says so many years."""
    try:
        return birth_date.replace(year=birth_date.year + years)
    except ValueError:
        return date(birth_date.year + years, 3, 1)


def open_at_site(timetable: Timetable, site_id: int) -> tuple[Interval, ...]:
    """Return when the site is open inside the horizon: its weekly hours less its closures."""
    site = timetable.sites[site_id]
    opening = weekly(site.hours, timetable.horizon, site.zone)
    closed = absent(site.closures, timetable.horizon, site.zone)
    return until_retired(
        interval.subtracted(opening, closed), site.retired_from, site.zone, timetable.horizon
    )


def working(timetable: Timetable, provider_id: int, site_id: int) -> tuple[Interval, ...]:
    """Return when the provider works at the site inside the horizon, less breaks and absences."""
    provider, zone = timetable.providers[provider_id], timetable.sites[site_id].zone
    return working_within(provider, site_id, zone, timetable.horizon)


def working_within(
    provider: ProviderFacts, site_id: int, zone: str, span: Interval
) -> tuple[Interval, ...]:
    """Return when the provider works at the site inside the span, less breaks and absences."""
    working_hours = weekly(provider.hours.get(site_id, ()), span, zone)
    away = (
        *weekly(provider.breaks.get(site_id, ()), span, zone),
        *absent(provider.absences, span, zone),
    )
    there = interval.subtracted(working_hours, away)
    return until_retired(there, provider.retired_from, zone, span)


def until_retired(
    spans: tuple[Interval, ...], retired_from: date | None, zone: str, horizon: Interval
) -> tuple[Interval, ...]:
    """Return the spans up to the first day on which it is no longer there."""
    if retired_from is None:
        return spans
    ends_at = _at_or_after(retired_from, time(), zone)
    if ends_at <= horizon.starts_at:
        return ()
    return interval.intersected(spans, (Interval(horizon.starts_at, ends_at),))


def weekly(hours: Iterable[WeeklyHours], horizon: Interval, zone: str) -> tuple[Interval, ...]:
    """Return the instants inside the horizon that weekly wall-clock hours mean, merged.

    A boundary in the hour that spring leaves out moves to the instant the clocks jump.
    """
    by_weekday: dict[int, list[WeeklyHours]] = {}
    for row in hours:
        by_weekday.setdefault(row.weekday, []).append(row)
    spans = (
        span
        for day in days_of(horizon, zone)
        for row in by_weekday.get(day.weekday(), ())
        if holds_on(row, day)
        for span in _between(day, row.starts, row.ends, zone)
    )
    return interval.intersected(spans, (horizon,))


def absent(rows: Iterable[AbsentDays], horizon: Interval, zone: str) -> tuple[Interval, ...]:
    """Return the instants inside the horizon that the absences take away, merged."""
    spans = [span for row in rows for span in _absence(row, horizon, zone)]
    return interval.intersected(spans, (horizon,))


def holds_on(row: WeeklyHours, day: date) -> bool:
    """Whether a weekly range is valid on the day and of its weekday."""
    return (
        row.weekday == day.weekday()
        and (row.valid_from is None or row.valid_from <= day)
        and (row.valid_until is None or day <= row.valid_until)
    )


@lru_cache(maxsize=256)
def zone_info(zone: str) -> ZoneInfo:
    """Return the zone of this IANA name. Raises NoSuchZone."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NoSuchZone(zone) from error


def _absence(row: AbsentDays, horizon: Interval, zone: str) -> Iterator[Interval]:
    first = max(row.from_date, day_of(horizon.starts_at, zone) - ONE_DAY)
    last = min(row.until_date, day_of(horizon.ends_at, zone) + ONE_DAY)
    if first > last:
        return
    if row.starts is None or row.ends is None:
        starts_at = _at_or_after(first, time(), zone)
        ends_at = _at_or_after(last + ONE_DAY, time(), zone)
        if starts_at < ends_at:
            yield Interval(starts_at, ends_at)
        return
    for number in range((last - first).days + 1):
        yield from _between(first + timedelta(days=number), row.starts, row.ends, zone)


def _between(day: date, starts: time, ends: time, zone: str) -> Iterator[Interval]:
    starts_at, ends_at = _at_or_after(day, starts, zone), _at_or_after(day, ends, zone)
    if starts_at < ends_at:
        yield Interval(starts_at, ends_at)


@lru_cache(maxsize=65536)
def _at_or_after(day: date, at: time, zone: str) -> datetime:
    """Return the instant of a wall-clock time, or the jump of the clocks that leaves it out."""
    after = _earlier(day, at, zone)
    if local(after, zone).replace(tzinfo=None) == datetime.combine(day, at):
        return after
    before = datetime.combine(day, at, zone_info(zone)).replace(fold=1).astimezone(UTC)
    offset = local(after, zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        before, after = (
            (before, middle) if local(middle, zone).utcoffset() == offset else (middle, after)
        )
    return after.replace(microsecond=0)


@lru_cache(maxsize=65536)
def _earlier(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, zone_info(zone)).replace(fold=0).astimezone(UTC)
