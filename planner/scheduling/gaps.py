"""How far apart sessions are, and against which earlier one a session is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from planner.scheduling import rulebook
from planner.scheduling.timetable import CourseOrder, Gap, PastSession, SessionOrder

NEW_ZONES = rulebook.gap(rulebook.default("gap.new_zones").value)


class State(StrEnum):
    """Where in its window a day lies."""

    BELOW_FLOOR = "below_floor"
    BELOW_TARGET = "below_target"
    IN_WINDOW = "in_window"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """What the rule records say of gaps: the row between new zones, and whether the page holds to the letter."""

    new_zones: Gap = NEW_ZONES
    is_strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days a session may be on. ``soft_max`` is None where late means nothing."""

    floor: date
    target: date
    soft_max: date | None
    since: date
    since_number: int | None  # None: a session of another course
    code: str  # gap.ordered | gap.custom | gap.same_zone | gap.new_zones
    usual_soft_max: int  # of the row alone

    def state(self, day: date) -> State:
        """Return where the day lies."""
        if day < self.floor:
            return State.BELOW_FLOOR
        if day < self.target:
            return State.BELOW_TARGET
        return State.LATE if self.soft_max is not None and day > self.soft_max else State.IN_WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What the ruler of a session draws: its days since one earlier session, and the window it must meet.

    ``gap`` is counted from that session and is the strictest of all rows: usually one row as ordered; where
    rows mix, its floor, target and soft max are the latest days that any of them asks for.
    """

    days: int
    since_number: int | None  # None: a session of another course
    gap: Gap
    code: str
    since: date
    state: State


def measures(
    order: CourseOrder,
    days: Mapping[int, date],
    *,
    past: Iterable[PastSession] = (),
    spacing: Spacing | None = None,
) -> Mapping[int, Measure]:
    """Return the measure of every session in ``days`` that has an earlier one to be measured against."""
    past = tuple(past)
    found = {
        number: measured(order, number, days, past=past, spacing=spacing) for number in sorted(days)
    }
    return {number: measure for number, measure in found.items() if measure is not None}


def measured(
    order: CourseOrder,
    number: int,
    days: Mapping[int, date],
    *,
    past: Iterable[PastSession] = (),
    spacing: Spacing | None = None,
) -> Measure | None:
    """Return the measure of one session on its day, or None when nothing before it counts."""
    day = days[number]
    window = window_of(order, number, days, day=day, past=past, spacing=spacing)
    if window is None or (window.soft_max is None and day >= window.target and _is_foreign(window)):
        return None
    return Measure(
        days=(day - window.since).days,
        since_number=window.since_number,
        gap=_counted(window),
        code=window.code,
        since=window.since,
        state=window.state(day),
    )


def window_of(
    order: CourseOrder,
    number: int,
    days: Mapping[int, date],
    *,
    day: date | None = None,
    past: Iterable[PastSession] = (),
    spacing: Spacing | None = None,
) -> Window | None:
    """Return the window of a session, given the days of the others; None when nothing comes before it.

    Measured against every earlier session with an overlapping zone by the same-zone row, and against the one
    directly before it by its own gap; a gap ordered for itself alone is not tightened by the same-zone row.
    With ``day``, sessions after it do not count.
    """
    # Before the latest of them is chosen: one planned for later does not hide one that was.
    known = [row for row in past if day is None or row.on <= day]
    rows = [
        row
        for row in _rows(order, number, days, tuple(known), spacing or Spacing())
        if day is None or row.since <= day
    ]
    if not rows:
        return None
    governing = max(rows, key=lambda row: (row.target_day, row.floor_day, row.since))
    return Window(
        floor=max(row.floor_day for row in rows),
        target=governing.target_day,
        soft_max=max((row.soft_max_day for row in rows if row.counts_late), default=None),
        since=governing.since,
        since_number=governing.number,
        code=governing.code,
        usual_soft_max=governing.gap.soft_max,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    since: date
    number: int | None
    gap: Gap
    code: str
    counts_late: bool

    @property
    def floor_day(self) -> date:
        return self.since + timedelta(days=self.gap.floor)

    @property
    def target_day(self) -> date:
        return self.since + timedelta(days=self.gap.target)

    @property
    def soft_max_day(self) -> date:
        return self.since + timedelta(days=self.gap.soft_max)


def _rows(
    order: CourseOrder,
    number: int,
    days: Mapping[int, date],
    past: tuple[PastSession, ...],
    spacing: Spacing,
) -> list[_Row]:
    sessions = {session.number: session for session in order.sessions}
    done_zones = {row.number: row.zones for row in past if _is_own(row, order) and row.zones}
    zones = done_zones.get(number) or sessions[number].zones
    same_zone = _as_ruled(order.same_zone_gap, spacing)
    rows: list[_Row] = []
    earlier = sorted(n for n in days if n < number and n in sessions)
    if earlier:
        rows.append(_own_row(sessions[number], days, earlier[-1], spacing))
    for other in earlier:
        is_loosened = sessions[number].is_custom_gap and other == earlier[-1]
        if not is_loosened and zones & (done_zones.get(other) or sessions[other].zones):
            counts_late = earlier[-1] == number - 1
            rows.append(_Row(days[other], other, same_zone, "gap.same_zone", counts_late))
    foreign = [row for row in past if not (_is_own(row, order) and row.number in sessions)]
    if foreign:
        latest = max(row.on for row in foreign)
        rows.append(
            _Row(latest, None, _as_ruled(spacing.new_zones, spacing), "gap.new_zones", False)
        )
    rows.extend(
        _Row(row.on, None, same_zone, "gap.same_zone", False)
        for row in foreign
        if zones & row.zones
    )
    return rows


def _own_row(
    session: SessionOrder, days: Mapping[int, date], before: int, spacing: Spacing
) -> _Row:
    if session.is_custom_gap:
        gap, code = session.gap, "gap.custom"
    else:
        gap, code = _as_ruled(session.gap, spacing), "gap.ordered"
    # With a session missing in between, the distance says nothing about being late.
    return _Row(days[before], before, gap, code, before == session.number - 1)


def _as_ruled(gap: Gap, spacing: Spacing) -> Gap:
    return rulebook.strict(gap) if spacing.is_strict else gap


def _is_own(row: PastSession, order: CourseOrder) -> bool:
    return row.course_id is not None and row.course_id == order.course_id


def _is_foreign(window: Window) -> bool:
    return window.since_number is None


def _counted(window: Window) -> Gap:
    floor = (window.floor - window.since).days
    target = (window.target - window.since).days
    if window.soft_max is None:
        soft_max = max(target, window.usual_soft_max)
    else:
        soft_max = max(target, (window.soft_max - window.since).days)
    return Gap(floor=max(1, floor), target=max(1, target), soft_max=min(365, soft_max))
