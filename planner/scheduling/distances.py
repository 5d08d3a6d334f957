"""The windows of a course's sessions in whole numbers: what a search asks for every combination of days.

The same rows as ``gaps``, worked out once for an order; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from planner.scheduling import rulebook
from planner.scheduling.gaps import Spacing
from planner.scheduling.timetable import CourseOrder, Gap, PastSession, SessionOrder

NEVER = 10**9


class Window(NamedTuple):
    """The days, as ordinals, a session may be on: from ``floor``, best ``target``, late after ``soft_max``.

    Without a target nothing comes before it; without a soft maximum late means nothing.
    """

    floor: int = 0
    target: int | None = None
    soft_max: int | None = None


class Rows(NamedTuple):
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
    numbers = {row.number for row in order.sessions}
    done_zones: dict[int | None, frozenset[str]] = {}
    foreign: list[tuple[int, frozenset[str]]] = []
    for one in past:
        is_own = one.course_id is not None and one.course_id == order.course_id
        if is_own and one.zones:
            done_zones[one.number] = one.zones
        if not (is_own and one.number in numbers):
            foreign.append((one.on.toordinal(), one.zones))
    same_zone, new_zones = _ruled(order.same_zone_gap, spacing), _ruled(spacing.new_zones, spacing)
    latest_floor = latest_target = 0
    if foreign:
        latest = max([day for day, _ in foreign])
        latest_floor, latest_target = latest + new_zones.floor, latest + new_zones.target
    positions = {row.number: position for position, row in enumerate(placed)}
    earlier: list[tuple[SessionOrder, frozenset[str]]] = []
    found: dict[int, Rows] = {}
    for session in sorted(order.sessions, key=_number):
        number = session.number
        zones = done_zones.get(number) or session.zones
        if number in positions:
            direct = earlier[-1][0] if earlier else None
            is_loose = session.is_custom_gap
            sharing, done_sharing = [], 0
            for row, its_zones in earlier:
                if not zones.isdisjoint(its_zones) and not (is_loose and row is direct):
                    if row.number in positions:
                        sharing.append(positions[row.number])
                    done_sharing = max(done_sharing, _done(row))
            foreign_floor, foreign_target = latest_floor, latest_target
            for day, its_zones in foreign:
                if not zones.isdisjoint(its_zones):
                    foreign_floor = max(foreign_floor, day + same_zone.floor)
                    foreign_target = max(foreign_target, day + same_zone.target)
            found[number] = Rows(
                session.gap if is_loose else _ruled(session.gap, spacing),
                same_zone,
                positions.get(direct.number) if direct is not None else None,
                _done(direct),
                tuple(sharing),
                done_sharing,
                direct is not None and direct.number == number - 1,
                foreign_floor,
                foreign_target,
            )
        earlier.append((session, zones))
    return tuple([found[row.number] for row in placed])


_number = attrgetter("number")


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
        return (
            points + (distance - target) * self.late + max(0, distance - soft_max) * self.too_late
        )


@lru_cache(maxsize=1024)
def steps(slope: Slope, first: int, end: int) -> tuple[tuple[int, int], ...]:
    """Return the points and the distance of ``first`` up to, not including, ``end``, the cheapest first."""
    return tuple(sorted((slope.points(distance), distance) for distance in range(first, end)))
