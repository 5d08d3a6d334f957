"""The course screen: proposals, one step at a time, booking whole, and what goes wrong."""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, get_template_attribute
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from planner import clock, wording
from planner.db.engine import db
from planner.db.models import Course, CourseSession, Protocol, SiteHours
from tests import factories
from tests.factories import SmallClinic
from tests.web.conftest import csrf_of

Browser = Callable[[str], FlaskClient]
Given = Callable[..., int]
PICK = re.compile(r'<input type="hidden" name="(s\d+)" value="([^"]+)"')
CARD = re.compile(r'<h3 id="proposal-\w+\|([^"]*)">([^<]*)</h3>')


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    """A Monday before the clinic opens: what is proposed is the same whenever this is run."""
    with time_machine.travel(datetime(2026, 3, 2, 11, tzinfo=UTC)):
        yield


@pytest.fixture
def patient_id(given: Given, clinic: SmallClinic, today: date) -> int:
    patient_id = given(factories.patient, given_name="Ana", family_name="Gómez", language="es")
    given(factories.consult_done, clinic, patient_id, on=today - timedelta(days=3))
    return patient_id


@pytest.fixture
def key(app: Flask, given: Given, clinic: SmallClinic, patient_id: int) -> str:
    return key_of(app, given(factories.course, clinic, patient_id))


@pytest.fixture
def desk(sign_in: Browser) -> FlaskClient:
    return sign_in("receptionist")


def key_of(app: Flask, course_id: int) -> str:
    with app.app_context(), Session(db.engine) as session:
        return session.get_one(Course, course_id).key


def rivals_course(app: Flask, given: Given, clinic: SmallClinic, today: date) -> str:
    """Return the key of another patient's course, with all its sessions open."""
    rival = given(factories.patient, given_name="Rita")
    given(factories.consult_done, clinic, rival, on=today - timedelta(days=3))
    return key_of(app, given(factories.course, clinic, rival))


def picks(html: str) -> dict[str, str]:
    return dict(PICK.findall(html))


def fields(html: str, **changes: str) -> dict[str, str]:
    """Return the hidden fields of the booking form, and what a person does with it."""
    form = html[html.index('id="book"') :]
    names = ("csrf_token", "version", "idempotency_key")
    hidden = {
        name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', form)[1]  # type: ignore[index]  # it is there
        for name in names
    }
    return {**hidden, **picks(form), "do": "book", **changes}


def way_from(html: str, pattern: str, attribute: str = "href") -> str:
    """Return the one address on a page that the pattern begins, as a browser would open it."""
    found = re.findall(rf'{attribute}="({pattern}[^"]*)"', html)
    return html_module.unescape(found[0]).partition("#")[0]


def way_to(html: str) -> str:
    """Return where the form of a patient's details is sent."""
    return way_from(html, r"/patients/[\w-]+/edit", "action")


def values_of(html: str) -> dict[str, str]:
    """Return what the form of a patient's details holds."""
    form = html[html.index('class="stack-l" novalidate') :]
    typed = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', form)
    chosen = re.findall(r'name="(\w+)" value="(\w+)" checked', form)
    radios = {"language", "contact_by"}
    return {name: value for name, value in typed if name not in radios} | dict(chosen)


def test_S35_three_proposals_are_shown_by_name_with_their_end_dates(
    desk: FlaskClient, key: str
) -> None:
    html = desk.get(f"/courses/{key}").text
    names = [name for _, title in CARD.findall(html) for name in title.split(" · ")]
    assert sorted(names) == ["Closest to the order", "Same time each visit", "Soonest"]
    assert html.count("proposal-end") == len(CARD.findall(html))


def test_who_has_a_course_to_be_booked_is_not_sent_to_a_consult(
    desk: FlaskClient, key: str
) -> None:
    way = re.search(r'href="(/patients/[\w-]+)"', desk.get(f"/courses/{key}").text)
    assert way
    html = desk.get(way[1]).text
    assert "Sessions are booked from the course below." in html
    assert "A consult comes first" not in html


def test_equal_proposals_are_one_card_with_both_names(desk: FlaskClient, key: str) -> None:
    html = desk.get(f"/courses/{key}?more=1").text
    plans = [plan for plan, _ in CARD.findall(html)]
    assert CARD.search(html)[2] == "Closest to the order · Same time each visit"  # type: ignore[index]  # it is there
    assert (len(plans), html.count("proposal is-chosen")) == (len(set(plans)), 1)
    assert html.count("Closest to the order") == 1


def test_a_further_proposal_that_is_chosen_stays_among_those_shown(
    desk: FlaskClient, key: str
) -> None:
    html = desk.get(f"/courses/{key}?more=1").text
    last = re.findall(r'name="choose" value="([^"]+)"', html)[-1]
    values = {"more": "1", "choose": last}
    html = desk.get(f"/courses/{key}", query_string=values).text
    carried = dict(re.findall(r'<input type="hidden" name="(more)" value="([^"]*)"', html))
    assert (carried, html.count("proposal is-chosen")) == ({"more": "1"}, 1)


def test_S36_the_ruler_says_the_days_and_the_window(desk: FlaskClient, key: str) -> None:
    html = desk.get(f"/courses/{key}").text
    assert "14 days after session 1 (target 14, not before 7, late after 21)" in html


@pytest.mark.parametrize("days", [5, 14, 37, 39, 282])
def test_the_ruler_keeps_its_days_apart_however_late_a_session_is(
    desk: FlaskClient, days: int
) -> None:
    gap = {"days": days, "floor": 7, "target": 14, "soft_max": 21, "text": "so many days"}
    with desk.application.test_request_context():
        drawn = get_template_attribute("macros/course.html", "gap_ruler")(gap)
    at = [float(x) for x in re.findall(r'<text[^>]* x="([\d.]+)"', drawn)]
    assert len(at) == 3
    assert min(after - before for before, after in pairwise(at)) > 40
    assert ("ruler-break" in drawn) is (days > 38)


