"""What it costs to go from one session to the next: the least over the places of the day before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

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
    anywhere: list[_Source] = []
    sites: defaultdict[int, list[_Source]] = defaultdict(list)
    providers: defaultdict[int, list[_Source]] = defaultdict(list)
    same: defaultdict[tuple[int, int], list[_Source]] = defaultdict(list)
    for place, (cost, option) in enumerate(zip(costs, before, strict=True)):
        site_id, provider_id, minute = option[0], option[1], option[2]
        source = (cost, place, minute)
        anywhere.append(source)
        sites[site_id].append(source)
        providers[provider_id].append(source)
        same[site_id, provider_id].append(source)
    every = _Row(anywhere, weights, weights.site + weights.provider)
    of_sites = {one: _Row(row, weights, weights.provider) for one, row in sites.items()}
    of_providers = {one: _Row(row, weights, weights.site) for one, row in providers.items()}
    of_both = {one: _Row(row, weights, 0) for one, row in same.items()}
    lowest = min(costs)
    found, came = [], []
    for site_id, provider_id, minute, *_ in here:
        best = (NEVER, 0)
        for row in (
            of_both.get((site_id, provider_id)),
            of_sites.get(site_id),
            of_providers.get(provider_id),
            every,
        ):
            # Of equal costs the earlier place is taken; what cannot be cheaper than the best is not asked.
            if row is None or lowest + row.extra >= best[0] or row.least_of_all > best[0]:
                continue
            best = min(best, row.known.get(minute) or row.least(minute))
        found.append(best[0])
        came.append(best[1])
    return found, came


_Source = tuple[int, int, int]  # a cost, the place it belongs to, and the minute of that place


class _Row:
    """The places of the day before from which a change costs ``extra``, and the least from them by minute."""

    __slots__ = ("_is_sorted", "_quarters", "_sources", "extra", "known", "least_of_all")

    def __init__(self, sources: list[_Source], weights: Weights, extra: int) -> None:
        self._sources, self._quarters, self.extra = sources, weights.quarters, extra
        self._is_sorted = False
        self.least_of_all = min(sources)[0] + extra
        self.known: dict[int, Best] = {}

    def least(self, minute: int) -> Best:
        """Return the least cost of coming to the minute of the day, and the place it is had from."""
        if not self._is_sorted:
            self._sources.sort()
            self._is_sorted = True
        quarters, extra = self._quarters, self.extra
        least, from_ = NEVER, 0
        for cost, place, at in self._sources:
            if cost >= least:
                break
            whole = cost + quarters * (abs(minute - at) // 15)
            if whole < least:
                least, from_ = whole, place
        found = self.known[minute] = (least + extra, from_)
        return found
