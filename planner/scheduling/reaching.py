"""What it costs to go from one session to the next: the least over the places of the day before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from planner.scheduling.distances import NEVER
from planner.scheduling.options import Option
from planner.scheduling.preferences import Weights

Best = tuple[int, int]  # the least cost, and the place it is had from


def reached(
    costs: Sequence[int], before: Sequence[Option], here: Sequence[Option], weights: Weights
) -> tuple[list[int], list[int]]:
    """Return by option the least cost of coming to it, change included, and the place it came from.

    ``costs`` belong to ``before``; with nothing before it, every option is reached alike.
    """
    if not before:
        return [costs[0]] * len(here), [0] * len(here)
    if weights.quarters:
        return _by_the_hour(costs, before, here, weights)
    return _by_place(costs, before, here, weights)


def _by_place(
    costs: Sequence[int], before: Sequence[Option], here: Sequence[Option], weights: Weights
) -> tuple[list[int], list[int]]:
    cheapest = sorted(range(len(costs)), key=costs.__getitem__)
    sites: dict[int, int] = {}
    providers: dict[int, int] = {}
    same: dict[tuple[int, int], int] = {}
    # The cheapest place comes last and stays; of equal ones the first.
    for place in reversed(cheapest):
        option = before[place]
        site_id, provider_id = option[0], option[1]
        sites[site_id] = providers[provider_id] = same[site_id, provider_id] = place
    anywhere = cheapest[0]
    least, other_site, other_provider = costs[anywhere], weights.site, weights.provider
    found, came = [], []
    for option in here:
        site_id, provider_id = option[0], option[1]
        cost, place = NEVER, 0
        from_ = same.get((site_id, provider_id))
        if from_ is not None:
            cost, place = costs[from_], from_
        if least < cost:
            from_ = sites.get(site_id)
            if from_ is not None and costs[from_] + other_provider < cost:
                cost, place = costs[from_] + other_provider, from_
            from_ = providers.get(provider_id)
            if from_ is not None and costs[from_] + other_site < cost:
                cost, place = costs[from_] + other_site, from_
            if least + other_site + other_provider < cost:
                cost, place = least + other_site + other_provider, anywhere
        found.append(cost)
        came.append(place)
    return found, came


def _by_the_hour(
    costs: Sequence[int], before: Sequence[Option], here: Sequence[Option], weights: Weights
) -> tuple[list[int], list[int]]:
    sources = _Sources(costs, before, weights)
    far: dict[tuple[int, int], Best] = {}
    found, came = [], []
    same: Place | None = None
    near: Sequence[_Row] = ()
    for option in here:
        site_id, provider_id, minute = option[0], option[1], option[2]
        place = (site_id, provider_id)
        if place != same:
            same, near = place, sources.of_provider(site_id, provider_id)
        best = far.get((site_id, minute))
        if best is None:
            rows = sources.of_anybody(site_id)
            best = far[site_id, minute] = min([row.least(minute) for row in rows])
        for row in near:
            if row.lowest <= best[0]:
                best = min(best, row.least(minute))
        found.append(best[0])
        came.append(best[1])
    return found, came


Place = tuple[int, int]  # a site and a provider
Places = dict[int, Best]  # by the minute of the day


class _Sources:
    """Where the day before may have ended, by what a change from there costs."""

    def __init__(self, costs: Sequence[int], before: Sequence[Option], weights: Weights) -> None:
        self._weights = weights
        self._places: defaultdict[Place, Places] = defaultdict(dict)
        self._sites: defaultdict[int, Places] = defaultdict(dict)
        self._sites_of: defaultdict[int, set[int]] = defaultdict(set)
        for number, (cost, option) in enumerate(zip(costs, before, strict=True)):
            site_id, provider_id, minute = option[0], option[1], option[2]
            best = (cost, number)
            self._places[site_id, provider_id][minute] = best
            at_site = self._sites[site_id]
            if minute not in at_site or best < at_site[minute]:
                at_site[minute] = best
            self._sites_of[provider_id].add(site_id)
        change = weights.site + weights.provider
        self._anywhere = _Row(_merged(self._sites.values()), weights.quarters, change)
        self._rows: dict[int, list[_Row]] = {}

    def of_anybody(self, site_id: int) -> Sequence[_Row]:
        """Return where one may come from with another provider: from that site, and from anywhere."""
        found = self._rows.get(site_id)
        if found is None:
            found = self._rows[site_id] = [self._anywhere]
            if site_id in self._sites:
                weights = self._weights
                found.append(_Row(self._sites[site_id], weights.quarters, weights.provider))
        return found

    def of_provider(self, site_id: int, provider_id: int) -> Sequence[_Row]:
        """Return where one may come from with the same provider: from that site, and from others."""
        weights, sites = self._weights, self._sites_of.get(provider_id, ())
        found = []
        if site_id in sites:
            found.append(_Row(self._places[site_id, provider_id], weights.quarters, 0))
        others = [self._places[one, provider_id] for one in sites if one != site_id]
        if others:
            found.append(_Row(_merged(others), weights.quarters, weights.site))
        return found


def _merged(all_places: Iterable[Places]) -> Places:
    found: Places = {}
    for places in all_places:
        for minute, best in places.items():
            if minute not in found or best < found[minute]:
                found[minute] = best
    return found


class _Row:
    """The places of the day before from which a change costs ``extra``, and the least from them by minute."""

    __slots__ = ("_extra", "_known", "_quarters", "_sources", "lowest")

    def __init__(self, places: Places, quarters: int, extra: int) -> None:
        # Of equal costs the earlier place is taken.
        self._sources = sorted([(cost, place, at) for at, (cost, place) in places.items()])
        self._quarters, self._extra = quarters, extra
        self._known: Places = {}
        self.lowest = self._sources[0][0] + extra

    def least(self, minute: int) -> Best:
        """Return the least cost of coming to the minute of the day, and the place it is had from."""
        found = self._known.get(minute)
        if found is None:
            least, from_ = NEVER, 0
            for cost, place, at in self._sources:
                if cost >= least:
                    break
                whole = cost + self._quarters * (abs(minute - at) // 15)
                if whole < least:
                    least, from_ = whole, place
            found = self._known[minute] = (least + self._extra, from_)
        return found
