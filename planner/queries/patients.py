"""What the pages show that find, register, edit and merge patients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, patients, phones
from planner.db.models import Appointment, Course, Patient, Service
from planner.db.patients import NextVisit, PatientValues
from planner.scheduling import hours, reading
from planner.who import Who

MOST = 30
RECENT = 8
LONGEST_QUERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One patient on a list: enough to know who it is, and no more."""

    key: str
    name: str
    initials: str
    birth_label: str
    phone_label: str
    language: str
    language_label: str
    next_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found, or without one whom this user has opened lately."""

    query: str
    is_recent: bool
    lines: tuple[Line, ...]
    has_more: bool
    total_is_zero: bool = False  # there are no patients at all
    hints: tuple[str, ...] = ()  # what is typed names veins, not a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """A patient's values, as a form edits them."""

    key: str
    name: str
    version: int
    values: PatientValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two files that are compared before they become one."""

    key: str
    name: str
    version: int
    facts: tuple[str, ...]  # one per row of the comparison
    visits: int
    courses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two files side by side, or one and whom it might be."""

    one: Side
    other: Side | None
    differs: tuple[bool, ...]  # per fact
    candidates: tuple[Line, ...]
    query: str


def find(query: str, *, locale: str, now: datetime, by: Who) -> Found:
    """Return at most thirty patients whom the search means; without one, the last ones opened."""
    query = query[:LONGEST_QUERY].strip()
    with engine.reading() as session:
        sought = reading.sought(query, today=now.date())
        if sought.is_empty and not query:
            rows = _recent(session, by, now)
            is_first = not rows and session.scalar(sa.select(Patient.id).limit(1)) is None
            return Found(
                query="",
                is_recent=True,
                lines=_lines(session, rows, locale, now),
                has_more=False,
                total_is_zero=is_first,
            )
        rows = patients.search(session, sought, limit=MOST + 1)
        return Found(
            query=query,
            is_recent=False,
            lines=_lines(session, rows[:MOST], locale, now),
            has_more=len(rows) > MOST,
            hints=wording.veins_explained(query, locale),
        )


def by_keys(keys: Iterable[str], *, locale: str, now: datetime) -> tuple[Line, ...]:
    """Return the lines of these patients."""
    with engine.reading() as session:
        rows = session.scalars(sa.select(Patient).where(Patient.key.in_(list(keys)[:MOST])))
        return _lines(session, list(rows), locale, now)


def sharing_phone(key: str, *, locale: str, now: datetime) -> tuple[Line, ...]:
    """Return who else has the patient's phone number: a family, most of the time."""
    with engine.reading() as session:
        row = patients.get(session, key)
        found = patients.same_phone(session, row.phone, but_id=row.id)
        return _lines(session, found, locale, now)


def editable(key: str) -> Editable:
    """Return a patient's values for the form. Raises NotFound."""
    with engine.reading() as session:
        row = patients.get(session, key)
        values = PatientValues(
            given_name=row.given_name,
            family_name=row.family_name,
            birth_date=row.birth_date,
            phone=wording.format_phone(row.phone),
            email=row.email,
            language=row.language,
            contact_by=row.contact_by,
            stay_from=row.stay_from,
            stay_until=row.stay_until,
            note=row.note,
        )
        return Editable(key=row.key, name=name_of(row), version=row.version, values=values)


def compare(key: str, other_key: str, query: str, *, locale: str, now: datetime) -> Comparison:
    """Return two files side by side; without another, whom this one might be. Raises NotFound."""
    query = query[:LONGEST_QUERY].strip()
    with engine.reading() as session:
        row = patients.get(session, key)
        one = _side(session, row, locale)
        if other_key:
            other = _side(session, patients.get(session, other_key), locale)
            differs = tuple(
                bool(a and b) and a != b for a, b in zip(one.facts, other.facts, strict=True)
            )
            return Comparison(one=one, other=other, differs=differs, candidates=(), query=query)
        found = _candidates(session, row, query, now)
        return Comparison(
            one=one,
            other=None,
            differs=(),
            candidates=_lines(session, found, locale, now),
            query=query,
        )


def consult_service_id() -> int | None:
    """Return the service a new patient is booked for first, or None while there is none."""
    with engine.reading() as session:
        return first_consult(session)


def today(now: datetime) -> date:
    """Return the day it is at the clinic's first site."""
    with engine.reading() as session:
        return hours.day_of(now, catalogue.first_zone(session))


def first_consult(session: Session) -> int | None:
    """Return the first consult in the clinic's order that is still given."""
    statement = (
        sa.select(Service.id)
        .where(Service.kind == "consult", Service.retired_from.is_(None))
        .order_by(Service.position, Service.id)
        .limit(1)
    )
    return session.scalar(statement)


def name_of(row: Patient) -> str:
    """Return a patient's whole name."""
    return f"{row.given_name} {row.family_name}".strip()


def age_label(birth_date: date | None, on: date) -> str:
    """Return the years of age as a number, "" when nobody knows."""
    return str(hours.age_on(on, birth_date)) if birth_date else ""


def _recent(session: Session, by: Who, now: datetime) -> list[Patient]:
    if by.user_id is None:
        return []
    return patients.recent(session, by.user_id, now=now, limit=RECENT)


def _lines(session: Session, rows: list[Patient], locale: str, now: datetime) -> tuple[Line, ...]:
    coming = patients.next_visits(session, [row.id for row in rows], now=now)
    return tuple(_line(row, coming.get(row.id), locale) for row in rows)


def _line(row: Patient, coming: NextVisit | None, locale: str) -> Line:
    return Line(
        key=row.key,
        name=name_of(row),
        initials=wording.initials(name_of(row)),
        birth_label=wording.format_birth_date(row.birth_date, locale) if row.birth_date else "",
        phone_label=wording.format_phone(row.phone),
        language=row.language,
        language_label=wording.language(row.language, locale),
        next_label=_next_label(coming, locale) if coming else "",
    )


def _next_label(coming: NextVisit, locale: str) -> str:
    local = hours.local(coming.starts_at, coming.zone)
    return f"{wording.format_day_time(local, locale)}, {coming.site_name}"


def _candidates(session: Session, row: Patient, query: str, now: datetime) -> list[Patient]:
    if query:
        found = patients.search(session, reading.sought(query, today=now.date()), limit=MOST)
        return [other for other in found if other.id != row.id]
    values = PatientValues(
        given_name=row.given_name,
        family_name=row.family_name,
        birth_date=row.birth_date,
        phone=row.phone,
    )
    similar = patients.same_person(session, values, but_id=row.id)
    known = {other.id for other in similar}
    family = patients.same_phone(session, row.phone, but_id=row.id)
    return [*similar, *(other for other in family if other.id not in known)]


def _side(session: Session, row: Patient, locale: str) -> Side:
    born = wording.format_birth_date(row.birth_date, locale) if row.birth_date else ""
    phone = wording.format_phone(row.phone) if phones.is_number(row.phone) else row.phone
    return Side(
        key=row.key,
        name=name_of(row),
        version=row.version,
        facts=(
            name_of(row),
            born,
            phone,
            row.email,
            wording.language(row.language, locale),
            wording.stay(row.stay_from, row.stay_until, locale),
            row.note,
        ),
        visits=_count(session, Appointment, row.id),
        courses=_count(session, Course, row.id),
    )


def _count(session: Session, model: type[Appointment | Course], patient_id: int) -> int:
    statement = sa.select(sa.func.count()).where(model.patient_id == patient_id)
    return int(session.scalar(statement) or 0)
