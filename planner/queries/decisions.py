"""What waits for a provider: decisions taken down by phone, and courses without an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine
from planner.db.decisions import WAITING
from planner.db.models import (
    Appointment,
    Course,
    Decision,
    Patient,
    Protocol,
    Provider,
    Service,
    Site,
    User,
)
from planner.queries import names
from planner.queries import patients as lists
from planner.scheduling import hours
from planner.scheduling.timetable import Conflict, Severity
from planner.who import Who

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One decision taken down by phone, or one that its provider disputes."""

    id: int
    patient_key: str
    patient_name: str
    provider_name: str
    rule_text: str
    reason: str
    given_label: str
    given_by: str
    visit_label: str
    visit_key: str
    disputed_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A course that waits for its interval."""

    key: str
    patient_key: str
    patient_name: str
    protocol_name: str
    asked_label: str
    consult_key: str
    consult_label: str
    is_consult_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsPage:
    """What waits to be signed, what is disputed, and which courses wait for an interval."""

    is_own: bool
    waiting: tuple[Line, ...]
    disputed: tuple[Line, ...]
    undecided: tuple[Undecided, ...]


def page(*, locale: str, now: datetime, by: Who) -> DecisionsPage:
    """Return the signed-in provider's list; for everybody else that of all providers."""
    with engine.reading() as session:
        reader = _Reader(session, locale, now, by)
        return DecisionsPage(
            is_own=by.provider_id is not None,
            waiting=tuple(reader.lines(*WAITING)),
            disputed=tuple(reader.lines(Decision.disputed_note != "")),
            undecided=tuple(reader.undecided()),
        )


class _Reader:
    """Reads the lists within one snapshot."""

    def __init__(self, session: Session, locale: str, now: datetime, by: Who) -> None:
        self.session, self.locale, self.now, self.by = session, locale, now, by
        self.zone = catalogue.first_zone(session)
        self.names = names.load(session)

    def lines(self, *where: sa.ColumnElement[bool]) -> Iterable[Line]:
        """Return decisions, the oldest first; a provider's own only."""
        statement = (
            sa.select(
                Decision,
                Patient,
                Provider.name.label("provider_name"),
                User.name.label("given_by"),
                Appointment.key.label("visit_key"),
                Appointment.starts_at,
                Service.name.label("service_name"),
                Site.zone,
                Site.name.label("site_name"),
            )
            .join(Patient, Patient.id == Decision.patient_id)
            .join(Provider, Provider.id == Decision.provider_id)
            .outerjoin(User, User.id == Decision.given_by)
            .outerjoin(Appointment, Appointment.id == Decision.appointment_id)
            .outerjoin(Service, Service.id == Appointment.service_id)
            .outerjoin(Site, Site.id == Appointment.site_id)
            .where(*where)
            .order_by(Decision.given_at, Decision.id)
            .limit(MOST)
        )
        if self.by.provider_id is not None:
            statement = statement.where(Decision.provider_id == self.by.provider_id)
        return [self._line(row) for row in self.session.execute(statement)]

    def undecided(self) -> Iterable[Undecided]:
        """Return the drafts without an order, those that were asked about first."""
        statement = (
            sa.select(Course, Patient, Protocol.name.label("protocol_name"))
            .join(Patient, Patient.id == Course.patient_id)
            .outerjoin(Protocol, Protocol.id == Course.protocol_id)
            .where(Course.status == "draft", Course.is_decided.is_(False))
            .order_by(Course.asked_at.is_(None), Course.asked_at, Course.id)
            .limit(MOST)
        )
        rows = list(self.session.execute(statement))
        consults = self._consults([row.Patient.id for row in rows])
        return [self._undecided(row, consults.get(row.Patient.id)) for row in rows]

    def _line(self, row: Any) -> Line:
        decision: Decision = row.Decision
        given = hours.local(decision.given_at, self.zone)
        return Line(
            id=decision.id,
            patient_key=row.Patient.key,
            patient_name=lists.name_of(row.Patient),
            provider_name=row.provider_name,
            rule_text=wording.conflict(
                Conflict(
                    code=decision.rule_code,
                    severity=Severity.DECIDE,
                    params=revived(decision.params),
                ),
                locale=self.locale,
                names=self.names,
                clinical=self.by.role == "provider",
            ),
            reason=decision.reason,
            given_label=wording.format_day_time(given, self.locale),
            given_by=row.given_by or "",
            visit_label=self._visit_label(row),
            visit_key=row.visit_key or "",
            disputed_note=decision.disputed_note,
        )

    def _visit_label(self, row: Any) -> str:
        if row.starts_at is None:
            return ""
        local = hours.local(row.starts_at, row.zone)
        when = wording.format_day_time(local, self.locale)
        return f"{row.service_name}, {when}, {row.site_name}"

    def _consults(self, patient_ids: list[int]) -> dict[int, Any]:
        """Return each patient's next or latest consult that can still be recorded."""
        statement = (
            sa.select(Appointment.patient_id, Appointment.key, Appointment.starts_at, Site.zone)
            .join(Service, Service.id == Appointment.service_id)
            .join(Site, Site.id == Appointment.site_id)
            .where(
                Appointment.patient_id.in_(patient_ids),
                Service.kind == "consult",
                Appointment.status.in_(("booked", "arrived", "started")),
            )
            .order_by(Appointment.starts_at.desc())
        )
        return {row.patient_id: row for row in self.session.execute(statement)}

    def _undecided(self, row: Any, consult: Any) -> Undecided:
        asked = row.Course.asked_at
        day = hours.day_of(consult.starts_at, consult.zone) if consult else None
        label = ""
        if consult:
            local = hours.local(consult.starts_at, consult.zone)
            label = wording.format_day_time(local, self.locale)
        return Undecided(
            key=row.Course.key,
            patient_key=row.Patient.key,
            patient_name=lists.name_of(row.Patient),
            protocol_name=row.protocol_name or "",
            asked_label=(
                wording.format_day_time(hours.local(asked, self.zone), self.locale) if asked else ""
            ),
            consult_key=consult.key if consult else "",
            consult_label=label,
            is_consult_due=day is not None and day <= hours.day_of(self.now, consult.zone),
        )


def revived(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored conflict's parameters with their days and instants as such again."""
    return {name: _revived(value) for name, value in params.items()}


def _revived(value: Any) -> Any:
    if not isinstance(value, str) or not value[:1].isdigit():
        return value
    for kind in (date, datetime, time):
        try:
            return kind.fromisoformat(value)
        except ValueError:
            continue
    return value
