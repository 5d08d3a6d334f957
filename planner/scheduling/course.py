"""Placing the sessions of a course: how they are measured, judged, proposed, and what a change does.

The search is behind ``propose`` and ``alternatives``; ``search.py`` may be replaced without a caller noticing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from planner.scheduling import judging, search, verdicts
from planner.scheduling import task as tasks
from planner.scheduling.costing import Costing, ProposedSession
from planner.scheduling.gaps import Measure, Spacing, State
from planner.scheduling.judging import Effect, effects, judge, measure, spacing
from planner.scheduling.preferences import OBJECTIVES, Cost, Weights, Wishes
from planner.scheduling.task import Task
from planner.scheduling.timetable import CourseOrder, Slot, Timetable

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
MOST_REFUSED = 200  # placements that the last judgement may refuse before a search gives up


class NothingToPlace(ValueError):
    """Every session of the order is done or placed already."""


class TooManySessions(ValueError):
    """An order of more than twelve sessions."""


class HorizonPast(ValueError):
    """The horizon of the timetable ends before now."""


class Proposal(NamedTuple):
    """A complete way to place all open sessions; the fixed ones are in it too, those done are not."""

    name: str  # the objective
    cost: int
    sessions: tuple[ProposedSession, ...]
    is_proven: bool = True  # nothing cheaper is possible; False when the search ran out of steps

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
        weights=weights or tasks.weights_of(timetable, order, objective),
        purpose=purpose,
        ignoring=ignoring,
        k=k,
    )
    return tuple(islice(_proposals(task, objective), k))


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
        weights=tasks.weights_of(timetable, order, "order"),
        purpose=purpose,
        ignoring=moved,
        k=k,
    )
    now = placed.get(number)
    found = (
        session
        for proposal in _proposals(task, "order", others)
        for session in proposal.sessions
        if session.number == number and not judging.is_same(session.slot, now)
    )
    return tuple(islice(found, k))


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


def _proposals(
    task: Task, name: str, others: Mapping[int, Slot] | None = None
) -> Iterator[Proposal]:
    """Yield what the search finds and the rules confirm; ``others`` are placed too, outside the search."""
    found = search.Search(task)
    costing = Costing(found, others)
    for placement in islice(found.placements(), task.k + MOST_REFUSED):
        sessions, points = costing.of(placement)
        if _is_allowed(sessions):
            yield Proposal(name, points, sessions, placement.is_proven)


def _is_allowed(sessions: tuple[ProposedSession, ...]) -> bool:
    """Whether nothing stands against an open session that a search does not offer."""
    spoken_of = [session for session in sessions if session.conflicts and not session.is_fixed]
    return not spoken_of or all(
        verdicts.is_offered(conflict) for session in spoken_of for conflict in session.conflicts
    )


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
    if not ignoring:
        return order
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
