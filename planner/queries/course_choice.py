"""What is chosen on the course screen: what the form holds, and what is the best around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from planner.queries.course_ground import Loaded, minutes_of, open_numbers, slots_of, with_fixed
from planner.queries.course_view import (
    PlanRequest,
)
from planner.scheduling import availability
from planner.scheduling import course as planning
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    HARD,
    Conflict,
    Slot,
)

OBJECTIVES = ("order", "soonest", "same_time")
MORE = 6
MINUTE = timedelta(minutes=1)
STEP_REACH = timedelta(days=28)
STEP_TRIES = 60


def picked_slots(loaded: Loaded, request: PlanRequest) -> dict[int, Slot]:
    """Return what the form holds for the open sessions."""
    opens = open_numbers(loaded)
    return {n: slot for n, slot in slots_of(loaded, request.picks).items() if n in opens}


def kept_slots(
    loaded: Loaded, request: PlanRequest, picked: Mapping[int, Slot], purpose: str
) -> dict[int, Slot]:
    """Return what must not move: the pinned sessions; after a step, that session and those before it."""
    if not request.step or request.number not in picked:
        return {n: slot for n, slot in picked.items() if n in request.pins}
    moved = _stepped(loaded, request, picked, purpose) or picked[request.number]
    return {**staying(request, picked, request.number), request.number: moved}


def staying(request: PlanRequest, placed: Mapping[int, Slot], number: int) -> dict[int, Slot]:
    """Return what stays where it is when this session moves: those before it, and the pinned ones."""
    return {n: s for n, s in placed.items() if n != number and (n < number or n in request.pins)}


def following(
    loaded: Loaded, request: PlanRequest, kept: Mapping[int, Slot], purpose: str
) -> dict[int, Slot] | None:
    """Return the plan around what is kept, the open sessions proposed as they would follow; None if they cannot."""
    order = with_fixed(loaded.order, kept)
    opens = open_numbers(loaded)
    if all(number in kept for number in opens):
        return dict(kept)
    best = planning.propose(
        order, loaded.timetable, request.wishes, objective=request.objective, purpose=purpose
    )
    return {**open_slots(best[0], opens), **kept} if best else None


def best_proposals(
    loaded: Loaded, request: PlanRequest, kept: Mapping[int, Slot], purpose: str
) -> dict[str, tuple[planning.Proposal, ...]]:
    """Return the proposals by objective: of each the best, of the first several where more are asked for."""
    if not open_numbers(loaded):
        return {}
    return {
        objective: planning.propose(
            with_fixed(loaded.order, kept),
            loaded.timetable,
            request.wishes,
            objective=objective,
            k=MORE if request.more and objective == "order" else 1,
            purpose=purpose,
        )
        for objective in OBJECTIVES
    }


def chosen_slots(
    request: PlanRequest,
    picked: Mapping[int, Slot],
    kept: Mapping[int, Slot],
    found: Mapping[str, tuple[planning.Proposal, ...]],
    opens: tuple[int, ...],
) -> dict[int, Slot]:
    """Return the plan on the timeline: what the form holds, else the best of the chosen objective."""
    is_complete = set(picked) == set(opens)
    if is_complete and not request.step and not request.renew:
        return dict(picked)
    best = found.get(request.objective, ())
    if not best:
        return {**(picked if request.step else {}), **kept}
    return {**open_slots(best[0], opens), **kept}


def open_slots(proposal: planning.Proposal, opens: tuple[int, ...]) -> dict[int, Slot]:
    """Return where a proposal has the sessions that are to be placed."""
    return {s.number: s.slot for s in proposal.sessions if s.number in opens and s.slot is not None}


def costs_by_number(
    placed: Mapping[int, Slot], found: Mapping[str, tuple[planning.Proposal, ...]]
) -> dict[int, tuple[planning.Cost, ...]]:
    """Return the costs of the sessions that stand as some proposal has them."""
    return {
        session.number: session.costs
        for proposals in found.values()
        for proposal in proposals
        for session in proposal.sessions
        if placed.get(session.number) == session.slot
    }


def _stepped(
    loaded: Loaded, request: PlanRequest, picked: Mapping[int, Slot], purpose: str
) -> Slot | None:
    """Return the next legal start before or after the one shown, or None at the edge."""
    if request.step not in ("earlier", "later"):
        return None
    present = picked[request.number]
    before = {n: slot for n, slot in picked.items() if n < request.number}
    found = availability.free_slots(
        loaded.timetable,
        service_id=present.service_id,
        site_ids=(present.site_id,),  # another site is chosen, never slipped into
        provider_ids=request.wishes.provider_ids,
        minutes=minutes_of(present),
        patient_id=present.patient_id,
        interval=_around(present, request.step),
        purpose=purpose,
    )
    ordered = found if request.step == "later" else tuple(reversed(found))
    for slot in ordered[:STEP_TRIES]:
        wanted = slot._replace(number=request.number)
        verdict = planning.judge(
            loaded.order, {**before, request.number: wanted}, loaded.timetable, purpose=purpose
        )
        if not any(_stops(conflict) for conflict in verdict[request.number]):
            return wanted
    return None


def _around(slot: Slot, step: str) -> Interval:
    """Return the weeks after the slot's start, or before it."""
    if step == "later":
        return Interval(slot.starts_at + MINUTE, slot.starts_at + STEP_REACH)
    return Interval(slot.starts_at - STEP_REACH, slot.ends_at - MINUTE)


def _stops(conflict: Conflict) -> bool:
    return conflict.severity in HARD


def pinned_by_step(request: PlanRequest) -> int:
    """Return the number of the session that a step has just moved, 0 without one."""
    return request.number if request.step else 0
