"""The consult's page: both sentences, what follows, what stops it, who sees which answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner import clock
from planner.db.engine import db
from planner.db.models import (
    Appointment,
    Consult,
    Course,
    CourseSession,
    Decision,
    Patient,
    Protocol,
    Screening,
)
from planner.scheduling import hours
from tests import factories
from tests.factories import SmallClinic
from tests.web.conftest import csrf_of

CLEAR = {
    "had_clots": "no", "is_pregnant": "no", "is_nursing": "no", "is_healthy": "yes",
    "has_allergy": "no", "has_acute_clot": "no",
}  # fmt: skip
FOUND = {
    "is_spider": "y", "spider_mm": "0.8", "zones": ["left_calf", "right_calf", "left_knee"],
    "area_size": "M",
}  # fmt: skip
SENTENCES = (
    "Typically three sessions, two weeks apart.",
    "Usually 3 treatments, 6 weeks apart, for the optimal correction.",
)


@pytest.fixture
def provider(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("provider")


@pytest.fixture
def visit(app: Flask, clinic: SmallClinic) -> str:
    """The path of today's consult; the site's today, which near midnight is not UTC's."""
    today = hours.day_of(clock.now(), factories.ZONE)
    with app.app_context(), Session(db.engine) as session:
        for protocol_id, sentence in zip(
            (clinic.two_weeks, clinic.six_weeks), SENTENCES, strict=True
        ):
            session.get_one(Protocol, protocol_id).sentence = sentence
        patient_id = factories.patient(session, stay_until=today + timedelta(days=60))
        row_id = factories.appointment(session, clinic, patient_id, day=today, hour=9)
        session.commit()
        return f"/appointments/{session.get_one(Appointment, row_id).key}/consult"


def order(clinic: SmallClinic, **changes: Any) -> dict[str, Any]:
    return {
        **CLEAR, **FOUND, "outcome": "candidate", "repeats": "new",
        "protocol": str(clinic.two_weeks), "reason": "new zones each time", **changes,
    }  # fmt: skip


def send(browser: FlaskClient, path: str, values: dict[str, Any], do: str) -> TestResponse:
    html = browser.get(path).text
    version = re.search(r'name="version"[^>]*value="(\d+)"', html)
    sent = {"csrf_token": csrf_of(html), "version": version[1] if version else "1", "do": do}
    return browser.post(path, data={**sent, **values})


def stored(app: Flask, model: type[Any]) -> list[Any]:
    with app.app_context(), Session(db.engine) as session:
        return list(session.scalars(sa.select(model)))


def test_s36_s38_both_sentences_stand_side_by_side_with_their_end_dates(
    provider: FlaskClient, visit: str
) -> None:
    html = provider.get(visit).text
    today = hours.day_of(clock.now(), factories.ZONE)
    ends = [_label(today + timedelta(days=days)) for days in (28, 84)]
    assert [text in html for text in (*SENTENCES, *ends)] == [True] * 4


def test_a_patient_who_leaves_before_the_end_is_warned_of(
    provider: FlaskClient, visit: str
) -> None:
    leaves = hours.day_of(clock.now(), factories.ZONE) + timedelta(days=60)
    html = provider.get(visit).text
    assert html.count(f"In Florida until {_label(leaves)}") == 2  # the header, the longer course


@pytest.mark.parametrize(("repeats", "name"), [("new", "two_weeks"), ("same", "six_weeks")])
def test_s35_new_or_same_zones_choose_the_interval_without_javascript(
    provider: FlaskClient, clinic: SmallClinic, visit: str, repeats: str, name: str
) -> None:
    values = {**CLEAR, **FOUND, "outcome": "candidate", "repeats": repeats}
    html = send(provider, visit, values, "preview").text
    chosen = re.findall(r'name="protocol"[^>]*value="(\d+)" checked', html)
    assert chosen == [str(getattr(clinic, name))]


