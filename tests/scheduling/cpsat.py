"""The same question put to OR-Tools' CP-SAT: an optimum that owes nothing to our search.

The starts come from ``availability.free_slots`` and are judged for the patient one by one; days, changes and
distances are the solver's own variables, and the cost is the formula of ``docs/scheduling.md`` in linear terms.
It knows orders of which nothing is placed, without custom gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ortools.sat.python import cp_model

from planner.scheduling import availability, rules
from planner.scheduling.interval import Interval
from planner.scheduling.preferences import Weights
from planner.scheduling.timetable import Gap, SessionOrder
from tests.scheduling import oracle
from tests.scheduling.oracle import Formula, Question

FAR = 4_000  # days that no horizon reaches


class Option(NamedTuple):
    """A start of a session, in the numbers that the solver counts with."""

    day: int  # from the first day of the search
    site: int
    provider: int
    weekday: int
    minute: int  # of the site's day
    points: int  # of weekday, hours and warnings


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver found: None when there is no way."""

    cost: int | None
    days: tuple[int, ...] = ()
    milliseconds: float = 0.0


class Starts:
    """The starts of a question, worked out once: not what the solver is measured by."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.formula = Formula(question.order, question.timetable, question.wishes)
        self.first = self.formula.day_of_search
        self.rows = question.order.sessions

    def options(self, weights: Weights) -> dict[int, list[Option]]:
        """Return by session number the starts it may have."""
        return {row.number: self._cheapest(weights, row) for row in self.rows}

    def _cheapest(self, weights: Weights, row: SessionOrder) -> list[Option]:
        """Where the time of day costs nothing later on, the cheapest of a provider's day will do."""
        found: dict[tuple[int, ...], Option] = {}
        for one in self._judged[row.number]:
            slot, warnings = one
            wall = self.formula.wall(slot.starts_at, slot.site_id)
            option = Option(
                (wall.date() - self.first).days,
                slot.site_id,
                slot.provider_id,
                wall.weekday(),
                wall.hour * 60 + wall.minute,
                self.formula.of_start(weights, slot) + weights.warning * warnings,
            )
            key = option[: 5 if weights.quarters else 3]
            if key not in found or option.points < found[key].points:
                found[key] = option
        return list(found.values())

    @cached_property
    def _judged(self) -> dict[int, list[tuple[Any, int]]]:
        question, found = self.question, {}
        timetable, order, wishes = question.timetable, question.order, question.wishes
        for row in order.sessions:
            judged = []
            for free in availability.free_slots(
                timetable,
                service_id=order.service_id,
                interval=Interval(timetable.now, timetable.horizon.ends_at),
                minutes=row.minutes,
                site_ids=wishes.site_ids,
                provider_ids=wishes.provider_ids,
            ):
                slot = free._replace(patient_id=order.patient_id, number=row.number)
                against = rules.conflicts(slot, timetable, order=order, purpose=question.purpose)
                against = tuple(one for one in against if not one.code.startswith("gap."))
                if not oracle.hard(against):
                    judged.append((slot, oracle.count_warnings(against)))
            found[row.number] = judged
        return found


def solve(
    starts: Starts, weights: Weights, *, seconds: float = 60.0, is_first_enough: bool = False
) -> Answer:
    """Return the least cost of all placements, or with ``is_first_enough`` that of the first one found."""
    options = starts.options(weights)
    if not all(options.values()):
        return Answer(None)
    model = cp_model.CpModel()
    cost = _Model(model, starts, weights, options)
    model.minimize(cost.total)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    # Eight times as fast here as with the usual parameters: nearly all of its time is presolve.
    solver.parameters.num_workers = 1
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    solver.parameters.stop_after_first_solution = is_first_enough
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return Answer(None, milliseconds=solver.wall_time * 1000)
    if status != cp_model.OPTIMAL and not (is_first_enough and status == cp_model.FEASIBLE):
        raise RuntimeError(f"no answer within {seconds} s: {solver.status_name(status)}")
    return Answer(
        round(solver.objective_value),
        tuple(solver.value(day) for day in cost.days),
        solver.wall_time * 1000,
    )


