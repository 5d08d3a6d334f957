"""What a placement costs and what stands against it, session by session.

The search has left out what is not allowed; what is told here is what the rules say of the rest. Of a start
about which the masks of the search are silent no rule is asked again; any other is put to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from planner.scheduling import gaps, index, judging, preferences, rules, verdicts
from planner.scheduling import task as tasks
from planner.scheduling.gaps import Measure, State
from planner.scheduling.preferences import Cost, Visit
from planner.scheduling.rules import spacing
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
    """The sessions of one placement, those fixed included, by number, and all their points."""

    sessions: tuple[ProposedSession, ...]
    points: int


class Costing:
    """What is told of all that one search finds; ``others`` are placed too, outside the search."""

    def __init__(self, search: Search, others: Mapping[int, Slot] | None = None) -> None:
        self.task = task = search.task
        order, timetable = task.order, task.timetable
        self._others = {
            number: preferences.visit(replace(slot, number=number), timetable)
            for number, slot in (others or {}).items()
        }
        self.ruler = gaps.Ruler(order, search.past, search.spacing)
        self.fixed = frozenset(row.number for row in order.sessions if row.fixed is not None)
        self.last_fixed = max(self.fixed, default=0)
        self.standing = judging.days(order, {}, timetable)
        self.latest_past = max((row.on for row in search.past), default=date.min)
        # Nothing but the windows of the order says how far apart its sessions are.
        self.is_usual = search.permits.is_usual
        self.has_appointments = any(row.appointment_id is not None for row in order.sessions)
        self._apart: dict[Slot, tuple[Conflict, ...]] = {}

    def of(self, placement: Placement) -> Costed:
        """Return what the placement costs."""
        visits = placement.visits
        if self._others:
            visits = dict(sorted({**self._others, **visits}.items()))
        return _Reckoning(self, visits, placement.silent).costed()

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

    def off_window(self, slot: Slot, measure: Measure) -> tuple[Conflict, ...]:
        """Return what is to be said of a session too early or too late, if a provider has not decided it."""
        order, presence = self.task.order, index.of(self.task.timetable).presence
        rule = partial(
            presence.rule,
            on=measure.since + timedelta(days=measure.days),
            site_id=slot.site_id,
            service_id=slot.service_id,
            protocol_id=order.protocol_id,
        )
        found = spacing.of_measure(measure, slot.number, rule)
        return () if rules.is_settled(found, order) else (found,)

    def done_before(self, number: int) -> Visit | None:
        """Return where the session before the first one placed took place, when that is known."""
        rows = [row for row in self.task.order.sessions if row.number < number and row.done_at]
        done = max(rows, key=lambda row: row.number).done_at if rows else None
        return preferences.visit(done, self.task.timetable) if done is not None else None


class _Reckoning:
    """What is worked out for one placement."""

    def __init__(
        self, costing: Costing, visits: Mapping[int, Visit], silent: frozenset[int]
    ) -> None:
        self._costing, self._task = costing, costing.task
        self._visits, self._silent = visits, silent
        self._days = {number: visit.day for number, visit in visits.items()}
        placed = list(self._days.values())
        if costing.standing:
            self._days = dict(sorted({**costing.standing, **self._days}.items()))
        numbered = [day.toordinal() for day in self._days.values()]
        between = [later - one for one, later in pairwise(numbered)]
        self._is_in_order = placed[0] >= costing.latest_past and min(between, default=1) > 0
        self._elapsed = (max(placed) - min(placed)).days
        self._kept: dict[int, int] = {}
        if costing.has_appointments:
            self._kept = judging.staying(self._task.order, self._slots())
        self._laid_over: CourseOrder | None = None
        self._judged: Mapping[int, tuple[Conflict, ...]] | None = None
        if not self._is_in_order or min(between, default=FAR) < FAR:
            placed.sort()
            if any((later - one).days < FAR for one, later in pairwise(placed)):
                self._judged = self._judge()
        # Nothing but what comes before it in the order, and itself, is to be said of a session.
        self._is_plain = self._judged is None and self._is_in_order and costing.is_usual

    def costed(self) -> Costed:
        """Return what the placement costs, session by session."""
        costing, visits = self._costing, self._visits
        first = min(visits)
        before = costing.done_before(first)
        last: date | None = None
        sessions = []
        for number, day in self._days.items():
            visit = visits.get(number)
            if visit is not None:
                waits = None
                if number == first and number not in costing.fixed:
                    today = tasks.first_day(self._task.timetable, visit.slot.site_id)
                    waits = (day - today).days
                sessions.append(self._session(number, visit, before, last, waits))
                before = visit
            last = day
        points = self._task.weights.elapsed * self._elapsed
        for session in sessions:
            for cost in session.costs:
                points += cost.amount
        return Costed(tuple(sessions), points)

    def _session(
        self, number: int, visit: Visit, before: Visit | None, last: date | None, waits: int | None
    ) -> ProposedSession:
        task, costing, (slot, day, _) = self._task, self._costing, visit
        drawn = costing.ruler.drawn(number, self._days)
        if self._is_in_order:
            measure = drawn.measure if drawn is not None else None
        else:
            measure = costing.ruler.measured(number, self._days)
        costs = preferences.costs(
            task.weights, task.wishes, visit, before=before, drawn=drawn, waits=waits
        )
        conflicts = self._conflicts(number, slot, measure)
        if conflicts:
            costs += tuple(
                Cost(code="warning", amount=task.weights.warning, params={"code": conflict.code})
                for conflict in conflicts
                if verdicts.is_costed_warning(conflict)
            )
        return ProposedSession(
            number=number,
            slot=slot,
            gap_days=(day - last).days if last is not None else None,
            measure=measure,
            conflicts=conflicts,
            costs=costs,
            is_fixed=number in costing.fixed,
        )

    def _conflicts(self, number: int, slot: Slot, measure: Measure | None) -> tuple[Conflict, ...]:
        if self._judged is not None:
            return self._judged[number]
        apart = () if number in self._silent else self._costing.apart(slot, self._own(number))
        if self._is_plain and number > self._costing.last_fixed:
            if measure is None or measure.state is State.IN_WINDOW:
                return apart
            if measure.state is not State.BELOW_FLOOR:
                return rules.gravest_first((*apart, *self._costing.off_window(slot, measure)))
        return rules.gravest_first((*apart, *self._distances(number, slot)))

    def _slots(self) -> dict[int, Slot]:
        return {number: visit.slot for number, visit in self._visits.items()}

    def _judge(self) -> Mapping[int, tuple[Conflict, ...]]:
        task = self._task
        return judging.judge(
            task.order,
            self._slots(),
            task.timetable,
            purpose=task.purpose,
            ignoring=task.ignoring,
            pinned=self._costing.fixed,
        )

    def _distances(self, number: int, slot: Slot) -> tuple[Conflict, ...]:
        task = self._task
        if self._laid_over is None:
            self._laid_over = judging.overlaid_order(task.order, self._slots(), self._kept)
        found = rules.conflicts(
            slot,
            task.timetable,
            order=self._laid_over,
            purpose=task.purpose,
            ignoring=task.ignoring | self._own(number),
            about=rules.About.DISTANCES,
        )
        moved = frozenset(self._visits) - frozenset(self._kept)
        fixed = self._costing.fixed
        return judging.once(found, moved, frozenset() if number in fixed else fixed)

    def _own(self, number: int) -> frozenset[int]:
        """The appointment that stays where it is."""
        return frozenset({self._kept[number]}) if number in self._kept else frozenset()
