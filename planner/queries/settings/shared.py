"""Values that several pages under Settings show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, timetables
from planner.db.models import Absence, Provider, Room, Service, Site
from planner.scheduling import catalogue_checks, hours
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import AbsentDays, WeeklyHours

SHOWN = 100  # appointments listed at most; the rest are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A site, room, provider, service or protocol by id and name."""

    id: int
    name: str
    colour: str = ""
    is_retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyView:
    """One weekly range as the editor holds it."""

    weekday: int
    starts: time
    ends: time
    kind: str = "work"
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """An appointment still to come, as a line of a list."""

    key: str
    when_label: str
    patient: str
    service: str
    where: str
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitList:
    """Appointments still to come: the first of them, and how many there are."""

    visits: tuple[VisitView, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceView:
    """A closure, leave or breakdown, with the appointments it displaces."""

    id: int
    days_label: str
    hours_label: str
    reason: str
    is_past: bool
    displaced: VisitList


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementView:
    """From when something is retired, and what is still booked with it from then on."""

    retired_from: date | None
    label: str = ""
    visits: VisitList = VisitList()
    is_removable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A warning about the set-up: its code, and the names its sentence needs."""

    code: str
    site_id: int | None = None
    provider_id: int | None = None
    room_id: int | None = None
    service_id: int | None = None
    site: str = ""
    other_site: str = ""
    room: str = ""
    provider: str = ""
    service: str = ""
    weekday: str = ""
    day: str = ""


def named(rows: Iterable[Any], today: date) -> tuple[Named, ...]:
    """Return rows by id and name, those in use first."""
    views = (
        Named(
            id=row.id,
            name=row.name,
            colour=getattr(row, "colour", ""),
            is_retired=is_retired(row, today),
        )
        for row in rows
    )
    return tuple(sorted(views, key=lambda view: view.is_retired))


def is_retired(row: Any, today: date) -> bool:
    """Whether the row can no longer be booked on the day."""
    until: date | None = getattr(row, "retired_from", None)
    return until is not None and until <= today


def today(session: Session, now: datetime) -> date:
    """Return the clinic's day: that of its westernmost site."""
    return catalogue.earliest_today(session, now)


def findings(session: Session, *, now: datetime, locale: str) -> tuple[FindingView, ...]:
    """Return every warning about the set-up, with names."""
    day = today(session, now)
    horizon = Interval(now, hours.after_hours(now, 1))
    timetable = timetables.load(session, horizon=horizon, now=now)
    names = {
        kind: {row.id: row.name for row in session.execute(sa.select(kind.id, kind.name))}
        for kind in (Site, Room, Provider, Service)
    }
    return tuple(
        FindingView(
            code=found.code,
            site_id=found.site_id,
            provider_id=found.provider_id,
            room_id=found.room_id,
            service_id=found.service_id,
            site=names[Site].get(found.site_id or 0, ""),
            other_site=names[Site].get(found.other_site_id or 0, ""),
            room=names[Room].get(found.room_id or 0, ""),
            provider=names[Provider].get(found.provider_id or 0, ""),
            service=names[Service].get(found.service_id or 0, ""),
            weekday=wording.weekday(found.day.weekday(), locale) if found.day else "",
            day=wording.format_date(found.day, locale) if found.day else "",
        )
        for found in catalogue_checks.findings(timetable, today=day)
    )


def retirement(
    session: Session, row: Any, *, column: str, zone: str, now: datetime, locale: str
) -> RetirementView:
    """Return from when the row is retired, and the appointments booked from then on."""
    if row.retired_from is None:
        return RetirementView(retired_from=None, is_removable=not catalogue.referring(session, row))
    starts_at = hours.day_bounds(row.retired_from, zone).starts_at
    booked = catalogue.upcoming(
        session, column=column, row_id=row.id, from_instant=max(now, starts_at)
    )
    return RetirementView(
        retired_from=row.retired_from,
        label=wording.format_date(row.retired_from, locale),
        visits=visit_list(booked, locale),
        is_removable=not catalogue.referring(session, row),
    )


def absences(
    session: Session, *, actor: str, row_id: int, now: datetime, locale: str
) -> tuple[AbsenceView, ...]:
    """Return an actor's absences, those to come first, each with what it displaces."""
    column = Absence.__table__.c[f"{actor}_id"]
    stored = session.scalars(
        sa.select(Absence).where(column == row_id).order_by(Absence.from_date, Absence.id)
    ).all()
    day = today(session, now)
    booked = catalogue.upcoming(session, column=f"{actor}_id", row_id=row_id, from_instant=now)
    views = [_absence(row, booked, actor, day, locale) for row in stored]
    return tuple(sorted(views, key=lambda view: view.is_past))


def visit_list(rows: Sequence[sa.Row[Any]], locale: str) -> VisitList:
    """Return the first of the appointments as lines, and their number."""
    return VisitList(visits=tuple(_visit(row, locale) for row in rows[:SHOWN]), count=len(rows))


def week_summary(ranges: Sequence[WeeklyHours], locale: str, on: date) -> tuple[str, ...]:
    """Return weekly hours in short, equal days together: "Mon–Wed, Fri 9:00 AM – 6:00 PM"."""
    by_day = {
        weekday: tuple(
            sorted(
                (row.starts, row.ends)
                for row in ranges
                if row.weekday == weekday
                and (row.valid_from is None or row.valid_from <= on)
                and (row.valid_until is None or on <= row.valid_until)
            )
        )
        for weekday in range(7)
    }
    together: dict[tuple[tuple[time, time], ...], list[int]] = {}
    for weekday, spans in by_day.items():
        if spans:
            together.setdefault(spans, []).append(weekday)
    return tuple(
        f"{_weekdays(days, locale)} {', '.join(_span(s, e, locale) for s, e in spans)}"
        for spans, days in together.items()
    )


def _span(starts: time, ends: time, locale: str) -> str:
    return f"{wording.format_time(starts, locale)} – {wording.format_time(ends, locale)}"


def _weekdays(days: Sequence[int], locale: str) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    short = [wording.weekday(day, locale)[:3] for day in range(7)]
    return ", ".join(
        short[run[0]] if len(run) == 1 else f"{short[run[0]]}–{short[run[-1]]}" for run in runs
    )


def _absence(
    row: Absence, booked: Sequence[sa.Row[Any]], actor: str, day: date, locale: str
) -> AbsenceView:
    displaced = [visit for visit in booked if _displaces(row, visit, actor)]
    first, last = (wording.format_date(d, locale) for d in (row.from_date, row.until_date))
    return AbsenceView(
        id=row.id,
        days_label=first if row.from_date == row.until_date else f"{first} – {last}",
        hours_label=_span(row.starts, row.ends, locale) if row.starts and row.ends else "",
        reason=row.reason,
        is_past=row.until_date < day,
        displaced=visit_list(displaced, locale),
    )


def _displaces(row: Absence, visit: sa.Row[Any], actor: str) -> bool:
    absent = AbsentDays(
        from_date=row.from_date, until_date=row.until_date, starts=row.starts, ends=row.ends
    )
    taken = (
        Interval(visit.room_from, visit.room_until)
        if actor == "room"
        else Interval(visit.starts_at, visit.ends_at)
    )
    return bool(hours.absent((absent,), taken, visit.zone))


def _visit(row: sa.Row[Any], locale: str) -> VisitView:
    local = hours.local(row.starts_at, row.zone)
    day, at = wording.format_date(local.date(), locale), wording.format_time(local.time(), locale)
    return VisitView(
        key=row.key,
        when_label=f"{day}, {at}",
        patient=f"{row.given_name} {row.family_name}",
        service=row.service,
        where=f"{row.site}, {row.room}",
        provider=row.provider,
    )
