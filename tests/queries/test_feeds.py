"""What subscriptions hold: of patients who were merged or changed their mind, and of providers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import flask
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import feeds as actions
from planner.actions import merging, patients
from planner.db.engine import Tx, transaction
from planner.db.models import (
    Appointment,
    AuditRow,
    CalendarFeed,
    FeedFetch,
    LeftOutEvent,
    Patient,
    Service,
    Site,
)
from planner.queries import calendars, feeds, schedules
from planner.who import Who
from tests import factories
from tests.factories import SmallClinic
from tests.queries.test_calendars import FORBIDDEN
from tests.support import calendars as readers
from tests.support.databases import sqlite_only

Given = Callable[..., Any]
NOW = datetime(2026, 10, 20, 14, tzinfo=UTC)
DESK = Who(user_id=None, role="receptionist", origin="127.0.0.1", request_id="r-1")
TOKEN = "t" * 43
DAYS = (date(2026, 10, 28), date(2026, 11, 11))


@pytest.fixture
def rows(bound: sa.Engine) -> Callable[..., list[Any]]:
    """Return all rows of a kind."""

    def read(kind: type[Any]) -> list[Any]:
        with Session(bound, expire_on_commit=False) as session:
            return list(session.scalars(sa.select(kind).order_by(*sa.inspect(kind).primary_key)))

    return read


@pytest.fixture
def change(bound: sa.Engine) -> Callable[..., None]:
    """Change rows past the application: ``change(Site, 1, address="")``."""

    def write(kind: type[Any], row_id: int, **columns: Any) -> None:
        with Session(bound) as session:
            row = session.get_one(kind, row_id)
            for name, value in columns.items():
                setattr(row, name, value)
            session.commit()

    return write


@pytest.fixture
def patient(given: Given, clinic: SmallClinic) -> Callable[..., int]:
    """Add a patient with sessions on two days: ``patient(given_name="Ana")``."""

    def add(*days: date, **columns: Any) -> int:
        patient_id: int = given(factories.patient, **columns)
        course_id = given(factories.course, clinic, patient_id)
        numbers = given(factories.course_sessions, course_id)
        for n, day in enumerate(days or DAYS, start=1):
            given(
                factories.appointment, clinic, patient_id, day=day, course_session_id=numbers[n],
                ical_modified_at=NOW - timedelta(days=9), created_at=NOW - timedelta(days=9),
            )  # fmt: skip
        return patient_id

    return add


@pytest.fixture
def key_of(bound: sa.Engine) -> Callable[[int], str]:
    """Return the key of a patient."""

    def read(patient_id: int) -> str:
        with Session(bound) as session:
            return session.get_one(Patient, patient_id).key

    return read


@pytest.fixture
def schedule(bound: sa.Engine) -> Callable[..., dict[str, readers.Read]]:
    """Read a provider's calendar."""

    def read(provider_id: int, now: datetime = NOW) -> dict[str, readers.Read]:
        with Session(bound) as session:
            content = schedules.file(session, provider_id, locale="en", now=now).content
        return readers.icaljs(content)

    return read


def served(now: datetime = NOW) -> bytes:
    found = feeds.serve(TOKEN, now=now)
    assert found is not None
    return found.file.content


def stamps(content: bytes) -> set[str]:
    lines = content.decode().split("\r\n")
    return {line.partition(":")[2] for line in lines if line.startswith(("DTSTAMP", "LAST-MOD"))}


def test_a_subscription_follows_a_patient_who_was_merged(
    bound: sa.Engine,
    patient: Callable[..., int],
    key_of: Callable[[int], str],
    rows: Callable[..., list[Any]],
) -> None:
    old, kept = patient(language="es"), patient(date(2026, 12, 1), language="en")
    old_key, kept_key = key_of(old), key_of(kept)
    actions.subscribe_patient(old_key, TOKEN, by=DESK, now=NOW)
    before = served()
    merging.merge(
        kept_key, old_key, kept_version=1, other_version=1, by=DESK, now=NOW + timedelta(hours=1)
    )
    after = served(NOW + timedelta(hours=2))
    uids = {row.uid for row in rows(Appointment)}
    assert (len(uids), uids <= set(readers.icaljs(after))) == (3, True)
    assert (b"NAME:Mis visitas" in before, b"NAME:My visits" in after) == (True, True)
    assert stamps(after) == {"20261020T150000Z"}  # other words: a new version of each
    (feed,) = rows(CalendarFeed)
    assert feed.patient_id == kept
    # A merge chain that some other way left behind is followed as well.
    actions.revoke_patients(kept_key, feed.id, by=DESK, now=NOW + timedelta(hours=3))
    assert readers.icaljs(served(NOW + timedelta(hours=4))) == {}


