"""When sites are open, providers there and rooms usable: by day, worked out once for a catalogue.

What is booked plays no part, so it is shared by every timetable of the same sites, rooms and providers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from planner.scheduling import cells, hours, interval, rulebook
from planner.scheduling.cells import Frame, Lanes
from planner.scheduling.gaps import Spacing
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    AbsentDays,
    Kind,
    ProviderFacts,
    RoomFacts,
    RuleSetting,
    SiteFacts,
    Timetable,
    WeeklyHours,
)

KEPT = 8
"""Catalogues whose hours are kept: one is in use, the others belong to requests still under way."""

ONE_DAY = timedelta(days=1)


def of(timetable: Timetable) -> Presence:
    """Return the presence of the timetable's catalogue, worked out as far as it was asked for."""
    parts = (timetable.sites, timetable.rooms, timetable.providers, timetable.rules)
    key = tuple(map(id, parts))
    found = _KEPT.get(key)
    if found is None:
        found = Presence(*parts)
        while len(_KEPT) >= KEPT:
            _KEPT.pop(next(iter(_KEPT)), None)
        _KEPT[key] = found
    return found


class Spans:
    """Ordered spans that do not touch, and whether a time lies within one of them."""

    def __init__(self, spans: Iterable[Interval]) -> None:
        self.spans = tuple(spans)
        self._starts = [span.starts_at for span in self.spans]

    def contain(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether one span holds all of the time."""
        position = bisect_right(self._starts, starts_at) - 1
        return position >= 0 and ends_at <= self.spans[position].ends_at


class Presence:
    """Hours of sites, providers and rooms, as spans for the rules and as cells for a search."""

    def __init__(
        self,
        sites: Mapping[int, SiteFacts],
        rooms: Mapping[int, RoomFacts],
        providers: Mapping[int, ProviderFacts],
        rules: tuple[RuleSetting, ...],
    ) -> None:
        # Held, so that no other catalogue can come to have the same ids.
        self.sites, self.rooms, self.providers, self.rules = sites, rooms, providers, rules
        self.rule_records: defaultdict[str, list[RuleSetting]] = defaultdict(list)
        for rule in rules:
            self.rule_records[rule.code].append(rule)
        self.effective = sorted({rule.effective_from for rule in rules})
        self.has_site_rules = any(rule.scope == "site" for rule in rules)
        self._holding: dict[tuple[Any, ...], RuleSetting] = {}
        self._spans: dict[tuple[Any, ...], Spans] = {}
        self._cells: dict[tuple[Any, ...], int] = {}
        self._weeks: dict[tuple[int, int], _Week] = {}
        self._spacings: dict[tuple[int, int], Spacing] = {}
        self._capable: dict[tuple[int, int, Kind], tuple[int, ...]] = {}
        self._hosting: dict[tuple[int, int], tuple[int, ...]] = {}
        self._staff: dict[tuple[int, int, Kind], _Rota] = {}

    def frame(self, site_id: int, day: date) -> Frame | None:
        """Return the site's day as cells."""
        return cells.frame(day, self.sites[site_id].zone)

    def is_open(self, site_id: int, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether the site is open all of the time."""
        key = ("open", site_id, starts_at.toordinal())
        if key not in self._spans:
            site = self.sites[site_id]
            around = _around(starts_at)
            opening = hours.weekly(site.hours, around, site.zone)
            closed = hours.absent(site.closures, around, site.zone)
            self._spans[key] = Spans(
                hours.until_retired(
                    interval.subtracted(opening, closed), site.retired_from, site.zone, around
                )
            )
        return self._spans[key].contain(starts_at, ends_at)

    def is_there(
        self, provider_id: int, site_id: int, starts_at: datetime, ends_at: datetime
    ) -> bool:
        """Whether the provider works at the site all of the time: no break, no absence."""
        key = ("there", provider_id, site_id, starts_at.toordinal())
        if key not in self._spans:
            provider, zone = self.providers[provider_id], self.sites[site_id].zone
            self._spans[key] = Spans(
                hours.working_within(provider, site_id, zone, _around(starts_at))
            )
        return self._spans[key].contain(starts_at, ends_at)

    def open_cells(self, site_id: int, day: Frame) -> int:
        """Return the cells in which the site is open."""
        key = ("open", site_id, day.day)
        if key not in self._cells:
            site = self.sites[site_id]
            if site.retired_from is not None and day.day >= site.retired_from:
                self._cells[key] = 0
            else:
                opening = self._week(site.hours, ()).cells(day)
                self._cells[key] = _without(opening, site.closures, day)
        return self._cells[key]

    def there_cells(self, provider_id: int, site_id: int, day: Frame) -> int:
        """Return the cells in which the provider works at the site."""
        key = ("there", provider_id, site_id, day.day)
        if key not in self._cells:
            provider = self.providers[provider_id]
            rows = provider.hours.get(site_id, ())
            is_gone = provider.retired_from is not None and day.day >= provider.retired_from
            if not rows or is_gone:
                self._cells[key] = 0
            else:
                breaks = provider.breaks.get(site_id, ())
                working = self._week(rows, breaks).cells(day)
                self._cells[key] = _without(working, provider.absences, day)
        return self._cells[key]

    def usable_cells(self, room_id: int, day: Frame) -> int:
        """Return the cells in which the room is not out of service."""
        outages = self.rooms[room_id].outages
        if not outages:
            return day.full
        key = ("usable", room_id, day.day)
        if key not in self._cells:
            self._cells[key] = _without(day.full, outages, day)
        return self._cells[key]

    def providers_of(self, service_id: int, site_id: int, kind: Kind) -> tuple[int, ...]:
        """Return who may give the service at the site: treat, for a consult examine, for a review either."""
        key = (service_id, site_id, kind)
        if key not in self._capable:
            self._capable[key] = tuple(
                provider_id
                for provider_id in sorted(self.providers)
                if may(self.providers[provider_id], service_id, site_id, kind)
            )
        return self._capable[key]

    def staff(self, service_id: int, site_id: int, kind: Kind, day: Frame) -> Present:
        """Return who may give the service and works at the site that day, and in which cells, by number.

        Who is never absent works the same every Monday: found once a weekday, not once a day.
        """
        key = (service_id, site_id, kind)
        rota = self._staff.get(key)
        if rota is None:
            rota = self._staff[key] = self._rota(*key)
        irregular = rota.irregular if day.is_usual else self.providers_of(*key)
        others = ((one, self.there_cells(one, site_id, day)) for one in irregular)
        found = [(one, there) for one, there in others if there]
        if not day.is_usual:
            return present(found, day)
        return present(sorted((*rota.rows(day), *found)), day) if found else rota.regular(day)

    def rooms_of(self, service_id: int, site_id: int) -> tuple[int, ...]:
        """Return the rooms of the site that can host the service, those that host least else first."""
        key = (service_id, site_id)
        if key not in self._hosting:
            able = (
                room_id
                for room_id, room in self.rooms.items()
                if room.site_id == site_id and service_id in room.service_ids
            )
            self._hosting[key] = tuple(
                sorted(able, key=lambda one: (len(self.rooms[one].service_ids), one))
            )
        return self._hosting[key]

    def rule(
        self,
        code: str,
        *,
        on: date,
        site_id: int | None = None,
        service_id: int | None = None,
        protocol_id: int | None = None,
    ) -> RuleSetting:
        """Return the record that holds, as ``rulebook.resolve`` does."""
        stored = self.rule_records.get(code)
        if stored is None:
            return rulebook.SHIPPED[code]
        key = (code, bisect_right(self.effective, on), site_id, service_id, protocol_id)
        found = self._holding.get(key)
        if found is None:
            found = self._holding[key] = rulebook.resolve(
                stored, code, on=on, site_id=site_id, service_id=service_id, protocol_id=protocol_id
            )
        return found

    def spacing(
        self, *, on: date, site_id: int | None, service_id: int, protocol_id: int | None
    ) -> Spacing:
        """Return what the records of the day say of gaps."""
        scope = {"site_id": site_id, "service_id": service_id, "protocol_id": protocol_id}
        row = self.rule("gap.new_zones", on=on, **scope)
        mode = self.rule("course.gap_mode", on=on, **scope)
        key = (id(row), id(mode))
        if key not in self._spacings:
            self._spacings[key] = Spacing(
                new_zones=rulebook.gap(row.value), is_strict=mode.value == "strict"
            )
        return self._spacings[key]

    def _rota(self, service_id: int, site_id: int, kind: Kind) -> _Rota:
        regular, irregular = [], []
        for one in self.providers_of(service_id, site_id, kind):
            provider = self.providers[one]
            week = self._week(provider.hours.get(site_id, ()), provider.breaks.get(site_id, ()))
            if week.is_simple and not provider.absences and provider.retired_from is None:
                regular.append((one, week))
            else:
                irregular.append(one)
        return _Rota(regular, irregular)

    def _week(self, rows: tuple[WeeklyHours, ...], breaks: tuple[WeeklyHours, ...]) -> _Week:
        key = (id(rows), id(breaks))
        if key not in self._weeks:
            self._weeks[key] = _Week(rows, breaks)
        return self._weeks[key]


def may(provider: ProviderFacts, service_id: int, site_id: int, kind: Kind) -> bool:
    """Whether the provider may give the service at the site: treat, for a consult examine, for a review either."""
    key = (service_id, site_id)
    if kind is Kind.CONSULT:
        return key in provider.examines
    return key in provider.treats or (kind is Kind.REVIEW and key in provider.examines)


class Present(NamedTuple):
    """Who is there in a span, or which rooms are, and side by side in which cells."""

    ids: tuple[int, ...]
    lanes: Lanes


def present(rows: Iterable[tuple[int, int]], span: Frame) -> Present:
    """Return those that are there at all of some, given by number and cells."""
    found = [row for row in rows if row[1]]
    return Present(tuple([row[0] for row in found]), cells.lanes([row[1] for row in found], span))


class _Rota:
    """Who may give a service at a site: those of whom the weekday says all, with their weeks, and the others."""

    def __init__(self, regular: list[tuple[int, _Week]], irregular: list[int]) -> None:
        self._weeks, self.irregular = regular, irregular
        self._rows: dict[int, list[tuple[int, int]]] = {}
        self._regular: dict[int, Present] = {}

    def rows(self, day: Frame) -> list[tuple[int, int]]:
        """Return who surely works on such a day, and in which cells."""
        weekday = day.day.weekday()
        if weekday not in self._rows:
            # Many share a week.
            there = {week: week.cells(day) for week in {week for _, week in self._weeks}}
            self._rows[weekday] = [(one, there[week]) for one, week in self._weeks if there[week]]
        return self._rows[weekday]

    def regular(self, day: Frame) -> Present:
        """Return the same side by side."""
        weekday = day.day.weekday()
        if weekday not in self._regular:
            self._regular[weekday] = present(self.rows(day), day)
        return self._regular[weekday]


class _Week:
    """Weekly hours less breaks as cells: one integer a weekday while nothing but the weekday matters."""

    def __init__(self, rows: tuple[WeeklyHours, ...], breaks: tuple[WeeklyHours, ...]) -> None:
        self._rows, self._breaks = rows, breaks
        both = (*rows, *breaks)
        self.is_simple = all(
            row.valid_from is None
            and row.valid_until is None
            and row.starts < row.ends
            and _is_whole(row.starts)
            and _is_whole(row.ends)
            for row in both
        )
        self._usual: dict[int, int] = {}

    def cells(self, day: Frame) -> int:
        """Return the cells of the day."""
        if not (self.is_simple and day.is_usual):
            around = Interval(day.starts_at, day.ends_at)
            working = hours.weekly(self._rows, around, day.zone)
            return day.inside(
                interval.subtracted(working, hours.weekly(self._breaks, around, day.zone))
            )
        weekday = day.day.weekday()
        if weekday not in self._usual:
            self._usual[weekday] = _of_weekday(self._rows, weekday) & ~_of_weekday(
                self._breaks, weekday
            )
        return self._usual[weekday]


def _of_weekday(rows: tuple[WeeklyHours, ...], weekday: int) -> int:
    found = 0
    for row in rows:
        if row.weekday == weekday:
            found |= cells.between(_cell(row.starts), _cell(row.ends))
    return found


def _without(present: int, absences: tuple[AbsentDays, ...], day: Frame) -> int:
    for row in absences:
        if not row.from_date <= day.day <= row.until_date or not present:
            continue
        if row.starts is None or row.ends is None:
            return 0
        for span in hours.absent((row,), Interval(day.starts_at, day.ends_at), day.zone):
            present &= ~day.touched(span.starts_at, span.ends_at)
    return present


def _around(at: datetime) -> Interval:
    """The UTC day of the instant with a day before and two after: no appointment reaches over them."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Interval(midnight - ONE_DAY, midnight + 3 * ONE_DAY)


def _is_whole(at: time) -> bool:
    return at.minute % 5 == 0 and at.second == 0 and at.microsecond == 0


def _cell(at: time) -> int:
    return (at.hour * 60 + at.minute) // 5


_KEPT: dict[tuple[int, ...], Presence] = {}
