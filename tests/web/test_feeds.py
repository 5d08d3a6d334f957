"""Calendars to subscribe to: what their programs are answered, who may, and what is noted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
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
from planner.db import connections, keys
from planner.db.engine import Tx, db, transaction
from planner.db.models import (
    Appointment,
    AuditRow,
    CalendarFeed,
    FeedFetch,
    Patient,
    Site,
    User,
)
from planner.web.feeds import addresses
from planner.who import SYSTEM
from tests import factories
from tests.support import calendars
from tests.web.conftest import csrf_of

FEED = re.compile(r'id="feed-url" value="http://localhost(/cal/[\w-]{43}\.ics)"')
APPLE = "iOS/18.1 (22B83) dataaccessd/1.0"


@dataclass(frozen=True, kw_only=True)
class Given:
    """A patient with two sessions, and the address of a subscription of theirs."""

    key: str
    path: str


@pytest.fixture
def desk(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    """A receptionist's browser."""
    return sign_in("receptionist")


@pytest.fixture
def subscribed(
    app: Flask,
    clinic: factories.SmallClinic,
    given: Callable[..., Any],
    today: date,
    desk: FlaskClient,
) -> Given:
    """A patient whose calendar follows."""
    patient_id = given(factories.patient, language="es")
    course_id = given(factories.course, clinic, patient_id)
    numbers = given(factories.course_sessions, course_id)
    for n in (1, 2):
        given(
            factories.appointment, clinic, patient_id, day=today + timedelta(days=14 * n),
            course_session_id=numbers[n], provider_id=clinic.md,
        )  # fmt: skip
    with app.app_context(), Session(db.engine) as session:
        key = session.get_one(Patient, patient_id).key
    return Given(key=key, path=feed_in(make(desk, f"/patients/{key}/subscriptions")))


def make(browser: FlaskClient, address: str, **more: str) -> TestResponse:
    page = browser.get(address).text
    key = re.search(r'name="idempotency_key"[^>]*value="([^"]+)"', page)
    typed = {"csrf_token": csrf_of(page), "idempotency_key": key[1] if key else "", **more}
    return browser.post(address, data=typed)


def feed_in(answer: TestResponse) -> str:
    found = FEED.search(answer.text)
    assert found, answer.text
    return found[1]


def rows(app: Flask, kind: type[Any]) -> list[Any]:
    with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
        return list(session.scalars(sa.select(kind)))


def change(app: Flask, kind: type[Any], **columns: Any) -> None:
    def work(tx: Tx) -> None:
        for name, value in columns.items():
            setattr(tx.session.scalars(sa.select(kind)).first(), name, value)

    with app.app_context():
        transaction(work, by=SYSTEM, now=clock.now(), action="change")


def test_a_feed_is_answered_as_programs_behind_calendars_want_it(
    client: FlaskClient, desk: FlaskClient, subscribed: Given
) -> None:
    for browser in (client, desk):  # a cookie changes nothing
        answer = browser.get(subscribed.path, headers={"Accept-Encoding": "gzip, br"})
        names = set(answer.headers.keys())
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            200,
            "text/calendar; charset=utf-8",
        )
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert not names & {
            "Set-Cookie", "Location", "Vary", "Content-Encoding", "Content-Disposition",
        }  # fmt: skip
        assert not answer.headers["ETag"].startswith("W/")
    read = calendars.icaljs(answer.data)
    assert len([one for one in read if "-" not in one]) == 2
    lines = answer.text.split("\r\n")
    assert {"NAME:Mis visitas", "X-WR-CALNAME:Mis visitas", "X-PUBLISHED-TTL:PT6H"} < set(lines)
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT6H" in lines
    assert not [line for line in lines if line.startswith(("METHOD", "SOURCE", "UID:@"))]


def test_whatever_is_accepted_gets_the_calendar(client: FlaskClient, subscribed: Given) -> None:
    accepted = ("text/calendar,text/plain;q=0.8,*/*;q=0.5", "application/json", "text/html", "")
    answers = [client.get(subscribed.path, headers={"Accept": one}) for one in accepted]
    assert {(answer.status_code, answer.mimetype) for answer in answers} == {(200, "text/calendar")}


STALE_DATE = "Mon, 01 Jan 2001 00:00:00 GMT"


CONDITIONS = (
    (None, None, 200),
    ("same", None, 304),
    ("other", None, 200),
    (None, "same", 304),
    (None, STALE_DATE, 200),
    ("same", STALE_DATE, 304),  # a tag says more than a date (RFC 9110, 13.2.2)
    ("other", "same", 200),
    ("weak", None, 304),
    ("*", None, 304),
    ('"unfinished', None, 200),
    (None, "yesterday", 200),
)


