"""What patients told stands in one list; whom no message reaches stands in another; links and texts go out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from planner import clock
from planner.actions import merging, own_page
from planner.db.engine import db
from planner.db.models import (
    Appointment,
    AuditRow,
    Course,
    DateToAvoid,
    Message,
    Notice,
    Patient,
    PatientLink,
    Provider,
    ProviderService,
    User,
)
from planner.who import SYSTEM
from tests import factories
from tests.web.conftest import EMAILS, csrf_of, enter
from tests.web.test_own_page import hold, morning, text_of, today

__all__ = ["morning", "today"]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A clinic in which a patient has told four things, and somebody signed in for each role."""

    app: Flask
    held: Any
    ids: dict[str, int]

    def browser(self, role: str) -> FlaskClient:
        browser = self.app.test_client()
        assert enter(browser, EMAILS[role]).status_code == 302
        return browser

    def notice(self, kind: str) -> Notice:
        with self.app.app_context(), Session(db.engine) as session:
            return session.get_one(Notice, self.ids[kind])

    def post(self, browser: FlaskClient, kind: str, **fields: str) -> int:
        token = csrf_of(browser.get("/account").text)
        path = f"/inbox/{self.ids[kind]}"
        return browser.post(path, data={"csrf_token": token, **fields}).status_code


def told_on(app: Flask, day: date) -> Desk:
    held = hold(app, day)
    with app.app_context():
        with Session(db.engine) as session:
            link_id = session.scalars(sa.select(PatientLink.id)).one()
        starts_at = factories.at(day + timedelta(days=14), 10)
        seen = own_page.Seen(visit_key=held.later, starts_at=starts_at)
        said = (
            (own_page.Told(kind="another_time", text="mornings"), seen),
            (own_page.Told(kind="cannot_come", text="ill"), seen),
            (own_page.Told(kind="flight", flight_on=day + timedelta(days=15), flight_at=time(9)), None),
            (own_page.Told(kind="health", text="feels dizzy"), None),
        )  # fmt: skip
        for told, about in said:
            own_page.tell(link_id, told, about, by=SYSTEM, now=clock.now())
    ids = {row.kind: row.id for row in held.notices()}
    return Desk(app=app, held=held, ids=ids)


@pytest.fixture
def desk(app: Flask, today: date) -> Desk:
    """On SQLite."""
    return told_on(app, today)


def test_the_desk_reads_what_is_for_it_and_only_that_there_is_something_of_health(
    desk: Desk,
) -> None:
    html = desk.browser("receptionist").get("/inbox").text
    shown = text_of(html)
    assert all(word in shown for word in ("mornings", "ill", "Tue 16 Feb 2027, 9:00 AM"))
    assert ("dizzy" in html, "1 note about health waits for a provider" in shown) == (False, True)
    assert re.search(r"Inbox</span><span[^>]*>3<", html)


def test_a_provider_who_may_examine_reads_it_and_that_is_written_down(desk: Desk) -> None:
    html = desk.browser("provider").get("/inbox").text
    with desk.app.app_context(), Session(db.engine) as session:
        read = session.scalars(sa.select(AuditRow).where(AuditRow.action == "notice.read")).one()
    assert ("feels dizzy" in html, read.after) == (True, {"ids": [desk.ids["health"]]})
    assert re.search(r"Inbox</span><span[^>]*>1<", html)


def test_a_provider_who_neither_examines_nor_treats_the_patient_does_not(desk: Desk) -> None:
    with desk.app.app_context(), Session(db.engine) as session:
        small = desk.app.config["SMALL_CLINIC"]
        user = session.scalars(sa.select(User).where(User.email == EMAILS["provider"])).one()
        user.provider_id = small.rn_aventura
        for row in session.scalars(
            sa.select(ProviderService).where(ProviderService.provider_id == small.rn_aventura)
        ):
            row.may_examine = False
        session.commit()
    nurse = desk.browser("provider")
    assert "dizzy" not in nurse.get("/inbox").text
    assert (desk.post(nurse, "health"), desk.notice("health").handled_at) == (403, None)
    with desk.app.app_context(), Session(db.engine) as session:
        visit = session.scalars(
            sa.select(Appointment).where(Appointment.key == desk.held.later)
        ).one()
        visit.provider_id = desk.app.config["SMALL_CLINIC"].rn_aventura
        session.commit()
    assert "feels dizzy" in nurse.get("/inbox").text


