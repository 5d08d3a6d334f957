"""The pages under Settings: what a manager types is stored, kept when it cannot be, and shown again."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner.db.engine import db
from planner.db.models import Absence, ProviderHours, RoomService, Site, SiteHours, User
from tests import factories
from tests.factories import SmallClinic
from tests.web.conftest import csrf_of

SignIn = Callable[..., FlaskClient]


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager's browser, and the database behind it."""

    browser: FlaskClient
    app: Flask
    clinic: SmallClinic

    def see(self, url: str) -> str:
        answer = self.browser.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        return answer.text

    def send(self, url: str, data: dict[str, Any], *, of: str = "") -> TestResponse:
        token = csrf_of(self.see(of or url))
        return self.browser.post(url, data={"csrf_token": token, **data})

    def stored(self, kind: type[Any], *conditions: Any) -> list[Any]:
        with self.app.app_context(), Session(db.engine) as session:
            return list(session.scalars(sa.select(kind).where(*conditions)))

    def add(self, factory: Callable[..., Any], *args: Any, **columns: Any) -> Any:
        with self.app.app_context(), Session(db.engine) as session:
            result = factory(session, *args, **columns)
            session.commit()
            return result


@pytest.fixture
def manager(app: Flask, sign_in: SignIn, clinic: SmallClinic) -> Manager:
    return Manager(sign_in("manager"), app, clinic)


