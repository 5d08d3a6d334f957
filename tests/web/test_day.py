"""The day page and My day: what stands where, how much it asks of the database, and when it is the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from planner.db.engine import db
from planner.db.models import Clinic
from planner.queries import day
from tests import factories
from tests.factories import SmallClinic, at
from tests.web.conftest import TOKEN, csrf_of

TODAY = date(2027, 3, 3)  # a Wednesday
NOW = at(TODAY, 10, 22)


@pytest.fixture
def today() -> date:
    return date(2027, 3, 1)


@pytest.fixture(autouse=True)
def clock_stands() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as moment:
        yield moment


@pytest.fixture
def desk(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("receptionist")


@pytest.fixture
def visit(given: Callable[..., int], clinic: SmallClinic) -> Callable[..., int]:
    """Add a visit of a new patient today."""

    def add(name: str = "Lopez", **columns: Any) -> int:
        patient_id = given(factories.patient, family_name=name)
        return given(factories.appointment, clinic, patient_id, **{"day": TODAY, **columns})

    return add


def card(html: str, name: str) -> str:
    """Return the card on which a patient's name stands."""
    return next(part for part in html.split('<li class="appt')[1:] if name in part)


def statements(app: Flask, work: Callable[[], object]) -> int:
    seen: list[str] = []
    with app.app_context():
        listen = lambda *args: seen.append(args[2])  # noqa: E731  SQLAlchemy keeps the function
        sa.event.listen(db.engine, "before_cursor_execute", listen)
        work()
        sa.event.remove(db.engine, "before_cursor_execute", listen)
    return len([text for text in seen if text.lstrip().upper().startswith(("SELECT", "WITH"))])


@pytest.mark.parametrize("count", [1, 30])
def test_the_day_takes_three_statements_whatever_the_number_of_rows(
    app: Flask, clinic: SmallClinic, given: Callable[..., int], count: int
) -> None:
    actors = [
        (clinic.pa, clinic.miami_1),
        (clinic.np_miami, clinic.miami_2),
        (clinic.md, clinic.miami_3),
    ]
    for number in range(count):
        patient_id = given(factories.patient)
        numbers = given(factories.course_sessions, given(factories.course, clinic, patient_id))
        provider_id, room_id = actors[number % 3]
        given(
            factories.appointment, clinic, patient_id, day=TODAY, minutes=5,
            hour=9 + number // 12, minute=number // 3 * 15 % 60,
            provider_id=provider_id, room_id=room_id,
            course_session_id=numbers[1],  # type: ignore[index]  # a mapping by number
        )  # fmt: skip

    def work() -> None:
        page = day.page(TODAY, clinic.miami, is_all=False, by="provider", locale="en", now=NOW)
        assert len(page.items) == count

    statements(app, work)  # what a process keeps of the set-up is kept by then
    assert statements(app, work) == 3


def test_an_unchanged_day_takes_one_statement(desk: FlaskClient, visit: Callable[..., int]) -> None:
    visit()
    tag = desk.get("/day").headers["ETag"]
    again = lambda: desk.get("/day", headers={"If-None-Match": tag})  # noqa: E731  counted below
    assert statements(desk.application, again) == 1


