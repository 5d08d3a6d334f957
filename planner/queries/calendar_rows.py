"""What a patient's calendar files are made of, read in one snapshot by a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import links, snapshots
from planner.db.models import (
    Appointment,
    Clinic,
    ClinicText,
    Consult,
    Course,
    CourseSession,
    Patient,
    Provider,
    Service,
    Site,
)
from planner.queries import calendar_revisions
from planner.queries.calendar_revisions import Revisions
from planner.scheduling.timetable import RuleSetting

LANGUAGES = ("en", "es")
"""Those that calendars are written in."""

TEXTS = ("arrival", "bring", "aftercare", "why_stockings", "expectation", "warning_signs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An appointment as a calendar needs it. ``number`` and ``total`` count within its course."""

    id: int
    key: str
    uid: str
    sequence: int
    created_at: datetime
    ical_modified_at: datetime
    status: str
    starts_at: datetime
    ends_at: datetime
    patient_until: datetime
    actual_ends_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    zones_treated: tuple[str, ...]
    service_id: int
    provider_id: int
    service_name: str
    kind: str
    provider_name: str
    site_id: int
    site_name: str
    address: str
    zone: str
    arrival_note: str
    site_phone: str
    course_id: int | None
    protocol_id: int | None
    number: int | None
    zones: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diary:
    """Everything about one patient's visits, and the clinic's own words in the patient's language."""

    patient_id: int
    language: str
    is_plain: bool
    clinic_phone: str
    clinic_email: str
    neutral_name: str
    texts: Mapping[str, str]  # by code; placeholders and empty ones are not there
    visits: tuple[Visit, ...]  # by start
    reticular_course_ids: frozenset[int]
    rules: tuple[RuleSetting, ...]
    revisions: Revisions  # of words, addresses and rules


def diary(session: Session, patient_id: int) -> Diary:
    """Return the visits of a patient, and of all who were merged into them."""
    ids = links.merged_ids(session, patient_id)
    patient = session.get_one(Patient, patient_id)
    clinic = session.scalar(sa.select(Clinic).limit(1))
    language = spoken(patient.language)
    visits = session.execute(_VISITS.where(Appointment.patient_id.in_(ids))).mappings()
    return Diary(
        patient_id=patient_id,
        language=language,
        is_plain=patient.plain_words_since is not None,
        clinic_phone=clinic.phone if clinic else "",
        clinic_email=clinic.email if clinic else "",
        neutral_name=clinic.neutral_name if clinic else "",
        texts=_texts(session, language),
        visits=tuple(map(_visit, visits)),
        reticular_course_ids=_reticular(session, ids),
        rules=snapshots.catalogue(session).rules,
        revisions=calendar_revisions.of_patients(session, ids),
    )


def spoken(language: str) -> str:
    """Return the language that a patient of this one is written to in: English for want of it."""
    return language if language in LANGUAGES else LANGUAGES[0]


def _visit(row: sa.RowMapping) -> Visit:
    zones = {name: tuple(row[name] or ()) for name in ("zones", "zones_treated")}
    return Visit(**{**row, **zones})


def _texts(session: Session, language: str) -> dict[str, str]:
    statement = sa.select(ClinicText.code, ClinicText.text).where(
        ClinicText.code.in_(TEXTS),
        ClinicText.language == language,
        ClinicText.is_placeholder.is_(False),
    )
    return {code: text for code, text in session.execute(statement) if text.strip()}


def _reticular(session: Session, patient_ids: frozenset[int]) -> frozenset[int]:
    """Return the courses in which reticular veins are treated: the longer compression holds."""
    statement = sa.select(Consult.course_id, Consult.veins).where(
        Consult.patient_id.in_(patient_ids), Consult.course_id.is_not(None)
    )
    return frozenset(
        course_id
        for course_id, veins in session.execute(statement)
        if course_id is not None and any(vein.get("type") == "reticular" for vein in veins)
    )


_SIBLING = CourseSession.__table__.alias("sibling")

_VISITS = (
    sa.select(
        Appointment.id,
        Appointment.key,
        Appointment.uid,
        Appointment.sequence,
        Appointment.created_at,
        Appointment.ical_modified_at,
        Appointment.status,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.patient_until,
        Appointment.actual_ends_at,
        Appointment.expires_at,
        Appointment.ended_at,
        Appointment.zones_treated,
        Appointment.service_id,
        Appointment.provider_id,
        Service.name.label("service_name"),
        Service.kind,
        Provider.name.label("provider_name"),
        Appointment.site_id,
        Site.name.label("site_name"),
        Site.address,
        Site.zone,
        Site.arrival_note,
        Site.phone.label("site_phone"),
        CourseSession.course_id,
        Course.protocol_id,
        CourseSession.number,
        CourseSession.zones,
        sa.select(sa.func.count())
        .where(_SIBLING.c.course_id == CourseSession.course_id)
        .scalar_subquery()
        .label("total"),
    )
    .join(Service, Service.id == Appointment.service_id)
    .join(Provider, Provider.id == Appointment.provider_id)
    .join(Site, Site.id == Appointment.site_id)
    .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
    .outerjoin(Course, Course.id == CourseSession.course_id)
    .order_by(Appointment.starts_at, Appointment.id)
)
