"""The places a session may have on a day, each with what it costs by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple, TypeVar

from planner.scheduling import cells, hours, preferences, supply, task
from planner.scheduling.cells import Frame
from planner.scheduling.distances import NEVER
from planner.scheduling.free import Free
from planner.scheduling.preferences import Visit, Wishes
from planner.scheduling.rosters import Roster
from planner.scheduling.shelves import Kept
from planner.scheduling.supply import Supply
from planner.scheduling.task import Task
from planner.scheduling.timetable import SessionOrder
from planner.scheduling.verdicts import Question, Verdict, Verdicts

AHEAD = 14
"""Days whose free starts are found together: a search looks at one after the other."""
T = TypeVar("T")


class Option(NamedTuple):
    """A place on a day: who, where and when, and its points."""

    site_id: int
    provider_id: int
    minute: int  # of the site's day, as its clocks show it
    cell: int
    points: int


class Places:
    """The options of a day, each a bit of a roster.

    ``least`` is what the cheapest cost, and ``leaders`` which those are; ``parts`` has all of them by their
    points, the fewest first, and ``numbers`` the number of each by its bit.
    """

    __slots__ = ("_in_order", "leaders", "least", "numbers", "options", "parts")

    def __init__(self, options: Iterable[Option], roster: Roster) -> None:
        self.options = tuple(options)
        self.numbers: dict[int, int] = {}
        for number, one in enumerate(self.options):
            # In autumn an hour comes twice: of two starts that a clock does not tell apart, the cheaper or first.
            first = self.numbers.setdefault(roster.bit(one[0], one[1], one[2]), number)
            if one.points < self.options[first].points:
                self.numbers[roster.bit(one[0], one[1], one[2])] = number
        parts: dict[int, int] = {}
        for bit, number in self.numbers.items():
            points = self.options[number].points
            parts[points] = parts.get(points, 0) | 1 << bit
        self.parts = tuple(sorted(parts.items()))
        self.least, self.leaders = self.parts[0] if parts else (NEVER, 0)
        self._in_order: list[int] = []

    def points(self, bit: int) -> int:
        """Return the points of the option with this bit."""
        return self.options[self.numbers[bit]].points

    def first(self, bits: int) -> int:
        """Return which of these options starts first, then has the lower numbers."""
        if not bits & bits - 1:
            return cells.first(bits)
        if not self._in_order:
            rows = [(self.options[number], bit) for bit, number in self.numbers.items()]
            self._in_order[:] = [bit for _, bit in sorted(rows, key=_start)]
        return next(bit for bit in self._in_order if bits >> bit & 1)


def _start(row: tuple[Option, int]) -> tuple[int, Option]:
    return row[0].cell, row[0]


class Options:
    """The options of one session, by day, as its ordinal, each day looked at once.

    ``leasts`` has what the cheapest option of a day costs at least, NEVER where there is none; ``first`` and
    ``last`` are the days that come into question. Where the time of day is no matter between sessions, only
    the cheapest start of each provider is an option: nothing better can be had from another.
    """

    def __init__(
        self,
        asked: Task,
        session: SessionOrder,
        numbered: tuple[object, ...],
        since: int | None,
        roster: Roster,
    ) -> None:
        """``numbered`` as in ``Verdicts``; waiting for the first session is counted ``since`` a day."""
        finder = _Finder(asked, session, numbered, since, roster)
        self.first, self.last = finder.known.first, finder.known.last
        self.places: Mapping[int, Places] = _ByDay(finder.places_of, finder.known.places)
        self.leasts: Mapping[int, int] = _ByDay(finder.least_of, finder.known.leasts)
        self.visit = finder.visit


class _Finder:
    """What finds the options; it holds nothing that holds it, so that a search leaves no garbage behind."""

    def __init__(
        self,
        asked: Task,
        session: SessionOrder,
        numbered: tuple[object, ...],
        since: int | None,
        roster: Roster,
    ) -> None:
        order, timetable = asked.order, asked.timetable
        self._task = asked
        wanted_sites = asked.wishes.site_ids
        sites = timetable.sites if wanted_sites is None else wanted_sites & timetable.sites.keys()
        self._sites = tuple(sorted(sites))
        self._waits = dict.fromkeys(self._sites, 0)
        if since is not None:
            # Waiting is counted from today at the site; the search counts it from one day for all.
            for site_id in self._sites:
                earlier = since - task.first_day(timetable, site_id).toordinal()
                self._waits[site_id] = asked.weights.wait * earlier
        wishes, weights = asked.wishes, asked.weights
        self._minutes, self._patient_id = session.minutes, order.patient_id
        self._supply = supply_of(asked, session.minutes)
        question = Question(
            service_id=order.service_id,
            minutes=session.minutes,
            patient_id=order.patient_id,
            number=session.number,
            order=order,
            purpose=asked.purpose,
            ignoring=asked.ignoring,
        )
        self._verdicts = Verdicts(timetable, question, numbered)
        self._by_the_hour, self._roster = bool(weights.quarters), roster
        # All that the places of a day depend on beside what is free, and what is said of the patient.
        wanted = (
            *(self._sites, tuple(self._waits.values()), roster),
            *(wishes.provider_ids, wishes.weekdays, wishes.earliest, wishes.latest),
            *(weights.weekday, weights.outside, weights.warning),
        )
        self._shelf = self._supply.shelf(wanted)
        span = (wishes.not_before, wishes.not_after)
        self.known = self._verdicts.remembered((wanted, span), self._all_known)

    def _all_known(self) -> _Known:
        told = self._verdicts.warnings(self._sites)
        usual = self._shelf.of(tuple(map(self._verdicts.usual_warnings, self._sites)))
        # The days at the horizon's ends are told of: those beyond them are not to be shared as usual days.
        wishes = self._task.wishes
        first = max((wishes.not_before or date.min).toordinal(), min(told, default=1))
        last = min((wishes.not_after or date.max).toordinal(), max(told, default=0))
        return _Known(told, usual, first, last)

    def least_of(self, day: int) -> int:
        """Return what the cheapest option of the day costs at least."""
        kept = self._kept_of(day)
        found = None if kept is None else kept.leasts.get(day)
        if found is None:
            found = self._bound(day)
            if kept is not None:
                kept.keep_least(day, found)
        self.known.leasts[day] = found
        return found

    def places_of(self, day: int) -> Places:
        """Return the options of the day."""
        kept = self._kept_of(day)
        found: Places | None = None if kept is None else kept.places.get(day)
        if found is None:
            found = Places(self._options(date.fromordinal(day)), self._roster)
            if kept is not None:
                kept.keep_places(day, found)
        self.known.places[day] = found
        return found

    def _kept_of(self, day: int) -> Kept | None:
        """What is kept of a day of which the rules about the patient say the same from morning to evening."""
        known = self.known
        if not known.first <= day <= known.last:
            return None
        if day not in known.told:
            return known.usual
        warnings = known.told[day] or self._warnings(date.fromordinal(day))
        return None if warnings is None else self._shelf.of(warnings)

    def _warnings(self, day: date) -> tuple[int, ...] | None:
        """The number of warnings by site, -1 for what is not offered; None where free starts differ in that."""
        found = []
        for site_id in self._sites:
            free = self._free(site_id, day)
            if free is None:
                found.append(0)
            else:
                warnings = self._verdicts.on(site_id, free.frame).warnings(free.any)
                if warnings is None:
                    return None
                found.append(warnings)
        return tuple(found)

    def _free(self, site_id: int, day: date) -> Free | None:
        left = self.known.last - day.toordinal() + 1
        return self._supply.on(site_id, day, ahead=max(1, min(AHEAD, left)))

    def visit(self, day: int, option: Option, number: int) -> tuple[Visit, bool]:
        """Return the option in the tightest free room, and whether no rule says anything of it.

        But perhaps of its distance from other sessions.
        """
        site_id, provider_id, minute, cell, _ = option
        on = date.fromordinal(day)
        free = self._supply.on(site_id, on)
        assert free is not None  # noqa: S101  an option is one of its free starts
        slot = self._supply.slot(
            free, site_id, provider_id, cell, patient_id=self._patient_id, number=number
        )
        is_noted = (free.is_warned or free.noted) and free.is_noted(provider_id, cell)
        is_silent = not is_noted and self._verdicts.is_silent(site_id, free.frame, cell, day)
        return Visit(slot, on, minute), is_silent

    def _days(self, day: date) -> Iterator[tuple[int, Free, Verdict, int]]:
        wishes, weights = self._task.wishes, self._task.weights
        if self.known.first <= day.toordinal() <= self.known.last:
            is_other = bool(wishes.weekdays) and day.weekday() not in wishes.weekdays
            for site_id in self._sites:
                free = self._free(site_id, day)
                if free is not None:
                    verdict = self._verdicts.on(site_id, free.frame)
                    if verdict.offered & free.any:
                        points = weights.weekday * is_other + self._waits[site_id]
                        yield site_id, free, verdict, points

    def _bound(self, day: int) -> int:
        if self._task.wishes.provider_ids is not None:
            return self.places_of(day).least
        least = NEVER
        for _, free, verdict, points in self._days(date.fromordinal(day)):
            starts = free.any & verdict.offered
            least = min(least, points + self._levels(free.frame).least(starts))
        return least

    def _options(self, day: date) -> Iterator[Option]:
        weights, wished = self._task.weights, self._task.wishes.provider_ids
        for site_id, free, verdict, points in self._days(day):
            levels = self._levels(free.frame)
            for provider_id, starts, travel in free.starts:
                left = starts & verdict.offered
                if not left or (wished is not None and provider_id not in wished):
                    continue
                warned = _warned(verdict, travel)
                for cell, own in (
                    levels.all(left, warned, weights.warning)
                    if self._by_the_hour
                    else levels.cheapest(left, warned, weights.warning)
                ):
                    minute = levels.minute(cell)
                    yield Option(site_id, provider_id, minute, cell, points + own)

    def _levels(self, frame: Frame) -> Levels:
        task = self._task
        weights = task.weights
        return levels_of(
            _Same(frame) if not frame.is_usual else None,
            weights.outside,
            task.wishes.earliest,
            task.wishes.latest,
            self._minutes,
        )


def supply_of(asked: Task, minutes: int) -> Supply:
    """Return the free starts of a session of so many minutes."""
    return supply.of(
        asked.timetable,
        service_id=asked.order.service_id,
        minutes=minutes,
        protocol_id=asked.order.protocol_id,
        settled=asked.order.decided,
        ignoring=asked.ignoring,
    )


class _Known:
    """What is known of the days of a session to all who ask the same of a timetable.

    ``told`` has the number of warnings by day and site where a rule speaks, see ``Verdicts.warnings``; of all
    other days from ``first`` to ``last`` what is ``usual`` is kept.
    """

    __slots__ = ("first", "last", "leasts", "places", "told", "usual")

    def __init__(
        self, told: Mapping[int, tuple[int, ...] | None], usual: Kept, first: int, last: int
    ) -> None:
        self.told, self.usual, self.first, self.last = told, usual, first, last
        self.places: dict[int, Places] = {}
        # Put together without a gap, so that it is copied as a whole.
        self.leasts = {day: least for day, least in usual.leasts.items() if day not in told}
        for day, warnings in told.items():
            if warnings is not None and max(warnings) < 0:
                self.leasts[day] = NEVER


class _ByDay(dict[int, T]):
    """What is found of a day, given as its ordinal, looked for once."""

    def __init__(self, find: Callable[[int], T], known: Mapping[int, T]) -> None:
        super().__init__(known)
        self._find = find

    def __missing__(self, day: int) -> T:
        found = self[day] = self._find(day)
        return found


class _Same(NamedTuple):
    """A day on which the clocks change: its minutes are looked up one by one."""

    frame: Frame


class Levels:
    """The cells of a day by what their time of day costs, the cheapest first."""

    def __init__(
        self, minutes: tuple[int, ...] | None, levels: tuple[tuple[int, int], ...]
    ) -> None:
        self._minutes = minutes
        self._levels = levels

    def minute(self, cell: int) -> int:
        """Return the minute of the day that the clocks show at the cell."""
        return cell * 5 if self._minutes is None else self._minutes[cell]

    def least(self, starts: int) -> int:
        """Return the points of the cheapest of the starts."""
        return next((points for points, level in self._levels if starts & level), NEVER)

    def cheapest(
        self, starts: int, warned: tuple[tuple[int, int], ...], warning: int
    ) -> Iterator[tuple[int, int]]:
        """Yield the cheapest of the starts, of equal ones the first, with its points."""
        if len(warned) == 1 and warned[0][0] == 0:
            for points, level in self._levels:
                if starts & level:
                    yield cells.first(starts & level), points
                    return
            return
        best = min(
            (points + count * warning, cells.first(starts & level & part))
            for points, level in self._levels
            for count, part in warned
            if starts & level & part
        )
        yield best[1], best[0]

    def all(
        self, starts: int, warned: tuple[tuple[int, int], ...], warning: int
    ) -> Iterator[tuple[int, int]]:
        """Yield every start with its points."""
        found = [
            (cell, points + count * warning)
            for points, level in self._levels
            for count, part in warned
            for cell in cells.numbers(starts & level & part)
        ]
        yield from sorted(found)


@lru_cache(maxsize=512)
def levels_of(
    changed: _Same | None, outside: int, earliest: object, latest: object, minutes: int
) -> Levels:
    """Return the levels of a usual day, or of one on which the clocks change."""
    wishes = Wishes(earliest=earliest, latest=latest)  # type: ignore[arg-type]
    numbers = None
    if changed is not None:
        frame = changed.frame
        local = [hours.local(frame.instant(cell), frame.zone) for cell in range(frame.size)]
        numbers = tuple(at.hour * 60 + at.minute for at in local)
    size = cells.USUAL if numbers is None else len(numbers)
    found: dict[int, int] = {}
    for cell in range(size):
        begins = cell * 5 if numbers is None else numbers[cell]
        off = preferences.minutes_off(wishes, begins, minutes)
        points = outside + off // 15 if off else 0
        found[points] = found.get(points, 0) | 1 << cell
    return Levels(numbers, tuple(sorted(found.items())))


def _warned(verdict: Verdict, travel: int) -> tuple[tuple[int, int], ...]:
    """The offered cells by their number of warnings."""
    parts = []
    left = verdict.offered
    for count, part in verdict.warned:
        left &= ~part
        parts.append((count, part))
    parts.append((0, left))
    if not travel:
        return tuple(parts) if len(parts) > 1 else ((0, left),)
    return tuple(
        (count + more, part & where)
        for count, part in parts
        for more, where in ((0, ~travel), (1, travel))
    )
