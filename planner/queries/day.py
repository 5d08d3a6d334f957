"""The day page and My day: three statements whatever the number of rows, everything put into words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from planner import wording
from planner.db import decisions, engine
from planner.db.models import ScheduleVersion
from planner.queries import day_board, day_rows
from planner.queries.day_board import Span
from planner.queries.day_rows import Fact
from planner.queries.day_view import (
    Band,
    Chip,
    Column,
    DayPage,
    GapView,
    Item,
    MyDay,
    Sign,
    SiteTab,
    Tail,
)
from planner.scheduling import course, hours
from planner.scheduling.gaps import Measure
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import CourseOrder, Gap, SessionOrder
from planner.wording import desk

LATE_AFTER = timedelta(minutes=5)
FALLBACK_ZONE = "UTC"
PAGE = "/appointments/"
"""Where a card leads; asking the routes for each of sixty cards would cost more than the rest of it."""
STATUS_ORDER = ("held", "reserved", "booked", "arrived", "started", "fulfilled", "no_show")


def version() -> int:
    """Return the schedule version: while it stands, a day looks as it did."""
    with engine.reading() as session:
        return session.scalar(sa.select(ScheduleVersion.version)) or 0


def page(
    on: date | None, site_id: int | None, *, is_all: bool, by: str, locale: str, now: datetime
) -> DayPage:
    """Return a day at a site, or at all of them; without a date today, without a site the first."""
    with engine.reading() as session:
        facts = _Facts(day_rows.facts(session, on or now.date()))
        site = facts.site(site_id)
        day = on or hours.day_of(now, facts.zone)
        if day != (on or now.date()):  # around midnight the weekday differs from that in UTC
            facts = _Facts(day_rows.facts(session, day))
        sites = list(facts.sites.values()) if is_all else [s for s in (site,) if s]
        span = _span(day, facts.zone)
        rows = day_rows.appointments(
            session,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            now=now,
            site_ids=[row.id for row in sites if row.id is not None],
        )
        ids = {row["course_id"] for row in rows if row["course_id"] is not None}
        sessions = day_rows.course_sessions(session, sorted(ids)) if ids else []
    context = _Context(facts, day, now, locale, _measures(sessions, facts), is_all=is_all)
    return _page(context, rows, sites, by)


def mine(on: date | None, provider_id: int, *, locale: str, now: datetime) -> MyDay:
    """Return a provider's day over all sites; without a date today."""
    with engine.reading() as session:
        facts = _Facts(day_rows.facts(session, on or now.date()))
        day = on or hours.day_of(now, facts.zone)
        if day != (on or now.date()):
            facts = _Facts(day_rows.facts(session, day))
        span = _span(day, facts.zone)
        rows = day_rows.appointments(
            session,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            now=now,
            provider_id=provider_id,
        )
        ids = {row["course_id"] for row in rows if row["course_id"] is not None}
        sessions = day_rows.course_sessions(session, sorted(ids)) if ids else []
        to_sign = decisions.count_unsigned(session, provider_id)
    context = _Context(facts, day, now, locale, _measures(sessions, facts), is_all=True)
    provider = facts.providers.get(provider_id)
    return MyDay(
        on=day,
        title=wording.format_full_date(day, locale),
        provider_name=provider.name if provider else "",
        items=tuple(context.item(row) for row in rows),
        hours=tuple(
            (Chip(name=site.name, colour=site.colour), context.spans_label(spans))
            for site in facts.sites.values()
            if (spans := facts.working(provider_id, site.id or 0))
        ),
        now_minute=context.now_minute,
        now_label=context.now_label,
        to_sign=to_sign,
    )


