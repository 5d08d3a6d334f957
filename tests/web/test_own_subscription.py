"""A patient lets their calendar follow from their own page: made, shown once, seen, ended."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from planner import clock
from planner.actions import feeds, links
from planner.db.engine import db
from planner.db.models import AuditRow, CalendarFeed, PatientLink
from planner.ical import events
from planner.who import SYSTEM
from tests.queries.test_calendars import FORBIDDEN
from tests.support import calendars
from tests.web.conftest import EMAILS, enter
from tests.web.test_own_page import (
    ANDROID,
    IPHONE,
    OTHER,
    TOKEN,
    Held,
    held,
    hold,
    morning,
    opened,
    send,
    text_of,
    today,
)

__all__ = ["held", "morning", "today"]

PATH = "/visits/calendar"
FEED = re.compile(r'id="feed-url" readonly value="http://localhost(/cal/[\w-]{43}\.ics)"')
APPLE = {"User-Agent": "iOS/18.1 (22B83) dataaccessd/1.0"}


def rows(app: Flask) -> list[CalendarFeed]:
    with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
        return list(session.scalars(sa.select(CalendarFeed).order_by(CalendarFeed.id)))


def subscribe(browser: FlaskClient, **fields: Any) -> str:
    found = FEED.search(send(browser, PATH, **fields).text)
    assert found
    return found[1]


def test_a_patient_subscribes_sees_it_once_and_that_it_follows(app_on: Flask, today: Any) -> None:
    held, browser = hold(app_on, today), opened(app_on)
    before = browser.get(PATH)
    path = subscribe(browser)
    page = browser.get(PATH).text
    assert ("not fetched yet" in page, path.split("/")[-1][:43] in page) == (True, False)
    feed = app_on.test_client().get(path, headers=APPLE)
    assert (feed.status_code, len(calendars.icaljs(feed.data))) == (200, 12)
    shown = text_of(browser.get(PATH).text)
    assert ("Apple" in shown, "last fetched Mon 1 Feb, 8:00 AM" in shown) == (True, True)
    assert "What follows now" not in before.text
    assert "Your calendar follows by itself" in browser.get("/visits").text
    desk = app_on.test_client()
    enter(desk, EMAILS["receptionist"])
    listed = text_of(desk.get(f"/patients/{held.patient}/subscriptions").text)
    assert ("the patient" in listed, "Apple" in listed) == (True, True)
    told = text_of(desk.get(f"/patients/{held.patient}").text)
    assert "1 subscription in use, last fetched Mon 1 Feb, 8:00 AM" in told


def test_a_burst_is_serialised_once_and_noted_once(app_on: Flask, today: Any) -> None:
    hold(app_on, today)
    path = subscribe(opened(app_on))
    written: list[str] = []
    with app_on.app_context():
        sa.event.listen(
            db.engine, "before_cursor_execute", lambda _c, _cursor, text, *_: written.append(text)
        )
    events.rendered.cache_clear()
    client = app_on.test_client()
    tag = client.get(path).headers["ETag"]
    answers = {
        client.open(path, method=method, headers=headers).status_code
        for method in ("GET", "HEAD")
        for headers in ({}, {"If-None-Match": tag})
        for _ in range(25)
    }
    changes = [text for text in written if text.startswith(("INSERT", "UPDATE", "DELETE"))]
    notes = [text for text in changes if "feed_fetch" in text]
    reads = [text for text in written if "FROM appointment" in text]
    assert (answers, events.rendered.cache_info().misses) == ({200, 304}, 12)
    assert (len(notes), len([text for text in changes if "audit " in text])) == (1, 1)
    assert (
        len(reads) <= 2
    )  # the first fetch is noted in the trail: after it the file is made once more


def test_a_patient_ends_any_of_theirs_and_nobody_elses(app_on: Flask, today: Any) -> None:
    held, theirs = hold(app_on, today), hold(app_on, today, token=OTHER, hour=14)
    with app_on.app_context():
        feeds.subscribe_patient(held.patient, "d" * 43, by=SYSTEM, now=clock.now())
        feeds.subscribe_patient(theirs.patient, "e" * 43, by=SYSTEM, now=clock.now())
    browser = opened(app_on)
    subscribe(browser)
    desks, others, own = (row.id for row in rows(app_on))
    assert "made for you" not in text_of(browser.get(PATH).text)  # by no user
    codes = [send(browser, PATH, revoke=str(one)).status_code for one in (others, 0, "x", desks)]
    said = text_of(browser.get(f"{PATH}?done=subscription_ended").text)
    ended = {row.id: row.revoked_at is not None for row in rows(app_on)}
    assert codes == [404, 404, 404, 302]
    assert ended == {desks: True, others: False, own: False}
    assert "It has ended." in said


def test_looking_makes_no_subscription_and_a_foreign_form_neither(held: Held) -> None:
    browser = opened(held.app)
    for method in ("GET", "HEAD", "OPTIONS"):
        browser.open(PATH, method=method, query_string={"idempotency_key": "k" * 24, "revoke": "1"})
    foreign = browser.post(PATH, data={"idempotency_key": "k" * 24, "csrf_token": "x"})
    nobody = held.app.test_client().post(PATH, data={"idempotency_key": "k" * 24})
    assert (foreign.status_code, nobody.status_code, rows(held.app)) == (400, 400, [])


def test_one_form_makes_one_and_none_after_it_was_ended(held: Held) -> None:
    browser, key = opened(held.app), "k" * 24
    first, again = (subscribe(browser, idempotency_key=key) for _ in range(2))
    [row] = rows(held.app)
    send(browser, PATH, revoke=str(row.id))
    late = send(browser, PATH, idempotency_key=key)
    assert (first, late.status_code, FEED.search(late.text)) == (again, 409, None)
    assert send(browser, PATH, idempotency_key="short").status_code == 422


def test_there_is_an_end_to_how_many_a_patient_makes(held: Held) -> None:
    with held.app.app_context():
        for n in range(feeds.MOST_OF_PATIENT):
            feeds.subscribe_patient(held.patient, str(n) * 43, by=SYSTEM, now=clock.now())
    browser = opened(held.app)
    refused = send(browser, PATH)
    assert (refused.status_code, "There are many already" in refused.text) == (422, True)
    send(browser, PATH, revoke=str(rows(held.app)[0].id))
    assert subscribe(browser)


def test_subscribing_and_ending_in_turns_leaves_few_rows_and_the_whole_trail(
    app_on: Flask, today: Any
) -> None:
    held = hold(app_on, today)
    browser = opened(held.app)
    fetched = subscribe(browser)
    held.app.test_client().get(fetched, headers=APPLE)
    for _ in range(feeds.MOST_ENDED + 5):
        for row in rows(held.app):
            if row.revoked_at is None:
                send(browser, PATH, revoke=str(row.id))
        subscribe(browser)
    with held.app.app_context(), Session(db.engine) as session:
        noted = session.scalars(
            sa.select(AuditRow.action).where(AuditRow.object_kind == "calendar_feed")
        )
        made = list(noted).count("feed.create")
    assert (len(rows(held.app)), made >= feeds.MOST_ENDED + 6) == (feeds.MOST_ENDED + 1, True)
    assert (
        held.app.test_client().get(fetched).status_code == 200
    )  # it tells the phone to show nothing


@pytest.mark.parametrize("how", ["revoked", "replaced"])
def test_what_a_link_made_ends_with_it_and_the_desks_goes_on(held: Held, how: str) -> None:
    with held.app.app_context():
        feeds.subscribe_patient(held.patient, "d" * 43, by=SYSTEM, now=clock.now())
    path = subscribe(opened(held.app))
    with held.app.app_context(), Session(db.engine) as session:
        link_id = session.scalars(sa.select(PatientLink.id)).one()
        if how == "revoked":
            links.revoke(held.patient, link_id, by=SYSTEM, now=clock.now())
        else:
            links.create(held.patient, OTHER, replaces_others=True, by=SYSTEM, now=clock.now())
    client = held.app.test_client()
    found = [len(calendars.icaljs(client.get(one).data)) for one in (path, f"/cal/{'d' * 43}.ics")]
    assert found == [0, 12]


@pytest.mark.parametrize(
    ("agent", "first", "way"),
    [
        (IPHONE, "iPhone, iPad, Mac", 'href="webcal://localhost/cal/'),
        (ANDROID, "Google Calendar, Samsung Calendar", "“From URL”"),
        ("Mozilla/5.0 (Windows NT 10.0)", "Google Calendar, Samsung Calendar", "/calendar/r?cid="),
    ],
)
def test_the_way_of_the_device_stands_first(held: Held, agent: str, first: str, way: str) -> None:
    browser = opened(held.app)
    browser.environ_base["HTTP_USER_AGENT"] = agent
    html = send(browser, PATH).text
    card = html[html.index(f">{first}<") : html.index("<details")]
    assert (way in card, html.count("<details"), "https://localhost" in html) == (True, 3, False)


def test_its_pages_tell_nothing_and_no_trail_holds_the_token(held: Held) -> None:
    browser = opened(held.app)
    html = send(browser, PATH).text
    shown = text_of(html).lower()
    assert [word for word in FORBIDDEN if word in shown] == []
    assert (
        re.findall(r"<script(?! src=\"/static/dist/copy)|<style| style=|<img|<iframe", html) == []
    )
    found = FEED.search(html)
    assert found
    with held.app.app_context(), Session(db.engine) as session:
        trail = session.execute(sa.select(AuditRow.action, AuditRow.before, AuditRow.after)).all()
    made = [row.action for row in trail if row.action.startswith("feed.")]
    assert made == ["feed.create"]
    assert not [row for row in trail if found[1][5:48] in str(row) or TOKEN in str(row)]
