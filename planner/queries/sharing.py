"""What passes between the clinic and one patient: links, messages, texts to copy, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, feeds, links, notices
from planner.db.models import (
    Appointment,
    Course,
    CourseSession,
    Message,
    Notice,
    Patient,
    Site,
)
from planner.queries import calendar_rows, messages
from planner.queries import links as link_queries
from planner.queries.links import LinkView
from planner.queries.messages import MessageLine
from planner.scheduling import hours
from planner.wording import letters
from planner.wording import notices as notice_words
from planner.wording import visits as words
from planner.wording.letters import Facts

MOST_MESSAGES, MOST_IN_SHORT = 30, 3
COMING = ("held", "reserved", "booked", "arrived")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """What the patient has told and nobody has handled; of health never the words."""

    id: int
    kind: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """In short, for the patient's and the course's page."""

    patient_key: str
    open_links: int
    opened_label: str  # when any of the patient's links was opened last
    taken_label: str  # when a calendar file was taken with any of them last
    open_feeds: int
    fetched_label: str  # when any of the patient's subscriptions was fetched last
    sent: tuple[MessageLine, ...]  # the latest only
    waiting: tuple[WaitingNotice, ...]
    flagged: frozenset[str]  # keys of the courses that what waits is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A text to copy."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """The texts of one language."""

    language: str
    label: str
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitChoice:
    """A coming visit that the texts can be about."""

    key: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePage:
    """Everything to give to, send to and hear from one patient."""

    patient_key: str
    patient_name: str
    language: str
    language_label: str
    has_own_language: bool
    is_plain: bool
    phone: str  # of the clinic
    links: tuple[LinkView, ...]
    sent: tuple[MessageLine, ...]
    visits: tuple[VisitChoice, ...]
    texts: tuple[Letters, ...]  # the patient's language first


def exchange(patient_key: str, *, course_key: str = "", locale: str, now: datetime) -> Exchange:
    """Return in short what passed between the clinic and a patient, or was sent about one course.

    Raises NotFound.
    """
    with engine.reading() as session:
        patient_id = links.kept_patient(session, patient_key)
        owners = links.merged_ids(session, patient_id)
        rows = links.of_patients(session, owners)
        zone = catalogue.first_zone(session)
        subscriptions = feeds.open_of_patient(session, patient_id, now)
        waiting = notices.waiting_of(session, patient_id)
        about = (
            messages.about_course(session, course_key)
            if course_key
            else Message.patient_id.in_(owners)
        )
        return Exchange(
            patient_key=patient_key,
            open_links=sum(links.is_open(row, now) for row in rows),
            opened_label=_when(_last(row.last_used_at for row in rows), zone, locale),
            taken_label=_when(_last(row.file_taken_at for row in rows), zone, locale),
            open_feeds=len(subscriptions),
            fetched_label=_when(
                _last(fetch.fetched_at for _, fetch in subscriptions if fetch), zone, locale
            ),
            sent=messages.told(session, about, locale=locale, now=now, most=MOST_IN_SHORT),
            waiting=tuple(_notice(row, locale) for row in waiting),
            flagged=_flagged(session, patient_id, waiting),
        )


def page(
    patient_key: str, *, visit_key: str = "", link: str = "", locale: str, now: datetime
) -> SharePage:
    """Return the page of a patient; the texts are about one visit and hold the link, if any.

    Raises NotFound.
    """
    with engine.reading() as session:
        patient = session.get_one(Patient, links.kept_patient(session, patient_key))
        owners = links.merged_ids(session, patient.id)
        clinic = catalogue.clinic(session)
        coming = _coming(session, owners, now)
        chosen = next((row for row in coming if row.Appointment.key == visit_key), None) or next(
            iter(coming), None
        )
        written_in = calendar_rows.spoken(patient.language)
        others = (code for code in calendar_rows.LANGUAGES if code != written_in)
        phone = wording.format_phone(clinic.phone) if clinic else ""
        name = clinic.neutral_name if clinic and words.is_discreet(clinic.neutral_name) else ""
        return SharePage(
            patient_key=patient.key,
            patient_name=wording.person(patient.given_name, patient.family_name),
            language=written_in,
            language_label=wording.language(patient.language, locale),
            has_own_language=written_in == patient.language,
            is_plain=patient.plain_words_since is not None,
            phone=phone,
            links=link_queries.labelled(session, links.of_patients(session, owners), locale, now),
            sent=messages.told(
                session, Message.patient_id.in_(owners), locale=locale, now=now, most=MOST_MESSAGES
            ),
            visits=tuple(_choice(row, row is chosen, locale) for row in coming),
            texts=tuple(
                _letters(patient, chosen, code, locale, clinic=name, phone=phone, link=link)
                for code in (written_in, *others)
                if chosen is not None
            ),
        )


def facts(patient: Patient, row: Any, language: str, **rest: str) -> Facts:
    """Return what a text says of a patient's visit; ``row`` has the Appointment and its Site."""
    local = hours.local(row.Appointment.starts_at, row.Site.zone)
    day = wording.format_full_date(local.date(), language)
    site = row.Site.name if words.is_discreet(row.Site.name) else ""
    where = (site, words.discreet_parts(row.Site.address))
    return Facts(
        name=patient.given_name or patient.family_name,
        when=f"{day}, {wording.format_time(local, language)}",
        where=", ".join(part for part in where if part),
        **rest,
    )


