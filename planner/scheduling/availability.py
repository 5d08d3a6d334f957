"""Which starts are free, and why one is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice

from planner.scheduling import fitting, hours, rules
from planner.scheduling.fitting import Fitting, Wanted
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Conflict, CourseOrder, Severity, Slot, Timetable

MAXIMUM_MINUTES = 24 * 60
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
    clocks = fitting.clocks(timetable, service_id, site_id, day)
    ends_at = starts_at + timedelta(minutes=minutes)
    return Slot(
        service_id=service_id,
        site_id=site_id,
        provider_id=provider_id,
        room_id=room_id,
        starts_at=starts_at,
        ends_at=ends_at,
        room_from=starts_at - clocks.preparation,
        room_until=ends_at + clocks.turnover,
        patient_until=ends_at + clocks.walk,
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
    fit = Fitting(
        timetable,
        Wanted(
            service_id=service_id,
            minutes=minutes or timetable.services[service_id].minutes,
            within=within,
            site_ids=_known(site_ids, timetable.sites),
            provider_ids=_known(provider_ids, timetable.providers),
            patient_id=patient_id,
            number=number,
            ignoring=ignoring,
        ),
    )
    judge = partial(why_not, timetable=timetable, order=order, purpose=purpose, ignoring=ignoring)
    free = (
        slot
        for site_id, starts_at, provider_id in _in_order(fit, timetable, site_ids, within)
        if (slot := _confirmed(fit.slots(site_id, starts_at, provider_id), judge)) is not None
    )
    return tuple(islice(free, limit))


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
        found = tuple(other for other in found if not _is_same(other, slot))
        if len(found) >= limit:
            break
    return tuple(sorted(found, key=lambda other: _distance(other, slot))[:limit])


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


def _confirmed(slots: Iterator[Slot], judge: Callable[[Slot], tuple[Conflict, ...]]) -> Slot | None:
    """Return the slot in the first room in which nothing above ``info`` speaks against it."""
    for slot in slots:
        against = judge(slot)
        if not against:
            return slot
        if not all(conflict.code.startswith("room.") for conflict in against):
            return None
    return None


def _in_order(
    fit: Fitting, timetable: Timetable, site_ids: Collection[int] | None, within: Interval
) -> Iterator[tuple[int, datetime, int]]:
    sites = _known(site_ids, timetable.sites)
    for day in _utc_days(within):
        found = []
        for site_id in sites:
            for local_day in _local_days(day, timetable.sites[site_id].zone):
                found += [
                    (starts_at, site_id, provider_id)
                    for starts_at, provider_id in fit.starts(site_id, local_day)
                    if day.starts_at <= starts_at < day.ends_at
                ]
        for starts_at, site_id, provider_id in sorted(found):
            yield site_id, starts_at, provider_id


def _utc_days(within: Interval) -> Iterator[Interval]:
    yield from (hours.day_bounds(day, "UTC") for day in hours.days_of(within, "UTC"))


def _local_days(day: Interval, zone: str) -> Iterator[date]:
    yield from hours.days_of(day, zone)


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
