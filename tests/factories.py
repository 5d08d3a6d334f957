"""The small clinic that tests start from, and the people and visits they put into it.

Rows are written past the use cases, so that a test can set up what no use case would allow; the
schedule version is bumped all the same. Everything is deterministic but keys and uids. Nothing here
commits:

    with Session(engine) as session:
        clinic = factories.clinic(session, today=date(2027, 3, 1))
        session.commit()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import argon2
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import keys
from planner.db.models import (
    Absence,
    Appointment,
    Clinic,
    Consent,
    Consult,
    Course,
    CourseSession,
    DateToAvoid,
    Message,
    Patient,
    Protocol,
    Provider,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    RuleRecord,
    ScheduleVersion,
    Screening,
    Service,
    Site,
    SiteHours,
    User,
)
from planner.scheduling import reading

ZONE = "America/New_York"
PASSWORD = "correct horse battery staple"
WEEKDAYS = range(5)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = range(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallClinic:
    """The ids of everything in the clinic of ``clinic.md`` 5."""

    today: date
    miami: int
    aventura: int
    miami_consult: int  # rooms
    miami_1: int
    miami_2: int
    miami_3: int
    miami_flex: int
    aventura_consult: int
    aventura_1: int
    aventura_2: int
    aventura_flex: int
    md: int  # Miami Mon, Wed, Thu; Aventura Tue, Fri; may examine
    pa: int  # Miami Mon-Fri; may examine
    np_miami: int  # Miami Mon-Fri, Thu until 20:00; may examine
    np_aventura: int  # Aventura Mon-Fri; may examine
    rn_miami: int  # Miami Tue-Sat; treats only
    rn_aventura: int  # Aventura Tue-Sat; treats only
    consult: int  # services
    sclerotherapy: int
    review: int
    toxin: int
    filler: int
    laser: int
    facial: int
    two_weeks: int  # protocols
    six_weeks: int
    receptionist: int  # users: reception@, provider@ (linked to md) and manager@example.com
    provider_user: int
    manager: int


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a wall-clock time at the sites."""
    return datetime.combine(day, time(hour, minute), ZoneInfo(ZONE)).astimezone(UTC)


def clinic(session: Session, *, today: date) -> SmallClinic:
    """Build the whole clinic.

    Miami is open Mon-Fri 9-18, Thu to 20, Sat 9-15; Aventura Mon-Fri 9-18, Sat 10-14. Everybody
    works their site's hours (only ``np_miami`` the late Thursday) with a break 12:30-13:00 on
    weekdays. Consult rooms host consults and reviews, treatment rooms everything but consults and
    facials, flexible rooms everything.
    """
    now = at(today, 7)
    session.add(Clinic(id=1, name="Glamour Medical Aesthetics", languages=["en", "es"]))
    sites = _sites(session)
    services = _services(session)
    rooms = _rooms(session, sites, services)
    providers = _providers(session, sites, services)
    protocols = _protocols(session, services["sclerotherapy"])
    users = _users(session, providers["md"], now)
    bump(session)
    return SmallClinic(today=today, **sites, **services, **rooms, **providers, **protocols, **users)


def patient(
    session: Session,
    *,
    given_name: str = "Maria",
    family_name: str = "Lopez",
    birth_date: date | None = date(1980, 5, 17),
    phone: str = "",
    **columns: Any,
) -> int:
    """Add a patient: an adult unless told otherwise."""
    row = Patient(
        key=keys.new(),
        given_name=given_name,
        family_name=family_name,
        search_text=reading.search_text(given_name, family_name, phone, birth_date),
        birth_date=birth_date,
        phone=phone,
        **{"created_at": datetime(2026, 1, 5, 15, tzinfo=UTC), **columns},
    )
    return _added(session, row)


def date_to_avoid(
    session: Session, patient_id: int, *, kind: str, on: date, until: date | None = None
) -> int:
    """Add a flight, trip, event or absence of a patient."""
    row = DateToAvoid(
        patient_id=patient_id, kind=kind, from_date=on, until_date=until or on, created_at=at(on, 7)
    )
    return _added(session, row)


def screening(session: Session, patient_id: int, *, on: date, **answers: Any) -> int:
    """Add a screening in which nothing was found, but for the answers given."""
    clear = {"had_clots": False, "is_pregnant": False, "is_nursing": False, "is_healthy": True}
    row = Screening(patient_id=patient_id, recorded_at=at(on, 10), **{**clear, **answers})
    return _added(session, row)


