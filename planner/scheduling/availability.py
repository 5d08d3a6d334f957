"""Which starts are free, and why one is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from itertools import islice, repeat
from typing import NamedTuple

from planner.scheduling import cells, hours, index, rules, supply
from planner.scheduling.free import Free
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Conflict, CourseOrder, Severity, Slot, Timetable
from planner.scheduling.verdicts import Question, Verdicts

MAXIMUM_MINUTES = 24 * 60
ONE_DAY = timedelta(days=1)
A_FORTNIGHT = 14
"""Days found together where somebody may want the first few starts."""
INSTANT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
NEAR = (timedelta(days=1), timedelta(days=4), timedelta(days=14), timedelta(days=45))


class NoSuchService(ValueError):
    """A service or site that the timetable does not know."""


def slot_at(
    timetable: Timetable,
    *,
    service_id: int,
    site_id: int,
    provider_id: int,
    room_id: int,
    starts_at: datetime,
    minutes: int | None = None,
    patient_id: int | None = None,
    number: int | None = None,
) -> Slot:
    """Return the slot with its three clocks, unjudged. Without minutes it is as long as the service.

    Raises NoSuchService for a service or site that is unknown, ValueError for minutes not in 1..1440 and
    for a year that no calendar of ours reaches.
    """
    if service_id not in timetable.services or site_id not in timetable.sites:
        raise NoSuchService(f"service {service_id} at site {site_id}")
    minutes = timetable.services[service_id].minutes if minutes is None else minutes
    if not 1900 <= starts_at.year <= 2200:
        raise ValueError(f"nothing is planned for the year {starts_at.year}")
    if not 0 < minutes <= MAXIMUM_MINUTES:
        raise ValueError(f"an appointment lasts 1 to {MAXIMUM_MINUTES} minutes, not {minutes}")
    day = hours.day_of(starts_at, timetable.sites[site_id].zone)
    clocks = supply.clocks_of(
        timetable.services[service_id], service_id, index.of(timetable).presence, site_id, day
    )
    return clocks.slot(
        starts_at,
        starts_at + timedelta(minutes=minutes),
        service_id=service_id,
        site_id=site_id,
        provider_id=provider_id,
        room_id=room_id,
        patient_id=patient_id,
        number=number,
    )


def free_slots(
    timetable: Timetable,
    *,
    service_id: int,
    interval: Interval,
    site_ids: Collection[int] | None = None,
    provider_ids: Collection[int] | None = None,
    minutes: int | None = None,
    patient_id: int | None = None,
    number: int | None = None,
    order: CourseOrder | None = None,
    limit: int | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> tuple[Slot, ...]:
    """Return one slot per (site, start, provider) that lies in the interval, earliest first.

    The room is the tightest capable one that is free. Each slot passes ``rules.conflicts`` with nothing above
    ``info``. Unknown sites and providers are passed over; an unknown service raises NoSuchService.
    """
    if service_id not in timetable.services:
        raise NoSuchService(f"service {service_id}")
    within = _clipped(interval, timetable)
    if within is None or (limit is not None and limit <= 0):
        return ()
    minutes = minutes or timetable.services[service_id].minutes
    found = _Free(
        timetable,
        Question(
            service_id=service_id,
            minutes=minutes,
            patient_id=patient_id,
            number=number,
            order=order,
            purpose=purpose,
            ignoring=ignoring,
            with_distances=True,
        ),
        site_ids=_known(site_ids, timetable.sites),
        provider_ids=None if provider_ids is None else frozenset(provider_ids),
    )
    return tuple(islice(found.slots(within), limit))


def free_starts(
    timetable: Timetable,
    *,
    service_id: int,
    interval: Interval,
    site_ids: Collection[int] | None = None,
    minutes: int | None = None,
    purpose: str = "book",
) -> tuple[tuple[int, datetime], ...]:
    """Return every (site, start) in the interval at which some provider and some room are free, by day and site.

    Asked for nobody in particular: the cheapest form of the question, and the most frequent.
    """
    if service_id not in timetable.services:
        raise NoSuchService(f"service {service_id}")
    within = _clipped(interval, timetable)
    if within is None:
        return ()
    minutes = minutes or timetable.services[service_id].minutes
    question = Question(service_id=service_id, minutes=minutes, purpose=purpose)
    found = _Free(timetable, question, site_ids=_known(site_ids, timetable.sites))
    return tuple(found.starts(within)) if found.has_sites else ()


def nearest(
    timetable: Timetable,
    slot: Slot,
    *,
    limit: int = 5,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
    site_ids: Collection[int] | None = None,
) -> tuple[Slot, ...]:
    """Return the free slots of the same service and length that come closest to one that is gone.

    The same provider and site first: another provider counts as half an hour, another site as four.
    """
    found: tuple[Slot, ...] = ()
    for reach in NEAR:
        found = free_slots(
            timetable,
            service_id=slot.service_id,
            interval=Interval(slot.starts_at - reach, slot.ends_at + reach),
            site_ids=site_ids,
            minutes=int((slot.ends_at - slot.starts_at).total_seconds() // 60),
            patient_id=slot.patient_id,
            number=slot.number,
            order=order,
            purpose=purpose,
            ignoring=ignoring,
        )
        others = (other for other in found if not _is_same(other, slot))
        found = tuple(sorted(others, key=lambda other: _distance(other, slot))[:limit])
        # Another provider or site counts as further away: beyond the reach may be what is nearer than that.
        if len(found) == limit and _distance(found[-1], slot)[0] <= reach / MINUTE:
            break
    return found


def why_not(
    slot: Slot,
    timetable: Timetable,
    *,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> tuple[Conflict, ...]:
    """Return every reason at once that keeps the slot from being offered."""
    found = rules.conflicts(slot, timetable, order=order, purpose=purpose, ignoring=ignoring)
    return tuple(conflict for conflict in found if conflict.severity is not Severity.INFO)


class _Free:
    """The free starts that a question is asked about, day by day."""

    def __init__(
        self,
        timetable: Timetable,
        question: Question,
        *,
        site_ids: tuple[int, ...],
        provider_ids: frozenset[int] | None = None,
    ) -> None:
        self._timetable, self._question = timetable, question
        self._sites, self._providers = site_ids, provider_ids
        order = question.order
        self._supply = supply.of(
            timetable,
            service_id=question.service_id,
            minutes=question.minutes,
            protocol_id=order.protocol_id if order else None,
            settled=order.decided if order else frozenset(),
            ignoring=question.ignoring,
        )
        self._verdicts = Verdicts(timetable, question)
        self.has_sites = bool(site_ids)

    def slots(self, within: Interval) -> Iterator[Slot]:
        """Yield one slot per (start, site, provider), earliest first, in the tightest room."""
        later: list[_Start] = []
        span, _ = self._days(within)
        for day in span:
            on, ahead = date.fromordinal(day), min(A_FORTNIGHT, span.stop - day)
            for site_id, free, allowed in self._sites_on(on, within, ahead):
                later += self._of_day(site_id, free, allowed)
            later.sort(key=_in_order)
            # Where zones differ, a start of the next day may come before one of this day.
            sure = self._next_begins(on)
            for start in later:
                if start.at < sure:
                    yield self._slot(start)
            later = [start for start in later if start.at >= sure]
        yield from map(self._slot, later)

    def _slot(self, start: _Start) -> Slot:
        question = self._question
        return self._supply.slot(
            start.free,
            start.site_id,
            start.provider_id,
            start.cell,
            patient_id=question.patient_id,
            number=question.number,
        )

    def starts(self, within: Interval) -> list[tuple[int, datetime]]:
        """Return (site, start) of all that anybody could take, by day and site."""
        told = self._verdicts.told(self._sites)
        usual = tuple(filter(self._verdicts.is_usually_clear, self._sites))
        supply = self._supply
        listed = supply.listed(usual)
        found: list[tuple[int, datetime]] = []
        span, whole = self._days(within)
        for day in span:
            if day in whole and day not in told:
                starts = listed.get(day)
                found += supply.starts_of(usual, day, span.stop - day) if starts is None else starts
            else:
                on = date.fromordinal(day)
                for site_id, free, allowed in self._sites_on(on, within, span.stop - day):
                    found += zip(repeat(site_id), free.instants(free.clear & allowed))
        return found

    def _of_day(self, site_id: int, free: Free, allowed: int) -> Iterator[_Start]:
        for provider_id, starts, warned in free.starts:
            if self._providers is None or provider_id in self._providers:
                for cell in cells.numbers(starts & allowed & ~warned):
                    yield _Start(free.frame.instant(cell), site_id, provider_id, cell, free)

    def _days(self, within: Interval) -> tuple[range, range]:
        """The days, as ordinals, that share an instant with the interval at a site.

        And those of them of which every start lies in it at every site.
        """
        length = timedelta(minutes=self._question.minutes)
        firsts, lasts, fits = [], [], []
        for zone in {self._timetable.sites[site_id].zone for site_id in self._sites}:
            firsts.append(hours.day_of(within.starts_at, zone).toordinal())
            lasts.append(hours.day_of(within.ends_at - INSTANT, zone).toordinal())
            fits.append(hours.day_of(within.ends_at - length, zone).toordinal())
        if not firsts:
            return range(0), range(0)
        return range(min(firsts), max(lasts) + 1), range(max(firsts) + 1, min(fits))

    def _sites_on(self, day: date, within: Interval, ahead: int) -> Iterator[tuple[int, Free, int]]:
        length = timedelta(minutes=self._question.minutes)
        for site_id in self._sites:
            free = self._supply.on(site_id, day, ahead)
            if free is None:
                continue
            frame = free.frame
            allowed = self._verdicts.on(site_id, frame).clear
            if within.starts_at > frame.starts_at:
                allowed &= frame.from_on(within.starts_at)
            if within.ends_at < frame.ends_at + length:
                allowed &= ~frame.from_on(within.ends_at - length + INSTANT)
            if allowed:
                yield site_id, free, allowed

    def _next_begins(self, day: date) -> datetime:
        """The instant before which no start of a later day lies."""
        following = (
            self._supply.frame(site_id, day + ONE_DAY) or self._supply.frame(site_id, day)
            for site_id in self._sites
        )
        return min(frame.starts_at for frame in following if frame is not None)


class _Start(NamedTuple):
    at: datetime
    site_id: int
    provider_id: int
    cell: int
    free: Free


def _in_order(start: _Start) -> tuple[datetime, int, int]:
    return start[:3]


def _clipped(interval: Interval, timetable: Timetable) -> Interval | None:
    starts_at = max(interval.starts_at, timetable.horizon.starts_at)
    ends_at = min(interval.ends_at, timetable.horizon.ends_at)
    return Interval(starts_at, ends_at) if starts_at < ends_at else None


def _known(wanted: Collection[int] | None, known: Collection[int]) -> tuple[int, ...]:
    return tuple(sorted(known if wanted is None else set(wanted) & set(known)))


def _is_same(one: Slot, other: Slot) -> bool:
    return (one.site_id, one.provider_id, one.starts_at) == (
        other.site_id,
        other.provider_id,
        other.starts_at,
    )


def _distance(slot: Slot, wanted: Slot) -> tuple[float, datetime, int, int]:
    minutes = abs((slot.starts_at - wanted.starts_at).total_seconds()) / 60
    minutes += 30 * (slot.provider_id != wanted.provider_id)
    minutes += 240 * (slot.site_id != wanted.site_id)
    return minutes, slot.starts_at, slot.site_id, slot.provider_id
