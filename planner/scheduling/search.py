"""The search behind ``course.propose``: best first over the sessions of a course, cheapest day first.

Exact: a partial course is extended in order of what it costs so far plus the least the rest can cost, and of
two partial courses between which the rest cannot tell the difference only the cheaper ones are kept. Days
and starts are looked at only when their turn comes, so that a usual course touches a few weeks of the
horizon. It reads the timetable through ``fitting`` and confirms each start through ``rules``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from planner.scheduling import bounds, gaps, hours, preferences
from planner.scheduling.gaps import Window
from planner.scheduling.starts import (
    Start,
    Starts,
    Task,
    any_zone,
    first_day,
    past_of,
    spacing_of,
)
from planner.scheduling.timetable import SessionOrder, Slot

MAXIMUM_STEPS = 8_000
PATIENCE = 2_500  # steps without any answer, after which the search finishes what it has begun
ONE_DAY = timedelta(days=1)
LATE = timedelta(days=90)  # how far past the soft max a session is still looked for


@dataclass(frozen=True, slots=True)
class _Partial:
    """The first sessions of a course, placed."""

    points: int
    slots: tuple[Slot, ...]
    days: _Days


class _Day(NamedTuple):
    """A day for the next session: the least a course over it costs from there on, and its own points."""

    bound: int
    day: date
    points: int


@dataclass(frozen=True, slots=True)
class _Turn:
    """The days the next session may be on, most promising first, and whose turn it is."""

    partial: _Partial
    ranked: tuple[_Day, ...]
    position: int


@dataclass(frozen=True, slots=True)
class _Option:
    """The starts of one provider on one day, cheapest first; each is confirmed when its turn comes."""

    partial: _Partial
    day: _Day
    ranked: tuple[Start, ...]
    position: int


_Days = tuple[tuple[int, date], ...]
_Item = _Partial | _Turn | _Option


def best(task: Task) -> Iterator[Mapping[int, Slot]]:
    """Yield complete placements (slot by session number), the cheapest first, each with its own days."""
    yield from _Search(task).run()


class _Search:
    def __init__(self, task: Task) -> None:
        self.task = task
        order, timetable = task.order, task.timetable
        rows = sorted(order.sessions, key=lambda row: row.number)
        self.sessions = tuple(row for row in rows if row.done_on is None)
        self.done = tuple((row.number, row.done_on) for row in rows if row.done_on is not None)
        self.past, self.spacing = past_of(task), spacing_of(timetable, order)
        self.start = first_day(timetable)
        self.end = hours.day_of(timetable.horizon.ends_at, any_zone(timetable))
        self.starts = Starts(task)
        self.least = self._least()
        self.remembered = tuple(map(self._remembered, range(len(self.sessions))))
        self.ranked: dict[object, tuple[_Day, ...]] = {}
        self.kept: defaultdict[object, set[_Days]] = defaultdict(set)
        self.heap: list[tuple[int, int, int, _Item]] = []
        self.counter = count()
        self.is_hurried = False

    def run(self) -> Iterator[Mapping[int, Slot]]:
        self._push(_Partial(0, (), self.done), 0)
        steps = found = 0
        while self.heap and steps < MAXIMUM_STEPS:
            steps += 1
            if steps == PATIENCE and not found:
                self._hurry()
            item = heappop(self.heap)[3]
            if isinstance(item, _Turn):
                self._open_day(item)
            elif isinstance(item, _Option):
                self._confirm(item)
            elif len(item.slots) == len(self.sessions):
                if self._is_new(item, "complete"):
                    found += 1
                    yield {
                        session.number: slot
                        for session, slot in zip(self.sessions, item.slots, strict=True)
                    }
            elif self._is_new(item, self._key(item)):
                self._extend(item)

    def _push(self, item: _Item, bound: int) -> None:
        if bound >= bounds.NEVER:
            return
        partial = item if isinstance(item, _Partial) else item.partial
        depth = -len(partial.slots)
        # Of equal bounds the one that is nearer its end comes first; in a hurry it does anyway.
        rank = (depth, bound) if self.is_hurried else (bound, depth)
        heappush(self.heap, (*rank, next(self.counter), item))

    def _hurry(self) -> None:
        """From here on finish what is begun: a good answer soon instead of the best one late."""
        self.is_hurried = True
        self.heap = [(depth, bound, number, item) for bound, depth, number, item in self.heap]
        heapify(self.heap)

    def _is_new(self, partial: _Partial, key: object) -> bool:
        """Whether fewer than k cheaper partial courses with the same choices left have been seen."""
        seen = self.kept[key]
        if partial.days in seen or (key != "complete" and len(seen) >= self.task.k):
            return False
        seen.add(partial.days)
        return True

    def _key(self, partial: _Partial) -> object:
        """What the rest of the course depends on."""
        if not partial.slots:
            return ()
        last, days = partial.slots[-1], dict(partial.days)
        remembered = tuple(days[number] for number in self.remembered[len(partial.slots) - 1])
        at = last.starts_at.timetz() if self.task.weights.quarters else None
        return len(partial.slots), last.provider_id, last.site_id, at, remembered

    def _extend(self, partial: _Partial) -> None:
        session = self.sessions[len(partial.slots)]
        window = gaps.window_of(
            self.task.order,
            session.number,
            dict(partial.days),
            past=self.past,
            spacing=self.spacing,
        )
        if session.fixed is not None:
            self._extend_fixed(partial, session, session.fixed, window)
            return
        days = self._days(session, partial, window)
        if days:
            self._push(_Turn(partial, days, 0), partial.points + days[0].bound)

    def _extend_fixed(
        self, partial: _Partial, session: SessionOrder, slot: Slot, window: Window | None
    ) -> None:
        day, points, weights = self._day(slot), 0, self.task.weights
        given = {row.number for row in self.sessions if row.fixed is not None}
        ours = {row.number for row in self.sessions} - given
        if window is not None and window.since_number in ours:
            if day < window.floor:
                return
            points += preferences.day_points(
                weights, window, day, since=self._before(partial), is_first=False
            )
        if partial.slots:
            points += preferences.change_points(
                weights, partial.slots[-1], slot, self.task.timetable
            )
        self._push_partial(partial, session, slot, day, points)

    def _days(
        self, session: SessionOrder, partial: _Partial, window: Window | None
    ) -> tuple[_Day, ...]:
        """Return the days the session may be on, the one that promises the least cost first."""
        position, since = len(partial.slots), self._before(partial)
        last_day = max((day for _, day in partial.days), default=None)
        key = (position, window, since, last_day)
        if key not in self.ranked:
            first, last = self._reach(position, window, last_day)
            days = (first + timedelta(days=number) for number in range((last - first).days + 1))
            ranked = (self._ranked(session, day, position, window, since) for day in days)
            self.ranked[key] = tuple(sorted(day for day in ranked if day.bound < bounds.NEVER))
        return self.ranked[key]

    def _reach(
        self, position: int, window: Window | None, last_day: date | None
    ) -> tuple[date, date]:
        wishes = self.task.wishes
        first = max(self.start, wishes.not_before or self.start)
        last = min(self.end, wishes.not_after or self.end)
        if window is not None:
            first = max(first, window.floor)
        if last_day is not None:
            first = max(first, last_day + ONE_DAY)
        if window is not None and window.soft_max is not None:
            last = min(last, max(window.soft_max, first) + LATE)
        for later in self.sessions[position + 1 :]:
            if later.fixed is not None:
                return first, min(last, self._day(later.fixed) - ONE_DAY)
        return first, last

    def _ranked(
        self, session: SessionOrder, day: date, position: int, window: Window | None, since: date
    ) -> _Day:
        points = preferences.day_points(
            self.task.weights, window, day, since=since, is_first=position == 0
        )
        rest = self.least[position + 1][(day - self.start).days]
        return _Day(points + self.starts.least(session, day) + rest, day, points)

    def _open_day(self, item: _Turn) -> None:
        day, partial = item.ranked[item.position], item.partial
        following = replace(item, position=item.position + 1)
        if following.position < len(item.ranked):
            self._push(following, partial.points + item.ranked[following.position].bound)
        session = self.sessions[len(partial.slots)]
        for ranked in self._options(session, day.day, partial):
            self._push_option(_Option(partial, day, ranked, 0))

    def _push_option(self, item: _Option) -> None:
        if item.position < len(item.ranked):
            partial = item.partial
            rest = self.least[len(partial.slots) + 1][(item.day.day - self.start).days]
            points = item.day.points + item.ranked[item.position].points
            self._push(item, partial.points + points + rest)

    def _options(
        self, session: SessionOrder, day: date, partial: _Partial
    ) -> Iterator[tuple[Start, ...]]:
        """Yield per provider the starts of the day with their points, cheapest first."""
        by_provider = self.starts.of(session, day)
        if not partial.slots:
            yield from by_provider.values()
            return
        before, weights = partial.slots[-1], self.task.weights
        was = hours.local(before.starts_at, self._zone(before.site_id))
        for provider_id, ranked in by_provider.items():
            change = 0 if provider_id == before.provider_id else weights.provider
            yield tuple(
                sorted(
                    start._replace(points=start.points + change + self._moved(before, was, start))
                    for start in ranked
                )
            )

    def _moved(self, before: Slot, was: datetime, start: Start) -> int:
        weights = self.task.weights
        points = weights.site if start.site_id != before.site_id else 0
        if weights.quarters:
            points += preferences.time_points(
                weights,
                weekdays_differ=was.weekday() != start.weekday,
                minutes=abs(was.hour * 60 + was.minute - start.minute),
            )
        return points

    def _confirm(self, item: _Option) -> None:
        session = self.sessions[len(item.partial.slots)]
        start = item.ranked[item.position]
        slot, warnings = self.starts.confirmed(session, item.day.day, start)
        if slot is not None:
            points = item.day.points + start.points + warnings * self.task.weights.warning
            self._push_partial(item.partial, session, slot, item.day.day, points)
        # Where the time of day matters to what follows, the next start is a choice of its own.
        if slot is None or warnings or self.task.weights.quarters:
            self._push_option(replace(item, position=item.position + 1))

    def _push_partial(
        self, partial: _Partial, session: SessionOrder, slot: Slot, day: date, points: int
    ) -> None:
        longer = _Partial(
            partial.points + points, (*partial.slots, slot), (*partial.days, (session.number, day))
        )
        offset = (day - self.start).days
        least = self.least[len(longer.slots)]
        rest = least[offset] if 0 <= offset < len(least) else 0
        self._push(longer, longer.points + rest)

    def _before(self, partial: _Partial) -> date:
        if not partial.slots:
            return self.start
        return max(day for _, day in partial.days)

    def _least(self) -> tuple[tuple[int, ...], ...]:
        def fixed_on(session: SessionOrder) -> int | None:
            return (self._day(session.fixed) - self.start).days if session.fixed else None

        def day_least(session: SessionOrder, day: int) -> int:
            return self.starts.least(session, self.start + timedelta(days=day))

        return bounds.least(
            self.task.order,
            self.sessions,
            days=(self.end - self.start).days + 1,
            day_least=day_least,
            fixed_on=fixed_on,
            weights=self.task.weights,
            spacing=self.spacing,
            reach=LATE.days,
            has_foreign=bool(self.past),
        )

    def _remembered(self, position: int) -> tuple[int, ...]:
        """The sessions up to this position whose day the ones after it are measured against."""
        placed = {row.number for row in self.sessions[: position + 1]}
        remembered = {self.sessions[position].number}
        for place, later in enumerate(self.sessions[position + 1 :], position + 1):
            direct = self.sessions[place - 1].number
            for earlier in reversed(self.sessions[:place]):
                is_loosened = later.is_custom_gap and earlier.number == direct
                if not is_loosened and earlier.zones & later.zones:
                    remembered |= {earlier.number} & placed
                    break
        return tuple(sorted(remembered))

    def _day(self, slot: Slot) -> date:
        return hours.day_of(slot.starts_at, self._zone(slot.site_id))

    def _zone(self, site_id: int) -> str:
        return self.task.timetable.sites[site_id].zone