def test_a_preview_stores_nothing(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    send(provider, visit, order(clinic), "preview")
    assert (stored(app, Consult), stored(app, Course)) == ([], [])


def test_the_whole_consult_in_one_post_orders_the_course(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    answer = send(provider, visit, order(clinic), "record")
    course = stored(app, Course)[0]
    rows = [(row.minutes, row.zones, row.gap_target) for row in stored(app, CourseSession)]
    assert (answer.location, course.interval_reason, rows) == (
        f"/courses/{course.key}",
        "new zones each time",
        [(45, ["left_knee"], 14), (45, ["left_calf"], 14), (45, ["right_calf"], 14)],
    )


def test_the_same_zones_again_are_all_treated_every_time(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    send(
        provider,
        visit,
        order(clinic, protocol=str(clinic.six_weeks), reason="same again"),
        "record",
    )
    assert {tuple(row.zones) for row in stored(app, CourseSession)} == {
        ("left_knee", "left_calf", "right_calf")
    }


def test_each_session_has_minutes_a_gap_and_zones_of_its_own(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    html = send(provider, visit, order(clinic), "preview").text
    drawn = re.search(r'name="drawn_for" value="([^"]*)"', html)
    assert drawn
    rows = {
        "drawn_for": drawn[1],
        "sessions-0-minutes": "60", "sessions-0-zones": "left_calf",
        "sessions-1-minutes": "30", "sessions-1-zones": "left_calf",
        "sessions-1-floor": "21", "sessions-1-target": "21", "sessions-1-soft_max": "28",
        "sessions-2-minutes": "45", "sessions-2-zones": "right_calf",
        "sessions-2-floor": "7", "sessions-2-target": "14", "sessions-2-soft_max": "21",
    }  # fmt: skip
    send(provider, visit, order(clinic, **rows), "record")
    assert [
        (row.minutes, row.zones, row.gap_target, row.gap_is_custom)
        for row in stored(app, CourseSession)
    ] == [
        (60, ["left_calf"], 14, False),
        (30, ["left_calf"], 21, True),
        (45, ["right_calf"], 14, False),
    ]


def test_rows_that_no_longer_fit_the_choice_are_shown_again_before_they_are_saved(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    rows = {
        "drawn_for": f"{clinic.two_weeks}|3|45|left_calf",
        "sessions-0-minutes": "45",
    }
    answer = send(provider, visit, order(clinic, count="5", **rows), "record")
    assert (answer.status_code, "Please look at them, then save." in answer.text) == (422, True)
    assert (answer.text.count('class="form-control num-input"'), stored(app, Course)) == (17, [])


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"had_clots": "yes"}, "screening.clots"),  # S16
        ({"is_nursing": "yes"}, "screening.nursing"),  # S18
        ({"is_healthy": "no"}, "screening.health"),  # S12
        ({"zones": ["face"]}, "zone.face"),  # S07
    ],
)
def test_s16_s18_the_decision_is_taken_on_the_same_page(
    provider: FlaskClient,
    app: Flask,
    clinic: SmallClinic,
    visit: str,
    question: dict[str, Any],
    code: str,
) -> None:
    stopped = send(provider, visit, order(clinic, **question), "record")
    before = stored(app, Course)
    values = order(clinic, **question) | {f"decision-{code}": "discussed, small area first"}
    done = send(provider, visit, values, "record")
    row = stored(app, Decision)[0]
    assert (
        stopped.status_code,
        f'name="decision-{code}"' in stopped.text,
        before,
        done.status_code,
        (row.rule_code, row.reason, row.by_phone),
    ) == (409, True, [], 302, (code, "discussed, small area first", False))


def test_s17_pregnant_cannot_be_a_candidate(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    answer = send(provider, visit, order(clinic, is_pregnant="yes"), "record")
    assert (answer.status_code, "Not while pregnant" in answer.text, stored(app, Course)) == (
        422,
        True,
        [],
    )


def test_s19_dates_are_planned_from_three_months_after_a_pregnancy(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    ended = hours.day_of(clock.now(), factories.ZONE) - timedelta(days=30)
    eligible = hours.add_months(ended, 3)
    values = order(clinic, pregnancy_ended_on=f"{ended:%m/%d/%Y}")
    html = send(provider, visit, values, "preview").text
    send(provider, visit, values, "record")
    first_end = _label(eligible + timedelta(days=28))
    assert (_label(eligible) in html, first_end in html, stored(app, Patient)[0].eligible_from) == (
        True,
        True,
        eligible,
    )


@pytest.mark.parametrize(
    ("mm", "sentence"),
    [("1.0", "1.0 mm counts as either"), ("1", "counts as either"), ("3,1", "Over 3 mm"),
     ("2", "this would be reticular")],
)  # fmt: skip
def test_s03_s09_a_diameter_is_commented(
    provider: FlaskClient, clinic: SmallClinic, visit: str, mm: str, sentence: str
) -> None:
    html = send(provider, visit, order(clinic, spider_mm=mm), "preview").text
    assert sentence in html


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"spider_mm": "wide"}, "Please give millimetres"),
        ({"spider_mm": "-1"}, "Please give millimetres"),
        ({"spider_mm": "nan"}, "Please give millimetres"),
        ({"spider_mm": ""}, "Please give the widest diameter."),
        ({"is_spider": ""}, "Please say which veins"),
        ({"zones": []}, "Please choose the zones"),
        ({"zones": ["left_wing"]}, "not a valid choice"),
        ({"had_clots": ""}, "Please ask this."),
        ({"had_clots": "perhaps"}, "Not a valid choice"),
        ({"outcome": ""}, "Please choose."),
        ({"outcome": "not_now"}, "Please fill this in."),
        ({"outcome": "not_now", "not_until": "1/1/2020"}, "not to come any more"),
        ({"outcome": "not_now", "not_until": "32/1/2030"}, "is not a date"),
        ({"pregnancy_ended_on": "1/1/2199"}, "still to come"),
        ({"protocol": ""}, "the page has both sentences"),
        ({"protocol": "999"}, "Not a valid choice"),
        ({"reason": " "}, "Please say why"),
        ({"count": "13"}, "1 to 12 sessions"),
        ({"count": "-3"}, "whole number"),
        ({"count": "many"}, "whole number"),
        ({"minutes": "0"}, "5 to 240 minutes"),
        ({"note": "x" * 2001}, "2000"),
    ],
)
def test_hostile_and_silly_values_get_a_sentence_and_store_nothing(
    provider: FlaskClient,
    app: Flask,
    clinic: SmallClinic,
    visit: str,
    changes: dict[str, Any],
    sentence: str,
) -> None:
    values = order(clinic, **{"repeats": "", **changes})
    answer = send(provider, visit, values, "record")
    assert (answer.status_code, sentence in answer.text, stored(app, Consult)) == (422, True, [])
    assert "reason" in changes or 'value="new zones each time"' in answer.text


