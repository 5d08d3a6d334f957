"""Calendar files at the desk, and the links the desk makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner.db import keys
from planner.db.engine import db
from planner.db.models import Appointment, AuditRow, Course, IdempotencyKey, Patient, PatientLink
from tests import factories
from tests.support import calendars
from tests.web.conftest import csrf_of

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
LINK = re.compile(r'id="link-url" readonly value="http://localhost(/p/[\w-]{43})"')


@dataclass(frozen=True, kw_only=True)
class Booked:
    """Keys of a patient with a course of three."""

    patient: str
    course: str
    appointment: str


@pytest.fixture
def booked(
    app: Flask, clinic: factories.SmallClinic, given: Callable[..., Any], today: date
) -> Booked:
    """A course of three sessions in the coming weeks."""
    patient_id = given(factories.patient, language="es")
    course_id = given(factories.course, clinic, patient_id)
    numbers = given(factories.course_sessions, course_id)
    ids = [
        given(
            factories.appointment, clinic, patient_id, day=today + timedelta(days=7 * n),
            course_session_id=numbers[n],
        )
        for n in (1, 2, 3)
    ]  # fmt: skip
    with app.app_context(), Session(db.engine) as session:
        return Booked(
            patient=session.get_one(Patient, patient_id).key,
            course=session.get_one(Course, course_id).key,
            appointment=session.get_one(Appointment, ids[0]).key,
        )


@pytest.fixture
def desk(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    """A receptionist's browser."""
    return sign_in("receptionist")


def addresses(booked: Booked) -> list[tuple[str, str, int]]:
    return [
        (f"/patients/{booked.patient}/calendar.ics", "visits.ics", 18),
        (f"/courses/{booked.course}/calendar.ics", "visits.ics", 18),
        (f"/appointments/{booked.appointment}/calendar.ics", "visit.ics", 6),
    ]


def test_a_file_is_handed_out_as_calendars_want_it(desk: FlaskClient, booked: Booked) -> None:
    for address, name, events in addresses(booked):
        answer = desk.get(address)
        headers = {
            name: answer.headers.get(name)
            for name in ("Content-Type", "Content-Disposition", "Cache-Control", "X-Robots-Tag")
        }
        assert (answer.status_code, headers) == (
            200,
            {
                "Content-Type": "text/calendar; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "private, no-cache",
                "X-Robots-Tag": "noindex, nofollow",
            },
        )
        assert len(calendars.icaljs(answer.data)) == events


def test_an_iphone_gets_it_inline(desk: FlaskClient, booked: Booked) -> None:
    answer = desk.get(addresses(booked)[0][0], headers={"User-Agent": IPHONE})
    assert answer.headers["Content-Disposition"] == 'inline; filename="visits.ics"'


def test_head_and_etag_agree_with_the_file(desk: FlaskClient, booked: Booked) -> None:
    address = addresses(booked)[0][0]
    whole, head = desk.get(address), desk.head(address)
    again = desk.get(address, headers={"If-None-Match": whole.headers["ETag"]})
    assert not whole.headers["ETag"].startswith("W/")
    assert (head.headers["ETag"], head.headers["Content-Length"], head.data) == (
        whole.headers["ETag"],
        str(len(whole.data)),
        b"",
    )
    assert (again.status_code, again.data) == (304, b"")


def test_a_download_is_in_the_audit_trail(app: Flask, desk: FlaskClient, booked: Booked) -> None:
    for address, _, _ in addresses(booked):
        desk.get(address)
    with app.app_context(), Session(db.engine) as session:
        rows = session.execute(
            sa.select(AuditRow.object_kind).where(AuditRow.action == "calendar.download")
        )
        assert [row.object_kind for row in rows] == ["patient", "course", "appointment"]


def test_nobody_gets_a_file_without_signing_in(client: FlaskClient, booked: Booked) -> None:
    answers = [client.get(address).status_code for address, _, _ in addresses(booked)]
    assert answers == [302, 302, 302]


def test_what_is_not_there_is_not_found(desk: FlaskClient, booked: Booked) -> None:
    kinds = ("patients", "courses", "appointments")
    assert {desk.get(f"/{kind}/nobody/calendar.ics").status_code for kind in kinds} == {404}
    assert desk.get("/patients/nobody/share").status_code == 404


