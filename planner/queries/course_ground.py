"""What the course screen knows: one course with all it is judged by, read in one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import appointments, courses, timetables
from planner.db.models import (
    Appointment,
    Consult,
    Course,
    CourseSession,
    DateToAvoid,
    Patient,
    Protocol,
    Provider,
    Room,
    Site,
)
from planner.errors import NotFound
from planner.queries import outlooks
from planner.queries.course_view import (
    Pick,
    PlanRequest,
)
from planner.queries.outlooks import ProtocolFacts
from planner.scheduling import availability, hours
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    CourseOrder,
    Slot,
    Timetable,
)

PLANNABLE = ("draft", "active")
HORIZON_LIMIT = 400  # days: twelve sessions may reach over a year, a search never further
SLACK = 45  # days beyond the soft maxima, for a course that has to start late


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that one page needs from the database, read in one snapshot."""

    course: Course
    patient: Patient
    protocol: Protocol | None
    orderer: str
    rows: tuple[CourseSession, ...]
    live: Mapping[int, Appointment]
    done: Mapping[int, Appointment]
    sites: Mapping[int, Site]
    providers: Mapping[int, Provider]
    rooms: Mapping[int, Room]
    dates: tuple[DateToAvoid, ...]
    consult: Consult | None
    protocols: tuple[ProtocolFacts, ...]  # to be compared, while the interval is undecided
    timetable: Timetable
    order: CourseOrder
    names: wording.Names


def purpose_of(course: Course, consult: Consult | None) -> str:
    """Return what the open sessions can be at best: booked, or reserved until consult and order."""
    return "book" if course.is_decided and is_candidate(consult) else "reserve"


def is_candidate(consult: Consult | None) -> bool:
    """Whether the latest consult found the patient to be a candidate."""
    return consult is not None and consult.outcome == "candidate"


def load(session: Session, key: str, request: PlanRequest, now: datetime) -> Loaded:
    """Read a course with all that it is judged by. Raises NotFound."""
    found = session.execute(
        sa.select(Course, Patient, Protocol, Provider.name)
        .join(Patient, Patient.id == Course.patient_id)
        .outerjoin(Protocol, Protocol.id == Course.protocol_id)
        .outerjoin(Provider, Provider.id == Course.ordered_by)
        .where(Course.key == key)
    ).first()
    if found is None:
        raise NotFound("course")
    course, patient, protocol, orderer = found
    rows = tuple(courses.sessions_of(session, course.id))
    live, done = _appointments(session, course.id, now)
    compared = () if course.is_decided else outlooks.protocols(session, now)
    reaches = [sum(row.gap_soft_max for row in rows)]
    reaches += [one.sessions * one.gap.soft_max for one in compared]
    timetable = timetables.load(
        session,
        horizon=_horizon(max(reaches), (request.wishes.not_before, patient.eligible_from), now),
        now=now,
        patient_ids=(patient.id,),
    )
    sites = {
        row.id: row for row in session.scalars(sa.select(Site).order_by(Site.position, Site.id))
    }
    people = {
        row.id: row for row in session.scalars(sa.select(Provider).order_by(Provider.position))
    }
    rooms = {row.id: row for row in session.scalars(sa.select(Room))}
    return Loaded(
        course=course,
        patient=patient,
        protocol=protocol,
        orderer=orderer or "",
        rows=rows,
        live=live,
        done=done,
        sites=sites,
        providers=people,
        rooms=rooms,
        dates=tuple(
            session.scalars(
                sa.select(DateToAvoid)
                .where(DateToAvoid.patient_id == patient.id, DateToAvoid.until_date >= now.date())
                .order_by(DateToAvoid.from_date)
            )
        ),
        consult=session.scalar(
            sa.select(Consult)
            .where(Consult.patient_id == patient.id)
            .order_by(Consult.recorded_at.desc())
            .limit(1)
        ),
        protocols=compared,
        timetable=timetable,
        order=timetables.order(session, course.id, now=now),
        names=names_of(sites, people, rooms),
    )


def names_of(
    sites: Mapping[int, Site], providers: Mapping[int, Provider], rooms: Mapping[int, Room]
) -> wording.Names:
    """Return the names that sentences about conflicts need."""
    return wording.Names(
        sites={row.id: row.name for row in sites.values()},
        providers={row.id: row.name for row in providers.values()},
        rooms={row.id: row.name for row in rooms.values()},
        zones={row.id: row.zone for row in sites.values()},
    )


