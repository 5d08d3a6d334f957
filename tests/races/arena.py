"""Where rivals meet: so many providers, rooms and patients that two of them share only what they race for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import courses
from planner.actions.appointments import booking
from planner.actions.courses import Chosen
from planner.actions.placing import Place, Terms
from planner.db.models import (
    Course,
    Provider,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
)
from planner.queries import audits
from planner.scheduling import rulebook
from planner.scheduling.timetable import Severity
from tests import factories
from tests.db.conftest import DESK, NOW, TODAY
from tests.factories import SmallClinic

RIVALS = 16
FIRST_DAY = TODAY + timedelta(days=7)  # a Monday
GAP = timedelta(days=14)
WARNINGS = frozenset(rule.code for rule in rulebook.DEFAULTS if rule.severity is Severity.WARN)
TERMS = Terms(acknowledged=WARNINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """The ids of what each rival has for itself, by its number."""

    site: int
    consult: int
    providers: tuple[int, ...]
    rooms: tuple[int, ...]
    patients: tuple[int, ...]


def build(engine: sa.Engine, clinic: SmallClinic) -> Arena:
    """Add a provider, a room and a patient per rival, all of Miami and of equal skill."""
    with Session(engine) as session:
        providers = [_provider(session, clinic, number) for number in range(RIVALS)]
        rooms = [_room(session, clinic, number) for number in range(RIVALS)]
        factories.bump(session)
        session.commit()
    return Arena(
        site=clinic.miami,
        consult=clinic.consult,
        providers=tuple(providers),
        rooms=tuple(rooms),
        patients=add_patients(engine, clinic, RIVALS),
    )


def add_patients(engine: sa.Engine, clinic: SmallClinic, count: int) -> tuple[int, ...]:
    """Add patients whom nothing keeps from being booked; return their ids."""
    with Session(engine) as session:
        found = tuple(_patient(session, clinic) for _ in range(count))
        session.commit()
    return found


def add_courses(engine: sa.Engine, clinic: SmallClinic, patients: Sequence[int]) -> list[str]:
    """Add a decided course of three sessions, two weeks apart, for each patient; return the keys."""
    with Session(engine) as session:
        ids = [factories.course(session, clinic, patient) for patient in patients]
        found = dict(session.execute(sa.select(Course.id, Course.key)).all())
        session.commit()
    return [found[its_id] for its_id in ids]


def consult(ring: Arena, provider: int, room: int, starts_at: datetime) -> Place:
    """Return a consult of the numbered provider in the numbered room."""
    return Place(
        service_id=ring.consult,
        site_id=ring.site,
        provider_id=ring.providers[provider],
        room_id=ring.rooms[room],
        starts_at=starts_at,
        minutes=30,
    )


def sessions(
    ring: Arena, providers: Sequence[int], rooms: Sequence[int], day: date, hour: int
) -> tuple[Chosen, ...]:
    """Return sessions two weeks apart at the same hour, one per numbered provider and room."""
    return tuple(
        Chosen(
            number=number,
            site_id=ring.site,
            provider_id=ring.providers[provider],
            room_id=ring.rooms[room],
            starts_at=factories.at(day + GAP * (number - 1), hour),
        )
        for number, (provider, room) in enumerate(zip(providers, rooms, strict=True), start=1)
    )


def book(patient_id: int, place: Place) -> str:
    """Book a single appointment; return its key."""
    return booking.book(patient_id, place, TERMS, by=DESK, now=NOW).key


def book_course(key: str, chosen: tuple[Chosen, ...]) -> tuple[str, ...]:
    """Book sessions of a course nobody has booked anything of; return the keys of the appointments."""
    done = courses.book(key, chosen, TERMS, version=1, wishes={}, by=DESK, now=NOW)
    return tuple(done.appointments.values())


def faults() -> tuple[object, ...]:
    """Return what the audit finds: rules broken by what is stored, and breaks of the chain."""
    return (*audits.everything(now=NOW), *audits.chain().breaks)


def _provider(session: Session, clinic: SmallClinic, number: int) -> int:
    row = Provider(name=f"Rival {number}", credentials="NP", position=100 + number)
    session.add(row)
    session.flush()
    session.add_all(
        ProviderHours(
            provider_id=row.id, site_id=clinic.miami, weekday=weekday, starts=time(9), ends=time(18)
        )
        for weekday in range(5)
    )
    session.add_all(
        ProviderService(
            provider_id=row.id, service_id=service, site_id=clinic.miami, may_examine=True
        )
        for service in (clinic.consult, clinic.sclerotherapy)
    )
    return row.id


def _room(session: Session, clinic: SmallClinic, number: int) -> int:
    row = Room(site_id=clinic.miami, name=f"Rival {number}", position=100 + number)
    session.add(row)
    session.flush()
    session.add_all(
        RoomService(room_id=row.id, service_id=service)
        for service in (clinic.consult, clinic.sclerotherapy)
    )
    return row.id


def _patient(session: Session, clinic: SmallClinic) -> int:
    patient_id = factories.patient(session)
    factories.consult_done(session, clinic, patient_id, on=TODAY)
    factories.consent(session, patient_id, on=TODAY)
    return patient_id
