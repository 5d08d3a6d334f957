"""Nothing that goes to a phone tells what the visits are for: words, names of files, addresses, uids."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner import clock
from planner.actions import feeds, links
from planner.db.engine import db
from planner.db.models import Appointment, Clinic, Course, Patient, Provider, Room, Service, Site
from planner.who import SYSTEM, Who
from tests import factories
from tests.queries.test_calendars import FORBIDDEN

TOKEN, FEED, SCHEDULE = "0" * 43, "1" * 43, "2" * 43  # no letters that could spell a word
TELLING = {
    Clinic: {"name": "Miami Vein Center", "neutral_name": "Vein Center"},
    Site: {"name": "Clínica de várices", "arrival_note": "Ring at “Sclerotherapy”."},
    Room: {"name": "Sclerotherapy room", "note": "ultrasound"},
    Service: {"name": "Polidocanol, left leg"},
    Provider: {"name": "Dr. Phlebologist, MD"},
}


@pytest.fixture(params=["en", "es", "pt", "ht"])
def addresses(
    request: pytest.FixtureRequest,
    app: Flask,
    clinic: factories.SmallClinic,
    given: Callable[..., Any],
    today: date,
) -> dict[str, str]:
    """Everything of a clinic whose every name tells, by what it is."""
    patient_id = given(factories.patient, language=request.param, note="left leg, DVT")
    course_id = given(factories.course, clinic, patient_id)
    numbers = given(factories.course_sessions, course_id)
    ids = [
        given(
            factories.appointment, clinic, patient_id, day=today + timedelta(days=day),
            course_session_id=numbers[n], status=status, note="sclerotherapy of the left leg",
        )
        for n, day, status in ((1, 7, "booked"), (2, 21, "cancelled"), (3, 30, "reserved"))
    ]  # fmt: skip
    given(factories.appointment, clinic, patient_id, day=today + timedelta(days=50))
    with app.app_context(), Session(db.engine) as session:
        for kind, names in TELLING.items():
            for n, row in enumerate(session.scalars(sa.select(kind))):
                for column, text in names.items():
                    setattr(row, column, text if n == 0 else f"{text} {n}")
        session.commit()
        keys = {
            "patient": session.get_one(Patient, patient_id).key,
            "course": session.get_one(Course, course_id).key,
            "appointment": session.get_one(Appointment, ids[0]).key,
        }
    now = clock.now()
    by = Who(user_id=None, role="provider", provider_id=clinic.pa, origin="", request_id="")
    with app.app_context():
        links.create(keys["patient"], TOKEN, replaces_others=False, by=SYSTEM, now=now)
        feeds.subscribe_patient(keys["patient"], FEED, by=SYSTEM, now=now)
        feeds.subscribe_provider(SCHEDULE, by=by, now=now)
    return {
        "patient": f"/patients/{keys['patient']}/calendar.ics",
        "course": f"/courses/{keys['course']}/calendar.ics",
        "appointment": f"/appointments/{keys['appointment']}/calendar.ics",
        "own_file": "/visits/visits.ics",
        "own_visit": f"/visits/{keys['appointment']}/visit.ics",
        "feed": f"/cal/{FEED}.ics",
        "schedule": f"/cal/{SCHEDULE}.ics",
    }


def test_no_neutral_file_feed_name_or_address_tells(
    sign_in: Callable[..., FlaskClient], client: FlaskClient, addresses: dict[str, str]
) -> None:
    desk = sign_in("receptionist")
    client.get(f"/p/{TOKEN}")
    told = []
    for kind, address in addresses.items():
        is_public = address.startswith(("/visits", "/cal/"))
        answer = (client if is_public else desk).get(address)
        assert answer.status_code == 200, kind
        said = seen(answer)
        assert "begin:vevent" in said
        if kind == "schedule":  # a provider's own phone may read the clinic's codes
            said = said.replace("· sclero", "").replace("· consult", "")
        told += [(kind, word) for word in FORBIDDEN if word in said]
    assert told == []


def test_no_address_spells_what_it_is_about(app: Flask) -> None:
    rules = [
        str(rule) for rule in app.url_map.iter_rules() if str(rule).startswith(("/visits", "/cal/"))
    ]
    assert len(rules) >= 3
    assert [(rule, word) for rule in rules for word in FORBIDDEN if word in rule] == []


def seen(answer: TestResponse) -> str:
    """Return what is read of an answer: its names, and its text without markup and random keys."""
    names = " ".join(
        answer.headers.get(name, "") for name in ("Content-Disposition", "Content-Type", "Link")
    )
    text = unquote(answer.text).replace("\r\n ", "").lower()
    links = re.findall(r'href="(https://[^"]+)"', text)
    shown = re.sub(r"<[^>]+>", " ", text)
    return "\n".join((names, *links, shown.replace("related-to", "")))
