"""Decisions: a provider's recorded yes, who may give one, and which ones count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import keys
from planner.db.engine import Tx
from planner.db.models import Appointment, Decision, Provider, ProviderService
from planner.errors import Refused
from planner.scheduling.timetable import Conflict

LONGEST_REASON = 500
WAITING = (Decision.signed_at.is_(None), Decision.disputed_note == "")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenDecision:
    """A provider's yes to the rule of that code, as a form brings it.

    ``by_phone``: taken down by the desk for the provider it names, and waits to be signed.
    """

    rule_code: str
    provider_id: int
    reason: str
    by_phone: bool = False


def add(
    tx: Tx,
    given: GivenDecision,
    conflict: Conflict,
    *,
    patient_id: int,
    course_id: int | None = None,
    appointment_id: int | None = None,
) -> Decision:
    """Store a decision with the conflict it answers, as it was judged.

    Bound to an appointment it holds for that one alone; with only a course, for the whole course.
    Raises ``Refused`` with the conflict when an appointment is named at which that provider may not
    decide, or when nobody gave a reason.
    """
    where = _place_of(tx.session, appointment_id)
    if where is not None:
        check(tx, given, conflict, service_id=where[0], site_id=where[1])
    row = Decision(
        rule_code=given.rule_code,
        patient_id=patient_id,
        course_id=course_id,
        appointment_id=appointment_id,
        provider_id=given.provider_id,
        reason=given.reason.strip()[:LONGEST_REASON],
        params=_plain_params(conflict),
        by_phone=given.by_phone,
        given_at=tx.now,
        given_by=tx.by.user_id,
        signed_at=None if given.by_phone else tx.now,
    )
    tx.session.add(row)
    return row


def add_all(
    tx: Tx, given: Iterable[GivenDecision], conflicts: Sequence[Conflict], appointment: Appointment
) -> None:
    """Store those of the decisions that answer one of the conflicts, bound to the appointment."""
    for decision in given:
        for conflict in conflicts:
            if conflict.code == decision.rule_code:
                add(
                    tx,
                    decision,
                    conflict,
                    patient_id=appointment.patient_id,
                    appointment_id=appointment.id,
                )


def check(
    tx: Tx, given: GivenDecision, conflict: Conflict, *, service_id: int, site_id: int
) -> None:
    """Raise ``Refused`` with the conflict unless that decision counts at this service and site."""
    if not counts(tx, given, service_id=service_id, site_id=site_id):
        raise Refused([conflict])


def counts(tx: Tx, given: GivenDecision, *, service_id: int, site_id: int) -> bool:
    """Whether the decision counts: a reason, an entitled provider, in person or by phone.

    In person means that the signed-in user is that provider.
    """
    is_theirs = given.by_phone or tx.by.provider_id == given.provider_id
    if not given.reason.strip() or not is_theirs:
        return False
    return given.provider_id in entitled(tx.session, service_id=service_id, site_id=site_id)


def entitled(session: Session, *, service_id: int, site_id: int) -> frozenset[int]:
    """Return the ids of the providers who may examine, and so decide, at this service and site."""
    statement = sa.select(ProviderService.provider_id).where(
        ProviderService.service_id == service_id,
        ProviderService.site_id == site_id,
        ProviderService.may_examine.is_(True),
    )
    return frozenset(session.scalars(statement))


def entitled_by_name(
    session: Session, *, service_id: int, site_id: int, on: date
) -> list[tuple[int, str]]:
    """Return (id, name) of the entitled providers not retired by that day, in order."""
    statement = (
        sa.select(Provider.id, Provider.name)
        .join(ProviderService, ProviderService.provider_id == Provider.id)
        .where(
            ProviderService.service_id == service_id,
            ProviderService.site_id == site_id,
            ProviderService.may_examine.is_(True),
            sa.or_(Provider.retired_from.is_(None), Provider.retired_from > on),
        )
        .order_by(Provider.position, Provider.name)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def codes_given(
    session: Session, *, appointment_id: int | None, course_id: int | None
) -> frozenset[str]:
    """Return the rules decided for this appointment, or for its course as a whole."""
    bound = []
    if appointment_id is not None:
        bound.append(Decision.appointment_id == appointment_id)
    if course_id is not None:
        bound.append(sa.and_(Decision.course_id == course_id, Decision.appointment_id.is_(None)))
    if not bound:
        return frozenset()
    statement = sa.select(Decision.rule_code).where(sa.or_(*bound), Decision.disputed_note == "")
    return frozenset(session.scalars(statement))


def codes_answering(
    session: Session, appointment_id: int, conflicts: Iterable[Conflict]
) -> frozenset[str]:
    """Return the rules decided for this appointment on the very terms of one of the conflicts.

    Moved to another day, a gap or a flight is another question; a finding of the screening is not.
    """
    asked = {
        (conflict.code, keys.canonical(_plain_params(conflict))): conflict.code
        for conflict in conflicts
    }
    statement = sa.select(Decision.rule_code, Decision.params).where(
        Decision.appointment_id == appointment_id, Decision.disputed_note == ""
    )
    given = {(code, keys.canonical(params)) for code, params in session.execute(statement)}
    return frozenset(code for question, code in asked.items() if question in given)


def unsigned_of(session: Session, provider_id: int) -> list[Decision]:
    """Return what was taken down for a provider by phone and waits to be signed, oldest first."""
    statement = (
        sa.select(Decision)
        .where(Decision.provider_id == provider_id, *WAITING)
        .order_by(Decision.given_at, Decision.id)
    )
    return list(session.scalars(statement))


def count_unsigned(session: Session, provider_id: int) -> int:
    """Return how many decisions wait for this provider's signature."""
    statement = sa.select(sa.func.count()).where(Decision.provider_id == provider_id, *WAITING)
    return session.scalar(statement) or 0


def _place_of(session: Session, appointment_id: int | None) -> tuple[int, int] | None:
    if appointment_id is None:
        return None
    statement = sa.select(Appointment.service_id, Appointment.site_id).where(
        Appointment.id == appointment_id
    )
    row = session.execute(statement).one()
    return row[0], row[1]


def _plain_params(conflict: Conflict) -> dict[str, Any]:
    return {name: _plain(value) for name, value in conflict.params.items()}


def _plain(value: Any) -> Any:
    """Return the value as JSON can keep it."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list | tuple | frozenset | set):
        return [_plain(part) for part in value]
    return value
