"""The pages under Settings: what a manager types is stored, kept when it cannot be, and shown again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from planner.db.engine import db
from planner.db.models import Absence, ProviderHours, RoomService, Site, SiteHours, User
from tests import factories
from tests.factories import SmallClinic
from tests.web.managing import (
    HOURS,
    SERVICE,
    SITE,
    USER,
    Manager,
    SignIn,
    address,
    manager,
    version_in,
    words,
)

__all__ = ["manager"]


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
