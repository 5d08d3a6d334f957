"""The sites, rooms, providers, services and users of the demo clinic (clinic.md, section 5)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import passwords, wording
from planner.actions import access
from planner.db import seed
from planner.db.engine import Tx
from planner.db.models import (
    Absence,
    Clinic,
    ClinicText,
    Provider,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    Service,
    Site,
    SiteHours,
    User,
)
from planner.scheduling import holidays

ZONE = "America/New_York"
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = range(6)
WEEK = range(MONDAY, SATURDAY)
SITES = (
    ("Miami", "#0f766e", ("Consult", "Treatment 1", "Treatment 2", "Treatment 3", "Flexible")),
    ("Aventura", "#b45309", ("Consult", "Treatment 1", "Treatment 2", "Flexible")),
    ("Coral Gables", "#4655c5", ("Consult", "Treatment 1", "Treatment 2", "Flexible")),
    ("Doral", "#ab2f97", ("Consult", "Treatment 1", "Treatment 2", "Flexible")),
    ("Hollywood", "#197a3c", ("Consult", "Treatment 1", "Treatment 2", "Flexible")),
    ("Boca Raton", "#7343c9", ("Consult", "Treatment 1", "Treatment 2", "Flexible")),
)
OTHER_SERVICES = (
    ("TOXIN", "Toxin", 20, 5, "#be2a5b"),
    ("FILLER", "Filler", 45, 10, "#ab2f97"),
    ("LASER", "Laser", 30, 10, "#8f6a00"),
    ("FACIAL", "Facial", 60, 10, "#5a7a12"),
)
TEAM = (
    ("Dr. Alma Rivera", "MD", "#0f766e"),
    ("Ben Okafor", "PA-C", "#1d6fd1"),
    ("Carla Stein", "NP", "#7343c9"),
    ("Dina Park", "NP", "#be2a5b"),
    ("Elias Moreau", "RN", "#8f6a00"),
    ("Flora Núñez", "RN", "#526773"),
)
ONE_ROOM = ("DUPLEX", "Duplex ultrasound", 30, 10, "#4655c5")
LEAVER = ("Vera Lang", "RN", "#ab2f97")
GIVEN = (
    "Gina",
    "Hugo",
    "Irene",
    "Jon",
    "Kara",
    "Leo",
    "Mona",
    "Nils",
    "Olga",
    "Pau",
    "Rita",
    "Sam",
)
FAMILY = ("Abel", "Brandt", "Cohen", "Duarte", "Ekman", "Fox", "Grant", "Haas", "Ivers", "Jonas")
RECEPTIONISTS = ("reception@example.com", "reception2@example.com", "reception3@example.com")


def is_empty(session: Session) -> bool:
    """Whether there is no site."""
    return session.scalar(sa.select(Site.id).limit(1)) is None


def leaver(session: Session) -> int:
    """Return the id of the provider who is going to leave."""
    return session.scalars(sa.select(Provider.id).where(Provider.name == LEAVER[0])).one()


def one_room_service(session: Session) -> int:
    """Return the id of the service that only one room can host."""
    return session.scalars(sa.select(Service.id).where(Service.code == ONE_ROOM[0])).one()


def add(tx: Tx, *, sites: int, providers: int, today: date) -> None:
    """Add everything that a manager would set up."""
    seed.add(tx)
    _own_words(tx)
    services = _services(tx)
    site_ids = _sites(tx, sites, services)
    people = _providers(tx, providers)
    _work(tx, people, site_ids, services)
    _leaver(tx, site_ids[0], services, position=len(people))
    _closures(tx, site_ids, today)
    _users(tx, people, tx.now)


def _own_words(tx: Tx) -> None:
    clinic = tx.session.scalars(sa.select(Clinic)).one()
    clinic.phone, clinic.email = "305-555-0100", "hello@example.com"
    clinic.neutral_name = "GMA"
    for text in tx.session.scalars(sa.select(ClinicText)):
        if text.code in ("arrival", "warning_signs"):
            text.is_placeholder = False


def _services(tx: Tx) -> dict[str, int]:
    others = (*OTHER_SERVICES, ONE_ROOM)
    for position, (code, name, minutes, turnover, colour) in enumerate(others, start=10):
        tx.session.add(
            Service(
                code=code,
                name=name,
                kind="other",
                minutes=minutes,
                minutes_choices=[minutes],
                turnover_minutes=turnover,
                colour=colour,
                position=position,
            )
        )
    tx.session.flush()
    return dict(tx.session.execute(sa.select(Service.code, Service.id)).all())


def _sites(tx: Tx, count: int, services: dict[str, int]) -> list[int]:
    found = []
    for position, (name, colour, rooms) in enumerate(SITES[:count], start=1):
        site = Site(
            name=name,
            address=f"{100 * position} Example Avenue, {name}, FL",
            phone=f"305-555-01{position:02d}",
            colour=colour,
            zone=ZONE,
            position=position,
        )
        tx.session.add(site)
        tx.session.flush()
        for weekday in WEEK:
            closes = 20 if name == "Miami" and weekday == THURSDAY else 18
            tx.session.add(_open(site.id, weekday, 9, closes))
        opens, closes = (9, 15) if name == "Miami" else (10, 14)
        tx.session.add(_open(site.id, SATURDAY, opens, closes))
        hosted = {code: its_id for code, its_id in services.items() if _is_given(code, position)}
        _rooms(tx, site.id, rooms if count == 2 else (*rooms, *_more_rooms()), hosted)
        found.append(site.id)
    return found


def _more_rooms() -> tuple[str, ...]:
    return ("Consult 2", *(f"Treatment {number}" for number in range(4, 11)))


def _open(site_id: int, weekday: int, opens: int, closes: int) -> SiteHours:
    return SiteHours(site_id=site_id, weekday=weekday, opens=time(opens), closes=time(closes))


def _rooms(tx: Tx, site_id: int, names: tuple[str, ...], services: dict[str, int]) -> None:
    for position, name in enumerate(names, start=1):
        room = Room(site_id=site_id, name=name, position=position)
        tx.session.add(room)
        tx.session.flush()
        for code, service_id in services.items():
            if _hosts(name, code):
                tx.session.add(RoomService(room_id=room.id, service_id=service_id))


def _is_given(service: str, site: int) -> bool:
    return service != ONE_ROOM[0] or site == 1


def _hosts(room: str, service: str) -> bool:
    if room.startswith("Consult"):
        return service in ("CONSULT", "REVIEW")
    if room == "Flexible" or service == ONE_ROOM[0]:
        return room == "Flexible"
    return service != "CONSULT" and not (service == "FACIAL" and room.endswith("1"))


def _providers(tx: Tx, count: int) -> list[tuple[Provider, str]]:
    found = []
    for position in range(count):
        if position < len(TEAM):
            name, credentials, colour = TEAM[position]
        else:
            extra = position - len(TEAM)
            name = f"{GIVEN[extra % len(GIVEN)]} {FAMILY[extra // len(GIVEN) % len(FAMILY)]}"
            credentials, colour = ("PA-C", "NP", "NP", "RN")[extra % 4], TEAM[extra % 6][2]
        row = Provider(name=name, credentials=credentials, colour=colour, position=position)
        tx.session.add(row)
        tx.session.flush()
        found.append((row, credentials))
    return found


def _work(
    tx: Tx, people: list[tuple[Provider, str]], sites: list[int], services: dict[str, int]
) -> None:
    for number, (row, credentials) in enumerate(people):
        for site_id, weekdays in _days(number, credentials, sites).items():
            is_first = site_id == sites[0]
            for weekday in weekdays:
                _day(tx, row.id, site_id, weekday, is_first=is_first)
            for code, service_id in services.items():
                if is_first or code != ONE_ROOM[0]:
                    tx.session.add(_may(row.id, site_id, service_id, code, credentials))


def _leaver(tx: Tx, site_id: int, services: dict[str, int], *, position: int) -> None:
    """Add somebody who treats at the first site and is going to leave; no user."""
    name, credentials, colour = LEAVER
    row = Provider(name=name, credentials=credentials, colour=colour, position=position)
    tx.session.add(row)
    tx.session.flush()
    for weekday in WEEK:
        _day(tx, row.id, site_id, weekday, is_first=True)
    for code, service_id in services.items():
        tx.session.add(_may(row.id, site_id, service_id, code, credentials))


def _days(number: int, credentials: str, sites: list[int]) -> dict[int, tuple[int, ...]]:
    """Return the weekdays per site: the doctor at two, everybody else at one."""
    if credentials == "MD":
        return {sites[0]: (MONDAY, WEDNESDAY, THURSDAY), sites[1]: (TUESDAY, FRIDAY)}
    days = tuple(WEEK) if credentials != "RN" else tuple(range(TUESDAY, SATURDAY + 1))
    return {sites[number % len(sites)]: days}


def _day(tx: Tx, provider_id: int, site_id: int, weekday: int, *, is_first: bool) -> None:
    starts, ends = (9, 18)
    if weekday == SATURDAY:
        starts, ends = (9, 15) if is_first else (10, 14)
    elif weekday == THURSDAY and is_first:
        starts, ends = (10, 20)
    row: dict[str, Any] = {"provider_id": provider_id, "site_id": site_id, "weekday": weekday}
    tx.session.add(ProviderHours(**row, kind="work", starts=time(starts), ends=time(ends)))
    if weekday != SATURDAY:
        noon = 13 if provider_id % 2 else 12
        tx.session.add(ProviderHours(**row, kind="break", starts=time(noon), ends=time(noon, 30)))


def _may(
    provider_id: int, site_id: int, service_id: int, code: str, credentials: str
) -> ProviderService:
    examines = credentials != "RN"
    return ProviderService(
        provider_id=provider_id,
        service_id=service_id,
        site_id=site_id,
        may_examine=examines and code in ("CONSULT", "SCLERO", "REVIEW"),
        may_treat=code not in ("CONSULT", ONE_ROOM[0]) or examines,
    )


def _closures(tx: Tx, sites: list[int], today: date) -> None:
    """Close on the big holidays, and for a hurricane last September: both sites, then one of them."""
    for year in (today.year - 1, today.year, today.year + 1):
        for holiday in holidays.of_year(year):
            if holiday.code in ("thanksgiving", "christmas", "new_year", "independence"):
                _close(tx, sites, holiday.day, holiday.day, wording.holiday(holiday.code, "en"))
    september = date(today.year if today.month > 9 else today.year - 1, 9, 8)
    _close(tx, sites, september, september + timedelta(days=3), "Hurricane")
    _close(
        tx,
        sites[:1],
        september + timedelta(days=14),
        september + timedelta(days=17),
        "Storm damage",
    )


def _close(tx: Tx, sites: list[int], first: date, last: date, reason: str) -> None:
    for site_id in sites:
        tx.session.add(Absence(site_id=site_id, from_date=first, until_date=last, reason=reason))


def _users(tx: Tx, people: list[tuple[Provider, str]], now: datetime) -> None:
    stored = passwords.hashed(access.DEMO_PASSWORD)
    for number, email in enumerate(RECEPTIONISTS, start=1):
        tx.session.add(_user(email, f"Reception {number}", "receptionist", stored, now))
    tx.session.add(_user("manager@example.com", "Manager", "manager", stored, now))
    for number, (row, _) in enumerate(people):
        email = "provider@example.com" if number == 0 else f"provider{number + 1}@example.com"
        user = _user(email, row.name, "provider", stored, now)
        user.provider_id = row.id
        tx.session.add(user)


def _user(email: str, name: str, role: str, stored: str, now: datetime) -> User:
    return User(email=email, name=name, role=role, password_hash=stored, created_at=now)
