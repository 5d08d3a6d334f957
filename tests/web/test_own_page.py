"""A patient's own page: what the link opens, what it says, and that everything done is a form sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog.testing
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner import clock
from planner.actions import links, merging, patients
from planner.actions.appointments import lifecycle
from planner.app import create_app
from planner.db.engine import db
from planner.db.models import (
    Appointment,
    AuditRow,
    Clinic,
    ClinicText,
    Notice,
    Patient,
    PatientLink,
    SignIn,
)
from planner.who import SYSTEM, Who
from tests import factories
from tests.queries.test_calendars import FORBIDDEN
from tests.support import calendars
from tests.web.conftest import EMAILS, csrf_of, enter, settings_for

TOKEN, OTHER = "0wnpage_" + "x" * 37, "0therpage_" + "y" * 37
COOKIE = "planner-visits"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 15_8 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 10; SM-G960F) AppleWebKit/537.36 Chrome/96.0"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A patient with a course, who holds a link: keys, and the rows as they are now."""

    app: Flask
    patient: str
    patient_id: int
    today: str
    later: str

    def visit(self, key: str) -> Appointment:
        with self.app.app_context(), Session(db.engine) as session:
            return session.scalars(sa.select(Appointment).where(Appointment.key == key)).one()

    def row(self) -> Patient:
        with self.app.app_context(), Session(db.engine) as session:
            return session.get_one(Patient, self.patient_id)

    def notices(self) -> list[Notice]:
        with self.app.app_context(), Session(db.engine) as session:
            return list(session.scalars(sa.select(Notice).order_by(Notice.id)))


@pytest.fixture(autouse=True)
def morning(today: date) -> Iterator[time_machine.Traveller]:
    """Eight o'clock at the sites, before the visit of the day."""
    with time_machine.travel(factories.at(today, 8), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def today() -> date:
    """A Monday some weeks before the clocks change."""
    return date(2027, 2, 1)


def hold(
    app: Flask, day: date, *, language: str = "en", token: str = TOKEN, hour: int = 10
) -> Held:
    """Add a patient with session 1 today and session 2 in two weeks, and give them a link."""
    small: factories.SmallClinic = app.config["SMALL_CLINIC"]
    with app.app_context():
        with Session(db.engine) as session:
            patient_id = factories.patient(session, language=language)
            course_id = factories.course(session, small, patient_id)
            numbers = factories.course_sessions(session, course_id)
            ids = [
                factories.appointment(
                    session, small, patient_id, day=day + timedelta(days=days), hour=hour,
                    course_session_id=numbers[n],
                )
                for n, days in ((1, 0), (2, 14))
            ]  # fmt: skip
            session.commit()
            key = session.get_one(Patient, patient_id).key
            first, second = (session.get_one(Appointment, one).key for one in ids)
        links.create(key, token, replaces_others=False, by=SYSTEM, now=clock.now())
    return Held(app=app, patient=key, patient_id=patient_id, today=first, later=second)


@pytest.fixture
def held(app: Flask, today: date) -> Held:
    """A patient who reads English."""
    return hold(app, today)


def opened(app: Flask, token: str = TOKEN) -> FlaskClient:
    """Return a browser that has opened the link."""
    browser = app.test_client()
    answer = browser.get(f"/p/{token}")
    assert (answer.status_code, answer.location) == (302, "/visits")
    return browser


def send(browser: FlaskClient, path: str, page: str = "", **fields: Any) -> TestResponse:
    """Send the form of a page that goes to a path, with what stands in it and what is typed."""
    html = browser.get(page or path).text
    form = next(
        one for one in re.findall(r"<form.*?</form>", html, re.S)
        if f'action="{path}"' in one or (not page and 'action="' not in one)
    )  # fmt: skip
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return browser.post(path, data={**hidden, **fields})


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


# the link


def test_a_link_becomes_a_short_lived_cookie_and_a_clean_address(held: Held) -> None:
    browser = held.app.test_client()
    answer = browser.get(f"/p/{TOKEN}")
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.path, cookie.max_age) == (
        True, "Lax", "/", 4 * 3600,
    )  # fmt: skip
    assert TOKEN not in cookie.value
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = browser.get("/visits")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert TOKEN not in page.text