class _Facts:
    """The first statement's rows, by what is asked of them."""

    def __init__(self, rows: Sequence[Fact]) -> None:
        self.sites = _by_id(rows, "site")
        self.providers = _by_id(rows, "provider")
        self.rooms = _by_id(rows, "room")
        self._open = [row for row in rows if row.kind == "open"]
        self._weekly = [row for row in rows if row.kind in ("work", "break")]
        self._absences = [row for row in rows if row.kind == "absence"]

    @property
    def zone(self) -> str:
        """The zone of the first site: all sites of a clinic share their day."""
        return next((site.detail for site in self.sites.values()), FALLBACK_ZONE)

    def site(self, wanted: int | None) -> Fact | None:
        """Return the site asked for, else the first."""
        return self.sites.get(wanted or 0) or next(iter(self.sites.values()), None)

    def open_at(self, site_id: int) -> list[Span]:
        """Return when the site is open, closures taken away."""
        opens = [_fact_span(row) for row in self._open if row.site_id == site_id]
        return day_board.without(opens, [span for span, _ in self.closures(site_id)])

    def closures(self, site_id: int) -> list[tuple[Span, str]]:
        """Return the site's closures with their reasons."""
        return self._absent(lambda row: row.site_id == site_id)

    def working(self, provider_id: int, site_id: int) -> list[Span]:
        """Return when the provider works at the site, breaks and absences taken away."""
        away = [*self.breaks(provider_id, site_id), *(s for s, _ in self.absences(provider_id))]
        return day_board.without(self.rostered(provider_id, site_id), away)

    def rostered(self, provider_id: int, site_id: int) -> list[Span]:
        """Return the weekly hours of the provider there, breaks included."""
        return self._ranges("work", provider_id, site_id)

    def breaks(self, provider_id: int, site_id: int) -> list[Span]:
        """Return the provider's breaks there."""
        return self._ranges("break", provider_id, site_id)

    def absences(self, provider_id: int) -> list[tuple[Span, str]]:
        """Return the provider's absences with their reasons."""
        return self._absent(lambda row: row.provider_id == provider_id)

    def outages(self, room_id: int) -> list[tuple[Span, str]]:
        """Return when the room is out of service, with the reasons."""
        return self._absent(lambda row: row.room_id == room_id)

    def _ranges(self, kind: str, provider_id: int, site_id: int) -> list[Span]:
        return [
            _fact_span(row)
            for row in self._weekly
            if (row.kind, row.provider_id, row.site_id) == (kind, provider_id, site_id)
        ]

    def _absent(self, is_theirs: Any) -> list[tuple[Span, str]]:
        return [(_fact_span(row), row.name) for row in self._absences if is_theirs(row)]


