"""Taking back what was just done."""

from __future__ import annotations

from datetime import datetime

from planner.actions.appointments import visits
from planner.db import appointments, changes, decisions, locks
from planner.db.engine import Tx, transaction
from planner.db.models import Appointment, Change
from planner.errors import NotFound, Refused
from planner.scheduling import rules
from planner.scheduling.timetable import Severity
from planner.who import Who


def undo(change_key: str, *, by: Who, now: datetime) -> str:
    """Put everything back as it was before the change, and return the code of what was undone.

    Appointments keep their uid; their sequence grows. Raises NotFound when there is no such change
    of this user, or more than two minutes have passed, or it was undone already; Stale when a row
    has changed again since; Refused when a slot has gone, or a rule now speaks against it.
    """

    def work(tx: Tx) -> str:
        change = changes.find(tx.session, change_key)
        if change is None or not _is_open(change, by, now):
            raise NotFound("change")
        actors = changes.actors(change)
        locks.lock(
            tx,
            provider_ids=actors.provider_ids,
            room_ids=actors.room_ids,
            patient_ids=actors.patient_ids,
        )
        for row in changes.take_back(tx.session, change, now=now):
            _judge(tx, row)
        return change.label

    return transaction(work, by=by, now=now, action="change.undo")


def _judge(tx: Tx, row: Appointment) -> None:
    """Raise Refused where what comes back is no longer possible: meanwhile somebody has gone, say."""
    timetable, order, number = visits.around(tx, row)
    slot = appointments.slot_of(row, number)
    found = rules.conflicts(
        slot,
        timetable,
        order=order,
        purpose="audit_provisional" if row.status in appointments.PROVISIONAL else "audit",
        ignoring=frozenset({row.id}),
    )
    # What was once clicked through or decided is so again with the appointment.
    warned = frozenset(one.code for one in found if one.severity is Severity.WARN)
    course_id = order.course_id if order else None
    decided = decisions.codes_given(tx.session, appointment_id=row.id, course_id=course_id)
    standing = rules.standing(found, acknowledged=warned, decided=decided)
    if standing:
        raise Refused(standing)


def _is_open(change: Change, by: Who, now: datetime) -> bool:
    is_theirs = by.role == "manager" or change.user_id == by.user_id
    return is_theirs and change.undone_at is None and now - change.at <= changes.UNDO_FOR