def test_over_https_the_cookie_is_bound_to_the_host(
    sqlite_url: str, app: Flask, held: Held
) -> None:
    secure = create_app(settings_for(sqlite_url, public_url="https://planner.example.com"))
    answer = secure.test_client().get(f"/p/{TOKEN}", base_url="https://planner.example.com")
    [set_cookie] = answer.headers.getlist("Set-Cookie")
    assert set_cookie.startswith("__Host-planner-visits=")
    assert "Secure" in set_cookie and "Domain=" not in set_cookie


def test_looking_stores_nothing_but_the_note_that_the_link_was_opened(held: Held) -> None:
    browser = opened(held.app)
    for path in ("/visits", "/visits/care", "/visits/sheet", "/visits/flight", f"/p/{TOKEN}"):
        browser.get(path)
    with held.app.app_context(), Session(db.engine) as session:
        actions = session.scalars(sa.select(AuditRow.action).where(AuditRow.user_id.is_(None)))
        noted = [action for action in actions if action.startswith(("link.", "own_page."))]
        assert session.scalar(sa.select(sa.func.count()).select_from(SignIn)) == 0
    assert set(noted) == {"link.create", "link.open"}


def test_the_cookie_dies_with_the_link(held: Held) -> None:
    browser = opened(held.app)
    with held.app.app_context(), Session(db.engine) as session:
        link_id = session.scalars(sa.select(PatientLink.id)).one()
        links.revoke(held.patient, link_id, by=SYSTEM, now=clock.now())
    answer = browser.get("/visits")
    assert (answer.status_code, "This link was ended" in answer.text) == (404, True)
    assert browser.get("/visits/visits.ics").status_code == 404


def test_the_page_closes_by_itself_and_stays_open_while_it_is_read(
    held: Held, morning: time_machine.Traveller
) -> None:
    browser = opened(held.app)
    for _ in range(3):
        morning.shift(timedelta(hours=3))
        assert browser.get("/visits").status_code == 200
    morning.shift(timedelta(hours=4))
    answer = browser.get("/visits")
    assert (answer.status_code, "Please open your link again" in answer.text) == (404, True)


@pytest.mark.parametrize(("days", "said"), [(179, ""), (180, "This link has run out")])
def test_a_link_runs_out_after_half_a_year_and_says_so(
    held: Held, morning: time_machine.Traveller, days: int, said: str
) -> None:
    morning.shift(timedelta(days=days))
    answer = held.app.test_client().get(f"/p/{TOKEN}")
    assert (answer.status_code, said in answer.text) == (404 if said else 302, True)


def test_a_link_that_once_opened_a_calendar_says_in_the_patients_words_that_it_ended(
    app: Flask, today: date
) -> None:
    held = hold(app, today, language="es")
    with app.app_context(), Session(db.engine) as session:
        link_id = session.scalars(sa.select(PatientLink.id)).one()
        links.revoke(held.patient, link_id, by=SYSTEM, now=clock.now())  # as the migration does
    for path in (f"/c/{TOKEN}", f"/c/{TOKEN}/calendar.ics"):
        browser = app.test_client()
        answer = browser.get(path, follow_redirects=True)
        assert (answer.status_code, "Este enlace fue anulado" in answer.text) == (404, True)
        assert browser.get_cookie(COOKIE) is None


