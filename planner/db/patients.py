"""Patients: the reads and writes that use cases and pages need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from planner.db import keys, phones
from planner.db.engine import Tx
from planner.db.models import (
    LIVE_STATUSES,
    Appointment,
    AuditRow,
    CalendarFeed,
    Consent,
    Consult,
    Course,
    DateToAvoid,
    Decision,
    Message,
    Notice,
    Patient,
    PatientLink,
    Screening,
    Service,
    Site,
)
from planner.errors import NotFound, Stale
from planner.scheduling import reading
from planner.scheduling.reading import Sought

OPENED = "patient.open"
"""What the audit trail calls the opening of a patient's record."""

SHEET_OPENED = "patient.sheet"
"""And the printing of a patient's sheet at the desk."""

RECENT = timedelta(days=14)
THEIRS: tuple[type[Any], ...] = (
    Appointment, Course, Consult, Screening, DateToAvoid, Consent, Decision, PatientLink, CalendarFeed,
    Message, Notice,
)  # fmt: skip
"""Every table whose rows are a patient's."""

COMING = ("held", "reserved", "booked", "arrived", "started")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientValues:
    """What the desk writes down about a patient."""

    given_name: str
    family_name: str
    birth_date: date | None = None
    phone: str = ""
    email: str = ""
    language: str = "en"
    contact_by: str = "phone"
    stay_from: date | None = None
    stay_until: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class NextVisit:
    """The next appointment of a patient: when, and on whose clocks."""

    starts_at: datetime
    zone: str
    service_name: str
    site_name: str


def add(tx: Tx, values: PatientValues) -> Patient:
    """Store a new patient under a random key."""
    row = Patient(key=keys.new(), created_at=tx.now)
    _fill(row, values)
    tx.session.add(row)
    tx.session.flush()
    return row


def change(row: Patient, values: PatientValues) -> None:
    """Write the values to a patient."""
    _fill(row, values)


def find_by_key(session: Session, key: str) -> Patient | None:
    """Return the patient of an address, merged away or not, or None."""
    return session.scalar(sa.select(Patient).where(Patient.key == key))


def get(session: Session, key: str) -> Patient:
    """Return the patient of an address; of one merged away, the patient kept. Raises NotFound."""
    row = find_by_key(session, key)
    while row is not None and row.merged_into_id is not None:
        row = session.get(Patient, row.merged_into_id)
    if row is None:
        raise NotFound("patient")
    return row


def check_version(row: Patient, version: int, values: PatientValues | None = None) -> None:
    """Raise Stale when the row has changed since a form was rendered: (typed, stored) per field."""
    if row.version == version:
        return
    typed = _columns(values) if values else {"version": version}
    stored = {name: getattr(row, name) for name in typed}
    raise Stale(
        {name: (typed[name], now) for name, now in stored.items() if typed[name] != now}
        or {"version": (version, row.version)}
    )