def _appointments(
    session: Session, course_id: int, now: datetime
) -> tuple[dict[int, Appointment], dict[int, Appointment]]:
    """Return by session what is live and what is done; what was kept only until ``now`` is neither."""
    live: dict[int, Appointment] = {}
    done: dict[int, Appointment] = {}
    statement = (
        sa.select(CourseSession.number, Appointment)
        .join(Appointment, Appointment.course_session_id == CourseSession.id)
        .where(CourseSession.course_id == course_id)
    )
    for number, row in session.execute(statement):
        if row.status == "fulfilled":
            done[number] = row
        elif row.status in appointments.OPEN and not _has_run_out(row, now):
            live[number] = row
    return live, done


def _has_run_out(row: Appointment, now: datetime) -> bool:
    """Whether it was kept only until a moment that has passed, though nobody has released it yet."""
    is_kept = row.status in appointments.PROVISIONAL
    return is_kept and row.expires_at is not None and row.expires_at <= now


def _horizon(reach: int, not_before: tuple[date | None, ...], now: datetime) -> Interval:
    """Return the days that are looked at: from the day nothing can come before as far as the soft maxima reach."""
    waits = [(day - now.date()).days for day in not_before if day is not None]
    days = reach + SLACK + max([0, *waits])
    starts_at = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    return Interval(starts_at, starts_at + timedelta(days=min(days, HORIZON_LIMIT)))


def open_numbers(loaded: Loaded) -> tuple[int, ...]:
    """Return the sessions to be placed; none while the course is paused or over."""
    if loaded.course.status not in PLANNABLE:
        return ()
    order = loaded.order
    return tuple(s.number for s in order.sessions if s.fixed is None and s.done_on is None)


def slots_of(loaded: Loaded, picks: Mapping[int, Pick]) -> dict[int, Slot]:
    """Return the picks as slots; one that names what is not there is left out."""
    by_number = {row.number: row for row in loaded.rows}
    return {
        number: slot_of(loaded.timetable, loaded.course, by_number[number], pick)
        for number, pick in picks.items()
        if number in by_number
        and pick.site_id in loaded.sites
        and pick.provider_id in loaded.providers
        and pick.room_id in loaded.rooms
    }


def slot_of(timetable: Timetable, course: Course, row: CourseSession, pick: Pick) -> Slot:
    """Return the slot a pick stands for, with the three clocks of the course's service."""
    return availability.slot_at(
        timetable,
        service_id=course.service_id,
        site_id=pick.site_id,
        provider_id=pick.provider_id,
        room_id=pick.room_id,
        starts_at=pick.starts_at,
        minutes=row.minutes,
        patient_id=course.patient_id,
        number=row.number,
    )


def minutes_of(slot: Slot) -> int:
    """Return how long a slot is."""
    return int((slot.ends_at - slot.starts_at).total_seconds() // 60)


def with_fixed(order: CourseOrder, pinned: Mapping[int, Slot]) -> CourseOrder:
    """Return the order with these sessions fixed where they are pinned."""
    return replace(
        order,
        sessions=tuple(
            replace(s, fixed=pinned[s.number]) if s.number in pinned else s for s in order.sessions
        ),
    )


def pick_of(slot: Slot) -> Pick:
    """Return a slot as the form holds it."""
    return Pick(
        site_id=slot.site_id,
        provider_id=slot.provider_id,
        room_id=slot.room_id,
        starts_at=slot.starts_at,
    )


def stored_pick(row: Appointment) -> Pick:
    """Return where an appointment is, as the form holds it."""
    return Pick(
        site_id=row.site_id,
        provider_id=row.provider_id,
        room_id=row.room_id,
        starts_at=row.actual_starts_at or row.starts_at,
    )


def days_of(loaded: Loaded, placed: Mapping[int, Slot]) -> dict[int, date]:
    """Return the site's day of every session that has one: done, stored or proposed."""
    days = {}
    for session in loaded.order.sessions:
        where = placed.get(session.number) or session.fixed
        if session.done_on is not None:
            days[session.number] = session.done_on
        elif where is not None:
            days[session.number] = hours.day_of(where.starts_at, loaded.sites[where.site_id].zone)
    return days


def treats_here(loaded: Loaded, provider_id: int) -> bool:
    """Whether the provider treats with the service of the course at some site."""
    facts = loaded.timetable.providers.get(provider_id)
    return facts is not None and any(
        service_id == loaded.course.service_id for service_id, _ in facts.treats
    )


def clock_label(loaded: Loaded, site_id: int, at: datetime, locale: str) -> str:
    """Return a time of day by the clocks of the site."""
    return wording.format_time(hours.local(at, loaded.sites[site_id].zone).time(), locale)
