"""What is wished for and what each departure from it costs: the objective of every search.

All costs are whole points. ``docs/scheduling.md`` has the formula in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from planner.scheduling import hours, rulebook
from planner.scheduling.gaps import Drawn
from planner.scheduling.timetable import Slot, Timetable

MINUTE = timedelta(minutes=1)
NEVER = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the patient asks for. Sites, providers and dates are kept; weekdays and hours are wished for.

    ``earliest`` is when a session may start, ``latest`` when it is to be over, both as the site's clocks
    show them. None or empty: no wish.
    """

    site_ids: frozenset[int] | None = None
    provider_ids: frozenset[int] | None = None
    weekdays: frozenset[int] = frozenset()  # 0 = Monday
    earliest: time | None = None
    latest: time | None = None
    not_before: date | None = None
    not_after: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Points per unit of each cost."""

    early: int  # a day before the target
    late: int  # a day after the target
    too_late: int  # a day after the soft max, on top of late
    wait: int  # a day until the first open session
    elapsed: int  # a day between one session and the next: pulls the end date forward
    weekday: int  # a session on a weekday that was not wished for
    outside: int  # a session outside the wished hours, and one point for each quarter of an hour
    site: int  # a session at another site than the one before
    provider: int  # a session with another provider than the one before
    quarters: int  # a quarter of an hour between the times of day of a session and the one before
    weekday_change: int  # a session on another weekday than the one before
    warning: int  # a warning that is not about the gap


OBJECTIVES: Mapping[str, Weights] = {
    name: Weights(**rulebook.SHIPPED[f"proposal.{name}"].value)
    for name in ("order", "soonest", "same_time")
}
"""The weights as shipped; what the clinic has recorded is in ``task.weights_of``."""


class Cost(NamedTuple):
    """One departure from what is wished for: its code, its points, and parameters for the sentence."""

    code: str
    amount: int
    params: Mapping[str, Any]


class Visit(NamedTuple):
    """A slot, with its day, and the minute of that day at which it starts, as the clocks of its site show it."""

    slot: Slot
    day: date
    minute: int


def visit(slot: Slot, timetable: Timetable) -> Visit:
    """Return the slot as the clocks of its site show it."""
    starts = _local(slot, timetable)
    return Visit(slot, starts.date(), starts.hour * 60 + starts.minute)


class Departures:
    """What departures from some wishes cost under some weights."""

    def __init__(self, weights: Weights, wishes: Wishes) -> None:
        self._weights, self._weekdays = weights, wishes.weekdays
        self._earliest, self._latest = _limits(wishes)

    def costs(
        self, visit: Visit, before: Visit | None, drawn: Drawn | None, waits: int
    ) -> tuple[Cost, ...]:
        """Return the costs of one session with their reasons.

        ``before`` is the visit before it, ``waits`` the days until the first open session, 0 for any other.
        """
        weights, (slot, day, minute) = self._weights, visit
        found = []
        if waits:
            found.append(Cost("wait", weights.wait * waits, {"days": waits}))
        if drawn is not None:
            _, off, past = drawn
            if off < 0:
                found.append(Cost("days_early", -off * weights.early, {"days": -off}))
            elif past is not None and (off or past > 0):
                amount = off * weights.late + max(0, past) * weights.too_late
                found.append(Cost("days_late", amount, {"days": off}))
        if self._weekdays and day.weekday() not in self._weekdays:
            found.append(Cost("other_weekday", weights.weekday, {"on": day}))
        ends = minute + (slot.ends_at - slot.starts_at) // MINUTE
        if minute < self._earliest or ends > self._latest:
            outside = max(0, self._earliest - minute) + max(0, ends - self._latest)
            amount = weights.outside + outside // 15
            found.append(Cost("outside_hours", amount, {"minutes": outside}))
        if before is not None:
            was, was_on, was_at = before
            if was.site_id != slot.site_id:
                found.append(Cost("site_change", weights.site, {"site_id": slot.site_id}))
            if was.provider_id != slot.provider_id:
                params = {"provider_id": slot.provider_id}
                found.append(Cost("provider_change", weights.provider, params))
            if weights.weekday_change and was_on.weekday() != day.weekday():
                found.append(Cost("weekday_differs", weights.weekday_change, {"on": day}))
            if weights.quarters:
                apart = abs(was_at - minute)
                amount = weights.quarters * (apart // 15)
                found.append(Cost("time_differs", amount, {"minutes": apart}))
        return tuple([cost for cost in found if cost.amount > 0]) if found else ()


def minutes_off(wishes: Wishes, begins: int, minutes: int) -> int:
    """Return how many minutes too early or too late it is that begins at a minute of the day."""
    earliest, latest = _limits(wishes)
    return max(0, earliest - begins) + max(0, begins + minutes - latest)


def _limits(wishes: Wishes) -> tuple[int, int]:
    """The wished minutes of a day; what no day reaches where nothing is wished for."""
    earliest, latest = wishes.earliest, wishes.latest
    return (
        0 if earliest is None else earliest.hour * 60 + earliest.minute,
        NEVER if latest is None else latest.hour * 60 + latest.minute,
    )


def _local(slot: Slot, timetable: Timetable) -> datetime:
    return hours.local(slot.starts_at, _zone(slot, timetable))


def _zone(slot: Slot, timetable: Timetable) -> str:
    return timetable.sites[slot.site_id].zone