def search(session: Session, sought: Sought, *, limit: int) -> list[Patient]:
    """Return whom a search box means, by family name and given name. Nobody for an empty search."""
    if sought.is_empty:
        return []
    statement = (
        sa.select(Patient)
        .where(Patient.merged_into_id.is_(None), *_conditions(sought))
        .order_by(Patient.family_name, Patient.given_name, Patient.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def recent(session: Session, user_id: int, *, now: datetime, limit: int) -> list[Patient]:
    """Return the patients whose record this user has opened lately, the latest first."""
    opened = (
        sa.select(AuditRow.object_id, sa.func.max(AuditRow.id).label("latest"))
        .where(
            AuditRow.at >= now - RECENT,
            AuditRow.user_id == user_id,
            AuditRow.action == OPENED,
        )
        .group_by(AuditRow.object_id)
        .subquery()
    )
    statement = (
        sa.select(Patient)
        .join(opened, opened.c.object_id == Patient.id)
        .where(Patient.merged_into_id.is_(None))
        .order_by(opened.c.latest.desc())
        .limit(limit)
    )
    return list(session.scalars(statement))


def same_person(session: Session, values: PatientValues, *, but_id: int = 0) -> list[Patient]:
    """Return who may be the same person: the same name, whatever its order, case and accents, and
    the same birth date or phone, or no birth date to tell them apart.
    """
    name = set(reading.words(f"{values.given_name} {values.family_name}"))
    if not name:
        return []
    found = search(session, Sought(words=tuple(name)), limit=50)
    phone = phones.normalised(values.phone)
    return [
        row
        for row in found
        if row.id != but_id
        and set(reading.words(f"{row.given_name} {row.family_name}")) == name
        and _may_be(row, values.birth_date, phone)
    ]


def same_phone(session: Session, phone: str, *, but_id: int = 0) -> list[Patient]:
    """Return who else has this phone number: a family, most of the time."""
    number = reading.digits(phone)
    if not number:
        return []
    found = search(session, Sought(digits=(number,)), limit=20)
    return [row for row in found if row.id != but_id and reading.digits(row.phone) == number]


def next_visits(
    session: Session, patient_ids: Collection[int], *, now: datetime
) -> dict[int, NextVisit]:
    """Return the next appointment of each of them that has one."""
    if not patient_ids:
        return {}
    statement = (
        sa.select(Appointment.patient_id, Appointment.starts_at, Site.zone, Service.name, Site.name)
        .join(Site, Site.id == Appointment.site_id)
        .join(Service, Service.id == Appointment.service_id)
        .where(
            Appointment.patient_id.in_(patient_ids),
            Appointment.status.in_(COMING),
            Appointment.ends_at > now,
            sa.or_(Appointment.expires_at.is_(None), Appointment.expires_at > now),
        )
        .order_by(Appointment.starts_at.desc())
    )
    return {row[0]: NextVisit(*row[1:]) for row in session.execute(statement)}


def dates_of(session: Session, patient_id: int) -> list[DateToAvoid]:
    """Return a patient's flights and other dates to avoid, in order."""
    statement = (
        sa.select(DateToAvoid)
        .where(DateToAvoid.patient_id == patient_id)
        .order_by(DateToAvoid.from_date, DateToAvoid.id)
    )
    return list(session.scalars(statement))


def add_date(
    tx: Tx,
    patient_id: int,
    *,
    kind: str,
    from_date: date,
    until_date: date,
    at: time | None,
    note: str,
) -> None:
    """Store a date to avoid; only of a flight the hour is kept. Not flushed."""
    tx.session.add(
        DateToAvoid(
            patient_id=patient_id,
            kind=kind,
            from_date=from_date,
            until_date=until_date,
            at=at if kind == "flight" else None,
            note=note,
            created_at=tx.now,
        )
    )


def set_plain_words(tx: Tx, row: Patient, wanted: bool) -> None:
    """Note that a patient wants plain words, or no longer.

    The coming events are marked as revised, so that files taken anew differ.
    """
    if wanted == (row.plain_words_since is not None):
        return
    row.plain_words_since = tx.now if wanted else None
    for appointment in coming(tx.session, row.id, now=tx.now):
        appointment.ical_modified_at = tx.now


def consents_of(session: Session, patient_id: int) -> list[Consent]:
    """Return a patient's signed consents, the latest first."""
    statement = (
        sa.select(Consent)
        .where(Consent.patient_id == patient_id)
        .order_by(Consent.signed_on.desc(), Consent.id.desc())
    )
    return list(session.scalars(statement))


def coming(session: Session, patient_id: int, *, now: datetime) -> list[Appointment]:
    """Return what the patient still has before them, by start; not what has run out."""
    statement = (
        sa.select(Appointment)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.status.in_(COMING),
            Appointment.ends_at > now,
            sa.or_(Appointment.expires_at.is_(None), Appointment.expires_at > now),
        )
        .order_by(Appointment.starts_at)
    )
    return list(session.scalars(statement))


def find_overlap(
    session: Session, one_id: int, other_id: int
) -> tuple[Appointment, Appointment] | None:
    """Return two live appointments, one of each patient, that take the same time, or None."""
    one, other = aliased(Appointment), aliased(Appointment)
    statement = (
        sa.select(one, other)
        .join(
            other,
            sa.and_(one.starts_at < other.patient_until, other.starts_at < one.patient_until),
        )
        .where(
            one.patient_id == one_id,
            other.patient_id == other_id,
            one.status.in_(LIVE_STATUSES),
            other.status.in_(LIVE_STATUSES),
        )
        .order_by(one.starts_at.desc())
        .limit(1)
    )
    found = session.execute(statement).first()
    return (found[0], found[1]) if found else None


def hand_over(session: Session, from_id: int, to_id: int) -> None:
    """Give everything that is one patient's to another: visits, courses, consents, links and all."""
    for model in THEIRS:
        for row in session.scalars(sa.select(model).where(model.patient_id == from_id)):
            row.patient_id = to_id
    for row in session.scalars(sa.select(Patient).where(Patient.merged_into_id == from_id)):
        row.merged_into_id = to_id


def live_links(session: Session, patient_id: int, *, now: datetime) -> int:
    """Return how many links the patient holds that still open something."""
    statement = sa.select(sa.func.count()).where(
        PatientLink.patient_id == patient_id,
        PatientLink.revoked_at.is_(None),
        PatientLink.expires_at > now,
    )
    return int(session.scalar(statement) or 0)


def _fill(row: Patient, values: PatientValues) -> None:
    for name, value in _columns(values).items():
        setattr(row, name, value)
    row.search_text = reading.search_text(
        row.given_name, row.family_name, row.phone, row.birth_date
    )


def _columns(values: PatientValues) -> dict[str, Any]:
    return {
        "given_name": values.given_name,
        "family_name": values.family_name,
        "birth_date": values.birth_date,
        "phone": phones.normalised(values.phone),
        "email": values.email,
        "language": values.language,
        "contact_by": values.contact_by,
        "stay_from": values.stay_from,
        "stay_until": values.stay_until,
        "note": values.note,
    }


def _conditions(sought: Sought) -> Sequence[sa.ColumnElement[bool]]:
    # What is left of a name after folding holds neither % nor _.
    text = Patient.search_text
    return [
        *(text.like(f"% {word}%") for word in sought.words),
        *(text.like(f"%{number}%") for number in sought.digits),
        *(Patient.birth_date == day for day in sought.birth_dates),
        *(
            sa.or_(text.like(f"%{number}%"), Patient.birth_date == day)
            for number, day in sought.digits_or_dates
        ),
    ]


def _may_be(row: Patient, birth_date: date | None, phone: str) -> bool:
    if row.phone and row.phone == phone:
        return True
    return row.birth_date is None or birth_date is None or row.birth_date == birth_date
