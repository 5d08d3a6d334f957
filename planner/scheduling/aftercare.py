"""What a patient is to heed after a session, and until when (clinic.md S24, S26, S27, S29 to S34)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from planner.scheduling import hours, rulebook, zones
from planner.scheduling.timetable import RuleSetting

RESTRICTIONS = tuple(
    f"aftercare.{what}" for what in ("exercise", "sun", "hot_bath", "hot_tub", "sauna")
)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """A session as it took place, or as it is planned until then."""

    ends_at: datetime  # the actual end once there is one
    kept_free: timedelta  # for the walk
    zone: str  # the site's
    site_id: int
    service_id: int
    protocol_id: int | None = None
    zones: frozenset[str] = frozenset()
    is_reticular: bool = False  # veins of 1 to 3 mm, alone or with others
    next_session_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Right after the session. The text keeps the range, in minutes."""

    starts_at: datetime
    ends_at: datetime
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Days on which stockings are worn, to the far end of the range that the text keeps."""

    first: date
    last: date
    least: int  # days, or weeks when as needed
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """Something not to be done before an instant: elapsed hours, whatever the clocks do."""

    code: str
    hours: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """All of it for one session; what the clinic has switched off is not there."""

    walk: Walk | None
    day_and_night: Compression | None
    as_needed: Compression | None
    flying: Restriction | None
    restrictions: tuple[Restriction, ...]


def after(treated: Treated, rules: Iterable[RuleSetting]) -> Aftercare:
    """Return what holds after a session, by the rules of its own day."""
    book = _Book(treated, tuple(rules))
    day_and_night = _day_and_night(treated, book)
    return Aftercare(
        walk=_walk(treated, book),
        day_and_night=day_and_night,
        as_needed=_as_needed(treated, book, day_and_night),
        flying=book.restriction("aftercare.flying"),
        restrictions=tuple(filter(None, map(book.restriction, RESTRICTIONS))),
    )


def after_all(treated: Sequence[Treated], rules: Iterable[RuleSetting]) -> tuple[Aftercare, ...]:
    """Return what holds after each of a patient's sessions, which are given in their order.

    Stockings are worn once however many sessions ask for them: where a session begins its own span,
    that of the one before ends, and what it would have asked for longer goes on in the new one (S27).
    """
    book = tuple(rules)
    alone = [after(replace(one, next_session_on=None), book) for one in treated]
    starts = [one.day_and_night.first for one in alone if one.day_and_night]
    ends = [*(first - ONE_DAY for first in starts[1:]), date.max]
    day_and_night: Compression | None = None
    as_needed: Compression | None = None
    found = []
    for own in alone:
        one = own
        if own.day_and_night is not None:
            first, end = own.day_and_night.first, ends.pop(0)
            day_and_night = _longest(first, own.day_and_night, day_and_night)
            as_needed = _longest(first, own.as_needed, as_needed)
            free = day_and_night.last + ONE_DAY if day_and_night else first
            one = replace(
                own,
                day_and_night=_cut(day_and_night, first, end),
                as_needed=_cut(as_needed, free, end),
            )
        found.append(one)
    return tuple(found)


def last_day(restriction: Restriction, zone: str) -> date:
    """Return the last day on which the restriction holds, at least for an instant."""
    return hours.day_of(restriction.until - timedelta(microseconds=1), zone)


@dataclass(frozen=True, slots=True)
class _Book:
    treated: Treated
    rules: tuple[RuleSetting, ...]

    @property
    def day(self) -> date:
        return hours.day_of(self.treated.ends_at, self.treated.zone)

    def value(self, code: str) -> Any:
        return rulebook.resolve(
            self.rules,
            code,
            on=self.day,
            site_id=self.treated.site_id,
            service_id=self.treated.service_id,
            protocol_id=self.treated.protocol_id,
        ).value

    def restriction(self, code: str) -> Restriction | None:
        length = self.value(code)
        if not length:
            return None
        until = hours.after_hours(self.treated.ends_at, length)
        return Restriction(code=code, hours=length, until=until)


def _longest(first: date, *spans: Compression | None) -> Compression | None:
    """Return whichever lasts longest of those that are still worn on a day."""
    worn = (span for span in spans if span is not None and span.last >= first)
    return max(worn, key=lambda span: span.last, default=None)


def _cut(span: Compression | None, first: date, end: date) -> Compression | None:
    if span is None:
        return None
    last = min(span.last, end)
    return replace(span, first=first, last=last) if first <= last else None


def _walk(treated: Treated, book: _Book) -> Walk | None:
    if not treated.kept_free:
        return None
    minutes = book.value("session.walk_range")
    return Walk(
        starts_at=treated.ends_at,
        ends_at=treated.ends_at + treated.kept_free,
        least=minutes["from"],
        most=minutes["to"],
    )


def _day_and_night(treated: Treated, book: _Book) -> Compression | None:
    if treated.zones == {zones.FACE}:
        return None  # S07: a face wears no stockings
    days = book.value("compression.day_night_days")
    longer = book.value("compression.reticular_days")
    if longer and treated.is_reticular:
        days = max(days, longer, key=lambda span: int(span["to"]))  # S11: the longer wins
    if not days["to"]:
        return None
    last = book.day + timedelta(days=days["to"])
    return Compression(first=book.day, last=last, least=days["from"], most=days["to"])


def _as_needed(
    treated: Treated, book: _Book, day_and_night: Compression | None
) -> Compression | None:
    """S27: merged, not doubled: it ends where the next session begins its own."""
    if day_and_night is None:
        return None
    weeks = book.value("compression.as_needed_weeks")
    first = day_and_night.last + ONE_DAY
    last = day_and_night.last + timedelta(weeks=weeks["to"])
    if treated.next_session_on is not None:
        last = min(last, treated.next_session_on - ONE_DAY)
    if last < first:
        return None
    return Compression(first=first, last=last, least=weeks["from"], most=weeks["to"])