def test_what_a_process_keeps_of_a_day_goes_with_a_change_of_the_set_up(
    desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    before = desk.get("/day").text

    def away(session: sa.orm.Session) -> int:
        found = factories.absence(session, provider_id=clinic.pa, on=TODAY, reason="Training")
        factories.bump(session)
        return found

    given(away)
    assert ("Training" in before, "Training" in desk.get("/day").text) == (False, True)


def test_a_card_says_time_status_name_service_and_session_of_its_course(
    desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient, family_name="Rivas", language="es")
    numbers = given(factories.course_sessions, given(factories.course, clinic, patient_id))
    for number, when, status in ((1, date(2027, 2, 17), "fulfilled"), (2, TODAY, "booked")):
        given(
            factories.appointment, clinic, patient_id, day=when, hour=14,
            course_session_id=numbers[number], status=status,  # type: ignore[index]  # a mapping by number
        )  # fmt: skip
    text = re.sub(r"<[^>]+>", " ", card(desk.get("/day").text, "Rivas"))
    words = " ".join(text.split())
    assert "2:00 –2:45 Booked Maria Rivas ES" in words
    assert "Sclerotherapy 2/3" in words


def test_the_ruler_on_the_card_says_the_gap(
    desk: FlaskClient, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient, family_name="Rivas")
    numbers = given(factories.course_sessions, given(factories.course, clinic, patient_id))
    for number, when, status in ((1, date(2027, 2, 17), "fulfilled"), (2, TODAY, "booked")):
        given(
            factories.appointment, clinic, patient_id, day=when, hour=14,
            course_session_id=numbers[number], status=status,  # type: ignore[index]  # a mapping by number
        )  # fmt: skip
    said = "14 days after session 1 (target 14, not before 7, late after 21)"
    assert f'aria-label="{said}"' in card(desk.get("/day").text, "Rivas")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"hour": 10}, "late 22 min"),
        ({"hour": 10, "status": "arrived", "arrived_at": at(TODAY, 10, 10)}, "waits 12 min"),
        ({"hour": 14, "confirmed_at": NOW}, "Confirmed"),
        ({"hour": 14, "status": "held", "expires_at": at(TODAY, 18)}, "Held"),
        ({"hour": 9, "status": "no_show"}, "No-show"),
    ],
)
def test_the_status_is_said_in_words(
    desk: FlaskClient, visit: Callable[..., int], columns: dict[str, Any], words: str
) -> None:
    visit("Rivas", **columns)
    assert words in card(desk.get("/day").text, "Rivas")


@pytest.mark.parametrize("status", ["cancelled", "released"])
def test_what_was_called_off_has_left_the_day(
    desk: FlaskClient, visit: Callable[..., int], status: str
) -> None:
    visit("Rivas", status=status)
    assert "Rivas" not in desk.get("/day").text


def test_by_room_the_columns_are_the_rooms_of_the_site(
    desk: FlaskClient, clinic: SmallClinic
) -> None:
    html = desk.get(f"/day?site={clinic.aventura}&by=room").text
    columns = re.findall(r'id="column-[\w-]+">(?:<span.*?</span> )?<bdi>([^<]+)</bdi>', html)
    assert columns == ["Consult", "Treatment 1", "Treatment 2", "Flexible"]


def test_all_sites_stand_side_by_side(
    desk: FlaskClient, visit: Callable[..., int], clinic: SmallClinic
) -> None:
    visit("Miami-Patient")
    visit(
        "Aventura-Patient", site_id=clinic.aventura, provider_id=clinic.np_aventura,
        room_id=clinic.aventura_consult,
    )  # fmt: skip
    html = desk.get("/day?site=all").text
    assert all(f"{site}-Patient" in html for site in ("Miami", "Aventura"))


