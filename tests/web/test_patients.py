"""The patients' pages: search, the short form, the page of one, merging, hostile input."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner.db.engine import db
from planner.db.models import AuditRow, Consent, DateToAvoid, Patient
from tests import factories
from tests.factories import SmallClinic
from tests.web.conftest import csrf_of

NEW = {
    "given_name": "María",
    "family_name": "López",
    "phone": "305 555 0101",
    "birth_date": "5/17/1980",
    "language": "es",
    "contact_by": "text",
    "email": "",
}
HOSTILE = (
    "x" * 10_000,
    "A\u0001b",
    "<script>alert(1)</script>",
    "'; DROP TABLE patient;--",
    "{{ 7 * 7 }}",
    "\u202eevil",
    "\U0001f338" * 50,
    "-1",
    "99/99/9999",
    "25:00",
    "NaN",
)


@pytest.fixture
def desk(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("receptionist")


@pytest.fixture
def given(app: Flask) -> Callable[..., int]:
    """Add by a factory, and commit."""

    def add(factory: Callable[..., int], *args: object, **columns: object) -> int:
        with app.app_context(), Session(db.engine) as session:
            result = factory(session, *args, **columns)
            session.commit()
            return result

    return add


def send(browser: FlaskClient, path: str, values: dict[str, str], page: str = "") -> TestResponse:
    token = csrf_of(browser.get(page or path).text)
    return browser.post(path, data={"csrf_token": token, **values})


def register(browser: FlaskClient, **changes: str) -> str:
    """Register and return the path of the patient's page."""
    answer = send(browser, "/patients/new", {**NEW, "do": "save", **changes})
    assert answer.status_code == 302, answer.text
    return answer.location


def stored(app: Flask, model: type[Any]) -> list[Any]:
    with app.app_context(), Session(db.engine) as session:
        return list(session.scalars(sa.select(model)))


def test_s41_a_new_patient_goes_straight_on_to_the_consult(
    desk: FlaskClient, clinic: SmallClinic
) -> None:
    answer = send(desk, "/patients/new?then=consult", {**NEW, "do": "consult"})
    assert re.fullmatch(rf"/patients/[\w-]{{16}}/book\?service={clinic.consult}", answer.location)


def test_enter_in_the_form_means_save_and_book(desk: FlaskClient) -> None:
    html = desk.get("/patients/new").text
    form = html[html.index('data-draft="patient-new"') :]
    first = re.search(r'<button[^>]*type="submit"[^>]*name="(\w+)" value="(\w+)"', form)
    assert first and first.groups() == ("do", "consult")


def test_the_page_says_who_it_is(desk: FlaskClient) -> None:
    html = desk.get(register(desk)).text
    assert all(text in html for text in ("María López", "17 May 1980", "(305) 555-0101", "Spanish"))


def test_a_duplicate_is_shown_and_one_click_goes_on(desk: FlaskClient, app: Flask) -> None:
    register(desk)
    shown = send(desk, "/patients/new", {**NEW, "do": "save"})
    kept = {
        name: value
        for name, value in re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', shown.text)
        if name not in ("language", "contact_by")
    }
    answer = desk.post(
        "/patients/new",
        data={**NEW, **kept, "acknowledged": "patient.duplicate"},
    )
    assert (shown.status_code, "It is someone else" in shown.text, answer.status_code) == (
        409,
        True,
        302,
    )
    assert (len(stored(app, Patient)), "/book" in answer.location) == (2, False)


def test_family_that_shares_a_phone_is_told_and_not_stopped(desk: FlaskClient) -> None:
    register(desk)
    page = desk.get(register(desk, given_name="José")).text
    assert "Shares the phone number with María López." in page


def test_a_number_that_cannot_be_called_is_said_beside_its_field(
    app: Flask, desk: FlaskClient
) -> None:
    token = csrf_of(desk.get("/patients/new").text)
    answer = desk.post("/patients/new", data={**NEW, "csrf_token": token, "phone": "12"})
    field = answer.text[answer.text.index('id="phone"') :].partition("</div>")[0]
    assert (answer.status_code, 'value="12"' in field) == (422, True)
    assert "This is not a phone number. Write it like (305)\N{NO-BREAK SPACE}555-0101" in field
    assert stored(app, Patient) == []


def test_all_that_is_wrong_is_said_at_once(desk: FlaskClient) -> None:
    wrong = {
        "given_name": "",
        "family_name": "",
        "phone": "12",
        "birth_date": "31/31",
        "email": "x",
    }
    page = send(desk, "/patients/new", {**NEW, **wrong}).text
    named = re.findall(r'<li><a href="#(\w+)">', page)
    assert sorted(named) == ["birth_date", "email", "given_name", "phone"]


