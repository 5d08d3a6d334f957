"""What is booked that a rule, as it stands now, would not let pass: listed, never changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from planner.db import catalogue, engine, timetables
from planner.errors import NotFound
from planner.queries.settings import shared
from planner.queries.settings.shared import VisitList
from planner.scheduling import rulebook, rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Busy, CourseOrder, Severity, Status, Timetable

AHEAD = timedelta(days=400)
MOST_JUDGED = 1500  # appointments, the nearest ones; judging more would keep the page waiting
MOST_COURSES = 150  # each takes statements of its own


def visits(code: str, *, locale: str, now: datetime) -> VisitList:
    """Return the appointments still to come that this rule warns of or refuses. Raises NotFound."""
    if code not in rulebook.BY_CODE:
        raise NotFound(f"rule {code}")
    horizon = Interval(now, now + AHEAD)
    with engine.reading() as session:
        booked = _to_come(timetables.load(session, horizon=horizon, now=now), now)
        patients = {busy.slot.patient_id for busy in booked if busy.slot.patient_id is not None}
        timetable = timetables.load(session, horizon=horizon, now=now, patient_ids=patients)
        orders = _orders(session, booked, now) if _is_about_courses(code) else {}
        found = [b.appointment_id for b in booked if _is_outside(b, timetable, orders, code)]
        return shared.visit_list(catalogue.visits(session, found), locale)


def _to_come(timetable: Timetable, now: datetime) -> list[Busy]:
    open_ones = (Status.BOOKED, Status.RESERVED, Status.HELD)
    booked = [
        b
        for b in timetable.busy
        if b.status in open_ones and now < b.slot.starts_at < timetable.horizon.ends_at
    ]
    return sorted(booked, key=lambda busy: busy.slot.starts_at)[:MOST_JUDGED]


def _is_about_courses(code: str) -> bool:
    return code.partition(".")[0] in ("gap", "course")


def _orders(session: Session, booked: Collection[Busy], now: datetime) -> Mapping[int, CourseOrder]:
    ids = dict.fromkeys(busy.course_id for busy in booked if busy.course_id is not None)
    return {i: timetables.order(session, i, now=now) for i in list(ids)[:MOST_COURSES]}


def _is_outside(
    busy: Busy, timetable: Timetable, orders: Mapping[int, CourseOrder], code: str
) -> bool:
    found = rules.conflicts(
        busy.slot,
        timetable,
        order=orders.get(busy.course_id or 0),
        purpose="audit" if busy.status is Status.BOOKED else "audit_provisional",
        ignoring=frozenset({busy.appointment_id}),
    )
    return any(c.code == code and c.severity is not Severity.INFO for c in found)