def consent(session: Session, patient_id: int, *, on: date, kind: str = "treatment") -> int:
    """Add a signed consent."""
    row = Consent(
        patient_id=patient_id, kind=kind, text_version="1", language="en", signed_on=on,
        created_at=at(on, 10),
    )  # fmt: skip
    return _added(session, row)


def consult_done(
    session: Session,
    where: SmallClinic,
    patient_id: int,
    *,
    on: date,
    outcome: str = "candidate",
    zones: Sequence[str] = ("left_thigh",),
    course_id: int | None = None,
    appointment_id: int | None = None,
    **columns: Any,
) -> int:
    """Add a consult held by ``md`` with a clear screening: a candidate unless told otherwise."""
    row = Consult(
        patient_id=patient_id,
        appointment_id=appointment_id,
        course_id=course_id,
        provider_id=where.md,
        screening_id=screening(session, patient_id, on=on),
        held_on=on,
        recorded_at=at(on, 10),
        veins=[{"type": "spider", "diameter_mm": 0.8}],
        zones=list(zones),
        outcome=outcome,
        **columns,
    )
    return _added(session, row)


def course(
    session: Session,
    where: SmallClinic,
    patient_id: int,
    *,
    protocol: str = "two_weeks",
    zones: Sequence[Sequence[str]] = (("left_thigh",), ("right_thigh",), ("left_calf",)),
    is_decided: bool = True,
    minutes: int = 45,
    **columns: Any,
) -> int:
    """Add a course of one session per entry of ``zones``, by ``two_weeks`` or ``six_weeks``."""
    is_new = protocol == "two_weeks"
    row = Course(
        key=keys.new(),
        patient_id=patient_id,
        protocol_id=where.two_weeks if is_new else where.six_weeks,
        service_id=where.sclerotherapy,
        zones="new" if is_new else "same",
        wishes={},
        is_decided=is_decided,
        ordered_by=where.md if is_decided else None,
        **{
            "status": "active" if is_decided else "draft",
            "created_at": at(where.today, 7),
            **columns,
        },
    )
    course_id = _added(session, row)
    floor, target, soft_max = (7, 14, 21) if is_new else (28, 42, 56)
    session.add_all(
        CourseSession(
            course_id=course_id, number=number, minutes=minutes, zones=list(treated),
            gap_floor=floor, gap_target=target, gap_soft_max=soft_max,
        )
        for number, treated in enumerate(zones, start=1)
    )  # fmt: skip
    session.flush()
    return course_id


def course_sessions(session: Session, course_id: int) -> dict[int, int]:
    """Return the id of each session of a course by its number."""
    statement = sa.select(CourseSession.number, CourseSession.id).where(
        CourseSession.course_id == course_id
    )
    return dict(session.execute(statement.order_by(CourseSession.number)).all())


def appointment(
    session: Session,
    where: SmallClinic,
    patient_id: int,
    *,
    day: date,
    hour: int = 10,
    minute: int = 0,
    service_id: int | None = None,
    minutes: int | None = None,
    site_id: int | None = None,
    provider_id: int | None = None,
    room_id: int | None = None,
    status: str = "booked",
    course_session_id: int | None = None,
    **columns: Any,
) -> int:
    """Add an appointment: a consult of ``md`` in Miami's consult room, unless told otherwise.

    With a course session, a sclerotherapy of ``pa`` in Miami's room 1. What is fulfilled took place
    as planned.
    """
    is_session = course_session_id is not None or service_id == where.sclerotherapy
    service = session.get_one(
        Service, service_id or (where.sclerotherapy if is_session else where.consult)
    )
    starts_at = at(day, hour, minute)
    ends_at = starts_at + timedelta(minutes=minutes or service.minutes)
    turnover = 10 if service.turnover_minutes is None else service.turnover_minutes
    actual = {"actual_starts_at": starts_at, "actual_ends_at": ends_at}
    row = Appointment(
        key=keys.new(),
        uid=keys.uid(),
        status=status,
        service_id=service.id,
        patient_id=patient_id,
        provider_id=provider_id or (where.pa if is_session else where.md),
        room_id=room_id or (where.miami_1 if is_session else where.miami_consult),
        site_id=site_id or where.miami,
        course_session_id=course_session_id,
        starts_at=starts_at,
        ends_at=ends_at,
        room_from=starts_at - timedelta(minutes=service.preparation_minutes or 0),
        room_until=ends_at + timedelta(minutes=turnover),
        patient_until=ends_at + timedelta(minutes=service.walk_minutes),
        **{
            "zones_treated": [],
            "created_at": at(where.today, 7),
            "ical_modified_at": at(where.today, 7),
            **(actual if status == "fulfilled" else {}),
            **columns,
        },
    )
    return _added(session, row)