def test_what_a_program_has_already_is_not_sent_again(
    client: FlaskClient, subscribed: Given
) -> None:
    whole = client.get(subscribed.path)
    own, date_ = whole.headers["ETag"], whole.headers["Last-Modified"]
    tags = {"same": own, "other": '"0"', "weak": f"W/{own}"}
    wrong = []
    for tag, since, status in CONDITIONS:
        headers = {}
        if tag:
            headers["If-None-Match"] = tags.get(tag, tag)
        if since:
            headers["If-Modified-Since"] = date_ if since == "same" else since
        for method in ("GET", "HEAD"):
            answer = client.open(subscribed.path, method=method, headers=headers)
            seen = (answer.status_code, answer.data, answer.headers["ETag"])
            body = whole.data if (status, method) == (200, "GET") else b""
            lengths = {answer.headers.get("Content-Length"), str(len(whole.data))}
            if seen != (status, body, own) or (status == 200 and len(lengths) > 1):
                wrong.append((tag, since, method, seen))
    assert wrong == []


def test_every_change_moves_tag_and_date_also_two_in_one_second(
    app: Flask, client: FlaskClient, subscribed: Given, moment: time_machine.Traveller
) -> None:
    seen = []
    for status in ("booked", "cancelled", "booked"):
        change(app, Appointment, status=status)
        answer = client.get(subscribed.path)
        seen.append(
            (answer.headers["ETag"], parsedate_to_datetime(answer.headers["Last-Modified"]))
        )
    tags, dates = zip(*seen, strict=True)
    assert tags[0] == tags[2] != tags[1]
    assert dates[0] < dates[1] < dates[2]


def test_a_fetch_is_noted_once_a_minute_and_a_new_program_in_the_trail(
    app: Flask, client: FlaskClient, subscribed: Given, moment: time_machine.Traveller
) -> None:
    def ask(agent: str, times: int = 1) -> None:
        for _ in range(times):
            assert client.get(subscribed.path, headers={"User-Agent": agent}).status_code == 200

    def trail() -> list[Any]:
        return [row.after for row in rows(app, AuditRow) if row.action == "feed.fetch"]

    ask(APPLE, 40)
    (first,) = rows(app, FeedFetch)
    ask("Another/1.0", 5)
    (same,) = rows(app, FeedFetch)
    moment.shift(timedelta(minutes=1))
    ask(APPLE)
    (later,) = rows(app, FeedFetch)
    assert (first.agent, same.fetched_at) == (APPLE, first.fetched_at)
    assert later.fetched_at - first.fetched_at == timedelta(minutes=1)
    assert trail() == [{"agent": APPLE}]
    moment.shift(timedelta(minutes=1))
    ask("Another/1.0")
    assert trail() == [{"agent": APPLE}, {"agent": "Another/1.0"}]


def test_the_desk_sees_when_and_by_what_it_was_fetched(
    client: FlaskClient, desk: FlaskClient, subscribed: Given
) -> None:
    address = f"/patients/{subscribed.key}/subscriptions"
    assert "not yet" in desk.get(address).text
    client.get(subscribed.path, headers={"User-Agent": f"{APPLE} <b>x</b>"})
    page = desk.get(address).text
    assert "Apple</bdi>" in page and "not yet" not in page and "<b>x" not in page


def test_a_revoked_feed_is_an_empty_calendar_for_thirty_days(
    app: Flask,
    client: FlaskClient,
    desk: FlaskClient,
    subscribed: Given,
    moment: time_machine.Traveller,
) -> None:
    before = client.get(subscribed.path)
    (feed,) = rows(app, CalendarFeed)
    make(desk, f"/patients/{subscribed.key}/subscriptions", revoke=str(feed.id))
    moment.shift(timedelta(seconds=1))
    since = {"If-Modified-Since": before.headers["Last-Modified"]}
    answers = [client.get(subscribed.path, headers=since)]
    for days in (29, 1, 400):
        moment.shift(timedelta(days=days))
        answers.append(client.get(subscribed.path))
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404]
    for answer in answers[:2]:
        assert (calendars.icaljs(answer.data), b"BEGIN:VTIMEZONE" in answer.data) == ({}, True)
        assert (calendars.vobject_reads(answer.data), b"VEVENT" in answer.data) == ({}, False)
    assert answers[2].data == client.get(f"/cal/{'n' * 43}.ics").data


