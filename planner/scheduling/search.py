"""The search behind ``course.propose``: best first over the days of a course, exact.

A node is a course of which the first sessions have their days, with the least cost of ending at each of
the places the last of those days offers. Nodes are opened in the order of that cost plus the least the
rest can cost; so the first complete course is the cheapest, the second the next, and nothing is looked at
that could not be among them. ``docs/scheduling.md`` says more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush, heappushpop
from typing import NamedTuple

from planner.scheduling import bearings, distances, hours, preferences, task
from planner.scheduling.distances import NEVER, Slope
from planner.scheduling.options import Option, Options, Places
from planner.scheduling.permits import Permits
from planner.scheduling.preferences import Visit
from planner.scheduling.reaching import Ends
from planner.scheduling.task import Task
from planner.scheduling.timetable import Slot

MAXIMUM_STEPS = 20_000
"""Nodes opened after which a search finishes what it has begun, and says that it is not proven."""

LAST_STEPS = 2_000
PATIENCE = 300
"""Nodes opened after which it pays to ask whether others are better at every place."""


class Placement(NamedTuple):
    """A complete way to place the open sessions: visits by number, the fixed ones included.

    ``points`` is what the days and places cost that were searched for; ``silent`` are those of which no rule
    says anything, were they alone.
    """

    visits: Mapping[int, Visit]
    points: int
    silent: frozenset[int]
    is_proven: bool


class _Node:
    """Days for the first sessions, the least such a course costs, and where it may end at that cost.

    ``leaders`` are the places where it does, as bits. Its other ``ends`` are worked out when somebody needs
    them: mostly the next day has one of the leaders too, and nothing cheaper than staying there is possible.
    """

    __slots__ = ("before", "days", "ends", "leaders", "least", "own")

    def __init__(
        self,
        days: tuple[int, ...],
        least: int,
        leaders: int,
        before: _Node | None,
        own: int,
    ) -> None:
        self.days, self.least, self.leaders = days, least, leaders
        self.before, self.own = before, own
        self.ends: Ends | None = None


_Turn = tuple[_Node, int, "_Ranking", int]
"""A node, the own points of the day that has its turn, the days its next session may be on, and its place there."""

_Entry = tuple[int, int, tuple[int, ...], _Node | _Turn]
"""Its place in the order, the negative number of its days, the days, and what they belong to."""


class Search:
    """What follows from a task, day by day and session by session, and the search through it."""

    def __init__(self, asked: Task) -> None:
        self.task = asked
        timetable = asked.timetable
        self.bearings = its = bearings.of(asked)
        self.sessions, self.rows, self.fixed = its.sessions, its.rows, its.fixed
        self.size = len(self.sessions)
        first_days = [task.first_day(timetable, site_id).toordinal() for site_id in timetable.sites]
        self.start = max(first_days)
        self.roster = its.rosters[bool(asked.weights.quarters)]
        self.options = self._all_options()
        self.places = tuple(map(self._places, self.options, self.fixed))
        self.lowest, self.highest = self._limits(min(first_days))
        known = (day for day in self.fixed if day is not None)
        farthest = max(self.highest, default=0) - min(self.start, *self.lowest, *known)
        self.reach = (farthest // ROUND + 1) * ROUND
        self.permits = Permits(asked, its.sessions, its.rows, its.past, its.spacing)
        self.is_usual = self.permits.is_usual
        self.before = self._done_before()
        self.strides = tuple(_Stride(self, position) for position in range(self.size))
        self.rests = self._rests()
        self.tails = self._tails()
        self.rankings: tuple[dict[object, _Ranking], ...] = tuple([{} for _ in self.sessions])
        self.remembered: dict[int, tuple[int, ...]] = {}
        self.seen: defaultdict[object, list[Ends]] = defaultdict(list)
        # Its days are in the heap once: first as a turn, then as a node.
        self.heap: list[_Entry] = []
        self.steps = 0
        self.hurry = 0

    def placements(self) -> Iterator[Placement]:
        """Yield complete placements, the cheapest first, no two on the same days."""
        root = _Node((), 0, self.before.leaders if self.before else ANYWHERE, None, 0)
        if self.before is not None:
            root.ends = Ends(self.before, None, self.task.weights, self.roster)
        size, heap, entry = self.size, self.heap, self._extended(root)
        while entry is not None:
            self.steps += 1
            if self.steps >= MAXIMUM_STEPS:
                if self.steps > MAXIMUM_STEPS + LAST_STEPS:
                    return
                if not self.hurry:
                    entry = self._hurry(entry)
            _, _, days, item = entry
            if isinstance(item, tuple):
                entry = self._taken(item, days)
            elif len(days) == size:
                yield self._placement(item)
                entry = None
            elif self.steps < PATIENCE or not self._is_beaten(item):
                entry = self._extended(item)
            else:
                entry = None
            if entry is not None:
                entry = heappushpop(heap, entry)
            elif heap:
                entry = heappop(heap)

    def _hurry(self, entry: _Entry) -> _Entry:
        """From now on what is nearer its end comes first."""
        self.hurry = NEVER
        self.heap[:] = [
            (bound + depth * NEVER, depth, days, item)
            for bound, depth, days, item in (*self.heap, entry)
        ]
        heapify(self.heap)
        return heappop(self.heap)

    def _extended(self, node: _Node) -> _Entry | None:
        """The entry for the day after those of a node: fixed, or the most promising."""
        position = len(node.days)
        fixed, stride = self.fixed[position], self.strides[position]
        since, floor, slope = stride.after(node.days)
        if fixed is None:
            key = since if slope is stride.plain else (since, floor, slope)
            rankings = self.rankings[position]
            ranking = rankings.get(key)
            if ranking is None:
                ranking = rankings[key] = _Ranking(self._ranked(position, since, slope, floor))
            return self._turn(node, ranking, 0)
        if not self.permits.keeps_fixed(position, node.days):
            return None
        return self._placed(node, (*node.days, fixed), slope.points(fixed - since))

    def _turn(self, node: _Node, ranking: _Ranking, place: int) -> _Entry | None:
        if place == len(ranking.found) and not ranking.is_longer():
            return None
        points, day, own = ranking.found[place]
        depth = -1 - len(node.days)
        # Of equal bounds the one that is nearer its end comes first; in a hurry it does anyway.
        bound = node.least + points + depth * self.hurry
        return (bound, depth, (*node.days, day), (node, own, ranking, place))

    def _taken(self, turn: _Turn, days: tuple[int, ...]) -> _Entry | None:
        """The entry for the days of a turn; the next turn is in the heap."""
        node, own, ranking, place = turn
        following = self._turn(node, ranking, place + 1)
        if following is not None:
            heappush(self.heap, following)
        return self._placed(node, days, own)

    def _placed(self, node: _Node, days: tuple[int, ...], own: int) -> _Entry | None:
        """The entry for the node that has one day more; ``own`` are the points of the day itself."""
        position, day = len(days) - 1, days[-1]
        here = self.places[position][day]
        staying = node.leaders & here.leaders
        if staying and (self.is_usual or self.fixed[position] is not None):
            least = node.least + own + here.least
            child = _Node(days, least, staying, node, own)
        else:
            child = _Node(days, NEVER, 0, node, own)
            ends = self._ends(child)
            child.least = least = ends.least()
            child.leaders = ends.leaders()
        bound = least + self.tails[position][day]
        if bound >= NEVER:
            return None
        depth = -1 - position
        return (bound + depth * self.hurry, depth, days, child)

    def _ends(self, node: _Node) -> Ends:
        """Where a course over these days may end."""
        if node.ends is None:
            before, position = node.before, len(node.days) - 1
            assert before is not None  # noqa: S101  nobody asks where what has not begun may end
            here, barred = self.places[position][node.days[-1]], 0
            if self.fixed[position] is None and not self.is_usual:
                sites = {option.site_id for option in here.options}
                barred = self.roster.at_sites(self.permits.barred(position, node.days, sites))
            came_from = self._ends(before) if before.days else before.ends
            node.ends = Ends(here, came_from, self.task.weights, self.roster, node.own, barred)
        return node.ends

    def _ranked(
        self, position: int, since: int, slope: Slope, floor: int
    ) -> Iterator[tuple[int, int, int]]:
        # What is handed over holds no search: none is left to the garbage collector.
        return _ranked(
            distances.steps(slope, floor, self.reach),
            (since, self.lowest[position], self.highest[position]),
            self.leasts(position),
            self.tails[position],
            self.rests[position],
        )

    def leasts(self, position: int) -> Mapping[int, int]:
        """Return the least each day of a session costs by itself."""
        own = self.options[position]
        return own.leasts if isinstance(own, Options) else {}

    def _places(self, own: Options | Places, fixed: int | None) -> Mapping[int, Places]:
        if isinstance(own, Options):
            return own.places
        assert fixed is not None  # noqa: S101  what has no options is fixed
        return {fixed: own}

    def _rests(self) -> tuple[int, ...]:
        """The least that the distances after each session cost, were every day free."""
        found = [0] * self.size
        for position in range(self.size - 2, -1, -1):
            own = 0
            if self.fixed[position + 1] is None:
                stride = self.strides[position + 1]
                nearest = distances.steps(stride.slope, stride.floor, self.reach)[:1]
                own = nearest[0][0] if nearest else NEVER
            found[position] = own + found[position + 1]
        return tuple(found)

    def _tails(self) -> tuple[dict[int, int], ...]:
        """What is sure to follow each session at the least, by its day."""
        found: list[dict[int, int]] = []
        for position in range(self.size - 1, -1, -1):
            found.insert(0, _Tails(self, position, found[0]) if found else defaultdict(int))
        return tuple(found)

    def _is_beaten(self, node: _Node) -> bool:
        """Whether enough others, at least as good at every place, leave the same choices for the rest."""
        if not node.days:
            return False
        ends = self._ends(node)
        last = len(node.days) - 1
        if last not in self.remembered:
            self.remembered[last] = self._remembered(last)
        key = tuple(node.days[position] for position in self.remembered[last])
        known = self.seen[len(node.days), key]
        if len(known) >= self.task.k + SPARE:
            beaten = sum(other.is_nowhere_dearer(ends) for other in known)
            if beaten >= self.task.k + SPARE:
                return True
        known.append(ends)
        return False

    def _remembered(self, position: int) -> tuple[int, ...]:
        """The positions up to this one whose days matter to the ones after it."""
        matter = {position}
        for rows in self.rows[position + 1 :]:
            earlier = [one for one in (*rows.sharing, rows.before) if one is not None]
            matter.update(one for one in earlier if one <= position)
        return tuple(sorted(matter))

    def _all_options(self) -> tuple[Options | Places, ...]:
        found: list[Options | Places] = []
        shared: dict[Hashable, Options] = {}
        for position, row in enumerate(self.sessions):
            if row.fixed is not None:
                option = _option(row.fixed, self.task)
                found.append(Places([option], self.roster))
                continue
            # Waiting is counted until the first alone.
            numbered = self.bearings.numbered[position]
            key = (not position, row.minutes, numbered)
            if key not in shared:
                since = None if position else self.start
                shared[key] = Options(self.task, row, numbered, since, self.roster)
            found.append(shared[key])
        return tuple(found)

    def _limits(self, start: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The first and last day of each position, from what is placed or done before and after it."""
        known = [(number, day.toordinal()) for number, day in self.bearings.standing.items()]
        lowest, highest = [], []
        for session, own in zip(self.sessions, self.options, strict=True):
            first = last = start
            if isinstance(own, Options):
                first, last = max(start, own.first), own.last
            for number, day in known:
                if number < session.number:
                    first = max(first, day + 1)
                elif number > session.number:
                    last = min(last, day - 1)
            lowest.append(first)
            highest.append(last)
        return tuple(lowest), tuple(highest)

    def _done_before(self) -> Places | None:
        """Where the session directly before the first one to be placed took place, when that is known."""
        self.weekday_done = -1
        done = self.bearings.done_before(self.sessions[0].number) if self.sessions else None
        if done is None:
            return None
        day = hours.day_of(done.starts_at, self.task.timetable.sites[done.site_id].zone)
        self.weekday_done = day.weekday()
        return Places([_option(done, self.task)], self.roster)

    def _placement(self, node: _Node) -> Placement:
        """The slots of the course: of equal cost the first start of a day, then the lower numbers."""
        found: list[tuple[int, Visit]] = []
        silent = []
        bit, cost = self.places[-1][node.days[-1]].first(node.leaders), node.least
        at, position = node, self.size - 1
        while at.before is not None:
            day, session, own = at.days[-1], self.sessions[position], self.options[position]
            here = self.places[position][day]
            number, option = session.number, here.options[here.numbers[bit]]
            if isinstance(own, Options):
                visit, is_silent = own.visit(day, option, number)
                if is_silent:
                    silent.append(number)
            else:
                assert session.fixed is not None  # noqa: S101  what has no options is fixed
                slot = session.fixed._replace(number=number)
                visit = preferences.visit(slot, self.task.timetable)
            found.append((number, visit))
            if position:
                if at.ends is not None:
                    bit, cost = at.ends.whence(bit, cost)
                else:  # it has stayed where it was
                    cost -= at.own + option.points
            at, position = at.before, position - 1
        found.reverse()
        return Placement(dict(found), node.least, frozenset(silent), not self.hurry)


