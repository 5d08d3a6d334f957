"""Placing the sessions of a course: how they are measured, judged, proposed, and what a change does.

The search is behind ``propose`` and ``alternatives``; ``search.py`` may be replaced without a caller noticing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from planner.scheduling import gaps, hours, judging, preferences, search, starts
from planner.scheduling.gaps import Measure, Spacing, State
from planner.scheduling.judging import Effect, effects, judge, measure, spacing
from planner.scheduling.preferences import OBJECTIVES, Cost, Weights, Wishes
from planner.scheduling.starts import Task
from planner.scheduling.timetable import Conflict, CourseOrder, Slot, Timetable

__all__ = [
    "OBJECTIVES",
    "Cost",
    "Effect",
    "HorizonPast",
    "Measure",
    "NothingToPlace",
    "Proposal",
    "ProposedSession",
    "Spacing",
    "State",
    "TooManySessions",
    "Weights",
    "Wishes",
    "alternatives",
    "effects",
    "judge",
    "measure",
    "propose",
    "spacing",
]

MAXIMUM_SESSIONS = 12
MAXIMUM_PROPOSALS = 20
SPARE = 3  # placements looked at beyond those wanted, should the last judgement refuse one


class NothingToPlace(ValueError):
    """Every session of the order is done or placed already."""


class TooManySessions(ValueError):
    """An order of more than twelve sessions."""


class HorizonPast(ValueError):
    """The horizon of the timetable ends before now."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A complete way to place all open sessions; the fixed ones are in it too, those done are not."""

    name: str  # the objective
    cost: int
    sessions: tuple[ProposedSession, ...]

    @property
    def slots(self) -> Mapping[int, Slot]:
        """The slots by session number."""
        return {session.number: session.slot for session in self.sessions}


def propose(
    order: CourseOrder,
    timetable: Timetable,
    wishes: Wishes | None = None,
    *,
    objective: str = "order",
    k: int = 1,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
    weights: Weights | None = None,
) -> tuple[Proposal, ...]:
    """Return up to ``k`` ways to place the open sessions, cheapest first, no two on the same days.

    ``objective``: ``order`` (closest to the order), ``soonest`` or ``same_time``. Nothing proposed meets a
    conflict of severity decide or block, and no trip of the patient; warnings cost points and are listed.
    Empty when there is no way. Raises NothingToPlace, TooManySessions, HorizonPast, or ValueError for an
    objective that does not exist or ``k`` not in 1..20.
    """
    _check(order, timetable, objective, k)
    wishes = wishes or Wishes()
    task = Task(
        order=_only_kept(order, ignoring),
        timetable=timetable,
        wishes=wishes,
        weights=weights or OBJECTIVES[objective],
        purpose=purpose,
        ignoring=ignoring,
        k=k,
    )
    placements = islice(search.best(task), k + SPARE)
    found = (_proposal(task, objective, placed) for placed in placements)
    return tuple(islice((proposal for proposal in found if proposal is not None), k))