def test_a_day_page_is_another_once_something_waits_or_was_handled(
    app_on: Flask, today: date
) -> None:
    desk = told_on(app_on, today)
    browser = desk.browser("receptionist")
    browser.get("/day")  # the first page of a sign-in makes the key of its forms
    seen = browser.get("/day")
    desk.post(browser, "flight", note="noted")
    again = browser.get("/day", headers={"If-None-Match": seen.headers["ETag"]})
    assert (again.status_code, bool(re.search(r"Inbox</span><span[^>]*>2<", again.text))) == (
        200,
        True,
    )


def test_handling_says_when_by_whom_and_how_and_once(app_on: Flask, today: date) -> None:
    desk = told_on(app_on, today)
    browser = desk.browser("receptionist")
    codes = [desk.post(browser, "cannot_come", note="moved to March") for _ in range(2)]
    row = desk.notice("cannot_come")
    assert (codes, row.handled_how, row.handled_note, row.handled_at) == (
        [302, 302], "done", "moved to March", clock.now(),
    )  # fmt: skip
    assert row.handled_by == app_on.config["SMALL_CLINIC"].receptionist
    assert "Somebody has seen to this already." in browser.get("/inbox").text
    assert desk.post(browser, "another_time", note="x" * 301) == 422


def test_a_flight_is_taken_over_in_one_click_and_flags_what_it_touches(
    app_on: Flask, today: date
) -> None:
    desk = told_on(app_on, today)
    browser = desk.browser("receptionist")
    codes = [desk.post(browser, "flight", do="take") for _ in range(2)]
    with app_on.app_context(), Session(db.engine) as session:
        [flight] = session.scalars(sa.select(DateToAvoid))
        assert (flight.kind, flight.from_date, flight.at) == (
            "flight", today + timedelta(days=15), time(9),
        )  # fmt: skip
    assert (codes, desk.notice("flight").handled_how) == ([302, 302], "taken")
    # the session of the day before is less than 48 hours away from it
    assert "please check" in browser.get(f"/patients/{desk.held.patient}").text


def test_what_waits_flags_the_patient_and_the_course(desk: Desk) -> None:
    browser = desk.browser("receptionist")
    page = browser.get(f"/patients/{desk.held.patient}").text
    course = re.search(r"/courses/[\w-]{16}", page)
    assert course is not None
    for html in (page, browser.get(course[0]).text):
        assert ("The patient has told us" in html, "dizzy" in html) == (True, False)
    for kind in ("another_time", "cannot_come", "flight"):
        desk.post(browser, kind)
    desk.post(desk.browser("provider"), "health")
    assert "The patient has told us" not in browser.get(course[0]).text


def test_an_empty_inbox_says_what_would_stand_there(
    app: Flask, sign_in: Callable[..., FlaskClient]
) -> None:
    assert "Nothing waits" in sign_in("receptionist").get("/inbox").text


def test_the_list_needs_as_many_statements_for_many_as_for_one(
    desk: Desk, given: Callable[..., Any]
) -> None:
    browser = desk.browser("receptionist")
    browser.get("/inbox")  # the first page of a session stores the secret of its forms
    one = _statements(desk, browser)
    patient_id = given(factories.patient, given_name="Other")
    days = [date(2027, 3, n) for n in (1, 2, 3)]
    with desk.app.app_context(), Session(db.engine) as session:
        session.add_all(
            Notice(
                kind="flight", patient_id=patient_id, flight_on=day, wishes={},
                created_at=clock.now(),
            )
            for day in days
        )  # fmt: skip
        session.commit()
    browser.get("/inbox")  # the clinic may be another edition since
    assert _statements(desk, browser) == one


# the call list