def test_no_log_line_holds_the_token_or_a_name(held: Held) -> None:
    browser = held.app.test_client()
    with structlog.testing.capture_logs() as lines:
        for path in (f"/p/{TOKEN}", "/visits", f"/p/{TOKEN}x", f"/c/{TOKEN}"):
            browser.get(path)
    assert len(lines) >= 4
    assert not [line for line in lines if TOKEN in str(line) or "Lopez" in str(line)]


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "1.2.3.4",
        "a" * 5_000,
        "1.1.é.x",
        "1.99999999999999.n.s",
        "....",
        "1.1.n." + "0" * 64,
    ],
)
def test_a_cookie_that_nobody_was_given_opens_nothing(held: Held, cookie: str) -> None:
    browser = held.app.test_client(use_cookies=False)
    answer = browser.get("/visits", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert answer.status_code == 404


@pytest.mark.parametrize("token", ["x", "x" * 2000, "%00", "é", "' OR 1=1 --", TOKEN.upper()])
def test_a_guessed_token_opens_nothing(held: Held, token: str) -> None:
    assert held.app.test_client().get(f"/p/{token}").status_code in (400, 404)


def test_the_link_of_a_merged_patient_opens_the_page_of_the_one_kept(
    held: Held, given: Callable[..., int]
) -> None:
    browser = opened(held.app)
    other = given(factories.patient, given_name="Marie", family_name="Lopez", language="es")
    with held.app.app_context():
        with Session(db.engine) as session:
            kept = session.get_one(Patient, other).key
            versions = [session.get_one(Patient, one).version for one in (other, held.patient_id)]
        merging.merge(
            kept, held.patient, kept_version=versions[0], other_version=versions[1],
            by=SYSTEM, now=clock.now(),
        )  # fmt: skip
    page = browser.get("/visits")
    assert (page.status_code, "Sus visitas" in page.text, "Marie" in page.text) == (200, True, True)
    answer = send(browser, f"/visits/{held.later}/cannot-come", text="de viaje")
    assert (answer.status_code, [row.patient_id for row in held.notices()]) == (302, [other])


# what it says


def test_neutral_words_tell_nothing_of_what_the_visits_are_for(held: Held) -> None:
    html = opened(held.app).get("/visits").text
    shown = text_of(html).lower()
    # whose page it is, families have to know
    assert [word for word in FORBIDDEN if word in shown] == ["maria"]
    assert "Monday 1 February 2027" in html and "1 Example Avenue" in html
    assert "of 3" not in html and "/visits/care" in html


def test_plain_words_say_which_session_it_is_and_what_to_heed(held: Held) -> None:
    with held.app.app_context():
        patients.set_plain_words(held.patient, True, by=SYSTEM, now=clock.now())
    shown = text_of(opened(held.app).get("/visits").text)
    assert "Sclerotherapy, 1 of 3" in shown and "Sclerotherapy, 2 of 3" in shown
    # ended 10:45 on Monday; 72 hours later is Thursday; the stockings to the far end of 2 to 3 days
    assert "No flying until Thu 4 Feb, 10:45 AM" in shown
    assert "Mon 1 Feb – Thu 4 Feb 2027" in shown


def test_what_to_bring_is_said_in_plain_words_and_else_on_the_notes_alone(held: Held) -> None:
    with held.app.app_context(), Session(db.engine) as session:
        session.add(ClinicText(code="bring", language="en", text="Wide trousers, please."))
        session.commit()
    browser = opened(held.app)

    def said() -> list[bool]:
        return ["Wide trousers" in browser.get(path).text for path in ("/visits", "/visits/care")]

    neutral = said()
    with held.app.app_context():
        patients.set_plain_words(held.patient, True, by=SYSTEM, now=clock.now())
    assert (neutral, said()) == ([False, True], [True, True])


def test_the_notes_are_on_a_page_of_their_own_while_words_are_neutral(held: Held) -> None:
    shown = text_of(opened(held.app).get("/visits/care").text)
    assert "Visit of Mon 1 Feb, 10:00 AM" in shown
    assert "No flying until Thu 4 Feb, 10:45 AM" in shown


@pytest.mark.parametrize(
    ("language", "said"), [("es", "Sus visitas"), ("pt", "Your visits"), ("ht", "Your visits")]
)
def test_the_page_is_in_the_patients_language_and_english_for_want_of_it(
    app: Flask, today: date, language: str, said: str
) -> None:
    hold(app, today, language=language)
    html = opened(app).get("/visits", headers={"Accept-Language": "en"}).text
    assert f"<h1>{said}" in html


@pytest.mark.parametrize(
    ("agent", "first", "way"),
    [
        (IPHONE, "Add to Apple Calendar", "https://maps.apple.com/?q=1+Example+Avenue"),
        (ANDROID, "Add to Google Calendar", "geo:0,0?q=1+Example+Avenue"),
        (
            "Mozilla/5.0 (Windows NT 10.0)",
            "Calendar file",
            "https://www.google.com/maps/search/?api=1",
        ),
    ],
)
def test_calendar_and_map_are_those_of_the_device(
    held: Held, agent: str, first: str, way: str
) -> None:
    html = opened(held.app).get("/visits", headers={"User-Agent": agent}).text
    names = ("Add to Apple Calendar", "Add to Google Calendar", "Calendar file")
    assert min((name for name in names if name in html), key=html.index) == first
    assert way.replace("&", "&amp;") in html


def test_what_goes_to_a_calendar_on_the_web_is_neutral_whatever_was_agreed(held: Held) -> None:
    with held.app.app_context():
        patients.set_plain_words(held.patient, True, by=SYSTEM, now=clock.now())
    html = opened(held.app).get("/visits").text
    found = re.findall(r'href="(https://(?:calendar\.google|outlook)[^"]+)"', html)
    assert len(found) == 4
    assert "text=Appointment&amp;dates=20270201T150000Z%2F20270201T154500Z" in found[0]
    assert not any(
        word in url.lower() for url in found for word in ("sclero", "session", "stocking")
    )


@pytest.mark.parametrize(("zones", "is_told"), [((), True), (("face",), False)])
def test_the_sheet_says_in_the_clinics_words_why_and_what_to_expect(
    held: Held, zones: tuple[str, ...], is_told: bool
) -> None:
    with held.app.app_context(), Session(db.engine) as session:
        for row in session.scalars(sa.select(Appointment)):
            row.zones_treated = list(zones)
        session.add_all(
            ClinicText(code=code, language="en", text=f"{code} of ours", is_placeholder=False)
            for code in ("aftercare", "why_stockings", "expectation")
        )
        session.execute(sa.update(Clinic).values(phone="305-555-0100", email="desk@example.com"))
        session.commit()
    sheet = opened(held.app).get("/visits/sheet").text
    said = [f"{code} of ours" in sheet for code in ("aftercare", "why_stockings", "expectation")]
    assert said == [is_told, is_told, True]
    assert "Call 305-555-0100, or write to desk@example.com." in sheet


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(held: Held) -> None:
    browser = opened(held.app)
    for path in (
        "/visits",
        "/visits/care",
        "/visits/sheet",
        "/visits/preferences",
        "/visits/calendar",
    ):
        html = browser.get(path).text
        assert re.findall(r"<script|<style| style=|<img|<iframe|@import", html) == []
        assert re.findall(r'<link[^>]+href="(?!/static/|data:,)[^"]*"', html) == []


def test_a_file_taken_from_the_page_holds_that_patients_visits_only(
    held: Held, app: Flask, today: date
) -> None:
    theirs = hold(app, today, token=OTHER, hour=14)
    browser = opened(app)
    alone = browser.get(f"/visits/{held.later}/visit.ics", headers={"User-Agent": IPHONE})
    assert alone.headers["Content-Disposition"] == 'inline; filename="visit.ics"'
    assert len(calendars.icaljs(alone.data)) == 6
    assert len(calendars.icaljs(browser.get("/visits/visits.ics").data)) == 12
    assert calendars.icaljs(browser.get(f"/visits/{theirs.later}/visit.ics").data) == {}


def test_a_file_that_was_taken_is_noted_and_the_desk_told(
    app_on: Flask, today: date, morning: time_machine.Traveller
) -> None:
    held = hold(app_on, today)
    browser = opened(app_on)

    def told() -> list[bool]:
        desk = app_on.test_client()
        enter(desk, EMAILS["receptionist"])
        paths = (f"/patients/{held.patient}/share", f"/patients/{held.patient}")
        return ["calendar file taken" in text_of(desk.get(path).text) for path in paths]

    browser.head(f"/visits/{held.later}/visit.ics")
    before = told()
    first = browser.get("/visits/visits.ics")
    morning.shift(timedelta(minutes=59))
    same = browser.get("/visits/visits.ics", headers={"If-None-Match": first.headers["ETag"]})
    browser.get(f"/visits/{held.later}/visit.ics")
    with app_on.app_context(), Session(db.engine) as session:
        link = session.scalars(sa.select(PatientLink)).one()
        trail = session.scalars(
            sa.select(AuditRow).where(AuditRow.action == "link.open").order_by(AuditRow.id)
        )
        noted = [row.after["opened"] for row in trail if row.after and "opened" in row.after]
    assert (before, same.status_code, told()) == ([False, False], 304, [True, True])
    assert link.file_taken_at == clock.now() - timedelta(minutes=59)
    assert noted == ["page", "file", "file"]


def test_without_visits_the_page_says_so(app: Flask, given: Callable[..., int]) -> None:
    patient_id = given(factories.patient)
    with app.app_context():
        with Session(db.engine) as session:
            key = session.get_one(Patient, patient_id).key
        links.create(key, TOKEN, replaces_others=False, by=SYSTEM, now=clock.now())
    assert "No visits are planned just now" in opened(app).get("/visits").text


# what is done there


def test_a_confirmation_says_that_the_patient_gave_it(app_on: Flask, today: date) -> None:
    held = hold(app_on, today)
    answer = send(opened(app_on), f"/visits/{held.later}/confirm", "/visits")
    assert (answer.status_code, answer.location) == (302, "/visits?done=confirm")
    row = held.visit(held.later)
    assert (row.confirmed_at, row.confirmed_by, row.sequence) == (clock.now(), "patient", 0)
    desk = app_on.test_client()
    enter(desk, EMAILS["receptionist"])
    shown = text_of(desk.get(f"/appointments/{held.later}").text)
    assert ", by the patient" in shown and "Confirmed by the patient" in shown


def test_another_time_is_a_wish_that_moves_nothing(app_on: Flask, today: date) -> None:
    held = hold(app_on, today)
    before = held.visit(held.later).starts_at
    fields: dict[str, Any] = {
        "weekdays": ["0", "3"],
        "part": "morning",
        "text": "I work until three 🙂",
    }
    browser = opened(app_on)
    answer = send(browser, f"/visits/{held.later}/another-time", **fields)
    [notice] = held.notices()
    assert (answer.status_code, held.visit(held.later).starts_at) == (302, before)
    assert (notice.kind, notice.wishes, notice.text, notice.handled_at) == (
        "another_time", {"weekdays": [0, 3], "part": "morning"}, "I work until three 🙂", None,
    )  # fmt: skip
    assert "You asked for another time" in browser.get("/visits").text


def test_a_flight_is_told_and_written_down_by_nobody_yet(held: Held, today: date) -> None:
    answer = send(opened(held.app), "/visits/flight", flight_day="2027-02-12", flight_time="14:30")
    [notice] = held.notices()
    assert (answer.location, notice.flight_on, str(notice.flight_at)) == (
        "/visits?done=flight", date(2027, 2, 12), "14:30:00",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Please give a date."),
        ("2027-02-30", "is not a date"),
        ("2027-01-31", "This day has passed."),
        ("9999-12-31", "This is too far away"),
    ],
)
def test_a_flight_that_cannot_be_is_asked_for_again(held: Held, typed: str, said: str) -> None:
    answer = send(opened(held.app), "/visits/flight", flight_day=typed, text="to Boston")
    assert (answer.status_code, said in answer.text, "to Boston" in answer.text) == (
        422,
        True,
        True,
    )
    assert held.notices() == []


