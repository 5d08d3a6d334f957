"""The least that an exact answer costs: the cheapest courses of a clinic without rules, and not a word about them.

Branch and bound over days and places in plain Python. It is given the free starts of every day for nothing, knows
wishes and gaps, and nothing of the patient; it names days and points, but no room, no slot and no reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from planner.scheduling import distances, supply, task
from planner.scheduling.distances import NEVER, Slope
from planner.scheduling.preferences import OBJECTIVES, Wishes, minutes_off
from planner.scheduling.timetable import ConsultFact, CourseOrder, PatientFacts, Timetable

Place = tuple[int, int]  # the site and the provider
Found = list[tuple[int, tuple[int, ...]]]  # points and days, the cheapest first

HEALTHY = PatientFacts(
    birth_date=date(1980, 2, 29),
    is_screened=True,
    consults=(ConsultFact(on=date(2027, 2, 26), outcome="candidate"),),
)


def without_patients(timetable: Timetable) -> Timetable:
    """Return the timetable with a patient, number -1, of whom no rule says anything."""
    return replace(timetable, patients={-1: HEALTHY})


@dataclass(frozen=True, slots=True)
class _Costs:
    """The objective without what only the time of day and the weekday of the session before are asked for."""

    outside: int
    weekday: int
    site: int
    provider: int


class Plain:
    """The free starts of a clinic, and the search through them."""

    def __init__(self, timetable: Timetable, order: CourseOrder, wishes: Wishes) -> None:
        weights = OBJECTIVES["order"]
        self._costs = _Costs(weights.outside, weights.weekday, weights.site, weights.provider)
        self._wishes, self._minutes = wishes, order.sessions[0].minutes
        self._size = len(order.sessions)
        gap, costs = order.sessions[0].gap, (weights.early, weights.late, weights.too_late)
        first = task.first_day(timetable, min(timetable.sites)).toordinal()
        last = (timetable.horizon.ends_at - timedelta(days=1)).date().toordinal()
        self._first = first
        self._steps = (
            distances.steps(Slope(weights.wait, *costs), 0, last - first + 1),
            distances.steps(
                Slope(weights.elapsed, *costs, gap.target, gap.soft_max),
                gap.floor,
                last - first + 1,
            ),
        )
        free = supply.of(timetable, service_id=order.service_id, minutes=self._minutes)
        self._free: dict[int, list[tuple[Place, int]]] = {}
        # Nothing is booked for the day itself.
        for day in range(first + 1, last + 1):
            places = [
                ((site_id, provider_id), starts)
                for site_id in timetable.sites
                if (found := free.on(site_id, date.fromordinal(day))) is not None
                for provider_id, starts, _ in found.starts
            ]
            if places:
                self._free[day] = places

    def best(self, wanted: int) -> Found:
        """Return so many courses, no two on the same days, the cheapest first."""
        levels = self._levels()
        known: dict[int, dict[Place, int]] = {}
        found: Found = []
        rest = [self._steps[1][0][0] * (self._size - 1 - one) for one in range(self._size)]

        def on(day: int) -> dict[Place, int]:
            if day not in known:
                known[day] = self._places(day, levels)
            return known[day]

        def extend(days: tuple[int, ...], before: dict[Place, int], least: int) -> None:
            position = len(days)
            if position == self._size:
                found.append((least, days))
                found.sort()
                del found[wanted:]
                return
            since = days[-1] if days else self._first
            for points, distance in self._steps[bool(days)]:
                bound = found[-1][0] if len(found) == wanted else NEVER
                if least + points + rest[position] >= bound:
                    break
                here = on(since + distance)
                if here and least + points + min(here.values()) + rest[position] < bound:
                    reached = self._reached(before, here, points)
                    extend((*days, since + distance), reached, min(reached.values()))

        extend((), {}, 0)
        return found

    def _levels(self) -> list[tuple[int, int]]:
        levels: dict[int, int] = {}
        for cell in range(288):
            off = minutes_off(self._wishes, cell * 5, self._minutes)
            points = self._costs.outside + off // 15 if off else 0
            levels[points] = levels.get(points, 0) | 1 << cell
        return sorted(levels.items())

    def _places(self, day: int, levels: list[tuple[int, int]]) -> dict[Place, int]:
        weekdays = self._wishes.weekdays
        extra = self._costs.weekday if weekdays and (day - 1) % 7 not in weekdays else 0
        return {
            place: extra + next(points for points, level in levels if starts & level)
            for place, starts in self._free.get(day, ())
            if starts
        }

    def _reached(
        self, before: dict[Place, int], here: dict[Place, int], points: int
    ) -> dict[Place, int]:
        if not before:
            return {place: points + own for place, own in here.items()}
        site, provider = self._costs.site, self._costs.provider
        anywhere = min(before.values()) + site + provider
        sites: dict[int, int] = {}
        providers: dict[int, int] = {}
        for (its_site, its_provider), cost in before.items():
            sites[its_site] = min(cost, sites.get(its_site, NEVER))
            providers[its_provider] = min(cost, providers.get(its_provider, NEVER))
        return {
            place: points
            + own
            + min(
                before.get(place, NEVER),
                sites.get(place[0], NEVER) + provider,
                providers.get(place[1], NEVER) + site,
                anywhere,
            )
            for place, own in here.items()
        }