def test_who_gets_no_message_is_called_by_language_and_confirmed_in_one_click(
    app: Flask, today: date, given: Callable[..., Any], sign_in: Callable[..., FlaskClient]
) -> None:
    small = app.config["SMALL_CLINIC"]
    people = {
        "Mila": {"language": "es", "phone": "+13055550101"},
        "Nora": {"language": "en", "email": "nora@example.com", "phone": "+13055550102"},
        "Olga": {"language": "en", "email": "olga@example.com", "reminders_by": "none"},
        "Pia": {"language": "pt"},
    }
    for hour, (name, columns) in enumerate(people.items(), start=10):
        patient_id = given(factories.patient, given_name=name, **columns)
        given(factories.appointment, small, patient_id, day=today + timedelta(days=1), hour=hour)
    desk = sign_in("receptionist")
    html = desk.get("/call-list").text
    listed = [name for name in people if f"{name} Lopez" in html]
    assert (listed, "no phone" in html) == (["Mila", "Olga", "Pia"], True)
    assert "¿Puedo hablar con Mila?" in html and "May I speak with Pia?" in html
    assert "sclero" not in html.lower()
    everybody = desk.get("/call-list?who=all&days=7").text
    assert "Nora Lopez" in everybody
    form = next(one for one in re.findall(r"<form.*?</form>", html, re.S) if "/call-list/" in one)
    action = re.findall(r'action="([^"]+)"', form)[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    answer = desk.post(action, data=fields)
    assert (answer.status_code, answer.location) == (302, "/call-list?days=3")
    stale = desk.post(action, data={**fields, "version": "1", "who": "all", "days": "99"})
    after = desk.get("/call-list").text
    assert (stale.location, sum(f"{name} Lopez" in after for name in people)) == (
        "/call-list?who=all", 2,
    )  # fmt: skip
    assert "Somebody changed this appointment meanwhile" in desk.get("/call-list").text + after


# links, texts and paper


def test_a_link_is_shown_once_with_its_code_and_the_texts_that_hold_it(
    app: Flask, today: date, sign_in: Callable[..., FlaskClient]
) -> None:
    held = hold(app, today, language="es")
    desk = sign_in("receptionist")
    path = f"/patients/{held.patient}/share"
    html = desk.get(path).text
    fields = dict(re.findall(r'name="(csrf_token|idempotency_key)"[^>]*value="([^"]+)"', html))
    made, again = (desk.post(path, data=fields) for _ in range(2))
    [url] = set(re.findall(r"http://localhost/p/[\w-]{43}", made.text))
    with app.app_context(), Session(db.engine) as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(PatientLink))
    assert (count, "<svg" in made.text, url in again.text) == (2, True, True)
    texts = dict(
        re.findall(r'<textarea[^>]*id="text-([\w-]+)"[^>]*>(.*?)</textarea>', made.text, re.S)
    )
    assert list(texts) == [
        f"{k}-{lang}" for lang in ("es", "en") for k in ("confirmation", "reminder", "change")
    ]
    assert all(url in text for text in texts.values())
    assert texts["reminder-es"].startswith("Hola, Maria: le recordamos su cita: lunes 1 de febrero")
    assert not re.search(r"sclero|escler|stocking|medias", " ".join(texts.values()).lower())
    assert url not in desk.get(path).text
    assert app.test_client().get(url).status_code == 302


def test_ending_a_link_ends_it_and_what_was_sent_and_opened_is_listed(
    app: Flask, today: date, sign_in: Callable[..., FlaskClient]
) -> None:
    held = hold(app, today)
    with app.app_context(), Session(db.engine) as session:
        link_id = session.scalars(sa.select(PatientLink.id)).one()
        session.add(
            Message(
                key="k" * 16, kind="reminder", channel="mail", status="sent", facts={},
                patient_id=held.patient_id, link_id=link_id, not_before=clock.now(),
                expires_at=clock.now(), next_attempt_at=clock.now(), created_at=clock.now(),
                sent_at=clock.now(),
            )
        )  # fmt: skip
        session.commit()
    app.test_client().get("/p/0wnpage_" + "x" * 37)
    desk = sign_in("receptionist")
    for path in (f"/patients/{held.patient}/share", f"/patients/{held.patient}"):
        shown = text_of(desk.get(path).text)
        assert "Reminder" in shown and "link opened Mon 1 Feb, 8:00 AM" in shown
    path = f"/patients/{held.patient}/share"
    token = csrf_of(desk.get(path).text)
    for number in ("999", "x", str(link_id)):
        desk.post(path, data={"csrf_token": token, "revoke": number})
    assert app.test_client().get("/p/0wnpage_" + "x" * 37).status_code == 404


