"""What is booked that a rule, as it stands now, would not let pass: listed, never changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from planner.db import catalogue, engine, timetables
from planner.errors import NotFound
from planner.queries.settings import shared
from planner.queries.settings.shared import VisitList
from planner.scheduling import rulebook, rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Busy, Severity, Status, Timetable

AHEAD = timedelta(days=400)  # a course of twelve sessions six weeks apart may reach further
MOST_JUDGED = 1500  # appointments; beyond that the page would be slow


def visits(code: str, *, locale: str, now: datetime) -> VisitList:
    """Return the appointments still to come that this rule warns of or refuses. Raises NotFound."""
    if code not in rulebook.BY_CODE:
        raise NotFound(f"rule {code}")
    with engine.reading() as session:
        timetable = timetables.load(session, horizon=Interval(now, now + AHEAD), now=now)
        booked = [busy for busy in timetable.busy if _is_to_come(busy, now)][:MOST_JUDGED]
        found = [busy.appointment_id for busy in booked if _is_outside(busy, timetable, code)]
        return shared.visit_list(catalogue.visits(session, found), locale)


def _is_to_come(busy: Busy, now: datetime) -> bool:
    is_open = busy.status in (Status.BOOKED, Status.RESERVED, Status.HELD)
    return is_open and busy.slot.starts_at > now


def _is_outside(busy: Busy, timetable: Timetable, code: str) -> bool:
    purpose = "audit" if busy.status is Status.BOOKED else "audit_provisional"
    found = rules.conflicts(
        busy.slot, timetable, purpose=purpose, ignoring=frozenset({busy.appointment_id})
    )
    return any(c.code == code and c.severity is not Severity.INFO for c in found)
