"""What a placement costs and what stands against it, session by session.

The search has left out what is not allowed; what is told here is what the rules say of the rest. Of a start
about which the masks of the search are silent no rule is asked again; any other is put to all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from planner.scheduling import gaps, hours, judging, preferences, rules, verdicts
from planner.scheduling import task as tasks
from planner.scheduling.gaps import Measure, State
from planner.scheduling.preferences import Cost
from planner.scheduling.search import Placement, Search
from planner.scheduling.timetable import Conflict, CourseOrder, Slot

FAR = 3
"""Days between two sessions from which on neither takes anything of the other, travel included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedSession:
    """One session of a proposal: where, its distance, and what it costs.

    ``gap_days`` are counted from the session directly before it; ``measure`` from the one it is measured
    against. ``is_fixed``: it was placed before, or pinned.
    """

    number: int
    slot: Slot
    gap_days: int | None
    measure: Measure | None
    conflicts: tuple[Conflict, ...] = ()
    costs: tuple[Cost, ...] = ()
    is_fixed: bool = False

    @property
    def cost(self) -> int:
        """The points of all its costs."""
        return sum(cost.amount for cost in self.costs)


class Costed(NamedTuple):
    """The sessions of one placement, those fixed included, by number, and the days from first to last."""

    sessions: tuple[ProposedSession, ...]
    days_elapsed: int


class Costing:
    """What is told of all that one search finds; ``others`` are placed too, outside the search."""

    def __init__(self, search: Search, others: Mapping[int, Slot] | None = None) -> None:
        self.task, self._others = search.task, dict(others or {})
        order, timetable = self.task.order, self.task.timetable
        past = tasks.past_of(self.task)
        self.ruler = gaps.Ruler(order, past, tasks.spacing_of(timetable, order))
        self.fixed = frozenset(row.number for row in order.sessions if row.fixed is not None)
        self.standing = judging.days(order, {}, timetable)
        self.latest_past = max((row.on for row in past), default=date.min)
        # Nothing but the windows of the order says how far apart its sessions are.
        self.is_usual = search.permits.is_usual
        self.known: dict[object, ProposedSession] = {}
        self._apart: dict[Slot, tuple[Conflict, ...]] = {}

    def of(self, placement: Placement) -> Costed:
        """Return what the placement costs."""
        slots = {
            number: slot if slot.number == number else replace(slot, number=number)
            for number, slot in sorted({**self._others, **placement.slots}.items())
        }
        return _Reckoning(self, slots, placement.silent).costed()

    def apart(self, slot: Slot, own: frozenset[int]) -> tuple[Conflict, ...]:
        """Return what the rules say of a slot apart from its distances; ``own`` is its appointment."""
        if slot not in self._apart:
            task = self.task
            self._apart[slot] = rules.conflicts(
                slot,
                task.timetable,
                order=task.order,
                purpose=task.purpose,
                ignoring=task.ignoring | own,
                about=rules.About.ALL_BUT_DISTANCES,
            )
        return self._apart[slot]


