"""The least the rest of a course can cost, from each day on: what lets a search look at little and stay exact.

Worked backwards over days alone: providers, changes and health are left out, so it never says too much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planner.scheduling import rulebook
from planner.scheduling.gaps import Spacing
from planner.scheduling.preferences import Weights
from planner.scheduling.timetable import CourseOrder, Gap, SessionOrder

NEVER = 10**9


def least(
    order: CourseOrder,
    sessions: Sequence[SessionOrder],
    *,
    days: int,
    day_least: Callable[[SessionOrder, int], int],
    fixed_on: Callable[[SessionOrder], int | None],
    weights: Weights,
    spacing: Spacing,
    reach: int,
    has_foreign: bool,
) -> tuple[tuple[int, ...], ...]:
    """Return per position and day of the session before it the least that it and all later ones cost.

    Days are numbered from the start of the search; ``day_least`` is the least a start of that day costs, or
    NEVER. ``reach`` is how far past the soft max a session is looked for. With ``has_foreign`` sessions of
    other courses may move a target on, so that being late is not counted.
    """
    after: tuple[int, ...] = (0,) * days
    result = [after]
    for position in range(len(sessions) - 1, 0, -1):
        session = sessions[position]
        fixed = fixed_on(session)
        if fixed is not None:
            after = _before_fixed(session, sessions[position - 1], fixed, after, days)
        else:
            gap, is_sure = _effective(order, sessions, position, spacing)
            costs = _gap_costs(gap, weights, reach, counts_late=is_sure and not has_foreign)
            value = [day_least(session, day) + after[day] for day in range(days)]
            after = tuple(_cheapest(costs, gap.floor, value, day) for day in range(days))
        result.append(after)
    result.append(())
    return tuple(reversed(result))


def _cheapest(costs: Sequence[int], floor: int, value: Sequence[int], since: int) -> int:
    window = value[since + floor : since + floor + len(costs)]
    return min(map(int.__add__, costs, window), default=NEVER)


def _gap_costs(gap: Gap, weights: Weights, reach: int, *, counts_late: bool) -> list[int]:
    """Return the cost of each distance from the floor on."""
    late, too_late = (weights.late, weights.too_late) if counts_late else (0, 0)
    return [
        days * weights.elapsed
        + max(0, gap.target - days) * weights.early
        + max(0, days - gap.target) * late
        + max(0, days - gap.soft_max) * too_late
        for days in range(gap.floor, gap.soft_max + reach + 1 + (0 if counts_late else 365))
    ]


def _effective(
    order: CourseOrder, sessions: Sequence[SessionOrder], position: int, spacing: Spacing
) -> tuple[Gap, bool]:
    """Return the gap after the session directly before, and whether no other session can move it."""
    session, direct = sessions[position], sessions[position - 1]
    if session.is_custom_gap:
        gap, overlaps = session.gap, False
    else:
        gap = rulebook.strict(session.gap) if spacing.is_strict else session.gap
        overlaps = bool(session.zones & direct.zones)
        if overlaps:
            same = order.same_zone_gap
            gap = _later(gap, rulebook.strict(same) if spacing.is_strict else same)
    earlier = [row for row in order.sessions if row.number < direct.number]
    return gap, overlaps or not any(row.zones & session.zones for row in earlier)


def _later(one: Gap, other: Gap) -> Gap:
    return Gap(
        floor=max(one.floor, other.floor),
        target=max(one.target, other.target),
        soft_max=max(one.soft_max, other.soft_max),
    )


def _before_fixed(
    session: SessionOrder, direct: SessionOrder, fixed: int, after: Sequence[int], days: int
) -> tuple[int, ...]:
    floor = 1 if direct.fixed is not None else session.gap.floor
    # A fixed session before the search began cannot be too near to one that is still open.
    rest = after[fixed] if 0 <= fixed < days else 0
    return tuple(
        rest if direct.fixed is not None or day + floor <= fixed else NEVER for day in range(days)
    )
