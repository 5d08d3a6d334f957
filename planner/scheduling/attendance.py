"""What stands against a step of a visit at this moment: its own day, its start, what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from planner.scheduling import hours
from planner.scheduling.lifecycle import Verb
from planner.scheduling.timetable import Conflict, RuleSetting, Severity

TOLERANCE = timedelta(minutes=5)
"""How far a typed time may be ahead: clocks on a wall differ, and times are typed in round numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is known of an appointment when somebody carries it on; the zone is its site's."""

    starts_at: datetime
    site_id: int
    zone: str
    kind: str  # of the service
    health_state: str  # "" (not asked) | complete | review
    is_reviewed: bool

    @property
    def day(self) -> date:
        """The day it is planned for, at its site."""
        return hours.day_of(self.starts_at, self.zone)


def against(visit: Visit, verb: Verb, *, now: datetime) -> tuple[Conflict, ...]:
    """Return why the verb is not possible at this moment; () where only the status counts.

    A visit is not checked in or started before its own day: its floor would have been measured from a day
    on which it was not. Afterwards it may be, because what has happened is written down even when late.
    """
    if verb is Verb.CHECK_IN:
        return _other_day(visit, now)
    if verb is Verb.START:
        return (*_other_day(visit, now), *_health(visit))
    if verb is Verb.NO_SHOW and now < visit.starts_at:
        return (_block("visit.not_begun", visit, on=visit.day, starts_at=visit.starts_at),)
    return ()


def against_times(
    visit: Visit, starts_at: datetime, ends_at: datetime, *, now: datetime
) -> tuple[Conflict, ...]:
    """Return why the visit cannot have taken place then, whenever it is recorded."""
    found = []
    if {hours.day_of(at, visit.zone) for at in (starts_at, ends_at)} != {visit.day}:
        found.append(_block("visit.times_elsewhere", visit, on=visit.day))
    if max(starts_at, ends_at) > now + TOLERANCE:
        found.append(_block("visit.future_times", visit))
    return tuple(found)


def against_dose(visit: Visit, volume_ml: float | None, rule: RuleSetting) -> tuple[Conflict, ...]:
    """Return the warning that more was injected than the clinic's most in a session (S21).

    What took place is a fact: however grave the clinic calls it, it is never refused for good.
    """
    if volume_ml is None or rule.value is None or volume_ml <= rule.value:
        return ()
    severity = Severity.INFO if rule.severity is Severity.INFO else Severity.WARN
    params = {"site_id": visit.site_id, "volume": f"{volume_ml:g}", "most": rule.value}
    return (Conflict(code="dose.max_ml", severity=severity, params=params),)


def _other_day(visit: Visit, now: datetime) -> tuple[Conflict, ...]:
    if hours.day_of(now, visit.zone) >= visit.day:
        return ()
    return (_block("visit.other_day", visit, on=visit.day),)


def _health(visit: Visit) -> tuple[Conflict, ...]:
    if visit.kind == "session" and not visit.health_state:
        return (_block("health.unanswered", visit),)
    if visit.health_state == "review" and not visit.is_reviewed:
        return (_block("health.unreviewed", visit),)
    return ()


def _block(code: str, visit: Visit, **params: object) -> Conflict:
    return Conflict(code=code, severity=Severity.BLOCK, params={"site_id": visit.site_id, **params})
