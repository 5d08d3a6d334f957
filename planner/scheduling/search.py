"""The search behind ``course.propose``: best first over the days of a course, exact.

A node is a course of which the first sessions have their days, with the least cost of ending at each of
the places the last of those days offers. Nodes are opened in the order of that cost plus the least the
rest can cost; so the first complete course is the cheapest, the second the next, and nothing is looked at
that could not be among them. ``docs/scheduling.md`` says more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from planner.scheduling import distances, hours, options, reaching, task
from planner.scheduling.distances import NEVER, Slope, Window
from planner.scheduling.options import Key, Option, Options, Places
from planner.scheduling.permits import Permits
from planner.scheduling.task import Task
from planner.scheduling.timetable import SessionOrder, Slot, Timetable
from planner.scheduling.verdicts import Heard

MAXIMUM_STEPS = 20_000
"""Nodes opened after which a search finishes what it has begun, and says that it is not proven."""

LAST_STEPS = 2_000
PATIENCE = 300
"""Nodes opened after which it pays to ask whether others are better at every place."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A complete way to place the open sessions: slots by number, the fixed ones included.

    ``silent`` are those of which no rule says anything, were they alone.
    """

    slots: Mapping[int, Slot]
    silent: frozenset[int]
    is_proven: bool


class _Node:
    """Days for the first sessions, the least such a course costs, and where it may end at that cost.

    ``costs`` by option of the last day, and whence each came, are worked out when somebody needs them:
    mostly the next day has one of the leaders too, and nothing cheaper than staying there is possible.
    """

    __slots__ = ("before", "came", "costs", "days", "leaders", "least", "own")

    def __init__(
        self,
        days: tuple[int, ...],
        least: int,
        leaders: frozenset[Key],
        before: _Node | None,
        own: int,
    ) -> None:
        self.days, self.least, self.leaders = days, least, leaders
        self.before, self.own = before, own
        self.costs: list[int] | None = None
        self.came: list[int] = []


class _Turn(NamedTuple):
    """The days the next session may be on, the most promising first, and whose turn it is."""

    node: _Node
    ranking: _Ranking
    place: int


class Search:
    def __init__(self, asked: Task) -> None:
        self.task = asked
        order, timetable = asked.order, asked.timetable
        rows = sorted(order.sessions, key=lambda row: row.number)
        self.sessions = tuple(row for row in rows if row.done_on is None)
        self.size = len(self.sessions)
        past = task.past_of(asked)
        spacing = task.spacing_of(timetable, order)
        self.rows = distances.rows_of(order, self.sessions, past, spacing)
        first_days = [task.first_day(timetable, site_id).toordinal() for site_id in timetable.sites]
        self.start = max(first_days)
        self.options = self._all_options(min((row.number for row in rows), default=0))
        self.fixed = tuple(_day_of(row, timetable) for row in self.sessions)
        self.lowest, self.highest = self._limits(rows, min(first_days))
        self.permits = Permits(asked, self.sessions, self.rows, past, spacing)
        self.before = self._done_before(rows)
        self.sure = tuple(map(self._is_sure, range(self.size)))
        self.floors = self._floors()
        self.tails: list[dict[int, int]] = [{} for _ in self.sessions]
        self.rankings: dict[tuple[object, ...], _Ranking] = {}
        self.remembered = tuple(map(self._remembered, range(self.size)))
        self.seen: defaultdict[object, list[list[int]]] = defaultdict(list)
        self.heap: list[tuple[int, int, tuple[int, ...], int, _Node | _Turn]] = []
        self.counter = count()
        self.steps = 0
        self.is_hurried = False

    def placements(self) -> Iterator[Placement]:
        """Yield complete placements, the cheapest first, no two on the same days."""
        root = _Node((), 0, self.before.leaders if self.before else frozenset(), None, 0)
        root.costs = [0]
        self._extend(root)
        while self.heap:
            self.steps += 1
            if self.steps == MAXIMUM_STEPS:
                self._hurry()
            if self.steps > MAXIMUM_STEPS + LAST_STEPS:
                return
            item = heappop(self.heap)[4]
            if isinstance(item, _Turn):
                self._take(item)
            elif len(item.days) == self.size:
                yield self._placement(item)
            elif not self._is_beaten(item):
                self._extend(item)

    def _push(self, bound: int, days: tuple[int, ...], item: _Node | _Turn) -> None:
        if bound < NEVER:
            # Of equal bounds the one that is nearer its end comes first; in a hurry it does anyway.
            rank = (-len(days), bound) if self.is_hurried else (bound, -len(days))
            heappush(self.heap, (*rank, days, next(self.counter), item))

    def _hurry(self) -> None:
        self.is_hurried = True
        self.heap = [(depth, bound, *rest) for bound, depth, *rest in self.heap]  # type: ignore[misc]
        heapify(self.heap)

    def _extend(self, node: _Node) -> None:
        position = len(node.days)
        day = self.fixed[position]
        if day is not None:
            if self.permits.keeps_fixed(position, node.days):
                self._place(node, day, self._slope(node, position).points(day))
            return
        ranking = self._ranking(node, position)
        self._turn(node, ranking, 0)

    def _turn(self, node: _Node, ranking: _Ranking, place: int) -> None:
        found = ranking.at(place)
        if found is not None:
            points, day, _ = found
            self._push(node.least + points, (*node.days, day), _Turn(node, ranking, place))

    def _take(self, turn: _Turn) -> None:
        found = turn.ranking.at(turn.place)
        if found is not None:
            _, day, own = found
            self._place(turn.node, day, own)
        self._turn(turn.node, turn.ranking, turn.place + 1)

    def _place(self, node: _Node, day: int, own: int) -> None:
        """Push the node that has this day too; ``own`` are the points of the day itself."""
        position = len(node.days)
        here = self._places_on(position, day)
        is_first = not node.days and self.before is None
        if not is_first and self._weekday_before(node) != (day - 1) % 7:
            own += self.task.weights.weekday_change
        days = (*node.days, day)
        staying = here.leaders if is_first else node.leaders & here.leaders
        if staying and (self.permits.is_usual or self.fixed[position] is not None):
            child = _Node(days, node.least + own + here.least, staying, node, own)
        else:
            child = _Node(days, NEVER, frozenset(), node, own)
            costs = self._costs(child)
            child.least = min(costs, default=NEVER)
            child.leaders = frozenset(
                key for key, number in here.numbers.items() if costs[number] == child.least
            )
        if child.least < NEVER:
            self._push(child.least + self._tail(position, day), days, child)

    def _costs(self, node: _Node) -> list[int]:
        """What a course over these days costs at the least, by where it ends."""
        if node.costs is None:
            before, position, day = node.before, len(node.days) - 1, node.days[-1]
            assert before is not None  # noqa: S101  only the root has none, and its costs are known
            here = self._places_on(position, day).options
            came_from = self._places_on(position - 1, before.days[-1]) if position else self.before
            costs, node.came = reaching.reached(
                self._costs(before),
                came_from.options if came_from else (),
                here,
                self.task.weights,
            )
            costs = [
                cost + option.points + node.own for cost, option in zip(costs, here, strict=True)
            ]
            if self.fixed[position] is None:
                costs = self.permits.allowed(position, node.days, here, costs)
            node.costs = costs
        return node.costs

    def _places_on(self, position: int, day: int) -> Places:
        own = self.options[position]
        return own.on(day) if isinstance(own, Options) else own

    def _weekday_before(self, node: _Node) -> int:
        return (node.days[-1] - 1) % 7 if node.days else self.weekday_done

    def _ranking(self, node: _Node, position: int) -> _Ranking:
        slope = self._slope(node, position)
        since = node.days[-1] if node.days else 0
        first = max(self.lowest[position], slope.window.floor, since + 1)
        key = (position, slope.window, since, first)
        if key not in self.rankings:
            days = slope.days(first, self.highest[position])
            self.rankings[key] = _Ranking(self, position, days, self._weekday_before(node))
        return self.rankings[key]

    def _slope(self, node: _Node, position: int) -> Slope:
        window = self.rows[position].window(node.days)
        weights = self.task.weights
        if position:
            return Slope(node.days[-1], weights.elapsed, window, weights)
        step = weights.wait if self.fixed[0] is None else 0
        return Slope(self.start, step, window, weights)

    def tail(self, position: int, day: int) -> int:
        """Return the least that the sessions after this one cost, when it is on the day."""
        return self._tail(position, day)

    def _tail(self, position: int, day: int) -> int:
        if position + 1 >= self.size:
            return 0
        known = self.tails[position]
        if day not in known:
            known[day] = self._least_after(position, day)
        return known[day]

    def _least_after(self, position: int, day: int) -> int:
        following = position + 1
        weights = self.task.weights
        fixed = self.fixed[following]
        if fixed is not None:
            if fixed <= day and self.fixed[position] is None:
                return NEVER
            return (fixed - day) * weights.elapsed + self._tail(following, fixed)
        floor, slope = self._sure_slope(following, day)
        first = max(self.lowest[following], floor)
        own = self.options[following]
        assert isinstance(own, Options)  # noqa: S101  what is not fixed has options
        least, rest = NEVER, self.floors[following]
        for off, then in slope.days(first, self.highest[following]):
            if off + rest >= least:
                break
            points = off + own.least(then) + weights.weekday_change * bool((then - day) % 7)
            if points + rest < least:
                least = min(least, points + self._tail(following, then))
        return least

    def _sure_slope(self, position: int, day: int) -> tuple[int, Slope]:
        """The floor and the slope after the session directly before, whatever the others do."""
        rows, weights = self.rows[position], self.task.weights
        is_only = rows.before == position - 1
        if not is_only:
            return day + 1, Slope(day, weights.elapsed, Window(), weights)
        floor, target, soft_max = rows.own.floor, rows.own.target, rows.own.soft_max
        if position - 1 in rows.sharing:
            floor, target = max(floor, rows.same_zone.floor), max(target, rows.same_zone.target)
            soft_max = max(soft_max, rows.same_zone.soft_max)
        late = day + soft_max if rows.counts_late and self.sure[position] else None
        return day + floor, Slope(
            day, weights.elapsed, Window(day + floor, day + target, late), weights
        )

    def _is_sure(self, position: int) -> bool:
        """Whether nothing but the session directly before it can move its target on."""
        rows = self.rows[position]
        others = [one for one in rows.sharing if one != position - 1]
        is_covered = position - 1 in rows.sharing
        return not rows.foreign_target and (is_covered or not (others or rows.done_sharing))

    def _floors(self) -> tuple[int, ...]:
        """The least the distances after each position cost, were every day free."""
        found = [0] * self.size
        for position in range(self.size - 2, -1, -1):
            own = 0
            if self.fixed[position + 1] is None:
                floor, slope = self._sure_slope(position + 1, 0)
                target = slope.window.target
                own = min(slope.points(floor), slope.points(max(floor, target or floor)))
            found[position] = own + found[position + 1]
        return tuple(found)

    def _is_beaten(self, node: _Node) -> bool:
        """Whether enough others, at least as good at every place, leave the same choices for the rest."""
        if not node.days or self.steps < PATIENCE:
            return False
        costs = self._costs(node)
        key = tuple(node.days[position] for position in self.remembered[len(node.days) - 1])
        known = self.seen[len(node.days), key]
        beaten = sum(all(map(int.__le__, other, costs)) for other in known)
        if beaten >= self.task.k + SPARE:
            return True
        known.append(costs)
        return False

    def _remembered(self, position: int) -> tuple[int, ...]:
        """The positions up to this one whose days matter to the ones after it."""
        matter = {position}
        for rows in self.rows[position + 1 :]:
            earlier = [one for one in (*rows.sharing, rows.before) if one is not None]
            matter.update(one for one in earlier if one <= position)
        return tuple(sorted(matter))

    def _all_options(self, first: int) -> tuple[Options | Places, ...]:
        by_the_hour = bool(self.task.weights.quarters)
        heard: Heard = {}
        found: list[Options | Places] = []
        for position, row in enumerate(self.sessions):
            if row.fixed is not None:
                option = _option(row.fixed, self.task)
                found.append(options.places_of([option], by_the_hour=by_the_hour))
                continue
            like = next(
                (
                    own
                    for other, own in zip(self.sessions[1:position], found[1:], strict=True)
                    if isinstance(own, Options) and options.is_like(row, other, first)
                ),
                None,
            )
            since = None if position else self.start
            found.append(like or Options(self.task, row, heard, since=since))
        return tuple(found)

    def _limits(
        self, rows: Sequence[SessionOrder], start: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The first and last day of each position, from what is placed or done before and after it."""
        wishes, timetable = self.task.wishes, self.task.timetable
        end = max(
            hours.day_of(timetable.horizon.ends_at, site.zone).toordinal()
            for site in timetable.sites.values()
        )
        if wishes.not_before is not None:
            start = max(start, wishes.not_before.toordinal())
        if wishes.not_after is not None:
            end = min(end, wishes.not_after.toordinal())
        known = {row.number: _day_of(row, timetable) for row in rows}
        lowest, highest = [], []
        for session in self.sessions:
            before = [day for number, day in known.items() if day and number < session.number]
            after = [day for number, day in known.items() if day and number > session.number]
            lowest.append(max(start, *(day + 1 for day in before), 0))
            highest.append(min(end, *(day - 1 for day in after), date.max.toordinal()))
        return tuple(lowest), tuple(highest)

    def _done_before(self, rows: Sequence[SessionOrder]) -> Places | None:
        """Where the session directly before the first one to be placed took place, when that is known."""
        self.weekday_done = -1
        numbers = [row.number for row in self.sessions]
        earlier = [row for row in rows if numbers and row.number < numbers[0] and row.done_at]
        if not earlier:
            return None
        done = earlier[-1].done_at
        assert done is not None  # noqa: S101  chosen for it
        day = hours.day_of(done.starts_at, self.task.timetable.sites[done.site_id].zone)
        self.weekday_done = day.weekday()
        by_the_hour = bool(self.task.weights.quarters)
        return options.places_of([_option(done, self.task)], by_the_hour=by_the_hour)

    def _placement(self, node: _Node) -> Placement:
        """The slots of the course: of equal cost the first start of a day, then the lower numbers."""
        found: dict[int, Slot] = {}
        silent = set()
        here = self._places_on(len(node.days) - 1, node.days[-1])
        numbers = [here.numbers[key] for key in node.leaders]
        place = min(numbers, key=lambda one: (here.options[one].cell, here.options[one]))
        at: _Node | None = node
        while at is not None and at.days:
            position, day = len(at.days) - 1, at.days[-1]
            session, own = self.sessions[position], self.options[position]
            option = self._places_on(position, day).options[place]
            if isinstance(own, Options):
                found[session.number] = next(own.slots(day, option, session.number))
                if own.is_silent(day, option):
                    silent.add(session.number)
            elif session.fixed is not None:
                found[session.number] = session.fixed
            place = self._came(at, option, place)
            at = at.before
        return Placement(
            dict(sorted(found.items())), frozenset(silent), is_proven=not self.is_hurried
        )

    def _came(self, node: _Node, option: Option, place: int) -> int:
        """The place of the day before from which the option of the node's last day is reached."""
        position, before = len(node.days) - 1, node.before
        if not position or before is None:
            return 0
        if node.costs is not None:
            return node.came[place]
        minute = option.minute if self.task.weights.quarters else 0
        return self._places_on(position - 1, before.days[-1]).numbers[
            option.site_id, option.provider_id, minute
        ]


