"""Booking, holding and reserving one appointment; making a held one firm; seeing a walk-in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from planner.actions import placing
from planner.actions.appointments import visits
from planner.actions.placing import Place, Terms
from planner.db import appointments
from planner.db.engine import Idempotency, Tx, transaction
from planner.scheduling.timetable import Status
from planner.who import Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """The key of the appointment, the change that undoes it, and the status it has."""

    key: str
    change_key: str
    status: Status


def book(
    patient_id: int,
    place: Place,
    terms: Terms,
    *,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Booked:
    """Book, hold or reserve one appointment, as ``terms.status`` says.

    Raises ``Refused`` with every reason that stands; nothing is saved then.
    """

    def work(tx: Tx) -> dict[str, Any]:
        row, *_ = placing.place(tx, patient_id, (place,), terms)
        return {"key": row.key, "change_key": tx.change_key, "status": row.status}

    return _done(work, f"appointment.{terms.status.value}", by=by, now=now, idempotency=idempotency)


def settle(
    key: str,
    terms: Terms,
    *,
    version: int,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Booked:
    """Make a held or reserved appointment firm, judged again where it stands.

    Raises ``Refused``, or ``Stale`` when it is neither any more.
    """

    def work(tx: Tx) -> dict[str, Any]:
        row = visits.opened(tx, key, version, verb="book")
        served = appointments.find_served(tx.session, row.id)
        placing.settle(tx, (row,), terms, course_id=served.course_id if served else None)
        return {"key": row.key, "change_key": tx.change_key, "status": row.status}

    return _done(work, "appointment.settle", by=by, now=now, idempotency=idempotency)


def see_now(
    patient_id: int,
    place: Place,
    terms: Terms,
    *,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Booked:
    """Book a walk-in who is here, and start when nothing of what a start asks for is missing.

    What is missing, be it the right to start, leaves the appointment at ``arrived``; its page says what it is.
    """
    terms = replace(terms, status=Status.BOOKED, purpose="here_now")

    def work(tx: Tx) -> dict[str, Any]:
        row, *_ = placing.place(tx, patient_id, (place,), terms)
        visits.arrive(tx, row)
        if visits.may(tx, row, "start") and not visits.missing(tx, row):
            visits.begin(tx, row)
        return {"key": row.key, "change_key": tx.change_key, "status": row.status}

    return _done(work, "appointment.here_now", by=by, now=now, idempotency=idempotency)


def _done(
    work: Any, action: str, *, by: Who, now: datetime, idempotency: Idempotency | None
) -> Booked:
    answer = transaction(
        work, by=by, now=now, action=action, undoable=True, idempotency=idempotency
    )
    return Booked(
        key=answer["key"], change_key=answer["change_key"], status=Status(answer["status"])
    )