def test_closures_breaks_and_absences_are_bands_with_their_reasons(
    app: Flask, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    given(factories.absence, provider_id=clinic.pa, on=TODAY, reason="Training")
    with app.app_context():
        page = day.page(TODAY, clinic.miami, is_all=False, by="provider", locale="en", now=NOW)
    assert page.board is not None
    column = next(c for c in page.board.columns if c.id.startswith(f"provider-{clinic.pa}-"))
    bands = [(band.kind, band.label, band.start_minute, band.end_minute) for band in column.closed]
    assert bands == [("absence", "Training", 9 * 60, 18 * 60)]


@pytest.mark.parametrize("text", ["2027-02-30", "tomorrow", "9999-12-31", "0001-01-01", "x" * 500])
def test_a_date_that_is_none_shows_today_and_says_so(desk: FlaskClient, text: str) -> None:
    answer = desk.get("/day", query_string={"date": text})
    said = ("There is no such date" in answer.text, "Wednesday 3 March 2027" in answer.text)
    assert (answer.status_code, said) == (200, (True, True))


@pytest.mark.parametrize("day_", ["2027-03-14", "2027-11-07", "2028-02-29"])
def test_the_days_on_which_clocks_change_and_leap_days_are_days_like_others(
    desk: FlaskClient, day_: str
) -> None:
    assert desk.get(f"/day?site=all&date={day_}").status_code == 200


def test_an_unchanged_day_is_not_sent_again(desk: FlaskClient, visit: Callable[..., int]) -> None:
    visit()
    first = desk.get("/day")
    again = desk.get("/day", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_within_a_minute_a_day_looks_the_same(
    desk: FlaskClient, visit: Callable[..., int], clock_stands: time_machine.Traveller
) -> None:
    visit("Waits", status="arrived", arrived_at=NOW - timedelta(minutes=12, seconds=-20))
    visit("Held", hour=14, status="reserved", expires_at=NOW + timedelta(seconds=30))
    first = desk.get("/day")
    clock_stands.shift(timedelta(seconds=59))
    then = desk.get("/day")
    said = [TOKEN.sub("", answer.text) for answer in (first, then)]
    assert (then.headers["ETag"], said[1]) == (first.headers["ETag"], said[0])


def test_a_reservation_that_has_run_out_leaves_the_day_with_the_next_minute(
    desk: FlaskClient, visit: Callable[..., int], clock_stands: time_machine.Traveller
) -> None:
    visit("Held", hour=14, status="reserved", expires_at=NOW + timedelta(seconds=30))
    tag = desk.get("/day").headers["ETag"]
    clock_stands.shift(timedelta(seconds=60))
    answer = desk.get("/day", headers={"If-None-Match": tag})
    assert (answer.status_code, "Held" in answer.text) == (200, False)


@pytest.mark.parametrize(
    "reason",
    [
        "a booking", "a minute", "another user", "another page", "the theme", "the language",
        "the name of the clinic", "a message",
    ],
)  # fmt: skip
def test_a_day_that_differs_is_sent_again(
    desk: FlaskClient,
    visit: Callable[..., int],
    sign_in: Callable[..., FlaskClient],
    clock_stands: time_machine.Traveller,
    reason: str,
) -> None:
    tag = desk.get("/day").headers["ETag"]
    browser, address = desk, "/day"
    if reason == "a booking":
        visit()
        with desk.application.app_context(), sa.orm.Session(db.engine) as session:
            factories.bump(session)
            session.commit()
    elif reason == "a minute":
        clock_stands.shift(timedelta(minutes=1))
    elif reason == "another user":
        browser = sign_in("manager")
    elif reason == "the theme":
        desk.set_cookie("theme", "dark")
    elif reason == "the language":
        desk.post(
            "/language", data={"csrf_token": csrf_of(desk.get("/day").text), "language": "es"}
        )
    elif reason == "the name of the clinic":
        with desk.application.app_context(), sa.orm.Session(db.engine) as session:
            session.scalars(sa.select(Clinic)).one().name = "Renamed"
            session.commit()
    elif reason == "a message":
        with desk.session_transaction() as contents:
            contents["_flashes"] = [("info", "Something was said")]
    else:
        address = "/day?by=room"
    assert browser.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_provider_starts_on_the_own_day_and_sees_only_that(
    sign_in: Callable[..., FlaskClient], visit: Callable[..., int], clinic: SmallClinic
) -> None:
    visit("Mine", provider_id=clinic.md)
    visit("Other", provider_id=clinic.pa, room_id=clinic.miami_flex, hour=14)
    provider = sign_in("provider")
    home = provider.get("/")
    html = provider.get(home.location).text
    assert (home.location, "Mine" in html, "Other" in html) == ("/my-day", True, False)


def test_my_day_without_a_provider_says_what_to_do(desk: FlaskClient) -> None:
    assert "Your sign-in belongs to no provider" in desk.get("/my-day").text


def test_the_desk_starts_on_the_day(desk: FlaskClient) -> None:
    assert desk.get("/").location == "/day"


def test_an_empty_day_says_so(desk: FlaskClient) -> None:
    sunday = desk.get("/day?date=2027-03-07").text
    assert "Nobody works here on this day" in sunday


def test_a_site_that_is_none_is_said_and_another_is_named(desk: FlaskClient) -> None:
    said = [
        "There is no such site. This is Miami." in desk.get(f"/day?site={site}").text
        for site in ("9999", "miami", "1", "all", "")
    ]
    assert said == [True, True, False, False, False]
