"""What a subscription serves, and the pages on which subscriptions are given and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, feeds, links, users
from planner.db.feeds import EMPTY_FOR, NOTED_EVERY
from planner.db.models import (
    Appointment,
    AuditHead,
    CalendarFeed,
    FeedFetch,
    LeftOutEvent,
    Patient,
    Provider,
)
from planner.ical import files
from planner.ical.files import File
from planner.queries import calendar_rows, calendars, schedules
from planner.scheduling import hours
from planner.wording import visits as words

KEPT_FOR = timedelta(seconds=5)
"""How late a file may show what comes by time alone: a hold that runs out, a visit of long ago that goes."""

MOST_KEPT = 512
"""Feeds whose last file a process keeps."""


class _Kept(NamedTuple):
    """A file as it was served, and the end of the audit trail then: nothing is changed without it."""

    trail: str | None
    is_over: bool
    at: datetime
    file: File


_KEPT: WeakKeyDictionary[Any, dict[int, _Kept]] = WeakKeyDictionary()
_TRAIL = sa.select(AuditHead.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A subscription's file. ``is_due``: that it was fetched is to be written down."""

    feed_id: int
    file: File
    changed_at: datetime | None  # since when its bytes are these, when that is known
    is_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """A subscription as the clinic sees it: its token is not known any more."""

    id: int
    is_open: bool
    is_revoked: bool
    owner: str  # of a provider's
    made_label: str
    made_by: str  # empty: the patient, by a link
    fetched_label: str  # empty: never
    agent: str
    ended_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFeeds:
    """A patient's subscriptions, newest first; ``language`` is that in which they are written to."""

    patient_key: str
    patient_name: str
    language: str
    is_plain: bool
    phone: str
    feeds: tuple[FeedView, ...]

    @property
    def in_use(self) -> tuple[FeedView, ...]:
        """Those that have not ended."""
        return tuple(feed for feed in self.feeds if feed.is_open)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutView:
    """An event that was kept out of calendars; ``appointment_key`` is empty when it is no more."""

    appointment_key: str
    uid: str
    reason: str
    last_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagersPage:
    """What managers look after: providers' subscriptions, and what could not be served."""

    feeds: tuple[FeedView, ...]
    left_out: tuple[LeftOutView, ...]
    patients_open: int


def serve(token: str, *, now: datetime) -> Served | None:
    """Return what a token serves: of an ended one an empty calendar for 30 days, else None."""
    with engine.reading() as session:
        found = feeds.find(session, token)
        if found is None:
            return None
        feed, fetch = found
        ended_at = feeds.ended_at(feed, fetch, now)
        if ended_at is not None and now >= ended_at + EMPTY_FOR:
            return None
        file = _file(session, feed, is_over=ended_at is not None, now=now)
    is_same = fetch is not None and fetch.etag == file.etag
    return Served(
        feed_id=feed.id,
        file=file,
        changed_at=fetch.changed_at if fetch and is_same else None,
        is_due=not (fetch and is_same and now < fetch.fetched_at + NOTED_EVERY),
    )


def of_patient(key: str, *, locale: str, now: datetime) -> PatientFeeds:
    """Return the subscriptions of a patient, or of whom they were merged into. Raises NotFound."""
    with engine.reading() as session:
        patient = session.get_one(Patient, links.kept_patient(session, key))
        clinic = catalogue.clinic(session)
        return PatientFeeds(
            patient_key=patient.key,
            patient_name=wording.person(patient.given_name, patient.family_name),
            language=calendar_rows.spoken(patient.language),
            is_plain=patient.plain_words_since is not None,
            phone=wording.format_phone(clinic.phone) if clinic else "",
            feeds=_views(session, [CalendarFeed.patient_id == patient.id], locale, now),
        )


def of_provider(provider_id: int, *, locale: str, now: datetime) -> tuple[FeedView, ...]:
    """Return the subscriptions of a provider, newest first."""
    with engine.reading() as session:
        return _views(session, [CalendarFeed.provider_id == provider_id], locale, now)


