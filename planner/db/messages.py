"""The outbox's rows on their way out: claimed by one worker at a time, tried, sent or given up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from planner.db import outbox
from planner.db.engine import Tx
from planner.db.models import (
    Appointment,
    ClinicText,
    Course,
    CourseSession,
    Message,
    Patient,
    Service,
    Site,
)
from planner.scheduling import telling

LEASE = timedelta(minutes=10)
"""For how long a claimed message is one worker's; longer than any attempt may take."""

BACKOFF = tuple(timedelta(minutes=n) for n in (1, 5, 15, 30, 60, 120, 240, 240, 480, 480))
"""How long the next attempt waits after each; after the last the message has failed."""

HORIZON = timedelta(days=15)  # of reminders: the longest is 14 days ahead
NEVER_TOLD = timedelta(days=60)


def claim(tx: Tx, *, owner: str, channels: Collection[str]) -> Message | None:
    """Lend the next due message to a worker, or return None.

    One whose lease has run out, because its worker died, comes again. Of one patient only one is
    under way at a time, so that no earlier news arrives after later ones. What has been overtaken
    or says nothing any more is dropped on the way.
    """
    while True:
        row = tx.session.scalar(_due(tx.now, channels))
        if row is None:
            return None
        quiet_until = _quiet_until(tx.session, row, tx.now)
        if reason := _needless(tx.session, row, tx.now):
            outbox.drop(row, reason)
        elif quiet_until is not None:
            row.status, row.next_attempt_at, row.lease_until = "waiting", quiet_until, None
        else:
            break
        tx.session.flush()
    row.status, row.lease_owner, row.lease_until = "sending", owner, tx.now + LEASE
    row.attempts += 1
    tx.session.flush()
    return row


def held(tx: Tx, message_id: int, owner: str) -> Message | None:
    """Return a message that is still this worker's to send, or None."""
    row = tx.session.get(Message, message_id, with_for_update=True, populate_existing=True)
    if row is None or (row.status, row.lease_owner) != ("sending", owner):
        return None
    return row


def wait_again(row: Message, now: datetime, *, reason: str, error: str) -> None:
    """Let a message try again later; it has failed when it has been tried often enough."""
    row.lease_until, row.reason, row.last_error = None, reason, error[:300]
    wait = BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
    if row.attempts >= len(BACKOFF) or now + wait >= row.expires_at:
        row.status = "failed"
    else:
        row.status, row.next_attempt_at = "waiting", now + wait


def give_back(row: Message, at: datetime, *, error: str) -> None:
    """Let a message wait that was never tried, because the server could not be reached."""
    row.status, row.lease_until, row.next_attempt_at = "waiting", None, at
    row.attempts -= 1
    row.reason, row.last_error = "unreachable", error[:300]


def find(tx: Tx, key: str) -> Message | None:
    """Return the message of an address, or None. On PostgreSQL no worker takes it meanwhile."""
    return tx.session.scalar(sa.select(Message).where(Message.key == key).with_for_update())


def texts(session: Session, language: str) -> dict[str, str]:
    """Return the clinic's own words for mail and text messages in a language, by code."""
    statement = sa.select(ClinicText.code, ClinicText.text).where(
        sa.or_(ClinicText.code.like("mail.%"), ClinicText.code.like("sms.%")),
        ClinicText.language == language,
        ClinicText.is_placeholder.is_(False),
    )
    return {code: text for code, text in session.execute(statement) if text.strip()}


def visits_of_course(session: Session, course_id: int) -> Sequence[int]:
    """Return the ids of all appointments that ever served the course."""
    statement = (
        sa.select(Appointment.id)
        .join(CourseSession, CourseSession.id == Appointment.course_session_id)
        .where(CourseSession.course_id == course_id)
    )
    return session.scalars(statement).all()