class _Model:
    """The variables of one question, session by session."""

    def __init__(
        self,
        model: cp_model.CpModel,
        starts: Starts,
        weights: Weights,
        options: Mapping[int, list[Option]],
    ) -> None:
        self.model, self.starts, self.weights = model, starts, weights
        self.days: list[Any] = []
        self.total: Any = 0
        before: _Session | None = None
        for row in starts.rows:
            session = _Session(model, row.number, options[row.number], weights)
            self.total += session.points
            if before is None:
                self.total += weights.wait * session.day
            else:
                self.total += session.changed(before)
            self._distance(row, session)
            self.days.append(session.day)
            before = session
        self.total += weights.elapsed * (self.days[-1] - self.days[0])

    def _distance(self, row: SessionOrder, session: _Session) -> None:
        asked = list(self._asked(row))
        for since, gap, _ in asked:
            self.model.add(session.day >= since + gap.floor)
        if not asked:
            return
        target = self._latest("target", row.number, [since + gap.target for since, gap, _ in asked])
        early = self.model.new_int_var(0, FAR, f"early {row.number}")
        self.model.add(early >= target - session.day)
        self.total += self.weights.early * early
        soft = [since + gap.soft_max for since, gap, is_late in asked if is_late]
        if soft:
            late = self.model.new_int_var(0, FAR, f"late {row.number}")
            too_late = self.model.new_int_var(0, FAR, f"too late {row.number}")
            self.model.add(late >= session.day - target)
            self.model.add(too_late >= session.day - self._latest("soft max", row.number, soft))
            self.total += self.weights.late * late + self.weights.too_late * too_late

    def _asked(self, row: SessionOrder) -> Iterable[tuple[Any, Gap, bool]]:
        """The session before, every earlier one with a zone in common, and those of other courses."""
        same_zone = self.starts.question.order.same_zone_gap
        rows = self.starts.rows
        for position, day in enumerate(self.days):
            if position == len(self.days) - 1:
                yield day, row.gap, True
            if rows[position].zones & row.zones:
                yield day, same_zone, True
        for since, gap, _ in self.starts.formula.elsewhere(row.zones):
            yield (since - self.starts.first).days, gap, False

    def _latest(self, what: str, number: int, days: list[Any]) -> Any:
        latest = self.model.new_int_var(-FAR, FAR, f"{what} {number}")
        self.model.add_max_equality(latest, days)
        return latest


class _Session:
    """One session: a choice among its starts, and what follows from it."""

    def __init__(
        self, model: cp_model.CpModel, number: int, options: list[Option], weights: Weights
    ) -> None:
        self.model, self.number, self.weights = model, number, weights
        chosen = [model.new_bool_var(f"{number}: {option}") for option in options]
        model.add_exactly_one(chosen)
        self._pairs = list(zip(options, chosen, strict=True))
        self.day = model.new_int_var(0, FAR, f"day {number}")
        model.add(self.day == sum(option.day * one for option, one in self._pairs))
        self.minute = sum(option.minute * one for option, one in self._pairs)
        self.points = sum(option.points * one for option, one in self._pairs)
        self.sites, self.providers, self.weekdays = (
            self._kinds(name) for name in ("site", "provider", "weekday")
        )

    def changed(self, before: _Session) -> Any:
        """What differs from the session before, in points."""
        weights = self.weights
        points: Any = weights.site * self._differs("site", self.sites, before.sites)
        points += weights.provider * self._differs("provider", self.providers, before.providers)
        if weights.weekday_change:
            differs = self._differs("weekday", self.weekdays, before.weekdays)
            points += weights.weekday_change * differs
        if weights.quarters:
            # All starts are on a grid of 15 minutes, so that quarters need no rounding.
            quarters = self.model.new_int_var(0, 96, f"quarters {self.number}")
            self.model.add(15 * quarters >= self.minute - before.minute)
            self.model.add(15 * quarters >= before.minute - self.minute)
            points += weights.quarters * quarters
        return points

    def _kinds(self, name: str) -> dict[int, Any]:
        sums: dict[int, Any] = {}
        for option, one in self._pairs:
            kind = getattr(option, name)
            sums[kind] = sums.get(kind, 0) + one
        return sums

    def _differs(self, name: str, kinds: Mapping[int, Any], before: Mapping[int, Any]) -> Any:
        differs = self.model.new_bool_var(f"other {name} {self.number}")
        for kind, here in kinds.items():
            self.model.add(differs >= here - before.get(kind, 0))
        return differs