def test_the_plan_is_read_back_in_the_language_of_the_patient(desk: FlaskClient, key: str) -> None:
    html = desk.get(f"/courses/{key}").text
    bar = html[html.index("actionbar-read") :]
    assert 'lang="es"' in bar[:60]


def test_a_language_without_texts_is_read_back_in_english_and_says_so(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, today: date
) -> None:
    patient_id = given(factories.patient, language="pt")
    given(factories.consult_done, clinic, patient_id, on=today - timedelta(days=3))
    html = desk.get(f"/courses/{key_of(app, given(factories.course, clinic, patient_id))}").text
    bar = html[html.index("actionbar-label") :]
    assert "Read back in English: there is no text in Portuguese yet" in bar
    assert 'lang="en"' in bar[bar.index("actionbar-read") :][:60]


def test_one_button_books_all_three(desk: FlaskClient, key: str) -> None:
    html = desk.get(f"/courses/{key}").text
    answer = desk.post(f"/courses/{key}/book", data=fields(html), follow_redirects=True)
    assert "3 sessions booked." in answer.text


def test_the_back_button_and_a_double_click_book_once(desk: FlaskClient, key: str) -> None:
    form = fields(desk.get(f"/courses/{key}").text)
    first = desk.post(f"/courses/{key}/book", data=form)
    again = desk.post(f"/courses/{key}/book", data=form)
    booked = desk.get(f"/courses/{key}").text.count("step-booked")
    assert (first.status_code, again.status_code, booked) == (302, 302, 3)


def test_a_start_taken_meanwhile_answers_with_reasons_and_fresh_proposals(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, key: str, today: date
) -> None:
    html = desk.get(f"/courses/{key}").text
    other = rivals_course(app, given, clinic, today)
    taken = fields(desk.get(f"/courses/{other}").text, **picks(html))
    desk.post(f"/courses/{other}/book", data=taken)
    answer = desk.post(f"/courses/{key}/book", data=fields(html, weekday="1"))
    assert (answer.status_code, "Nothing was booked." in answer.text) == (409, True)
    assert "The other proposals below are free now." in answer.text
    assert CARD.search(answer.text)
    assert re.search(r'name="weekday" value="1" checked', answer.text)


def test_a_plan_that_was_booked_in_another_tab_is_not_said_to_be_in_its_own_way(
    desk: FlaskClient, key: str
) -> None:
    first, second = (fields(desk.get(f"/courses/{key}").text) for _ in range(2))
    desk.post(f"/courses/{key}/book", data=first)
    answer = desk.post(f"/courses/{key}/book", data=second)
    refused = between(answer.text, "data-error-summary", '<section class="stack"')
    assert "Somebody changed the course meanwhile. This is how it stands now." in refused
    assert ("another appointment" in refused, answer.status_code) == (False, 409)


def test_a_hold_that_ran_out_while_it_was_looked_at_says_so(
    sign_in: Browser, key: str, moment: time_machine.Traveller
) -> None:
    desk = sign_in("receptionist")
    held = fields(desk.get(f"/courses/{key}").text, do="hold")
    html = desk.post(f"/courses/{key}/book", data=held, follow_redirects=True).text
    settle = html[html.index(f"/courses/{key}/settle") :]
    names = ("csrf_token", "version", "idempotency_key")
    sent = {
        name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', settle)[1]  # type: ignore[index]  # it is there
        for name in names
    }
    moment.shift(timedelta(hours=24))
    desk = sign_in("receptionist")
    sent["csrf_token"] = csrf_of(desk.get(f"/courses/{key}").text)
    answer = desk.post(f"/courses/{key}/settle", data=sent)
    assert "What was held has run out meanwhile." in answer.text
    assert (answer.status_code, answer.text.count("step-proposed")) == (409, 3)


@pytest.mark.parametrize(
    ("do", "title"), [("book", "Nothing was booked."), ("hold", "Nothing was held.")]
)
def test_a_refusal_says_each_reason_once_at_its_session_and_leads_there(
    app: Flask,
    desk: FlaskClient,
    given: Given,
    clinic: SmallClinic,
    key: str,
    today: date,
    do: str,
    title: str,
) -> None:
    html = desk.get(f"/courses/{key}").text
    other = rivals_course(app, given, clinic, today)
    form = fields(desk.get(f"/courses/{other}", query_string=picks(html)).text, do="first")
    assert desk.post(f"/courses/{other}/book", data=form).status_code == 302
    answer = desk.post(f"/courses/{key}/book", data=fields(html, do=do)).text
    refused = between(answer, "data-error-summary", '<section class="stack"')
    assert (title in refused, re.findall(r'href="#([\w-]+)"', refused)) == (True, ["session-1"])
    at_session = between(answer, 'id="session-1"', 'id="session-2"')
    assert (at_session.count("another appointment"), answer.count("another appointment")) == (1, 1)


def test_what_a_provider_is_to_decide_is_said_once_and_the_form_leads_there(
    desk: FlaskClient, key: str
) -> None:
    plan = too_early(desk.get(f"/courses/{key}").text)
    html = desk.get(f"/courses/{key}", query_string=plan).text
    reason = re.findall(r"\d days after session 1; not before 7", html)
    decision = between(html, 'id="before-booking"', "decision_reason")
    assert (len(reason), 'href="#session-2"' in decision) == (1, True)
    answer = desk.post(f"/courses/{key}/book", data=fields(html)).text
    assert len(re.findall(r"\d days after session 1; not before 7", answer)) == 1


def test_what_was_refused_names_what_was_not_done(desk: FlaskClient, key: str) -> None:
    form = {**fields(desk.get(f"/courses/{key}").text), "do": "resume"}
    answer = desk.post(f"/courses/{key}/status", data=form)
    assert ("Nothing was changed." in answer.text, answer.status_code) == (True, 409)


def test_later_moves_one_session_and_says_what_moved(desk: FlaskClient, key: str) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    html = desk.get(f"/courses/{key}", query_string={**shown, "later": "2"}).text
    moved = picks(html)
    assert moved["s2"] > shown["s2"] or moved["s2"].split(".")[3] > shown["s2"].split(".")[3]
    assert (moved["s1"], 'class="was"' in html) == (shown["s1"], True)