def message(
    session: Session, patient_id: int, *, appointment_id: int, expires_at: datetime, **columns: Any
) -> int:
    """Add a confirmation by mail of an appointment, due since long ago."""
    due = datetime(2027, 1, 1, tzinfo=UTC)
    row = Message(
        key=keys.new(),
        patient_id=patient_id,
        appointment_id=appointment_id,
        expires_at=expires_at,
        **{
            "kind": "confirmation",
            "channel": "mail",
            "status": "waiting",
            "facts": {str(appointment_id): None},
            "not_before": due,
            "next_attempt_at": due,
            "created_at": due,
            **columns,
        },
    )
    return _added(session, row)


def absence(session: Session, *, on: date, until: date | None = None, **columns: Any) -> int:
    """Add an absence of a ``site_id``, a ``provider_id`` or a ``room_id``."""
    return _added(session, Absence(from_date=on, until_date=until or on, **columns))


def rule(
    session: Session, code: str, *, value: Any, severity: str, since: date, **columns: Any
) -> int:
    """Add a rule record, for the whole clinic unless a scope is given."""
    row = RuleRecord(
        code=code,
        value={"value": value},
        severity=severity,
        effective_from=since,
        created_at=at(since, 7),
        **{"scope": "clinic", **columns},
    )
    return _added(session, row)


def user(session: Session, *, email: str, role: str, **columns: Any) -> int:
    """Add a user who signs in with ``PASSWORD``."""
    row = User(
        email=email,
        name=email.partition("@")[0].title(),
        role=role,
        password_hash=_password_hash(),
        **{"created_at": datetime(2026, 1, 5, 15, tzinfo=UTC), **columns},
    )
    return _added(session, row)


def bump(session: Session) -> None:
    """Make every process forget what it keeps of the schedule."""
    session.flush()
    table = ScheduleVersion.metadata.tables["schedule_version"]
    session.execute(
        sa.update(table).values(version=table.c.version + 1, catalogue=table.c.version + 1)
    )


def _added(session: Session, row: Any) -> int:
    session.add(row)
    bump(session)
    return int(row.id)


def _sites(session: Session) -> dict[str, int]:
    miami = Site(name="Miami", zone=ZONE, colour="#0f766e", address="1 Example Avenue", position=1)
    aventura = Site(
        name="Aventura", zone=ZONE, colour="#7c3aed", address="2 Example Way", position=2
    )
    session.add_all([miami, aventura])
    session.flush()
    for weekday in WEEKDAYS:
        late = 20 if weekday == THURSDAY else 18
        session.add(SiteHours(site_id=miami.id, weekday=weekday, opens=time(9), closes=time(late)))
        session.add(SiteHours(site_id=aventura.id, weekday=weekday, opens=time(9), closes=time(18)))
    session.add(SiteHours(site_id=miami.id, weekday=SATURDAY, opens=time(9), closes=time(15)))
    session.add(SiteHours(site_id=aventura.id, weekday=SATURDAY, opens=time(10), closes=time(14)))
    return {"miami": miami.id, "aventura": aventura.id}


def _services(session: Session) -> dict[str, int]:
    kinds = {"consult": ("consult", 30, 0, 0), "sclerotherapy": ("session", 45, None, 20),
             "review": ("review", 10, 5, 0), "toxin": ("other", 20, 5, 0),
             "filler": ("other", 45, 10, 0), "laser": ("other", 30, 10, 0),
             "facial": ("other", 60, 10, 0)}  # fmt: skip
    rows = {
        name: Service(
            code="sclero" if name == "sclerotherapy" else name, name=name.title(), kind=kind,
            minutes=minutes, minutes_choices=[30, 45, 60] if kind == "session" else [],
            turnover_minutes=turnover, walk_minutes=walk, colour="#0ea5e9", position=position,
        )
        for position, (name, (kind, minutes, turnover, walk)) in enumerate(kinds.items(), start=1)
    }  # fmt: skip
    return _flushed(session, rows)


