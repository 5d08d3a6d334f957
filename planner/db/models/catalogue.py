"""What a manager sets up: sites, rooms, providers, services, protocols, rules, texts."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from planner.db.base import Base


class Clinic(Base):
    """The one row that says who the clinic is. Empty texts are placeholders that no print may show."""

    __tablename__ = "clinic"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    neutral_name: Mapped[str] = mapped_column(sa.String(60), default="")
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    email: Mapped[str] = mapped_column(sa.String(254), default="")
    colour: Mapped[str] = mapped_column(sa.String(7), default="#0f766e")
    languages: Mapped[list[str]]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class ClinicText(Base):
    """A text a patient or the desk reads, per language; the newest words of the clinic itself."""

    __tablename__ = "clinic_text"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    language: Mapped[str] = mapped_column(sa.String(5))
    text: Mapped[str] = mapped_column(sa.Text)
    is_placeholder: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.UniqueConstraint("code", "language"),)


class Site(Base):
    """Where patients are seen. Days and weekly hours are wall-clock in ``zone``."""

    __tablename__ = "site"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    colour: Mapped[str] = mapped_column(sa.String(7))
    zone: Mapped[str] = mapped_column(sa.String(64))
    grid_minutes: Mapped[int] = mapped_column(default=15)
    arrival_note: Mapped[str] = mapped_column(sa.String(500), default="")
    quiet_from: Mapped[time] = mapped_column(default=time(20))  # no messages until quiet_until
    quiet_until: Mapped[time] = mapped_column(default=time(8))  # equal: no quiet hours
    position: Mapped[int] = mapped_column(default=0)
    retired_from: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.CheckConstraint("grid_minutes IN (5, 10, 15, 30)", name="grid"),)


class SiteHours(Base):
    """One weekly opening range of a site; several a weekday are several rows."""

    __tablename__ = "site_hours"
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), index=True)
    weekday: Mapped[int]  # 0 = Monday, as date.weekday()
    opens: Mapped[time]
    closes: Mapped[time]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]  # the last day it holds
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("opens < closes", name="order"),
    )


class Room(Base):
    """A room of a site; ``RoomService`` says what it can host."""

    __tablename__ = "room"
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    position: Mapped[int] = mapped_column(default=0)
    retired_from: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.UniqueConstraint("site_id", "name"),
        sa.UniqueConstraint("id", "site_id"),  # an appointment's room is one of its site
    )


class RoomService(Base):
    """This room can host this service."""

    __tablename__ = "room_service"
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(
        sa.ForeignKey("service.id"), primary_key=True, index=True
    )


class Provider(Base):
    """Who treats or examines."""

    __tablename__ = "provider"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    credentials: Mapped[str] = mapped_column(sa.String(40), default="")
    colour: Mapped[str] = mapped_column(sa.String(7), default="#475569")
    position: Mapped[int] = mapped_column(default=0)
    retired_from: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class ProviderHours(Base):
    """One weekly range of a provider at one site: work, or a break inside it."""

    __tablename__ = "provider_hours"
    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(5), default="work")  # work | break
    weekday: Mapped[int]
    starts: Mapped[time]
    ends: Mapped[time]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("starts < ends", name="order"),
        sa.CheckConstraint("kind IN ('work', 'break')", name="kind"),
    )


class ProviderService(Base):
    """The matrix provider × service × site: who may treat, and who may examine and decide."""

    __tablename__ = "provider_service"
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("provider.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(
        sa.ForeignKey("service.id"), primary_key=True, index=True
    )
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True, index=True)
    may_examine: Mapped[bool] = mapped_column(default=False)
    may_treat: Mapped[bool] = mapped_column(default=True)


class Absence(Base):
    """A site, a provider or a room is not there: closure, leave, meeting, breakdown.

    Days are those of the site concerned; with times, the absence holds between them on each of the days.
    """

    __tablename__ = "absence"
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"), index=True)
    provider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provider.id"), index=True)
    room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("room.id"), index=True)
    from_date: Mapped[date]
    until_date: Mapped[date]  # inclusive
    starts: Mapped[time | None]
    ends: Mapped[time | None]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("from_date <= until_date", name="dates"),
        sa.CheckConstraint("(starts IS NULL) = (ends IS NULL)", name="both_times"),
        sa.CheckConstraint("starts IS NULL OR starts < ends", name="times"),
        sa.CheckConstraint(
            "(site_id IS NOT NULL AND provider_id IS NULL AND room_id IS NULL) OR "
            "(site_id IS NULL AND provider_id IS NOT NULL AND room_id IS NULL) OR "
            "(site_id IS NULL AND provider_id IS NULL AND room_id IS NOT NULL)",
            name="one_actor",
        ),
    )


class Service(Base):
    """What can be booked. Preparation and turnover fall back to the rule records when empty."""

    __tablename__ = "service"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(12), unique=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(10))  # consult | session | review | other
    minutes: Mapped[int]
    minutes_choices: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)
    preparation_minutes: Mapped[int | None]
    turnover_minutes: Mapped[int | None]
    walk_minutes: Mapped[int] = mapped_column(default=0)
    reminder_days: Mapped[list[Any]] = mapped_column(  # before the visit; 0: on its morning
        sa.JSON, default=lambda: [7, 2, 0]
    )
    colour: Mapped[str] = mapped_column(sa.String(7))
    position: Mapped[int] = mapped_column(default=0)
    retired_from: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("kind IN ('consult', 'session', 'review', 'other')", name="kind"),
        sa.CheckConstraint("minutes > 0 AND minutes % 5 = 0", name="minutes"),
        sa.CheckConstraint(
            "preparation_minutes >= 0 AND preparation_minutes % 5 = 0", name="preparation"
        ),
        sa.CheckConstraint("turnover_minutes >= 0 AND turnover_minutes % 5 = 0", name="turnover"),
        sa.CheckConstraint("walk_minutes >= 0 AND walk_minutes % 5 = 0", name="walk"),
    )


class Protocol(Base):
    """A named template of a course. A course copies it; editing it changes no running course."""

    __tablename__ = "protocol"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    service_id: Mapped[int] = mapped_column(sa.ForeignKey("service.id"))
    sessions: Mapped[int]
    minutes: Mapped[int]
    zones: Mapped[str] = mapped_column(sa.String(4))  # new | same, as the session before
    gap_floor: Mapped[int]
    gap_target: Mapped[int]
    gap_soft_max: Mapped[int]
    sentence: Mapped[str] = mapped_column(sa.String(300), default="")  # the sentence it stands for
    is_active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("sessions BETWEEN 1 AND 12", name="sessions"),
        sa.CheckConstraint("zones IN ('new', 'same')", name="zones"),
        sa.CheckConstraint("gap_floor >= 1 AND gap_soft_max <= 365", name="gap_range"),
        sa.CheckConstraint(
            "gap_floor <= gap_target AND gap_target <= gap_soft_max", name="gap_order"
        ),
    )


class RuleRecord(Base):
    """A rule's value and severity for a scope, from a date on. Rows are added, never edited."""

    __tablename__ = "rule_record"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(60), index=True)
    scope: Mapped[str] = mapped_column(sa.String(8))  # clinic | site | service | protocol
    scope_id: Mapped[int | None]
    value: Mapped[dict[str, Any]]  # {"value": …}
    severity: Mapped[str] = mapped_column(sa.String(6))  # info | warn | decide | block
    effective_from: Mapped[date]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    __table_args__ = (
        sa.CheckConstraint("scope IN ('clinic', 'site', 'service', 'protocol')", name="scope"),
        sa.CheckConstraint("(scope = 'clinic') = (scope_id IS NULL)", name="scope_id"),
        sa.CheckConstraint("severity IN ('info', 'warn', 'decide', 'block')", name="severity"),
    )