def test_a_feed_that_nobody_asks_for_ends_by_itself_and_one_in_use_goes_on(
    client: FlaskClient, subscribed: Given, moment: time_machine.Traveller
) -> None:
    for _ in range(3):
        moment.shift(timedelta(days=399))
        assert client.get(subscribed.path).status_code == 200
    moment.shift(timedelta(days=430))
    assert client.get(subscribed.path).status_code == 404


GUESSES = ("x", "x" * 43, "x" * 3000, "%00", "..%2f..", "é", "' OR 1=1 --", "%F0%9F%92%89")


def test_a_guessed_token_finds_nothing_and_hears_nothing(
    client: FlaskClient, subscribed: Given
) -> None:
    paths = [*(f"/cal/{token}.ics" for token in GUESSES), subscribed.path.removesuffix(".ics")]
    answers = [client.open(path, method=method) for path in paths for method in ("GET", "HEAD")]
    assert {answer.status_code for answer in answers} <= {400, 404}
    assert not [answer for answer in answers if "Set-Cookie" in answer.headers]


def test_a_feeds_token_opens_no_page_and_a_links_token_no_feed(
    app: Flask, client: FlaskClient, desk: FlaskClient, subscribed: Given
) -> None:
    token = subscribed.path.removeprefix("/cal/").removesuffix(".ics")
    assert client.get(f"/p/{token}").status_code == 404
    page = make(desk, f"/patients/{subscribed.key}/share").text
    link = re.search(r"http://localhost/p/([\w-]{43})", page)
    assert link and link[1] != token
    assert client.get(f"/cal/{link[1]}.ics").status_code == 404


def test_one_form_makes_one_token_for_each_purpose_and_person(app: Flask) -> None:
    with app.test_request_context():
        made = {addresses.token(owner, key) for owner in "ab" for key in "kl"}
        again = addresses.token("a", "k")
    assert (len(made), again in made, {len(one) for one in made}) == (4, True, {43})


def test_the_same_form_twice_makes_one_subscription_and_none_after_it_was_ended(
    app: Flask, desk: FlaskClient, subscribed: Given
) -> None:
    address, key = f"/patients/{subscribed.key}/subscriptions", "k" * 24
    first, second = (feed_in(make(desk, address, idempotency_key=key)) for _ in range(2))
    assert (first == second, len(rows(app, CalendarFeed))) == (True, 2)
    newest = max(row.id for row in rows(app, CalendarFeed))
    make(desk, address, revoke=str(newest))
    assert make(desk, address, idempotency_key=key).status_code == 409


def test_ending_a_subscription_that_is_not_there_is_not_found(
    desk: FlaskClient, subscribed: Given
) -> None:
    address = f"/patients/{subscribed.key}/subscriptions"
    texts = ("0", "-1", "999999999999", "x", "1 OR 1=1", "2147483648", "")
    assert {make(desk, address, revoke=text).status_code for text in texts} == {404}


def test_only_the_hash_of_a_token_is_kept_and_no_log_line_or_trail_holds_it(
    app: Flask, client: FlaskClient, desk: FlaskClient, subscribed: Given
) -> None:
    token = subscribed.path.removeprefix("/cal/").removesuffix(".ics")
    with structlog.testing.capture_logs() as lines:
        client.get(subscribed.path)
        client.get(f"{subscribed.path}?x={token}")
        client.get(f"/cal/{token}x.ics")
        client.post(subscribed.path)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        change(app, Site, zone="Not/There")  # a fault on the way
        faulty = client.get(subscribed.path)
    assert faulty.status_code == 500 and token not in faulty.text
    assert [line["event"] for line in lines].count("fault") == 1
    assert not [line for line in lines if token in str(line) or "Lopez" in str(line)]
    assert rows(app, CalendarFeed)[0].token_hash == keys.digest(token)
    trail = [(row.before, row.after, row.reason) for row in rows(app, AuditRow)]
    assert not [row for row in trail if token in str(row)]
    assert token not in desk.get(f"/patients/{subscribed.key}/subscriptions").text


def test_the_addresses_for_each_calendar_are_shown_once(
    desk: FlaskClient, subscribed: Given
) -> None:
    page = make(desk, f"/patients/{subscribed.key}/subscriptions").text
    token = feed_in_page(page)
    webcal = f"webcal%3A%2F%2Flocalhost%2Fcal%2F{token}.ics"
    assert f'href="webcal://localhost/cal/{token}.ics"' in page
    assert f'href="https://calendar.google.com/calendar/r?cid={webcal}"' in page
    assert page.count("<path") > 2 and "style=" not in page
    assert "Sus visitas en su calendario" in page and 'lang="es"' in page


def feed_in_page(page: str) -> str:
    found = FEED.search(page)
    assert found
    return found[1].removeprefix("/cal/").removesuffix(".ics")


