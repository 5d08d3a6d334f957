"""Where a course may end, and what it costs at the least to end there: from one day to the next.

All places that are reached at the same cost are one number, and go on together: like a wave that spreads over
the day, to other providers and to other sites. It goes as far as somebody asks, and no further.
"""

from __future__ import annotations

from planner.scheduling import cells
from planner.scheduling.distances import NEVER
from planner.scheduling.options import Places
from planner.scheduling.preferences import Weights
from planner.scheduling.rosters import Roster


class Ends:
    """The places where a course may end on the day of its last session, by the least it costs to end there.

    ``levels`` are the costs up to ``limit`` with the places that cost it, as bits of the roster, the cheapest
    first; who wants more asks for it by ``know``. ``before`` are the ends of the course without that session,
    None where it may come from anywhere; ``own`` are the points of the day itself, and at the places that are
    ``barred`` it may not be.
    """

    __slots__ = (
        *("_ahead", "_before", "_here", "_hits", "_own", "_reached", "_read", "_roster"),
        *("_waves", "_weights", "levels", "limit"),
    )

    def __init__(  # noqa: PLR0917  one place makes it
        self,
        here: Places,
        before: Ends | None,
        weights: Weights,
        roster: Roster,
        own: int = 0,
        barred: int = 0,
    ) -> None:
        self._here, self._before, self._weights, self._roster = here, before, weights, roster
        self._own, self._ahead = own, own + here.least
        self.levels: list[tuple[int, int]] = []
        self.limit = -1
        self._read = 0  # levels of the day before that have set out from there
        # By cost: those who are on their way, and those of whom anybody else may take over.
        self._waves: dict[int, tuple[int, int]] = {}
        self._reached = barred
        self._hits: dict[int, int] = {}  # the levels that more may come to
        if before is None:
            self._waves[0] = (roster.everybody, 0)

    def know(self, limit: int) -> None:
        """Make sure that all is known that costs no more than the limit."""
        if limit > self.limit:
            self._advance(limit - self._ahead)
            self._settle(limit)

    def least(self) -> int:
        """Return what the cheapest places cost, which are known then; NEVER where nothing may be."""
        if not self.levels:
            if self._before is not None:
                self._advance(self._before.least())
            while self._waves and not self._hits:
                self._advance(min(self._waves))
            if self._hits:  # what sets out later, and comes no later
                self._advance(self._nearest() - self._ahead)
            self._settle(self._nearest())
        return self.levels[0][0] if self.levels else NEVER

    def leaders(self) -> int:
        """Return the cheapest places, as bits."""
        return self.levels[0][1] if self.levels else 0

    def is_nowhere_dearer(self, other: Ends) -> bool:
        """Whether each place costs no more than with the other, on the same day."""
        self.know(NEVER)
        other.know(NEVER)
        ours = theirs = read = 0
        for cost, who in other.levels:
            theirs |= who
            while read < len(self.levels) and self.levels[read][0] <= cost:
                ours |= self.levels[read][1]
                read += 1
            if theirs & ~ours:
                return False
        return True

    def whence(self, bit: int, cost: int) -> tuple[int, int]:
        """Return the place of the day before from which a place is reached at its cost, and what it cost.

        Of equal ones the one that changes less, and the cheaper; or where the time of day matters, the first.
        """
        before, weights, roster = self._before, self._weights, self._roster
        assert before is not None  # noqa: S101  a day comes before it
        left = cost - self._own - self._here.points(bit)
        before.know(left)
        here, same = roster.same_site(bit), roster.same_provider(bit)
        found = []
        for change, who in (
            (0, here & same),
            (weights.provider, here),
            (weights.site, same & ~here if weights.quarters else same),
            (weights.site + weights.provider, roster.everybody),
        ):
            one = before._first(who, bit, left - change)
            if one is not None:
                found.append(one)
        _, came, was = min(found) if weights.quarters else found[0]
        return came, was

    def _first(self, who: int, bit: int, most: int) -> tuple[int, int, int] | None:
        """The cheapest of some places from where one comes to another by the time of day at a cost."""
        quarters = self._weights.quarters
        for cost, level in self.levels:
            left = most - cost
            if left < 0:
                break
            if quarters and left % quarters == 0:
                hits = level & who & self._roster.apart(bit, left // quarters)
            else:
                hits = 0 if left else level & who
            if hits:
                number, came = min((self._here.numbers[one], one) for one in cells.numbers(hits))
                return number, came, cost
        return None

    def _nearest(self) -> int:
        return min(self._hits, default=NEVER)

    def _advance(self, cost: int) -> None:
        """Let go on what has cost no more until here."""
        if self._before is not None:
            self._before.know(cost)
            self._set_out(self._before)
        waves = self._waves
        while waves and (following := min(waves)) <= cost:
            who, others = waves.pop(following)
            if others:
                who |= self._roster.anybody(others)
            self._spread(following, who)

    def _set_out(self, before: Ends) -> None:
        weights, roster = self._weights, self._roster
        for cost, who in before.levels[self._read :]:
            near = roster.nearby(who)
            everywhere = roster.anywhere(near)
            self._join(cost, near, 0)
            self._join(cost + weights.provider, 0, near)
            if everywhere != near:
                self._join(cost + weights.site, everywhere, 0)
                self._join(cost + weights.site + weights.provider, 0, everywhere)
        self._read = len(before.levels)

    def _join(self, cost: int, who: int, others: int) -> None:
        wave = self._waves.get(cost)
        self._waves[cost] = (who, others) if wave is None else (wave[0] | who, wave[1] | others)

    def _spread(self, cost: int, who: int) -> None:
        new = who & ~self._reached
        if new:
            self._reached |= new
            cost_here = cost + self._own
            hits = self._hits
            for points, there in self._here.parts:
                both = new & there
                if both:
                    whole = cost_here + points
                    hits[whole] = hits.get(whole, 0) | both
            if self._weights.quarters:
                self._join(cost + self._weights.quarters, self._roster.further(new), 0)

    def _settle(self, limit: int) -> None:
        """Take what no more may come to."""
        hits = self._hits
        while hits and (cost := min(hits)) <= limit:
            self.levels.append((cost, hits.pop(cost)))
        self.limit = limit