def test_what_is_said_of_health_is_kept_apart_and_out_of_the_audit_trail(
    app_on: Flask, today: date
) -> None:
    held = hold(app_on, today)
    browser = opened(app_on)
    send(browser, "/visits/my-health", text="I feel dizzy")
    [notice] = held.notices()
    with app_on.app_context(), Session(db.engine) as session:
        told = [
            f"{row.before}{row.after}{row.reason}" for row in session.scalars(sa.select(AuditRow))
        ]
    assert (notice.health_text, notice.text) == ("I feel dizzy", "")
    assert not any("dizzy" in line for line in told)
    assert "dizzy" not in browser.get("/visits").text
    row = held.visit(held.today)
    assert (row.status, row.health_state) == ("booked", "")


@pytest.mark.parametrize(
    ("fields", "state", "words"),
    [
        ({"answer": "no"}, "complete", ""),
        ({"answer": "yes", "text": "a new medicine"}, "review", "a new medicine"),
        ({"answer": "yes"}, "review", ""),
        ({"answer": "no", "text": "well, a cold"}, "review", "well, a cold"),
    ],
)
def test_S17_the_check_in_question_is_answered_on_the_own_phone(
    held: Held, fields: dict[str, str], state: str, words: str
) -> None:
    answer = send(opened(held.app), f"/visits/{held.today}/health", "/visits", **fields)
    row = held.visit(held.today)
    assert (answer.status_code, row.health_state, row.health_answer) == (302, state, words)


