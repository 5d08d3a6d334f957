"""What a patient is to heed after a session, and until when (clinic.md S24, S26, S27, S29 to S34)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from planner.queries.calendar_rows import Diary, Visit
from planner.scheduling import hours, rulebook, zones

RESTRICTIONS = tuple(
    f"aftercare.{what}" for what in ("exercise", "sun", "hot_bath", "hot_tub", "sauna")
)
ONE_DAY = timedelta(days=1)
WALK, DAY_AND_NIGHT, AS_NEEDED, FLYING, RESTRICTED = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Right after the session, for the minutes the patient is kept free."""

    starts_at: datetime
    ends_at: datetime
    least: int  # minutes
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Days on which stockings are worn. ``least`` and ``most`` keep both ends of the range."""

    part: int  # DAY_AND_NIGHT (in days) | AS_NEEDED (in weeks)
    first: date
    last: date
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """Something not to be done before an instant."""

    code: str
    hours: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """All of it for one session."""

    walk: Walk | None
    compression: tuple[Compression, ...]
    flying: Restriction | None
    restrictions: tuple[Restriction, ...]


def after(visit: Visit, diary: Diary, next_session_on: date | None) -> Aftercare:
    """Return what holds after a session: from its actual end, or the planned one until then.

    ``next_session_on`` ends the stockings as needed: from then on the next session's hold.
    """
    rules = _Rules(visit, diary)
    ends_at = visit.session_ends_at
    walk = rules.value("session.walk_range")
    kept_free = visit.patient_until - visit.ends_at
    return Aftercare(
        walk=Walk(
            starts_at=ends_at, ends_at=ends_at + kept_free, least=walk["from"], most=walk["to"]
        )
        if kept_free > timedelta()
        else None,
        compression=tuple(_compression(visit, rules, next_session_on)),
        flying=rules.restriction("aftercare.flying"),
        restrictions=tuple(filter(None, map(rules.restriction, RESTRICTIONS))),
    )


def last_day(restriction: Restriction, zone: str) -> date:
    """Return the last day on which the restriction holds, at least for an instant."""
    return hours.day_of(restriction.until - timedelta(microseconds=1), zone)


@dataclass(frozen=True, slots=True)
class _Rules:
    visit: Visit
    diary: Diary

    def value(self, code: str) -> Any:
        return rulebook.resolve(
            self.diary.rules,
            code,
            on=self.day,
            site_id=self.visit.site_id,
            service_id=self.visit.service_id,
            protocol_id=self.visit.protocol_id,
        ).value

    @property
    def day(self) -> date:
        return hours.day_of(self.visit.session_ends_at, self.visit.zone)

    def restriction(self, code: str) -> Restriction | None:
        length = self.value(code)
        if not length:
            return None
        until = hours.after_hours(self.visit.session_ends_at, length)
        return Restriction(code=code, hours=length, until=until)


def _compression(
    visit: Visit, rules: _Rules, next_session_on: date | None
) -> Iterator[Compression]:
    treated = visit.zones_treated or visit.zones or []
    if treated and set(treated) == {zones.FACE}:
        return  # S07: no stockings text for a face
    days = rules.value("compression.day_night_days")
    longer = rules.value("compression.reticular_days")
    if longer and visit.course_id in rules.diary.reticular_course_ids:
        days = max(days, longer, key=lambda span: int(span["to"]))  # S11: the longer wins
    until = rules.day + timedelta(days=days["to"])
    if days["to"]:
        yield Compression(
            part=DAY_AND_NIGHT, first=rules.day, last=until, least=days["from"], most=days["to"]
        )
    weeks = rules.value("compression.as_needed_weeks")
    last = until + timedelta(weeks=weeks["to"])
    if next_session_on is not None:
        last = min(last, next_session_on - ONE_DAY)
    if until < last:
        yield Compression(
            part=AS_NEEDED, first=until + ONE_DAY, last=last, least=weeks["from"], most=weeks["to"]
        )