class _Reckoning:
    """What is worked out for one placement."""

    def __init__(self, costing: Costing, slots: dict[int, Slot], silent: frozenset[int]) -> None:
        self._costing, self._task = costing, costing.task
        self._slots, self._silent = slots, silent
        timetable = self._task.timetable
        zones = {site_id: site.zone for site_id, site in timetable.sites.items()}
        placed = [hours.day_of(slot.starts_at, zones[slot.site_id]) for slot in slots.values()]
        self._days = {**costing.standing, **dict(zip(slots, placed, strict=True))}
        numbered = [day for _, day in sorted(self._days.items())]
        self._is_in_order = placed[0] >= costing.latest_past and all(
            one < later for one, later in pairwise(numbered)
        )
        self._kept = judging.staying(self._task.order, slots)
        self._laid_over: CourseOrder | None = None
        self._judged: Mapping[int, tuple[Conflict, ...]] | None = None
        if any((later - one).days < FAR for one, later in pairwise(sorted(placed))):
            self._judged = judging.judge(
                self._task.order,
                slots,
                timetable,
                purpose=self._task.purpose,
                ignoring=self._task.ignoring,
            )

    def costed(self) -> Costed:
        """Return what the placement costs, session by session."""
        days = [self._days[number] for number in self._slots]
        return Costed(tuple(self._sessions()), (max(days) - min(days)).days)

    def _sessions(self) -> Iterator[ProposedSession]:
        costing, slots = self._costing, self._slots
        first_open = min((number for number in slots if number not in costing.fixed), default=None)
        before = _done_before(self._task.order, min(slots, default=0))
        earlier = tuple(day for number, day in sorted(self._days.items()) if number not in slots)
        is_first = True
        for number, slot in slots.items():
            is_waiting = is_first and number == first_open
            if self._is_alone(number):
                # Nothing later says anything of it: other placements have it at the same cost.
                key = (slot, before, earlier, number in self._silent)
                if key not in costing.known:
                    costing.known[key] = self._session(number, slot, before, is_waiting)
                yield costing.known[key]
            else:
                yield self._session(number, slot, before, is_waiting)
            before, is_first = slot, False
            earlier = (*earlier, self._days[number])

    def _is_alone(self, number: int) -> bool:
        """Whether nothing but what comes before it in the order, and itself, is to be said of a session."""
        costing = self._costing
        return (
            self._judged is None
            and self._is_in_order
            and costing.is_usual
            and number > max(costing.fixed, default=0)
        )

    def _session(
        self, number: int, slot: Slot, before: Slot | None, is_waiting: bool
    ) -> ProposedSession:
        task, ruler, day = self._task, self._costing.ruler, self._days[number]
        window = ruler.window(number, self._days)
        if self._is_in_order:
            measure = gaps.measure_in(window, day) if window is not None else None
        else:
            measure = ruler.measured(number, self._days)
        costs = preferences.costs(
            task.weights,
            task.wishes,
            slot,
            before=before,
            window=window,
            waits=(day - tasks.first_day(task.timetable, slot.site_id)).days
            if is_waiting
            else None,
            timetable=task.timetable,
        )
        conflicts = self._conflicts(number, slot, measure)
        warnings = (
            Cost(code="warning", amount=task.weights.warning, params={"code": conflict.code})
            for conflict in conflicts
            if verdicts.is_costed_warning(conflict)
        )
        latest = max((other for other in self._days if other < number), default=None)
        return ProposedSession(
            number=number,
            slot=slot,
            gap_days=(day - self._days[latest]).days if latest is not None else None,
            measure=measure,
            conflicts=conflicts,
            costs=(*costs, *warnings),
            is_fixed=number in self._costing.fixed,
        )

    def _conflicts(self, number: int, slot: Slot, measure: Measure | None) -> tuple[Conflict, ...]:
        if self._judged is not None:
            return self._judged[number]
        apart = () if number in self._silent else self._costing.apart(slot, self._own(number))
        is_in_window = measure is None or measure.state is State.IN_WINDOW
        if is_in_window and self._is_alone(number):
            return apart
        return rules.gravest_first((*apart, *self._distances(number, slot)))

    def _distances(self, number: int, slot: Slot) -> tuple[Conflict, ...]:
        task = self._task
        if self._laid_over is None:
            self._laid_over = judging.overlaid_order(task.order, self._slots, self._kept)
        found = rules.conflicts(
            slot,
            task.timetable,
            order=self._laid_over,
            purpose=task.purpose,
            ignoring=task.ignoring | self._own(number),
            about=rules.About.DISTANCES,
        )
        return judging.once(found, frozenset(self._slots) - frozenset(self._kept))

    def _own(self, number: int) -> frozenset[int]:
        """The appointment that stays where it is."""
        return frozenset({self._kept[number]}) if number in self._kept else frozenset()


def _done_before(order: CourseOrder, number: int) -> Slot | None:
    """Where the session before the first one placed took place, when that is known."""
    earlier = [row for row in order.sessions if row.number < number and row.done_at is not None]
    return max(earlier, key=lambda row: row.number).done_at if earlier else None
