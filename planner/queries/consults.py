"""What the page shows on which a provider records a consult."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import appointments, consults, courses, decisions, engine, snapshots, timetables
from planner.db.models import (
    Appointment,
    Consult,
    Course,
    CourseSession,
    Decision,
    Patient,
    Provider,
    Service,
    Site,
)
from planner.errors import NotFound
from planner.queries import outlooks as outlooks_of
from planner.queries import patients as lists
from planner.queries.course_view import Named, Outlook, Sentence
from planner.queries.outlooks import ProtocolFacts
from planner.scheduling import candidacy, hours, rulebook
from planner.scheduling.candidacy import Answers
from planner.scheduling.timetable import Gap, RuleSetting, SessionOrder
from planner.who import Who

PACKS = ("allergy", "acute_clot", "infection", "limb_ischaemia")
OPEN = ("booked", "arrived", "started", "fulfilled")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """What was ordered, for reading and for correcting it."""

    course_key: str
    protocol_id: int | None
    zones: str
    reason: str
    line: str
    sessions: tuple[SessionOrder, ...]
    decisions: Mapping[str, str]  # reason per rule code


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was recorded before."""

    provider_name: str
    recorded_label: str
    veins: tuple[Mapping[str, Any], ...]
    zones: tuple[str, ...]
    zones_label: str
    area_size: str
    duplex_advised: bool
    outcome: str
    outcome_label: str
    not_until: date | None
    not_until_label: str
    note: str
    order: StoredOrder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultPage:
    """The consult, the patient, and what the order is made of. Answers are for providers only."""

    key: str
    version: int
    patient_key: str
    patient_name: str
    birth_label: str
    age_label: str
    language_label: str
    stay_label: str
    when_label: str
    site: Named
    provider: Named
    status: str
    hindrance: str  # "" | not_a_provider | not_entitled | not_yet | not_open | followed
    answers: Answers | None  # of this consult, else of the last one; None: not to be shown
    is_answered: bool
    stored: Stored | None
    packs: frozenset[str]
    protocols: tuple[ProtocolFacts, ...]
    reserved: int
    today: date
    adult_from: date | None  # when the patient is not yet of age
    has_birth_date: bool
    stay_until: date | None
    site_id: int
    rules: tuple[RuleSetting, ...]


def page(key: str, *, locale: str, now: datetime, by: Who) -> ConsultPage:
    """Return the page of a consult. Raises NotFound for what is none."""
    with engine.reading() as session:
        row = appointments.find_by_key(session, key)
        service = session.get(Service, row.service_id) if row else None
        if row is None or service is None or service.kind != "consult":
            raise NotFound("consult")
        return _page(session, row, locale, now, by)


def outlooks(
    page: ConsultPage,
    *,
    chosen_id: int | None,
    count: int | None,
    zones: Sequence[str],
    ordered: Sequence[SessionOrder],
    first: date,
    locale: str,
) -> tuple[Outlook, ...]:
    """Return each protocol with what it means; the chosen one as its sessions are ordered now."""
    return outlooks_of.on_one_line(
        [
            _outlook(
                page,
                protocol,
                ordered
                if protocol.id == chosen_id and ordered
                else outlooks_of.usual(protocol, count, zones),
                is_chosen=protocol.id == chosen_id,
                first=first,
                locale=locale,
            )
            for protocol in page.protocols
        ]
    )


def questions(
    page: ConsultPage, answers: Answers, zones: Sequence[str], service_id: int, *, locale: str
) -> tuple[Sentence, ...]:
    """Return what of the findings stands against an order, in words for providers."""
    found = candidacy.conflicts(
        answers, zones, page.rules, on=page.today, site_id=page.site_id, service_id=service_id
    )
    return tuple(
        Sentence(
            code=conflict.code,
            severity=conflict.severity.value,
            text=wording.conflict(conflict, locale=locale, clinical=True),
        )
        for conflict in found
    )


def eligible_from(page: ConsultPage, answers: Answers) -> date | None:
    """Return the first day for sessions after a pregnancy, when that is still to come."""
    months = rulebook.resolve(
        page.rules, "patient.eligible_from", on=page.today, site_id=page.site_id
    ).value
    day = candidacy.eligible_from(answers, months)
    return day if day is not None and day > page.today else None


def earliest(page: ConsultPage, answers: Answers) -> date:
    """Return the first day on which a session could take place, as far as this page knows."""
    days = (page.today, eligible_from(page, answers), page.adult_from)
    return max(day for day in days if day is not None)


