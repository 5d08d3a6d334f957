"""A provider's own calendar: when, which site, whose initials, which code. Phones are personal devices.

What another provider has taken over stays for a while as cancelled, like what does not take place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db.models import Appointment, Handover, Patient, Service, Site
from planner.ical import files
from planner.ical.events import Event, Span, one_line
from planner.ical.files import Block, File
from planner.queries import calendar_events, calendar_revisions
from planner.queries.calendar_events import (
    CANCELLED,
    CANCELLED_FOR,
    FOR_PROVIDER,
    LONGEST_TITLE,
)
from planner.queries.calendar_revisions import Revisions
from planner.scheduling.timetable import Status
from planner.wording import visits as words

LOOK_BACK = timedelta(days=14)
LOOK_AHEAD = timedelta(days=90)
KEPT = 8192


class Entry(NamedTuple):
    """An appointment as its provider's calendar shows it."""

    uid: str
    sequence: int
    created_at: datetime
    modified_at: datetime
    starts_at: datetime
    ends_at: datetime
    zone: str
    status: str
    initials: str
    code: str
    place: str


class Taken(NamedTuple):
    """An appointment of a provider, as it is stored."""

    uid: str
    sequence: int
    created_at: datetime
    ical_modified_at: datetime
    status: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    handovers: int  # each is a revision for providers, and for nobody else
    patient_id: int
    service_id: int
    site_id: int
    zone: str
    given_name: str
    family_name: str
    code: str
    place: str


def file(session: Session, provider_id: int, *, locale: str, now: datetime) -> File:
    """Return the file of a provider's appointments, from 14 days back to 90 ahead."""
    return join(entries(taken(session, provider_id, now=now), now=now), locale)


def join(wanted: Iterable[Entry], locale: str) -> File:
    """Return the file of these entries, in their order."""
    blocks = [_block(entry, locale) for entry in wanted]
    return files.join(words.schedule_name(locale), blocks, is_feed=True)


def taken(session: Session, provider_id: int, *, now: datetime) -> Schedule:
    """Return the appointments of a provider that a calendar may hold today, by start."""
    own = _TAKEN.where(
        Appointment.provider_id == provider_id,
        Appointment.starts_at >= now - CANCELLED_FOR,
        Appointment.starts_at < now + LOOK_AHEAD,
    )
    given_away = _HANDED_OVER.where(
        Handover.provider_id == provider_id,
        Appointment.provider_id != provider_id,
        Appointment.id.in_(_TOLD.where(Handover.provider_id == provider_id)),
        sa.or_(Handover.starts_at > now - CANCELLED_FOR, Handover.at > now - CANCELLED_FOR),
        Handover.starts_at < now + LOOK_AHEAD,
    )
    latest = {row.uid: row for row in map(Taken._make, session.execute(given_away))}
    rows = [*map(Taken._make, session.execute(own)), *latest.values()]
    rows.sort(key=lambda row: row.starts_at)
    patient_ids = {row.patient_id for row in rows}
    return Schedule(rows, calendar_revisions.of_schedule(session, patient_ids))


def entries(schedule: Schedule, *, now: datetime) -> Iterator[Entry]:
    """Yield what a calendar shows of the appointments just now."""
    for row in schedule.rows:
        status, sequence, modified_at = calendar_events.state(row, now)
        if status == CANCELLED:
            is_told = calendar_events.is_still_told(row, modified_at, now)
        else:
            is_told = row.starts_at >= now - LOOK_BACK
        if is_told:
            concerns = (
                ("site", row.site_id), ("service", row.service_id), ("patient", row.patient_id),
            )  # fmt: skip
            revised_at = schedule.revisions.latest(modified_at, *concerns)
            yield _entry(row, status, sequence + row.handovers, revised_at)


def event_of(entry: Entry, locale: str) -> Event:
    """Return the event that an entry is."""
    local, _, domain = entry.uid.partition("@")
    title = one_line(words.booked(entry.initials, entry.code), LONGEST_TITLE)
    return Event(
        # Not the patient's own event: it says something else.
        uid=f"{local}-{FOR_PROVIDER}@{domain}",
        sequence=entry.sequence,
        created_at=entry.created_at,
        modified_at=entry.modified_at,
        when=Span(starts_at=entry.starts_at, ends_at=entry.ends_at, zone=entry.zone),
        summary=words.stated(title, entry.status, locale),
        location=entry.place if words.is_discreet(entry.place) else "",
        status=entry.status,
        is_busy=entry.status != CANCELLED,
    )


class Schedule(NamedTuple):
    """Appointments of a provider, and when what is said of them last changed."""

    rows: Sequence[Taken]
    revisions: Revisions


def _entry(row: Taken, status: str, sequence: int, modified_at: datetime) -> Entry:
    return Entry(
        uid=row.uid,
        sequence=sequence,
        created_at=row.created_at,
        modified_at=modified_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=row.zone,
        status=status,
        initials=wording.initials(wording.person(row.given_name, row.family_name)),
        code=row.code,
        place=row.place,
    )


@lru_cache(maxsize=KEPT)
def _block(entry: Entry, locale: str) -> Block:
    return files.block([event_of(entry, locale)])


_OF_WHOM = (
    Appointment.patient_id, Appointment.service_id, Site.id, Site.zone, Patient.given_name,
    Patient.family_name, Service.code, Site.name,
)  # fmt: skip

_TAKEN = (
    sa.select(
        Appointment.uid,
        Appointment.sequence,
        Appointment.created_at,
        Appointment.ical_modified_at,
        Appointment.status,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.expires_at,
        Appointment.ended_at,
        sa.select(sa.func.count(Handover.id))
        .where(Handover.appointment_id == Appointment.id)
        .scalar_subquery(),
        *_OF_WHOM,
    )
    .join(Patient, Patient.id == Appointment.patient_id)
    .join(Service, Service.id == Appointment.service_id)
    .join(Site, Site.id == Appointment.site_id)
    .order_by(Appointment.starts_at, Appointment.id)
)

_TOLD = sa.select(Handover.appointment_id).where(Handover.is_told)

_HANDED_OVER = (
    sa.select(
        Appointment.uid,
        Handover.sequence,
        Appointment.created_at,
        Handover.at,
        sa.literal(Status.CANCELLED.value),
        Handover.starts_at,
        Handover.ends_at,
        sa.null(),
        Handover.at,
        sa.literal(0),  # its sequence counts them
        *_OF_WHOM,
    )
    .join(Appointment, Appointment.id == Handover.appointment_id)
    .join(Patient, Patient.id == Appointment.patient_id)
    .join(Service, Service.id == Appointment.service_id)
    .join(Site, Site.id == Handover.site_id)
    .order_by(Handover.id)
)
