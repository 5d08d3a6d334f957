"""Signing in and out, one's own password and language."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import flask
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user

from planner import clock
from planner.actions import access
from planner.db.engine import db
from planner.db.models import AuditRow, SignIn, Throttle, User
from planner.web import context
from planner.who import Who
from tests import factories
from tests.web.conftest import EMAILS, cookie_of, csrf_of, enter

Browser = Callable[..., FlaskClient]
WRONG = "not the password of anybody"
NEW = "purple tractors never whisper"


def _send(browser: FlaskClient, path: str, **fields: str):  # type: ignore[no-untyped-def]
    token = csrf_of(browser.get("/account").text)
    return browser.post(path, data={"csrf_token": token, **fields})


def _rows(app: Flask, statement: Any) -> list[tuple[object, ...]]:
    with app.app_context(), db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def test_whoever_signs_in_goes_on_to_the_page_that_was_asked_for(client: FlaskClient) -> None:
    asked = client.get("/settings/rules?on=2027-03-01")
    answer = enter(client, EMAILS["manager"], path=asked.location)
    assert answer.location == "/settings/rules?on=2027-03-01"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "///evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/ok\r\nSet-Cookie: a=b",
        "http:evil.example",
        "",
    ],
)
def test_a_sign_in_never_leads_to_another_host(client: FlaskClient, target: str) -> None:
    token = csrf_of(client.get("/sign-in").text)
    form = {"csrf_token": token, "email": EMAILS["manager"], "password": factories.PASSWORD}
    answer = client.post("/sign-in", query_string={"next": target}, data=form)
    assert (answer.status_code, answer.location) == (302, "/")


@pytest.mark.parametrize(
    "email", ["reception@example.com", "nobody@example.com", "former@example.com"]
)
def test_a_failed_sign_in_reads_the_same_whoever_it_was(
    client: FlaskClient, given: Callable[..., int], email: str
) -> None:
    given(factories.user, email="former@example.com", role="receptionist", is_active=False)
    password = factories.PASSWORD if email.startswith("former") else WRONG
    answer = enter(client, email, password)
    page = answer.text.replace(email, "…").replace(csrf_of(answer.text), "…")
    other = enter(client, "somebody.else@example.com", WRONG)
    same = other.text.replace("somebody.else@example.com", "…").replace(csrf_of(other.text), "…")
    assert (answer.status_code, page) == (422, same)


def test_what_was_typed_as_address_is_kept_after_a_failure(client: FlaskClient) -> None:
    assert 'value="Somebody@Example.com"' in enter(client, "Somebody@Example.com", WRONG).text


def test_no_answer_ever_repeats_a_password(client: FlaskClient) -> None:
    assert WRONG not in enter(client, EMAILS["manager"], WRONG).text


def test_an_address_is_the_same_in_any_case(client: FlaskClient) -> None:
    assert enter(client, " Manager@Example.COM ").status_code == 302


def test_an_empty_form_is_answered_beside_its_fields(client: FlaskClient) -> None:
    answer = enter(client, "", "")
    assert (answer.status_code, answer.text.count("Please fill this in.")) == (422, 4)


def test_an_old_sign_in_page_keeps_the_address_and_works_again(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={"email": EMAILS["manager"], "password": "x" * 20})
    assert (answer.status_code, EMAILS["manager"] in answer.text) == (400, True)


def test_signing_in_leaves_a_line_in_the_audit_trail_that_names_the_user(
    app: Flask, clinic: factories.SmallClinic, sign_in: Browser
) -> None:
    sign_in("manager")
    found = _rows(app, sa.select(AuditRow.action, AuditRow.object_id).order_by(AuditRow.id))
    assert found == [("sign_in", clinic.manager)]


def test_a_failed_sign_in_is_written_down_without_the_address_typed(
    app: Flask, client: FlaskClient
) -> None:
    enter(client, "nobody@example.com", WRONG)
    found = _rows(app, sa.select(AuditRow.action, AuditRow.object_id, AuditRow.after))
    assert found == [("sign_in.failed", None, None)]


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(
    app: Flask, sign_in: Browser
) -> None:
    browser = sign_in("manager")
    thief = app.test_client()
    thief.set_cookie("planner", cookie_of(browser))
    before = thief.get("/account").status_code
    _send(browser, "/sign-out")
    assert (before, thief.get("/account").status_code, cookie_of(browser)) == (200, 302, "")


def test_the_id_of_a_session_changes_at_sign_in(app: Flask, client: FlaskClient) -> None:
    client.get("/sign-in")
    before = cookie_of(client)
    enter(client, EMAILS["manager"])
    planted = app.test_client()
    planted.set_cookie("planner", before)
    assert before != cookie_of(client)
    assert planted.get("/account").status_code == 302


def test_the_table_holds_no_id_that_opens_a_session(app: Flask, sign_in: Browser) -> None:
    browser = sign_in("manager")
    stored = _rows(app, sa.select(SignIn.id_hash, sa.cast(SignIn.contents, sa.String)))
    assert not any(cookie_of(browser) in str(row) for row in stored)


def test_a_session_ends_after_fifteen_minutes_without_a_click(
    sign_in: Browser, moment: time_machine.Traveller
) -> None:
    browser = sign_in("receptionist")
    codes = []
    for minutes in (14, 14, 15):
        moment.shift(timedelta(minutes=minutes))
        codes.append(browser.get("/account").status_code)
    assert codes == [200, 200, 302]


def test_a_session_ends_after_twelve_hours_however_busy(
    sign_in: Browser, moment: time_machine.Traveller
) -> None:
    browser = sign_in("receptionist")
    codes = []
    for _ in range(73):
        moment.shift(timedelta(minutes=10))
        codes.append(browser.get("/account").status_code)
    assert codes == [200] * 71 + [302] * 2


def test_a_sign_in_page_that_stood_open_for_hours_still_works(
    client: FlaskClient, moment: time_machine.Traveller
) -> None:
    token = csrf_of(client.get("/sign-in").text)
    moment.shift(timedelta(hours=11))
    form = {"csrf_token": token, "email": EMAILS["manager"], "password": factories.PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 302


@pytest.mark.parametrize(
    "change", [{"role": "receptionist"}, {"is_active": False}, {"password_hash": "x"}]
)
def test_a_session_ends_when_what_it_rests_on_changes_by_whatever_hand(
    app: Flask, clinic: factories.SmallClinic, sign_in: Browser, change: dict[str, object]
) -> None:
    browser = sign_in("manager")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.update(User).where(User.id == clinic.manager).values(change))
    assert browser.get("/account").status_code == 302


def test_an_answer_that_comes_after_sign_out_does_not_bring_the_session_back(
    app: Flask, sign_in: Browser
) -> None:
    browser = sign_in("manager")
    session_id = cookie_of(browser)
    token = csrf_of(browser.get("/account").text)

    def sign_out_meanwhile(sender: Flask) -> None:
        access.sign_out(session_id, by=Who(user_id=None, role="system"), now=clock.now())

    with flask.request_started.connected_to(sign_out_meanwhile, app):
        browser.post("/language", data={"csrf_token": token, "language": "es"})
    assert _rows(app, sa.select(sa.func.count()).select_from(SignIn)) == [(0,)]


def test_that_a_session_was_seen_is_written_once_a_minute(
    app: Flask, sign_in: Browser, moment: time_machine.Traveller
) -> None:
    browser = sign_in("manager")
    browser.get("/account")
    seen = []
    for seconds in (20, 30, 30):
        moment.shift(seconds)
        browser.get("/account")
        seen += _rows(app, sa.select(SignIn.seen_at))
    assert len(set(seen)) == 2


def test_a_page_without_a_form_writes_no_session(app: Flask, client: FlaskClient) -> None:
    answers = [
        client.get(path) for path in ("/healthz", "/clinic.css", "/wp-login.php", "/settings/")
    ]
    count = _rows(app, sa.select(sa.func.count()).select_from(SignIn))
    assert (count, [a.headers.get("Set-Cookie") for a in answers]) == ([(0,)], [None] * 4)


def test_guessing_waits_longer_with_every_attempt(
    client: FlaskClient, moment: time_machine.Traveller
) -> None:
    codes = [enter(client, EMAILS["manager"], WRONG).status_code for _ in range(5)]
    waits = []
    for _ in range(4):
        refused = enter(client, EMAILS["manager"], WRONG)
        waits.append(int(refused.headers["Retry-After"]))
        moment.shift(waits[-1])
        enter(client, EMAILS["manager"], WRONG)
    assert (codes, waits) == ([422] * 5, [1, 2, 4, 8])


def test_while_waiting_even_the_right_password_is_not_looked_at(
    client: FlaskClient, moment: time_machine.Traveller
) -> None:
    for _ in range(5):
        enter(client, EMAILS["manager"], WRONG)
    answer = enter(client, EMAILS["manager"])
    assert (answer.status_code, "Too many attempts" in answer.text) == (429, True)


def test_an_unknown_address_waits_like_a_known_one(
    client: FlaskClient, moment: time_machine.Traveller
) -> None:
    codes = [enter(client, "nobody@example.com", WRONG).status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_guessing_from_elsewhere_does_not_keep_the_owner_out(
    app: Flask, moment: time_machine.Traveller
) -> None:
    stranger = app.test_client()
    token = csrf_of(stranger.get("/sign-in").text)
    for _ in range(6):
        stranger.post(
            "/sign-in",
            data={"csrf_token": token, "email": EMAILS["manager"], "password": WRONG},
            environ_base={"REMOTE_ADDR": "203.0.113.9"},
        )
    assert enter(app.test_client(), EMAILS["manager"]).status_code == 302


def test_guessing_from_everywhere_slows_strangers_but_not_a_known_address(
    app: Flask, moment: time_machine.Traveller
) -> None:
    enter(app.test_client(), EMAILS["manager"])
    stranger = app.test_client()
    token = csrf_of(stranger.get("/sign-in").text)
    form = {"csrf_token": token, "email": EMAILS["manager"], "password": WRONG}
    codes = [
        stranger.post(
            "/sign-in", data=form, environ_base={"REMOTE_ADDR": f"203.0.113.{n}"}
        ).status_code
        for n in range(1, 43)
    ]
    assert codes == [422] * 40 + [429] * 2
    assert enter(app.test_client(), EMAILS["manager"]).status_code == 302


def test_addresses_of_one_household_count_as_one(
    app: Flask, moment: time_machine.Traveller
) -> None:
    stranger = app.test_client()
    token = csrf_of(stranger.get("/sign-in").text)
    form = {"csrf_token": token, "email": EMAILS["manager"], "password": WRONG}
    codes = [
        stranger.post(
            "/sign-in", data=form, environ_base={"REMOTE_ADDR": f"2001:db8::{n:x}"}
        ).status_code
        for n in range(1, 7)
    ]
    assert codes == [422] * 5 + [429]


def test_a_success_forgets_the_failures_before_it(
    app: Flask, client: FlaskClient, moment: time_machine.Traveller
) -> None:
    for _ in range(4):
        enter(client, EMAILS["manager"], WRONG)
    enter(client, EMAILS["manager"])
    left = _rows(app, sa.select(Throttle.subject).where(Throttle.subject.like("pair:%")))
    assert left == []


def test_the_counters_tell_nobody_who_was_tried(app: Flask, client: FlaskClient) -> None:
    enter(client, "secret.person@example.com", WRONG)
    assert not any("secret" in str(row) for row in _rows(app, sa.select(Throttle.subject)))


def test_attempts_sent_at_once_are_all_counted(app_on: Flask) -> None:
    now = clock.now()

    def try_it(_number: int) -> bool:
        with app_on.app_context():
            attempt = access.sign_in(
                EMAILS["manager"],
                WRONG,
                replaces="",
                lifetime=timedelta(hours=1),
                by=Who(user_id=None, role="anonymous", origin="203.0.113.9"),
                now=now,
            )
        return attempt.wait_seconds == 0

    with ThreadPoolExecutor(12) as pool:
        looked_at = list(pool.map(try_it, range(12)))
    assert sum(looked_at) == 5


def test_a_browser_signs_in_and_out_on_either_engine(
    app_on: Flask,
) -> None:
    browser = app_on.test_client()
    enter(browser, EMAILS["provider"])
    inside = browser.get("/account").status_code
    _send(browser, "/sign-out")
    with app_on.app_context(), db.engine.connect() as connection:
        actions = list(connection.scalars(sa.select(AuditRow.action).order_by(AuditRow.id)))
    assert (inside, browser.get("/account").status_code, actions) == (
        200, 302, ["sign_in", "sign_out"],
    )  # fmt: skip


def test_a_changed_password_holds_and_signs_out_every_other_browser(
    app: Flask, sign_in: Browser
) -> None:
    here, there = sign_in("manager"), sign_in("manager")
    answer = _send(here, "/account", old=factories.PASSWORD, new=NEW, again=NEW)
    assert answer.status_code == 302
    assert "The password is changed" in here.get("/account").text
    assert there.get("/account").status_code == 302
    assert enter(app.test_client(), EMAILS["manager"]).status_code == 422
    assert enter(app.test_client(), EMAILS["manager"], NEW).status_code == 302


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"old": WRONG, "new": NEW, "again": NEW}, "not your present password"),
        ({"old": factories.PASSWORD, "new": "short", "again": "short"}, "at least 15 characters"),
        ({"old": factories.PASSWORD, "new": "a" * 16, "again": "a" * 16}, "too regular"),
        ({"old": factories.PASSWORD, "new": "manager@example.com", "again": "manager@example.com"}, "easy to guess"),
        ({"old": factories.PASSWORD, "new": NEW, "again": NEW + "!"}, "not the same"),
        ({"old": factories.PASSWORD, "new": "ab cd " * 50, "again": "ab cd " * 50}, "at most 200"),
        ({"old": "", "new": "", "again": ""}, "Please fill this in."),
    ],
)  # fmt: skip
def test_a_password_that_cannot_be_is_answered_with_a_sentence(
    sign_in: Browser, fields: dict[str, str], sentence: str
) -> None:
    answer = _send(sign_in("manager"), "/account", **fields)
    assert (answer.status_code, sentence in answer.text) == (422, True)


def test_the_language_of_the_browser_is_spoken_until_one_is_chosen(client: FlaskClient) -> None:
    spanish = {"Accept-Language": "es-US,es;q=0.9,en;q=0.5"}
    first = client.get("/sign-in", headers=spanish)
    client.post(
        "/language", data={"csrf_token": csrf_of(first.text), "language": "en"}, headers=spanish
    )
    second = client.get("/sign-in", headers=spanish)
    assert ['<html lang="es"' in first.text, '<html lang="en"' in second.text] == [True, True]


def test_a_chosen_language_is_the_users_on_every_machine(app: Flask, sign_in: Browser) -> None:
    _send(sign_in("manager"), "/language", language="es")
    assert '<html lang="es"' in sign_in("manager").get("/account").text


@pytest.mark.parametrize("language", ["", "xx", "../../etc", "en\r\nX: y", "e" * 10_000])
def test_a_language_we_do_not_speak_changes_nothing(sign_in: Browser, language: str) -> None:
    browser = sign_in("manager")
    _send(browser, "/language", language=language)
    assert '<html lang="en"' in browser.get("/account").text


def test_choosing_a_language_leads_back_to_the_page_it_was_chosen_on(client: FlaskClient) -> None:
    token = csrf_of(client.get("/sign-in?next=/account").text)
    answer = client.post(
        "/language",
        data={"csrf_token": token, "language": "es"},
        headers={"Referer": "http://localhost/sign-in?next=/account"},
    )
    assert answer.location == "/sign-in?next=/account"


def test_a_form_sent_after_the_session_ended_is_kept_and_sent_again(
    app: Flask, sign_in: Browser, moment: time_machine.Traveller
) -> None:
    browser = sign_in("manager")
    token = csrf_of(browser.get("/settings/sites/new").text)
    moment.shift(timedelta(minutes=20))
    typed = {"csrf_token": token, "name": "Key West “old town”", "password": "never kept"}
    refused = browser.post("/settings/sites/new", data=typed)
    fields = {
        "csrf_token": csrf_of(refused.text),
        "email": EMAILS["manager"],
        "password": factories.PASSWORD,
        "kept": _value(refused.text, "kept"),
    }
    resumed = browser.post("/sign-in", data=fields)
    again = browser.post(
        "/settings/sites/new",
        data={"csrf_token": csrf_of(resumed.text), "name": _value(resumed.text, "name")},
    )
    assert (refused.status_code, resumed.status_code) == (401, 200)
    assert "never kept" not in refused.text + resumed.text
    assert "Key West “old town”" in again.text


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        '{"path": 1}',
        '{"path": "//evil.example", "fields": [["a", "b"]]}',
        "[" * 9999,
    ],
)
def test_a_kept_form_that_was_tampered_with_leads_nowhere_else(
    client: FlaskClient, kept: str
) -> None:
    fields = {"email": EMAILS["manager"], "password": factories.PASSWORD, "kept": kept}
    token = csrf_of(client.get("/sign-in").text)
    answer = client.post("/sign-in", data={"csrf_token": token, **fields})
    assert "evil" not in answer.text
    assert answer.status_code in (200, 302)


def _value(html: str, name: str) -> str:
    import html as entities
    import re

    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', html)
    assert found, f"no field {name}"
    return entities.unescape(found[1])


def test_the_sign_in_page_says_how_to_begin_when_nobody_can_sign_in(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.delete(User))
    assert "planner user add" in client.get("/sign-in").text


def test_current_user_is_who_is_signed_in(sign_in: Browser) -> None:
    with sign_in("receptionist") as browser:
        browser.get("/account")
        assert current_user.account == context.account() is not None