def test_what_a_second_tab_adds_about_health_is_read_too(held: Held) -> None:
    browser = opened(held.app)
    page = browser.get("/visits").text
    fields = {"csrf_token": csrf_of(page), "answer": "yes", "seen": "20270201T1500Z"}
    path = f"/visits/{held.today}/health"
    for text in ("a cold", "a new medicine", "a cold"):
        assert browser.post(path, data={**fields, "text": text}).status_code == 302
    much = browser.post(path, data={**fields, "text": "x" * 990})
    assert (much.status_code, "x" * 990 in much.text) == (422, True)
    assert browser.post(path, data={**fields, "answer": "no"}).status_code == 302
    row = held.visit(held.today)
    assert (row.health_state, row.health_answer) == ("review", "a cold\n\na new medicine")


def test_S17_the_desk_sees_only_that_it_was_answered_and_checks_in(
    held: Held, sign_in: Callable[..., FlaskClient]
) -> None:
    send(opened(held.app), f"/visits/{held.today}/health", "/visits", answer="yes", text="a cold")
    desk = sign_in("receptionist")
    page = desk.get(f"/appointments/{held.today}").text
    assert ("Provider to review" in page, "a cold" in page, "health_state" in page) == (
        True,
        False,
        False,
    )
    form = {"csrf_token": csrf_of(page), "version": str(held.visit(held.today).version)}
    # whoever sends the old form all the same answers nothing away
    desk.post(f"/appointments/{held.today}/check-in", data={**form, "health_state": "complete"})
    row = held.visit(held.today)
    assert (row.status, row.health_state, row.health_answer) == ("arrived", "review", "a cold")