@pytest.mark.parametrize(
    "row",
    [
        {"sessions-0-minutes": "44"},
        {"sessions-0-minutes": "-5"},
        {"sessions-1-floor": "20", "sessions-1-target": "14"},
        {"sessions-1-soft_max": "366"},
        {"sessions-1-floor": "soon"},
        {"sessions-1-floor": ""},
    ],
)
def test_a_row_that_cannot_be_is_refused(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str, row: dict[str, str]
) -> None:
    drawn = f"{clinic.two_weeks}|3|45|left_knee,left_calf,right_calf"
    rows = {
        f"sessions-{number}-{name}": value
        for number in range(3)
        for name, value in (("minutes", "45"), ("floor", "7"), ("target", "14"), ("soft_max", "21"))
    }
    values = order(clinic, drawn_for=drawn, **{**rows, **row})
    answer = send(provider, visit, values, "record")
    assert (answer.status_code, stored(app, Course)) == (422, [])


def test_another_outcome_needs_no_order(provider: FlaskClient, app: Flask, visit: str) -> None:
    until = hours.day_of(clock.now(), factories.ZONE) + timedelta(days=90)
    values = {**CLEAR, "outcome": "not_now", "not_until": until.isoformat(), "count": "nonsense"}
    answer = send(provider, visit, values, "record")
    row = stored(app, Consult)[0]
    assert (answer.location.startswith("/patients/"), row.outcome, row.not_until) == (
        True,
        "not_now",
        until,
    )


def test_the_desk_may_not_open_it_and_a_manager_reads_it_without_the_answers(
    provider: FlaskClient,
    sign_in: Callable[..., FlaskClient],
    app: Flask,
    clinic: SmallClinic,
    visit: str,
) -> None:
    values = order(clinic, had_clots="yes") | {"decision-screening.clots": "long ago"}
    send(provider, visit, values, "record")
    manager = sign_in("manager").get(visit)
    assert (
        sign_in("receptionist").get(visit).status_code,
        manager.status_code,
        "2 weeks apart" in manager.text,
        "clots" in manager.text.lower(),
        stored(app, Screening)[0].had_clots,
    ) == (403, 200, True, False, True)


def test_the_desk_sees_from_when_and_not_why(
    provider: FlaskClient, sign_in: Callable[..., FlaskClient], clinic: SmallClinic, visit: str
) -> None:
    ended = hours.day_of(clock.now(), factories.ZONE) - timedelta(days=30)
    location = send(
        provider, visit, order(clinic, pregnancy_ended_on=ended.isoformat()), "record"
    ).location
    desk = sign_in("receptionist")
    patient = re.search(r'href="(/patients/[\w-]{16})"', desk.get(location).text)
    assert patient
    html = desk.get(patient[1]).text
    eligible = _label(hours.add_months(ended, 3))
    assert (f"eligible from {eligible}" in html, "pregnan" in html.lower()) == (True, False)


def test_a_record_can_be_opened_again_and_corrected(
    provider: FlaskClient, app: Flask, clinic: SmallClinic, visit: str
) -> None:
    send(provider, visit, order(clinic), "record")
    html = provider.get(visit).text
    assert 'value="new zones each time"' in html
    send(provider, visit, order(clinic, reason="looked again", count="2"), "record")
    course = stored(app, Course)
    assert [(row.interval_reason) for row in course] == ["looked again"]
    assert len(stored(app, CourseSession)) == 2


def test_a_consult_of_nobody_is_not_found(provider: FlaskClient) -> None:
    assert provider.get("/appointments/nobody/consult").status_code == 404


def _label(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
