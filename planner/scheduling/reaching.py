"""What it costs to go from one session to the next: the least over the places of the day before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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
    anywhere: Best = (NEVER, 0)
    sites: dict[int, Best] = {}
    providers: dict[int, Best] = {}
    same: dict[tuple[int, int], Best] = {}
    for place, (cost, option) in enumerate(zip(costs, before, strict=True)):
        site_id, provider_id = option[0], option[1]
        best = (cost, place)
        anywhere = min(anywhere, best)
        if site_id not in sites or best < sites[site_id]:
            sites[site_id] = best
        if provider_id not in providers or best < providers[provider_id]:
            providers[provider_id] = best
        same[site_id, provider_id] = best
    found, came = [], []
    change = weights.site + weights.provider
    none: Best = (NEVER, 0)
    for site_id, provider_id, *_ in here:
        cost, place = same.get((site_id, provider_id), none)
        if anywhere[0] < cost:
            for other, extra in (
                (sites.get(site_id, none), weights.provider),
                (providers.get(provider_id, none), weights.site),
                (anywhere, change),
            ):
                if other[0] + extra < cost:
                    cost, place = other[0] + extra, other[1]
        found.append(cost)
        came.append(place)
    return found, came


def _by_the_hour(
    costs: Sequence[int], before: Sequence[Option], here: Sequence[Option], weights: Weights
) -> tuple[list[int], list[int]]:
    anywhere: dict[int, Best] = {}
    sites: dict[int, dict[int, Best]] = {}
    providers: dict[int, dict[int, Best]] = {}
    same: dict[tuple[int, int], dict[int, Best]] = {}
    for place, (cost, option) in enumerate(zip(costs, before, strict=True)):
        site_id, provider_id, minute = option[0], option[1], option[2]
        best = (cost, place)
        for row in (
            anywhere,
            sites.setdefault(site_id, {}),
            providers.setdefault(provider_id, {}),
            same.setdefault((site_id, provider_id), {}),
        ):
            if minute not in row or best < row[minute]:
                row[minute] = best
    lowest = min(costs)
    reach = _Reach(weights.quarters)
    found, came = [], []
    for site_id, provider_id, minute, *_ in here:
        best = (NEVER, 0)
        for group, extra in (
            (same.get((site_id, provider_id)), 0),
            (sites.get(site_id), weights.provider),
            (providers.get(provider_id), weights.site),
            (anywhere, weights.site + weights.provider),
        ):
            if group is not None and lowest + extra < best[0]:
                cost, place = reach.least(group, minute)
                best = min(best, (cost + extra, place))
        found.append(best[0])
        came.append(best[1])
    return found, came


class _Reach:
    """The least of a row's costs with the quarters of an hour between, remembered by row and minute."""

    def __init__(self, quarters: int) -> None:
        self._quarters = quarters
        self._rows: dict[int, Callable[[int], Best]] = {}

    def least(self, row: Mapping[int, Best], minute: int) -> Best:
        """Return the least cost of coming from the row to the minute of the day."""
        key = id(row)
        if key not in self._rows:
            self._rows[key] = self._of(row)
        return self._rows[key](minute)

    def _of(self, row: Mapping[int, Best]) -> Callable[[int], Best]:
        quarters = self._quarters
        known: dict[int, Best] = {}
        entries = sorted((cost, place, minute) for minute, (cost, place) in row.items())

        def least(minute: int) -> Best:
            if minute not in known:
                best = (NEVER, 0)
                for cost, place, at in entries:
                    if cost >= best[0]:
                        break
                    whole = cost + quarters * (abs(minute - at) // 15)
                    if whole < best[0]:
                        best = (whole, place)
                known[minute] = best
            return known[minute]

        return least