def test_the_check_in_question_is_for_the_day_of_the_visit(held: Held) -> None:
    browser = opened(held.app)
    assert f"/visits/{held.later}/health" not in browser.get("/visits").text
    page = browser.get("/visits").text
    fields = {"csrf_token": csrf_of(page), "answer": "no", "seen": "20270215T1500Z"}
    answer = browser.post(f"/visits/{held.later}/health", data=fields)
    assert (answer.status_code, "on the day of the visit" in answer.text) == (409, True)
    assert held.visit(held.later).health_state == ""


def test_preferences_are_kept_with_their_date_and_can_be_taken_back(
    app_on: Flask, today: date
) -> None:
    held = hold(app_on, today)
    browser = opened(app_on)
    path = "/visits/preferences"
    send(browser, path, words="plain", reminders_by="sms", invitations="y")
    on = held.row()
    assert (on.plain_words_since, on.reminders_by, on.invitations_since) == (
        clock.now(), "sms", clock.now(),
    )  # fmt: skip
    assert "You asked for plain words on Mon 1 Feb 2027" in browser.get(path).text
    send(browser, path, words="neutral", reminders_by="none")
    off = held.row()
    assert (off.plain_words_since, off.reminders_by, off.invitations_since) == (None, "none", None)


def test_the_same_form_sent_twice_and_said_twice_is_one_notice(app_on: Flask, today: date) -> None:
    held = hold(app_on, today)
    browser = opened(app_on)
    path = f"/visits/{held.later}/cannot-come"
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', browser.get(path).text))
    codes = [browser.post(path, data={**hidden, "text": "ill"}).status_code for _ in range(2)]
    send(browser, path, text="ill")  # another tab, another key
    changed = browser.post(path, data={**hidden, "text": "very ill"})
    assert (codes, changed.status_code, len(held.notices())) == ([302, 302], 422, 1)


