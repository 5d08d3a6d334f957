"""A clinic in the middle of its work, and a way back to it after every blow."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner.actions import feeds, links
from planner.db import connections
from planner.db.engine import db
from planner.db.models import (
    Appointment,
    ClinicText,
    Course,
    Decision,
    Notice,
    Patient,
    Provider,
    Room,
    Service,
    Site,
)
from planner.who import SYSTEM, Who
from tests import factories
from tests.factories import SmallClinic
from tests.support import databases
from tests.web.conftest import EMAILS, application, cookie_of, csrf_of, enter

TODAY = date(2027, 3, 1)  # a Monday; the clocks change two weeks later
NOW = datetime(2027, 3, 1, 15, tzinfo=UTC)  # ten o'clock at the sites
OTHER_TOKEN = "0ther_" + "y" * 37
PAGE_TOKEN = "Page0_" + "z" * 37
FEED_TOKEN = "Feed0_" + "w" * 37
COLLEAGUE = "colleague@example.com"
ROLES = ("receptionist", "provider", "manager")
PATIENT = "patient"
"""Whoever holds the link of a patient's own page: nobody who signs in."""

COOKIES = {PATIENT: "planner-visits"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who and what there is, by the keys and ids that stand in addresses."""

    clinic: SmallClinic
    patients: Mapping[str, str]
    courses: Mapping[str, str]
    appointments: Mapping[str, str]
    ids: Mapping[str, int]


@dataclass(slots=True)
class World:
    """The application, its people signed in, and the database to go back to."""

    app: Flask
    cast: Cast
    put_back: Callable[[int], None]
    cookies: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)  # all pages that a role finds, as made
    answered: int = 0
    age: int = 0

    def ask(
        self, role: str, path: str, *, method: str = "GET", headers: Any = None, **rest: Any
    ) -> TestResponse:
        """Send a request as somebody; "" is nobody. What the browser would store is dropped."""
        cookie = {"Cookie": f"{COOKIES.get(role, 'planner')}={self.cookies[role]}"}
        self.answered += 1
        return self.browser.open(path, method=method, headers={**cookie, **(headers or {})}, **rest)

    def post(
        self, role: str, page: str, path: str, fields: Mapping[str, str], **rest: Any
    ) -> TestResponse:
        """Send a form with the token of a page."""
        data = {"csrf_token": csrf_of(self.ask(role, page).text), **fields}
        return self.ask(role, path, method="POST", data=data, **rest)

    @property
    def browser(self) -> FlaskClient:
        """Return a browser that keeps nothing."""
        return self.app.test_client(use_cookies=False)

    def restore(self) -> None:
        """Put the database back to how it was; no process believes what it keeps of another past."""
        self.age += 1
        self.close()
        self.put_back(1000 * self.age)

    def close(self) -> None:
        """Close every connection to the database."""
        with self.app.app_context():
            db.engine.dispose()


def fill(url: str, texts: Mapping[str, str] | None = None) -> Cast:
    """Write the clinic and everything that goes on in it. ``texts`` are said by its patients."""
    engine = connections.create(url)
    with Session(engine, expire_on_commit=False) as session:
        cast = _cast(session, factories.clinic(session, today=TODAY), texts or {})
        session.commit()
    engine.dispose()
    return cast


def open_on(url: str, cast: Cast, put_back: Callable[[int], None]) -> World:
    """Return the application on a filled database, with somebody of each role signed in."""
    app = application(url, idle_minutes=720)
    app.testing = True
    world = World(app=app, cast=cast, put_back=put_back)
    with app.app_context():
        for name, token in (("ana", PAGE_TOKEN), ("bob", OTHER_TOKEN)):
            key = cast.patients[name]
            links.create(key, token, replaces_others=False, by=SYSTEM, now=NOW)
        provider = Who(user_id=None, role="provider", provider_id=cast.clinic.md)
        feeds.subscribe_provider(FEED_TOKEN, by=provider, now=NOW)
    for role in (*ROLES, "colleague"):
        browser = app.test_client()
        answer = enter(browser, {**EMAILS, "colleague": COLLEAGUE}[role])
        assert answer.status_code == 302, answer.text
        assert browser.get("/account").status_code == 200  # it stores the secret of all its forms
        world.cookies[role] = cookie_of(browser)
    stranger = app.test_client()
    assert stranger.get("/sign-in").status_code == 200
    world.cookies[""] = cookie_of(stranger)
    patient = app.test_client()
    assert patient.get(f"/p/{PAGE_TOKEN}").location == "/visits"
    world.cookies[PATIENT] = cookie_of(patient, COOKIES[PATIENT])
    with app.app_context():
        db.engine.dispose()
    return world


def keep_sqlite(url: str) -> Callable[[int], None]:
    """Return what puts a SQLite file back; the argument is added to its schedule version."""
    path = Path(sa.make_url(url).database or "")
    kept = path.with_suffix(".kept")

    def put_back(version: int) -> None:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(kept, path)
        _age(connections.create(url), version)

    with closing(connections.create(url).raw_connection()) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, kept)
    return put_back


def keep_postgres(server: str, name: str) -> Callable[[int], None]:
    """Return what makes a PostgreSQL database anew from a copy that nobody opens."""
    kept = f"{name}_kept"
    databases.copy_postgres(server, kept, name)

    def put_back(version: int) -> None:
        databases.execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')
        databases.copy_postgres(server, name, kept)
        _age(connections.create(databases.with_name(server, name)), version)

    return put_back


def dump(app: Flask, *, without: frozenset[str]) -> dict[str, list[str]]:
    """Return every row of every table as text, in an order of its own."""
    with app.app_context(), db.engine.connect() as connection:
        tables = db.metadata.sorted_tables
        return {
            table.name: sorted(
                repr([row[c.name] for c in table.c if f"{table.name}.{c.name}" not in without])
                for row in connection.execute(sa.select(table)).mappings()
            )
            for table in tables
            if table.name not in without
        }


def _age(engine: sa.Engine, version: int) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE schedule_version SET version = version + {version},"
            f" catalogue = catalogue + {version}"
        )
    engine.dispose()


def _cast(session: Session, clinic: SmallClinic, texts: Mapping[str, str]) -> Cast:
    people = _people(session, texts)
    orders = _orders(session, clinic, people)
    visits = _visits(session, clinic, people, orders, texts)
    others = _others(session, clinic, people, orders, visits, texts)
    session.flush()
    return Cast(
        clinic=clinic,
        patients={name: session.get_one(Patient, n).key for name, n in people.items()},
        courses={name: session.get_one(Course, n).key for name, n in orders.items()},
        appointments={name: session.get_one(Appointment, n).key for name, n in visits.items()},
        ids={
            **others,
            **{f"patient {name}": n for name, n in people.items()},
            **{f"course {name}": n for name, n in orders.items()},
            **{f"appointment {name}": n for name, n in visits.items()},
        },
    )


def _people(session: Session, texts: Mapping[str, str]) -> dict[str, int]:
    facts: dict[str, Any] = {
        "given_name": "Ana", "family_name": "Lopez", "phone": "+13055550101",
        "email": "ana@example.com", "note": "Prefers mornings",
    }  # fmt: skip
    ana = factories.patient(
        session, **{name: texts.get(name, fact) for name, fact in facts.items()}
    )
    bob = factories.patient(session, given_name="Bob", family_name="Baker", phone="+13055550102")
    cara = factories.patient(session, given_name="Cara", family_name="Lopez", merged_into_id=ana)
    dora = factories.patient(session, given_name="Dora", family_name="Diaz", language="es")
    eve = factories.patient(session, given_name="Eve", family_name="Lopez", birth_date=None)
    return {"ana": ana, "bob": bob, "cara": cara, "dora": dora, "eve": eve}


def _orders(session: Session, clinic: SmallClinic, people: dict[str, int]) -> dict[str, int]:
    orders = {
        "ana": factories.course(session, clinic, people["ana"], package="package of 3, 1 used"),
        "bob": factories.course(session, clinic, people["bob"], is_decided=False),
        "dora": factories.course(session, clinic, people["dora"], protocol="six_weeks"),
    }
    held = TODAY - timedelta(days=21)
    for name in ("ana", "dora"):
        factories.consult_done(session, clinic, people[name], on=held, course_id=orders[name])
        factories.consent(session, people[name], on=held)
    return orders


def _visits(
    session: Session,
    clinic: SmallClinic,
    people: dict[str, int],
    orders: dict[str, int],
    texts: Mapping[str, str],
) -> dict[str, int]:
    ana, bob, dora, eve = (people[name] for name in ("ana", "bob", "dora", "eve"))
    of_ana, of_bob = (factories.course_sessions(session, orders[n]) for n in ("ana", "bob"))
    soon, before = NOW + timedelta(hours=6), NOW - timedelta(minutes=50)

    def add(patient_id: int, day: int, **columns: Any) -> int:
        on = TODAY + timedelta(days=day)
        return factories.appointment(session, clinic, patient_id, day=on, **columns)

    said = {
        name: texts[name] for name in ("health_answer", "call_back_note", "note") if name in texts
    }
    health = {"health_state": "review", "health_answer": "feels dizzy"}
    note = {name: text for name, text in said.items() if name != "call_back_note"}
    call = {"call_back_note": said.get("call_back_note", "asks her sister")}
    return {
        "fulfilled": add(ana, -14, course_session_id=of_ana[1], status="fulfilled"),
        "booked": add(ana, 0, hour=14, course_session_id=of_ana[2], **{**health, **note}),
        "later": add(ana, 15, course_session_id=of_ana[3]),
        "asked": add(
            ana, 0, hour=16, service_id=clinic.review, provider_id=clinic.pa,
            room_id=clinic.miami_flex,
        ),
        "reserved": add(bob, 9, course_session_id=of_bob[1], status="reserved", expires_at=soon),
        "held": add(eve, 1, status="held", expires_at=soon, **call),
        "consult": add(dora, 0, hour=9, status="started", actual_starts_at=before, arrived_at=before),
        "arrived": add(
            eve, 0, hour=9, minute=30, status="arrived", arrived_at=NOW,
            service_id=clinic.review, provider_id=clinic.pa,
        ),
        "started": add(
            bob, 0, hour=9, minute=10, status="started", arrived_at=before, actual_starts_at=before,
            service_id=clinic.sclerotherapy, room_id=clinic.miami_2, provider_id=clinic.np_miami,
        ),
        "cancelled": add(eve, -3, status="cancelled", ended_by="patient", ended_reason="ill"),
    }  # fmt: skip


def _others(
    session: Session,
    clinic: SmallClinic,
    people: dict[str, int],
    orders: dict[str, int],
    visits: dict[str, int],
    texts: Mapping[str, str],
) -> dict[str, int]:
    later = TODAY + timedelta(days=40)
    flight = {name: people[name] for name in ("ana", "bob")}
    days = {
        f"date {name}": factories.date_to_avoid(session, one, kind="flight", on=later)
        for name, one in flight.items()
    }
    bobs_consent = factories.consent(session, people["bob"], on=TODAY - timedelta(days=9))
    closure = factories.absence(session, on=later, site_id=clinic.aventura, reason="storm")
    factories.absence(session, on=later, room_id=clinic.miami_3, reason="laser broken")
    factories.absence(session, on=later, provider_id=clinic.rn_miami, reason="training")
    factories.rule(session, "consult.valid_days", value=150, severity="decide", since=TODAY)
    factories.user(session, email=COLLEAGUE, role="provider", provider_id=clinic.pa)
    _messages(session, people["ana"], visits["later"], texts)
    why = texts.get("reason", "agreed on the phone")
    given = {
        f"decision {name}": _decision(
            session, who, people["ana"], orders["ana"], visits["later"], why
        )
        for name, who in (("md", clinic.md), ("pa", clinic.pa))
    }
    told = _notices(session, people, visits, texts)
    return {
        **days, **given, **told, **_retired(session), "closure": closure, "consent bob": bobs_consent,
    }  # fmt: skip


def _notices(
    session: Session, people: dict[str, int], visits: dict[str, int], texts: Mapping[str, str]
) -> dict[str, int]:
    said = texts.get("note", "mornings are better")
    rows = {
        "notice time": Notice(
            kind="another_time", text=said, appointment_id=visits["later"], wishes={"weekdays": [0]}
        ),
        "notice away": Notice(
            kind="cannot_come", text=said, appointment_id=visits["booked"], wishes={}
        ),
        "notice flight": Notice(kind="flight", flight_on=TODAY + timedelta(days=20), wishes={}),
        "notice health": Notice(
            kind="health", health_text=texts.get("health_answer", "feels dizzy"), wishes={}
        ),
    }
    for row in rows.values():
        row.patient_id, row.created_at = people["ana"], NOW
    session.add_all(rows.values())
    session.flush()
    return {name: row.id for name, row in rows.items()}


def _messages(session: Session, patient_id: int, visit_id: int, texts: Mapping[str, str]) -> None:
    """Let one wait, one be sent, and one have failed."""
    starts_at = session.get_one(Appointment, visit_id).starts_at
    said = texts.get("reason", "We look forward to seeing you.")
    for status in ("waiting", "sent", "failed"):
        factories.message(
            session, patient_id, appointment_id=visit_id, expires_at=starts_at, status=status,
            recipient="ana@example.com", locale="en", subject=said, body=said, last_error=said,
        )  # fmt: skip


def _decision(
    session: Session, provider_id: int, patient_id: int, course_id: int, visit_id: int, why: str
) -> int:
    row = Decision(
        rule_code="gap.below_floor", patient_id=patient_id, course_id=course_id,
        appointment_id=visit_id, provider_id=provider_id, reason=why, params={}, by_phone=True,
        given_at=NOW,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def _retired(session: Session) -> dict[str, int]:
    gone = TODAY - timedelta(days=30)
    site = Site(name="Kendall", zone=factories.ZONE, colour="#475569", retired_from=gone)
    session.add(site)
    session.flush()
    rows: dict[str, Any] = {
        "retired room": Room(site_id=site.id, name="Old room", retired_from=gone),
        "retired provider": Provider(name="Otto Olden", credentials="MD", retired_from=gone),
        "retired service": Service(
            code="old", name="Old peel", kind="other", minutes=30, colour="#475569",
            retired_from=gone, minutes_choices=[],
        ),
    }  # fmt: skip
    session.add_all(rows.values())
    session.add(ClinicText(code="portal.questions", language="en", text="Call us."))
    session.flush()
    return {"retired site": site.id, **{name: row.id for name, row in rows.items()}}
