"""What a placement costs and what stands against it, session by session.

The search has left out what is not allowed; what is told here is what the rules say of the rest. Of a start
about which the masks of the search are silent no rule is asked again; any other is put to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from operator import sub
from typing import NamedTuple

from planner.scheduling import index, judging, preferences, rules, verdicts
from planner.scheduling.gaps import Measure, State
from planner.scheduling.preferences import Cost, Visit
from planner.scheduling.rules import spacing
from planner.scheduling.search import Placement, Search
from planner.scheduling.timetable import Conflict, CourseOrder, Slot

FAR = 3
"""Days between two sessions from which on neither takes anything of the other, travel included."""


class ProposedSession(NamedTuple):
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
        timetable = task.timetable
        self._others = {
            number: preferences.visit(slot._replace(number=number), timetable)
            for number, slot in (others or {}).items()
        }
        self.bearings = its = search.bearings
        self.last_placed = max(its.placed, default=0)
        self.departures = preferences.Departures(task.weights, task.wishes)
        done = its.done_before(
            min([*self._others, *(row.number for row in its.sessions)], default=0)
        )
        self.before = preferences.visit(done, timetable) if done is not None else None
        self.first_day = index.of(timetable).first_day
        # Nothing but the windows of the order says how far apart its sessions are.
        self.is_usual = search.permits.is_usual
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


class _Reckoning:
    """What is worked out for one placement."""

    def __init__(
        self, costing: Costing, visits: Mapping[int, Visit], silent: frozenset[int]
    ) -> None:
        self._costing, self._visits, self._silent = costing, visits, silent
        self._bearings = its = costing.bearings
        self._days = {number: visit.day for number, visit in visits.items()}
        placed = numbered = [day.toordinal() for day in self._days.values()]
        if its.standing:
            self._days = dict(sorted({**its.standing, **self._days}.items()))
            numbered = [day.toordinal() for day in self._days.values()]
        nearest = min(map(sub, numbered[1:], numbered), default=FAR)
        self._is_in_order = nearest > 0 and placed[0] >= its.latest_past
        self._elapsed = max(placed) - min(placed)
        self._first = next(iter(visits))
        self._kept: dict[int, int] = {}
        if its.has_appointments:
            self._kept = judging.staying(costing.task.order, self._slots())
        self._laid_over: CourseOrder | None = None
        self._judged: Mapping[int, tuple[Conflict, ...]] | None = None
        if nearest < FAR:
            placed.sort()
            if any(later - one < FAR for one, later in pairwise(placed)):
                self._judged = self._judge()
        # Nothing but what comes before it in the order, and itself, is to be said of a session.
        self._is_plain = self._judged is None and self._is_in_order and costing.is_usual

    def costed(self) -> Costed:
        """Return what the placement costs, session by session."""
        costing, visits = self._costing, self._visits
        before, last = costing.before, None
        sessions: list[ProposedSession] = []
        points = costing.task.weights.elapsed * self._elapsed
        for number, day in self._days.items():
            visit = visits.get(number)
            if visit is not None:
                session = self._session(number, visit, before, last)
                sessions.append(session)
                for cost in session.costs:
                    points += cost.amount
                before = visit
            last = day
        return Costed(tuple(sessions), points)

    def _session(
        self, number: int, visit: Visit, before: Visit | None, last: date | None
    ) -> ProposedSession:
        costing, (slot, day, _) = self._costing, visit
        its = self._bearings
        is_fixed, waits = number in its.placed, 0
        if number == self._first and not is_fixed:
            waits = (day - costing.first_day(slot.site_id)).days
        drawn = its.ruler.drawn(number, self._days)
        if self._is_in_order:
            measure = drawn.measure if drawn is not None else None
        else:
            measure = its.ruler.measured(number, self._days)
        costs = costing.departures.costs(visit, before, drawn, waits)
        conflicts = self._conflicts(number, slot, measure)
        if conflicts:
            warning = costing.task.weights.warning
            costs += tuple(
                Cost("warning", warning, {"code": conflict.code})
                for conflict in conflicts
                if verdicts.is_costed_warning(conflict)
            )
        gap_days = (day - last).days if last is not None else None
        return ProposedSession(number, slot, gap_days, measure, conflicts, costs, is_fixed)

    def _conflicts(self, number: int, slot: Slot, measure: Measure | None) -> tuple[Conflict, ...]:
        if self._judged is not None:
            return self._judged[number]
        costing = self._costing
        apart = () if number in self._silent else costing.apart(slot, self._own(number))
        if self._is_plain and number > costing.last_placed:
            if measure is None or measure.state is State.IN_WINDOW:
                return apart
            if measure.state is not State.BELOW_FLOOR:
                return rules.gravest_first((*apart, *costing.off_window(slot, measure)))
        return rules.gravest_first((*apart, *self._distances(number, slot)))

    def _slots(self) -> dict[int, Slot]:
        return {number: visit.slot for number, visit in self._visits.items()}

    def _judge(self) -> Mapping[int, tuple[Conflict, ...]]:
        task = self._costing.task
        return judging.judge(
            task.order,
            self._slots(),
            task.timetable,
            purpose=task.purpose,
            ignoring=task.ignoring,
            pinned=self._bearings.placed,
        )

    def _distances(self, number: int, slot: Slot) -> tuple[Conflict, ...]:
        task = self._costing.task
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
        placed = self._bearings.placed
        return judging.once(found, moved, frozenset() if number in placed else placed)

    def _own(self, number: int) -> frozenset[int]:
        """The appointment that stays where it is."""
        return frozenset({self._kept[number]}) if number in self._kept else frozenset()