def test_nobody_fills_the_inbox(held: Held) -> None:
    browser = opened(held.app)
    fields = {"csrf_token": csrf_of(browser.get("/visits/my-health").text)}
    codes = [
        browser.post("/visits/my-health", data={**fields, "text": f"again {n}"}).status_code
        for n in range(21)
    ]
    assert (codes, len(held.notices())) == ([302] * 20 + [422], 20)


# out of date, out of place


def test_another_patients_visit_is_neither_shown_nor_touched(
    held: Held, app: Flask, today: date
) -> None:
    theirs = hold(app, today, token=OTHER, hour=14)
    browser = opened(app)
    page = browser.get("/visits").text
    fields = {"csrf_token": csrf_of(page), "seen": "20270215T1900Z", "answer": "no", "text": "x"}
    acts = ("confirm", "health", "another-time", "cannot-come")
    codes = [browser.post(f"/visits/{theirs.later}/{act}", data=fields).status_code for act in acts]
    assert codes == [404, 404, 409, 409]
    assert (theirs.later in page, held.notices()) == (False, [])
    row = theirs.visit(theirs.later)
    assert (row.confirmed_at, row.health_state) == (None, "")


def test_a_visit_that_was_moved_while_the_page_was_open_is_not_confirmed(held: Held) -> None:
    browser = opened(held.app)
    html = browser.get("/visits").text
    wish = browser.get(f"/visits/{held.later}/another-time").text
    with held.app.app_context(), Session(db.engine) as session:
        row = session.scalars(sa.select(Appointment).where(Appointment.key == held.later)).one()
        for name in ("starts_at", "ends_at", "room_from", "room_until", "patient_until"):
            setattr(row, name, getattr(row, name) + timedelta(days=1))
        session.commit()
    fields = {"csrf_token": csrf_of(html), "seen": "20270215T1500Z"}
    answer = browser.post(f"/visits/{held.later}/confirm", data=fields)
    assert (answer.status_code, "This visit was moved meanwhile." in answer.text) == (409, True)
    assert "Tuesday 16 February 2027" in answer.text
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', wish))
    answer = browser.post(
        f"/visits/{held.later}/another-time",
        data={
            "csrf_token": hidden["csrf_token"],
            "seen": "20270215T1500Z",
            "text": "later, please",
        },
    )
    assert (answer.status_code, "later, please" in answer.text) == (409, True)
    assert 'name="seen" value="20270216T1500Z"' in answer.text
    assert (held.visit(held.later).confirmed_at, held.notices()) == (None, [])