def words(page: str) -> str:
    """Return what a page says, without its markup."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def version_in(page: str) -> str:
    found = re.search(r'name="version"[^>]*value="(\d+)"', page)
    assert found, "the page has no version"
    return found[1]


PAGES = (
    "/settings/",
    "/settings/clinic",
    "/settings/texts",
    "/settings/sites",
    "/settings/sites/new",
    "/settings/sites/{miami}",
    "/settings/sites/{miami}/hours",
    "/settings/sites/{miami}/closures",
    "/settings/sites/{miami}/closures?year=2028",
    "/settings/sites/{miami}/rooms",
    "/settings/sites/{miami}/rooms/new",
    "/settings/rooms/{miami_1}",
    "/settings/rooms/{miami_1}/outages",
    "/settings/room/{miami_1}/retire",
    "/settings/site/{miami}/retire",
    "/settings/provider/{md}/retire",
    "/settings/service/{consult}/retire",
    "/settings/providers",
    "/settings/providers/new",
    "/settings/providers/{md}",
    "/settings/providers/{md}/hours",
    "/settings/providers/{md}/hours/{aventura}",
    "/settings/providers/{md}/services",
    "/settings/providers/{md}/absences",
    "/settings/services",
    "/settings/services/new",
    "/settings/services/{sclerotherapy}",
    "/settings/protocols",
    "/settings/protocols/new",
    "/settings/protocols/{two_weeks}",
    "/settings/rules",
    "/settings/rules/gap.new_zones",
    "/settings/rules/gap.below_floor",
    "/settings/rules/course.gap_mode",
    "/settings/rules/dose.max_ml",
    "/settings/rules/session.minutes_range",
    "/settings/rules/screening.clots",
    "/settings/rules/room.turnover_minutes",
    "/settings/users",
    "/settings/users/new",
    "/settings/users/{receptionist}",
    "/settings/users/{receptionist}/password",
)


def address(pattern: str, clinic: SmallClinic) -> str:
    names = re.findall(r"{(\w+)}", pattern)
    return pattern.format(**{name: getattr(clinic, name) for name in names})


@pytest.mark.parametrize("pattern", PAGES)
def test_a_manager_sees_every_page(manager: Manager, pattern: str) -> None:
    assert "<h1" in manager.see(address(pattern, manager.clinic))


@pytest.mark.parametrize("role", ["receptionist", "provider"])
def test_nobody_else_sees_any(sign_in: SignIn, clinic: SmallClinic, role: str) -> None:
    browser = sign_in(role)
    answers = {browser.get(address(pattern, clinic)).status_code for pattern in PAGES}
    assert answers == {403}


@pytest.mark.parametrize(
    "url",
    [
        "/settings/sites/999",
        "/settings/sites/999/hours",
        "/settings/rooms/999",
        "/settings/providers/999/services",
        "/settings/rules/no.such.rule",
        "/settings/texts/nothing/en",
        "/settings/users/999",
        "/settings/planet/1/retire",
        "/settings/protocol/1/retire",
    ],
)
def test_what_is_not_there_is_not_found(manager: Manager, url: str) -> None:
    assert manager.browser.get(url).status_code == 404


HUGE = "x" * 10_000
SITE = {
    "name": "Kendall",
    "address": "1 Main St",
    "phone": "(305) 555-0100",
    "colour": "teal",
    "zone": "America/New_York",
    "grid_minutes": "15",
    "position": "0",
}
SERVICE = {
    "code": "VEIN",
    "name": "Vein mapping",
    "kind": "other",
    "minutes": "30",
    "walk_minutes": "0",
    "colour": "green",
    "position": "0",
}
PROTOCOL = {
    "name": "4 × 3 weeks",
    "sessions": "4",
    "minutes": "45",
    "zones": "new",
    "gap_floor": "14",
    "gap_target": "21",
    "gap_soft_max": "28",
    "position": "0",
    "is_active": "y",
}
HOURS = {
    "rows-0-weekday": "0",
    "rows-0-kind": "work",
    "rows-0-starts": "09:00",
    "rows-0-ends": "18:00",
}
ABSENCE = {"from_date": "2027-06-01", "until_date": "2027-06-03"}
RULE = {"number": "15", "scope": "clinic", "severity": "info", "effective_from": "2099-01-01"}
USER = {
    "name": "Rosa",
    "email": "rosa@example.com",
    "role": "receptionist",
    "language": "en",
    "provider_id": "0",
    "site_id": "0",
    "password": "seven green umbrellas at noon",
}
CLINIC = {
    "name": "Glamour",
    "phone": "(305) 555-0100",
    "colour": "#0f766e",
    "languages": ["en", "es"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Silly:
    """Something that cannot be: where it is typed, and what is said."""

    url: str
    sound: dict[str, Any]
    typed: dict[str, Any]
    said: str
    kept: str = ""


SILLY = (
    Silly(url="sites/new", sound=SITE, typed={"name": ""}, said="Please fill this in."),
    Silly(url="sites/new", sound=SITE, typed={"name": "   "}, said="Please fill this in."),
    Silly(url="sites/new", sound=SITE, typed={"name": HUGE}, said="At most 80 characters"),
    Silly(url="sites/new", sound=SITE, typed={"name": "Mia\x07mi"}, said="cannot be printed"),
    Silly(url="sites/new", sound=SITE, typed={"name": "Miami"}, said="Another one already has"),
    Silly(url="sites/new", sound=SITE, typed={"phone": "call us"}, said="seven digits"),
    Silly(url="sites/new", sound=SITE, typed={"zone": "Mars/Olympus"}, said="no such time zone"),
    Silly(url="sites/new", sound=SITE, typed={"zone": "../../etc"}, said="no such time zone"),
    Silly(url="sites/new", sound=SITE, typed={"grid_minutes": "7"}, said="choose from the list"),
    Silly(url="sites/new", sound=SITE, typed={"grid_minutes": "x"}, said="choose from the list"),
    Silly(url="sites/new", sound=SITE, typed={"colour": "url(x)"}, said="one of the colours"),
    Silly(url="sites/new", sound=SITE, typed={"position": "1e3"}, said="not a whole number"),
    Silly(url="sites/new", sound=SITE, typed={"position": "9" * 9999}, said="whole number"),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-0-starts": "25:00"},
        said="“25:00” is not a time of day",
        kept="25:00",
    ),
    Silly(
        url="sites/{miami}/hours", sound=HOURS, typed={"rows-0-ends": "08:00"}, said="ends before"
    ),
    Silly(url="sites/{miami}/hours", sound=HOURS, typed={"rows-0-ends": ""}, said="give a time"),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-0-starts": "09:07"},
        said="five minutes",
    ),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-0-valid_from": "2027-02-30"},
        said="“2027-02-30” is not a date",
        kept="2027-02-30",
    ),
    Silly(
        url="sites/{miami}/hours", sound=HOURS, typed={"rows-0-weekday": "9"}, said="Not a valid"
    ),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-1-weekday": "0", "rows-1-starts": "12:00", "rows-1-ends": "20:00"},
        said="overlaps another",
        kept="20:00",
    ),
    Silly(
        url="providers/{md}/hours/{miami}",
        sound=HOURS,
        typed={"rows-0-kind": "nap"},
        said="Not a valid",
    ),
    Silly(
        url="providers/{md}/hours/{miami}",
        sound=HOURS,
        typed={"rows-0-valid_from": "2027-05-01", "rows-0-valid_until": "2027-04-01"},
        said="The last day lies before the first.",
    ),
    Silly(url="sites/{miami}/closures", sound=ABSENCE, typed={"from_date": ""}, said="give a date"),
    Silly(
        url="sites/{miami}/closures",
        sound=ABSENCE,
        typed={"until_date": "2027-05-01"},
        said="The last day lies before the first.",
    ),
    Silly(
        url="providers/{md}/absences",
        sound=ABSENCE,
        typed={"from_date": "0001-01-01"},
        said="between 2000 and 2199",
    ),
    Silly(
        url="providers/{md}/absences",
        sound=ABSENCE,
        typed={"starts": "09:00"},
        said="both times, or neither",
    ),
    Silly(
        url="rooms/{miami_1}/outages",
        sound=ABSENCE,
        typed={"starts": "12:00", "ends": "11:00"},
        said="ends before it starts",
    ),
    Silly(
        url="rooms/{miami_1}/outages",
        sound=ABSENCE,
        typed={"reason": HUGE},
        said="At most 200 characters",
    ),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": "-5"}, said="from 5 to 480"),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": "47"}, said="multiple of 5"),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": ""}, said="fill this in"),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": " "}, said="whole number"),
    Silly(
        url="services/new",
        sound=SERVICE,
        typed={"minutes_choices": "30, many"},
        said="numbers with commas",
        kept="30, many",
    ),
    Silly(url="services/new", sound=SERVICE, typed={"minutes_choices": "31"}, said="five minutes"),
    Silly(url="services/new", sound=SERVICE, typed={"kind": "surgery"}, said="Not a valid choice"),
    Silly(url="services/new", sound=SERVICE, typed={"code": "CONSULT"}, said="already has this"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"sessions": "0"}, said="from 1 to 12"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"sessions": "13"}, said="from 1 to 12"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"gap_floor": "22"}, said="lies below “not"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"gap_soft_max": "366"}, said="1 to 365"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"gap_target": "two"}, said="whole number"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"service_id": "999"}, said="from the list"),
    Silly(
        url="rules/room.turnover_minutes", sound=RULE, typed={"number": "-1"}, said="from 0 to 120"
    ),
    Silly(
        url="rules/room.turnover_minutes",
        sound=RULE,
        typed={"effective_from": "2020-01-01"},
        said="from today on",
    ),
    Silly(
        url="rules/room.turnover_minutes",
        sound=RULE,
        typed={"scope": "site:999"},
        said="choose from the list",
    ),
    Silly(
        url="rules/gap.new_zones",
        sound={**RULE, "part_floor": "7", "part_target": "14", "part_soft_max": "21"},
        typed={"part_floor": "15"},
        said="rise from left to right",
    ),
    Silly(url="clinic", sound=CLINIC, typed={"email": "nobody"}, said="not a mail address"),
    Silly(url="clinic", sound=CLINIC, typed={"languages": []}, said="at least one language"),
    Silly(url="clinic", sound=CLINIC, typed={"colour": "#12"}, said="one of the colours"),
    Silly(url="users/new", sound=USER, typed={"password": "short"}, said="at least 15"),
    Silly(url="users/new", sound=USER, typed={"email": "a b@c.d"}, said="not a mail address"),
    Silly(url="users/new", sound=USER, typed={"email": "manager@example.com"}, said="already has"),
    Silly(url="users/new", sound=USER, typed={"role": "provider"}, said="which provider"),
    Silly(url="users/new", sound=USER, typed={"role": "owner"}, said="Not a valid choice"),
    Silly(
        url="users/{receptionist}/password",
        sound={},
        typed={"password": "seven green umbrellas", "again": "seven red umbrellas"},
        said="do not agree",
    ),
    Silly(
        url="site/{miami}/retire",
        sound={},
        typed={"retired_from": "2027-13-01"},
        said="“2027-13-01” is not a date",
        kept="2027-13-01",
    ),
)


@pytest.mark.parametrize("url", dict.fromkeys(silly.url for silly in SILLY))
def test_what_cannot_be_is_answered_with_a_sentence_and_kept(manager: Manager, url: str) -> None:
    tried = [silly for silly in SILLY if silly.url == url]
    assert {str(silly.typed): answer_to(silly, manager) for silly in tried} == {
        str(silly.typed): (422, silly.said, silly.kept) for silly in tried
    }


def answer_to(silly: Silly, manager: Manager) -> tuple[int, str, str]:
    url = address(f"/settings/{silly.url}", manager.clinic)
    version = {"version": found[1]} if (found := re.search(VERSION, manager.see(url))) else {}
    answer = manager.send(url, {**version, **silly.sound, **silly.typed})
    said, page = words(answer.text), html.unescape(answer.text)
    return (
        answer.status_code,
        silly.said if silly.said in said else said,
        silly.kept if silly.kept in page else "lost",
    )


VERSION = r'name="version"[^>]*value="(\d+)"'


def test_a_site_is_added_and_leads_to_its_hours(manager: Manager) -> None:
    answer = manager.send("/settings/sites/new", SITE)
    (site,) = manager.stored(Site, Site.name == "Kendall")
    assert (answer.status_code, answer.location) == (302, f"/settings/sites/{site.id}/hours")


def test_a_right_to_left_name_is_kept_as_typed(manager: Manager) -> None:
    name = "\u0645\u0631\u0641\u0623 \u200fMiami \U0001f334"
    manager.send("/settings/sites/new", {**SITE, "name": name})
    assert [site.name for site in manager.stored(Site, Site.name == name)] == [name]


def test_hours_are_saved_row_by_row_and_blank_rows_are_none(manager: Manager) -> None:
    url = f"/settings/sites/{manager.clinic.miami}/hours"
    blank = {"rows-1-weekday": "3", "rows-1-starts": "", "rows-1-ends": ""}
    answer = manager.send(url, {**HOURS, **blank, "version": "1", "step": "save"})
    stored = manager.stored(SiteHours, SiteHours.site_id == manager.clinic.miami)
    assert (answer.status_code, [(h.weekday, h.opens.hour, h.closes.hour) for h in stored]) == (
        302,
        [(0, 9, 18)],
    )


def test_monday_is_copied_to_friday_and_nothing_is_saved_yet(manager: Manager) -> None:
    url = f"/settings/providers/{manager.clinic.md}/hours/{manager.clinic.miami}"
    before = len(manager.stored(ProviderHours))
    lunch = {
        "rows-1-weekday": "0",
        "rows-1-kind": "break",
        "rows-1-starts": "12:00",
        "rows-1-ends": "12:45",
    }
    answer = manager.send(url, {**HOURS, **lunch, "version": "1", "step": "monday"})
    assert (
        answer.status_code,
        answer.text.count('value="12:45"'),
        len(manager.stored(ProviderHours)),
    ) == (200, 5, before)


def test_more_rows_keep_even_what_cannot_be(manager: Manager) -> None:
    url = f"/settings/sites/{manager.clinic.miami}/hours"
    typed = {**HOURS, "rows-0-starts": "25:00", "version": "1", "step": "more"}
    answer = manager.send(url, typed)
    rows = len(re.findall(r'name="rows-\d+-starts"', answer.text))
    assert (answer.status_code, "25:00" in answer.text, rows) == (200, True, 4)


def test_a_stale_form_keeps_what_was_typed_and_saves_on_the_second_try(manager: Manager) -> None:
    url = f"/settings/sites/{manager.clinic.miami}"
    version = version_in(manager.see(url))
    mine = {**SITE, "name": "Miami Beach", "version": version}
    manager.send(url, {**SITE, "name": "Downtown", "version": version})
    refused = manager.send(url, mine)
    again = manager.send(url, {**mine, "version": version_in(refused.text)})
    said = words(refused.text)
    assert (
        refused.status_code,
        "Stored meanwhile: Downtown" in said,
        'value="Miami Beach"' in refused.text,
        again.status_code,
    ) == (409, True, True, 302)


def test_ticks_in_a_stale_matrix_are_kept(manager: Manager) -> None:
    url = f"/settings/sites/{manager.clinic.miami}/rooms"
    room = manager.clinic.miami_1
    answer = manager.send(url, {f"room-{room}": [manager.clinic.consult], f"version-{room}": "99"})
    assert (answer.status_code, "Your ticks are still here" in answer.text) == (409, True)


def test_the_matrix_of_rooms_is_saved_as_ticked(manager: Manager) -> None:
    url = f"/settings/sites/{manager.clinic.miami}/rooms"
    page = manager.see(url)
    versions = dict(re.findall(r'name="(version-\d+)" value="(\d+)"', page))
    room = manager.clinic.miami_1
    answer = manager.send(url, {**versions, f"room-{room}": [str(manager.clinic.consult)]})
    stored = manager.stored(RoomService, RoomService.room_id == room)
    assert (answer.status_code, [pair.service_id for pair in stored]) == (
        302,
        [manager.clinic.consult],
    )


def test_an_absence_lists_the_appointments_that_have_to_move(manager: Manager) -> None:
    day = next_weekday(manager.clinic.today, 2)
    patient = manager.add(factories.patient, given_name="Zoraida")
    manager.add(factories.appointment, manager.clinic, patient, day=day)
    url = f"/settings/providers/{manager.clinic.md}/absences"
    answer = manager.send(url, {"from_date": day.isoformat(), "reason": "ill"})
    page = words(manager.see(url))
    assert (
        answer.status_code,
        len(manager.stored(Absence)),
        "One appointment has to move" in page,
        "Zoraida" in page,
    ) == (302, 1, True, True)


def test_an_absence_of_some_hours_displaces_only_what_lies_in_them(manager: Manager) -> None:
    day = next_weekday(manager.clinic.today, 2)
    patient = manager.add(factories.patient, given_name="Zoraida")
    manager.add(factories.appointment, manager.clinic, patient, day=day, hour=10)
    url = f"/settings/providers/{manager.clinic.md}/absences"
    hours = {"starts": "14:00", "ends": "16:00"}
    manager.send(url, {"from_date": day.isoformat(), **hours})
    assert "Nothing booked" in words(manager.see(url))


def test_ticked_holidays_close_the_ticked_sites(manager: Manager) -> None:
    page = f"/settings/sites/{manager.clinic.miami}/closures?year=2099"
    url = f"/settings/sites/{manager.clinic.miami}/holidays"
    ticked = {
        "year": "2099",
        "days": ["2099-11-26 thanksgiving", "2099-12-25 christmas"],
        "sites": [str(manager.clinic.miami), str(manager.clinic.aventura)],
    }
    answer = manager.send(url, ticked, of=page)
    stored = {(a.site_id, a.from_date, a.reason) for a in manager.stored(Absence)}
    both = (manager.clinic.miami, manager.clinic.aventura)
    assert (answer.status_code, stored) == (
        302,
        {(site, date(2099, 11, 26), "Thanksgiving") for site in both}
        | {(site, date(2099, 12, 25), "Christmas Day") for site in both},
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"days": []}, "Please fill this in."),
        ({"days": ["2027-02-30 christmas"]}, "choose from the list"),
        ({"days": ["2027-12-25 my-birthday"]}, "choose from the list"),
        ({"days": ["2027-12-25 christmas"], "sites": []}, "Please fill this in."),
    ],
)
def test_holidays_that_cannot_be_are_answered_with_a_sentence(
    manager: Manager, typed: dict[str, Any], said: str
) -> None:
    page = f"/settings/sites/{manager.clinic.miami}/closures"
    url = f"/settings/sites/{manager.clinic.miami}/holidays"
    sound = {"sites": [str(manager.clinic.miami)]}
    answer = manager.send(url, {**sound, **typed}, of=page)
    assert (answer.status_code, said in words(answer.text)) == (422, True)


def test_retiring_lists_what_is_booked_from_then_on(manager: Manager) -> None:
    day = next_weekday(manager.clinic.today, 2)
    patient = manager.add(factories.patient, given_name="Zoraida")
    manager.add(factories.appointment, manager.clinic, patient, day=day)
    url = f"/settings/provider/{manager.clinic.md}/retire"
    from_day = (day - timedelta(days=1)).isoformat()
    answer = manager.send(url, {"retired_from": from_day, "version": "1"})
    assert (answer.status_code, "Zoraida" in manager.see(url)) == (302, True)


def test_a_rule_shows_what_is_booked_against_it_and_changes_nothing(manager: Manager) -> None:
    day = next_weekday(manager.clinic.today, 2)
    patient = manager.add(factories.patient, given_name="Zoraida", birth_date=date(1980, 5, 17))
    manager.add(factories.consult_done, manager.clinic, patient, on=manager.clinic.today)
    manager.add(
        factories.appointment,
        manager.clinic,
        patient,
        day=day,
        service_id=manager.clinic.sclerotherapy,
        provider_id=manager.clinic.pa,
        room_id=manager.clinic.miami_1,
    )
    url = "/settings/rules/session.minutes_range"
    tighter = {"part_from": "50", "part_to": "60", "severity": "warn", "scope": "clinic"}
    before = "Zoraida" in manager.see(url)
    tomorrow = (manager.clinic.today + timedelta(days=1)).isoformat()
    answer = manager.send(url, {**tighter, "effective_from": tomorrow})
    assert (before, answer.status_code, "Zoraida" in manager.see(url)) == (False, 302, True)


def test_a_manager_cannot_put_themselves_out(manager: Manager) -> None:
    url = f"/settings/users/{manager.clinic.manager}"
    me = {
        "name": "Me",
        "email": "manager@example.com",
        "role": "receptionist",
        "language": "en",
        "provider_id": "0",
        "site_id": "0",
        "is_active": "y",
        "version": version_in(manager.see(url)),
    }
    answer = manager.send(url, me)
    (stored,) = manager.stored(User, User.id == manager.clinic.manager)
    assert (answer.status_code, "your own rights" in words(answer.text), stored.role) == (
        422,
        True,
        "manager",
    )


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that the application sends to its database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("url", ["sites", "providers", "services", "protocols", "users", ""])
def test_a_list_takes_as_many_statements_for_three_more_rows(manager: Manager, url: str) -> None:
    def statements() -> int:
        manager.see(f"/settings/{url}")
        with counted(manager.app) as seen:
            manager.see(f"/settings/{url}")
        return len(seen)

    before = statements()
    for number in range(3):
        manager.send("/settings/sites/new", {**SITE, "name": f"Site {number}"})
        name, code = f"Service {number}", f"S{number}"
        manager.send("/settings/services/new", {**SERVICE, "name": name, "code": code})
        manager.send("/settings/providers/new", {"name": name, "colour": "red", "position": "0"})
        manager.send("/settings/users/new", {**USER, "email": f"u{number}@example.com"})
    assert statements() == before


def next_weekday(after: date, weekday: int) -> date:
    """Return the first such weekday at least two days later."""
    start = after + timedelta(days=2)
    return start + timedelta(days=(weekday - start.weekday()) % 7)
