"""When sites are open, providers there and rooms usable: by day, worked out once for a catalogue.

What is booked plays no part, so it is shared by every timetable of the same sites, rooms and providers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from planner.scheduling import cells, hours, interval, rulebook
from planner.scheduling.cells import Frame
from planner.scheduling.gaps import Spacing
from planner.scheduling.interval import Interval
from planner.scheduling.stretch import Stretch
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
        retired = (room.retired_from for room in rooms.values() if room.retired_from is not None)
        self._turns = sorted({*self.effective, *retired})
        self.has_site_rules = any(rule.scope == "site" for rule in rules)
        self._holding: dict[tuple[Any, ...], RuleSetting] = {}
        self._spans: dict[tuple[Any, ...], Spans] = {}
        self._cells: dict[tuple[Any, ...], int] = {}
        self._weeks: dict[tuple[int, int], _Week] = {}
        self._spacings: dict[tuple[int, int], Spacing] = {}
        self._capable: dict[tuple[int, int, Kind], tuple[int, ...]] = {}
        self._hosting: dict[tuple[int, int], tuple[int, ...]] = {}

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

    def alike(self, site_id: int, days: Iterable[date]) -> Iterator[list[Frame]]:
        """Yield days of the site that follow each other, as long as the same rules and rooms hold on them.

        Those that its calendar leaves out are left out.
        """
        found: list[Frame] = []
        until = date.max
        for day in days:
            frame = self.frame(site_id, day)
            if frame is None:
                continue
            # Where clocks were once set by minutes, a day does not begin where cells of the one before end.
            if found and (found[-1].instant(found[-1].size) != frame.starts_at or day >= until):
                yield found
                found = []
            if not found:
                turn = bisect_right(self._turns, day)
                until = self._turns[turn] if turn < len(self._turns) else date.max
            found.append(frame)
        if found:
            yield found

    def opening(self, site_id: int, days: Stretch) -> int:
        """Return the cells of the days in which the site is open."""
        site = self.sites[site_id]
        if _is_away(site.closures, site.retired_from, days):
            return days.joined(partial(self.open_cells, site_id))
        return self._week(site.hours, ()).over(days)

    def staff(
        self, service_id: int, site_id: int, kind: Kind, days: Stretch
    ) -> list[tuple[int, int]]:
        """Return who may give the service and works at the site on some of the days, and in which cells.

        Many work the same hours: they are found once for all of them, but for those who are absent.
        """
        weeks: dict[_Week, int] = {}
        rows = []
        for one in self.providers_of(service_id, site_id, kind):
            provider = self.providers[one]
            if _is_away(provider.absences, provider.retired_from, days):
                rows.append((one, days.joined(partial(self.there_cells, one, site_id))))
                continue
            week = self._week(provider.hours.get(site_id, ()), provider.breaks.get(site_id, ()))
            if week not in weeks:
                weeks[week] = week.over(days)
            rows.append((one, weeks[week]))
        return [row for row in rows if row[1]]

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
        self._usual: tuple[int, ...] = ()
        if self.is_simple:
            working, resting = _by_weekday(rows), _by_weekday(breaks)
            self._usual = tuple([its & ~out for its, out in zip(working, resting, strict=True)])

    def cells(self, day: Frame) -> int:
        """Return the cells of the day."""
        if self.is_simple and day.is_usual:
            return self._usual[day.day.weekday()]
        around = Interval(day.starts_at, day.ends_at)
        working = hours.weekly(self._rows, around, day.zone)
        return day.inside(
            interval.subtracted(working, hours.weekly(self._breaks, around, day.zone))
        )

    def over(self, days: Stretch) -> int:
        """Return the cells of several days."""
        if self.is_simple:
            return days.weekly(self._usual, self.cells)
        return days.joined(self.cells)


def _by_weekday(rows: tuple[WeeklyHours, ...]) -> list[int]:
    found = [0] * 7
    for row in rows:
        found[row.weekday] |= cells.between(_cell(row.starts), _cell(row.ends))
    return found


def _is_away(absences: tuple[AbsentDays, ...], retired_from: date | None, days: Stretch) -> bool:
    """Whether an absence or retirement may touch one of the days: else each week is as the others."""
    first, last = days.frames[0].day, days.frames[-1].day
    return (retired_from is not None and last >= retired_from) or any(
        row.from_date <= last and first <= row.until_date for row in absences
    )


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
