"""Placing the sessions of a course: how they are measured, judged, proposed, and what a change does.

The search is behind ``propose`` and ``alternatives``; ``search.py`` may be replaced without a caller noticing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from planner.scheduling import gaps, hours, index, preferences, rules, search, starts
from planner.scheduling.gaps import Measure, Spacing, State
from planner.scheduling.preferences import OBJECTIVES, Cost, Weights, Wishes
from planner.scheduling.starts import Task
from planner.scheduling.timetable import (
    Busy,
    Conflict,
    CourseOrder,
    PastSession,
    SessionOrder,
    Slot,
    Status,
    Timetable,
)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What changing one session does to another: it stays, is now late, or is now too early."""

    number: int
    code: str  # stays | now_late | now_early
    before: Measure | None
    after: Measure | None

    @property
    def is_below_floor(self) -> bool:
        """Whether the change needs a provider's decision for this session."""
        return (
            self.code == "now_early"
            and self.after is not None
            and self.after.state is State.BELOW_FLOOR
        )


def measure(
    order: CourseOrder,
    days: Mapping[int, date],
    *,
    past: Iterable[PastSession] = (),
    spacing: Spacing | None = None,
) -> Mapping[int, Measure]:
    """Return by session number what it is measured by on its day: the strictest row (clinic.md 2).

    A session with nothing before it has no measure. ``spacing`` is what the rule records say (see
    ``spacing``); without it the rules as shipped.
    """
    return gaps.measures(order, days, past=past, spacing=spacing)


def spacing(timetable: Timetable, order: CourseOrder) -> Spacing:
    """Return what the clinic's rule records say of gaps for this course: pass it to ``measure``."""
    return starts.spacing_of(timetable, order)


def judge(
    order: CourseOrder,
    placed: Mapping[int, Slot],
    timetable: Timetable,
    *,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> Mapping[int, tuple[Conflict, ...]]:
    """Return by session number what stands against its slot, all the others being where they are placed.

    Sessions of the order that are not in ``placed`` count where they are fixed. ``ignoring`` names the
    appointments that the change moves away; an appointment that stays where it is need not be named.
    """
    staying = _staying(order, placed)
    overlaid_order = _overlaid_order(order, placed, staying)
    slots = {number: replace(slot, number=number) for number, slot in placed.items()}
    overlaid = index.overlaid(
        timetable, [_as_busy(order, slot) for slot in slots.values()], without=ignoring
    )
    moved = frozenset(placed) - frozenset(staying)
    return {
        number: _once(
            rules.conflicts(
                slot,
                overlaid,
                order=overlaid_order,
                purpose=purpose,
                ignoring=ignoring | {-number} | ({staying[number]} if number in staying else set()),
            ),
            moved,
        )
        for number, slot in sorted(slots.items())
    }


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
    overlaid_order = _overlaid_order(order, others, _staying(order, others), opened=number)
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
        islice((session for session in found if session and not _is_same(session.slot, now)), k)
    )


def effects(
    order: CourseOrder,
    placed_before: Mapping[int, Slot],
    placed_after: Mapping[int, Slot],
    timetable: Timetable,
) -> tuple[Effect, ...]:
    """Return what a change does to each session that it does not itself move, by number.

    A number missing from ``placed_after`` is cancelled. ``now_early``: below its floor, or below a target
    that it met before; ``now_late``: past a soft max that it met before.
    """
    before, after = (
        _measures_of(order, placed, timetable) for placed in (placed_before, placed_after)
    )
    return tuple(
        Effect(
            number=number,
            code=_effect(before.get(number), after.get(number)),
            before=before.get(number),
            after=after.get(number),
        )
        for number in sorted(placed_after)
        if placed_before.get(number) == placed_after[number]
    )


def _once(conflicts: tuple[Conflict, ...], moved: frozenset[int]) -> tuple[Conflict, ...]:
    """Leave out of a gap between two sessions that both move what the later one says itself."""
    return tuple(
        conflict
        for conflict in conflicts
        if not (conflict.params.get("is_next") and conflict.params.get("number") in moved)
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
    days = _days(task.order, placed, task.timetable)
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


def _staying(order: CourseOrder, placed: Mapping[int, Slot]) -> dict[int, int]:
    """The appointments of the order that the placement leaves where they are, by number."""
    return {
        row.number: row.appointment_id
        for row in order.sessions
        if row.appointment_id is not None
        and row.fixed is not None
        and row.number in placed
        and _is_same(row.fixed, placed[row.number])
    }


def _overlaid_order(
    order: CourseOrder,
    placed: Mapping[int, Slot],
    staying: Mapping[int, int],
    opened: int | None = None,
) -> CourseOrder:
    def row_of(row: SessionOrder) -> SessionOrder:
        if row.number == opened and row.done_on is None:
            return replace(row, fixed=None, appointment_id=None)
        if row.number in placed and row.number not in staying and row.done_on is None:
            return replace(row, fixed=placed[row.number], appointment_id=None)
        return row

    return replace(order, sessions=tuple(map(row_of, order.sessions)))


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


def _as_busy(order: CourseOrder, slot: Slot) -> Busy:
    zones = next((row.zones for row in order.sessions if row.number == slot.number), frozenset())
    return Busy(
        appointment_id=-(slot.number or 0),
        status=Status.BOOKED,
        slot=slot,
        course_id=order.course_id,
        zones=zones,
    )


def _measures_of(
    order: CourseOrder, placed: Mapping[int, Slot], timetable: Timetable
) -> Mapping[int, Measure]:
    facts = timetable.patients.get(order.patient_id) if order.patient_id is not None else None
    bare = replace(order, sessions=tuple(replace(row, fixed=None) for row in order.sessions))
    return gaps.measures(
        order,
        _days(bare, placed, timetable),
        past=facts.past_sessions if facts else (),
        spacing=spacing(timetable, order),
    )


def _days(order: CourseOrder, placed: Mapping[int, Slot], timetable: Timetable) -> dict[int, date]:
    days = {row.number: row.done_on for row in order.sessions if row.done_on is not None}
    for row in order.sessions:
        slot = placed.get(row.number, row.fixed)
        if slot is not None and row.number not in days:
            days[row.number] = hours.day_of(slot.starts_at, timetable.sites[slot.site_id].zone)
    return days


def _days_elapsed(task: Task, placed: Mapping[int, Slot]) -> int:
    """The days from the first session placed to the last."""
    days = _days(task.order, placed, task.timetable)
    placed_days = [days[number] for number in placed]
    return (max(placed_days) - min(placed_days)).days


def _gap_days(number: int, days: Mapping[int, date]) -> int | None:
    earlier = [other for other in days if other < number]
    return (days[number] - days[max(earlier)]).days if earlier else None


def _effect(before: Measure | None, after: Measure | None) -> str:
    if after is None:
        return "stays"
    was = before.state if before is not None else State.IN_WINDOW
    if after.state is State.BELOW_FLOOR:
        return "now_early"
    if after.state is State.BELOW_TARGET and was is not State.BELOW_TARGET:
        return "now_early"
    return "now_late" if after.state is State.LATE and was is not State.LATE else "stays"


def _is_same(one: Slot, other: Slot | None) -> bool:
    return other is not None and replace(one, number=None) == replace(other, number=None)
