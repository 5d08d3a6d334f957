"""What is news to a patient, and when it may be told: truth tables, across both clock changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from planner.scheduling import hours, telling
from planner.scheduling.telling import Known, News, Quiet

ZONE = "America/New_York"
NIGHT = Quiet(time(20), time(8))
NOON = Quiet(time(12), time(14))
NONE = Quiet(time(0), time(0))


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return hours.instant(day, time(hour, minute), ZONE)


BOOKED = Known(starts_at=at(date(2026, 10, 28), 9), site_id=1, provider_id=1, is_firm=True)
RESERVED = replace(BOOKED, is_firm=False)
LATER = replace(BOOKED, starts_at=at(date(2026, 10, 29), 9))
ELSEWHERE = replace(BOOKED, site_id=2)
OTHER = replace(BOOKED, provider_id=2)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, None, None),
        (None, BOOKED, News.NEW),
        (None, RESERVED, News.NEW),
        (RESERVED, BOOKED, News.NEW),
        (BOOKED, BOOKED, None),
        (BOOKED, LATER, News.MOVED),
        (BOOKED, ELSEWHERE, News.MOVED),
        (RESERVED, LATER, News.MOVED),
        (BOOKED, OTHER, News.PROVIDER),
        (BOOKED, None, News.OFF),
        (RESERVED, None, News.OFF),
    ],
)
def test_what_is_news(before: Known | None, after: Known | None, told: News | None) -> None:
    assert telling.news(before, after) is told


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("held", False), ("reserved", True), ("booked", True), ("arrived", False),
        ("started", False), ("fulfilled", False), ("no_show", False), ("cancelled", False),
        ("released", False),
    ],
)  # fmt: skip
def test_a_patient_counts_on_what_is_reserved_or_booked(status: str, counts: bool) -> None:
    known = telling.known(status, starts_at=BOOKED.starts_at, site_id=1, provider_id=1)
    assert (known is not None) == counts


AUTUMN, SPRING = date(2026, 11, 1), date(2027, 3, 14)  # 25 and 23 hours
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHT, at(AUTUMN - DAY, 19, 59), None),
        (NIGHT, at(AUTUMN - DAY, 20), at(AUTUMN, 8)),
        (NIGHT, at(AUTUMN, 1) + timedelta(hours=1), at(AUTUMN, 8)),  # the second time it is one
        (NIGHT, at(AUTUMN, 7, 59), at(AUTUMN, 8)),
        (NIGHT, at(AUTUMN, 8), None),
        (NIGHT, at(SPRING - DAY, 23), at(SPRING, 8)),
        (NIGHT, at(SPRING, 3), at(SPRING, 8)),
        (Quiet(time(20), time(2, 30)), at(SPRING, 1), at(SPRING, 3)),  # 2:30 does not exist
        (NOON, at(SPRING, 12), at(SPRING, 14)),
        (NOON, at(SPRING, 14), None),
        (NONE, at(SPRING, 0), None),
    ],
)
def test_quiet_hours_end_by_the_clocks_of_the_site(
    quiet: Quiet, now: datetime, until: datetime | None
) -> None:
    assert telling.quiet_until(now, quiet, ZONE) == until


def test_a_night_is_as_long_as_its_clocks_say() -> None:
    waits = [
        telling.send_at(at(day - DAY, 20), NIGHT, ZONE) - at(day - DAY, 20)
        for day in (AUTUMN, SPRING)
    ]
    assert waits == [timedelta(hours=13), timedelta(hours=11)]


@pytest.mark.parametrize(("hour", "waits"), [(9, False), (11, False), (12, True), (15, True)])
def test_what_is_about_the_next_morning_does_not_wait_for_it(hour: int, waits: bool) -> None:
    evening = at(AUTUMN, 21)
    sent = telling.send_at(evening, NIGHT, ZONE, visit=at(AUTUMN + DAY, hour))
    assert (sent != evening) == waits


VISIT = date(2027, 3, 17)  # three days after the clocks went forward
STARTS = at(VISIT, 11)
LONG_AGO = at(VISIT - 60 * DAY, 12)


@pytest.mark.parametrize(
    ("now", "told_at", "due"),
    [
        (at(VISIT - 7 * DAY, 9, 59), LONG_AGO, None),
        (at(VISIT - 7 * DAY, 10), LONG_AGO, 7),
        (at(VISIT - 5 * DAY, 10), LONG_AGO, 7),  # the worker was down: late, but still of use
        (at(VISIT - 2 * DAY, 10), LONG_AGO, 2),
        (at(VISIT, 7, 59), LONG_AGO, 2),
        (at(VISIT, 8), LONG_AGO, 0),  # seven o'clock is quiet
        (at(VISIT, 10), LONG_AGO, 0),
        (at(VISIT, 10, 1), LONG_AGO, None),  # within the last hour
        (at(VISIT - 7 * DAY, 10), at(VISIT - 7 * DAY, 9), None),  # just booked
        (at(VISIT - 2 * DAY, 10), at(VISIT - 7 * DAY, 9), 2),
        (at(VISIT - 2 * DAY, 10), at(VISIT - 3 * DAY, 11), None),  # booked yesterday
        (at(VISIT, 8), at(VISIT - DAY, 17), 0),  # but the morning's still makes sense
        (at(VISIT, 8), at(VISIT - DAY, 21), None),
    ],
)
def test_which_reminder_is_due(now: datetime, told_at: datetime, due: int | None) -> None:
    found = telling.reminder_due(STARTS, (7, 2, 0), NIGHT, ZONE, told_at=told_at, now=now)
    assert found == due


def test_without_reminders_none_is_due() -> None:
    found = telling.reminder_due(STARTS, (), NIGHT, ZONE, told_at=LONG_AGO, now=at(VISIT, 9))
    assert found is None