def day_of(pick: str) -> str:
    """Return the day of a pick as a page writes it."""
    day = pick.split(".")[3][:8]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def test_an_open_session_shows_its_day_with_the_greyed_starts_and_every_reason(
    desk: FlaskClient, key: str, clinic: SmallClinic
) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    html = desk.get(f"/courses/{key}", query_string={**shown, "open": "2"}).text
    look = html[html.index('class="look"') : html.index('id="session-3"')]
    assert f'value="{day_of(shown["s2"])}"' in look
    assert f'name="session-2" value="{shown["s2"]}" aria-pressed="true"' in look
    greyed = re.findall(r'<details class="greyed".*?</details>', look, re.DOTALL)
    assert any("has a break then" in one for one in greyed)
    assert all("<summary" in one and "<li>" in one for one in greyed)


def look_at(desk: FlaskClient, key: str, number: int, day: date) -> str:
    """Return what is said of a day that is looked at for a session."""
    shown = picks(desk.get(f"/courses/{key}").text)
    asked = {**shown, "open": f"{number}|{day.isoformat()}"}
    html = desk.get(f"/courses/{key}", query_string=asked).text
    return html[html.index('class="look"') : html.index("</ol>", html.index('class="look"'))]


def test_of_a_day_on_which_a_site_is_closed_that_is_all_there_is_to_say(
    desk: FlaskClient, given: Given, clinic: SmallClinic, key: str, today: date
) -> None:
    friday = today + timedelta(days=4)
    for site in (clinic.miami, clinic.aventura):
        given(factories.absence, on=friday, site_id=site)
    given(factories.absence, on=friday, provider_id=clinic.md)
    look = look_at(desk, key, 1, friday)
    said = re.findall(r'<p class="day-closed">.*?</svg>(.*?)</p>', look)
    assert said == ["Miami is closed on Fri 6 Mar 2026.", "Aventura is closed on Fri 6 Mar 2026."]
    assert ("day-line" in look, "day-always" in look) == (False, False)


def test_a_provider_who_is_not_there_all_day_is_one_line_without_starts(
    desk: FlaskClient, key: str, today: date
) -> None:
    look = look_at(desk, key, 1, today + timedelta(days=1))  # Tuesday: at Aventura
    (line,) = [one for one in look.split('<section class="day-line"') if "work at Miami on" in one]
    assert (line.count("<p>"), "<details" in line[: line.index("</section>")]) == (1, False)


def test_on_a_day_without_a_free_start_who_is_there_is_read_first(
    desk: FlaskClient, key: str, today: date
) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    thursday = date.fromisoformat(day_of(shown["s1"])) + timedelta(days=3)  # below the floor
    look = look_at(desk, key, 2, thursday)
    lines = ["day-away" in line for line in look.split('<section class="day-line"')[1:]]
    assert (lines, {True, False} <= set(lines)) == (sorted(lines), True)


def test_a_greyed_start_says_every_rule_it_breaks(
    app: Flask, desk: FlaskClient, key: str, clinic: SmallClinic, given: Given, patient_id: int
) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    given(factories.course, clinic, patient_id)
    other = desk.get(f"/courses/{key}", query_string={**shown, "open": f"2|{day_of(shown['s1'])}"})
    look = other.text[other.text.index('class="look"') :]
    assert "Against every start of that day:" in look
    assert "0 days after session 1" in look[: look.index("day-line")]


def test_a_start_looked_up_on_a_day_can_be_taken(desk: FlaskClient, key: str) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    asked = {**shown, "open": "3", "look": day_of(shown["s3"])}
    html = desk.get(f"/courses/{key}", query_string=asked).text
    look = html[html.index('class="look"') :]
    last = re.findall(r'name="session-3" value="([^"]+)"', look)[-1]
    moved = picks(desk.get(f"/courses/{key}", query_string={**shown, "session-3": last}).text)
    assert moved == {**shown, "s3": last}


def test_where_nothing_fits_the_page_says_why_and_what_would_help(
    app: Flask, desk: FlaskClient, key: str, given: Given, patient_id: int, today: date
) -> None:
    last = today + timedelta(days=2)
    html = desk.get(f"/courses/{key}", query_string={"not_after": last.isoformat()}).text
    assert "What would help" in html
    assert re.search(r"\d+ days later than wished for: \w{3} \d+ \w{3} to ", html)
    asked = {"not_after": last.isoformat(), "weekday": ["1", "3"], "part": "morning"}
    html = desk.get(f"/courses/{key}", query_string=asked).text
    easier = re.findall(r'href="([^"]+)"[^>]*aria-label="Apply: \d+ days later', html)
    assert easier == [f"/courses/{key}?weekday=1&amp;weekday=3&amp;part=morning"]
    assert "What would help" not in desk.get(html_module.unescape(easier[0])).text
    given(factories.screening, patient_id, on=today, had_clots=True)
    html = desk.get(f"/courses/{key}").text
    assert "An answer in the screening needs a provider" in html
    assert "With a provider’s decision on an answer in the screening: " in html


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("site_hours", "Miami has no opening hours."),
        ("room_service", "No room of Miami is set up for this service."),
        ("provider_service", "Nobody who gives this service works at Miami."),
    ],
)
def test_a_clinic_that_cannot_give_the_service_says_why(
    desk: FlaskClient, key: str, given: Given, table: str, sentence: str
) -> None:
    def emptied(session: Session) -> int:
        session.execute(sa.text(f"DELETE FROM {table}"))
        factories.bump(session)
        return 0

    given(emptied)
    answer = desk.get(f"/courses/{key}")
    assert (answer.status_code, sentence in answer.text) == (200, True)