def test_a_sheet_says_which_sheet_it_replaces(
    app: Flask, today: date, sign_in: Callable[..., FlaskClient], morning: Any
) -> None:
    held = hold(app, today, language="es")
    path = f"/patients/{held.patient}/sheet"
    first = sign_in("receptionist").get(path).text
    morning.shift(timedelta(days=3))
    second = sign_in("receptionist").get(path).text
    assert ("Reemplaza toda hoja anterior." in first, 'lang="es"' in first) == (True, True)
    assert "Reemplaza la hoja del lun 1 feb 2027 y todas las anteriores." in second
    assert "No volar hasta el jue 4 feb, 10:45" in second


def test_a_merged_patients_notices_go_along(
    app: Flask, today: date, given: Callable[..., int]
) -> None:
    desk = told_on(app, today)
    kept_id = given(factories.patient, given_name="Marie")
    with app.app_context():
        with Session(db.engine) as session:
            rows = [session.get_one(Patient, one) for one in (kept_id, desk.held.patient_id)]
            keys, versions = [row.key for row in rows], [row.version for row in rows]
        merging.merge(
            *keys, kept_version=versions[0], other_version=versions[1], by=SYSTEM, now=clock.now()
        )
    assert "Marie Lopez" in desk.browser("receptionist").get("/inbox").text


def _statements(desk: Desk, browser: FlaskClient) -> int:
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    with desk.app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", note)
        browser.get("/inbox")
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_a_note_about_health_stands_on_the_visits_page_for_providers_who_may_read_it(
    desk: Desk,
) -> None:
    path, notice_id = f"/appointments/{desk.held.today}", desk.ids["health"]
    html = desk.browser("receptionist").get(path).text
    with desk.app.app_context(), Session(db.engine) as session:
        names = session.scalars(sa.select(Provider.name)).all()
    assert ("dizzy" in html, "1 note about health waits for a provider" in html) == (False, True)
    assert any(name in text_of(html).partition("It can be read by ")[2] for name in names)
    provider = desk.browser("provider")
    first, second = (text_of(provider.get(path).text) for _ in range(2))
    assert ("feels dizzy" in first, "shown to" in first, "shown to" in second) == (
        True, False, True,
    )  # fmt: skip
    token = csrf_of(provider.get(path).text)
    done = {"csrf_token": token, "do": "done", "visit": desk.held.today}
    answer = provider.post(f"/inbox/{notice_id}", data=done, follow_redirects=True)
    shown = text_of(answer.text)
    assert (answer.request.path, "feels dizzy" in shown, "I have read it" in shown) == (
        path, True, False,
    )  # fmt: skip
    row = desk.notice("health")
    assert (row.handled_how, "note about health" in desk.browser("receptionist").get(path).text) == (
        "read", False,
    )  # fmt: skip


def test_the_page_of_a_course_shows_what_was_sent_about_it_and_sends_it_again(
    app: Flask, today: date, sign_in: Callable[..., FlaskClient]
) -> None:
    held = hold(app, today)
    with app.app_context(), Session(db.engine) as session:
        course = session.scalars(sa.select(Course)).one()
        path = f"/courses/{course.key}"
        for key, about in (("c" * 16, course.id), ("o" * 16, None)):
            session.add(
                Message(
                    key=key, kind="change", channel="mail", status="sent", facts={},
                    patient_id=held.patient_id, course_id=about, not_before=clock.now(),
                    expires_at=clock.now() + timedelta(days=9), next_attempt_at=clock.now(),
                    created_at=clock.now(), sent_at=clock.now(),
                )
            )  # fmt: skip
        session.commit()
    desk = sign_in("receptionist")
    pages = [desk.get(address).text for address in (path, f"/patients/{held.patient}")]
    again = [
        set(re.findall(rf"/patients/{held.patient}/messages/(\w+)/again", page)) for page in pages
    ]
    assert again == [{"c" * 16}, {"c" * 16, "o" * 16}]
    ways = [f'href="/patients/{held.patient}/{way}' for way in ("share", "sheet", "messages")]
    assert [way for page in pages for way in ways if way not in page] == []
