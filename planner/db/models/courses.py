"""Courses, their sessions, and the appointments that occupy actors."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from planner.db.base import Base

LIVE_STATUSES = ("held", "reserved", "booked", "arrived", "started", "fulfilled")


class Course(Base):
    """The sessions one patient is to have. A copy of its protocol, free to differ from it."""

    __tablename__ = "course"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(16), unique=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    protocol_id: Mapped[int | None] = mapped_column(sa.ForeignKey("protocol.id"))
    service_id: Mapped[int] = mapped_column(sa.ForeignKey("service.id"))
    status: Mapped[str] = mapped_column(
        sa.String(10)
    )  # draft | active | paused | completed | ended
    is_decided: Mapped[bool] = mapped_column(default=False)  # the provider has chosen the interval
    zones: Mapped[str] = mapped_column(sa.String(4), default="new")  # new | same
    interval_reason: Mapped[str] = mapped_column(sa.String(500), default="")
    ordered_by: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"))
    ordered_at: Mapped[datetime | None]
    same_floor: Mapped[int] = mapped_column(default=28)  # the same-zone row of this course
    same_target: Mapped[int] = mapped_column(default=42)
    same_soft_max: Mapped[int] = mapped_column(default=56)
    package: Mapped[str] = mapped_column(sa.String(120), default="")
    wishes: Mapped[dict[str, Any]]
    asked_at: Mapped[datetime | None]  # the desk asked the provider for the interval
    status_reason: Mapped[str] = mapped_column(sa.String(500), default="")
    restart_from: Mapped[date | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint(
            "status IN ('draft', 'active', 'paused', 'completed', 'ended')", name="status"
        ),
        sa.CheckConstraint("zones IN ('new', 'same')", name="zones"),
    )


class CourseSession(Base):
    """One numbered session of a course. Has many appointments over time, at most one live."""

    __tablename__ = "course_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), index=True)
    number: Mapped[int]
    minutes: Mapped[int]
    zones: Mapped[list[str]]
    gap_floor: Mapped[int]  # days after the session directly before; unused for number 1
    gap_target: Mapped[int]
    gap_soft_max: Mapped[int]
    gap_is_custom: Mapped[bool] = mapped_column(default=False)  # ordered for this gap alone
    gap_reason: Mapped[str] = mapped_column(sa.String(300), default="")
    __table_args__ = (
        sa.UniqueConstraint("course_id", "number"),
        sa.CheckConstraint("number BETWEEN 1 AND 12", name="number"),
        sa.CheckConstraint("minutes > 0 AND minutes % 5 = 0", name="minutes"),
        sa.CheckConstraint("gap_floor >= 1 AND gap_soft_max <= 365", name="gap_range"),
        sa.CheckConstraint(
            "gap_floor <= gap_target AND gap_target <= gap_soft_max", name="gap_order"
        ),
    )


class Appointment(Base):
    """One stored meeting. It occupies its provider until ``ends_at``, its room from ``room_from``
    until ``room_until``, its patient until ``patient_until``; the database refuses overlaps of live ones.
    """

    __tablename__ = "appointment"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(16), unique=True)
    uid: Mapped[str] = mapped_column(sa.String(255), unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    ical_modified_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(sa.String(10))
    service_id: Mapped[int] = mapped_column(sa.ForeignKey("service.id"))
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"))
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"))
    room_id: Mapped[int]
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    course_session_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("course_session.id"), index=True
    )
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    room_from: Mapped[datetime]
    room_until: Mapped[datetime]
    patient_until: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # of a hold or a reservation
    call_back_note: Mapped[str] = mapped_column(sa.String(300), default="")
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str] = mapped_column(sa.String(10), default="")  # patient | clinic
    arrived_at: Mapped[datetime | None]
    health_state: Mapped[str] = mapped_column(sa.String(10), default="")  # "" | complete | review
    health_answer: Mapped[str] = mapped_column(sa.String(1000), default="")  # for providers only
    health_reviewed_at: Mapped[datetime | None]
    has_stockings: Mapped[bool | None]
    actual_starts_at: Mapped[datetime | None]  # recorded facts: never lengthen what is occupied
    actual_ends_at: Mapped[datetime | None]
    zones_treated: Mapped[list[str]]
    injections: Mapped[int | None]  # as the provider counted them, when they did
    volume_ml: Mapped[float | None] = mapped_column(sa.Float)  # of what was injected, in all
    note: Mapped[str] = mapped_column(sa.String(1000), default="")
    ended_by: Mapped[str] = mapped_column(sa.String(10), default="")  # patient | clinic
    ended_reason: Mapped[str] = mapped_column(sa.String(300), default="")
    ended_at: Mapped[datetime | None]  # cancelled, missed or released at
    replaces_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint(
            "status IN ('held', 'reserved', 'booked', 'arrived', 'started', 'fulfilled',"
            " 'no_show', 'cancelled', 'released')",
            name="status",
        ),
        sa.CheckConstraint("starts_at < ends_at", name="order"),
        sa.ForeignKeyConstraint(["room_id", "site_id"], ["room.id", "room.site_id"]),
        sa.CheckConstraint("room_from <= starts_at AND ends_at <= room_until", name="room_clock"),
        sa.CheckConstraint("ends_at <= patient_until", name="patient_clock"),
        sa.CheckConstraint("injections BETWEEN 0 AND 999", name="injections"),
        sa.CheckConstraint("volume_ml >= 0 AND volume_ml <= 200", name="volume"),
        # By site and start there is an index too, with what is no column of ours: ``ledgers.PREFIX``.
        sa.Index("ix_appointment_provider_day", "provider_id", "starts_at"),
        sa.Index("ix_appointment_room_day", "room_id", "starts_at"),
        sa.Index("ix_appointment_patient_day", "patient_id", "starts_at"),
        sa.Index("ix_appointment_expiry", "status", "expires_at"),
    )


class Decision(Base):
    """A provider's recorded yes to a rule of severity *decide*, bound to what it was given for."""

    __tablename__ = "decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    rule_code: Mapped[str] = mapped_column(sa.String(60))
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    course_id: Mapped[int | None] = mapped_column(sa.ForeignKey("course.id"), index=True)
    appointment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    reason: Mapped[str] = mapped_column(sa.String(500))
    params: Mapped[dict[str, Any]]  # the conflict it answers, as it was judged
    by_phone: Mapped[bool] = mapped_column(
        default=False
    )  # taken down by the desk: waits to be signed
    given_at: Mapped[datetime]
    given_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    signed_at: Mapped[datetime | None]
    # What the provider says against it; a disputed decision counts no longer.
    disputed_note: Mapped[str] = mapped_column(sa.String(300), default="")
