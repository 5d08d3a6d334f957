"""What is wished for and what each departure from it costs: the objective of every search.

All costs are whole points. ``docs/scheduling.md`` has the formula in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from planner.scheduling import hours, rulebook
from planner.scheduling.gaps import Drawn
from planner.scheduling.timetable import Slot, Timetable

MINUTE = timedelta(minutes=1)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One departure from what is wished for: its code, its points, and parameters for the sentence."""

    code: str
    amount: int
    params: Mapping[str, Any] = field(default_factory=dict)


class Visit(NamedTuple):
    """A slot, with its day, and the minute of that day at which it starts, as the clocks of its site show it."""

    slot: Slot
    day: date
    minute: int


def visit(slot: Slot, timetable: Timetable) -> Visit:
    """Return the slot as the clocks of its site show it."""
    starts = _local(slot, timetable)
    return Visit(slot, starts.date(), starts.hour * 60 + starts.minute)


def costs(
    weights: Weights,
    wishes: Wishes,
    visit: Visit,
    *,
    before: Visit | None,
    drawn: Drawn | None,
    waits: int | None,
) -> tuple[Cost, ...]:
    """Return the costs of one session with their reasons; ``waits`` are the days until the first open one."""
    found = []
    if waits:
        found.append(Cost(code="wait", amount=weights.wait * waits, params={"days": waits}))
    if drawn is not None and (drawn.off or (drawn.past or 0) > 0):
        found += _day_costs(weights, drawn.off, drawn.past)
    if wishes.weekdays and visit.day.weekday() not in wishes.weekdays:
        params: dict[str, Any] = {"on": visit.day}
        found.append(Cost(code="other_weekday", amount=weights.weekday, params=params))
    outside = minutes_off(wishes, visit.minute, length(visit.slot))
    if outside:
        amount = weights.outside + outside // 15
        found.append(Cost(code="outside_hours", amount=amount, params={"minutes": outside}))
    if before is not None:
        found += _change_costs(weights, before, visit)
    return tuple([cost for cost in found if cost.amount > 0])


def minutes_off(wishes: Wishes, begins: int, minutes: int) -> int:
    """Return how many minutes too early or too late it is that begins at a minute of the day."""
    outside = 0
    if wishes.earliest is not None:
        outside += max(0, wishes.earliest.hour * 60 + wishes.earliest.minute - begins)
    if wishes.latest is not None:
        outside += max(0, begins + minutes - wishes.latest.hour * 60 - wishes.latest.minute)
    return outside


def _day_costs(weights: Weights, off: int, past: int | None) -> Iterator[Cost]:
    if off < 0:
        yield Cost(code="days_early", amount=-off * weights.early, params={"days": -off})
    elif past is not None:
        amount = off * weights.late + max(0, past) * weights.too_late
        yield Cost(code="days_late", amount=amount, params={"days": off})


def _change_costs(weights: Weights, before: Visit, visit: Visit) -> Iterator[Cost]:
    was, slot = before.slot, visit.slot
    if was.site_id != slot.site_id:
        yield Cost(code="site_change", amount=weights.site, params={"site_id": slot.site_id})
    if was.provider_id != slot.provider_id:
        params = {"provider_id": slot.provider_id}
        yield Cost(code="provider_change", amount=weights.provider, params=params)
    if weights.weekday_change and before.day.weekday() != visit.day.weekday():
        amount = weights.weekday_change
        yield Cost(code="weekday_differs", amount=amount, params={"on": visit.day})
    if weights.quarters:
        apart = abs(before.minute - visit.minute)
        amount = weights.quarters * (apart // 15)
        yield Cost(code="time_differs", amount=amount, params={"minutes": apart})


def length(slot: Slot) -> int:
    """Return the slot's minutes."""
    return (slot.ends_at - slot.starts_at) // MINUTE


def _local(slot: Slot, timetable: Timetable) -> datetime:
    return hours.local(slot.starts_at, _zone(slot, timetable))


def _zone(slot: Slot, timetable: Timetable) -> str:
    return timetable.sites[slot.site_id].zone