@pytest.mark.parametrize(
    ("field", "days", "sentence"),
    [
        ("not_after", -9000, "This day is over."),
        ("not_after", -2, "This day is over."),
        ("not_after", 20000, ""),
        ("not_before", -9000, ""),
        ("not_before", 150, ""),
        ("not_before", 366, "This is more than a year away: too far to be planned."),
        ("not_before", 20000, "This is more than a year away: too far to be planned."),
    ],
)
def test_a_day_long_gone_or_never_to_come_gets_a_sentence_and_a_plan(
    desk: FlaskClient, key: str, field: str, days: int, sentence: str
) -> None:
    wished = clock.now().date() + timedelta(days=days)
    html = desk.get(f"/courses/{key}", query_string={field: wished.isoformat()}).text
    said = re.findall(rf'id="{field}-error">.*?<span>(.*?)</span>', html)
    assert (said, len(picks(html))) == ([sentence] if sentence else [], 3)
    assert f'name="{field}" value="{wished}"' in html


def test_where_only_a_decision_would_help_the_plan_can_be_shown_decided_and_booked(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, today: date
) -> None:
    patient_id = given(factories.patient)
    given(factories.consult_done, clinic, patient_id, on=today - timedelta(days=200))
    key = key_of(app, given(factories.course, clinic, patient_id))
    html = desk.get(f"/courses/{key}?part=morning").text
    assert "No way to place the open sessions" in html
    (way,) = re.findall(r'href="([^"]+)" aria-label="Show the plan: With a provider’s', html)
    shown = desk.get(html_module.unescape(way)).text
    assert ("How long a consult holds" in html, "holds for 180 days" in shown) == (True, True)
    assert '<option value="morning" selected>' in shown
    decided = {"decide": "consult.valid_days", "decision_reason": "Seen again by phone."}
    form = fields(shown, **decided, decided_by=str(clinic.md))
    assert desk.post(f"/courses/{key}/book", data=form).status_code == 302


def test_S19_a_course_is_planned_from_the_first_day_that_is_possible_however_far(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, today: date
) -> None:
    first = today + timedelta(days=150)
    waiting = given(factories.patient, eligible_from=first)
    given(factories.consult_done, clinic, waiting, on=today - timedelta(days=3))
    key = key_of(app, given(factories.course, clinic, waiting))
    found = picks(desk.get(f"/courses/{key}").text)
    assert first <= date.fromisoformat(day_of(found["s1"])) <= first + timedelta(days=7)


def test_a_pick_of_days_ago_is_not_called_far_away(
    desk: FlaskClient, key: str, today: date
) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    site, provider, room, _ = shown["s1"].split(".")
    gone = f"{site}.{provider}.{room}.{today - timedelta(days=30):%Y%m%d}T1500Z"
    html = desk.get(f"/courses/{key}", query_string={**shown, "s1": gone}).text
    assert "This is too far away, or in the past." in html


def test_S17_what_stands_in_the_way_tells_the_desk_nothing_of_health(
    desk: FlaskClient, key: str, given: Given, patient_id: int, today: date
) -> None:
    given(factories.screening, patient_id, on=today, is_nursing=True)
    html = desk.get(f"/courses/{key}").text
    assert "What stands in the way" in html
    assert "nursing" not in html.lower()


def test_a_day_that_does_not_exist_gets_a_sentence_and_stays(desk: FlaskClient, key: str) -> None:
    html = desk.get(f"/courses/{key}", query_string={"open": "2", "look": "2027-02-30"}).text
    field = html[html.index('name="look"') :]
    assert field.startswith('name="look" value="2027-02-30" aria-invalid="true"')
    assert "There is no such date." in field


def remarks(part: str) -> set[str]:
    return set(re.findall(r'<span class="remark[^>]*>.*?<span>(.*?)</span></span>', part))


def between(html: str, first: str, last: str) -> str:
    start = html.index(first)
    return html[start : html.index(last, start)]


def test_every_proposal_and_alternative_says_when_the_course_ends_and_what_is_in_its_way(
    desk: FlaskClient, given: Given, app: Flask, clinic: SmallClinic, patient_id: int, today: date
) -> None:
    leaves = today + timedelta(days=20)
    snowbird = given(factories.patient, stay_until=leaves)
    given(factories.consult_done, clinic, snowbird, on=today - timedelta(days=3))
    key = key_of(app, given(factories.course, clinic, snowbird))
    html = desk.get(f"/courses/{key}").text
    card = between(html, '<article class="proposal', "</article>")
    shown = picks(html)
    left = {one for one in remarks(card) if "leaves Florida" in one}
    assert {one[:10] for one in left} == {"Session 3:"}
    html = desk.get(f"/courses/{key}", query_string={**shown, "open": "3"}).text
    slots = re.findall(r'<button[^>]* class="slot" name="session-3".*?</button>', html, re.DOTALL)
    listed = [slot for slot in slots if "Course ends" in slot]
    assert len(listed) > 3
    assert all(remarks(slot) for slot in listed)
    bar = between(html, 'class="actionbar-label"', "</p>")
    assert between(html, "Course ends ", "<").replace("Course ends", "Ends") in bar


def alternatives(desk: FlaskClient, key: str, number: int) -> list[tuple[date, str]]:
    """Return day and text of each other time that an open session is offered, the screen as it comes."""
    shown = picks(desk.get(f"/courses/{key}").text)
    html = desk.get(f"/courses/{key}", query_string={**shown, "open": str(number)}).text
    found = re.findall(
        rf'class="slot" name="session-{number}" value="([^"]+)"[^>]*>(.*?)</button>',
        html,
        re.DOTALL,
    )
    return [
        (date.fromisoformat(day_of(pick)), text) for pick, text in found if "Course ends" in text
    ]


def booked(desk: FlaskClient, key: str, *numbers: int) -> dict[int, date]:
    """Book these sessions as they are proposed, and return the days of all."""
    html = desk.get(f"/courses/{key}").text
    sent = fields(html)
    for name in picks(html):
        if int(name[1:]) not in numbers:
            del sent[name]
    assert desk.post(f"/courses/{key}/book", data=sent).status_code == 302
    return {int(name[1:]): date.fromisoformat(day_of(pick)) for name, pick in picks(html).items()}


