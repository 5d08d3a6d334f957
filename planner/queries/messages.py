"""What patients were told, when; and the queue of what waits to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, links, messages
from planner.db.models import Course, Message, Patient, PatientLink, Site
from planner.errors import NotFound
from planner.queries import calendar_rows
from planner.scheduling import hours
from planner.wording import messages as words

T = TypeVar("T", Patient, PatientLink)

STATUSES = ("waiting", "failed", "sent", "dropped")
MOST = 100
OVERDUE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """A message as the desk and the manager see it."""

    key: str
    kind_label: str
    channel: str
    status: str  # waiting | sending | sent | failed | dropped
    patient_key: str
    patient_name: str
    when_label: str  # sent, to be sent, or given up at
    recipient: str
    subject: str
    body: str
    language_note: str  # when it was not written in the patient's own language
    opened_label: str  # when its link was last opened; empty: never
    taken_label: str  # when a calendar file was last taken with its link; empty: never
    reason: str
    error: str
    attempts: int
    may_retry: bool
    may_drop: bool
    may_send_again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The queue, by status: the newest first, of what waits the next."""

    status: str
    counts: Mapping[str, int]
    lines: tuple[MessageLine, ...]
    is_cut: bool
    is_stuck: bool  # something has been due for a while: does a worker run?


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMessages:
    """What one patient was told and wishes."""

    key: str
    name: str
    reminders_by: str
    invitations_label: str  # since when; empty: not
    has_mail: bool
    has_phone: bool
    lines: tuple[MessageLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """The words of one kind of message in one language; ``text`` is empty while they are ours."""

    channel: str  # mail | sms
    kind: str
    language: str
    language_label: str
    title: str
    text: str
    shipped: str  # of a text message empty: it is a sentence without an end of its own
    placeholders: tuple[str, ...]
    version: int


def queue(status: str, *, locale: str, now: datetime) -> Queue:
    """Return the messages of one status, and how many there are of each."""
    status = status if status in STATUSES else STATUSES[0]
    shown = ("waiting", "sending") if status == "waiting" else (status,)
    order = (
        (Message.next_attempt_at, Message.id)
        if status == "waiting"
        else (sa.func.coalesce(Message.sent_at, Message.created_at).desc(), Message.id.desc())
    )
    with engine.reading() as session:
        counted = sa.select(Message.status, sa.func.count()).group_by(Message.status)
        found: dict[str, int] = dict(session.execute(counted).all())
        statement = sa.select(Message).where(Message.status.in_(shown)).order_by(*order)
        rows = session.scalars(statement.limit(MOST + 1)).all()
        lines = _lines(session, rows[:MOST], locale=locale, now=now)
        oldest = session.scalar(
            sa.select(sa.func.min(Message.next_attempt_at, type_=Message.next_attempt_at.type))
            .where(Message.status == "waiting")
        )  # fmt: skip
    counts = {name: found.get(name, 0) for name in STATUSES}
    counts["waiting"] += found.get("sending", 0)
    return Queue(
        status=status,
        counts=counts,
        lines=lines,
        is_cut=len(rows) > MOST,
        is_stuck=oldest is not None and oldest < now - OVERDUE,
    )


def of_patient(key: str, *, locale: str, now: datetime) -> PatientMessages:
    """Return what a patient was told, newest first, and what they wish. Raises NotFound."""
    with engine.reading() as session:
        patient = session.get_one(Patient, links.kept_patient(session, key))
        ids = links.merged_ids(session, patient.id)
        lines = told(session, Message.patient_id.in_(ids), locale=locale, now=now)
        zone = catalogue.first_zone(session)
    since = patient.invitations_since
    return PatientMessages(
        key=patient.key,
        name=wording.person(patient.given_name, patient.family_name),
        reminders_by=patient.reminders_by,
        invitations_label=(
            wording.format_date(hours.day_of(since, zone), locale) if since else ""
        ),
        has_mail=bool(patient.email),
        has_phone=bool(patient.phone),
        lines=lines,
    )  # fmt: skip


def about_course(session: Session, key: str) -> sa.ColumnElement[bool]:
    """Return what picks the messages about a course and its sessions. Raises NotFound."""
    course_id = session.scalar(sa.select(Course.id).where(Course.key == key))
    if course_id is None:
        raise NotFound("course")
    visits = messages.visits_of_course(session, course_id)
    return sa.or_(Message.course_id == course_id, Message.appointment_id.in_(visits))


def told(
    session: Session,
    where: sa.ColumnElement[bool],
    *,
    locale: str,
    now: datetime,
    most: int = MOST,
) -> tuple[MessageLine, ...]:
    """Return the messages that a condition picks, newest first: the one list of what was sent."""
    newest = sa.func.coalesce(Message.sent_at, Message.not_before).desc()
    statement = sa.select(Message).where(where).order_by(newest, Message.id.desc()).limit(most)
    return _lines(session, session.scalars(statement).all(), locale=locale, now=now)


def texts(*, locale: str) -> tuple[TextView, ...]:
    """Return the words of every kind of message in each language messages are written in."""
    with engine.reading() as session:
        return tuple(
            _text(session, channel, kind, language, locale)
            for channel in words.CHANNELS
            for kind in words.EDITABLE
            for language in calendar_rows.LANGUAGES
        )


def text(channel: str, kind: str, language: str, *, locale: str) -> TextView:
    """Return the words of one kind in one language, of mail or text message. Raises NotFound."""
    if (
        channel not in words.CHANNELS
        or kind not in words.EDITABLE
        or language not in calendar_rows.LANGUAGES
    ):
        raise NotFound("text")
    with engine.reading() as session:
        return _text(session, channel, kind, language, locale)


def _text(session: Session, channel: str, kind: str, language: str, locale: str) -> TextView:
    row = catalogue.text(session, f"{channel}.{kind}", language)
    return TextView(
        channel=channel,
        kind=kind,
        language=language,
        language_label=wording.language(language, locale),
        title=words.title(kind, locale),
        text=row.text if row else "",
        shipped=words.intro(kind, language) if channel == "mail" else "",
        placeholders=words.placeholders(channel, kind),
        version=row.version if row else 0,
    )


def _lines(
    session: Session, rows: Sequence[Message], *, locale: str, now: datetime
) -> tuple[MessageLine, ...]:
    people = _by_id(session, Patient, (row.patient_id for row in rows))
    opened = _by_id(session, PatientLink, (row.link_id for row in rows))
    zones = dict(session.execute(sa.select(Site.id, Site.zone)).all())
    zone = catalogue.first_zone(session)
    return tuple(
        _line(
            row,
            people.get(row.patient_id or 0),
            opened.get(row.link_id or 0),
            zone=zones.get(row.site_id or 0, zone),
            locale=locale,
            now=now,
        )
        for row in rows
    )


def _by_id(session: Session, kind: type[T], ids: Iterable[int | None]) -> dict[int, T]:
    wanted = {id_ for id_ in ids if id_ is not None}
    found = session.scalars(sa.select(kind).where(kind.id.in_(wanted))) if wanted else ()
    return {row.id: row for row in found}


def _line(
    row: Message,
    patient: Patient | None,
    link: PatientLink | None,
    *,
    zone: str,
    locale: str,
    now: datetime,
) -> MessageLine:
    is_over = row.expires_at <= now
    is_void = row.reason in ("superseded", "undone")
    at = row.sent_at or (row.next_attempt_at if row.status == "waiting" else row.created_at)

    def when(at: datetime | None) -> str:
        return wording.format_day_time(hours.local(at, zone), locale) if at else ""

    return MessageLine(
        key=row.key,
        kind_label=words.title(row.kind, locale),
        channel=row.channel,
        status=row.status,
        patient_key=patient.key if patient else "",
        patient_name=wording.person(patient.given_name, patient.family_name) if patient else "",
        when_label=when(at),
        recipient=wording.format_phone(row.recipient),
        subject=row.subject,
        body=row.body,
        language_note=_language_note(row, patient, locale),
        opened_label=when(link.last_used_at if link else None),
        taken_label=when(link.file_taken_at if link else None),
        reason=words.reason(row.reason, locale) if row.status != "sent" and row.reason else "",
        error=row.last_error if row.status in ("failed", "waiting") else "",
        attempts=row.attempts,
        may_retry=_may_retry(row) and not is_over,
        may_drop=row.status in ("waiting", "failed"),
        may_send_again=row.status == "sent" and not is_over and not is_void and patient is not None,
    )


def _may_retry(row: Message) -> bool:
    """Whether it could go at once: one that failed, was put off, or wanted an address."""
    if row.status == "dropped":
        return row.reason in ("no_address", "by_hand")
    return row.status == "failed" or (row.status == "waiting" and row.reason != "")


def _language_note(row: Message, patient: Patient | None, locale: str) -> str:
    if patient is None or not row.locale or row.locale == patient.language:
        return ""
    return words.written_in(
        wording.language(row.locale, locale), wording.language(patient.language, locale), locale
    )
