"""One appointment as a card of the board or a line of the agenda, everything put into words."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any

from planner import wording
from planner.queries import day_board
from planner.queries.day_board import Span
from planner.queries.day_facts import DayFacts
from planner.queries.day_view import Chip, GapView, Item, Sign, Tail
from planner.scheduling import gaps, hours
from planner.scheduling.gaps import Measure
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import CourseOrder, Gap, SessionOrder
from planner.wording import desk

LATE_AFTER = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
ONE_DAY = timedelta(days=1)
OWED = ("due", "pendiente")
"""What the desk types of a package while something is owed; ``ui.package_chip`` reads the same."""

PAGE = "/appointments/"
"""Where a card leads; asking the routes for each of sixty cards would cost more than the rest of it."""


@dataclass(frozen=True)
class Cards:
    """What every card of a day is made with; what many cards share is made once."""

    facts: DayFacts
    day: date
    now: datetime
    locale: str
    measures: Mapping[tuple[int, int], Measure]
    is_all: bool

    @cached_property
    def _plain(self) -> Interval | None:
        """The day itself, when no clock changes in it: its minutes are those since it began."""
        bounds = hours.day_bounds(self.day, self.facts.zone)
        return bounds if bounds.ends_at - bounds.starts_at == ONE_DAY else None

    @cached_property
    def now_minute(self) -> int | None:
        """The minute it is, when the day is today."""
        local = hours.local(self.now, self.facts.zone)
        return day_board.minute(local.time()) if local.date() == self.day else None

    @cached_property
    def now_label(self) -> str:
        """The time it is."""
        local = hours.local(self.now, self.facts.zone)
        return minute_label(local.hour * 60 + local.minute, self.locale)

    def clock(self, at: datetime) -> int:
        """Return the minute of the day of an instant; past midnight the minutes go on."""
        plain = self._plain
        if plain is not None and plain.starts_at <= at <= plain.ends_at:
            return (at - plain.starts_at) // MINUTE // 5 * 5
        local = hours.local(at, self.facts.zone)
        return (local.date() - self.day).days * 1440 + day_board.minute(local.time())

    def spans_label(self, spans: Sequence[Span]) -> str:
        """Return "9:00 AM–12:30 PM, …"."""
        return ", ".join(
            f"{minute_label(a, self.locale)}–{minute_label(b, self.locale)}" for a, b in spans
        )

    def item(self, row: Any, by: str) -> Item:
        """Return an appointment as a card in a column of this kind, or as a line."""
        status, note = self._status(row)
        start, end = self.clock(row.starts_at), self.clock(row.ends_at)
        number, locale = row.number, self.locale
        measure = self.measures.get((row.course_id, number)) if number else None
        site = self.facts.sites.get(row.site_id) if self.is_all else None
        return Item(
            id=row.id,
            key=row.key,
            url=PAGE + row.key,
            start_minute=start,
            end_minute=end,
            start_label=_clock_face(start, locale),
            end_label=_clock_face(end, locale),
            time_label=minute_label(start, locale),
            minutes_label=_length(_minutes(row.ends_at - row.starts_at), locale),
            state=row.status,
            status=status,
            status_note=note,
            version=row.version,
            patient_name=wording.person(row.given_name, row.family_name),
            patient_key=row.patient_key,
            service_name=row.service_name,
            service_colour=row.service_colour,
            service_kind=row.service_kind,
            number=number,
            total=row.total if number else None,
            gap=None if measure is None else _gap(measure, locale),
            room_name=row.room_name,
            provider_name=row.provider_name,
            provider=_provider_chip(row.provider_name, row.provider_colour),
            site=None if site is None else _site_chip(site.name, site.colour),
            icons=tuple(self._signs(row)),
            note=row.note or row.call_back_note,
            tails=self._tails(row, by, start, end),
        )

    def _tails(self, row: Any, by: str, start: int, end: int) -> tuple[Tail, ...]:
        """Return what the appointment occupies beside its own time in this kind of column."""
        if by == "provider":
            spans = [("walk", "walk", end, self.clock(row.patient_until))]
        else:
            spans = [
                ("turnover", "preparation", self.clock(row.room_from), start),
                ("turnover", "turnover", end, self.clock(row.room_until)),
            ]
        return tuple(_tail(kind, code, a, b, self.locale) for kind, code, a, b in spans if a < b)

    def _status(self, row: Any) -> tuple[str, str]:
        status = row.status
        if status == "booked":
            behind = self.now - row.starts_at
            if behind >= LATE_AFTER and self.now_minute is not None:
                return "late", desk.late(_minutes(behind), self.locale)
            return ("confirmed" if row.confirmed_at else "booked"), ""
        if status == "arrived" and row.arrived_at and self.now_minute is not None:
            return status, desk.waits(_minutes(self.now - row.arrived_at), self.locale)
        return status, ""

    def _signs(self, row: Any) -> list[Sign]:
        found = []
        if row.language != "en":
            found.append(_language(row.language, self.locale))
        if not row.was_here:
            found.append(_sign("new", "star", self.locale))
        if row.service_kind == "session" and not row.has_consent:
            found.append(_sign("consent", "edit", self.locale, is_alert=True))
        if row.package:
            found.append(Sign(name="money", label=row.package, is_alert=_is_due(row.package)))
        if row.health_state == "review" and row.health_reviewed_at is None:
            found.append(_sign("review", "decide", self.locale, is_alert=True))
        if row.note or row.patient_note:
            found.append(_sign("note", "note", self.locale))
        if row.call_back_note:
            found.append(_sign("call", "phone", self.locale))
        return found


def measures(
    appointments: Sequence[Any], sessions: Sequence[Any], facts: DayFacts
) -> dict[tuple[int, int], Measure]:
    """Return what each session on the day is measured by, by course and number."""
    by_course: defaultdict[int, list[Any]] = defaultdict(list)
    for row in sessions:
        by_course[row.course_id].append(row)
    found = {}
    for course_id, number in {(row.course_id, row.number) for row in appointments}:
        if course_id in by_course:
            measure = _measured(tuple(by_course[course_id]), number, facts.zone)
            if measure is not None:
                found[course_id, number] = measure
    return found


@lru_cache(maxsize=1024)
def _measured(rows: tuple[Any, ...], number: int, zone: str) -> Measure | None:
    """Return a session's measure in its course; most courses are as they were a moment ago."""
    days = _days(rows, zone)
    return gaps.Ruler(_order(rows)).measured(number, days) if number in days else None


