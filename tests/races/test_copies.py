"""Twenty copies of one form, sent at the same time: one effect, and the same answer for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner import clock
from planner.app import create_app
from planner.db import connections
from planner.db.engine import db
from planner.db.models import Appointment, AuditRow, Course, Patient
from tests import factories
from tests.factories import SmallClinic
from tests.web.conftest import EMAILS, csrf_of, enter, settings_for

COPIES = 20


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    bare = connections.create(database_url)
    with Session(bare) as session:
        small = factories.clinic(session, today=clock.now().date())
        session.commit()
    bare.dispose()
    app = create_app(settings_for(database_url))
    app.config["SMALL_CLINIC"] = small
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    browser = app.test_client()
    assert enter(browser, EMAILS["receptionist"]).status_code == 302
    return browser


def test_twenty_copies_of_a_booking_book_once_and_all_lead_to_it(
    app: Flask, desk: FlaskClient
) -> None:
    patient, day = _patient(app), _monday()
    clinic: SmallClinic = app.config["SMALL_CLINIC"]
    path = f"/patients/{patient}/book"
    form = {
        **_keys(desk, path),
        "service": clinic.consult,
        "minutes": "30",
        "pick": _pick(clinic.miami, clinic.md, clinic.miami_consult, day),
        "acknowledged": "",
        "do": "book",
    }
    answers = _sent_at_once(app, desk, path, form)
    [key] = _stored(app, sa.select(Appointment.key))
    assert answers == {(302, f"/appointments/{key}")}
    assert _booked(app) == 1


def test_twenty_copies_of_a_course_book_it_once_and_all_lead_to_it(
    app: Flask, desk: FlaskClient
) -> None:
    clinic: SmallClinic = app.config["SMALL_CLINIC"]
    key, day = _course(app, clinic), _monday()
    path = f"/courses/{key}"
    picks = {
        f"s{number}": _pick(
            clinic.miami, clinic.pa, clinic.miami_1, day + timedelta(days=14 * (number - 1))
        )
        for number in (1, 2, 3)
    }
    form = {**_keys(desk, path), **picks, "version": "1", "do": "book"}
    answers = _sent_at_once(app, desk, f"{path}/book", form)
    assert answers == {(302, path)}
    assert (_booked(app), len(_stored(app, sa.select(Appointment.id)))) == (1, 3)


def test_the_same_key_with_another_body_is_refused_and_books_nothing(
    app: Flask, desk: FlaskClient
) -> None:
    patient, day = _patient(app), _monday()
    clinic: SmallClinic = app.config["SMALL_CLINIC"]
    path = f"/patients/{patient}/book"
    form = {
        **_keys(desk, path),
        "service": clinic.consult,
        "minutes": "30",
        "pick": _pick(clinic.miami, clinic.md, clinic.miami_consult, day),
        "do": "book",
    }
    first = desk.post(path, data=form)
    later = _pick(clinic.miami, clinic.md, clinic.miami_consult, day + timedelta(days=2))
    second = desk.post(path, data={**form, "pick": later})
    assert (first.status_code, second.status_code, _booked(app)) == (302, 422, 1)


def _sent_at_once(
    app: Flask, desk: FlaskClient, path: str, form: Mapping[str, object]
) -> set[tuple[int, str]]:
    """Return the different answers that the copies got."""
    start = Barrier(COPIES, timeout=30)
    cookie = desk.get_cookie("planner")
    assert cookie is not None

    def send(_number: int) -> TestResponse:
        browser = app.test_client()
        browser.set_cookie("planner", cookie.value)
        start.wait()
        return browser.post(path, data=dict(form))

    with ThreadPoolExecutor(COPIES) as pool:
        answers = list(pool.map(send, range(COPIES)))
    return {(answer.status_code, answer.headers.get("Location", answer.text)) for answer in answers}


def _keys(desk: FlaskClient, path: str) -> dict[str, str]:
    """Return the hidden fields that every form of the page has, and one form key."""
    return {"csrf_token": csrf_of(desk.get(path).text), "idempotency_key": "one-form-sent-often"}


def _pick(site: int, provider: int, room: int, day: date) -> str:
    return f"{site}.{provider}.{room}.{factories.at(day, 10):%Y%m%dT%H%MZ}"


def _monday() -> date:
    today = clock.now().date()
    return today + timedelta(days=14 - today.weekday())


def _patient(app: Flask) -> str:
    return _added(app, lambda session, clinic: factories.patient(session), Patient)


def _course(app: Flask, clinic: SmallClinic) -> str:
    def add(session: Session, clinic: SmallClinic) -> int:
        patient_id = factories.patient(session)
        factories.consult_done(session, clinic, patient_id, on=clinic.today)
        factories.consent(session, patient_id, on=clinic.today)
        return factories.course(session, clinic, patient_id)

    return _added(app, add, Course)


def _added(
    app: Flask,
    add: Callable[[Session, SmallClinic], int],
    model: type[Patient] | type[Course],
) -> str:
    with app.app_context(), Session(db.engine) as session:
        row: Any = session.get_one(model, add(session, app.config["SMALL_CLINIC"]))
        session.commit()
        return str(row.key)


def _booked(app: Flask) -> int:
    """Return how many bookings the audit trail tells of."""
    actions = ("appointment.booked", "course.booked")
    requests = sa.select(AuditRow.request_id).where(AuditRow.action.in_(actions)).distinct()
    return len(_stored(app, requests))


def _stored(app: Flask, statement: Any) -> list[Any]:
    with app.app_context(), Session(db.engine) as session:
        return list(session.scalars(statement))