def test_taking_back_plain_words_clears_the_feed_and_moves_its_stamps(
    bound: sa.Engine, patient: Callable[..., int], key_of: Callable[[int], str]
) -> None:
    key = key_of(patient())
    actions.subscribe_patient(key, TOKEN, by=DESK, now=NOW)
    seen = []
    for hour, wanted in ((1, True), (2, False)):
        patients.set_plain_words(key, wanted, by=DESK, now=NOW + timedelta(hours=hour))
        content = served(NOW + timedelta(hours=5))
        told = [word for word in FORBIDDEN if word in content.decode().lower()]
        sequences = {uid: one.sequence for uid, one in readers.icaljs(content).items()}
        seen.append((bool(told), stamps(content), sequences))
    assert seen[0][:2] == (True, {"20261020T150000Z"})
    assert seen[1][:2] == (False, {"20261020T160000Z"})
    assert seen[0][2] == seen[1][2]  # other words are no other time (RFC 5546, 2.1.4)


REVISIONS: tuple[tuple[str, int | None, dict[str, Any], bool, bool], ...] = (
    ("site", 1, {"address": "2 Example Street"}, True, False),
    ("site", 1, {"colour": "#111111"}, False, False),
    ("site", 2, {"address": "2 Example Street"}, False, False),
    ("service", None, {"name": "Review"}, True, False),
    ("provider", None, {"name": "Ben"}, True, False),
    ("provider", 99, {"name": "Ben"}, False, False),
    ("clinic", 1, {"phone": "+13055550199"}, True, False),
    ("clinic_text", 1, {"text": "Come early"}, True, False),
    ("patient", 1, {"language": "es"}, True, False),
    ("patient", 1, {"phone": "+13055550199"}, False, False),
    ("rule_record", 7, {"code": "aftercare.flying"}, True, True),
    ("rule_record", 7, {"code": "compression.day_night_days"}, True, True),
    ("rule_record", 7, {"code": "gap.floor"}, False, False),
    ("course_session", 1, {"zones": ["face"]}, True, True),
    ("course_session", 99, {"zones": ["face"]}, False, False),
)


def test_what_an_event_says_is_revised_with_it_and_nothing_else(
    bound: sa.Engine, patient: Callable[..., int], key_of: Callable[[int], str],
    rows: Callable[..., list[Any]],
) -> None:  # fmt: skip
    key = key_of(patient())
    visit = rows(Appointment)[0]
    own = {"service": visit.service_id, "provider": visit.provider_id}
    note = visit.uid.replace("@", "-4@")
    wrong = []
    before = readers.icaljs(calendars.patient_file(key, now=NOW).content)
    for n, (kind, row_id, after, is_revised, is_moved) in enumerate(REVISIONS, start=1):
        moment = NOW + timedelta(days=n)
        with Session(bound) as session:
            session.add(_trail(kind, own.get(kind) if row_id is None else row_id, after, moment))
            session.commit()
        content = calendars.patient_file(key, now=NOW).content
        read = readers.icaljs(content)
        seen = (
            f"{moment:%Y%m%dT%H%M%SZ}" in stamps(content),
            read[note].sequence - before[note].sequence == 1,
        )
        if seen != (is_revised, is_moved) or read[visit.uid].sequence != visit.sequence:
            wrong.append((kind, after, seen))
        before = read
    assert wrong == []


@sqlite_only
def test_what_is_kept_written_is_never_what_it_no_longer_is(
    patient: Callable[..., int], key_of: Callable[[int], str], change: Callable[..., None],
    rows: Callable[..., list[Any]], clinic: SmallClinic,
) -> None:  # fmt: skip
    key = key_of(patient())
    visit = rows(Appointment)[0]
    seen = [calendars.patient_file(key, now=NOW).content]
    for kind, row_id, columns in (
        (Site, clinic.miami, {"address": "4 Example Street"}),
        (Site, clinic.miami, {"zone": "America/Chicago"}),
        (Patient, visit.patient_id, {"language": "es"}),
        (Patient, visit.patient_id, {"plain_words_since": NOW}),
        (Service, visit.service_id, {"name": "Another"}),
        (Appointment, visit.id, {"zones_treated": ["face"]}),
        (Appointment, visit.id, {"actual_ends_at": visit.ends_at + timedelta(minutes=10)}),
    ):
        change(kind, row_id, **columns)  # past the trail, so that no stamp moves
        seen.append(calendars.patient_file(key, now=NOW).content)
        assert calendars.patient_file(key, now=NOW).content == seen[-1]
    assert len(set(seen)) == len(seen)