def test_a_visit_that_was_cancelled_while_the_page_was_open_says_so(held: Held) -> None:
    browser = opened(held.app)
    html = browser.get("/visits").text
    with held.app.app_context():
        lifecycle.cancel(
            held.later, ended_by="clinic", reason="storm", version=held.visit(held.later).version,
            by=Who(user_id=None, role="receptionist"), now=clock.now(),
        )  # fmt: skip
    answer = browser.post(
        f"/visits/{held.later}/confirm",
        data={"csrf_token": csrf_of(html), "seen": "20270215T1500Z"},
    )
    said = "This visit does not take place, or is over."
    assert (answer.status_code, said in answer.text) == (409, True)
    assert browser.get(f"/visits/{held.later}/cannot-come").status_code == 404


def test_a_form_of_another_link_is_refused_and_what_was_typed_is_kept(
    held: Held, app: Flask, today: date
) -> None:
    hold(app, today, token=OTHER, hour=14)
    browser = opened(app)
    hidden = dict(
        re.findall(r'name="(\w+)" value="([^"]*)"', browser.get("/visits/my-health").text)
    )
    browser.get(f"/p/{OTHER}")  # somebody else's link, in the next tab
    answer = browser.post("/visits/my-health", data={**hidden, "text": "It <hurts>"})
    assert (answer.status_code, "It &lt;hurts&gt;" in answer.text, held.notices()) == (
        400,
        True,
        [],
    )
    again = opened(app)
    first = dict(re.findall(r'name="(\w+)" value="([^"]*)"', again.get("/visits/flight").text))
    again.get(f"/p/{TOKEN}")  # the same link once more: the form of the first tab stays good
    done = again.post("/visits/flight", data={**first, "flight_day": "2027-02-12"})
    assert done.status_code == 302


def test_a_signed_in_desk_that_opens_a_link_acts_as_the_patient(
    held: Held, sign_in: Callable[..., FlaskClient]
) -> None:
    desk = sign_in("receptionist")
    desk.get(f"/p/{TOKEN}")
    send(desk, f"/visits/{held.later}/confirm", "/visits")
    with held.app.app_context(), Session(db.engine) as session:
        row = session.scalars(
            sa.select(AuditRow).where(AuditRow.action == "own_page.confirm")
        ).first()
    assert row is not None
    assert (row.user_id, held.visit(held.later).confirmed_by) == (None, "patient")
    assert desk.get("/day").status_code == 200


BAD_TEXTS = {
    "ten thousand letters": ("x" * 10_000, 422),
    "nul": ("a\0b", 422),
    "escape": ("a\x1b[31mb", 422),
    "three hundred emoji": ("👩‍⚕️🏖️🫨" * 37, 302),
    "right to left": ("مرحبا \u202eabc", 302),
    "lines": ("x\r\nSet-Cookie: probe=1\r\n\r\nx", 302),
    "markup": ("<b>'\"&</b>", 302),
}


def test_any_text_is_taken_whole_or_refused_beside_its_field(app_on: Flask, today: date) -> None:
    held = hold(app_on, today)
    browser = opened(app_on)
    for text, expected in BAD_TEXTS.values():
        answer = send(browser, f"/visits/{held.later}/cannot-come", text=text)
        is_shown = 'aria-invalid="true"' in answer.text and text[:1] in answer.text
        assert (answer.status_code, is_shown) == (expected, expected == 422), text[:20]
    taken = [text for text, expected in BAD_TEXTS.values() if expected == 302]
    assert [row.text for row in held.notices()] == [t.replace("\r\n", "\n") for t in taken]


def test_closing_the_page_closes_it_on_this_device(held: Held) -> None:
    browser = opened(held.app)
    assert send(browser, "/visits/close", "/visits").status_code == 200
    assert browser.get("/visits").status_code == 404