def test_a_number_from_before_stays_beside_a_new_birth_date(app: Flask, desk: FlaskClient) -> None:
    path = register(desk)
    with app.app_context(), Session(db.engine) as session:
        session.execute(sa.update(Patient).values(phone="ask her sister"))
        session.commit()
    edited = {**NEW, "phone": "ask her sister", "birth_date": "4/9/1988"}
    edited |= {"version": str(stored(app, Patient)[0].version), "stay_from": "", "stay_until": ""}
    assert send(desk, f"{path}/edit", edited).location == path


@pytest.mark.parametrize("field", sorted(NEW))
@pytest.mark.parametrize("typed", HOSTILE)
def test_whatever_is_typed_gets_a_page_and_is_kept(
    desk: FlaskClient, field: str, typed: str
) -> None:
    answer = send(desk, "/patients/new", {**NEW, "do": "save", field: typed})
    if answer.status_code == 302:
        page = desk.get(answer.location)
        assert (page.status_code, "<script>alert" in page.text) == (200, False)
    else:
        assert (answer.status_code, "López" in answer.text or field == "family_name") == (
            422,
            True,
        )


@pytest.mark.parametrize("query", [*HOSTILE[1:], "%", "_", "' OR 1=1", "a" * 3000, "🌸", "کهن"])
def test_a_search_for_anything_answers(desk: FlaskClient, query: str) -> None:
    register(desk)
    page = desk.get("/patients", query_string={"q": query})
    part = desk.get("/patients/search", query_string={"q": query}, headers={"HX-Request": "true"})
    assert (page.status_code, part.status_code, "<html" in part.text) == (200, 200, False)


def test_the_search_works_without_javascript_and_enter_opens_the_only_one(
    desk: FlaskClient,
) -> None:
    path = register(desk)
    register(desk, given_name="Ana", family_name="Ruiz", phone="", birth_date="")
    both = desk.get("/patients?q=3055550101")
    assert ("María" in both.text, "Ruiz" in both.text) == (True, False)
    assert desk.get("/patients?q=lop&go=1").location == path


def test_at_most_thirty_are_listed_and_the_page_says_so(
    desk: FlaskClient, given: Callable[..., int]
) -> None:
    for number in range(31):
        given(factories.patient, family_name=f"Lopez {number}")
    html = desk.get("/patients?q=lopez").text
    assert (html.count('class="row-link"'), "The first 30" in html) == (30, True)


def test_opening_a_record_is_audited_and_offers_it_again(desk: FlaskClient, app: Flask) -> None:
    path = register(desk)
    desk.get(path)
    opened = [row.action for row in stored(app, AuditRow) if row.action == "patient.open"]
    assert (len(opened), path in desk.get("/patients").text) == (1, True)


def test_an_edit_shows_what_somebody_else_has_changed(desk: FlaskClient) -> None:
    path = register(desk)
    old = desk.get(f"{path}/edit").text
    version = re.search(r'name="version"[^>]*value="(\d+)"', old)
    assert version
    values = {**NEW, "note": "first", "version": version[1]}
    send(desk, f"{path}/edit", values)
    answer = send(desk, f"{path}/edit", {**values, "note": "second"})
    assert (answer.status_code, "Stored meanwhile: first" in answer.text) == (409, True)
    assert "second" in answer.text


def test_a_flight_is_added_and_removed_inline(desk: FlaskClient, app: Flask) -> None:
    path = register(desk)
    values = {"kind": "flight", "from_date": "3/5/2030", "until_date": "", "at": "2:30 pm"}
    send(desk, f"{path}/dates", values, page=path)
    added = stored(app, DateToAvoid)
    html = desk.get(path).text
    send(desk, f"{path}/dates/{added[0].id}/remove", {}, page=path)
    assert ("Flight on Tue 5 Mar 2030, 2:30" in html, stored(app, DateToAvoid)) == (True, [])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"from_date": "30/2/2030"}, "is not a date"),
        ({"from_date": ""}, "Please give a date."),
        ({"until_date": "3/4/2030"}, "The last day lies before the first."),
        ({"at": "25:00"}, "is not a time"),
        ({"kind": "rocket"}, "Please choose from the list."),
        ({"note": "x" * 201}, "At most 200 characters fit here."),
    ],
)
def test_a_date_that_cannot_be_says_why_and_keeps_what_was_typed(
    desk: FlaskClient, app: Flask, values: dict[str, str], sentence: str
) -> None:
    path = register(desk)
    typed = {"kind": "flight", "from_date": "3/5/2030", "until_date": "", "note": "to Bogotá"}
    answer = send(desk, f"{path}/dates", {**typed, **values}, page=path)
    assert (answer.status_code, sentence in answer.text, stored(app, DateToAvoid)) == (
        422,
        True,
        [],
    )
    assert "note" in values or "to Bogotá" in answer.text


