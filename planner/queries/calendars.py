"""Calendar files of a patient, a course, an appointment; from the patient's page; and fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import engine, links
from planner.db.models import Appointment, Course, Patient
from planner.errors import NotFound
from planner.ical import files
from planner.ical.files import LeftOut
from planner.queries import calendar_events, calendar_rows
from planner.queries.calendar_events import Shown
from planner.queries.calendar_rows import Diary, Visit
from planner.wording import visits as words


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFile:
    """A file and whom or what it is about, for the audit trail."""

    content: bytes
    etag: str
    object_kind: str
    object_id: int
    left_out: tuple[LeftOut, ...] = ()


def patient_key(text: str) -> str:
    """Return the key of a patient given by key or by number; what is neither is returned as it is."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return text
    with engine.reading() as session:
        return session.scalar(sa.select(Patient.key).where(Patient.id == int(text))) or text


def patient_file(key: str, *, now: datetime) -> CalendarFile:
    """Return the file of all visits of a patient: 90 days back and all to come. Raises NotFound."""
    with engine.reading() as session:
        patient_id = links.kept_patient(session, key)
        diary = calendar_rows.diary(session, patient_id)
    return _file(diary, ("patient", patient_id), now)


def course_file(key: str, *, now: datetime) -> CalendarFile:
    """Return the file of a course's visits, what was cancelled lately included. Raises NotFound."""
    with engine.reading() as session:
        course_id, diary = _found(session, Course, key)
    return _file(diary, ("course", course_id), now, lambda visit: visit.course_id == course_id)


def appointment_file(key: str, *, now: datetime) -> CalendarFile:
    """Return the file of one visit, however long ago. Raises NotFound."""
    with engine.reading() as session:
        visit_id, diary = _found(session, Appointment, key)
    states = _states(diary, now)
    wanted = tuple(state for state in states if state.visit.id == visit_id)
    return _made(diary, ("appointment", visit_id), wanted, states)


def feed_file(session: Session, patient_id: int, *, is_over: bool, now: datetime) -> files.File:
    """Return what a patient subscribes to; without a visit once the subscription is over."""
    diary = calendar_rows.diary(session, links.kept(session, patient_id))
    return feed_of(replace(diary, visits=()) if is_over else diary, now=now)


def feed_of(diary: Diary, *, now: datetime) -> files.File:
    """Return the file that a patient's calendar is fed: 90 days back and all to come."""
    states = _states(diary, now)
    wanted = (one for one in states if calendar_events.is_current(one, now))
    blocks = calendar_events.blocks(wanted, states, diary)
    return files.join(words.calendar_name(diary.language), blocks, is_feed=True)


def page_file(link_id: int, visit_key: str = "", *, now: datetime) -> CalendarFile | None:
    """Return the file that the holder of a page's link takes from it, or None once it has ended."""
    with engine.reading() as session:
        patient_id = links.holder(session, link_id, now=now)
        if patient_id is None:
            return None
        diary = calendar_rows.diary(session, patient_id)
    about = ("patient_link", link_id)
    return _file(diary, about, now, lambda visit: visit_key in ("", visit.key))


def _found(session: Session, kind: type[Course | Appointment], key: str) -> tuple[int, Diary]:
    statement = sa.select(kind.id, kind.patient_id).where(kind.key == key)
    found = session.execute(statement).first()
    if found is None:
        raise NotFound(kind.__tablename__)
    return found.id, calendar_rows.diary(session, links.kept(session, found.patient_id))


def _everything(_: Visit) -> bool:
    return True


def _file(
    diary: Diary,
    about: tuple[str, int],
    now: datetime,
    is_wanted: Callable[[Visit], bool] = _everything,
) -> CalendarFile:
    states = _states(diary, now)
    wanted = tuple(
        state
        for state in states
        if is_wanted(state.visit) and calendar_events.is_current(state, now)
    )
    return _made(diary, about, wanted, states)


def _states(diary: Diary, now: datetime) -> tuple[Shown, ...]:
    return tuple(calendar_events.shown(visit, diary, now) for visit in diary.visits)


def _made(
    diary: Diary, about: tuple[str, int], wanted: tuple[Shown, ...], states: tuple[Shown, ...]
) -> CalendarFile:
    blocks = calendar_events.blocks(wanted, states, diary)
    made = files.join(words.calendar_name(diary.language), blocks)
    kind, id_ = about
    return CalendarFile(
        content=made.content,
        etag=made.etag,
        left_out=made.left_out,
        object_kind=kind,
        object_id=id_,
    )