ANYWHERE = -1  # all places, as bits
SPARE = 3  # placements looked at beyond those wanted, should the last judgement refuse one
ROUND = 64  # distances are looked up in so many days at a time


class _Stride:
    """How far after the others one session may be, and what that costs.

    ``floor`` and ``slope`` are those after the session directly before it, whatever the others do; ``plain``
    is the slope, from that floor on, of all days after which the others do not matter.
    """

    def __init__(self, search: Search, position: int) -> None:
        self._rows = rows = search.rows[position]
        self._start, self._lowest = search.start, search.lowest[position]
        weights = search.task.weights
        costs = (weights.early, weights.late, weights.too_late)
        if position:
            step, change, turn = weights.elapsed, weights.weekday_change, 0
        else:
            step = weights.wait if search.fixed[0] is None else 0
            change = weights.weekday_change if search.weekday_done >= 0 else 0
            turn = (search.start - 1 - search.weekday_done) % 7 if change else 0
        self.floor, self._settled = 1, 0
        self.plain: Slope | None = None
        target = soft_max = None
        if position and rows.before == position - 1:
            self.floor, target, late = rows.own.floor, rows.own.target, rows.own.soft_max
            is_covered = position - 1 in rows.sharing
            if is_covered:
                same = rows.same_zone
                self.floor, target = max(self.floor, same.floor), max(target, same.target)
                late = max(late, same.soft_max)
                # Of those that share a zone the last one counts, if their days follow each other.
                is_alone = len(rows.sharing) == 1 or search.bearings.is_in_order
            else:
                is_alone = not rows.sharing and not rows.done_sharing
            soft_max = late if rows.counts_late else None
            if is_alone:
                self.plain = Slope(step, *costs, target, soft_max, change, turn)
                self._settled = max(rows.done_sharing, rows.foreign_target - self.floor)
            if not is_alone or search.lowest[position - 1] < self._settled:
                soft_max = None  # not the session directly before it alone can move its target on
        self.slope = Slope(step, *costs, target, soft_max, change, turn)

    def after(self, days: Sequence[int]) -> tuple[int, int, Slope]:
        """Return the day distances are counted from, the least of them, and what each costs."""
        if self.plain is not None and days[-1] >= self._settled:
            return days[-1], self.floor, self.plain
        rows = self._rows
        window = rows.window(days)
        since = days[-1] if days else self._start
        floor = max(window.floor, since + 1 if days else self._lowest) - since
        target = soft_max = None
        if window.target is not None:
            target = window.target - since
            if window.soft_max is not None:
                soft_max = window.soft_max - since
            elif target <= floor:
                target = None  # what is over makes nothing early
        return since, floor, self.slope._replace(target=target, soft_max=soft_max)