def test_alternatives_keep_the_distance_to_the_booked_sessions_on_both_sides(
    desk: FlaskClient, key: str
) -> None:
    days = booked(desk, key, 1, 3)
    found = alternatives(desk, key, 2)
    assert len(found) > 3
    assert all((day - days[1]).days >= 7 and (days[3] - day).days >= 7 for day, _ in found)
    assert {text[text.index("Course ends") :].split("<")[0] for _, text in found} == {
        f"Course ends {wording.format_date(days[3], 'en')}"
    }
    late = [text for day, text in found if (days[3] - day).days < 14]
    assert late
    assert all("Session 3 is now early" in text for text in late)


@pytest.mark.parametrize("pinned", [{}, {"pinned3": "1"}])
def test_another_time_says_when_the_course_ends_once_the_others_have_followed(
    desk: FlaskClient, key: str, pinned: dict[str, str]
) -> None:
    shown = {**picks(desk.get(f"/courses/{key}").text), **pinned}
    html = desk.get(f"/courses/{key}", query_string={**shown, "open": "2"}).text
    listed = html[html.index('<div class="slots">') : html.index('class="look"')]
    found = re.findall(
        r'name="session-2" value="([^"]+)".*?Course ends ([^<]+)<', listed, re.DOTALL
    )
    taken = [
        desk.get(f"/courses/{key}", query_string={**shown, "session-2": value}).text
        for value, _ in found
    ]
    ends = [between(html, '<span class="muted ms-auto">Course ends ', "</span>") for html in taken]
    assert [end for _, end in found] == [end.rpartition("ends ")[2] for end in ends]
    assert (len(set(ends)) > 3) == (not pinned)
    assert shown["s2"] not in [value for value, _ in found]


def test_a_later_session_that_follows_keeps_no_start_from_an_earlier_one(
    desk: FlaskClient, key: str
) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    third = date.fromisoformat(day_of(shown["s3"]))
    asked = {**shown, "open": "2", "look": third.isoformat()}
    html = desk.get(f"/courses/{key}", query_string=asked).text
    look = html[html.index('class="look"') :]
    held = desk.get(f"/courses/{key}", query_string={**asked, "pinned3": "1"}).text
    assert 'name="session-2" value="' in look
    assert 'name="session-2" value="' not in held[held.index('class="look"') :]


def test_a_course_of_one_session_has_alternatives_with_their_cost(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, patient_id: int
) -> None:
    key = key_of(app, given(factories.course, clinic, patient_id, zones=[("left_calf",)]))
    found = alternatives(desk, key, 1)
    assert len(found) == 12
    assert all(re.search(r"starts in \d+ days?", text) for _, text in found)


def test_the_last_of_twelve_sessions_has_alternatives_after_the_eleventh(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, patient_id: int
) -> None:
    zones = [(f"zone_{n}",) for n in range(12)]
    key = key_of(app, given(factories.course, clinic, patient_id, zones=zones))
    eleventh = date.fromisoformat(day_of(picks(desk.get(f"/courses/{key}").text)["s11"]))
    found = alternatives(desk, key, 12)
    assert found
    assert all((day - eleventh).days >= 7 for day, _ in found)


def test_a_closure_close_to_a_session_is_said_and_warns_of_nothing(
    desk: FlaskClient, key: str, given: Given, clinic: SmallClinic
) -> None:
    shown = picks(desk.get(f"/courses/{key}").text)
    site_id, day = int(shown["s2"].split(".")[0]), date.fromisoformat(day_of(shown["s2"]))
    closed = day + timedelta(days=1)
    given(factories.absence, on=closed, site_id=site_id, reason="Founders’ day")
    html = desk.get(f"/courses/{key}", query_string=shown).text
    step = between(html, 'id="session-2"', 'id="session-3"')
    assert "(Founders’ day), close to this day." in step
    assert "Please check" not in html


def test_S38_both_intervals_stand_side_by_side_until_the_provider_has_decided(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, key: str, today: date
) -> None:
    newcomer = given(factories.patient, stay_until=today + timedelta(days=50))
    undecided = key_of(app, given(factories.course, clinic, newcomer, is_decided=False))
    html = desk.get(f"/courses/{undecided}").text
    compared = between(html, 'id="comparison"', 'id="wishes"')
    assert [name in compared for name in ("3 × 2 weeks", "3 × 6 weeks")] == [True, True]
    ends = re.findall(r"<span>Ends</span>([^<]+)<", compared)
    assert ends[0] == re.findall(r"<span>Ends</span> ([^<]+?) <", html)[0]
    assert len(set(ends)) == 2
    assert remarks(compared) != set()
    desk.post(f"/courses/{undecided}/book", data=fields(html, do="reserve"))
    html = desk.get(f"/courses/{undecided}").text
    assert re.findall(r"<span>Ends</span>([^<]+)<", html) == ends
    assert 'id="comparison"' not in desk.get(f"/courses/{key}").text


def test_S38_what_takes_longer_looks_longer_beside_the_other(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, today: date
) -> None:
    newcomer = given(factories.patient, stay_until=today + timedelta(days=50))
    undecided = key_of(app, given(factories.course, clinic, newcomer, is_decided=False))
    html = desk.get(f"/courses/{undecided}").text
    lines = re.findall(r'<svg class="span-line".*?</svg>', html)
    dots = [[float(x) for x in re.findall(r'circle cx="([\d.]+)%"', line)] for line in lines]
    leaving = [re.findall(r'class="span-leave" x1="([\d.]+)%"', line) for line in lines]
    assert [one[0] for one in dots] == [3.0, 3.0]
    assert (dots[0][-1] < 50, dots[1][-1]) == (True, 97.0)
    assert leaving[0] == leaving[1] != []


