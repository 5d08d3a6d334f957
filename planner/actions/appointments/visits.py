"""The steps of a visit that several use cases share.

Not a use case: runs inside one's transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from planner import rights
from planner.db import appointments, decisions, snapshots, timetables
from planner.db.engine import Tx
from planner.db.models import Appointment, Service, Site
from planner.errors import Denied, NotFound, Refused, Stale
from planner.scheduling import attendance, hours, lifecycle, rulebook, rules
from planner.scheduling.attendance import Visit
from planner.scheduling.interval import Interval
from planner.scheduling.lifecycle import Verb
from planner.scheduling.timetable import (
    Conflict,
    CourseOrder,
    RuleSetting,
    Severity,
    Status,
    Timetable,
)

DAY = timedelta(days=1)


def opened(tx: Tx, key: str, version: int | None, *, verb: str) -> Appointment:
    """Return the appointment of the address, as the form knew it.

    Raises NotFound, Denied for whoever may not do the verb to it (``planner/rights.py``), and Stale.
    """
    row = appointments.find_by_key(tx.session, key)
    if row is None:
        raise NotFound("appointment")
    if not may(tx, row, verb):
        raise Denied(verb)
    appointments.check_version(tx.session, row, version)
    return row


def may(tx: Tx, row: Appointment, verb: str) -> bool:
    """Whether whoever acts has the right to do the verb to the appointment."""
    kind = tx.session.get_one(Service, row.service_id).kind
    rule = _rule(tx, row, "session.desk_treats")
    return rights.may(tx.by, verb, kind=kind, desk_treats=rule.value)


def go(tx: Tx, row: Appointment, verb: Verb) -> None:
    """Do what the verb says to the status.

    Raises Stale where the table does not allow it, and Refused where the moment does not.
    """
    target = allowed(row, verb)
    found = attendance.against(visit_of(tx, row), verb, now=tx.now)
    if found:
        raise Refused(found)
    appointments.enter(row, target, now=tx.now)


def allowed(row: Appointment, verb: Verb) -> Status:
    """Return the status the verb leads to. Raises Stale where the table does not allow it."""
    target = lifecycle.find_target(Status(row.status), verb)
    if target is None:
        raise Stale({"status": (None, row.status)})
    return target


def arrive(tx: Tx, row: Appointment) -> None:
    """Check the patient in: from now on somebody is waiting."""
    go(tx, row, Verb.CHECK_IN)
    row.arrived_at = tx.now


def begin(tx: Tx, row: Appointment) -> None:
    """Start the visit now, as a recorded fact."""
    go(tx, row, Verb.START)
    row.actual_starts_at = tx.now


def hold(tx: Tx, row: Appointment, starts_at: datetime, ends_at: datetime) -> None:
    """Complete the visit as it took place. Raises Refused for times it cannot have had."""
    go(tx, row, Verb.COMPLETE)
    found = attendance.against_times(visit_of(tx, row), starts_at, ends_at, now=tx.now)
    if found:
        raise Refused(found)
    row.actual_starts_at, row.actual_ends_at = starts_at, ends_at
    row.ical_modified_at = tx.now  # what is to be heeded afterwards counts from the actual end


def injected(
    tx: Tx, row: Appointment, count: int | None, volume_ml: float | None
) -> tuple[Conflict, ...]:
    """Record what was injected, and return what is to be said about it."""
    row.injections, row.volume_ml = count, volume_ml
    return attendance.against_dose(visit_of(tx, row), volume_ml, _rule(tx, row, "dose.max_ml"))


def missing(tx: Tx, row: Appointment) -> tuple[Conflict, ...]:
    """Return what stands against starting: another day, decisions, consent, the health question."""
    timetable, order, number = around(tx, row)
    found = rules.conflicts(
        appointments.slot_of(row, number),
        timetable,
        order=order,
        purpose="start",
        ignoring=frozenset({row.id}),
    )
    course_id = order.course_id if order else None
    decided = decisions.codes_given(tx.session, appointment_id=row.id, course_id=course_id)
    # A warning was there to be read when it was booked; a start is not the moment to click it away.
    warned = frozenset(c.code for c in found if c.severity is Severity.WARN)
    standing = rules.standing(found, acknowledged=warned, decided=decided)
    return (*attendance.against(visit_of(tx, row), Verb.START, now=tx.now), *standing)


def around(tx: Tx, row: Appointment) -> tuple[Timetable, CourseOrder | None, int | None]:
    """Return the timetable of the appointment's days, and the order and number it serves."""
    timetable = timetables.load(
        tx.session,
        horizon=Interval(row.starts_at - DAY, row.starts_at + DAY),
        now=tx.now,
        patient_ids=(row.patient_id,),
        provider_ids=(row.provider_id,),
        room_ids=(row.room_id,),
    )
    served = appointments.find_served(tx.session, row.id)
    if served is None:
        return timetable, None, None
    return timetable, timetables.order(tx.session, served.course_id, now=tx.now), served.number


def _rule(tx: Tx, row: Appointment, code: str) -> RuleSetting:
    return rulebook.resolve(
        snapshots.catalogue(tx.session).rules,
        code,
        on=hours.day_of(row.starts_at, tx.session.get_one(Site, row.site_id).zone),
        site_id=row.site_id,
        service_id=row.service_id,
    )


def visit_of(tx: Tx, row: Appointment) -> Visit:
    """Return what the steps of the visit depend on beside its status."""
    return Visit(
        starts_at=row.starts_at,
        site_id=row.site_id,
        zone=tx.session.get_one(Site, row.site_id).zone,
        kind=tx.session.get_one(Service, row.service_id).kind,
        health_state=row.health_state,
        is_reviewed=row.health_reviewed_at is not None,
    )