@dataclass(frozen=True, slots=True)
class _Context:
    """What every card of a day is made with."""

    facts: _Facts
    day: date
    now: datetime
    locale: str
    measures: Mapping[tuple[int, int], Measure]
    is_all: bool

    @property
    def now_minute(self) -> int | None:
        """The minute it is, when the day is today."""
        local = hours.local(self.now, self.facts.zone)
        return day_board.minute(local.time()) if local.date() == self.day else None

    @property
    def now_label(self) -> str:
        """The time it is."""
        return wording.format_time(hours.local(self.now, self.facts.zone), self.locale)

    def clock(self, at: datetime) -> int:
        """Return the minute of the day of an instant; past midnight the minutes go on."""
        local = hours.local(at, self.facts.zone)
        return (local.date() - self.day).days * 1440 + day_board.minute(local.time())

    def spans_label(self, spans: Sequence[Span]) -> str:
        """Return "9:00 AM–12:30 PM, …"."""
        return ", ".join(
            f"{_minute_label(a, self.locale)}–{_minute_label(b, self.locale)}" for a, b in spans
        )

    def item(self, row: Any) -> Item:
        """Return an appointment as a card or a line."""
        status, note = self._status(row)
        number = row["number"]
        measure = self.measures.get((row["course_id"], number)) if number else None
        minutes = int((row["ends_at"] - row["starts_at"]).total_seconds() // 60)
        site = self.facts.sites.get(row["site_id"])
        return Item(
            id=row["id"],
            key=row["key"],
            url=PAGE + row["key"],
            start_minute=self.clock(row["starts_at"]),
            end_minute=self.clock(row["ends_at"]),
            start_label=self._clock_face(row["starts_at"]),
            end_label=self._clock_face(row["ends_at"]),
            time_label=self._time(row["starts_at"]),
            minutes_label=wording.minutes(minutes, self.locale),
            state=row["status"],
            status=status,
            status_note=note,
            version=row["version"],
            patient_name=wording.person(row["given_name"], row["family_name"]),
            patient_key=row["patient_key"],
            service_name=row["service_name"],
            service_colour=row["service_colour"],
            service_kind=row["service_kind"],
            number=number,
            total=row["total"] if number else None,
            gap=_gap(measure, self.locale),
            room_name=row["room_name"],
            provider_name=row["provider_name"],
            provider=Chip(
                name=row["provider_name"],
                colour=row["provider_colour"],
                initials=wording.initials(row["provider_name"]),
            ),
            site=Chip(name=site.name, colour=site.colour) if site and self.is_all else None,
            icons=tuple(self._signs(row)),
            note=row["note"] or row["call_back_note"],
        )

    def tails(self, row: Any, by: str) -> tuple[Tail, ...]:
        """Return what the appointment occupies beside its own time in this kind of column."""
        ends, starts = self.clock(row["ends_at"]), self.clock(row["starts_at"])
        if by == "provider":
            spans = [("walk", "walk", ends, self.clock(row["patient_until"]))]
        else:
            spans = [
                ("turnover", "preparation", self.clock(row["room_from"]), starts),
                ("turnover", "turnover", ends, self.clock(row["room_until"])),
            ]
        return tuple(
            Tail(kind=kind, start_minute=a, end_minute=b, label=desk.tail(code, self.locale))
            for kind, code, a, b in spans
            if a < b
        )

    def _clock_face(self, at: datetime) -> str:
        """Return "2:30": on the board the margin says which half of the day it is."""
        return wording.format_clock(hours.local(at, self.facts.zone), self.locale)

    def _time(self, at: datetime) -> str:
        return wording.format_time(hours.local(at, self.facts.zone), self.locale)

    def _status(self, row: Any) -> tuple[str, str]:
        status = row["status"]
        if status == "booked":
            behind = self.now - row["starts_at"]
            if behind >= LATE_AFTER and self.now_minute is not None:
                return "late", desk.late(_minutes(behind), self.locale)
            return ("confirmed" if row["confirmed_at"] else "booked"), ""
        if status == "arrived" and row["arrived_at"] and self.now_minute is not None:
            return status, desk.waits(_minutes(self.now - row["arrived_at"]), self.locale)
        return status, ""

    def _signs(self, row: Any) -> list[Sign]:
        found = []
        if row["language"] != "en":
            label = wording.language(row["language"], self.locale)
            found.append(Sign(text=row["language"].upper(), label=label))
        if not row["was_here"]:
            found.append(self._sign("new", "star"))
        if row["service_kind"] == "session" and not row["has_consent"]:
            found.append(self._sign("consent", "edit", is_alert=True))
        if row["package"]:
            found.append(Sign(name="money", label=row["package"], is_alert=_is_due(row["package"])))
        if row["health_state"] == "review" and row["health_reviewed_at"] is None:
            found.append(self._sign("review", "decide", is_alert=True))
        if row["note"] or row["patient_note"]:
            found.append(self._sign("note", "note"))
        if row["call_back_note"]:
            found.append(self._sign("call", "phone"))
        return found

    def _sign(self, code: str, icon: str, *, is_alert: bool = False) -> Sign:
        return Sign(name=icon, label=desk.sign(code, self.locale), is_alert=is_alert)


def _page(context: _Context, rows: Sequence[Any], sites: Sequence[Fact], by: str) -> DayPage:
    facts, locale = context.facts, context.locale
    columns = [column for site in sites for column in _columns(context, rows, site, by)]
    spans = [span for site in sites for span in facts.open_at(site.id or 0)]
    items = tuple(context.item(row) for row in rows)
    counted = Counter(item.state for item in items)
    chosen = {site.id for site in sites}
    return DayPage(
        on=context.day,
        title=wording.format_full_date(context.day, locale),
        sites=tuple(
            SiteTab(
                id=site.id,
                name=site.name,
                colour=site.colour,
                is_chosen=site.id in chosen,
                hours_label=context.spans_label(facts.open_at(site.id or 0))
                or desk.band("closed", locale),
            )
            for site in facts.sites.values()
        ),
        by=by,
        board=(
            day_board.board(
                columns,
                spans,
                now_minute=context.now_minute,
                now_label=context.now_label,
                hour_label=lambda minute: wording.format_hour(minute // 60, locale),
            )
            if columns
            else None
        ),
        items=items,
        legend=tuple(
            Chip(name=name, colour=colour)
            for name, colour in dict.fromkeys((i.service_name, i.service_colour) for i in items)
        ),
        counts=tuple((status, counted[status]) for status in STATUS_ORDER if counted[status]),
        is_open=bool(spans),
        zone_label=hours.local(_span(context.day, facts.zone).ends_at, facts.zone).tzname() or "",
    )


def _columns(context: _Context, rows: Sequence[Any], site: Fact, by: str) -> list[Column]:
    here = [row for row in rows if row["site_id"] == site.id]
    facts, site_id = context.facts, site.id or 0
    if by == "room":
        actors = [room for room in facts.rooms.values() if room.site_id == site.id]
        return [_column(context, here, site, room, by) for room in actors]
    busy = {row["provider_id"] for row in here}
    there = [
        p for p in facts.providers.values() if p.id in busy or facts.rostered(p.id or 0, site_id)
    ]
    return [_column(context, here, site, provider, by) for provider in there]


def _column(context: _Context, rows: Sequence[Any], site: Fact, actor: Fact, by: str) -> Column:
    is_provider = by == "provider"
    own = [row for row in rows if row["provider_id" if is_provider else "room_id"] == actor.id]
    items = [replace(context.item(row), tails=context.tails(row, by)) for row in own]
    detail = [site.name] if context.is_all else []
    detail += [actor.detail] if actor.detail else []
    detail.append(desk.visits(len(items), context.locale))
    closed = _provider_bands if is_provider else _room_bands
    return Column(
        id=f"{by}-{actor.id}-{site.id}",
        name=actor.name,
        detail=" · ".join(detail),
        initials=wording.initials(actor.name) if is_provider else "",
        colour=site.colour,
        closed=tuple(closed(context, site.id or 0, actor.id or 0)),
        appointments=day_board.in_lanes(items),
    )


def _provider_bands(context: _Context, site_id: int, provider_id: int) -> list[Band]:
    facts, locale = context.facts, context.locale
    shut, opened = _shut(context, site_id)
    absences = facts.absences(provider_id)
    breaks = facts.breaks(provider_id, site_id)
    away = [span for span, _ in absences]
    known = [*facts.rostered(provider_id, site_id), *breaks, *away]
    result = [*shut, *day_board.bands(
        day_board.without(opened, known), "closed", desk.band("not_here", locale)
    )]  # fmt: skip
    for span, reason in absences:
        inside = day_board.without([span], day_board.without([day_board.DAY], opened))
        result += day_board.bands(inside, "absence", reason or desk.band("absence", locale))
    result += day_board.bands(day_board.without(breaks, away), "break", desk.band("break", locale))
    return result


def _room_bands(context: _Context, site_id: int, room_id: int) -> list[Band]:
    shut, _ = _shut(context, site_id)
    out = desk.band("out", context.locale)
    return shut + [
        band
        for span, reason in context.facts.outages(room_id)
        for band in day_board.bands([span], "absence", f"{out}: {reason}" if reason else out)
    ]


def _shut(context: _Context, site_id: int) -> tuple[list[Band], list[Span]]:
    """Return the bands in which the site is closed, and when it is open."""
    facts, label = context.facts, desk.band("closed", context.locale)
    opened = facts.open_at(site_id)
    closures = [span for span, _ in facts.closures(site_id)]
    shut = day_board.without(day_board.without([day_board.DAY], opened), closures)
    result = day_board.bands(shut, "closed", label)
    for span, reason in facts.closures(site_id):
        result += day_board.bands([span], "absence", reason or label)
    return result, opened


def _measures(sessions: Sequence[Any], facts: _Facts) -> dict[tuple[int, int], Measure]:
    """Return what each session of the courses is measured by, by course and number."""
    by_course: dict[int, list[Any]] = {}
    for row in sessions:
        by_course.setdefault(row["course_id"], []).append(row)
    return {
        (course_id, number): measure
        for course_id, rows in by_course.items()
        for number, measure in course.measure(_order(rows), _days(rows, facts)).items()
    }


def _order(rows: Sequence[Any]) -> CourseOrder:
    first = rows[0]
    return CourseOrder(
        service_id=0,
        sessions=tuple(
            SessionOrder(
                number=row["number"],
                minutes=row["minutes"],
                gap=Gap(
                    floor=row["gap_floor"], target=row["gap_target"], soft_max=row["gap_soft_max"]
                ),
                zones=frozenset(row["zones"]),
                is_custom_gap=row["gap_is_custom"],
            )
            for row in rows
        ),
        same_zone_gap=Gap(
            floor=first["same_floor"], target=first["same_target"], soft_max=first["same_soft_max"]
        ),
    )


def _days(rows: Sequence[Any], facts: _Facts) -> dict[int, date]:
    return {
        row["number"]: hours.day_of(row["starts_at"], facts.zone)
        for row in rows
        if row["starts_at"] is not None
    }


def _gap(measure: Measure | None, locale: str) -> GapView | None:
    if measure is None:
        return None
    return GapView(
        days=measure.days,
        floor=measure.gap.floor,
        target=measure.gap.target,
        soft_max=measure.gap.soft_max,
        text=wording.measure(measure, locale),
    )


def _span(day: date, zone: str) -> Interval:
    return hours.day_bounds(day, zone)


def _fact_span(row: Fact) -> Span:
    if row.starts is None or row.ends is None:
        return day_board.DAY
    return day_board.minute(row.starts), day_board.minute(row.ends)


def _by_id(rows: Sequence[Fact], kind: str) -> dict[int, Fact]:
    found = sorted(
        (row for row in rows if row.kind == kind),
        key=lambda r: (r.site_id or 0, r.position, r.id or 0),
    )
    if kind == "site":
        found.sort(key=lambda row: (row.position, row.id or 0))
    return {row.id: row for row in found if row.id is not None}


def _minute_label(minute: int, locale: str) -> str:
    return wording.format_time(time(minute // 60 % 24, minute % 60), locale)


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)


def _is_due(package: str) -> bool:
    return "due" in package.casefold()