@pytest.mark.parametrize(("count", "times"), [(1, 1), (3, 2)])
def test_what_took_place_stays_done_in_what_is_compared(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, today: date,
    count: int, times: int,
) -> None:  # fmt: skip
    """Also under a protocol that would be over by now."""
    newcomer = given(factories.patient)
    course_id = given(factories.course, clinic, newcomer, protocol="six_weeks", is_decided=False)

    def treated(session: Session) -> int:
        numbers = factories.course_sessions(session, course_id)
        for number, ago in ((1, 24), (2, 10)):
            day = today - timedelta(days=ago)
            factories.appointment(
                session, clinic, newcomer, day=day, status="fulfilled",
                course_session_id=numbers[number],
            )  # fmt: skip
        session.get_one(Protocol, clinic.two_weeks).sessions = count
        factories.bump(session)
        return 0

    given(treated)
    html = desk.get(f"/courses/{key_of(app, course_id)}").text
    compared = between(html, 'id="comparison"', 'id="wishes"')
    second = wording.format_short_date(today - timedelta(days=10), "en")
    assert compared.count(second) == times


def test_what_is_compared_follows_the_wishes(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, today: date
) -> None:
    undecided = key_of(
        app, given(factories.course, clinic, given(factories.patient), is_decided=False)
    )
    last = (today + timedelta(days=40)).isoformat()
    html = desk.get(f"/courses/{undecided}", query_string={"not_after": last}).text
    compared = between(html, 'id="comparison"', 'id="wishes"')
    assert (compared.count("No way to place"), compared.count("Ends about")) == (1, 1)


def test_the_weekdays_to_wish_for_are_those_that_the_clinic_opens(
    desk: FlaskClient, key: str, given: Given, clinic: SmallClinic
) -> None:
    def opened_on_sunday(session: Session) -> int:
        session.add(SiteHours(site_id=clinic.miami, weekday=6, opens=time(10), closes=time(14)))
        factories.bump(session)
        return 0

    before = desk.get(f"/courses/{key}").text
    given(opened_on_sunday)
    after = desk.get(f"/courses/{key}").text
    assert [html.count('name="weekday"') for html in (before, after)] == [6, 7]


def test_wishes_are_kept_in_what_is_proposed(
    desk: FlaskClient, key: str, clinic: SmallClinic
) -> None:
    html = desk.get(f"/courses/{key}", query_string={"site": str(clinic.aventura)}).text
    assert {pick.split(".")[0] for pick in picks(html).values()} == {str(clinic.aventura)}


def test_one_gap_of_one_course_becomes_21_days_and_the_page_follows(
    desk: FlaskClient, key: str
) -> None:
    address = f"/courses/{key}/gaps/2"
    page = desk.get(address).text
    form = {
        "csrf_token": csrf_of(page),
        "version": "1",
        "floor": "14",
        "target": "21",
        "soft_max": "28",
        "reason": "Travels in between.",
    }
    desk.post(address, data=form)
    html = desk.get(f"/courses/{key}").text
    assert "21 days after session 1 (target 21, not before 14, late after 28)" in html


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"floor": "0"}, "Give whole days from 1 to 365."),
        ({"soft_max": "366"}, "Give whole days from 1 to 365."),
        ({"target": "-3"}, "Give whole days from 1 to 365."),
        ({"floor": "22"}, "The target cannot be before"),
        ({"soft_max": "10"}, "cannot be before the target"),
        ({"reason": ""}, "Please fill this in."),
        ({"reason": "x" * 301}, "At most 300 characters."),
        ({"floor": "abc"}, "Give whole days from 1 to 365."),
    ],
)
def test_a_gap_that_cannot_be_gets_a_sentence_and_keeps_what_was_typed(
    desk: FlaskClient, key: str, typed: dict[str, str], sentence: str
) -> None:
    address = f"/courses/{key}/gaps/2"
    form = {"csrf_token": csrf_of(desk.get(address).text), "version": "1"}
    form |= {"floor": "14", "target": "21", "soft_max": "28", "reason": "Travels."}
    answer = desk.post(address, data=form | typed)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert f"{sentence} {sentence}" not in answer.text
    assert all(f'value="{value}"' in answer.text for value in typed.values() if value)


@pytest.mark.parametrize(
    "query",
    [
        {"s1": "x"},
        {"s1": "1.1.1.20270231T1000Z"},
        {"s1": "9999999999.1.1.20270301T1000Z"},
        {"s1": "999.1.1.20270301T1000Z"},
        {"site": "-1", "provider": "abc", "weekday": "9", "part": "night"},
        {"later": "99", "pin": "13", "choose": "order|1=|2=x", "objective": "dearest"},
        {"later": "2"},
        {"not_before": "1900-01-01"},
        {"not_before": "9999-12-31"},
        {"open": "²"},
        {"open": "2", "look": "9999-12-31"},
        {"open": "2", "look": "2000-01-01"},
        {"open": "2|2000-01-01"},
        {"open": "2|x|y"},
        {"open": "99|9999-12-31"},
    ],
)
def test_a_silly_address_still_answers_with_the_course(
    desk: FlaskClient, key: str, query: dict[str, str]
) -> None:
    answer = desk.get(f"/courses/{key}", query_string=query)
    assert (answer.status_code, "Gómez" in answer.text) == (200, True)