@sqlite_only
def test_a_broken_event_is_left_out_and_told_and_the_others_stay(
    patient: Callable[..., int], key_of: Callable[[int], str], change: Callable[..., None],
    rows: Callable[..., list[Any]],
) -> None:  # fmt: skip
    key = key_of(patient())
    bad, good = rows(Appointment)
    change(Appointment, bad.id, uid="not a uid@planner.invalid")
    file = calendars.patient_file(key, now=NOW)
    assert {one.reason for one in file.left_out} == {"an unusable uid"}
    assert good.uid in readers.icaljs(file.content) and b"not a uid" not in file.content
    for days in (0, 1):
        actions.report(file.left_out, by=DESK, now=NOW + timedelta(days=days))
    told = feeds.for_managers(locale="es", now=NOW + timedelta(days=2)).left_out
    assert len(told) == len(file.left_out) == len(rows(LeftOutEvent))
    assert {(one.reason, one.last_label) for one in told} == {
        ("Algunos calendarios la leerían mal.", "mié 21 oct, 10:00")
    }
    assert feeds.for_managers(locale="en", now=NOW + timedelta(days=31)).left_out == ()
    # What was left out long ago is forgotten with the next that is.
    actions.report([replace(file.left_out[0], uid="x")], by=DESK, now=NOW + timedelta(days=40))
    assert [row.uid for row in rows(LeftOutEvent)] == ["x"]


# A provider's calendar


@sqlite_only
@pytest.mark.parametrize(("days", "is_there"), [(-15, False), (-13, True), (89, True), (90, False)])
def test_a_schedule_reaches_from_two_weeks_back_to_ninety_days_ahead(
    given: Given, clinic: SmallClinic, schedule: Any, days: int, is_there: bool
) -> None:
    day = (NOW + timedelta(days=days)).date()
    given(factories.appointment, clinic, given(factories.patient), day=day, hour=12)
    assert (len(schedule(clinic.md)), schedule(clinic.pa)) == (int(is_there), {})


@sqlite_only
@pytest.mark.parametrize(
    ("status", "columns", "summary", "state"),
    [
        ("booked", {}, "ML · consult", "CONFIRMED"),
        ("fulfilled", {}, "ML · consult", "CONFIRMED"),
        ("reserved", {"expires_at": NOW + timedelta(1)}, "Not confirmed yet: ML · consult", "TENTATIVE"),
        ("cancelled", {"ended_at": NOW, "sequence": 1}, "Cancelled: ML · consult", "CANCELLED"),
        ("no_show", {"ended_at": NOW, "sequence": 1}, "Cancelled: ML · consult", "CANCELLED"),
        ("released", {"ended_at": NOW, "created_at": NOW, "sequence": 1}, None, None),
    ],
)  # fmt: skip
def test_a_schedule_says_what_has_become_of_a_visit(
    given: Given, clinic: SmallClinic, schedule: Any, status: str, columns: dict[str, Any],
    summary: str | None, state: str | None,
) -> None:  # fmt: skip
    visit = {"day": date(2026, 10, 21), "status": status, **columns}
    given(factories.appointment, clinic, given(factories.patient), **visit)
    seen = [(one.summary, one.status, one.alarms) for one in schedule(clinic.md).values()]
    assert seen == ([(summary, state, 0)] if summary else [])


NAMES = {
    ("María José", "López-García"): "MG",
    ("", "Ng"): "N",
    ('"Bobby"; DROP', "O'Neil"): "DO",
    ("عائشة", "الحسن"): "عا",
    ("😀", ""): "–",
    ("\u202eAna", "x\r\nSUMMARY:y"): "S",
}


@sqlite_only
def test_initials_stay_initials_whatever_the_name(
    given: Given, clinic: SmallClinic, schedule: Any
) -> None:
    for n, (given_name, family_name) in enumerate(NAMES):
        patient_id = given(
            factories.patient, given_name=given_name, family_name=family_name, note="n" * 300
        )
        given(factories.appointment, clinic, patient_id, day=date(2026, 10, 21), hour=9 + n)
    read = sorted(schedule(clinic.md).values(), key=lambda one: one.starts)
    said = [one.summary.partition(" · ")[0] for one in read]
    assert len(said) == len(NAMES) and max(map(len, said)) <= 2
    assert said[:5] == [*NAMES.values()][:5]
    assert all(one.description == "" for one in read)


@sqlite_only
def test_a_new_name_or_code_is_a_new_version(
    bound: sa.Engine, given: Given, clinic: SmallClinic
) -> None:
    patient_id = given(factories.patient)
    given(factories.appointment, clinic, patient_id, day=date(2026, 10, 21), ical_modified_at=NOW)
    with Session(bound) as session:
        session.add(_trail("patient", patient_id, {"family_name": "New"}, NOW + timedelta(hours=1)))
        session.commit()
        content = schedules.file(session, clinic.md, locale="en", now=NOW).content
    assert "20261020T150000Z" in stamps(content)


