"""The page on which the desk gives a patient a link, and ends one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, links
from planner.db.models import Patient, PatientLink
from planner.queries import calendar_rows
from planner.scheduling import hours


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link as the desk sees it: its token is not known any more."""

    id: int
    is_open: bool
    is_revoked: bool
    made_label: str
    made_by: str
    ends_label: str
    used_label: str  # empty: never


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksPage:
    """A patient's links, newest first."""

    patient_key: str
    patient_name: str
    language: str  # in which the patient's own page is written
    language_label: str  # of the patient
    has_own_language: bool
    is_plain: bool
    phone: str  # of the clinic
    links: tuple[LinkView, ...]


def page(key: str, *, locale: str, now: datetime) -> LinksPage:
    """Return the links of a patient, or of whom they were merged into. Raises NotFound."""
    with engine.reading() as session:
        patient = session.get_one(Patient, links.kept_patient(session, key))
        owners = links.merged_ids(session, patient.id)
        rows = links.of_patients(session, owners, links.CALENDAR_FILE)
        clinic = catalogue.clinic(session)
        shown = labelled(session, rows, locale, now)
    written_in = calendar_rows.spoken(patient.language)
    return LinksPage(
        patient_key=patient.key,
        patient_name=wording.person(patient.given_name, patient.family_name),
        language=written_in,
        language_label=wording.language(patient.language, locale),
        has_own_language=written_in == patient.language,
        is_plain=patient.plain_words_since is not None,
        phone=wording.format_phone(clinic.phone) if clinic else "",
        links=shown,
    )


def labelled(
    session: Session, rows: Sequence[PatientLink], locale: str, now: datetime
) -> tuple[LinkView, ...]:
    """Return links as the desk sees them."""
    makers, zone = links.makers(session, rows), catalogue.first_zone(session)

    def label(at: datetime) -> str:
        return wording.format_date(hours.day_of(at, zone), locale)

    return tuple(
        LinkView(
            id=row.id,
            is_open=links.is_open(row, now),
            is_revoked=row.revoked_at is not None,
            made_label=label(row.created_at),
            made_by=makers.get(row.created_by or 0, ""),
            ends_label=label(links.closes_at(row)),
            used_label=label(row.last_used_at) if row.last_used_at else "",
        )
        for row in rows
    )
