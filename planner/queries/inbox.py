"""What patients have told the clinic and nobody has handled; whom to call because no mail reaches them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, notices, phones
from planner.db.models import Appointment, Notice, Patient, Service, Site
from planner.queries import calendar_rows, sharing
from planner.scheduling import hours
from planner.who import Who
from planner.wording import letters
from planner.wording import notices as notice_words
from planner.wording import visits as words

MOST = 200
SPANS = (1, 3, 7)
"""Days ahead that the call list looks: today and tomorrow, three days, a week."""

MOVABLE = ("held", "reserved", "booked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One notice, with what to do next."""

    id: int
    kind: str
    title: str
    patient_key: str
    patient_name: str
    phone_label: str
    phone_link: str
    language_label: str
    text: str  # of health only where a provider who may read it asks
    detail: str
    told_label: str
    visit_key: str
    visit_label: str
    visit_status: str  # empty without a visit
    may_move: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """The lists, the oldest first; ``health_count`` is all that the desk learns of health."""

    is_provider: bool
    health: tuple[Line, ...]
    health_count: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """Somebody to be called about a visit that nobody has confirmed."""

    visit_key: str
    version: int
    patient_key: str
    patient_name: str
    phone_label: str
    phone_link: str
    when_label: str
    site_name: str
    service_name: str
    script: tuple[str, ...]
    script_language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGroup:
    """All who speak one language."""

    language: str
    label: str
    lines: tuple[CallLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallList:
    """Whom to call, by language, the next visit first."""

    days: int
    is_everybody: bool
    groups: tuple[CallGroup, ...]


def page(*, locale: str, by: Who) -> InboxPage:
    """Return what waits: everything but health for everybody, of health the words for providers."""
    with engine.reading() as session:
        zone = catalogue.first_zone(session)
        health: tuple[Line, ...] = ()
        if by.provider_id is not None:
            health = tuple(
                _lines(session, locale, zone, *_health(by.provider_id), shows_health=True)
            )
        return InboxPage(
            is_provider=by.provider_id is not None,
            health=health,
            health_count=_count(session, Notice.kind == notices.HEALTH) - len(health),
            lines=tuple(_lines(session, locale, zone, Notice.kind != notices.HEALTH)),
        )


def calls(*, days: int, everybody: bool, locale: str, now: datetime) -> CallList:
    """Return whom to call about the visits until the end of the ``days``-th day from today.

    Those who get no reminder by themselves: without a mail address, or who want none by mail or text;
    with ``everybody`` all who have not confirmed.
    """
    days = days if days in SPANS else SPANS[1]
    with engine.reading() as session:
        zone = catalogue.first_zone(session)
        last = hours.day_of(now, zone) + timedelta(days=days)
        until = hours.day_bounds(last, zone).ends_at
        clinic = catalogue.clinic(session)
        name = clinic.name if clinic and words.is_discreet(clinic.name) else ""
        rows = list(session.execute(_unconfirmed(now, until, everybody)))
        groups: dict[str, list[CallLine]] = {}
        for row in rows:
            groups.setdefault(row.Patient.language, []).append(_call(row, name, locale))
    return CallList(
        days=days,
        is_everybody=everybody,
        groups=tuple(
            CallGroup(language=code, label=wording.language(code, locale), lines=tuple(lines))
            for code, lines in sorted(groups.items(), key=lambda item: -len(item[1]))
        ),
    )


def _health(provider_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return Notice.kind == notices.HEALTH, notices.readable_by(provider_id)


def _count(session: Session, *where: sa.ColumnElement[bool]) -> int:
    statement = sa.select(sa.func.count()).select_from(Notice)
    return session.scalar(statement.where(Notice.handled_at.is_(None), *where)) or 0


def _lines(
    session: Session,
    locale: str,
    zone: str,
    *where: sa.ColumnElement[bool],
    shows_health: bool = False,
) -> Iterable[Line]:
    statement = (
        sa.select(Notice, Patient, Appointment, Service.name.label("service_name"), Site)
        .join(Patient, Patient.id == Notice.patient_id)
        .outerjoin(Appointment, Appointment.id == Notice.appointment_id)
        .outerjoin(Service, Service.id == Appointment.service_id)
        .outerjoin(Site, Site.id == Appointment.site_id)
        .where(Notice.handled_at.is_(None), *where)
        .order_by(Notice.id)
        .limit(MOST)
    )
    for row in session.execute(statement):
        yield _line(row, locale, zone, shows_health=shows_health)


def _line(row: Any, locale: str, zone: str, *, shows_health: bool) -> Line:
    notice, patient, visit = row.Notice, row.Patient, row.Appointment
    detail = (
        notice_words.flight(notice.flight_on, notice.flight_at, locale),
        notice_words.wishes(notice.wishes, locale),
    )
    told = hours.local(notice.created_at, zone)
    return Line(
        id=notice.id,
        kind=notice.kind,
        title=notice_words.kind(notice.kind, locale),
        patient_key=patient.key,
        patient_name=wording.person(patient.given_name, patient.family_name),
        phone_label=wording.format_phone(patient.phone),
        phone_link=patient.phone if phones.is_number(patient.phone) else "",
        language_label=wording.language(patient.language, locale),
        text=notice.health_text if shows_health else notice.text,
        detail=" · ".join(part for part in detail if part),
        told_label=wording.format_day_time(told, locale),
        visit_key=visit.key if visit else "",
        visit_label=_visit_label(row, locale),
        visit_status=visit.status if visit else "",
        may_move=visit is not None and visit.status in MOVABLE,
    )


def _visit_label(row: Any, locale: str) -> str:
    if row.Appointment is None:
        return ""
    local = hours.local(row.Appointment.starts_at, row.Site.zone)
    return f"{row.service_name}, {wording.format_day_time(local, locale)}, {row.Site.name}"


def _unconfirmed(now: datetime, until: datetime, everybody: bool) -> Any:
    statement = (
        sa.select(Appointment, Patient, Service.name.label("service_name"), Site)
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Service, Service.id == Appointment.service_id)
        .join(Site, Site.id == Appointment.site_id)
        .where(
            Appointment.status == "booked",
            Appointment.confirmed_at.is_(None),
            Appointment.starts_at > now,
            Appointment.starts_at < until,
        )
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(MOST)
    )
    if not everybody:
        by_mail = sa.and_(Patient.reminders_by == "mail", Patient.email != "")
        by_text = sa.and_(Patient.reminders_by == "sms", Patient.phone != "")
        statement = statement.where(sa.not_(sa.or_(by_mail, by_text)))
    return statement


def _call(row: Any, clinic: str, locale: str) -> CallLine:
    patient, visit = row.Patient, row.Appointment
    language = calendar_rows.spoken(patient.language)
    local = hours.local(visit.starts_at, row.Site.zone)
    return CallLine(
        visit_key=visit.key,
        version=visit.version,
        patient_key=patient.key,
        patient_name=wording.person(patient.given_name, patient.family_name),
        phone_label=wording.format_phone(patient.phone),
        phone_link=patient.phone if phones.is_number(patient.phone) else "",
        when_label=wording.format_day_time(local, locale),
        site_name=row.Site.name,
        service_name=row.service_name,
        script=tuple(letters.call(sharing.facts(patient, row, language, clinic=clinic), language)),
        script_language=language,
    )