def make(desk: FlaskClient, booked: Booked, **more: str) -> TestResponse:
    address = f"/patients/{booked.patient}/share"
    page = desk.get(address).text
    key = re.search(r'name="idempotency_key"[^>]*value="([^"]+)"', page)
    assert key
    typed = {"csrf_token": csrf_of(page), "idempotency_key": key[1], **more}
    return desk.post(address, data=typed)


def link_in(answer: TestResponse) -> str:
    found = LINK.search(answer.text)
    assert found, answer.text
    return found[1]


def stored(app: Flask) -> list[PatientLink]:
    with app.app_context(), Session(db.engine) as session:
        return list(session.scalars(sa.select(PatientLink).order_by(PatientLink.id)))


def test_a_link_is_shown_once_and_only_its_hash_is_kept(
    app: Flask, desk: FlaskClient, booked: Booked
) -> None:
    path = link_in(make(desk, booked))
    (row,) = stored(app)
    assert row.token_hash == keys.digest(path.removeprefix("/p/"))
    assert row.expires_at - row.created_at == timedelta(days=180)
    assert path not in desk.get(f"/patients/{booked.patient}/share").text


def test_a_token_is_nowhere_in_the_database(
    app: Flask, desk: FlaskClient, booked: Booked, client: FlaskClient
) -> None:
    path = link_in(make(desk, booked))
    client.get(path)
    token = path.removeprefix("/p/")
    with app.app_context(), Session(db.engine) as session:
        everything = [
            *session.execute(sa.select(AuditRow.before, AuditRow.after, AuditRow.reason)),
            *session.execute(sa.select(IdempotencyKey.answer)),
            *session.execute(sa.select(PatientLink.token_hash)),
        ]
    assert not [row for row in everything if token in str(row)]


def test_the_qr_code_has_neither_style_nor_script(desk: FlaskClient, booked: Booked) -> None:
    page = make(desk, booked).text
    drawings = re.findall(r'<div class="qr[ "].*?</div>', page, re.DOTALL)
    assert len(drawings) == 2  # on the screen, and on the sheet for the patient
    assert all("<path" in drawing for drawing in drawings)
    assert "style=" not in page and "<style" not in page


def test_the_sheet_is_in_the_patients_language(desk: FlaskClient, booked: Booked) -> None:
    page = make(desk, booked).text
    assert "Sus visitas en su teléfono" in page and 'lang="es"' in page


def test_the_same_form_twice_makes_one_link(app: Flask, desk: FlaskClient, booked: Booked) -> None:
    key = "k" * 24
    first, second = (link_in(make(desk, booked, idempotency_key=key)) for _ in range(2))
    assert (first == second, len(stored(app))) == (True, 1)


@pytest.mark.parametrize("key", ["", "short", "x" * 65])
def test_a_key_that_was_tampered_with_makes_no_link(
    app: Flask, desk: FlaskClient, booked: Booked, key: str
) -> None:
    assert (make(desk, booked, idempotency_key=key).status_code, stored(app)) == (422, [])


def test_a_new_link_may_end_the_older_ones(
    app: Flask, desk: FlaskClient, booked: Booked, client: FlaskClient
) -> None:
    old, beside = link_in(make(desk, booked)), link_in(make(desk, booked))
    new = link_in(make(desk, booked, replaces_others="y"))
    assert [client.get(path).status_code for path in (old, beside, new)] == [404, 404, 302]


def test_a_link_is_ended_by_one_button(
    app: Flask, desk: FlaskClient, booked: Booked, client: FlaskClient
) -> None:
    path = link_in(make(desk, booked))
    (row,) = stored(app)
    answer = make(desk, booked, revoke=str(row.id))
    assert (answer.status_code, client.get(path).status_code) == (302, 404)


@pytest.mark.parametrize("text", ["0", "-1", "999999999999", "x", "1 OR 1=1"])
def test_ending_a_link_that_is_not_there_is_not_found(
    desk: FlaskClient, booked: Booked, text: str
) -> None:
    assert make(desk, booked, revoke=text).status_code == 404


def test_another_patients_link_cannot_be_ended(
    app: Flask, desk: FlaskClient, booked: Booked, given: Callable[..., int]
) -> None:
    make(desk, booked)
    (row,) = stored(app)
    other = given(factories.patient, given_name="Other")
    with app.app_context(), Session(db.engine) as session:
        key = session.get_one(Patient, other).key
    elsewhere = Booked(patient=key, course="", appointment="")
    assert make(desk, elsewhere, revoke=str(row.id)).status_code == 404
    assert stored(app)[0].revoked_at is None
