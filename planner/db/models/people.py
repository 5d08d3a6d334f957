"""Patients, what they cannot do, and what was found at a consult."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from planner.db.base import Base


class Patient(Base):
    """Who is treated. ``key`` is the random id that appears in addresses."""

    __tablename__ = "patient"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(16), unique=True)
    given_name: Mapped[str] = mapped_column(sa.String(80))
    family_name: Mapped[str] = mapped_column(sa.String(80))
    search_text: Mapped[str] = mapped_column(sa.Text)  # folded names, phone digits, birth date
    birth_date: Mapped[date | None]
    phone: Mapped[str] = mapped_column(
        sa.String(40), default=""
    )  # E.164, or as typed when not a number
    email: Mapped[str] = mapped_column(sa.String(254), default="")
    language: Mapped[str] = mapped_column(sa.String(5), default="en")  # en | es | pt | ht
    contact_by: Mapped[str] = mapped_column(sa.String(8), default="phone")  # phone | text | email
    stay_from: Mapped[date | None]  # seasonal: in Florida from … until
    stay_until: Mapped[date | None]
    plain_words_since: Mapped[datetime | None]  # opted in to descriptive calendar titles
    reminders_by: Mapped[str] = mapped_column(sa.String(4), default="mail")  # none | mail | sms
    invitations_since: Mapped[datetime | None]  # opted in to invitations for their mail's calendar
    eligible_from: Mapped[date | None]  # derived from the screening; all the desk may see of it
    note: Mapped[str] = mapped_column(sa.String(1000), default="")
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class DateToAvoid(Base):
    """A patient's flight, trip, event or absence."""

    __tablename__ = "date_to_avoid"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(8))  # flight | trip | event | absence
    from_date: Mapped[date]
    until_date: Mapped[date]
    at: Mapped[time | None]  # a flight's departure, when known; otherwise the start of the day
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    created_at: Mapped[datetime]
    __table_args__ = (
        sa.CheckConstraint("kind IN ('flight', 'trip', 'event', 'absence')", name="kind"),
        sa.CheckConstraint("from_date <= until_date", name="dates"),
    )


class Screening(Base):
    """Answers about health, for providers only; the latest one of a patient counts."""

    __tablename__ = "screening"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    provider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"))
    recorded_at: Mapped[datetime]
    had_clots: Mapped[bool]
    is_pregnant: Mapped[bool]
    pregnancy_ended_on: Mapped[date | None]
    is_nursing: Mapped[bool]
    is_healthy: Mapped[bool] = mapped_column(default=True)
    has_allergy: Mapped[bool | None]  # of the optional packs: None when not asked
    has_acute_clot: Mapped[bool | None]
    has_infection: Mapped[bool | None]
    has_limb_ischaemia: Mapped[bool | None]
    note: Mapped[str] = mapped_column(sa.String(1000), default="")


class Consent(Base):
    """A signed consent: its kind, version and language."""

    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(10))  # treatment | photo
    text_version: Mapped[str] = mapped_column(sa.String(40))
    language: Mapped[str] = mapped_column(sa.String(5))
    signed_on: Mapped[date]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))


class Consult(Base):
    """What the provider found and decided at a consult."""

    __tablename__ = "consult"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    appointment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment.id"), unique=True)
    course_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("course.id"), index=True
    )  # it ordered
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    screening_id: Mapped[int | None] = mapped_column(sa.ForeignKey("screening.id"))
    held_on: Mapped[date]  # the site's day of the consult
    recorded_at: Mapped[datetime]
    veins: Mapped[list[dict[str, Any]]]  # [{"type": "spider"|"reticular", "diameter_mm": 0.8, …}]
    zones: Mapped[list[str]]
    area_size: Mapped[str] = mapped_column(sa.String(1), default="")  # S | M | L | ""
    duplex_advised: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[str] = mapped_column(sa.String(10))  # candidate | not_now | no | refer
    not_until: Mapped[date | None]
    note: Mapped[str] = mapped_column(sa.String(2000), default="")
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("outcome IN ('candidate', 'not_now', 'no', 'refer')", name="outcome"),
    )


class PatientLink(Base):
    """A revocable link to a patient's own page. Only the hash of its token is stored."""

    __tablename__ = "patient_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    file_taken_at: Mapped[datetime | None]  # a calendar file was taken from its page


class Notice(Base):
    """What a patient told the clinic on their own page. It changes nothing until somebody handles it."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    appointment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))  # another_time | cannot_come | flight | health
    text: Mapped[str] = mapped_column(sa.String(1000), default="")
    health_text: Mapped[str] = mapped_column(sa.String(1000), default="")  # for providers only
    wishes: Mapped[dict[str, Any]]  # of another time: {"weekdays": [0, 3], "part": "morning"}
    flight_on: Mapped[date | None]
    flight_at: Mapped[time | None]  # the departure, when it is known
    created_at: Mapped[datetime]
    handled_at: Mapped[datetime | None] = mapped_column(index=True)
    handled_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    handled_how: Mapped[str] = mapped_column(sa.String(10), default="")  # done | taken | read
    handled_note: Mapped[str] = mapped_column(sa.String(300), default="")
    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('another_time', 'cannot_come', 'flight', 'health')", name="kind"
        ),
    )
