"""What every answer carries, and what no request gets past."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from planner.app import NotReady, create_app
from planner.db.engine import db
from planner.db.models import AuditRow, Patient, SignIn
from planner.web import permissions
from tests import factories
from tests.web.conftest import EMAILS, cookie_of, csrf_of, enter, routes, settings_for

Browser = Callable[..., FlaskClient]
ADDRESSES = ("/sign-in", "/nowhere", "/settings/", "/healthz", "/clinic.css", "/static/nothing.js")


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert {
        "Content-Security-Policy": headers["Content-Security-Policy"],
        "X-Content-Type-Options": headers["X-Content-Type-Options"],
        "Referrer-Policy": headers["Referrer-Policy"],
        "Cross-Origin-Opener-Policy": headers["Cross-Origin-Opener-Policy"],
        "Strict-Transport-Security": headers.get("Strict-Transport-Security"),
    } == {
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Strict-Transport-Security": None,
    }


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "/\t/evil.example", "/\n/evil.example", "javascript:alert(1)", "evil.example",
        "http:evil.example", "///evil.example", "/%0a" + "x" * 2_000, "",
    ],
)  # fmt: skip
def test_nobody_is_sent_back_to_another_host(
    app: Flask, sign_in: Browser, given: Callable[..., int], back: str
) -> None:
    patient_id = given(factories.patient)
    with app.app_context():
        key = db.session.get_one(Patient, patient_id).key
    browser = sign_in("receptionist")
    query = {"back": back}
    page = browser.get(f"/patients/{key}", query_string=query)
    stay = {"csrf_token": csrf_of(page.text), "version": "1", "stay_from": "", "stay_until": ""}
    answers = [
        browser.post(f"/patients/{key}/stay", data=stay, query_string=query),
        browser.post(f"/patients/{key}/stay", data={**stay, "back": back}),
    ]
    assert [answer.location for answer in answers] == [f"/patients/{key}#dates"] * 2
    shown = [page, *(browser.get(f"/patients/{key}/{end}", query_string=query)
                     for end in ("edit", "share", "sheet"))]  # fmt: skip
    assert [one.status_code for one in shown] == [200] * 4
    assert re.findall(r'(?:href|action)="[^"]*evil', "".join(one.text for one in shown)) == []


def test_no_page_is_kept_by_the_browser_or_on_its_way(sign_in: Browser) -> None:
    browser = sign_in("manager")
    kept = [browser.get(path).headers["Cache-Control"] for path in ("/account", "/settings/")]
    assert kept == ["no-store", "no-store"]


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/styleguide", "/settings/"])
def test_no_page_has_anything_inline(app: Flask, sign_in: Browser, path: str) -> None:
    browser = sign_in("manager") if path != "/sign-in" else app.test_client()
    html = browser.get(path).text
    found = [sign for sign in (" style=", "<style", " onclick=", "javascript:") if sign in html]
    assert (found, html.count("<script"), html.count("<script src=")) == ([], 1, 1)


def test_over_https_cookies_are_bound_to_the_host_and_never_sent_in_the_clear(
    sqlite_url: str,
) -> None:
    app = create_app(settings_for(sqlite_url, public_url="https://planner.example.com"))
    browser = app.test_client()
    answer = browser.get("/sign-in", base_url="https://planner.example.com")
    cookie = browser.get_cookie("__Host-planner", domain="planner.example.com")
    assert cookie is not None
    assert (cookie.secure, cookie.http_only, cookie.same_site, cookie.path, cookie.domain) == (
        True, True, "Lax", "/", "planner.example.com",
    )  # fmt: skip
    assert "Domain=" not in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_only_its_own_host_is_answered(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url, public_url="https://planner.example.com"))
    hosts = ("planner.example.com", "evil.example", "planner.example.com.evil.example", "localhost")
    codes = [
        app.test_client().get("/healthz", base_url=f"https://{host}").status_code for host in hosts
    ]
    assert codes == [200, 400, 400, 200]


def test_on_the_own_machine_a_name_that_leads_there_by_trickery_is_not_answered(
    client: FlaskClient,
) -> None:
    answer = client.get("/sign-in", base_url="http://rebound.evil.example:8000")
    assert (answer.status_code, "could not be read" in answer.text) == (400, True)


def test_every_form_needs_its_token_before_anything_else_happens(
    app: Flask, sign_in: Browser
) -> None:
    browser = sign_in("manager")
    codes = {
        path: browser.open(path, method=method, data={"name": "x"}).status_code
        for endpoint, method, path in routes(app)
        if method not in ("GET", "HEAD", "OPTIONS") and permissions.may("manager", endpoint)
    }
    assert codes == dict.fromkeys(codes, 400)


def test_a_token_of_another_browser_opens_nothing(sign_in: Browser) -> None:
    mine, theirs = sign_in("manager"), sign_in("receptionist")
    token = csrf_of(theirs.get("/account").text)
    assert mine.post("/language", data={"csrf_token": token, "language": "es"}).status_code == 400


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "x"])
def test_a_form_sent_by_another_site_is_refused_even_with_a_token(
    sign_in: Browser, origin: str
) -> None:
    browser = sign_in("manager")
    token = csrf_of(browser.get("/account").text)
    form = {"csrf_token": token, "language": "es"}
    answer = browser.post("/language", data=form, headers={"Origin": origin})
    assert answer.status_code == 400


HOSTILE_PATHS = (
    "/settings/%00",
    "/%ff%fe",
    "/settings/sites/%c0%ae%c0%ae",
    "/sign-in?next=%00",
    "/sign-in?%00=1",
    "/sign-in?next=%ff",
    "/account?" + "a" * 9_000,
    "/settings/sites/99999999999999999999999",
    "/settings/sites/-1",
    "/static/../../etc/passwd",
    "/static/%2e%2e/app.py",
    "/static/..%2fapp.py",
    "/" + "a" * 4_000,
    "/settings/sites/1'%20OR%20'1'='1",
    "//evil.example/sign-in",
)


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_no_address_breaks_the_application(sign_in: Browser, path: str) -> None:
    answer = sign_in("manager").get(path)
    assert answer.status_code in (302, 308, 400, 404)
    assert "Traceback" not in answer.text


HOSTILE_BODIES = (
    b"email=a%00b&password=x",
    b"email=\xff\xfe&password=\xc3\x28",
    b"%00=1",
    b"email=%ff",
    b"\x00" * 100,
    b"&".join(b"a%d=1" % n for n in range(3_000)),
    b"email=" + b"a" * 900_000,
)


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_no_body_breaks_the_application(client: FlaskClient, body: bytes, kind: str) -> None:
    answer = client.post("/sign-in", data=body, content_type=kind)
    assert answer.status_code in (400, 413, 422)
    assert "<h1>" in answer.text


def test_an_address_that_cannot_be_read_is_answered_with_a_sentence(client: FlaskClient) -> None:
    answer = client.get("/sign-in?next=a%00b")
    assert (answer.status_code, "That request could not be read" in answer.text) == (400, True)


def test_a_form_that_cannot_be_read_comes_back_without_what_is_no_text(sign_in: Browser) -> None:
    browser = sign_in("receptionist")
    token = csrf_of(browser.get("/patients/new").text)
    typed = {"csrf_token": token, "given_name": "An\0a", "family_name": "Lopez"}
    answer = browser.post("/patients/new", data=typed)
    assert (answer.status_code, 'name="given_name" value="Ana"' in answer.text) == (422, True)


def test_a_body_over_a_megabyte_is_refused_with_a_sentence(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={"email": "a" * 1_100_000})
    assert (answer.status_code, "too much at once" in answer.text) == (413, True)


@pytest.mark.parametrize(
    "cookie", ["", "x", "a" * 5_000, "\0", "é", "' OR 1=1 --", "../../etc", "A" * 43]
)
def test_a_cookie_that_nobody_was_given_opens_nothing(client: FlaskClient, cookie: str) -> None:
    answer = client.get("/account", headers={"Cookie": f"planner={cookie}"})
    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/account")


def test_a_wrong_method_names_the_right_ones(sign_in: Browser) -> None:
    answer = sign_in("manager").put("/sign-out")
    assert (answer.status_code, set(answer.allow)) == (405, {"POST", "OPTIONS"})


def test_a_fragment_asked_for_after_the_session_ended_leads_to_the_sign_in_page(
    client: FlaskClient,
) -> None:
    headers = {"HX-Request": "true", "Referer": "http://localhost/settings/rules?x=1"}
    answer = client.get("/settings/", headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (
        401,
        "/sign-in?next=/settings/rules?x%3D1",
    )


def test_a_denial_is_written_to_the_audit_trail(
    app: Flask, clinic: factories.SmallClinic, sign_in: Browser
) -> None:
    answer = sign_in("receptionist").get("/settings/users")
    with app.app_context(), db.engine.connect() as connection:
        query = sa.select(AuditRow.action, AuditRow.user_id, AuditRow.after).order_by(
            AuditRow.id.desc()
        )
        last = tuple(connection.execute(query).first() or ())
    assert (answer.status_code, last) == (
        403,
        ("denied", clinic.receptionist, {"endpoint": "settings.users"}),
    )


def test_log_lines_hold_no_address_no_password_and_no_token(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(client, EMAILS["manager"], "a password typed wrongly", path="/sign-in?next=/patients/k3y")
    client.get("/p/secret-token-of-a-patient")
    client.get("/healthz?token=secret")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/sign-in", 200),
        ("/sign-in", 422),
        ("/p/<token>", 404),
    ]
    assert not any(word in str(lines) for word in ("secret", "manager@", "typed", "k3y"))


def test_health_says_so_when_the_database_answers(client: FlaskClient) -> None:
    assert (client.get("/healthz").status_code, client.get("/healthz").json) == (
        200,
        {"status": "ok"},
    )


def test_the_colours_of_the_clinic_come_as_classes_that_browsers_may_keep(
    client: FlaskClient,
) -> None:
    edition = client.get("/sign-in").text.partition("/clinic.css?edition=")[2].partition('"')[0]
    fresh = client.get(f"/clinic.css?edition={edition}")
    again = client.get("/clinic.css", headers={"If-None-Match": fresh.headers["ETag"]})
    assert ".hue-x0f766e { --hue: light-dark(#0f766e," in fresh.text
    assert "immutable" in fresh.headers["Cache-Control"]
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-cache")


def test_the_application_does_not_start_on_an_empty_database(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="run `planner init`"):
        create_app(settings_for(f"sqlite:///{tmp_path}/empty.sqlite3"))


def test_the_application_does_not_start_without_a_guard(sqlite_url: str) -> None:
    engine = sa.create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER guard_appointment_room_insert")
    engine.dispose()
    with pytest.raises(NotReady, match="guard_appointment_room_insert"):
        create_app(settings_for(sqlite_url))


def test_a_page_without_a_row_in_the_table_stops_the_start() -> None:
    with pytest.raises(permissions.Unguarded, match=r"\['new.page'\].*\['static'\]"):
        permissions.check((set(permissions.PERMISSIONS) - {"static"}) | {"new.page"})


@pytest.fixture
def stranded(app: Flask, sign_in: Browser) -> tuple[FlaskClient, str]:
    """A signed-in browser with a token, and then a database that can no longer be opened."""
    browser = sign_in("manager")
    token = csrf_of(browser.get("/account").text)
    with app.app_context():
        db.engine.dispose()
        path = db.engine.url.database
        assert path
    moved = Path(path)
    moved.rename(moved.with_suffix(".away"))
    moved.mkdir()
    return browser, token


def test_while_the_database_is_away_a_page_says_so(stranded: tuple[FlaskClient, str]) -> None:
    answer = stranded[0].get("/account")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database cannot be reached" in answer.text


def test_while_the_database_is_away_what_was_typed_is_kept(
    stranded: tuple[FlaskClient, str],
) -> None:
    browser, token = stranded
    form = {"csrf_token": token, "name": "Zoë “Zed” O’Hara", "password": "never kept"}
    answer = browser.post("/settings/sites/new", data=form)
    assert (answer.status_code, "never kept" in answer.text) == (503, False)
    assert 'value="Zoë “Zed” O’Hara"' in answer.text
    assert 'action="/settings/sites/new"' in answer.text


def test_while_the_database_is_away_health_says_so(stranded: tuple[FlaskClient, str]) -> None:
    answer = stranded[0].get("/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "unavailable"})


def test_no_row_is_written_for_robots_that_miss(app: Flask, client: FlaskClient) -> None:
    for path in ("/wp-login.php", "/.env", "/admin/", "/api/v1/patients"):
        client.get(path)
    with app.app_context(), db.engine.connect() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(SignIn))
    assert (count, cookie_of(client)) == (0, "")


@pytest.mark.parametrize(("proxies", "origin"), [(0, "127.0.0.1"), (1, "198.51.100.7")])
def test_a_forwarded_address_is_believed_only_from_a_trusted_proxy(
    sqlite_url: str, proxies: int, origin: str
) -> None:
    app = create_app(settings_for(sqlite_url, trusted_proxies=proxies))
    browser = app.test_client()
    token = csrf_of(browser.get("/sign-in").text)
    form = {"csrf_token": token, "email": "a@example.com", "password": "x" * 20}
    browser.post("/sign-in", data=form, headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.select(AuditRow.origin)) == origin
