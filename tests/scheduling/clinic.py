"""A small clinic of plain values, and short ways to ask it something."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from planner.scheduling import availability, hours, rulebook, rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    Busy,
    Conflict,
    ConsultFact,
    CourseOrder,
    Gap,
    Kind,
    PatientFacts,
    ProviderFacts,
    RoomFacts,
    RuleSetting,
    ServiceFacts,
    SessionOrder,
    Severity,
    SiteFacts,
    Slot,
    Status,
    Timetable,
    WeeklyHours,
)

ZONE = "America/New_York"
MIAMI, AVENTURA = 1, 2
SESSION, CONSULT, REVIEW, TOXIN = 1, 2, 3, 4
MD, NURSE = 1, 2
ROOM, ROOM_2, CONSULT_ROOM, AVENTURA_ROOM = 1, 2, 3, 4
PATIENT, OTHER_PATIENT = 1, 2
COURSE = 1

NOW = hours.instant(date(2026, 3, 2), time(8), ZONE)  # a Monday
NEW_ZONES = Gap(floor=7, target=14, soft_max=21)
SAME_ZONE = Gap(floor=28, target=42, soft_max=56)
TREATED = {(service, site) for service in (SESSION, REVIEW, TOXIN) for site in (MIAMI, AVENTURA)}


def week(
    starts: time = time(9), ends: time = time(18), days: range = range(5), **rest: Any
) -> tuple[WeeklyHours, ...]:
    """Monday to Friday, nine to six."""
    return tuple(WeeklyHours(weekday=day, starts=starts, ends=ends, **rest) for day in days)


def patient(**rest: Any) -> PatientFacts:
    """An adult, screened, found a candidate on 1 March 2026."""
    facts = {
        "birth_date": date(1980, 1, 1),
        "is_screened": True,
        "consults": (ConsultFact(on=date(2026, 3, 1), outcome="candidate"),),
    }
    return PatientFacts(**{**facts, **rest})


def clinic(**rest: Any) -> Timetable:
    """Two sites; the MD examines and treats at both, the nurse treats; 400 days from 1 March 2026."""
    everybody = {MIAMI: week(), AVENTURA: week()}
    values: dict[str, Any] = {
        "horizon": Interval(NOW - timedelta(days=1), NOW + timedelta(days=400)),
        "now": NOW,
        "sites": {
            MIAMI: SiteFacts(zone=ZONE, grid_minutes=15, hours=week()),
            AVENTURA: SiteFacts(zone=ZONE, grid_minutes=15, hours=week()),
        },
        "rooms": {
            ROOM: RoomFacts(site_id=MIAMI, service_ids=frozenset({SESSION, REVIEW, TOXIN})),
            ROOM_2: RoomFacts(site_id=MIAMI, service_ids=frozenset({SESSION})),
            CONSULT_ROOM: RoomFacts(site_id=MIAMI, service_ids=frozenset({CONSULT})),
            AVENTURA_ROOM: RoomFacts(
                site_id=AVENTURA, service_ids=frozenset({SESSION, CONSULT, REVIEW})
            ),
        },
        "providers": {
            MD: ProviderFacts(
                hours=everybody,
                breaks={},
                treats=frozenset(TREATED),
                examines=frozenset({(CONSULT, MIAMI), (CONSULT, AVENTURA), (REVIEW, MIAMI)}),
            ),
            NURSE: ProviderFacts(
                hours=everybody, breaks={}, treats=frozenset(TREATED), examines=frozenset()
            ),
        },
        "services": {
            SESSION: ServiceFacts(
                kind=Kind.SESSION, minutes=45, turnover_minutes=10, walk_minutes=20
            ),
            CONSULT: ServiceFacts(kind=Kind.CONSULT, minutes=30),
            REVIEW: ServiceFacts(kind=Kind.REVIEW, minutes=10),
            TOXIN: ServiceFacts(kind=Kind.OTHER, minutes=20),
        },
        "patients": {PATIENT: patient(), OTHER_PATIENT: patient()},
    }
    return Timetable(**{**values, **rest})


def with_patient(timetable: Timetable | None = None, **facts: Any) -> Timetable:
    """The clinic with these facts of the patient."""
    return replace(timetable or clinic(), patients={PATIENT: patient(**facts)})


def rulebook_value(code: str) -> dict[str, Any]:
    """The value of a rule as shipped."""
    return dict(rulebook.default(code).value)


def rule(code: str, value: Any = None, severity: str = "info", **rest: Any) -> RuleSetting:
    """A record of the clinic's own, in force since 2020."""
    record = {"scope": "clinic", "scope_id": None, "effective_from": date(2020, 1, 1)}
    return RuleSetting(code=code, value=value, severity=Severity(severity), **{**record, **rest})


def at(day: date, hour: int = 10, minute: int = 0) -> datetime:
    """The instant of a wall-clock time in Miami."""
    return hours.instant(day, time(hour, minute), ZONE)


def slot(day: date, hour: int = 10, minute: int = 0, **rest: Any) -> Slot:
    """A session of 45 minutes of the patient with the MD in the first room."""
    values = {
        "service_id": SESSION,
        "site_id": MIAMI,
        "provider_id": MD,
        "room_id": ROOM,
        "patient_id": PATIENT,
        **rest,
    }
    return availability.slot_at(clinic(), starts_at=at(day, hour, minute), **values)


def busy(taken: Slot, appointment_id: int = 1, **rest: Any) -> Busy:
    """An appointment at this slot, booked."""
    return Busy(appointment_id=appointment_id, slot=taken, **{"status": Status.BOOKED, **rest})


def session(number: int, zones: str = "", **rest: Any) -> SessionOrder:
    """A session of 45 minutes two weeks after the one before; zones apart by spaces."""
    values = {"minutes": 45, "gap": NEW_ZONES, **rest}
    return SessionOrder(number=number, zones=frozenset(zones.split()), **values)


def order(*sessions: SessionOrder, **rest: Any) -> CourseOrder:
    """The patient's course; three sessions two weeks apart unless others are named."""
    rows = sessions or (session(1), session(2), session(3))
    values = {"service_id": SESSION, "patient_id": PATIENT, "course_id": COURSE}
    return CourseOrder(sessions=rows, **{"same_zone_gap": SAME_ZONE, **values, **rest})


def found(taken: Slot, timetable: Timetable | None = None, **rest: Any) -> dict[str, str]:
    """The severities of the conflicts by code."""
    conflicts = rules.conflicts(taken, timetable or clinic(), **rest)
    return {conflict.code: conflict.severity.value for conflict in conflicts}


def only(taken: Slot, timetable: Timetable | None = None, **rest: Any) -> Conflict:
    """The one conflict there is."""
    (conflict,) = rules.conflicts(taken, timetable or clinic(), **rest)
    return conflict
