"""Moving one appointment to another start, room or provider."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from planner.actions import placing
from planner.actions.appointments.booking import Booked
from planner.actions.placing import Place, Terms
from planner.db import appointments
from planner.db.engine import Idempotency, Tx, transaction
from planner.errors import NotFound
from planner.scheduling.timetable import Status
from planner.who import Who


def move(
    key: str,
    place: Place,
    terms: Terms,
    *,
    tells_provider: bool = False,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Booked:
    """Give the appointment another start, provider or room; it keeps its uid and its status.

    The patient is told of another start or site, never of another room, and of another provider
    alone when it ``tells_provider``. ``place.version`` is that of the form. Raises ``Refused`` with
    every reason that stands, ``Stale`` when somebody changed it meanwhile or when it is too late.
    """

    def work(tx: Tx) -> dict[str, Any]:
        actors = appointments.find_actors(tx.session, key)
        if actors is None:
            raise NotFound("appointment")
        served = appointments.find_served(tx.session, actors.appointment_id)
        row, *_ = placing.place(
            tx,
            actors.patient_id,
            (_of(place, actors.appointment_id, served),),
            terms,
            course_id=served.course_id if served else None,
        )
        if tells_provider:
            tx.tell_provider.add(row.id)
        return {"key": row.key, "change_key": tx.change_key, "status": row.status}

    answer = transaction(
        work, by=by, now=now, action="appointment.move", undoable=True, idempotency=idempotency
    )
    return Booked(
        key=answer["key"], change_key=answer["change_key"], status=Status(answer["status"])
    )


def _of(place: Place, appointment_id: int, served: appointments.Served | None) -> Place:
    return replace(
        place,
        appointment_id=appointment_id,
        course_session_id=served.course_session_id if served else None,
        number=served.number if served else None,
    )
