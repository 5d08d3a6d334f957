"""What a patient's link opens, for whoever holds it, and what it never tells."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog.testing
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from planner import clock
from planner.actions import links
from planner.db.engine import db
from planner.db.models import Appointment, AuditRow, Patient, PatientLink
from planner.who import SYSTEM
from tests import factories
from tests.queries.test_calendars import FORBIDDEN
from tests.support import calendars

TOKEN = "T0ken_" + "x" * 37


@pytest.fixture
def patient(
    app: Flask, clinic: factories.SmallClinic, given: Callable[..., Any], today: date
) -> str:
    """The key of a patient with two visits, who holds a link."""
    patient_id = given(factories.patient, language="es")
    course_id = given(factories.course, clinic, patient_id)
    numbers = given(factories.course_sessions, course_id)
    for n in (1, 2):
        given(
            factories.appointment, clinic, patient_id, day=today + timedelta(days=14 * n),
            course_session_id=numbers[n],
        )  # fmt: skip
    with app.app_context():
        with Session(db.engine) as session:
            key = session.get_one(Patient, patient_id).key
        links.create(key, TOKEN, replaces_others=False, by=SYSTEM, now=clock.now())
    return key


def link(app: Flask) -> PatientLink:
    with app.app_context(), Session(db.engine) as session:
        return session.scalars(sa.select(PatientLink)).one()


def openings(app: Flask) -> list[str]:
    with app.app_context(), Session(db.engine) as session:
        rows = session.scalars(
            sa.select(AuditRow).where(AuditRow.action == "link.open").order_by(AuditRow.id)
        )
        return [row.after["opened"] for row in rows if row.after and "opened" in row.after]


def test_the_page_shows_when_and_where_in_the_patients_language(
    client: FlaskClient, patient: str
) -> None:
    page = client.get(f"/c/{TOKEN}")
    assert page.status_code == 200
    assert '<html lang="es">' in page.text
    assert "Agregar todas al calendario" in page.text
    assert page.text.count("10:00") == 2 and page.text.count("<bdi>Miami</bdi>") == 2


def test_the_page_tells_nothing_of_what_the_visits_are_for(
    client: FlaskClient, patient: str
) -> None:
    page = client.get(f"/c/{TOKEN}").text.lower()
    text = re.sub(r"<[^>]+>", " ", page)
    assert [word for word in FORBIDDEN if word in text] == []
    assert "glamour" not in page


def test_the_page_loads_nothing_runs_nothing_and_sets_no_cookie(
    client: FlaskClient, patient: str
) -> None:
    for address in (f"/c/{TOKEN}", f"/c/{TOKEN}/calendar.ics", "/c/unknown"):
        answer = client.get(address)
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "<script" not in answer.text and "style=" not in answer.text


def test_the_file_holds_the_visits_and_all_that_follows(client: FlaskClient, patient: str) -> None:
    answer = client.get(f"/c/{TOKEN}/calendar.ics")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="visits.ics"'
    assert len(calendars.icaljs(answer.data)) == 12


def test_one_visit_alone_is_a_file_of_its_own(
    app: Flask, client: FlaskClient, patient: str
) -> None:
    with app.app_context(), Session(db.engine) as session:
        row = session.scalars(sa.select(Appointment).order_by(Appointment.starts_at)).first()
        assert row is not None
        key, uid = row.key, row.uid
    answer = client.get(f"/c/{TOKEN}/calendar.ics?visit={key}")
    assert f"visit={key}" in client.get(f"/c/{TOKEN}").text
    assert answer.headers["Content-Disposition"] == 'attachment; filename="visit.ics"'
    head = uid.partition("@")[0]
    assert {one.partition("@")[0].partition("-")[0] for one in calendars.icaljs(answer.data)} == {
        head
    }


def test_another_patients_visit_is_not_in_the_file(
    app: Flask,
    client: FlaskClient,
    patient: str,
    clinic: factories.SmallClinic,
    given: Callable[..., int],
    today: date,
) -> None:
    other = given(factories.patient, given_name="Other")
    visit = given(factories.appointment, clinic, other, day=today + timedelta(days=21))
    with app.app_context(), Session(db.engine) as session:
        key = session.get_one(Appointment, visit).key
    answer = client.get(f"/c/{TOKEN}/calendar.ics?visit={key}")
    assert (answer.status_code, calendars.icaljs(answer.data)) == (200, {})


def test_opening_a_link_changes_nothing_but_the_note_of_it(
    app: Flask, client: FlaskClient, patient: str, moment: time_machine.Traveller
) -> None:
    client.get(f"/c/{TOKEN}")
    first = link(app).last_used_at
    moment.shift(timedelta(minutes=59))
    client.get(f"/c/{TOKEN}/calendar.ics")
    client.head(f"/c/{TOKEN}/calendar.ics")
    same = link(app).last_used_at
    moment.shift(timedelta(minutes=1))
    client.get(f"/c/{TOKEN}")
    later = link(app).last_used_at
    assert first and later
    assert (same, later - first) == (first, timedelta(hours=1))
    assert openings(app) == ["page", "file", "page"]


def test_an_ended_link_says_no_more_than_one_that_never_was(
    app: Flask, client: FlaskClient, patient: str
) -> None:
    with app.app_context():
        links.revoke(patient, link(app).id, by=SYSTEM, now=clock.now())
    ended, unknown = client.get(f"/c/{TOKEN}"), client.get(f"/c/{'n' * 43}")
    assert (ended.status_code, ended.text) == (unknown.status_code, unknown.text)
    assert ended.status_code == 404


def test_an_ended_link_gives_an_empty_file_for_thirty_days(
    app: Flask, client: FlaskClient, patient: str, moment: time_machine.Traveller
) -> None:
    with app.app_context():
        links.revoke(patient, link(app).id, by=SYSTEM, now=clock.now())
    moment.shift(timedelta(days=29))
    answer = client.get(f"/c/{TOKEN}/calendar.ics")
    moment.shift(timedelta(days=1))
    later = client.get(f"/c/{TOKEN}/calendar.ics")
    assert (answer.status_code, calendars.icaljs(answer.data)) == (200, {})
    assert b"BEGIN:VTIMEZONE" in answer.data
    assert later.status_code == 404


def test_a_link_runs_out_after_four_hundred_days(
    app: Flask, client: FlaskClient, patient: str, moment: time_machine.Traveller
) -> None:
    moment.shift(timedelta(days=399))
    still = client.get(f"/c/{TOKEN}").status_code
    moment.shift(timedelta(days=1))
    assert (still, client.get(f"/c/{TOKEN}").status_code) == (200, 404)


@pytest.mark.parametrize("token", ["x", "x" * 2000, "%00", "..%2f..", "é", "' OR 1=1 --"])
def test_silly_tokens_find_nothing(client: FlaskClient, patient: str, token: str) -> None:
    statuses = {client.get(f"/c/{token}{rest}").status_code for rest in ("", "/calendar.ics")}
    assert statuses <= {400, 404}


def test_the_page_without_visits_says_so(
    app: Flask, client: FlaskClient, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    with app.app_context():
        with Session(db.engine) as session:
            key = session.get_one(Patient, patient_id).key
        links.create(key, TOKEN, replaces_others=False, by=SYSTEM, now=clock.now())
    assert "No visits are planned just now" in client.get(f"/c/{TOKEN}").text


def test_no_log_line_holds_the_token_or_a_name(client: FlaskClient, patient: str) -> None:
    with structlog.testing.capture_logs() as lines:
        client.get(f"/c/{TOKEN}")
        client.get(f"/c/{TOKEN}/calendar.ics")
        client.get(f"/c/{TOKEN}x")
    assert lines
    assert not [line for line in lines if TOKEN in str(line) or "Lopez" in str(line)]