def _order(rows: Sequence[Any]) -> CourseOrder:
    first = rows[0]
    return CourseOrder(
        service_id=0,
        sessions=tuple(
            SessionOrder(
                number=row.number,
                minutes=row.minutes,
                gap=Gap(floor=row.gap_floor, target=row.gap_target, soft_max=row.gap_soft_max),
                zones=frozenset(json.loads(row.zones)),
                is_custom_gap=row.gap_is_custom,
            )
            for row in rows
        ),
        same_zone_gap=Gap(
            floor=first.same_floor, target=first.same_target, soft_max=first.same_soft_max
        ),
    )


def _days(rows: Sequence[Any], zone: str) -> dict[int, date]:
    return {
        row.number: hours.day_of(row.starts_at, zone) for row in rows if row.starts_at is not None
    }


@lru_cache(maxsize=4096)
def _provider_chip(name: str, colour: str) -> Chip:
    return Chip(name=name, colour=colour, initials=wording.initials(name))


@lru_cache
def _site_chip(name: str, colour: str) -> Chip:
    return Chip(name=name, colour=colour)


@lru_cache(maxsize=4096)
def _tail(kind: str, code: str, start: int, end: int, locale: str) -> Tail:
    return Tail(kind=kind, start_minute=start, end_minute=end, label=desk.tail(code, locale))


@lru_cache(maxsize=4096)
def _gap(measure: Measure, locale: str) -> GapView:
    return GapView(
        days=measure.days,
        floor=measure.gap.floor,
        target=measure.gap.target,
        soft_max=measure.gap.soft_max,
        text=wording.measure(measure, locale),
    )


@lru_cache
def _sign(code: str, icon: str, locale: str, *, is_alert: bool = False) -> Sign:
    return Sign(name=icon, label=desk.sign(code, locale), is_alert=is_alert)


@lru_cache
def _language(code: str, locale: str) -> Sign:
    return Sign(text=code.upper(), label=wording.language(code, locale))


initials = lru_cache(maxsize=1024)(wording.initials)
visits = lru_cache(maxsize=1024)(desk.visits)
_length = lru_cache(maxsize=1024)(wording.minutes)


@lru_cache(maxsize=8192)
def minute_label(minute: int, locale: str) -> str:
    """Return a minute of the day as a time."""
    return wording.format_time(time(minute // 60 % 24, minute % 60), locale)


@lru_cache(maxsize=8192)
def _clock_face(minute: int, locale: str) -> str:
    """Return "2:30": on the board the margin says which half of the day it is."""
    at = datetime(2000, 1, 1, minute // 60 % 24, minute % 60, tzinfo=UTC)
    return wording.format_clock(at, locale)


def _minutes(length: timedelta) -> int:
    return length // MINUTE


def _is_due(package: str) -> bool:
    return any(word in package.casefold() for word in OWED)