def test_a_seasonal_stay_is_kept(desk: FlaskClient) -> None:
    path = register(desk)
    values = {"stay_from": "11/1/2029", "stay_until": "4/30/2030", "version": "1"}
    send(desk, f"{path}/stay", values, page=path)
    assert "In Florida from Thu 1 Nov 2029 to Tue 30 Apr 2030" in desk.get(path).text


def test_a_consent_is_recorded(desk: FlaskClient, app: Flask) -> None:
    path = register(desk)
    values = {
        "kind": "treatment", "text_version": "2030-1", "language": "es", "signed_on": "1/5/2020",
    }  # fmt: skip
    send(desk, f"{path}/consents", values, page=path)
    row = stored(app, Consent)[0]
    assert (row.text_version, "version 2030-1" in desk.get(path).text) == ("2030-1", True)


def test_plain_words_are_switched_on_and_off(desk: FlaskClient, app: Flask) -> None:
    path = register(desk)
    for words, wanted in (("plain", True), ("neutral", False)):
        send(desk, f"{path}/calendar-words", {"words": words}, page=path)
        assert (stored(app, Patient)[0].plain_words_since is not None) is wanted


def test_two_files_are_compared_and_merged_and_the_old_address_leads_on(
    desk: FlaskClient, app: Flask
) -> None:
    kept, other = register(desk), register(desk, given_name="Maria Eva", phone="")
    keep, drop = kept.rsplit("/", 1)[1], other.rsplit("/", 1)[1]
    page = desk.get(f"{kept}/merge?other={drop}").text
    values = {"keep": keep, "drop": drop, "keep_version": "1", "drop_version": "1", "other": drop}
    answer = send(desk, f"{kept}/merge", values, page=f"{kept}/merge?other={drop}")
    assert ("differs" in page, answer.location, desk.get(other).location) == (True, kept, kept)


@pytest.mark.parametrize(
    "changes", [{"keep": ""}, {"drop": "nobody"}, {"keep_version": "-1"}, {"drop_version": "x"}]
)
def test_a_merge_of_nonsense_changes_nothing(
    desk: FlaskClient, app: Flask, changes: dict[str, str]
) -> None:
    kept, other = register(desk), register(desk, given_name="Ana")
    keep, drop = kept.rsplit("/", 1)[1], other.rsplit("/", 1)[1]
    values = {"keep": keep, "drop": drop, "keep_version": "1", "drop_version": "1", "other": drop}
    answer = send(desk, f"{kept}/merge", {**values, **changes}, page=kept)
    merged = [row for row in stored(app, Patient) if row.merged_into_id]
    assert (answer.status_code in (404, 409, 422), merged) == (True, [])


def test_files_with_overlapping_appointments_say_which(
    desk: FlaskClient, app: Flask, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    one, other = given(factories.patient), given(factories.patient, given_name="Ana")
    day = clinic.today + timedelta(days=3)
    given(factories.appointment, clinic, one, day=day)
    given(
        factories.appointment, clinic, other, day=day, minute=15, provider_id=clinic.np_aventura,
        room_id=clinic.aventura_consult, site_id=clinic.aventura,
    )  # fmt: skip
    keep, drop = (row.key for row in stored(app, Patient))
    values = {"keep": keep, "drop": drop, "keep_version": "1", "drop_version": "1", "other": drop}
    answer = send(desk, f"/patients/{keep}/merge", values, page=f"/patients/{keep}")
    assert (answer.status_code, "10:00 AM and at 10:15" in answer.text.replace("\u202f", " ")) == (
        409,
        True,
    )


@pytest.mark.parametrize("path", ["/patients/nobody", "/patients/nobody/edit", "/patients/x/merge"])
def test_an_address_of_nobody_is_not_found(desk: FlaskClient, path: str) -> None:
    assert desk.get(path).status_code == 404


def test_somebody_elses_date_is_not_found(desk: FlaskClient, app: Flask) -> None:
    one, other = register(desk), register(desk, given_name="Ana")
    values = {"kind": "trip", "from_date": "3/5/2030"}
    send(desk, f"{one}/dates", values, page=one)
    date_id = stored(app, DateToAvoid)[0].id
    answer = send(desk, f"{other}/dates/{date_id}/remove", {}, page=other)
    assert (answer.status_code, len(stored(app, DateToAvoid))) == (404, 1)