SPARE = 3  # placements looked at beyond those wanted, should the last judgement refuse one


class _Ranking:
    """The days of a session after a certain one: points with all that is sure to follow, cheapest first."""

    def __init__(
        self, search: Search, position: int, days: Iterator[tuple[int, int]], weekday: int
    ) -> None:
        self._search, self._position, self._days = search, position, days
        self._weekday = weekday
        self._next = next(days, None)
        self._pending: list[tuple[int, int, int]] = []
        self._found: list[tuple[int, int, int]] = []

    def at(self, place: int) -> tuple[int, int, int] | None:
        """Return the points, the day and the day's own points, or None after the last."""
        while len(self._found) <= place:
            if not self._advance():
                return None
        return self._found[place]

    def _advance(self) -> bool:
        search, position = self._search, self._position
        own = search.options[position]
        assert isinstance(own, Options)  # noqa: S101  what is not fixed has options
        rest = search.floors[position]
        change = search.task.weights.weekday_change
        while self._next is not None and (
            not self._pending or self._next[0] + rest <= self._pending[0][0]
        ):
            points, day = self._next
            self._next = next(self._days, None)
            whole = points + own.least(day)
            if whole < NEVER:
                whole += search.tail(position, day)
                if change and self._weekday >= 0 and (day - 1) % 7 != self._weekday:
                    whole += change
                if whole < NEVER:
                    heappush(self._pending, (whole, day, points))
        if not self._pending:
            return False
        self._found.append(heappop(self._pending))
        return True


def _day_of(row: SessionOrder, timetable: Timetable) -> int | None:
    if row.done_on is not None:
        return row.done_on.toordinal()
    if row.fixed is None:
        return None
    zone = timetable.sites[row.fixed.site_id].zone
    return hours.day_of(row.fixed.starts_at, zone).toordinal()


def _option(slot: Slot, asked: Task) -> Option:
    local = hours.local(slot.starts_at, asked.timetable.sites[slot.site_id].zone)
    return Option(slot.site_id, slot.provider_id, local.hour * 60 + local.minute, 0, 0)