@sqlite_only
def test_a_schedule_costs_as_many_statements_however_long_it_is(
    bound: sa.Engine, given: Given, clinic: SmallClinic, schedule: Any
) -> None:
    counts = []
    for n in (1, 3):
        for hour in range(n):
            patient_id = given(factories.patient)
            day = date(2026, 10, 20 + n)
            given(factories.appointment, clinic, patient_id, day=day, hour=9 + hour)
        seen: list[object] = []
        sa.event.listen(bound, "before_cursor_execute", lambda *a, seen=seen: seen.append(a))
        schedule(clinic.md)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_visit_that_another_takes_over_is_cancelled_for_who_had_it_until_it_is_theirs_again(
    given: Given, clinic: SmallClinic, schedule: Any, rows: Callable[..., list[Any]]
) -> None:
    visit = given(
        factories.appointment, clinic, given(factories.patient), day=date(2026, 10, 21),
        created_at=NOW - timedelta(days=9),
    )  # fmt: skip

    def hand_to(provider_id: int, at: datetime) -> None:
        def work(tx: Tx) -> None:
            tx.session.get_one(Appointment, visit).provider_id = provider_id

        transaction(work, by=DESK, now=at, action="appointment.move")

    def seen(provider_id: int, now: datetime) -> list[tuple[str, str, int]]:
        read = schedule(provider_id, now).values()
        return [(one.summary, one.status, one.sequence) for one in read]

    hand_to(clinic.pa, NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    assert seen(clinic.md, later) == [("Cancelled: ML · consult", "CANCELLED", 1)]
    assert seen(clinic.pa, later) == [("ML · consult", "CONFIRMED", 1)]
    gone = datetime(2026, 11, 20, 14, tzinfo=UTC)
    assert [len(seen(clinic.md, gone + timedelta(days=days))) for days in (-1, 1)] == [1, 0]
    hand_to(clinic.md, NOW + timedelta(hours=3))
    again = NOW + timedelta(hours=4)
    assert seen(clinic.md, again) == [("ML · consult", "CONFIRMED", 2)]
    assert seen(clinic.pa, again) == [("Cancelled: ML · consult", "CANCELLED", 2)]
    hand_to(clinic.pa, NOW + timedelta(hours=5))
    hand_to(clinic.md, NOW + timedelta(hours=5, minutes=1))  # put right at once
    hand_to(clinic.np_miami, NOW + timedelta(hours=6))
    hand_to(clinic.md, NOW + timedelta(hours=6, minutes=1))  # by one who never had it before
    later = NOW + timedelta(hours=7)
    assert seen(clinic.pa, later) == [("Cancelled: ML · consult", "CANCELLED", 4)]
    assert seen(clinic.md, later) == [("ML · consult", "CONFIRMED", 6)]
    assert seen(clinic.np_miami, later) == []
    assert {row.sequence for row in rows(Appointment)} == {0}  # no revision for the patient


def _trail(kind: str, row_id: int | None, after: dict[str, Any], moment: datetime) -> AuditRow:
    return AuditRow(
        at=moment, user_id=None, origin="cli", request_id="r", action="x", object_kind=kind,
        object_id=row_id, before=None, after=after, reason="", previous_hash="0" * 64,
        hash=f"{kind}{moment:%d%H}",
    )  # fmt: skip


def test_copies_of_one_first_fetch_leave_one_row(
    bound: sa.Engine,
    patient: Callable[..., int],
    key_of: Callable[[int], str],
    rows: Callable[..., list[Any]],
) -> None:
    actions.subscribe_patient(key_of(patient()), TOKEN, by=DESK, now=NOW)
    (feed,) = rows(CalendarFeed)
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]  # for other threads
    fetch = actions.Fetch(feed_id=feed.id, etag="a" * 32, agent="Agent/1\x00")
    start = threading.Barrier(6)
    written: list[str] = []
    sa.event.listen(
        bound, "before_cursor_execute",
        lambda _c, _cursor, text, *_: written.append(text) if " feed_fetch" in text else None,
    )  # fmt: skip

    def ask(n: int) -> datetime:
        with app.app_context():
            start.wait()
            return actions.fetched(fetch, by=DESK, now=NOW + timedelta(milliseconds=n))

    with ThreadPoolExecutor(6) as pool:
        since = set(pool.map(ask, range(6)))
    assert (len(since), [row.agent for row in rows(FeedFetch)]) == (1, ["Agent/1"])
    assert [row.action for row in rows(AuditRow)].count("feed.fetch") == 1
    assert [text[:6] for text in written if not text.startswith("SELECT")] == ["INSERT"]