def for_managers(*, locale: str, now: datetime) -> ManagersPage:
    """Return all providers' subscriptions, and the events that were lately left out."""
    with engine.reading() as session:
        of_patients = feeds.rows(
            session, CalendarFeed.patient_id.is_not(None), CalendarFeed.revoked_at.is_(None)
        )
        return ManagersPage(
            feeds=_views(session, [CalendarFeed.provider_id.is_not(None)], locale, now),
            left_out=left_out(session, locale, now),
            patients_open=sum(1 for row in of_patients if feeds.ended_at(*row, now) is None),
        )


def left_out(session: Session, locale: str, now: datetime) -> tuple[LeftOutView, ...]:
    """Return the events that were lately left out of a calendar, each with its appointment."""
    zone, rows = catalogue.first_zone(session), feeds.left_out(session, now)
    keys = _keys(session, rows)
    return tuple(
        LeftOutView(
            appointment_key=keys.get(_visits_uid(row.uid), ""),
            uid=row.uid,
            reason=words.left_out(row.reason, locale),
            last_label=_time(row.last_at, zone, locale),
        )
        for row in rows
    )


def _file(session: Session, feed: CalendarFeed, *, is_over: bool, now: datetime) -> File:
    """Return a feed's file: in a burst the one that was just served, while nothing has changed."""
    kept, trail = _KEPT.setdefault(session.get_bind(), {}), session.scalar(_TRAIL)
    known = kept.get(feed.id)
    is_same = known is not None and (known.trail, known.is_over) == (trail, is_over)
    if known is not None and is_same and known.at <= now < known.at + KEPT_FOR:
        return known.file
    file = _made(session, feed, is_over=is_over, now=now)
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[feed.id] = _Kept(trail, is_over, now, file)
    return file


def _made(session: Session, feed: CalendarFeed, *, is_over: bool, now: datetime) -> File:
    if feed.patient_id is not None:
        return calendars.feed_file(session, feed.patient_id, is_over=is_over, now=now)
    locale = users.language(session, feed.created_by)
    if is_over or feed.provider_id is None:
        return files.join(words.schedule_name(locale), [], is_feed=True)
    return schedules.file(session, feed.provider_id, locale=locale, now=now)


def _views(
    session: Session, where: Sequence[sa.ColumnElement[bool]], locale: str, now: datetime
) -> tuple[FeedView, ...]:
    rows, zone = feeds.rows(session, *where), catalogue.first_zone(session)
    makers = links.makers(session, [feed for feed, _ in rows])
    providers = dict(session.execute(sa.select(Provider.id, Provider.name)).all())

    def view(feed: CalendarFeed, fetch: FeedFetch | None) -> FeedView:
        ended_at = feeds.ended_at(feed, fetch, now)
        return FeedView(
            id=feed.id,
            is_open=ended_at is None,
            is_revoked=feed.revoked_at is not None,
            owner=providers.get(feed.provider_id or 0, ""),
            made_label=wording.format_date(hours.day_of(feed.created_at, zone), locale),
            made_by=makers.get(feed.created_by or 0, ""),
            fetched_label=_time(fetch.fetched_at, zone, locale) if fetch else "",
            agent=words.program(fetch.agent) if fetch else "",
            ended_label=wording.format_date(hours.day_of(ended_at, zone), locale)
            if ended_at
            else "",
        )

    return tuple(view(*row) for row in rows)


def _keys(session: Session, rows: Sequence[LeftOutEvent]) -> dict[str, str]:
    uids = {_visits_uid(row.uid) for row in rows}
    found = sa.select(Appointment.uid, Appointment.key).where(Appointment.uid.in_(uids))
    return dict(session.execute(found).all())


def _visits_uid(uid: str) -> str:
    """Return the uid of the visit that a note belongs to, or the visit's own."""
    local, at, domain = uid.partition("@")
    return local.partition("-")[0] + at + domain


def _time(at: datetime, zone: str, locale: str) -> str:
    return wording.format_day_time(hours.local(at, zone), locale)
