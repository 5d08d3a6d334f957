"""Whose is it: what belongs to somebody else is neither shown nor changed, whoever knows its address."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner.db.engine import db
from planner.db.models import AuditRow, Change, Consent, DateToAvoid, Decision, PatientLink
from tests.hostile import crawl
from tests.hostile.test_looking import LOOKED_AT
from tests.hostile.values import VALUES
from tests.hostile.world import OTHER_TOKEN, PAGE_TOKEN, PATIENT, World, dump
from tests.support import databases

SIGN_IN = "/sign-in"
WRITTEN_ANYWAY = LOOKED_AT | {"idempotency_key"}
ALMOST = (PAGE_TOKEN.lower(), PAGE_TOKEN[:-1], PAGE_TOKEN + "x", PAGE_TOKEN.upper())


def test_only_its_own_provider_answers_a_decision(world: World) -> None:
    path = f"/decisions/{world.cast.ids['decision pa']}"
    before = dump(world.app, without=WRITTEN_ANYWAY)
    codes = [
        world.post(role, "/account", path, fields).status_code
        for role in ("provider", "manager", "receptionist")
        for fields in ({"do": "sign"}, {"do": "disagree", "note": "never"})
    ]
    assert codes == [403] * 6
    assert dump(world.app, without=WRITTEN_ANYWAY) == before
    assert world.post("colleague", "/account", path, {"do": "sign"}).status_code == 302
    assert _is_signed(world, "decision pa")


@pytest.mark.parametrize("what", ["date", "consent"])
def test_nothing_of_one_patient_is_removed_through_another(world: World, what: str) -> None:
    number = world.cast.ids[f"{what} bob"]
    path = f"/patients/{world.cast.patients['ana']}/{what}s/{number}/remove"
    answer = world.post("manager", "/account", path, {})
    kind: type[DateToAvoid] | type[Consent] = DateToAvoid if what == "date" else Consent
    assert (answer.status_code, _is_there(world, kind, f"{what} bob")) == (404, True)


def test_a_link_ends_only_on_the_page_of_its_patient(world: World) -> None:
    with _session(world) as session:
        bobs = session.scalars(
            sa.select(PatientLink).where(PatientLink.patient_id == world.cast.ids["patient bob"])
        ).one()
    path = f"/patients/{world.cast.patients['ana']}/share"
    answer = world.post("manager", path, path, {"revoke": str(bobs.id)})
    assert (answer.status_code, world.ask("", f"/p/{OTHER_TOKEN}").status_code) == (404, 302)


def test_an_absence_of_one_site_is_not_taken_back_through_another(world: World) -> None:
    before = dump(world.app, without=WRITTEN_ANYWAY)
    closure, clinic = world.cast.ids["closure"], world.cast.clinic
    codes = [
        world.post("manager", "/account", f"{path}/absences/{closure}/remove", {}).status_code
        for path in (
            f"/settings/site/{clinic.miami}",
            f"/settings/room/{clinic.aventura}",
            f"/settings/provider/{clinic.aventura}",
        )
    ]
    assert (codes, dump(world.app, without=WRITTEN_ANYWAY)) == ([404] * 3, before)


def test_only_whoever_made_a_change_or_a_manager_takes_it_back(world: World) -> None:
    page = f"/appointments/{world.cast.appointments['later']}"
    world.post("receptionist", page, f"{page}/confirm", {"version": "1"})
    path = f"/undo/{_change(world).key}"
    tried = [world.post(role, "/account", path, {}) for role in ("provider", "colleague")]
    assert [answer.status_code for answer in tried] == [302, 302]
    assert _change(world).undone_at is None
    world.post("receptionist", "/account", path, {})
    assert _change(world).undone_at is not None


@databases.sqlite_only
@pytest.mark.parametrize("back", [*VALUES.values(), "https:evil.example", "/\t/evil.example"])
def test_taking_back_leads_to_a_page_of_our_own(world: World, back: str) -> None:
    answer = world.post("manager", "/account", "/undo/nothing", {"back": back})
    assert answer.status_code == 422 or re.match(r"/(?![/\\])", answer.location or "")


@databases.sqlite_only
@pytest.mark.parametrize(
    "target", [*VALUES.values(), "https:evil.example", "/\t/evil.example", "///evil", "/%09/evil"]
)
def test_signing_in_leads_to_a_page_of_our_own(world: World, target: str) -> None:
    answer = world.ask("manager", SIGN_IN, query_string={"next": target})
    assert answer.status_code == 400 or re.match(r"/(?![/\\])", answer.location or "")


def test_a_patients_link_opens_that_patients_visits_and_no_page(world: World) -> None:
    cast = world.cast
    foreign = [cast.appointments[name] for name in ("reserved", "started", "held", "consult")]
    files = [world.ask(PATIENT, f"/visits/{key}/visit.ics").text for key in foreign]
    assert ["BEGIN:VEVENT" in text for text in files] == [False] * 4
    for path in (
        f"/patients/{cast.patients['ana']}",
        "/day",
        f"/patients/{PAGE_TOKEN}",
        "/patients",
    ):
        for headers in (
            {"Authorization": f"Bearer {PAGE_TOKEN}"},
            {"Cookie": f"planner={PAGE_TOKEN}"},
        ):
            answer = world.browser.get(f"{path}?token={PAGE_TOKEN}", headers=headers)
            assert (answer.status_code, (answer.location or "")[:8]) == (302, SIGN_IN)


def test_a_page_link_opens_that_patients_page_and_no_other(world: World) -> None:
    cast = world.cast
    page = world.ask(PATIENT, "/visits").text
    theirs = [cast.appointments[name] for name in ("reserved", "started", "held", "consult")]
    assert (cast.appointments["later"] in page, any(key in page for key in theirs)) == (True, False)
    for path in (f"/patients/{cast.patients['ana']}", "/day", "/inbox", "/patients"):
        answer = world.ask(PATIENT, path)
        assert (answer.status_code, (answer.location or "")[:8]) == (302, SIGN_IN)
    before = dump(world.app, without=WRITTEN_ANYWAY)
    acts = ("confirm", "health", "another-time", "cannot-come")
    paths = [f"/visits/{key}/{act}" for key in theirs for act in acts]
    fields = {"answer": "no", "text": "x", "seen": "20270310T1500Z"}
    codes = {world.post(PATIENT, "/visits", path, fields).status_code for path in paths}
    others = {world.ask(role, "/visits").status_code for role in ("", "manager", "provider")}
    assert (codes, others, dump(world.app, without=WRITTEN_ANYWAY)) == ({404, 409}, {404}, before)


def test_what_a_patient_wrote_of_health_is_answered_by_a_provider_only(world: World) -> None:
    path = f"/inbox/{world.cast.ids['notice health']}"
    before = dump(world.app, without=WRITTEN_ANYWAY)
    codes = [
        world.post(role, "/account", path, {}).status_code for role in ("receptionist", "manager")
    ]
    assert (codes, dump(world.app, without=WRITTEN_ANYWAY)) == ([403, 403], before)
    assert world.post("provider", "/account", path, {}).status_code == 302


@pytest.mark.parametrize("token", [*ALMOST, "%", "_"])
def test_a_token_that_is_almost_right_is_wrong(world: World, token: str) -> None:
    assert world.ask("", f"/p/{token}").status_code == 404


def test_a_page_key_is_no_token_and_a_number_is_no_key(world: World) -> None:
    cast = world.cast
    paths = [
        f"/p/{cast.patients['ana']}",
        f"/p/{cast.appointments['later']}",
        f"/patients/{cast.ids['patient ana']}",
        f"/appointments/{cast.ids['appointment later']}",
        f"/courses/{cast.ids['course ana']}",
        f"/patients/{cast.courses['ana']}",
        f"/courses/{cast.patients['ana']}",
        f"/appointments/{cast.patients['ana']}/calendar.ics",
    ]
    assert [world.ask("manager", path).status_code for path in paths] == [404] * len(paths)


def test_the_address_of_a_merged_patient_leads_to_the_patient_kept(world: World) -> None:
    ana, cara = world.cast.patients["ana"], world.cast.patients["cara"]
    shown = world.ask("receptionist", f"/patients/{cara}")
    assert (shown.status_code, shown.location) == (302, f"/patients/{ana}")
    for page in ("edit", "share", "merge", "book?service=1", "courses/new"):
        assert world.ask("receptionist", f"/patients/{cara}/{page}").status_code in (200, 302, 404)


def test_what_a_patient_said_about_health_is_read_by_providers_only(world: World) -> None:
    said = "feels dizzy"
    seen = {
        role: any(said in text for text in _seen(world, role))
        for role in ("receptionist", "manager", "provider", "", PATIENT)
    }
    assert seen == {
        "receptionist": False, "manager": False, "provider": True, "": False, PATIENT: False,
    }  # fmt: skip
    with _session(world) as session:
        told = [str(row.before) + str(row.after) for row in session.scalars(sa.select(AuditRow))]
    assert not any(said in text for text in told)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/settings/users/{colleague}", {"role": "manager"}),
        ("/settings/users/new", {"role": "manager", "name": "Mallory"}),
        ("/settings/rules/gap.below_floor", {"severity": "info"}),
        ("/settings/room/{room}/remove", {}),
    ],
)
@pytest.mark.parametrize("role", ["receptionist", "provider"])
def test_only_a_manager_changes_settings(
    world: World, role: str, path: str, fields: Mapping[str, str]
) -> None:
    before = dump(world.app, without=WRITTEN_ANYWAY)
    address = path.format(colleague=4, room=world.cast.ids["retired room"])
    answer = world.post(role, "/account", address, fields)
    assert (answer.status_code, dump(world.app, without=WRITTEN_ANYWAY)) == (403, before)


def test_nobody_makes_themselves_more_than_they_are(world: World) -> None:
    """Fields that no form has are sent along with those it has."""
    extra = {"role": "manager", "user_id": "3", "provider_id": "1", "is_active": "1"}
    for role in ("receptionist", "colleague"):
        world.post(role, "/account", "/language", {"language": "es", **extra})
        assert world.ask(role, "/settings/").status_code == 403
    path = f"/decisions/{world.cast.ids['decision md']}"
    assert world.post("colleague", "/account", path, {"do": "sign", **extra}).status_code == 403


def test_a_repeated_key_gives_one_visit_and_another_form_under_it_none(world: World) -> None:
    page = f"/patients/{world.cast.patients['eve']}/book"
    fields = {
        "service": "1", "minutes": "30", "do": "book", "idempotency_key": "k" * 24,
        "pick": f"1.{world.cast.clinic.md}.1.20270308T1500Z",
    }  # fmt: skip
    first, again = (world.post("manager", "/account", page, fields) for _ in range(2))
    other = world.post("manager", "/account", page, {**fields, "do": "hold"})
    theirs = world.post("receptionist", "/account", page, fields)
    assert (first.status_code, again.location) == (302, first.location)
    assert (other.status_code, _shows_no_visit(theirs, first)) == (422, True)


def _shows_no_visit(answer: TestResponse, first: TestResponse) -> bool:
    return answer.location != first.location and (first.location or "?") not in answer.text


def _seen(world: World, role: str) -> list[str]:
    """All pages that the role finds; whoever has walked through them need not again."""
    if role not in world.seen:
        world.seen[role] = [visit.answer.text for visit in crawl.walk(world, role, alike=2)]
    return world.seen[role]


def _session(world: World) -> Session:
    with world.app.app_context():
        return Session(db.engine, expire_on_commit=False)


def _is_signed(world: World, name: str) -> bool:
    with _session(world) as session:
        return session.get_one(Decision, world.cast.ids[name]).signed_at is not None


def _is_there(world: World, kind: type[DateToAvoid | Consent], name: str) -> bool:
    with _session(world) as session:
        return session.get(kind, world.cast.ids[name]) is not None


def _change(world: World) -> Change:
    with _session(world) as session:
        return session.scalars(sa.select(Change).order_by(Change.id.desc())).all()[0]