class _Tails(dict[int, int]):
    """The least that the sessions after one cost, by the day of that one."""

    def __init__(self, search: Search, position: int, after: Mapping[int, int]) -> None:
        following = position + 1
        stride = search.strides[following]
        steps = distances.steps(stride.slope, stride.floor, search.reach)
        limits = search.lowest[following], search.highest[following], search.rests[following]
        self._ways = steps, search.leasts(following), after, *limits
        self._fixed, self._is_open = search.fixed[following], search.fixed[position] is None
        self._elapsed = search.task.weights.elapsed

    def __missing__(self, day: int) -> int:
        steps, leasts, after, first, last, rest = self._ways
        least = NEVER
        if self._fixed is not None:
            if day < self._fixed or not self._is_open:
                least = (self._fixed - day) * self._elapsed + after[self._fixed]
        else:
            for points, distance in steps:
                if points + rest >= least:
                    break
                then = day + distance
                if first <= then <= last:
                    whole = points + leasts[then]
                    if whole + rest < least:
                        whole += after[then]
                        if whole < least:  # noqa: PLR1730  a call of min costs as much as the rest
                            least = whole
        self[day] = least
        return least


def _ranked(
    steps: Sequence[tuple[int, int]],
    limits: tuple[int, int, int],
    leasts: Mapping[int, int],
    tails: Mapping[int, int],
    rest: int,
) -> Iterator[tuple[int, int, int]]:
    """Yield the days of a session: points with all that is sure to follow, the day, its own points.

    ``limits`` are the day that distances are counted from, and the first and last that may be taken.
    """
    pending: list[tuple[int, int, int]] = []
    since, first, last = limits
    for points, distance in steps:
        bound = points + rest
        while pending and pending[0][0] < bound:
            yield heappop(pending)
        day = since + distance
        if first <= day <= last:
            whole = points + leasts[day]
            if whole < NEVER:
                whole += tails[day]
                if whole < NEVER:
                    heappush(pending, (whole, day, points))
    while pending:
        yield heappop(pending)


class _Ranking:
    """The days of a session after a certain one, the cheapest first, as far as they were asked for.

    Each with its points and all that is sure to follow, and its own points.
    """

    __slots__ = ("_more", "found")

    def __init__(self, more: Iterator[tuple[int, int, int]]) -> None:
        self._more = more
        self.found: list[tuple[int, int, int]] = []

    def is_longer(self) -> bool:
        """Whether there is one more, which is found then."""
        found = next(self._more, None)
        if found is not None:
            self.found.append(found)
        return found is not None


def _option(slot: Slot, asked: Task) -> Option:
    local = hours.local(slot.starts_at, asked.timetable.sites[slot.site_id].zone)
    return Option(slot.site_id, slot.provider_id, local.hour * 60 + local.minute, 0, 0)
