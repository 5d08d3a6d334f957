"""What in the set-up contradicts itself or can never be booked: warnings, never refusals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from planner.scheduling import hours
from planner.scheduling.interval import Interval, intersected, subtracted
from planner.scheduling.timetable import Kind, ProviderFacts, Timetable, WeeklyHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction: its code, and the ids and first day that its sentence names."""

    code: str
    site_id: int | None = None
    other_site_id: int | None = None
    room_id: int | None = None
    provider_id: int | None = None
    service_id: int | None = None
    day: date | None = None


def findings(timetable: Timetable, *, today: date) -> tuple[Finding, ...]:
    """Return everything odd from ``today`` on, each once; retired rows are not asked."""
    current = _current(timetable, today)
    found = [*_sites(current), *_rooms(current), *_services(current), *_providers(current, today)]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Current:
    timetable: Timetable
    sites: tuple[int, ...]
    rooms: tuple[int, ...]
    providers: Mapping[int, ProviderFacts]
    services: tuple[int, ...]

    def givers(self, service_id: int, site_id: int) -> tuple[int, ...]:
        return tuple(i for i in self.providers if (service_id, site_id) in self.gives(i))

    def gives(self, provider_id: int) -> frozenset[tuple[int, int]]:
        facts, services = self.providers[provider_id], self.timetable.services
        return frozenset(
            (service_id, site_id)
            for service_id, site_id in facts.treats | facts.examines
            if service_id in self.services
            and site_id in self.sites
            and (
                (service_id, site_id) in facts.examines
                if services[service_id].kind == Kind.CONSULT
                else (service_id, site_id) in facts.treats
            )
        )

    def hosts(self, service_id: int, site_id: int) -> tuple[int, ...]:
        return tuple(
            i
            for i in self.rooms
            if self.timetable.rooms[i].site_id == site_id
            and service_id in self.timetable.rooms[i].service_ids
        )


def _current(timetable: Timetable, today: date) -> _Current:
    def stays(retired_from: date | None) -> bool:
        return retired_from is None or retired_from > today

    sites = tuple(i for i, facts in timetable.sites.items() if stays(facts.retired_from))
    return _Current(
        timetable=timetable,
        sites=sites,
        rooms=tuple(
            i
            for i, facts in timetable.rooms.items()
            if stays(facts.retired_from) and facts.site_id in sites
        ),
        providers={i: f for i, f in timetable.providers.items() if stays(f.retired_from)},
        services=tuple(i for i, f in timetable.services.items() if stays(f.retired_from)),
    )


def _sites(current: _Current) -> Iterator[Finding]:
    for site_id in current.sites:
        if not current.timetable.sites[site_id].hours:
            yield Finding(code="site.no_hours", site_id=site_id)
        if not any(current.timetable.rooms[i].site_id == site_id for i in current.rooms):
            yield Finding(code="site.no_rooms", site_id=site_id)


def _rooms(current: _Current) -> Iterator[Finding]:
    for room_id in current.rooms:
        facts = current.timetable.rooms[room_id]
        hosted = facts.service_ids & set(current.services)
        if not hosted:
            yield Finding(code="room.no_service", room_id=room_id, site_id=facts.site_id)
        elif not any(current.givers(service_id, facts.site_id) for service_id in hosted):
            yield Finding(code="room.nobody", room_id=room_id, site_id=facts.site_id)


def _services(current: _Current) -> Iterator[Finding]:
    for service_id in current.services:
        ready = False
        for site_id in current.sites:
            givers, hosts = current.givers(service_id, site_id), current.hosts(service_id, site_id)
            ready = ready or bool(givers or hosts)
            if hosts and not givers:
                yield Finding(code="service.nobody", service_id=service_id, site_id=site_id)
            if givers and not hosts:
                yield Finding(code="service.no_room", service_id=service_id, site_id=site_id)
        if current.sites and not ready:
            yield Finding(code="service.nowhere", service_id=service_id)


