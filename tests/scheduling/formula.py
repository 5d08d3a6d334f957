"""The objective once more, term by term from dates and clocks: what the search and its reasons are held to."""

from __future__ import annotations

from datetime import date, datetime, time

from planner.scheduling import hours
from planner.scheduling.gaps import Window
from planner.scheduling.preferences import Weights, Wishes
from planner.scheduling.timetable import Slot, Timetable


def of_day(
    weights: Weights, window: Window | None, day: date, *, since: date, is_first: bool
) -> int:
    """Return what the day alone costs: deviation from the target, and waiting."""
    days = (day - since).days
    points = days * (weights.wait if is_first else weights.elapsed)
    if window is None:
        return points
    off = (day - window.target).days
    if off < 0:
        return points - off * weights.early
    if window.soft_max is None:
        return points
    return points + off * weights.late + max(0, (day - window.soft_max).days) * weights.too_late


def of_start(weights: Weights, wishes: Wishes, starts: datetime, minutes: int) -> int:
    """Return what the weekday and the time of day cost; ``starts`` as the site's clocks show it."""
    points = weights.weekday if wishes.weekdays and starts.weekday() not in wishes.weekdays else 0
    begins, outside = _minute(starts), 0
    if wishes.earliest is not None:
        outside += max(0, _minute(wishes.earliest) - begins)
    if wishes.latest is not None:
        outside += max(0, begins + minutes - _minute(wishes.latest))
    return points + (weights.outside + outside // 15 if outside else 0)


def of_change(weights: Weights, before: Slot, slot: Slot, timetable: Timetable) -> int:
    """Return what a change of site, provider, weekday or time of day from the session before costs."""
    was, starts = (
        hours.local(one.starts_at, timetable.sites[one.site_id].zone) for one in (before, slot)
    )
    return (
        weights.site * (before.site_id != slot.site_id)
        + weights.provider * (before.provider_id != slot.provider_id)
        + weights.weekday_change * (was.weekday() != starts.weekday())
        + weights.quarters * (abs(_minute(was) - _minute(starts)) // 15)
    )


def _minute(at: time | datetime) -> int:
    return at.hour * 60 + at.minute
