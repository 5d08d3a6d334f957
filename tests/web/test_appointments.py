"""Booking, moving and carrying on a visit, as the desk does it in a browser without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner.db.engine import db
from planner.db.models import Appointment, Patient, Room, Site
from tests import factories
from tests.factories import SmallClinic, at
from tests.web.conftest import csrf_of

NOW = at(date(2027, 3, 1), 9)
PICK = re.compile(r'href="[^"]*[?&;]pick=([\w.]+)')


@pytest.fixture
def today() -> date:
    return date(2027, 3, 1)


@pytest.fixture(autouse=True)
def monday_morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as moment:
        yield moment


@pytest.fixture
def desk(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("receptionist")


@pytest.fixture
def patient_key(app: Flask, given: Callable[..., int]) -> str:
    return key_of(app, Patient, given(factories.patient))


def key_of(app: Flask, model: Any, row_id: int) -> str:
    with app.app_context(), Session(db.engine) as session:
        return str(session.get_one(model, row_id).key)


def stored(app: Flask) -> list[Appointment]:
    with app.app_context(), Session(db.engine) as session:
        return list(session.scalars(sa.select(Appointment).order_by(Appointment.id)))


def pick(clinic: SmallClinic, hour: int = 10, minute: int = 0, day: date = date(2027, 3, 3)) -> str:
    start = at(day, hour, minute)
    return f"{clinic.miami}.{clinic.md}.{clinic.miami_consult}.{start:%Y%m%dT%H%MZ}"


def fields(html: str) -> dict[str, str]:
    """Return the hidden fields of the form that books."""
    form = html[html.rindex('<form method="post" action="/patients/') :]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found} | {"csrf_token": csrf_of(html)}


def test_a_consult_is_booked_in_two_steps_and_its_page_offers_undo(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    first = desk.get(f"/patients/{patient_key}/book")
    chosen = unescape(PICK.findall(first.text)[0])
    second = desk.get(f"/patients/{patient_key}/book?pick={chosen}")
    booked = desk.post(f"/patients/{patient_key}/book", data=fields(second.text) | {"do": "book"})
    shown = desk.get(booked.location)
    [row] = stored(app)
    assert (booked.status_code, row.status, "/undo/" in shown.text, "Booked." in shown.text) == (
        302, "booked", True, True,
    )  # fmt: skip


def test_the_read_back_line_names_site_day_time_and_provider_in_the_patients_language(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    key = key_of(app, Patient, given(factories.patient, language="es"))
    page = desk.get(f"/patients/{key}/book?pick={pick(clinic)}").text
    line = re.search(r'<p class="read-back-line" lang="es">([^<]+)</p>', page)
    assert line is not None
    assert unescape(line[1]).startswith("Miami, miércoles 3 de marzo de 2027, 10:00")


def test_the_back_button_books_once(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    page = desk.get(f"/patients/{patient_key}/book?pick={pick(clinic)}")
    sent = fields(page.text) | {"do": "book"}
    answers = [desk.post(f"/patients/{patient_key}/book", data=sent) for _ in range(2)]
    assert (answers[0].location, len(stored(app))) == (answers[1].location, 1)


def test_a_start_taken_meanwhile_answers_409_with_the_nearest_and_keeps_the_note(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str, given: Callable[..., int]
) -> None:
    page = desk.get(f"/patients/{patient_key}/book?pick={pick(clinic)}")
    given(factories.appointment, clinic, given(factories.patient), day=date(2027, 3, 3))
    answer = desk.post(
        f"/patients/{patient_key}/book",
        data=fields(page.text) | {"do": "book", "call_back_note": "after four"},
    )
    offered = PICK.findall(answer.text)
    assert (answer.status_code, len(stored(app)), bool(offered), "Nothing was booked." in answer.text) == (
        409, 1, True, True,
    )  # fmt: skip


def test_a_hold_keeps_its_note_and_is_booked_by_one_button(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    page = desk.get(f"/patients/{patient_key}/book?pick={pick(clinic)}")
    sent = fields(page.text) | {"do": "hold", "call_back_note": "asks her sister"}
    held = desk.post(f"/patients/{patient_key}/book", data=sent)
    shown = desk.get(held.location).text
    assert "asks her sister" in shown
    act(desk, held.location, "book", shown)
    assert [row.status for row in stored(app)] == ["booked"]


def act(
    desk: FlaskClient, address: str, verb: str, page: str | None = None, **values: str
) -> TestResponse:
    html = page or desk.get(address).text
    version = re.search(r'name="version" value="(\d+)"', html)
    assert version is not None
    sent = {"csrf_token": csrf_of(html), "version": version[1], **values}
    return desk.post(f"{address}/{verb}", data=sent)


def test_a_minors_warning_is_one_click(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    key = key_of(app, Patient, given(factories.patient, birth_date=date(2011, 6, 1)))
    page = desk.get(f"/patients/{key}/book?pick={pick(clinic)}").text
    assert "a guardian comes along" in page
    desk.post(f"/patients/{key}/book", data=fields(page) | {"do": "book"})
    assert len(stored(app)) == 1


def test_a_decision_without_a_reason_comes_back_with_the_field_named(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 20))
    given(factories.date_to_avoid, patient_id, kind="flight", on=date(2027, 3, 4))
    key = key_of(app, Patient, patient_id)
    start = f"{clinic.miami}.{clinic.pa}.{clinic.miami_1}.20270303T1900Z"
    address = f"/patients/{key}/book"
    page = desk.get(f"{address}?service={clinic.sclerotherapy}&pick={start}").text
    lacking = desk.post(address, data=fields(page) | {"do": "book", "decided_by": str(clinic.pa)})
    given_now = {"decided_by": str(clinic.pa), "decision_reason": "a short one"}
    done = desk.post(address, data=fields(lacking.text) | {"do": "book"} | given_now)
    assert (lacking.status_code, "A decision needs a reason." in lacking.text, done.status_code) == (
        422, True, 302,
    )  # fmt: skip


HOSTILE = [
    ("pick", "1.1.1.20270314T0730Z"),  # 02:30 on the day the clocks jump would be no start at all
    ("pick", "1.1.1.99990101T0000Z"),
    ("pick", "1.1.1.20271345T2561Z"),
    ("pick", "0.0.0.20270303T1500Z"),
    ("pick", "999999999.1.1.20270303T1500Z"),
    ("pick", "' OR 1=1 --"),
    ("pick", "x" * 5000),
    ("service", "-1"),
    ("service", "9" * 40),
    ("minutes", "-30"),
    ("minutes", "99999"),
    ("provider", "٣"),
    ("site", "../../etc/passwd"),
    ("from", "2027-02-30"),
    ("from", "0001-01-01"),
    ("from", "9999-12-31"),
    ("on", "2027-03-14"),
    ("at", "25:00"),
    ("at", "02:30"),
    ("part", "midnight"),
    ("days", "100000"),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE)
def test_whatever_the_address_says_the_page_answers(
    desk: FlaskClient, patient_key: str, name: str, value: str
) -> None:
    answer = desk.get(f"/patients/{patient_key}/book", query_string={name: value})
    assert answer.status_code == 200


@pytest.mark.parametrize(("name", "value"), HOSTILE)
def test_whatever_the_form_says_nothing_is_booked_and_no_fault_shown(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str, name: str, value: str
) -> None:
    page = desk.get(f"/patients/{patient_key}/book?pick={pick(clinic)}")
    sent = fields(page.text) | {"do": "book", "minutes": "33"} | {name: value}
    answer = desk.post(f"/patients/{patient_key}/book", data=sent)
    assert (answer.status_code in (409, 422), stored(app)) == (True, [])


def test_all_starts_of_a_day_are_shown_and_the_greyed_ones_say_why_not(
    desk: FlaskClient, given: Callable[..., int], clinic: SmallClinic, patient_key: str
) -> None:
    given(factories.appointment, clinic, given(factories.patient), day=date(2027, 3, 3), hour=10)
    address = f"/patients/{patient_key}/book?days=1&from=2027-03-03&site={clinic.miami}"
    html = desk.get(address).text
    greyed = re.findall(r'<details class="greyed".*?</details>', html, re.DOTALL)
    assert f"pick={pick(clinic, 14)}" in html
    assert f"pick={pick(clinic, 10)}" not in html
    assert any("has another appointment from 10:00" in one and "10:15" in one for one in greyed)


def test_half_a_day_shows_half_its_starts(
    desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    address = f"/patients/{patient_key}/book?days=1&from=2027-03-03&part=morning"
    html = desk.get(address).text
    assert (f"pick={pick(clinic, 10)}" in html, f"pick={pick(clinic, 14)}" in html) == (True, False)


def test_a_day_without_a_free_start_leads_to_why_not(
    desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    html = desk.get(f"/patients/{patient_key}/book?from=2027-03-06&site={clinic.miami}").text
    why = re.findall(r'href="([^"]+)">Why not[?]<span class="visually-hidden"> Sun 7 Mar', html)
    html = desk.get(unescape(why[0])).text
    assert "Miami is closed on Sun 7 Mar 2027." in html
    assert '<details class="greyed"' not in html  # nobody need be asked


def test_half_a_closed_day_is_closed_too(desk: FlaskClient, patient_key: str) -> None:
    html = desk.get(f"/patients/{patient_key}/book?days=1&from=2027-03-07&part=afternoon").text
    assert "Miami is closed on Sun 7 Mar 2027." in html
    assert "Nobody gives this service on that day." not in html


def test_the_hour_that_the_clocks_jump_over_is_refused_beside_its_field(
    desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    answer = desk.get(f"/patients/{patient_key}/book?site={clinic.miami}&on=2027-03-14&at=02:30")
    assert 'id="at-error"' in answer.text


def test_a_typed_time_that_is_free_is_read_back(
    desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    page = desk.get(f"/patients/{patient_key}/book?site={clinic.miami}&on=2027-03-03&at=14:30")
    assert "2:30 PM" in page.text.split("read-back-line")[1][:200]


def test_a_typed_time_that_is_not_free_says_why_and_what_is_near(
    desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    page = desk.get(f"/patients/{patient_key}/book?site={clinic.miami}&on=2027-03-03&at=12:45")
    assert ("has a break then" in page.text, "Nearest free starts" in page.text) == (True, True)


@pytest.mark.parametrize(
    "address",
    [
        "/patients/nobody/book",
        "/appointments/none",
        "/appointments/none/move",
        "/appointments/none/swap",
    ],
)
def test_a_key_of_nothing_is_not_found(desk: FlaskClient, address: str) -> None:
    assert desk.get(address).status_code == 404


@pytest.fixture
def visit(app: Flask, clinic: SmallClinic, given: Callable[..., int]) -> str:
    """The address of a consult booked for today at 10:00."""
    its_id = given(factories.appointment, clinic, given(factories.patient), day=date(2027, 3, 1))
    return f"/appointments/{key_of(app, Appointment, its_id)}"


def test_a_visit_is_confirmed_checked_in_started_and_completed_on_its_page(
    app: Flask,
    desk: FlaskClient,
    visit: str,
    monday_morning: time_machine.Traveller,
) -> None:
    for verb, values in (
        ("confirm", {}),
        ("check-in", {"health_state": "complete"}),
        ("start", {}),
    ):
        act(desk, visit, verb, **values)
    monday_morning.shift(timedelta(minutes=10))
    act(desk, visit, "complete", starts="9:00", ends="9:10", note="went well")
    [row] = stored(app)
    assert (row.status, row.confirmed_at, row.actual_ends_at, row.note) == (
        "fulfilled", NOW, at(date(2027, 3, 1), 9, 10), "went well",
    )  # fmt: skip


def test_an_answer_about_health_is_shown_to_providers_only(
    desk: FlaskClient, visit: str, sign_in: Callable[..., FlaskClient]
) -> None:
    provider = sign_in("provider")
    act(provider, visit, "check-in", health_answer="on antibiotics")
    seen = ["on antibiotics" in browser.get(visit).text for browser in (desk, provider)]
    assert (seen, "Provider to review" in desk.get(visit).text) == ([False, True], True)


def test_what_a_patient_wrote_is_typed_by_providers_only(
    app: Flask, desk: FlaskClient, visit: str, sign_in: Callable[..., FlaskClient]
) -> None:
    provider = sign_in("provider")
    fields_shown = ['name="health_answer"' in who.get(visit).text for who in (desk, provider)]
    act(desk, visit, "check-in", health_state="review", health_answer="on antibiotics")
    [row] = stored(app)
    assert (fields_shown, row.health_state, row.health_answer) == ([False, True], "review", "")


def test_a_visit_of_another_day_offers_no_step_of_today_and_refuses_it_in_words(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    its_id = given(factories.appointment, clinic, given(factories.patient), day=date(2027, 3, 22))
    address = f"/appointments/{key_of(app, Appointment, its_id)}"
    page = desk.get(address).text
    offered = [verb for verb in ("check-in", "no-show", "cancel") if f"{address}/{verb}" in page]
    answers = [act(desk, address, verb, page) for verb in ("check-in", "no-show")]
    told = ("Move it to today first", "nobody can have missed it before")
    said = [text in answer.text for text, answer in zip(told, answers, strict=True)]
    codes = [answer.status_code for answer in answers]
    assert (offered, codes, said) == (["cancel"], [409, 409], [True, True])


def test_times_ahead_of_now_come_back_as_typed(app: Flask, desk: FlaskClient, visit: str) -> None:
    act(desk, visit, "check-in")
    act(desk, visit, "start")
    answer = act(desk, visit, "complete", starts="9:00", ends="9:25", note="went well")
    told = "A visit cannot have started or ended later than now."
    kept = ('value="9:25"', "went well</textarea>")
    assert (answer.status_code, [text in answer.text for text in (told, *kept)]) == (
        409, [True] * 3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "values", "name"),
    [
        ("complete", {"starts": "25:00", "ends": "26:00"}, "starts"),
        ("complete", {"starts": "10:00", "ends": "9:00"}, "ends"),
        ("complete", {"starts": "", "ends": "9:00"}, "starts"),
        ("cancel", {"ended_by": "patient", "reason": ""}, "reason"),
        ("cancel", {"ended_by": "cat", "reason": "x"}, "ended_by"),
        ("note", {"note": "x" * 10_000}, "note"),
    ],
)
def test_a_form_that_lacks_something_comes_back_as_typed(
    app: Flask, desk: FlaskClient, visit: str, verb: str, values: dict[str, str], name: str
) -> None:
    if verb == "complete":
        act(desk, visit, "check-in")
        act(desk, visit, "start")
    answer = act(desk, visit, verb, **values)
    assert (answer.status_code, f'id="{name}-error"' in answer.text) == (422, True)


def test_a_stale_page_says_what_changed_and_saves_nothing(
    app: Flask, desk: FlaskClient, visit: str
) -> None:
    before = desk.get(visit).text
    act(desk, visit, "check-in")
    answer = act(desk, visit, "cancel", before, ended_by="patient", reason="late")
    assert (answer.status_code, stored(app)[0].status, "<s>booked</s>" in answer.text) == (
        409, "arrived", True,
    )  # fmt: skip


def test_a_cancelled_visit_is_undone_by_the_toast(
    app: Flask, desk: FlaskClient, visit: str
) -> None:
    act(desk, visit, "cancel", ended_by="patient", reason="ill")
    page = desk.get(visit).text
    undo = re.search(r'action="(/undo/[\w-]+)"', page)
    assert undo is not None
    answer = desk.post(undo[1], data={"csrf_token": csrf_of(page), "back": visit})
    assert (answer.location, stored(app)[0].status, stored(app)[0].sequence) == (visit, "booked", 2)


def test_undo_leads_to_no_other_host(desk: FlaskClient, visit: str) -> None:
    token = csrf_of(desk.get(visit).text)
    answer = desk.post("/undo/none", data={"csrf_token": token, "back": "//evil.example/"})
    assert answer.location == "/"


def test_a_move_shows_what_it_does_to_the_other_sessions_before_it_is_saved(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 1))
    numbers = given(factories.course_sessions, given(factories.course, clinic, patient_id))
    ids = [
        given(
            factories.appointment, clinic, patient_id, day=date(2027, 3, day),
            course_session_id=numbers[number],  # type: ignore[index]  # a mapping by number
        )
        for number, day in ((1, 3), (2, 17), (3, 31))
    ]  # fmt: skip
    address = f"/appointments/{key_of(app, Appointment, ids[1])}/move"
    start = f"{clinic.miami}.{clinic.pa}.{clinic.miami_1}.20270326T1400Z"
    page = desk.get(f"{address}?pick={start}").text
    assert ("Session 3 is now too early" in unescape(page), "Decided by phone by" in page) == (
        True,
        True,
    )


def test_a_room_is_swapped_in_two_clicks(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, visit: str
) -> None:
    choice = PICK.findall(desk.get(f"{visit}/swap").text)[0]
    page = desk.get(f"{visit}/swap?pick={choice}").text
    form = page[page.rindex('<form method="post"') :]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    answer = desk.post(f"{visit}/swap", data=hidden | {"csrf_token": csrf_of(page)})
    [row] = stored(app)
    assert (answer.status_code, row.room_id, row.starts_at, row.sequence) == (
        302, clinic.miami_flex, at(date(2027, 3, 1), 10), 0,
    )  # fmt: skip


def test_a_walk_in_is_started_in_four_steps(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    found = desk.get("/here-now?q=lopez")
    assert f"patient={patient_key}" in found.text
    page = desk.get(f"/here-now?patient={patient_key}&service={clinic.consult}&site={clinic.miami}")
    form = page.text[page.text.rindex('<form method="post"') :]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    chosen = {"room": str(clinic.miami_consult), "provider": str(clinic.md)}
    desk.post("/here-now", data=hidden | chosen | {"csrf_token": csrf_of(page.text)})
    assert [(row.status, row.starts_at) for row in stored(app)] == [("started", NOW)]


def test_whoever_is_here_is_not_sent_to_a_site_that_has_closed(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    with app.app_context(), Session(db.engine) as session:
        session.get_one(Site, clinic.miami).retired_from = date(2027, 2, 1)
        session.commit()
    page = desk.get(f"/here-now?patient={patient_key}&service={clinic.consult}").text
    assert f'name="site" value="{clinic.aventura}"' in page


def test_without_a_room_no_start_is_offered_to_whoever_is_here(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, patient_key: str
) -> None:
    path = f"/here-now?patient={patient_key}&service={clinic.consult}"
    before = desk.get(path).text.count("btn-primary")
    with app.app_context(), Session(db.engine) as session:
        session.execute(sa.update(Room).values(retired_from=date(2027, 2, 1)))
        session.commit()
    assert (before, desk.get(path).text.count("btn-primary")) == (1, 0)


def test_a_cancellation_says_at_once_all_that_it_lacks(desk: FlaskClient, visit: str) -> None:
    page = act(desk, visit, "cancel", ended_by="", reason="").text
    form = page[page.index("Cancelled by") :].partition("</form>")[0]
    assert form.count('class="error"') == 2


def test_a_hold_past_its_time_is_gone_from_the_day(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    given(
        factories.appointment, clinic, given(factories.patient, family_name="Expired"),
        day=date(2027, 3, 1), hour=15, status="held", expires_at=NOW - timedelta(minutes=1),
    )  # fmt: skip
    assert "Expired" not in desk.get("/day").text


def test_a_reserved_session_says_what_it_waits_for_and_takes_the_decision(
    app: Flask, desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 20))
    given(factories.date_to_avoid, patient_id, kind="flight", on=date(2027, 3, 4))
    its_id = given(
        factories.appointment, clinic, patient_id, day=date(2027, 3, 3), hour=14, status="reserved",
        service_id=clinic.sclerotherapy, expires_at=at(date(2027, 3, 3), 14),
    )  # fmt: skip
    address = f"/appointments/{key_of(app, Appointment, its_id)}"
    lacking = act(desk, address, "book")
    decided = {"decide": "flight.within_48h", "decided_by": str(clinic.pa)}
    act(desk, address, "book", **decided, decision_reason="a short one")
    assert (lacking.status_code, stored(app)[0].status) == (409, "booked")