def _page(session: Session, row: Appointment, locale: str, now: datetime, by: Who) -> ConsultPage:
    patient = session.get_one(Patient, row.patient_id)
    site = session.get_one(Site, row.site_id)
    provider = session.get_one(Provider, row.provider_id)
    stored = consults.find_of_appointment(session, row.id)
    rules = snapshots.catalogue(session).rules
    today = hours.day_of(now, site.zone)
    local = hours.local(row.starts_at, site.zone)
    earlier = consults.of_patient(session, patient.id)
    latest = stored or (earlier[0] if earlier else None)
    screening_id = latest.screening_id if latest else None
    return ConsultPage(
        key=row.key,
        version=row.version,
        patient_key=patient.key,
        patient_name=lists.name_of(patient),
        birth_label=(
            wording.format_birth_date(patient.birth_date, locale) if patient.birth_date else ""
        ),
        age_label=lists.age_label(patient.birth_date, today),
        language_label=wording.language(patient.language, locale),
        stay_label=wording.stay(patient.stay_from, patient.stay_until, locale),
        when_label=wording.format_day_time(local, locale),
        site=Named(id=site.id, name=site.name, colour=site.colour),
        provider=Named(
            id=provider.id,
            name=provider.name,
            colour=provider.colour,
            initials=wording.initials(provider.name),
        ),
        status=row.status,
        hindrance=_hindrance(session, row, stored, by, is_early=local.date() > today),
        answers=(consults.answers_of(session, screening_id) if by.role == "provider" else None),
        is_answered=screening_id is not None,
        stored=_stored(session, stored, site.zone, now, locale) if stored else None,
        packs=frozenset(
            pack
            for pack in PACKS
            if candidacy.asked(f"screening.{pack}", rules, on=today, site_id=site.id)
        ),
        protocols=outlooks_of.protocols(session, now),
        reserved=len(consults.provisional_of(session, patient.id, None)),
        today=today,
        adult_from=_adult_from(patient, rules, today, site.id),
        has_birth_date=patient.birth_date is not None,
        stay_until=patient.stay_until,
        site_id=site.id,
        rules=rules,
    )


def _hindrance(
    session: Session, row: Appointment, stored: Consult | None, by: Who, *, is_early: bool
) -> str:
    if by.role != "provider" or by.provider_id is None:
        return "not_a_provider"
    allowed = decisions.entitled(session, service_id=row.service_id, site_id=row.site_id)
    if by.provider_id not in allowed:
        return "not_entitled"
    if row.status not in OPEN:
        return "not_open"
    if is_early:
        return "not_yet"
    if stored and stored.course_id and consults.is_followed(session, stored.course_id):
        return "followed"
    return ""


def _adult_from(
    patient: Patient, rules: tuple[RuleSetting, ...], today: date, site_id: int
) -> date | None:
    if patient.birth_date is None:
        return None
    years = rulebook.resolve(rules, "patient.age", on=today, site_id=site_id).value
    day = hours.birthday(patient.birth_date, years)
    return day if day > today else None


def _stored(session: Session, row: Consult, zone: str, now: datetime, locale: str) -> Stored:
    recorded = hours.local(row.recorded_at, zone)
    return Stored(
        provider_name=session.get_one(Provider, row.provider_id).name,
        recorded_label=wording.format_day_time(recorded, locale),
        veins=tuple(row.veins),
        zones=tuple(row.zones),
        zones_label=wording.zones(row.zones, locale),
        area_size=row.area_size,
        duplex_advised=row.duplex_advised,
        outcome=row.outcome,
        outcome_label=wording.outcome(row.outcome, locale),
        not_until=row.not_until,
        not_until_label=wording.format_date(row.not_until, locale) if row.not_until else "",
        note=row.note,
        order=_order(session, row.course_id, now, locale) if row.course_id else None,
    )


def _order(session: Session, course_id: int, now: datetime, locale: str) -> StoredOrder:
    course = session.get_one(Course, course_id)
    order = timetables.order(session, course_id, now=now)
    given = session.execute(
        sa.select(Decision.rule_code, Decision.reason).where(
            Decision.course_id == course_id, Decision.appointment_id.is_(None)
        )
    )
    return StoredOrder(
        course_key=course.key,
        protocol_id=course.protocol_id,
        zones=course.zones,
        reason=course.interval_reason,
        line=wording.order(order, locale),
        sessions=tuple(_session(row) for row in courses.sessions_of(session, course_id)),
        decisions={row.rule_code: row.reason for row in given},
    )


def _session(row: CourseSession) -> SessionOrder:
    return SessionOrder(
        number=row.number,
        minutes=row.minutes,
        gap=Gap(floor=row.gap_floor, target=row.gap_target, soft_max=row.gap_soft_max),
        zones=frozenset(row.zones),
        is_custom_gap=row.gap_is_custom,
    )


def _outlook(
    page: ConsultPage,
    protocol: ProtocolFacts,
    sessions: Sequence[SessionOrder],
    *,
    is_chosen: bool,
    first: date,
    locale: str,
) -> Outlook:
    days = candidacy.forecast(sessions, protocol.same_zone_gap, first=first)
    leaves = page.stay_until
    return outlooks_of.outlook(
        protocol,
        sessions,
        days,
        is_chosen=is_chosen,
        leaves=leaves,
        warnings=_left(leaves, locale) if leaves and leaves < days[-1] else (),
        has_dates=False,
        locale=locale,
    )


def _left(leaves: date, locale: str) -> tuple[Sentence, ...]:
    text = wording.stay(None, leaves, locale)
    return (Sentence(code="patient.stay", severity="warn", text=text),)
