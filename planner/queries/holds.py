"""What is held or reserved: the list of those to call back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from planner import wording
from planner.db import appointments, engine
from planner.db.models import Appointment, Patient, Provider, Service, Site
from planner.queries.appointment_view import HoldLine
from planner.scheduling import hours


def open_holds(*, locale: str, now: datetime) -> tuple[HoldLine, ...]:
    """Return what is held or reserved and has not run out, the soonest to run out first."""
    statement = (
        sa.select(Appointment, Patient, Service.name, Provider.name, Site)
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Service, Service.id == Appointment.service_id)
        .join(Provider, Provider.id == Appointment.provider_id)
        .join(Site, Site.id == Appointment.site_id)
        .where(
            Appointment.status.in_(appointments.PROVISIONAL),
            sa.or_(Appointment.expires_at.is_(None), Appointment.expires_at > now),
        )
        .order_by(Appointment.expires_at, Appointment.id)
    )
    with engine.reading() as session:
        return tuple(
            _hold(row, patient, (service, provider), site, locale)
            for row, patient, service, provider, site in session.execute(statement)
        )


def _hold(
    row: Appointment, patient: Patient, names: tuple[str, str], site: Site, locale: str
) -> HoldLine:
    service, provider = names
    until = hours.local(row.expires_at, site.zone) if row.expires_at else None
    starts = hours.local(row.starts_at, site.zone)
    return HoldLine(
        key=row.key,
        status=row.status,
        patient_key=patient.key,
        patient_name=wording.person(patient.given_name, patient.family_name),
        patient_phone=wording.format_phone(patient.phone),
        language_label=wording.language(patient.language, locale),
        when_label=f"{service}, {wording.format_day_time(starts, locale)}, {site.name}, {provider}",
        until_label=wording.format_day_time(until, locale) if until else "",
        until_iso=row.expires_at.isoformat() if row.expires_at else "",
        call_back_note=row.call_back_note,
    )