def test_nothing_is_lost_while_the_database_takes_no_writes(
    app: Flask, client: FlaskClient, subscribed: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.db.connections.SQLITE_BUSY_MS", 20)
    with app.app_context():
        db.engine.dispose()  # those to come wait no longer than that
        engine = connections.create(f"sqlite:///{db.engine.url.database}")
    with engine.connect() as other:
        other.execution_options(**{connections.WRITING: True}).execute(sa.text("SELECT 1"))
        answer = client.get(subscribed.path)
    engine.dispose()
    assert (answer.status_code, "Last-Modified" in answer.headers) == (200, False)
    assert len(calendars.icaljs(answer.data)) == 12


def test_the_first_page_of_the_settings_says_which_visit_is_missing_in_calendars(
    app: Flask, client: FlaskClient, subscribed: Given, sign_in: Callable[..., FlaskClient]
) -> None:
    manager = sign_in("manager")
    before = manager.get("/settings/").text
    change(app, Appointment, uid="not a uid@planner.invalid")
    assert len(calendars.icaljs(client.get(subscribed.path).data)) == 6
    page = manager.get("/settings/").text
    key = next(row.key for row in rows(app, Appointment) if row.uid.startswith("not"))
    said = "entries are missing in calendars"
    assert (said in before, said in page) == (False, True)
    assert page.count(f'href="/appointments/{key}"') == 1


# A provider's own


@pytest.fixture
def provider(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    """The browser of a user who is a provider."""
    return sign_in("provider")


def test_a_provider_subscribes_to_times_initials_and_codes(
    app: Flask, client: FlaskClient, provider: FlaskClient, subscribed: Given
) -> None:
    path = feed_in(make(provider, "/account/calendar"))
    answer = client.get(path)
    read = calendars.icaljs(answer.data)
    appointments = rows(app, Appointment)
    assert {event.summary for event in read.values()} == {"ML · sclero"}
    assert {event.starts for event in read.values()} == {row.starts_at for row in appointments}
    assert not {row.uid for row in appointments} & set(read)  # not the patient's own events
    (patient,) = rows(app, Patient)
    for text in (patient.family_name, patient.given_name, "DESCRIPTION"):
        assert text not in answer.text
    assert ("NAME:My schedule\r\n" in answer.text, answer.text.count("VALARM")) == (True, 0)


def test_a_provider_ends_only_their_own_and_a_manager_any(
    app: Flask, provider: FlaskClient, subscribed: Given, sign_in: Callable[..., FlaskClient]
) -> None:
    make(provider, "/account/calendar")
    patients, own = sorted(rows(app, CalendarFeed), key=lambda row: row.id)
    assert make(provider, "/account/calendar", revoke=str(patients.id)).status_code == 404
    manager = sign_in("manager")
    page = manager.get("/settings/subscriptions").text
    answer = manager.post(
        "/settings/subscriptions", data={"csrf_token": csrf_of(page), "revoke": str(own.id)}
    )
    ended = {row.id: row.revoked_at is not None for row in rows(app, CalendarFeed)}
    assert (answer.status_code, ended) == (302, {patients.id: False, own.id: True})


def test_who_is_no_provider_gets_no_schedule(desk: FlaskClient, sign_in: Any) -> None:
    page = desk.get("/account/calendar")
    assert "belongs to no provider" in page.text
    key = {"csrf_token": csrf_of(page.text), "idempotency_key": "k" * 24}
    assert desk.post("/account/calendar", data=key).status_code == 403


@pytest.mark.parametrize("leaves", [True, False])
def test_who_leaves_or_becomes_another_provider_loses_the_schedule(
    app: Flask,
    client: FlaskClient,
    provider: FlaskClient,
    subscribed: Given,
    sign_in: Callable[..., FlaskClient],
    clinic: factories.SmallClinic,
    leaves: bool,
) -> None:
    path = feed_in(make(provider, "/account/calendar"))
    user = next(row for row in rows(app, User) if row.role == "provider")
    other = next(i for i in (clinic.md, clinic.pa) if i != user.provider_id)
    manager = sign_in("manager")
    address = f"/settings/users/{user.id}"
    typed = {
        "csrf_token": csrf_of(manager.get(address).text), "version": str(user.version),
        "email": user.email, "name": user.name, "role": "provider", "language": "en",
        "provider_id": str(user.provider_id if leaves else other), "site_id": "",
    }  # fmt: skip
    if not leaves:
        typed["is_active"] = "y"
    assert manager.post(address, data=typed).status_code == 302
    answer = client.get(path)
    assert (answer.status_code, calendars.icaljs(answer.data)) == (200, {})
