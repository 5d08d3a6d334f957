"""How far apart sessions are, and against which earlier one a session is measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from planner.scheduling import rulebook
from planner.scheduling.timetable import CourseOrder, Gap, PastSession

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


class Window(NamedTuple):
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


class Measure(NamedTuple):
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
    ruler = Ruler(order, past, spacing)
    found = {number: ruler.measured(number, days) for number in sorted(days)}
    return {number: measure for number, measure in found.items() if measure is not None}


class _Row(NamedTuple):
    """A session is measured against another by a gap; ``counts_late``: its soft maximum means something."""

    number: int | None  # None: a session of another course
    gap: Gap
    code: str
    counts_late: bool


class Drawn(NamedTuple):
    """A session on its day: what it is measured by, and its days from the target and past the soft max.

    ``past`` is None where late means nothing; before the target, and before the soft max, days are negative.
    """

    measure: Measure | None
    off: int
    past: int | None


class _Stretch(NamedTuple):
    """What a session is measured by while one other alone matters: distances from that one.

    ``since`` is the first of its days, as an ordinal, from which on sessions outside the order do not matter.
    """

    number: int
    since: int
    gap: Gap
    code: str
    soft_max: int | None


_Asks = tuple[int, int, int]
"""What a row asks for, as ordinals: the target, the floor, and since when; the greatest governs."""


class Ruler:
    """What the sessions of one order are measured against, looked up once for all their days.

    Measured against every earlier session with an overlapping zone by the same-zone row, and against the one
    directly before it by its own gap; a gap ordered for itself alone is not tightened by the same-zone row.
    ``past`` are the patient's sessions that took place, and those of other courses that are to.
    """

    def __init__(
        self, order: CourseOrder, past: Iterable[PastSession] = (), spacing: Spacing | None = None
    ) -> None:
        self._order, self._spacing = order, spacing or Spacing()
        self._past = tuple(past)
        self._latest = max((row.on for row in self._past), default=date.min)
        self._sessions = {row.number: row for row in order.sessions}
        self._zones = {row.number: row.zones for row in order.sessions}
        self._foreign = []
        for row in self._past:
            if not (_is_own(row, order) and row.number in self._sessions):
                self._foreign.append(row)
            elif row.zones and row.number is not None:
                self._zones[row.number] = row.zones
        self._same_zone = _as_ruled(order.same_zone_gap, self._spacing)
        self._rows: dict[tuple[int, tuple[int, ...]], tuple[tuple[int, _Row], ...]] = {}
        self._elsewhere: dict[int, tuple[tuple[_Asks, _Row], ...]] = {}
        self._stretches: dict[tuple[int, ...], _Stretch | None] = {}
        self._first: dict[tuple[int, ...], Window | None] = {}

    def measured(self, number: int, days: Mapping[int, date]) -> Measure | None:
        """Return the measure of one session on its day, or None when nothing before it counts."""
        day = days[number]
        window = self.window(number, days, day=day)
        return None if window is None else measure_in(window, day)

    def window(
        self, number: int, days: Mapping[int, date], *, day: date | None = None
    ) -> Window | None:
        """Return the window of a session, given the days of the others; None when nothing comes before it.

        With ``day``, sessions after it do not count.
        """
        if day is not None and day < self._latest:
            # Before the latest of them is chosen: one planned for later does not hide one that was.
            known = [row for row in self._past if row.on <= day]
            return Ruler(self._order, known, self._spacing).window(number, days, day=day)
        best, governing = (0, 0, 0), None
        floor = soft_max = 0
        until = _FOREVER if day is None else day.toordinal()
        for other, row in self._rows_of(number, self._earlier(number, days)):
            since = days[other].toordinal()
            if since > until:
                continue
            gap = row.gap
            asks = (since + gap.target, since + gap.floor, since)
            if asks > best:
                best, governing = asks, row
            floor = max(floor, asks[1])
            if row.counts_late and since + gap.soft_max > soft_max:
                soft_max = since + gap.soft_max
        for asks, row in self._rows_elsewhere(number):
            if asks > best:
                best, governing = asks, row
            floor = max(floor, asks[1])
        if governing is None:
            return None
        target, _, since = best
        return Window(
            floor=date.fromordinal(floor),
            target=date.fromordinal(target),
            soft_max=date.fromordinal(soft_max) if soft_max else None,
            since=date.fromordinal(since),
            since_number=governing.number,
            code=governing.code,
            usual_soft_max=governing.gap.soft_max,
        )

    def drawn(self, number: int, days: Mapping[int, date]) -> Drawn | None:
        """Return what is to be said of a session on its day, where no session comes before an earlier one."""
        day, key = days[number], (number, *days)
        try:
            stretch = self._stretches[key]
        except KeyError:
            earlier = self._earlier(number, days)
            if not earlier:
                self._first[key] = self.window(number, days)
            stretch = self._stretches[key] = self._stretch(number, earlier)
        if stretch is not None:
            since = days[stretch.number]
            ordinal = since.toordinal()
            if ordinal >= stretch.since:
                return _drawn(stretch, since, day.toordinal() - ordinal)
        window = self._first[key] if key in self._first else self.window(number, days)
        if window is None:
            return None
        past = None if window.soft_max is None else (day - window.soft_max).days
        return Drawn(measure_in(window, day), (day - window.target).days, past)

    def _earlier(self, number: int, days: Iterable[int]) -> tuple[int, ...]:
        """The sessions before one that are among these, in order."""
        return tuple(sorted([other for other in days if other < number and other in self._zones]))

    def _stretch(self, number: int, earlier: tuple[int, ...]) -> _Stretch | None:
        rows = self._rows_of(number, earlier)
        if len({other for other, _ in rows}) != 1:
            return None
        governing, soft_max = rows[0][1], None
        gap = governing.gap
        floor, target = gap.floor, gap.target
        for _, row in rows:
            gap = row.gap
            if (gap.target, gap.floor) > (governing.gap.target, governing.gap.floor):
                governing = row
            floor, target = max(floor, gap.floor), max(target, gap.target)
            if row.counts_late:
                soft_max = gap.soft_max if soft_max is None else max(soft_max, gap.soft_max)
        since = 0
        for (its_target, its_floor, _), _ in self._rows_elsewhere(number):
            since = max(since, its_target - target + 1, its_floor - floor)
        last = governing.gap.soft_max if soft_max is None else soft_max
        gap = governing.gap
        if (floor, last) != (gap.floor, gap.soft_max):
            gap = Gap(floor=floor, target=target, soft_max=min(365, max(target, last)))
        return _Stretch(rows[0][0], since, gap, governing.code, soft_max)

    def _rows_of(self, number: int, earlier: tuple[int, ...]) -> tuple[tuple[int, _Row], ...]:
        """The rows against sessions of the order, the direct one first, with their numbers."""
        key = (number, earlier)
        if key not in self._rows:
            self._rows[key] = tuple(self._in_order(number, earlier))
        return self._rows[key]

    def _in_order(self, number: int, earlier: tuple[int, ...]) -> Iterator[tuple[int, _Row]]:
        if not earlier:
            return
        session, before = self._sessions[number], earlier[-1]
        # With a session missing in between, the distance says nothing about being late.
        counts_late = before == number - 1
        if session.is_custom_gap:
            yield before, _Row(before, session.gap, "gap.custom", counts_late)
        else:
            gap = _as_ruled(session.gap, self._spacing)
            yield before, _Row(before, gap, "gap.ordered", counts_late)
        for other in earlier:
            is_loosened = session.is_custom_gap and other == before
            if not is_loosened and self._zones[number] & self._zones[other]:
                yield other, _Row(other, self._same_zone, "gap.same_zone", counts_late)

    def _rows_elsewhere(self, number: int) -> tuple[tuple[_Asks, _Row], ...]:
        """The rows against sessions outside the order: the latest, and each in an overlapping zone."""
        if number not in self._elsewhere:
            found = []
            if self._foreign:
                latest = max([row.on for row in self._foreign])
                gap = _as_ruled(self._spacing.new_zones, self._spacing)
                found.append(_elsewhere(latest, gap, "gap.new_zones"))
            zones = self._zones[number]
            found += [
                _elsewhere(row.on, self._same_zone, "gap.same_zone")
                for row in self._foreign
                if zones & row.zones
            ]
            self._elsewhere[number] = tuple(found)
        return self._elsewhere[number]


def measure_in(window: Window, day: date) -> Measure | None:
    """Return the measure of a session on a day of its window, or None when what it is measured by is over."""
    if window.soft_max is None and day >= window.target and window.since_number is None:
        return None
    return Measure(
        days=(day - window.since).days,
        since_number=window.since_number,
        gap=_counted(window),
        code=window.code,
        since=window.since,
        state=window.state(day),
    )


def _drawn(stretch: _Stretch, since: date, days: int) -> Drawn:
    number, _, gap, code, soft_max = stretch
    off = days - gap.target
    if off < 0:
        state = State.BELOW_FLOOR if days < gap.floor else State.BELOW_TARGET
    else:
        state = State.LATE if soft_max is not None and days > soft_max else State.IN_WINDOW
    past = None if soft_max is None else days - soft_max
    return Drawn(Measure(days, number, gap, code, since, state), off, past)


def _elsewhere(on: date, gap: Gap, code: str) -> tuple[_Asks, _Row]:
    since = on.toordinal()
    return (since + gap.target, since + gap.floor, since), _Row(None, gap, code, False)


_FOREVER = date.max.toordinal()


def _as_ruled(gap: Gap, spacing: Spacing) -> Gap:
    return rulebook.strict(gap) if spacing.is_strict else gap


def _is_own(row: PastSession, order: CourseOrder) -> bool:
    return row.course_id is not None and row.course_id == order.course_id


def _counted(window: Window) -> Gap:
    since = window.since
    floor, target = (window.floor - since).days, (window.target - since).days
    last = window.usual_soft_max if window.soft_max is None else (window.soft_max - since).days
    return Gap(floor=max(1, floor), target=max(1, target), soft_max=min(365, max(target, last)))