def _letters(patient: Patient, row: Any, language: str, locale: str, **rest: str) -> Letters:
    said = facts(patient, row, language, **rest)
    return Letters(
        language=language,
        label=wording.language(language, locale),
        letters=tuple(
            Letter(
                id=f"text-{kind}-{language}",
                title=letters.title(kind, locale),
                text=letters.text(kind, said, language),
            )
            for kind in letters.KINDS
        ),
    )


def _coming(session: Session, patient_ids: frozenset[int], now: datetime) -> list[Any]:
    statement = (
        sa.select(Appointment, Site)
        .join(Site, Site.id == Appointment.site_id)
        .where(
            Appointment.patient_id.in_(patient_ids),
            Appointment.status.in_(COMING),
            Appointment.ends_at > now,
            sa.or_(Appointment.expires_at.is_(None), Appointment.expires_at > now),
        )
        .order_by(Appointment.starts_at)
    )
    return list(session.execute(statement))


def _choice(row: Any, is_chosen: bool, locale: str) -> VisitChoice:
    local = hours.local(row.Appointment.starts_at, row.Site.zone)
    label = f"{wording.format_day_time(local, locale)}, {row.Site.name}"
    return VisitChoice(key=row.Appointment.key, label=label, is_chosen=is_chosen)


def _notice(row: Notice, locale: str) -> WaitingNotice:
    detail = (
        notice_words.flight(row.flight_on, row.flight_at, locale),
        notice_words.wishes(row.wishes, locale),
        row.text,
    )
    return WaitingNotice(
        id=row.id,
        kind=row.kind,
        title=notice_words.kind(row.kind, locale),
        detail=" · ".join(part for part in detail if part),
    )


def _flagged(session: Session, patient_id: int, waiting: Sequence[Notice]) -> frozenset[str]:
    """Return the courses that notices are about: a flight, of no visit in particular, may touch any."""
    if not waiting:
        return frozenset()
    statement = (
        sa.select(Course.key, Appointment.id)
        .join(CourseSession, CourseSession.course_id == Course.id)
        .outerjoin(Appointment, Appointment.course_session_id == CourseSession.id)
        .where(Course.patient_id == patient_id, Course.status.in_(("draft", "active", "paused")))
    )
    about = {row.appointment_id for row in waiting}
    is_of_all = None in about
    return frozenset(
        key for key, visit_id in session.execute(statement) if is_of_all or visit_id in about
    )


def _last(instants: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in instants if at is not None), default=None)


def _when(at: datetime | None, zone: str, locale: str) -> str:
    return wording.format_day_time(hours.local(at, zone), locale) if at else ""
