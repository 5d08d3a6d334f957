"""What a search knows of a course whatever is wished for: the same for all objectives of one request."""

from __future__ import annotations

from math import gcd

from planner.scheduling import distances, gaps, index, judging, preferences, rosters, task
from planner.scheduling.rosters import Roster
from planner.scheduling.rules import spells
from planner.scheduling.task import Task
from planner.scheduling.timetable import Slot, Timetable

MOST_KEPT = 64
"""Orders that a timetable remembers the bearings of."""


class Bearings:
    """What follows from an order and the facts about its patient.

    ``sessions`` are those that have or are to get a place, by number; ``rows`` is what each is measured
    against, ``numbered`` what the rules look at of it, and ``fixed`` its day, as an ordinal, when it has one.
    ``standing`` are the days of all that are done or have a place, by number; ``placed`` the latter's numbers,
    and ``is_in_order`` whether their days are in the order of their numbers. ``rosters`` have all places that a
    session may have: the first by provider and site, the second by the time of day too.
    """

    def __init__(self, asked: Task) -> None:
        order = asked.order
        rows = sorted(order.sessions, key=lambda row: row.number)
        self.sessions = tuple([row for row in rows if row.done_on is None])
        self.past, self.spacing = task.past_of(asked), task.spacing_of(asked.timetable, order)
        self.latest_past = max([row.on.toordinal() for row in self.past], default=0)
        self.rows = distances.rows_of(order, self.sessions, self.past, self.spacing)
        self.ruler = gaps.Ruler(order, self.past, self.spacing)
        self.numbered = tuple(
            [spells.of_session(order, row.number, asked.ignoring) for row in self.sessions]
        )
        self.standing = judging.days(order, {}, asked.timetable)
        days = {number: day.toordinal() for number, day in self.standing.items()}
        self.fixed = tuple([days.get(row.number) for row in self.sessions])
        placed = [day for day in self.fixed if day is not None]
        self.is_in_order = placed == sorted(placed)
        self.placed = frozenset([row.number for row in rows if row.fixed is not None])
        self.has_appointments = any(row.appointment_id is not None for row in rows)
        self._done = [row for row in reversed(rows) if row.done_at is not None]
        self.rosters = self._rosters(asked.timetable)

    def done_before(self, number: int) -> Slot | None:
        """Return where the last session before one took place, when that is known."""
        return next((row.done_at for row in self._done if row.number < number), None)

    def _rosters(self, timetable: Timetable) -> tuple[Roster, Roster]:
        before = self.done_before(self.sessions[0].number) if self.sessions else None
        slots = [slot for slot in (before, *(row.fixed for row in self.sessions)) if slot]
        minutes = [preferences.visit(slot, timetable).minute for slot in slots]
        site_ids = tuple(sorted(timetable.sites))
        provider_ids = {*timetable.providers, *(slot.provider_id for slot in slots)}
        grids = [site.grid_minutes for site in timetable.sites.values()]
        everyone = tuple(sorted(provider_ids))
        return (
            rosters.of(site_ids, everyone, rosters.DAY),
            rosters.of(site_ids, everyone, gcd(rosters.QUARTER, *grids, *minutes)),
        )


def of(asked: Task) -> Bearings:
    """Return the bearings of the task's order, kept with its timetable."""
    kept = index.of(asked.timetable).bearings
    key = (id(asked.order), asked.ignoring)
    found: tuple[object, Bearings] | None = kept.get(key)
    if found is None:
        while len(kept) >= MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        # The order is kept with them: so its id stays its own.
        found = kept[key] = (asked.order, Bearings(asked))
    return found[1]
