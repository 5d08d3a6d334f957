"""What a change means to a patient: news, or nothing; and when it may be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from planner.scheduling import hours
from planner.scheduling.timetable import Status

PROMISED = frozenset({Status.RESERVED, Status.BOOKED})
"""What a patient counts on. Of a hold nobody is told, and who has arrived needs no telling."""

TOO_LATE = timedelta(hours=1)
"""So shortly before a visit a reminder is of no use."""
JUST_TOLD = timedelta(hours=24)
JUST_TOLD_SAME_DAY = timedelta(hours=12)
REMIND_AT, MORNING = time(10), time(7)
URGENT = timedelta(hours=4)
"""What is about a visit so soon after the quiet hours does not wait for their end."""


class News(StrEnum):
    """What has become of an appointment since the patient last heard of it."""

    NEW = "new"
    MOVED = "moved"
    PROVIDER = "provider"  # the same time and site
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a patient knows of an appointment that they count on."""

    starts_at: datetime
    site_id: int
    provider_id: int
    is_firm: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours of a site in which no message leaves; equal ends: none."""

    starts: time
    ends: time


def known(status: str, *, starts_at: datetime, site_id: int, provider_id: int) -> Known | None:
    """Return what a patient counts on of an appointment in this state, or None."""
    if Status(status) not in PROMISED:
        return None
    return Known(
        starts_at=starts_at,
        site_id=site_id,
        provider_id=provider_id,
        is_firm=Status(status) is Status.BOOKED,
    )


def news(before: Known | None, after: Known | None) -> News | None:
    """Return what there is to tell somebody who knew ``before``, or None."""
    if before is None or after is None:
        return None if before is after else News.OFF if after is None else News.NEW
    if (before.starts_at, before.site_id) != (after.starts_at, after.site_id):
        return News.MOVED
    if after.is_firm and not before.is_firm:
        return News.NEW
    return News.PROVIDER if before.provider_id != after.provider_id else None


def without_provider(before: Known | None, after: Known | None) -> Known | None:
    """Return ``before`` as if it had been with the provider of ``after``: a swap nobody is told of."""
    if before is None or after is None:
        return before
    return replace(before, provider_id=after.provider_id)


def send_at(
    earliest: datetime, quiet: Quiet, zone: str, *, visit: datetime | None = None
) -> datetime:
    """Return when a message may leave: at once, or when the quiet hours of the site end.

    With a ``visit`` less than four hours after that end it leaves at once all the same.
    """
    ends_at = quiet_until(earliest, quiet, zone)
    if ends_at is None or (visit is not None and visit < ends_at + URGENT):
        return earliest
    return ends_at


def quiet_until(at: datetime, quiet: Quiet, zone: str) -> datetime | None:
    """Return when the quiet hours that hold at an instant end; None outside of them."""
    if quiet.starts == quiet.ends:
        return None
    today = hours.day_of(at, zone)
    for day in (today - hours.ONE_DAY, today):
        last = day if quiet.starts < quiet.ends else day + hours.ONE_DAY
        starts_at = hours.moment(day, quiet.starts, zone)
        ends_at = hours.moment(last, quiet.ends, zone)
        if starts_at <= at < ends_at:
            return ends_at
    return None


def reminder_due(
    starts_at: datetime,
    days: Iterable[int],
    quiet: Quiet,
    zone: str,
    *,
    told_at: datetime,
    now: datetime,
) -> int | None:
    """Return how many days ahead the reminder is that is due now, or None.

    Of several that are due only the last one still makes sense; none does for whom a message has
    just told of the visit, or shortly before it starts. 0 stands for the morning of the visit.
    """
    if now > starts_at - TOO_LATE:
        return None
    times = {count: _reminder_at(starts_at, count, quiet, zone) for count in days}
    due = [(at, -count) for count, at in times.items() if at <= now]
    if not due:
        return None
    at, count = max(due)
    margin = JUST_TOLD if count else JUST_TOLD_SAME_DAY
    return -count if told_at <= at - margin else None


def _reminder_at(starts_at: datetime, count: int, quiet: Quiet, zone: str) -> datetime:
    day = hours.day_of(starts_at, zone) - count * hours.ONE_DAY
    at = hours.moment(day, REMIND_AT if count else MORNING, zone)
    return send_at(at, quiet, zone)