def to_be_reminded(session: Session, now: datetime) -> Sequence[Any]:
    """Return what is booked soon, with its service, site, patient, and when it was last told."""
    told_at = (
        sa.select(sa.func.max(Message.created_at, type_=Message.created_at.type))
        .where(
            Message.kind.in_(outbox.NEWS),
            Message.status != "dropped",
            Message.patient_id == Appointment.patient_id,
            sa.or_(
                Message.appointment_id == Appointment.id,
                Message.course_id == CourseSession.course_id,
            ),
        )
        .correlate(Appointment, CourseSession)
        .scalar_subquery()
    )
    statement = (
        sa.select(Appointment, Service.reminder_days, Site, Patient, told_at.label("told_at"))
        .join(Service, Service.id == Appointment.service_id)
        .join(Site, Site.id == Appointment.site_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
        .where(
            Appointment.status == "booked",
            Appointment.starts_at > now,
            Appointment.starts_at < now + HORIZON,
            Patient.reminders_by != "none",
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return session.execute(statement).all()


def unfinished(session: Session, now: datetime, since: timedelta) -> Sequence[Any]:
    """Return courses that stand still: the last session was so long ago, and no next one is booked.

    With the patient, a site where they were seen, and how many sessions have taken place.
    """
    visit, later = aliased(Appointment), aliased(Appointment)
    sessions, done = aliased(CourseSession), aliased(CourseSession)
    live = sa.exists().where(
        later.course_session_id == sessions.id,
        sessions.course_id == Course.id,
        later.status.in_(("held", "reserved", "booked", "arrived", "started")),
    )
    total = (
        sa.select(sa.func.count())
        .where(CourseSession.course_id == Course.id)
        .correlate(Course)
        .scalar_subquery()
    )
    count, last = sa.func.count(visit.id), sa.func.max(visit.ends_at, type_=visit.ends_at.type)
    statement = (
        sa.select(
            Course.id,
            Course.patient_id,
            sa.func.max(visit.site_id).label("site_id"),
            count.label("done"),
        )
        .join(done, done.course_id == Course.id)
        .join(visit, visit.course_session_id == done.id)
        .where(Course.status == "active", visit.status == "fulfilled", ~live)
        .group_by(Course.id, Course.patient_id)
        .having(last <= now - since, last > now - NEVER_TOLD, count < total)
        .order_by(Course.id)
    )
    return session.execute(statement).all()


def planned(session: Session, names: Collection[str]) -> frozenset[str]:
    """Return those of the names under which something has been planned already."""
    statement = sa.select(Message.planned_as).where(Message.planned_as.in_(names))
    return frozenset(name for name in session.scalars(statement) if name is not None)


def lock_planning(tx: Tx) -> None:
    """Let one worker plan at a time."""
    if tx.session.get_bind().dialect.name == "postgresql":
        tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PLANNING)))


_PLANNING = 0x706C616E04  # of PostgreSQL's advisory locks


def _due(now: datetime, channels: Collection[str]) -> sa.Select[Message]:
    other = aliased(Message)
    is_busy = sa.exists().where(
        other.patient_id == Message.patient_id,
        other.id != Message.id,
        other.status == "sending",
        other.lease_until > now,
    )
    return (
        sa.select(Message)
        .where(
            sa.or_(
                sa.and_(Message.status == "waiting", Message.next_attempt_at <= now),
                sa.and_(Message.status == "sending", Message.lease_until <= now),
            ),
            Message.channel.in_(sorted(channels)),
            ~is_busy,
        )
        .order_by(Message.next_attempt_at, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _quiet_until(session: Session, row: Message, now: datetime) -> datetime | None:
    """Return when a message may be tried again that another attempt would send by night.

    What was too urgent for the quiet hours when it was written still is.
    """
    site = session.get(Site, row.site_id) if row.site_id is not None else None
    if site is None:
        return None
    quiet = outbox.quiet_of(site)
    if telling.quiet_until(row.not_before, quiet, site.zone) is not None:
        return None
    return telling.quiet_until(now, quiet, site.zone)


def _needless(session: Session, row: Message, now: datetime) -> str | None:
    if row.expires_at <= now:
        return "too_late"
    if row.kind not in outbox.NEWS:
        return None
    about = (
        Message.course_id == row.course_id
        if row.course_id is not None
        else sa.and_(Message.course_id.is_(None), Message.appointment_id == row.appointment_id)
    )
    later = sa.select(Message.id).where(
        Message.patient_id == row.patient_id,
        Message.id > row.id,
        Message.kind.in_(outbox.NEWS),
        Message.status.in_(("waiting", "sending", "sent")),
        about,
    )
    return "superseded" if session.scalar(later.limit(1)) is not None else None