def _providers(current: _Current, today: date) -> Iterator[Finding]:
    for provider_id, facts in current.providers.items():
        worked = {site_id for site_id, ranges in facts.hours.items() if ranges} & set(current.sites)
        given = {site_id for _, site_id in current.gives(provider_id)}
        if not worked and not given:
            yield Finding(code="provider.nothing", provider_id=provider_id)
        for site_id in sorted(worked - given):
            yield Finding(code="provider.no_service", provider_id=provider_id, site_id=site_id)
        for site_id in sorted(given - worked):
            yield Finding(code="provider.no_hours", provider_id=provider_id, site_id=site_id)
        yield from _hours(current, provider_id, sorted(worked), today)


def _hours(
    current: _Current, provider_id: int, site_ids: list[int], today: date
) -> Iterator[Finding]:
    facts = current.providers[provider_id]
    all_ranges = [r for site_id in site_ids for r in _ranges_around(current, facts, site_id)]
    seen: set[tuple[str, int, int | None, int]] = set()
    for day in _days(all_ranges, today):
        for code, site_id, other_id in _day(current, provider_id, site_ids, day):
            if (key := (code, site_id, other_id, day.weekday())) not in seen:
                seen.add(key)
                yield Finding(
                    code=code,
                    provider_id=provider_id,
                    site_id=site_id,
                    other_site_id=other_id,
                    day=day,
                )


def _ranges_around(
    current: _Current, facts: ProviderFacts, site_id: int
) -> tuple[WeeklyHours, ...]:
    opening = current.timetable.sites[site_id].hours
    return (*facts.hours[site_id], *facts.breaks.get(site_id, ()), *opening)


def _days(ranges: Iterable[WeeklyHours], today: date) -> tuple[date, ...]:
    """Return the week after each day on which some range begins or ends to hold."""
    changes = {today}
    for weekly in ranges:
        if weekly.valid_from and weekly.valid_from > today:
            changes.add(weekly.valid_from)
        if weekly.valid_until and weekly.valid_until >= today and weekly.valid_until < date.max:
            changes.add(weekly.valid_until + timedelta(days=1))
    weeks = {d.toordinal() + n for d in changes for n in range(7)}
    last = date.max.toordinal() - 8
    return tuple(date.fromordinal(n) for n in sorted(weeks) if n <= last)


def _day(
    current: _Current, provider_id: int, site_ids: list[int], day: date
) -> Iterator[tuple[str, int, int | None]]:
    facts = current.providers[provider_id]
    worked = {i: _spans(current, i, facts.hours[i], day) for i in site_ids}
    for index, site_id in enumerate(site_ids):
        opening = _spans(current, site_id, current.timetable.sites[site_id].hours, day)
        breaks = _spans(current, site_id, facts.breaks.get(site_id, ()), day)
        if current.timetable.sites[site_id].hours and subtracted(worked[site_id], opening):
            yield "hours.outside_opening", site_id, None
        if subtracted(breaks, worked[site_id]):
            yield "hours.break_outside", site_id, None
        if _is_too_short(current, provider_id, site_id, subtracted(worked[site_id], breaks)):
            yield "hours.too_short", site_id, None
        for other_id in site_ids[index + 1 :]:
            if intersected(worked[site_id], worked[other_id]):
                yield "hours.two_sites", site_id, other_id


def _is_too_short(
    current: _Current, provider_id: int, site_id: int, spans: Iterable[Interval]
) -> bool:
    minutes = [
        current.timetable.services[service_id].minutes
        for service_id, at in current.gives(provider_id)
        if at == site_id
    ]
    if not minutes:
        return False
    shortest = timedelta(minutes=min(minutes))
    return any(span.ends_at - span.starts_at < shortest for span in spans)


def _spans(
    current: _Current, site_id: int, ranges: Iterable[WeeklyHours], day: date
) -> tuple[Interval, ...]:
    zone = current.timetable.sites[site_id].zone
    return hours.weekly(ranges, hours.day_bounds(day, zone), zone)
