"""Whether it keeps its distance from the other sessions of the patient, and its place in the course."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from planner.scheduling.gaps import Measure, State
from planner.scheduling.rules.case import Case
from planner.scheduling.timetable import Conflict, RuleSetting

# The order of the provider is due before anything is firm.
DECIDED = frozenset({"book", "here_now", "start"})

_CODES = {
    State.BELOW_FLOOR: "gap.below_floor",
    State.BELOW_TARGET: "gap.below_target",
    State.LATE: "gap.above_soft_max",
}


def order_is_decided(case: Case) -> Iterator[Conflict]:
    """S38: the provider has chosen the interval before the desk books."""
    if case.order is not None and not case.order.is_decided and case.purpose in DECIDED:
        yield case.conflict("order.undecided")


def session_is_open(case: Case) -> Iterator[Conflict]:
    """The number is one of the order, and no other appointment serves it."""
    if case.order is None or case.slot.number is None:
        return
    session = case.session
    if session is None:
        yield case.conflict("order.unknown_session", number=case.slot.number)
        return
    is_served = session.appointment_id is not None or session.done_on is not None
    if is_served and session.appointment_id not in case.ignoring:
        yield case.conflict("order.already_placed", number=session.number)


def numbers_come_in_order(case: Case) -> Iterator[Conflict]:
    """Session 2 comes on a later day than session 1."""
    number = case.slot.number
    if number is None or case.order is None:
        return
    for other, day in sorted(case.placed.items()):
        is_right = day < case.day if other < number else day > case.day
        if not is_right:
            yield case.conflict("order.sequence", number=number, other=other, on=day)
            return


def gap_is_kept(case: Case) -> Iterator[Conflict]:
    """Neither below the floor nor, without a warning, below the target or past the soft max."""
    measure = own_measure(case)
    if measure is not None and measure.state is not State.IN_WINDOW:
        yield of_measure(measure, case.slot.number, case.rule)


def next_gap_is_kept(case: Case) -> Iterator[Conflict]:
    """The sessions that are placed after it stay far enough from it."""
    if case.session is not None:
        yield from _next_in_course(case)
    yield from _next_elsewhere(case)


def review_is_in_window(case: Case) -> Iterator[Conflict]:
    """S38: a review comes within its days after the session before it, where the clinic has set any."""
    value = case.rule("review.window_days").value
    before = [row.on for row in case.past if row.on < case.day]
    if value is None or not before:
        return
    days = (case.day - max(before)).days
    if not value["floor"] <= days <= value["soft_max"]:
        yield case.conflict("review.outside_window", days=days, since=max(before), **value)


RULES = (order_is_decided, session_is_open, numbers_come_in_order, gap_is_kept, next_gap_is_kept)


def own_measure(case: Case) -> Measure | None:
    """Return what the session is measured by on the slot's day."""
    order = case.measured_order
    number = case.slot.number if case.order is not None else 1
    if number is None or all(row.number != number for row in order.sessions):
        return None
    days = {**case.placed, number: case.day}
    return case.ruler.measured(number, days)


def _next_in_course(case: Case) -> Iterator[Conflict]:
    number = case.slot.number
    if number is None or case.order is None:
        return
    later = sorted(other for other, day in case.placed.items() if other > number and day > case.day)
    with_it = {**case.placed, number: case.day}
    for other in later:
        measure = case.ruler.measured(other, with_it)
        if measure is None or measure.state not in _EARLY:
            continue
        before = case.ruler.measured(other, case.placed)
        if before is None or _EARLY[measure.state] > _EARLY.get(before.state, 0):
            yield case.conflict(_CODES[measure.state], is_next=True, **_params(measure, other))
            return


def _next_elsewhere(case: Case) -> Iterator[Conflict]:
    """Sessions of the patient's other courses, planned for later days."""
    zones = case.session.zones if case.session is not None else frozenset()
    order = case.measured_order
    for row in case.past:
        if row.on <= case.day:
            continue
        is_own = case.order is not None and row.course_id is not None
        if is_own and case.order is not None and row.course_id == case.order.course_id:
            continue
        gap = order.same_zone_gap if zones & row.zones else case.spacing.new_zones
        if row.on < case.day + timedelta(days=gap.floor):
            yield case.conflict(
                "gap.below_floor",
                number=None,
                since_number=case.slot.number,
                since=case.day,
                days=(row.on - case.day).days,
                floor=gap.floor,
                target=gap.target,
                soft_max=gap.soft_max,
                earliest=row.on - timedelta(days=gap.floor),
                is_next=True,
            )
            return


_EARLY = {State.BELOW_TARGET: 1, State.BELOW_FLOOR: 2}


def of_measure(
    measure: Measure, number: int | None, rule: Callable[[str], RuleSetting]
) -> Conflict:
    """Return what is to be said of a session that is not in its window; ``rule`` gives the record that holds."""
    code = _CODES[measure.state]
    return Conflict(code=code, severity=rule(code).severity, params=_params(measure, number))


def _params(measure: Measure, number: int | None) -> dict[str, Any]:
    return {
        "number": number,
        "since_number": measure.since_number,
        "since": measure.since,
        "days": measure.days,
        "floor": measure.gap.floor,
        "target": measure.gap.target,
        "soft_max": measure.gap.soft_max,
        "earliest": measure.since + timedelta(days=measure.gap.floor),
    }
