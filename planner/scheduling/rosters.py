"""The places of a day as bits of one number: all that a session may come to at the same cost goes on together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from planner.scheduling import cells

DAY = 24 * 60
QUARTER = 15


class Roster:
    """A block for each site, in it a lane for each minute of the day, in it a bit for each provider.

    Lanes are ``step`` minutes apart, which is no more than a quarter of an hour and a part of it; or a whole
    day, where the time of day is no matter. ``everybody`` is each provider, at each site and minute.
    """

    def __init__(self, site_ids: tuple[int, ...], provider_ids: tuple[int, ...], step: int) -> None:
        lanes, count = DAY // step, len(provider_ids)
        self._step, self._lanes = step, lanes
        self._lane = count + 1  # a bit more, which tells of a lane whether anybody is in it
        # Who comes a quarter of an hour later than the last lane is in none.
        self._block = (lanes + QUARTER // step) * self._lane
        self._sites = {site_id: number * self._block for number, site_id in enumerate(site_ids)}
        self._providers = {provider_id: number for number, provider_id in enumerate(provider_ids)}
        self._column = self._everywhere(sum(1 << lane * self._lane for lane in range(lanes)))
        self._marks = self._column << count
        self.everybody = self._marks - self._column

    def bit(self, site_id: int, provider_id: int, minute: int) -> int:
        """Return the number of the bit of a place."""
        lane = minute // self._step
        return self._sites[site_id] + lane * self._lane + self._providers[provider_id]

    def at_sites(self, site_ids: Iterable[int]) -> int:
        """Return all places at these sites."""
        blocks = [cells.between(0, self._block) << self._sites[site_id] for site_id in site_ids]
        return sum(blocks) & self.everybody

    def same_site(self, bit: int) -> int:
        """Return all places at the site of one."""
        begins = bit - bit % self._block
        return cells.between(begins, begins + self._block) & self.everybody

    def same_provider(self, bit: int) -> int:
        """Return all places of the provider of one."""
        return self._column << bit % self._block % self._lane

    def apart(self, bit: int, quarters: int) -> int:
        """Return all places that are so many full quarters of an hour away from one, earlier or later."""
        lane, most = bit % self._block // self._lane, QUARTER // self._step
        nearest, end = quarters * most, (quarters + 1) * most
        lanes = self._between(lane - end + 1, lane - nearest + 1)
        return self._everywhere(lanes | self._between(lane + nearest, lane + end)) & self.everybody

    def anybody(self, who: int) -> int:
        """Return all providers, wherever and whenever any of these is."""
        marked = (who + self.everybody) & self._marks
        return marked - (marked >> self._lane - 1)

    def anywhere(self, who: int) -> int:
        """Return the same providers at the same minutes, at all sites."""
        if len(self._sites) == 1:
            return who
        block, found = cells.between(0, self._block), 0
        for begins in self._sites.values():
            found |= who >> begins & block
        return self._everywhere(found)

    def nearby(self, who: int) -> int:
        """Return the same providers at the same sites, less than a quarter of an hour away."""
        found = who
        for lanes in range(1, (QUARTER - 1) // self._step + 1):
            found |= who << lanes * self._lane | who >> lanes * self._lane
        return found & self.everybody

    def further(self, who: int) -> int:
        """Return the same providers at the same sites, a quarter of an hour earlier and later."""
        away = QUARTER // self._step * self._lane
        return (who << away | who >> away) & self.everybody

    def _between(self, first: int, end: int) -> int:
        return cells.between(max(0, first) * self._lane, min(end, self._lanes) * self._lane)

    def _everywhere(self, block: int) -> int:
        found = 0
        for begins in self._sites.values():
            found |= block << begins
        return found


@lru_cache(maxsize=64)
def of(site_ids: tuple[int, ...], provider_ids: tuple[int, ...], step: int) -> Roster:
    """Return the roster of these sites and providers."""
    return Roster(site_ids, provider_ids, step)