@pytest.mark.parametrize("day", ["2027-02-30", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("field", ["not_before", "not_after"])
def test_a_date_that_does_not_exist_gets_a_sentence_beside_its_field(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, field: str, day: str
) -> None:
    """Also while the intervals are compared, forecasts and all."""
    undecided = given(factories.course, clinic, given(factories.patient), is_decided=False)
    html = desk.get(f"/courses/{key_of(app, undecided)}", query_string={field: day}).text
    assert "There is no such date." in html
    assert f'value="{day}"' in html


def test_S20_an_undecided_course_offers_to_reserve_and_to_ask_the_provider(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic
) -> None:
    newcomer = given(factories.patient, given_name="Nora")
    key = key_of(app, given(factories.course, clinic, newcomer, is_decided=False))
    html = desk.get(f"/courses/{key}").text
    asked = desk.post(
        f"/courses/{key}/ask", data={"csrf_token": csrf_of(html)}, follow_redirects=True
    ).text
    assert ('value="reserve"' in html, 'value="book"' in html) == (True, False)
    assert "The provider has been asked" in asked


def test_S20_a_reservation_says_until_when_it_holds(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic
) -> None:
    newcomer = given(factories.patient, given_name="Nora")
    key = key_of(app, given(factories.course, clinic, newcomer, is_decided=False))
    html = desk.get(f"/courses/{key}").text
    answer = desk.post(
        f"/courses/{key}/book", data=fields(html, do="reserve"), follow_redirects=True
    )
    assert "3 sessions reserved." in answer.text
    assert "Reserved until" in answer.text


def test_what_is_held_shows_when_to_call_back(desk: FlaskClient, key: str) -> None:
    held = fields(desk.get(f"/courses/{key}").text, do="hold", call_back_note="after six")
    html = desk.post(f"/courses/{key}/book", data=held, follow_redirects=True).text
    assert (html.count("after six"), html.count("step-held")) == (1, 3)


@pytest.mark.parametrize(("do", "hours"), [("hold", 24), ("reserve", 24 * 8)])
def test_what_was_kept_and_has_run_out_is_proposed_anew(
    sign_in: Browser, key: str, moment: time_machine.Traveller, do: str, hours: int
) -> None:
    desk = sign_in("receptionist")
    sent = fields(desk.get(f"/courses/{key}").text, do=do)
    kept = desk.post(f"/courses/{key}/book", data=sent, follow_redirects=True).text
    moment.shift(timedelta(hours=hours))
    desk = sign_in("receptionist")
    again = desk.get(f"/courses/{key}").text
    assert ("Held and reserved" in kept, "Held and reserved" in again) == (True, False)
    assert again.count("step-proposed") == 3
    answer = desk.post(f"/courses/{key}/book", data=fields(again), follow_redirects=True)
    assert "3 sessions booked." in answer.text


def test_a_course_of_twelve_sessions_is_shown(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, patient_id: int
) -> None:
    zones = [(f"zone_{n}",) for n in range(12)]
    key = key_of(app, given(factories.course, clinic, patient_id, zones=zones))
    html = desk.get(f"/courses/{key}").text
    assert html.count("step-card") == 12
    assert re.search(r'<details class="actionbar-fold" id="read-back" data-keep>', html)


def test_what_is_true_of_several_sessions_is_said_of_them_once(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, today: date
) -> None:
    snowbird = given(factories.patient, stay_until=today + timedelta(days=10))
    given(factories.consult_done, clinic, snowbird, on=today - timedelta(days=3))
    html = desk.get(f"/courses/{key_of(app, given(factories.course, clinic, snowbird))}").text
    said = remarks(between(html, '<article class="proposal', "</article>"))
    assert said == {"Sessions 2 and 3: The patient leaves Florida on Thu 12 Mar 2026."}


@pytest.mark.parametrize(
    ("line", "tone"),
    [
        ("package of 3, deposit due", "amber"),
        ("paquete de 3, depósito pendiente", "amber"),
        ("package of 3", "grey"),
    ],
)
def test_what_is_owed_for_a_package_is_seen_in_either_language(
    desk: FlaskClient, key: str, line: str, tone: str
) -> None:
    html = desk.get(f"/courses/{key}").text
    version = re.search(r'name="version" value="(\d+)"', html)
    assert version is not None
    form = {"csrf_token": csrf_of(html), "version": version[1], "package": line}
    shown = desk.post(f"/courses/{key}/package", data=form, follow_redirects=True).text
    assert re.findall(rf'badge tone-(\w+)">(?:(?!</span>).)*{line}</span>', shown) == [tone]


def test_there_is_one_plan_on_paper_and_it_leads_back_to_the_course(
    desk: FlaskClient, key: str
) -> None:
    booked(desk, key, 1, 2)
    here = f"/courses/{key}?weekday=1"
    ways = re.findall(r'href="(/patients/[\w-]+/sheet[^"]*)"', desk.get(here).text)
    sheet = desk.get(html_module.unescape(ways[0])).text
    assert (len(ways), 'lang="es"' in sheet, f'href="{here}"' in sheet) == (1, True, True)


def test_a_missing_birth_date_can_be_added_where_it_is_in_the_way(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic
) -> None:
    patient_id = given(factories.patient, birth_date=None)
    html = desk.get(f"/courses/{key_of(app, given(factories.course, clinic, patient_id))}").text
    assert re.search(r'href="/patients/[\w-]+/edit\?[^"]*#birth_date">Add the birth date', html)
    assert html.count("badge") == 1  # of the course: a session that is not booked says so once


def test_whoever_adds_what_a_course_lacks_comes_back_to_it(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic
) -> None:
    patient_id = given(factories.patient, birth_date=None)
    here = f"/courses/{key_of(app, given(factories.course, clinic, patient_id))}?part=morning"
    html = desk.get(here).text
    edit, dates = (way_from(html, rf"/patients/[\w-]+{end}") for end in (r"/edit\?", r"\?"))
    form = values_of(desk.get(edit).text)
    saved = desk.post(way_to(desk.get(edit).text), data={**form, "birth_date": "4/9/1988"})
    flight = {"kind": "flight", "from_date": "3/31/2027"}
    page = desk.get(dates).text
    added = desk.post(
        way_from(page, r"/patients/[\w-]+/dates\?", "action"),
        data={"csrf_token": csrf_of(page), **flight},
    )
    assert (saved.location, added.location) == (here, here)


def test_what_only_warns_is_booked_with_a_tick_beside_the_button(
    desk: FlaskClient, key: str
) -> None:
    soonest = re.findall(r'value="(soonest\|[^"]+)"', desk.get(f"/courses/{key}").text)[0]
    html = desk.get(f"/courses/{key}", query_string={"choose": soonest}).text
    refused = desk.post(f"/courses/{key}/book", data=fields(html))
    assert (refused.status_code, "Tick “Book all the same”" in refused.text) == (409, True)
    (codes,) = re.findall(r'name="acknowledged" value="([^"]+)"', html[html.index("actionbar") :])
    form = fields(refused.text, acknowledged=codes)
    assert desk.post(f"/courses/{key}/book", data=form).status_code == 302


def too_early(html: str) -> dict[str, str]:
    """Return the picks of a page with session 2 three days after session 1, which a provider has to decide."""
    shown = picks(html)
    first = shown["s1"]
    day = date.fromisoformat(day_of(first))
    early = next(d for n in (3, 4, 5) if (d := day + timedelta(days=n)).weekday() < 5)
    return {**shown, "s2": first.replace(f"{day:%Y%m%d}", f"{early:%Y%m%d}"), "s3": shown["s3"]}


def test_what_a_decision_lacks_is_said_beside_its_field(desk: FlaskClient, key: str) -> None:
    plan = too_early(desk.get(f"/courses/{key}").text)
    html = desk.get(f"/courses/{key}", query_string=plan).text
    sent = fields(html, decide="gap.below_floor", decision_reason="", decided_by="")
    answer = desk.post(f"/courses/{key}/book", data=sent).text
    assert 'id="decided_by-error"' in answer
    assert 'id="decision_reason-error"' in answer
    assert "Name the provider who decided." in answer


def test_a_provider_who_may_not_decide_names_one_who_may(
    sign_in: Browser, key: str, given: Given, clinic: SmallClinic
) -> None:
    def treats_only(session: Session) -> int:
        session.execute(
            sa.text("UPDATE provider_service SET may_examine = :no WHERE provider_id = :its"),
            {"no": False, "its": clinic.md},
        )
        factories.bump(session)
        return 0

    doctor = sign_in("provider")
    plan = too_early(doctor.get(f"/courses/{key}").text)
    own = doctor.get(f"/courses/{key}", query_string=plan).text
    given(treats_only)
    html = doctor.get(f"/courses/{key}", query_string=plan).text
    assert ('id="decided_by"' in own, 'id="decided_by"' in html) == (False, True)
    (codes,) = re.findall(r'name="decide" value="([^"]+)"', html)
    seen = re.findall(r'name="acknowledged" value="([^"]+)"', html)
    decided = {"decide": codes, "decision_reason": "veins healed", "decided_by": str(clinic.pa)}
    sent = fields(html, acknowledged=" ".join(seen), **decided)
    assert doctor.post(f"/courses/{key}/book", data=sent).status_code == 302


def test_a_proposal_says_nothing_of_what_the_booked_sessions_cost(
    desk: FlaskClient, key: str
) -> None:
    soonest = re.findall(r'value="(soonest\|[^"]+)"', desk.get(f"/courses/{key}").text)[0]
    html = desk.get(f"/courses/{key}", query_string={"choose": soonest}).text
    (codes,) = re.findall(r'name="acknowledged" value="([^"]+)"', html[html.index("actionbar") :])
    form = fields(html, acknowledged=codes)
    del form["s3"]
    assert desk.post(f"/courses/{key}/book", data=form).status_code == 302
    html = desk.get(f"/courses/{key}").text
    card = between(html, '<article class="proposal', "</article>")
    assert re.findall(r"\d+ days? before the target", card) == []


def test_work_lists_begin_with_what_is_due_soonest(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, key: str, today: date
) -> None:
    later = {"not_before": (today + timedelta(days=14)).isoformat()}
    html = desk.get(f"/courses/{key}", query_string=later).text
    desk.post(f"/courses/{key}/book", data=fields(html, do="first"))
    rita = given(factories.patient, given_name="Rita", family_name="Soon")
    given(factories.consult_done, clinic, rita, on=today - timedelta(days=3))
    other = key_of(app, given(factories.course, clinic, rita))
    desk.post(f"/courses/{other}/book", data=fields(desk.get(f"/courses/{other}").text, do="first"))
    listed = desk.get("/courses").text
    assert 0 < listed.index("Rita Soon") < listed.index("Ana Gómez")


def test_work_lists_cost_the_same_statements_for_one_course_and_for_three(
    app: Flask, desk: FlaskClient, given: Given, clinic: SmallClinic, patient_id: int
) -> None:
    def statements() -> int:
        seen: list[str] = []
        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        desk.get("/courses")
        return len(seen)

    given(factories.course, clinic, patient_id)
    desk.get("/courses")
    one = statements()
    for _ in range(2):
        given(factories.course, clinic, given(factories.patient))
    desk.get("/courses")
    assert statements() == one


def test_S36_a_target_out_of_range_is_the_one_thing_that_is_wrong(
    desk: FlaskClient, key: str
) -> None:
    address = f"/courses/{key}/gaps/2"
    form = {"csrf_token": csrf_of(desk.get(address).text), "version": "1", "reason": "Ordered."}
    typed = form | {"floor": "7", "target": "400", "soft_max": "21"}
    answer = desk.post(address, data=typed)
    wrong = answer.text.count("Give whole days from 1 to 365.")
    assert (answer.status_code, wrong, "One thing needs" in answer.text) == (422, 2, True)


def test_a_package_too_long_is_refused_and_kept(desk: FlaskClient, key: str) -> None:
    form = {"csrf_token": csrf_of(desk.get(f"/courses/{key}").text), "version": "1"}
    answer = desk.post(f"/courses/{key}/package", data=form | {"package": "x" * 121})
    assert (answer.status_code, "x" * 121 in answer.text) == (422, True)


def test_S17_a_pause_without_a_reason_is_asked_for_one(desk: FlaskClient, key: str) -> None:
    form = {"csrf_token": csrf_of(desk.get(f"/courses/{key}").text), "version": "1"}
    answer = desk.post(f"/courses/{key}/status", data=form | {"do": "pause", "reason": " "})
    assert (answer.status_code, "Please fill this in." in answer.text) == (422, True)


def test_the_numbers_of_a_course_stay_when_its_sessions_are_read(app: Flask, key: str) -> None:
    with app.app_context(), Session(db.engine) as session:
        rows = session.query(CourseSession.number).order_by(CourseSession.number).all()
    assert [row.number for row in rows] == [1, 2, 3]
