"""Writes the made-up clinic in batches of a month, through the same transaction as everything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from planner.db.engine import Tx, transaction
from planner.db.models import (
    Appointment,
    Consent,
    Consult,
    Course,
    CourseSession,
    Patient,
    Screening,
)
from planner.demo import catalogue, correspondence, edges, simulation
from planner.demo.names import Person
from planner.scheduling import reading
from planner.scheduling.timetable import Kind, Status
from planner.who import Who

if TYPE_CHECKING:
    from planner.demo import Made, Progress, Size
    from planner.demo.planted import Planted

BY = Who(user_id=None, role="system", origin="demo", request_id="demo")
SPIDER = {"type": "spider", "diameter_mm": 0.6}
RETICULAR = {"type": "reticular", "diameter_mm": 2.0}
REASONS = {"ended": "The patient has moved away.", "paused": "The patient travels until spring."}


def write_catalogue(size: Size, *, seed: int, today: date, now: datetime) -> None:
    """Write sites, rooms, providers, services and users."""

    def work(tx: Tx) -> None:
        catalogue.add(tx, sites=size.sites, providers=size.providers, today=today)

    transaction(work, by=BY, now=now - timedelta(days=500), action="demo.catalogue", is_silent=True)


def write_people(world: simulation.World, planted: Planted, progress: Progress) -> Made:
    """Write patients, courses and appointments, a month of bookings at a time."""
    from planner.demo import Made  # noqa: PLC0415  the package's face imports this module

    _write_patients(world)
    consults = {id(course.consult): course for course in world.courses}
    months: defaultdict[tuple[int, int], list[simulation.Visit]] = defaultdict(list)
    for visit in world.visits:
        # A course and the consult that ordered it refer to each other: they go in one batch.
        course = visit.course or consults.get(id(visit))
        made_at = course.made_at if course else visit.made_at
        months[made_at.year, made_at.month].append(visit)
    for done, (_, visits) in enumerate(sorted(months.items()), start=1):
        _write_month(world, visits, consults)
        progress("writing", done, len(months))
    more = edges.plant(world)
    edges.follow(world, planted)
    correspondence.write(world)
    return Made(
        patients=len(world.people) + more,
        courses=len(world.courses),
        appointments=len(world.visits),
    )


def _write_patients(world: simulation.World) -> None:
    def work(tx: Tx) -> None:
        rows = [_patient(world, person) for person in world.people]
        tx.session.add_all(rows)
        tx.session.flush()
        for person, row in zip(world.people, rows, strict=True):
            person.row_id = row.id

    made_at = datetime(
        world.first.year, world.first.month, world.first.day, tzinfo=world.now.tzinfo
    )
    transaction(work, by=BY, now=made_at, action="demo.patients", is_silent=True)


def _patient(world: simulation.World, person: Person) -> Patient:
    return Patient(
        key=person.key,
        given_name=person.given_name,
        family_name=person.family_name,
        search_text=reading.search_text(
            person.given_name, person.family_name, person.phone, person.birth_date
        ),
        birth_date=person.birth_date,
        phone=person.phone,
        email=person.email,
        language=person.language,
        stay_from=person.stay_from,
        stay_until=person.stay_until,
        created_at=world.now - timedelta(days=490),
    )


def _write_month(
    world: simulation.World,
    visits: Sequence[simulation.Visit],
    consults: dict[int, simulation.Course],
) -> None:
    def work(tx: Tx) -> None:
        started = {id(v.course): v.course for v in visits if v.course is not None}
        ordered = [consults[id(v)] for v in visits if id(v) in consults]
        courses = {id(course): course for course in [*started.values(), *ordered]}
        rows = {key: _course(world, course) for key, course in courses.items()}
        tx.session.add_all(rows.values())
        tx.session.flush()
        sessions = _add_sessions(tx, courses, rows)
        _add_visits(tx, world, visits, sessions)
        for course in ordered:
            _add_consult(tx, world, course, rows[id(course)].id)

    transaction(work, by=BY, now=_latest(world, visits), action="demo.month", is_silent=True)


def _latest(world: simulation.World, visits: Sequence[simulation.Visit]) -> datetime:
    return min(world.now, max(visit.made_at for visit in visits))


def _course(world: simulation.World, course: simulation.Course) -> Course:
    status = _status(course)
    reason = "Same zones again." if course.zones == "same" else "New zones each time."
    return Course(
        key=course.key,
        patient_id=course.person.row_id,
        protocol_id=course.protocol_id,
        service_id=world.by_kind[Kind.SESSION][0],
        status=status,
        status_reason=REASONS.get(status, ""),
        is_decided=course.is_decided,
        zones=course.zones,
        interval_reason=reason if course.is_decided else "",
        ordered_by=course.consult.slot.provider_id if course.is_decided else None,
        ordered_at=course.made_at if course.is_decided else None,
        package=course.package,
        wishes={},
        created_at=course.made_at,
    )


def _status(course: simulation.Course) -> str:
    done = sum(visit.status is Status.FULFILLED for visit in course.visits)
    if not course.is_decided:
        return "draft"
    if course.is_paused:
        return "paused"
    return "completed" if done == course.count else "ended" if course.is_ended else "active"


def _add_sessions(
    tx: Tx, courses: dict[int, simulation.Course], rows: dict[int, Course]
) -> dict[tuple[int, int], int]:
    """Add the numbered sessions; return their ids by course in memory and number."""
    made = {
        (key, number): CourseSession(
            course_id=rows[key].id,
            number=number,
            minutes=course.minutes,
            zones=list(course.zones_of(number)),
            gap_floor=course.gap.floor,
            gap_target=course.gap.target,
            gap_soft_max=course.gap.soft_max,
            gap_is_custom=course.is_custom and number > 1,
            gap_reason="Three weeks suit the patient." if course.is_custom and number > 1 else "",
        )
        for key, course in courses.items()
        for number in range(1, course.count + 1)
    }
    tx.session.add_all(made.values())
    tx.session.flush()
    return {at: row.id for at, row in made.items()}


def _add_visits(
    tx: Tx,
    world: simulation.World,
    visits: Sequence[simulation.Visit],
    sessions: dict[tuple[int, int], int],
) -> None:
    rows = [_visit(world, visit, sessions) for visit in visits]
    tx.session.add_all(rows)
    tx.session.flush()
    for visit, row in zip(visits, rows, strict=True):
        visit.row_id = row.id


def _visit(
    world: simulation.World, visit: simulation.Visit, sessions: dict[tuple[int, int], int]
) -> Appointment:
    slot, is_done = visit.slot, visit.status is Status.FULFILLED
    is_begun = is_done or visit.status is Status.STARTED
    is_over = visit.status in (Status.CANCELLED, Status.NO_SHOW)
    return Appointment(
        key=visit.key,
        uid=visit.uid,
        sequence=1 if is_over else 0,
        ical_modified_at=visit.made_at,
        status=visit.status.value,
        service_id=slot.service_id,
        patient_id=visit.person.row_id,
        provider_id=slot.provider_id,
        room_id=slot.room_id,
        site_id=slot.site_id,
        course_session_id=sessions[id(visit.course), visit.number or 1] if visit.course else None,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        room_from=slot.room_from,
        room_until=slot.room_until,
        patient_until=slot.patient_until,
        confirmed_at=visit.made_at if visit.confirmed else None,
        arrived_at=slot.starts_at - timedelta(minutes=5) if is_begun else None,
        health_state="complete" if is_begun else "",
        actual_starts_at=slot.starts_at if is_begun else None,
        actual_ends_at=slot.ends_at if is_done else None,
        zones_treated=list(visit.course.zones_of(visit.number or 1))
        if visit.course and is_done
        else [],
        ended_by=visit.ended_by,
        ended_reason="Could not come." if visit.ended_by else "",
        ended_at=slot.starts_at if is_over else None,
        created_at=visit.made_at,
    )


def _add_consult(
    tx: Tx, world: simulation.World, course: simulation.Course, course_id: int
) -> None:
    visit = course.consult
    screening = Screening(
        patient_id=visit.person.row_id,
        provider_id=visit.slot.provider_id,
        recorded_at=visit.slot.ends_at,
        had_clots=False,
        is_pregnant=False,
        is_nursing=False,
    )
    tx.session.add(screening)
    tx.session.flush()
    day = visit.slot.starts_at.date()
    tx.session.add(
        Consult(
            patient_id=visit.person.row_id,
            appointment_id=visit.row_id,
            course_id=course_id,
            provider_id=visit.slot.provider_id,
            screening_id=screening.id,
            held_on=day,
            recorded_at=visit.slot.ends_at,
            veins=[SPIDER] if course.zones == "new" else [SPIDER, RETICULAR],
            zones=sorted({z for n in range(1, course.count + 1) for z in course.zones_of(n)}),
            area_size="M",
            outcome="candidate",
        )
    )
    tx.session.add(
        Consent(
            patient_id=visit.person.row_id,
            kind="treatment",
            text_version="1",
            language=visit.person.language,
            signed_on=day,
            created_at=visit.slot.ends_at,
        )
    )