def _rooms(session: Session, sites: dict[str, int], services: dict[str, int]) -> dict[str, int]:
    names = {
        "miami": ("consult", "1", "2", "3", "flex"),
        "aventura": ("consult", "1", "2", "flex"),
    }
    rows = {
        f"{site}_{name}": Room(site_id=sites[site], name=_room_name(name), position=position)
        for site, of_site in names.items()
        for position, name in enumerate(of_site, start=1)
    }
    ids = _flushed(session, rows)
    for name, room_id in ids.items():
        for service, service_id in services.items():
            if _can_host(name, service):
                session.add(RoomService(room_id=room_id, service_id=service_id))
    return ids


def _room_name(name: str) -> str:
    return {"consult": "Consult", "flex": "Flexible"}.get(name, f"Treatment {name}")


def _can_host(room: str, service: str) -> bool:
    if room.endswith("_flex"):
        return True
    if room.endswith("_consult"):
        return service in ("consult", "review")
    return service not in ("consult", "facial")


def _providers(session: Session, sites: dict[str, int], services: dict[str, int]) -> dict[str, int]:
    people = {
        "md": ("Alma Rivera", "MD"),
        "pa": ("Ben Okafor", "PA-C"),
        "np_miami": ("Carla Stein", "NP"),
        "np_aventura": ("Dina Park", "NP"),
        "rn_miami": ("Elias Moreau", "RN"),
        "rn_aventura": ("Flora Nuñez", "RN"),
    }
    rows = {
        code: Provider(name=name, credentials=credentials, position=position)
        for position, (code, (name, credentials)) in enumerate(people.items(), start=1)
    }
    ids = _flushed(session, rows)
    for code, provider_id in ids.items():
        for site, weekdays in _work(code).items():
            _hours(session, provider_id, sites[site], site, weekdays, is_late=code == "np_miami")
            _matrix(session, provider_id, sites[site], services, examines=not code.startswith("rn"))
    return ids


def _work(code: str) -> dict[str, Sequence[int]]:
    if code == "md":
        return {"miami": (MONDAY, WEDNESDAY, THURSDAY), "aventura": (TUESDAY, FRIDAY)}
    site = "aventura" if code.endswith("aventura") else "miami"
    return {site: range(TUESDAY, SATURDAY + 1) if code.startswith("rn") else WEEKDAYS}


def _hours(
    session: Session,
    provider_id: int,
    site_id: int,
    site: str,
    weekdays: Sequence[int],
    *,
    is_late: bool,
) -> None:
    saturday = (9, 15) if site == "miami" else (10, 14)
    for weekday in weekdays:
        starts, ends = saturday if weekday == SATURDAY else (9, 18)
        if is_late and weekday == THURSDAY:
            ends = 20
        row = {"provider_id": provider_id, "site_id": site_id, "weekday": weekday}
        session.add(ProviderHours(**row, kind="work", starts=time(starts), ends=time(ends)))
        if weekday != SATURDAY:
            session.add(ProviderHours(**row, kind="break", starts=time(12, 30), ends=time(13)))


def _matrix(
    session: Session, provider_id: int, site_id: int, services: dict[str, int], *, examines: bool
) -> None:
    for name, service_id in services.items():
        if name != "consult" or examines:
            session.add(
                ProviderService(
                    provider_id=provider_id, service_id=service_id, site_id=site_id,
                    may_treat=True, may_examine=examines,
                )
            )  # fmt: skip


def _protocols(session: Session, service_id: int) -> dict[str, int]:
    given = {"two_weeks": ("3 × 2 weeks", "new", (7, 14, 21)),
             "six_weeks": ("3 × 6 weeks", "same", (28, 42, 56))}  # fmt: skip
    rows = {
        code: Protocol(
            name=name, service_id=service_id, sessions=3, minutes=45, zones=zones,
            gap_floor=gap[0], gap_target=gap[1], gap_soft_max=gap[2], position=position,
        )
        for position, (code, (name, zones, gap)) in enumerate(given.items(), start=1)
    }  # fmt: skip
    return _flushed(session, rows)


def _users(session: Session, md: int, now: datetime) -> dict[str, int]:
    people: dict[str, dict[str, Any]] = {
        "receptionist": {"email": "reception@example.com", "role": "receptionist"},
        "provider_user": {"email": "provider@example.com", "role": "provider", "provider_id": md},
        "manager": {"email": "manager@example.com", "role": "manager"},
    }
    return {name: user(session, **columns, created_at=now) for name, columns in people.items()}


def _flushed(session: Session, rows: dict[str, Any]) -> dict[str, int]:
    for row in rows.values():  # one by one, so that ids grow in this order
        session.add(row)
        session.flush()
    return {name: row.id for name, row in rows.items()}


@lru_cache
def _password_hash() -> str:
    return argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
