"""Rows of the clinic's page that are a word, a list or a default: each is where people look for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from planner import clock
from planner.actions import setup
from planner.app import create_app
from planner.db.engine import db
from planner.db.models import ClinicText, Protocol, Service
from planner.scheduling.candidacy import SUGGESTIONS
from planner.who import SYSTEM
from tests.factories import SmallClinic
from tests.web.conftest import settings_for
from tests.web.test_consults import order, send, visit

__all__ = ["visit"]


@pytest.fixture
def provider(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("provider")


@pytest.fixture
def shipped(sqlite_url: str) -> Iterator[Flask]:
    """The application as ``planner init`` leaves it."""
    app = create_app(settings_for(sqlite_url))
    with app.app_context():
        setup.seed_shipped(by=SYSTEM, now=clock.now())
        yield app
        db.engine.dispose()


def shipped_rows(kind: type[Service] | type[Protocol] | type[ClinicText]) -> list[object]:
    with Session(db.engine) as session:
        return list(session.query(kind).order_by(kind.id))


def test_S01_the_clinics_name_stands_on_every_screen(sign_in: Callable[..., FlaskClient]) -> None:
    assert "Glamour Medical Aesthetics" in sign_in("receptionist").get("/patients").text


def test_S02_S20_sclerotherapy_and_the_consult_are_services_from_the_start(shipped: Flask) -> None:
    kinds = [(row.name, row.kind) for row in shipped_rows(Service) if isinstance(row, Service)]
    assert kinds[:2] == [("Consult", "consult"), ("Sclerotherapy session", "session")]


def test_S22_S24_a_session_takes_45_of_30_to_60_minutes_and_a_walk_of_20(shipped: Flask) -> None:
    [session] = [r for r in shipped_rows(Service) if isinstance(r, Service) and r.code == "SCLERO"]
    assert (session.minutes, session.minutes_choices, session.walk_minutes) == (
        45,
        [30, 45, 60],
        20,
    )


def test_S36_S38_both_sentences_of_the_page_are_protocols(shipped: Flask) -> None:
    found = [
        (row.name, row.sessions, row.gap_floor, row.gap_target, row.gap_soft_max)
        for row in shipped_rows(Protocol)
        if isinstance(row, Protocol)
    ]
    assert found == [("3 × 2 weeks", 3, 7, 14, 21), ("3 × 6 weeks", 3, 28, 42, 56)]


def test_S44_nothing_is_invented_for_a_patients_print(shipped: Flask) -> None:
    waiting = {
        row.code
        for row in shipped_rows(ClinicText)
        if isinstance(row, ClinicText) and row.is_placeholder
    }
    assert waiting == {"arrival", "policy", "warning_signs"}


@pytest.mark.parametrize("word", ["Red", "Blue", "Lines", "Branches", "Spider"])
def test_S04_S05_S06_colour_and_pattern_are_pick_lists(
    provider: FlaskClient, visit: str, word: str
) -> None:
    assert f">{word}</span>" in provider.get(visit).text


@pytest.mark.parametrize(
    ("size", "minutes", "count"),
    [(size, found.minutes, found.sessions) for size, found in SUGGESTIONS.items()],
)
def test_S08_S23_the_size_of_the_area_suggests_minutes_and_sessions(
    provider: FlaskClient, clinic: SmallClinic, visit: str, size: str, minutes: int, count: int
) -> None:
    asked = order(clinic, area_size=size, minutes="", count="")
    html = send(provider, visit, asked, "preview").text
    assert html.count(f'value="{minutes}"') >= count


def test_S10_a_duplex_can_be_advised(provider: FlaskClient, visit: str) -> None:
    assert "Duplex ultrasound advised" in provider.get(visit).text


@pytest.mark.parametrize("zone", ["left_calf", "right_thigh_front", "face"])
def test_S14_S07_legs_by_side_and_the_face_are_zones(
    provider: FlaskClient, visit: str, zone: str
) -> None:
    assert f'name="zones" value="{zone}"' in provider.get(visit).text


def test_S25_stockings_are_asked_for_in_the_shipped_texts(shipped: Flask) -> None:
    texts = {
        (row.code, row.language): row.text
        for row in shipped_rows(ClinicText)
        if isinstance(row, ClinicText)
    }
    assert ("stockings" in texts["bring", "en"], "medias" in texts["bring", "es"]) == (True, True)


@pytest.mark.parametrize("thing", ["exercise", "sunbathing", "hot baths", "hot tubs", "saunas"])
def test_S30_S34_what_to_leave_for_72_hours_is_in_the_aftercare(shipped: Flask, thing: str) -> None:
    [text] = [
        row.text
        for row in shipped_rows(ClinicText)
        if isinstance(row, ClinicText) and (row.code, row.language) == ("aftercare", "en")
    ]
    assert (thing in text, "72 hours" in text) == (True, True)


def test_S42_the_clinics_phone_is_at_the_foot_of_every_screen(
    app: Flask, sign_in: Callable[..., FlaskClient]
) -> None:
    from planner.db.models import Clinic

    with app.app_context(), Session(db.engine) as session:
        session.query(Clinic).one().phone = "305-555-0100"
        session.commit()
    assert "555-0100" in sign_in("receptionist").get("/courses").text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("feeder", "Reticular"),
        ("reticular veins", "Reticular"),
        ("small varicose", "Reticular"),
        ("VÁRICES", "Reticular"),
        ("spider", "Spider"),
        ("arañitas", "Spider"),
        ("veins", ""),
        ("Maria Lopez", ""),
    ],
)
def test_S09_what_people_call_their_veins_is_found_by_the_search(
    sign_in: Callable[..., FlaskClient], typed: str, told: str
) -> None:
    html = sign_in("receptionist").get("/patients", query_string={"q": typed}).text
    kinds = [kind for kind in ("Spider", "Reticular") if f"{kind} veins" in html]
    assert kinds == ([told] if told else [])


def test_S28_S37_S39_the_sheet_says_why_stockings_and_what_to_expect(shipped: Flask) -> None:
    texts = {
        (row.code, row.language): row.text
        for row in shipped_rows(ClinicText)
        if isinstance(row, ClinicText) and not row.is_placeholder
    }
    why, expected = texts["why_stockings", "en"], texts["expectation", "en"]
    told = [word in why for word in ("pressure", "blood flow", "swelling", "clot")]
    assert (told, "collapses" in expected, "scar tissue fades" in expected) == (
        [True] * 4,
        True,
        True,
    )
    assert ("coágulo" in texts["why_stockings", "es"], "cicatricial" in texts["expectation", "es"]) == (
        True, True,
    )  # fmt: skip


PROMISES = (
    "guarantee", "cure", "permanent", "will disappear", "always", "risk-free", "painless",
    "garantiz", "cura", "permanente", "desaparecerá", "siempre", "sin riesgo", "indolor",
)  # fmt: skip


def test_S13_S15_S37_no_shipped_text_promises_a_result(shipped: Flask) -> None:
    found = [
        (row.code, word)
        for row in shipped_rows(ClinicText)
        if isinstance(row, ClinicText)
        for word in PROMISES
        if word in row.text.lower()
    ]
    assert found == []
