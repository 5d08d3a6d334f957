"""The windows of a course's sessions in whole numbers: what a search asks for every combination of days.

The same rows as ``gaps``, worked out once for an order; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from planner.scheduling import rulebook
from planner.scheduling.gaps import Spacing
from planner.scheduling.timetable import CourseOrder, Gap, PastSession, SessionOrder

NEVER = 10**9


@dataclass(frozen=True, slots=True)
class Window:
    """The days, as ordinals, a session may be on: from ``floor``, best ``target``, late after ``soft_max``.

    Without a target nothing comes before it; without a soft maximum late means nothing.
    """

    floor: int = 0
    target: int | None = None
    soft_max: int | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """What one session is measured against. Positions count the sessions that have a place to be found."""

    own: Gap
    same_zone: Gap
    before: (
        int | None
    )  # position of the session directly before it; None: it is done, or there is none
    done_before: int  # its day when it is done, 0 when there is none
    sharing: tuple[int, ...]  # positions of earlier sessions in an overlapping zone
    done_sharing: int  # the latest day of those that are done, 0 when there is none
    counts_late: bool
    foreign_floor: int
    foreign_target: int

    def window(self, days: Sequence[int]) -> Window:
        """Return the window, given the days of all positions before it."""
        before = self.done_before if self.before is None else days[self.before]
        floor, target, soft_max = self.foreign_floor, self.foreign_target, 0
        if before:
            floor = max(floor, before + self.own.floor)
            target = max(target, before + self.own.target)
            soft_max = before + self.own.soft_max
        sharing = self.done_sharing
        for position in self.sharing:
            sharing = max(sharing, days[position])
        if sharing:
            floor = max(floor, sharing + self.same_zone.floor)
            target = max(target, sharing + self.same_zone.target)
            soft_max = max(soft_max, sharing + self.same_zone.soft_max)
        if not target:
            return Window()
        return Window(floor, target, soft_max if self.counts_late and soft_max else None)


def rows_of(
    order: CourseOrder,
    placed: Sequence[SessionOrder],
    past: Iterable[PastSession],
    spacing: Spacing,
) -> tuple[Rows, ...]:
    """Return the rows of the sessions that have, or are to get, a place."""
    past = tuple(past)
    numbers = {row.number for row in order.sessions}
    own = {
        row.number: row.zones
        for row in past
        if row.course_id is not None and row.course_id == order.course_id and row.zones
    }
    foreign = [
        row
        for row in past
        if not (
            row.course_id is not None and row.course_id == order.course_id and row.number in numbers
        )
    ]
    return tuple(_rows(order, row, placed, own, foreign, spacing) for row in placed)


def _rows(  # noqa: PLR0917  one place calls it
    order: CourseOrder,
    session: SessionOrder,
    placed: Sequence[SessionOrder],
    done_zones: dict[int | None, frozenset[str]],
    foreign: Sequence[PastSession],
    spacing: Spacing,
) -> Rows:
    zones = done_zones.get(session.number) or session.zones
    position = {row.number: number for number, row in enumerate(placed)}
    earlier = sorted(
        (row for row in order.sessions if row.number < session.number),
        key=lambda row: row.number,
    )
    direct = earlier[-1] if earlier else None
    sharing = [
        row
        for row in earlier
        if not (session.is_custom_gap and row is direct)
        and zones & (done_zones.get(row.number) or row.zones)
    ]
    same_zone = _ruled(order.same_zone_gap, spacing)
    new_zones = _ruled(spacing.new_zones, spacing)
    away = [(row.on.toordinal(), new_zones) for row in foreign]
    away = [max(away, key=lambda pair: pair[0])] if away else []
    away += [(row.on.toordinal(), same_zone) for row in foreign if zones & row.zones]
    return Rows(
        own=session.gap if session.is_custom_gap else _ruled(session.gap, spacing),
        same_zone=same_zone,
        before=position.get(direct.number) if direct is not None else None,
        done_before=_done(direct),
        sharing=tuple(position[row.number] for row in sharing if row.number in position),
        done_sharing=max(map(_done, sharing), default=0),
        counts_late=direct is not None and direct.number == session.number - 1,
        foreign_floor=max((day + gap.floor for day, gap in away), default=0),
        foreign_target=max((day + gap.target for day, gap in away), default=0),
    )


def _done(session: SessionOrder | None) -> int:
    return session.done_on.toordinal() if session is not None and session.done_on else 0


def _ruled(gap: Gap, spacing: Spacing) -> Gap:
    return rulebook.strict(gap) if spacing.is_strict else gap


class Slope(NamedTuple):
    """What a day costs by its distance from another: so many points a day, and more around a window.

    ``target`` and ``soft_max`` are distances too; ``change`` is added where the weekday is not that of the
    day ``turn`` days before the other.
    """

    step: int
    early: int
    late: int
    too_late: int
    target: int | None = None
    soft_max: int | None = None
    change: int = 0
    turn: int = 0

    def points(self, distance: int) -> int:
        """Return what the day at the distance costs."""
        points = distance * self.step + (self.change if (distance + self.turn) % 7 else 0)
        target, soft_max = self.target, self.soft_max
        if target is None:
            return points
        if distance < target:
            return points + (target - distance) * self.early
        if soft_max is None:
            return points
        return points + (distance - target) * self.late + max(0, distance - soft_max) * self.too_late


@lru_cache(maxsize=1024)
def steps(slope: Slope, first: int, end: int) -> tuple[tuple[int, int], ...]:
    """Return the points and the distance of ``first`` up to, not including, ``end``, the cheapest first."""
    return tuple(sorted((slope.points(distance), distance) for distance in range(first, end)))