def alternatives(
    order: CourseOrder,
    number: int,
    placed: Mapping[int, Slot],
    timetable: Timetable,
    wishes: Wishes | None = None,
    *,
    k: int = 8,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> tuple[ProposedSession, ...]:
    """Return other places for one session, the others staying where they are placed; cheapest first.

    At most one a day, each allowed as in ``propose``, none of them where it is now. Raises as ``propose``.
    """
    others = {other: slot for other, slot in placed.items() if other != number}
    _check(order, timetable, "order", k)
    moved = ignoring | _own_appointment(order, number)
    overlaid_order = judging.overlaid_order(
        order, others, judging.staying(order, others), opened=number
    )
    task = Task(
        order=_around(overlaid_order, number),
        timetable=timetable,
        wishes=wishes or Wishes(),
        weights=OBJECTIVES["order"],
        purpose=purpose,
        ignoring=moved,
        k=k,
    )
    found = (
        _session(task, number, {**others, number: placement[number]})
        for placement in islice(search.best(task), k + SPARE)
    )
    now = placed.get(number)
    return tuple(
        islice(
            (session for session in found if session and not judging.is_same(session.slot, now)), k
        )
    )


def _check(order: CourseOrder, timetable: Timetable, objective: str, k: int) -> None:
    if objective not in OBJECTIVES:
        raise ValueError(f"no objective: {objective}")
    if not 1 <= k <= MAXIMUM_PROPOSALS:
        raise ValueError(f"1 to {MAXIMUM_PROPOSALS} proposals, not {k}")
    if len(order.sessions) > MAXIMUM_SESSIONS:
        raise TooManySessions(f"{len(order.sessions)} sessions")
    if all(row.done_on is not None for row in order.sessions):
        raise NothingToPlace("no open session")
    if timetable.horizon.ends_at <= timetable.now:
        raise HorizonPast(f"the horizon ends {timetable.horizon.ends_at}")


def _proposal(task: Task, name: str, placed: Mapping[int, Slot]) -> Proposal | None:
    sessions = tuple(_sessions(task, placed))
    if not all(session.is_fixed or _is_offered(session) for session in sessions):
        return None
    elapsed = task.weights.elapsed * _days_elapsed(task, placed)
    return Proposal(
        name=name, cost=elapsed + sum(session.cost for session in sessions), sessions=sessions
    )


def _sessions(task: Task, placed: Mapping[int, Slot]) -> Iterator[ProposedSession]:
    judged = judge(task.order, placed, task.timetable, purpose=task.purpose, ignoring=task.ignoring)
    days = judging.days(task.order, placed, task.timetable)
    found = gaps.measures(
        task.order,
        days,
        past=starts.past_of(task),
        spacing=starts.spacing_of(task.timetable, task.order),
    )
    fixed = {row.number for row in task.order.sessions if row.fixed is not None}
    first_open = min((number for number in placed if number not in fixed), default=None)
    for number in sorted(placed):
        yield ProposedSession(
            number=number,
            slot=replace(placed[number], number=number),
            gap_days=_gap_days(number, days),
            measure=found.get(number),
            conflicts=judged[number],
            costs=_costs(task, number, placed, days, judged[number], waits=number == first_open),
            is_fixed=number in fixed,
        )


def _session(task: Task, number: int, placed: Mapping[int, Slot]) -> ProposedSession | None:
    session = next(row for row in _sessions(task, placed) if row.number == number)
    return session if _is_offered(session) else None


def _costs(
    task: Task,
    number: int,
    placed: Mapping[int, Slot],
    days: Mapping[int, date],
    conflicts: tuple[Conflict, ...],
    *,
    waits: bool,
) -> tuple[Cost, ...]:
    earlier = {other: day for other, day in days.items() if other < number}
    window = gaps.window_of(
        task.order,
        number,
        earlier,
        past=starts.past_of(task),
        spacing=starts.spacing_of(task.timetable, task.order),
    )
    before = placed.get(max((other for other in placed if other < number), default=0))
    start = hours.day_of(
        max(task.timetable.now, task.timetable.horizon.starts_at),
        task.timetable.sites[placed[number].site_id].zone,
    )
    found = preferences.costs(
        task.weights,
        task.wishes,
        placed[number],
        before=before,
        window=window,
        waits=(days[number] - start).days if waits and before is None else None,
        timetable=task.timetable,
    )
    warnings = (
        Cost(code="warning", amount=task.weights.warning, params={"code": conflict.code})
        for conflict in conflicts
        if starts.is_costed_warning(conflict)
    )
    return (*found, *warnings)


def _is_offered(session: ProposedSession) -> bool:
    return all(starts.is_offered(conflict) for conflict in session.conflicts)


def _around(order: CourseOrder, number: int) -> CourseOrder:
    """The order without the other sessions that have no place: the search is for one alone."""
    return replace(
        order,
        sessions=tuple(
            row
            for row in order.sessions
            if row.number == number or row.fixed is not None or row.done_on is not None
        ),
    )


def _only_kept(order: CourseOrder, ignoring: frozenset[int]) -> CourseOrder:
    """The order, the sessions whose appointments are moved away being open again."""
    return replace(
        order,
        sessions=tuple(
            replace(row, fixed=None, appointment_id=None)
            if row.appointment_id in ignoring and row.done_on is None
            else row
            for row in order.sessions
        ),
    )


def _own_appointment(order: CourseOrder, number: int) -> frozenset[int]:
    return frozenset(
        row.appointment_id
        for row in order.sessions
        if row.number == number and row.appointment_id is not None and row.done_on is None
    )


def _days_elapsed(task: Task, placed: Mapping[int, Slot]) -> int:
    """The days from the first session placed to the last."""
    days = judging.days(task.order, placed, task.timetable)
    placed_days = [days[number] for number in placed]
    return (max(placed_days) - min(placed_days)).days


def _gap_days(number: int, days: Mapping[int, date]) -> int | None:
    earlier = [other for other in days if other < number]
    return (days[number] - days[max(earlier)]).days if earlier else None
