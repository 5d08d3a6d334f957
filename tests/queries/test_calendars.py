"""What calendar files say of the visits that are stored, read back by two other programs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import links as link_actions
from planner.db import appointments, keys
from planner.db.models import (
    Appointment,
    AuditRow,
    Clinic,
    ClinicText,
    Course,
    Patient,
    PatientLink,
    Site,
)
from planner.errors import NotFound
from planner.ical.events import Event
from planner.queries import calendar_events, calendar_rows, calendars
from planner.queries.calendar_rows import Visit
from planner.scheduling.timetable import Status
from planner.who import Who
from tests import factories
from tests.factories import SmallClinic, at
from tests.support import calendars as readers
from tests.support.databases import sqlite_only

Given = Callable[..., Any]

NOW = datetime(2026, 10, 20, 14, tzinfo=UTC)
OPTED_IN = datetime(2026, 10, 1, 14, tzinfo=UTC)
DESK = Who(user_id=None, role="receptionist", origin="127.0.0.1", request_id="r-1")
GOLDEN = Path(__file__).parent / "course.ics"
ACROSS_AUTUMN = (date(2026, 10, 28), date(2026, 11, 11), date(2026, 11, 25))
ACROSS_SPRING = (date(2027, 3, 10), date(2027, 3, 24), date(2027, 4, 7))

# ical.md 2, and the same in Spanish: what nobody who looks at the phone may read.
FORBIDDEN = (
    "sclero", "vein", "left", "right", " of 3", "1/3", "session", "stocking", "compression",
    "polidocanol", "ultrasound", "dvt", "price", "treatment", "consult", "leg", "flying", "md",
    "escler", "vena", "várice", "varice", "izquierd", "derech", "de 3", "sesión", "media", "compresi",
    "ecograf", "tvp", "precio", "tratamiento", "consulta", "pierna", "volar", "vuelo", "vuele",
    "lopez", "maria", "rivera", "okafor",
)  # fmt: skip


@pytest.fixture
def course(given: Given, clinic: SmallClinic) -> Callable[..., dict[str, Any]]:
    """Book a course: ``course(days, is_plain=True, language="es")``; keys of patient and course."""

    def book(days: Sequence[date] = ACROSS_AUTUMN, **facts: Any) -> dict[str, Any]:
        is_plain = facts.pop("is_plain", False)
        columns = {"plain_words_since": OPTED_IN if is_plain else None, **facts}
        patient_id = given(factories.patient, **columns)
        course_id = given(factories.course, clinic, patient_id)
        numbers = given(factories.course_sessions, course_id)
        ids = [
            given(factories.appointment, clinic, patient_id, day=day, course_session_id=numbers[n])
            for n, day in enumerate(days, start=1)
        ]
        return {"patient_id": patient_id, "course_id": course_id, "ids": ids}

    return book


@pytest.fixture
def change(bound: sa.Engine) -> Callable[..., None]:
    """Change rows: ``change(Appointment, id, sequence=1)``."""

    def write(kind: type[Any], row_id: int, **columns: Any) -> None:
        with Session(bound) as session:
            row = session.get_one(kind, row_id)
            for name, value in columns.items():
                setattr(row, name, value)
            session.commit()

    return write


@pytest.fixture
def key_of(bound: sa.Engine) -> Callable[..., str]:
    """Return the key of a row's address."""

    def read(kind: type[Any], row_id: int) -> str:
        with Session(bound) as session:
            return str(session.get_one(kind, row_id).key)

    return read


@pytest.fixture
def uid_of(bound: sa.Engine) -> Callable[[int], str]:
    """Return the uid of an appointment."""

    def read(row_id: int) -> str:
        with Session(bound) as session:
            return session.get_one(Appointment, row_id).uid

    return read


@pytest.fixture
def file_of(key_of: Callable[..., str]) -> Callable[..., bytes]:
    """Return the bytes of a patient's file."""

    def read(booked: dict[str, Any], now: datetime = NOW) -> bytes:
        return calendars.patient_file(key_of(Patient, booked["patient_id"]), now=now).content

    return read


@pytest.mark.parametrize("days", [ACROSS_AUTUMN, ACROSS_SPRING], ids=["autumn", "spring"])
def test_two_parsers_read_what_is_stored(
    bound: sa.Engine, course: Any, file_of: Any, days: Sequence[date]
) -> None:
    booked = course(days)
    content = file_of(booked)
    with Session(bound) as session:
        rows = session.scalars(sa.select(Appointment)).all()
        stored = {row.uid: (row.starts_at, row.ends_at) for row in rows}
    for read in (readers.icaljs(content), readers.vobject_reads(content)):
        assert {uid: (read[uid].starts, read[uid].ends) for uid in stored} == stored


@sqlite_only
def test_the_bytes_of_a_course_file_are_these(course: Any, change: Any, key_of: Any) -> None:
    booked = course(ACROSS_AUTUMN, language="en", is_plain=True)
    for number, row_id in enumerate(booked["ids"], start=1):
        change(Appointment, row_id, uid=f"visit-{number}@planner.invalid")
    change(Clinic, 1, phone="+13055550100", neutral_name="Glamour")
    content = calendars.course_file(key_of(Course, booked["course_id"]), now=NOW).content
    assert content.decode() == GOLDEN.read_bytes().decode()


@sqlite_only
@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_neutral_words_tell_nothing(
    given: Given, clinic: SmallClinic, course: Any, change: Any, file_of: Any, language: str
) -> None:
    booked = course(ACROSS_AUTUMN, language=language)
    given(factories.appointment, clinic, booked["patient_id"], day=date(2026, 10, 21))
    change(Site, clinic.miami, name="Vein Center Miami", arrival_note="Third door: sclerotherapy.",
           address="1 Example Avenue, Vein Center, Miami, FL 33130")  # fmt: skip
    change(Clinic, 1, neutral_name="The Leg Clinic", phone="+13055550100")
    read = readers.icaljs(file_of(booked))
    shown = "\n".join(f"{e.summary}\n{e.description}\n{e.location}" for e in read.values()).lower()
    raw = file_of(booked).decode().lower().replace("\r\n ", "")
    assert [word for word in FORBIDDEN if word in shown] == []
    assert [word for word in FORBIDDEN if word in raw.replace("related-to", "")] == []
    assert "1 example avenue, miami, fl 33130" in shown


@sqlite_only
def test_plain_words_are_in_the_patients_language(course: Any, file_of: Any) -> None:
    read = readers.icaljs(file_of(course(ACROSS_AUTUMN, language="es", is_plain=True)))
    titles = sorted({event.summary for event in read.values()})
    assert titles == [
        "Caminata",
        "Con calma hasta el sáb 14 nov, 10:45",
        "Con calma hasta el sáb 28 nov, 10:45",
        "Con calma hasta el sáb 31 oct, 10:45",
        "Escleroterapia, 1 de 3",
        "Escleroterapia, 2 de 3",
        "Escleroterapia, 3 de 3",
        "Medias día y noche",
        "Medias según necesite",
        "No volar hasta el sáb 14 nov, 10:45",
        "No volar hasta el sáb 28 nov, 10:45",
        "No volar hasta el sáb 31 oct, 10:45",
    ]


@sqlite_only
def test_lock_screens_stay_neutral_in_plain_words(course: Any, file_of: Any) -> None:
    raw = file_of(course(ACROSS_AUTUMN, is_plain=True)).decode()
    alarms = [part.split("END:VALARM")[0] for part in raw.split("BEGIN:VALARM")[1:]]
    assert len(alarms) == 6
    assert {line for alarm in alarms for line in alarm.split("\r\n") if "DESC" in line} == {
        "DESCRIPTION:Appointment"
    }


@sqlite_only
def test_aftercare_lies_on_its_days_and_the_last_day_is_included(
    course: Any, file_of: Any, uid_of: Any
) -> None:
    booked = course(ACROSS_AUTUMN, is_plain=True)
    read = readers.icaljs(file_of(booked))
    first = _notes(read, uid_of(booked["ids"][0]))
    ends_at = at(ACROSS_AUTUMN[0], 10, 45)
    assert first == {
        "Walk": (ends_at, ends_at + timedelta(minutes=20)),
        "Stockings day and night": (date(2026, 10, 28), date(2026, 11, 1)),
        "Stockings as needed": (date(2026, 11, 1), date(2026, 11, 11)),
        "No flying until Sat 31 Oct, 10:45 AM": (date(2026, 10, 31), date(2026, 11, 1)),
        "Take it easy until Sat 31 Oct, 10:45 AM": (date(2026, 10, 31), date(2026, 11, 1)),
    }


@sqlite_only
def test_seventy_two_hours_over_the_spring_change_end_an_hour_later_by_the_clock(
    course: Any, file_of: Any
) -> None:
    booked = course((date(2027, 3, 12),), is_plain=True)
    titles = {event.summary for event in readers.icaljs(file_of(booked)).values()}
    assert "No flying until Mon 15 Mar, 11:45 AM" in titles


@sqlite_only
def test_aftercare_follows_the_actual_end(
    course: Any, change: Any, file_of: Any, uid_of: Any
) -> None:
    booked = course(ACROSS_AUTUMN, is_plain=True)
    uid = uid_of(booked["ids"][0])
    planned = readers.icaljs(file_of(booked))[f"{uid.replace('@', '-1@')}"]
    ended_at = at(ACROSS_AUTUMN[0], 11, 30)
    change(Appointment, booked["ids"][0], status="fulfilled", actual_ends_at=ended_at)
    actual = readers.icaljs(file_of(booked, now=ended_at))[f"{uid.replace('@', '-1@')}"]
    assert (actual.starts, actual.sequence - planned.sequence) == (ended_at, 1)


@sqlite_only
def test_stockings_as_needed_end_three_weeks_after_the_last_session(
    course: Any, file_of: Any, uid_of: Any
) -> None:
    booked = course(ACROSS_AUTUMN, is_plain=True)
    last = _notes(readers.icaljs(file_of(booked)), uid_of(booked["ids"][2]))
    assert last["Stockings as needed"] == (date(2026, 11, 29), date(2026, 12, 20))


@sqlite_only
def test_a_face_gets_no_stockings(given: Given, clinic: SmallClinic, file_of: Any) -> None:
    patient_id = given(factories.patient, plain_words_since=OPTED_IN)
    course_id = given(factories.course, clinic, patient_id, zones=[["face"]])
    number = given(factories.course_sessions, course_id)[1]
    day = ACROSS_AUTUMN[0]
    given(factories.appointment, clinic, patient_id, day=day, course_session_id=number)
    titles = {
        event.summary for event in readers.icaljs(file_of({"patient_id": patient_id})).values()
    }
    assert not [title for title in titles if "tocking" in title]


@sqlite_only
def test_the_rules_of_the_clinic_change_the_days(
    given: Given, course: Any, file_of: Any, uid_of: Any
) -> None:
    booked = course(ACROSS_AUTUMN, is_plain=True)
    given(factories.rule, "aftercare.flying", value=24, severity="info", since=date(2026, 10, 1))
    given(factories.rule, "aftercare.sauna", value=120, severity="info", since=date(2026, 10, 1))
    first = _notes(readers.icaljs(file_of(booked)), uid_of(booked["ids"][0]))
    assert first["No flying until Thu 29 Oct, 10:45 AM"] == (date(2026, 10, 29), date(2026, 10, 30))
    assert first["Take it easy until Mon 2 Nov, 9:45 AM"] == (date(2026, 11, 2), date(2026, 11, 3))


def test_a_moved_visit_keeps_its_uid_and_its_sequence_grows(
    bound: sa.Engine, course: Any, file_of: Any, uid_of: Any
) -> None:
    booked = course()
    uid, before = uid_of(booked["ids"][0]), readers.icaljs(file_of(booked))
    with Session(bound) as session:
        row = session.get_one(Appointment, booked["ids"][0])
        slot = appointments.slot_of(row)
        day = timedelta(days=1)
        moved = {name: getattr(slot, name) + day for name in ("starts_at", "ends_at", "room_from",
                 "room_until", "patient_until")}  # fmt: skip
        appointments.move(row, slot._replace(**moved), now=NOW)
        session.commit()
    after = readers.icaljs(file_of(booked))
    notes = [one for one in before if one.startswith(uid.split("@")[0])]
    assert sorted(after) == sorted(before)
    assert {one: after[one].sequence > before[one].sequence for one in notes} == dict.fromkeys(
        notes, True
    )


@sqlite_only
def test_a_cancelled_visit_stays_thirty_days_with_three_signals_and_its_notes_go(
    bound: sa.Engine, course: Any, file_of: Any, uid_of: Any
) -> None:
    booked = course()
    uid = uid_of(booked["ids"][0])
    with Session(bound) as session:
        row = session.get_one(Appointment, booked["ids"][0])
        appointments.enter(row, Status.CANCELLED, now=NOW)
        row.ended_at = NOW
        session.commit()
        gone = row.starts_at + timedelta(days=30)
    raw = file_of(booked).decode().replace("\r\n ", "")
    event = next(part for part in raw.split("BEGIN:VEVENT") if f"UID:{uid}" in part)
    signals = ("STATUS:CANCELLED", "TRANSP:TRANSPARENT", "SUMMARY:Cancelled: Appointment")
    assert [sign for sign in (*signals, "SEQUENCE:1") if sign not in event] == []
    assert "VALARM" not in event and uid.replace("@", "-2@") not in raw
    last, after = (uid.encode() in file_of(booked, now=at) for at in (gone - timedelta(1), gone))
    assert (last, after) == (True, False)


@sqlite_only
@pytest.mark.parametrize(
    ("stood", "is_there"), [(timedelta(minutes=5), False), (timedelta(days=3), True)]
)
def test_a_hold_let_go_at_once_was_never_there(
    given: Given, clinic: SmallClinic, file_of: Any, stood: timedelta, is_there: bool
) -> None:
    patient_id = given(factories.patient)
    given(
        factories.appointment, clinic, patient_id, day=ACROSS_AUTUMN[0], status="released",
        created_at=NOW - stood, ended_at=NOW, sequence=1,
    )  # fmt: skip
    assert (b"STATUS:CANCELLED" in file_of({"patient_id": patient_id})) is is_there


@sqlite_only
@pytest.mark.parametrize(
    ("left", "state"),
    [(timedelta(hours=1), ("TENTATIVE", 0)), (timedelta(hours=-1), ("CANCELLED", 1))],
)
def test_a_reservation_is_tentative_until_it_runs_out(
    given: Given, clinic: SmallClinic, file_of: Any, left: timedelta, state: tuple[str, int]
) -> None:
    patient_id = given(factories.patient)
    given(
        factories.appointment, clinic, patient_id, day=ACROSS_AUTUMN[0], status="reserved",
        created_at=NOW - timedelta(days=6), expires_at=NOW + left,
    )  # fmt: skip
    (event,) = readers.icaljs(file_of({"patient_id": patient_id})).values()
    assert (event.status, event.sequence) == state


@sqlite_only
def test_a_visit_rings_the_day_before_and_two_hours_before(course: Any, file_of: Any) -> None:
    booked = course()
    read = readers.vobject_reads(file_of(booked))
    assert sorted(event.alarms for event in read.values()) == [0] * 15 + [2] * 3


@sqlite_only
def test_a_file_is_the_same_until_something_changes(course: Any, key_of: Any, change: Any) -> None:
    booked = course()
    key = key_of(Patient, booked["patient_id"])
    first = calendars.patient_file(key, now=NOW)
    later = calendars.patient_file(key, now=NOW + timedelta(hours=6))
    change(Patient, booked["patient_id"], plain_words_since=NOW)
    plain = calendars.patient_file(key, now=NOW)
    assert (first == later, first.etag != plain.etag) == (True, True)


def test_new_words_or_addresses_are_a_new_version_of_every_visit(
    bound: sa.Engine, course: Any, change: Any, file_of: Any
) -> None:
    booked = course()
    for row_id in booked["ids"]:
        change(Appointment, row_id, ical_modified_at=OPTED_IN)
    with Session(bound) as session:
        for kind, row_id, after in (
            ("site", 1, {"address": "3 Example Street"}),
            ("patient", booked["patient_id"], {"plain_words_since": None}),
            ("patient", booked["patient_id"], {"phone": "later, but no calendar tells it"}),
        ):
            day = 4 + ("plain_words_since" in after) + 2 * ("phone" in after)
            before = dict.fromkeys(after, "2026-10-01T14:00:00Z")
            session.add(_audit_row(kind, row_id, before, after, day))
        session.commit()
    stamps = {line for line in file_of(booked).split(b"\r\n") if line.startswith(b"LAST-MODIFIED")}
    assert stamps == {b"LAST-MODIFIED:20261005T120000Z"}


@sqlite_only
def test_an_empty_address_and_a_placeholder_are_left_out(
    given: Given, bound: sa.Engine, clinic: SmallClinic, course: Any, change: Any, file_of: Any
) -> None:
    booked = course(ACROSS_AUTUMN[:1])
    change(Site, clinic.miami, address="")
    with Session(bound) as session:
        session.add_all(
            ClinicText(code="arrival", language=code, text=text, is_placeholder=code == "en")
            for code, text in (("en", "PLACEHOLDER"), ("es", "Hola"))
        )
        session.commit()
    raw = file_of(booked)
    assert (b"PLACEHOLDER" in raw, b"LOCATION:Miami\r\n" in raw) == (False, True)


@sqlite_only
def test_one_visit_alone_with_its_notes(course: Any, key_of: Any, uid_of: Any) -> None:
    booked = course()
    key, uid = key_of(Appointment, booked["ids"][1]), uid_of(booked["ids"][1])
    read = readers.icaljs(calendars.appointment_file(key, now=NOW).content)
    assert {one.split("@")[0].split("-")[0] for one in read} == {uid.split("@")[0]}
    assert len(read) == 6


def test_a_merged_patients_visits_and_links_are_the_kept_ones(
    bound: sa.Engine, given: Given, course: Any, change: Any, key_of: Any, clinic: SmallClinic
) -> None:
    old, kept = course(ACROSS_AUTUMN[:1]), given(factories.patient, given_name="Kept")
    token = "t" * 43
    link_actions.create(
        key_of(Patient, old["patient_id"]), token, replaces_others=False, by=DESK, now=NOW
    )
    given(factories.appointment, clinic, kept, day=date(2026, 12, 1))
    change(Patient, old["patient_id"], merged_into_id=kept)
    with Session(bound) as session:
        link_id = session.scalars(sa.select(PatientLink.id)).one()
    found = calendars.page_file(link_id, now=NOW)
    assert found is not None
    assert len([one for one in readers.icaljs(found.content) if "-" not in one]) == 2


@sqlite_only
def test_a_notes_sequence_never_falls_and_grows_whenever_its_days_move(
    bound: sa.Engine, course: Any
) -> None:
    with Session(bound) as session:
        diary = calendar_rows.diary(session, course(ACROSS_AUTUMN)["patient_id"])
    visits, chance = list(diary.visits), random.Random(11)
    seen: dict[str, Event] = {}
    wrong, moved = [], 0
    for _ in range(45):
        place = chance.randrange(len(visits))
        visits[place] = _another(visits[place], chance)
        now_is = replace(diary, visits=tuple(sorted(visits, key=lambda one: one.starts_at)))
        states = tuple(calendar_events.shown(one, now_is, NOW) for one in now_is.visits)
        for event in (one for state in states for one in calendar_events.of(state, now_is, states)):
            before = seen.get(event.uid, event)
            has_moved = (before.when, before.status) != (event.when, event.status)
            moved += has_moved and event.belongs_to != ""
            if event.sequence < before.sequence + has_moved:
                wrong.append((event.uid, before, event))
            seen[event.uid] = event
    assert (len(wrong), moved > 5) == (0, True)


def _another(visit: Visit, chance: random.Random) -> Visit:
    """Return the visit moved by some days, cancelled, booked again, or with the end it really had."""
    what = chance.randrange(4)
    if what == 0 and visit.actual_ends_at is None:
        return replace(visit, actual_ends_at=visit.ends_at + timedelta(days=2))
    days = timedelta(days=chance.randrange(-9, 10)) if what > 1 else timedelta()
    status = (
        {"booked": "cancelled", "cancelled": "booked"}[visit.status] if what == 1 else visit.status
    )
    return replace(
        visit,
        status=status,
        sequence=visit.sequence + 1,
        starts_at=visit.starts_at + days,
        ends_at=visit.ends_at + days,
        patient_until=visit.patient_until + days,
    )


@sqlite_only
def test_three_visits_cost_as_many_statements_as_one(
    bound: sa.Engine, course: Any, key_of: Any
) -> None:
    counts = []
    for days in (ACROSS_AUTUMN[:1], ACROSS_SPRING):
        key = key_of(Patient, course(days, phone=str(len(days)))["patient_id"])
        calendars.patient_file(key, now=NOW)  # once for what the process keeps of the catalogue
        counts.append(_statements(bound, key))
    assert counts == [counts[0]] * 2


@sqlite_only
def test_what_is_not_there_is_not_found(bound: sa.Engine) -> None:
    for load in (calendars.patient_file, calendars.course_file, calendars.appointment_file):
        with pytest.raises(NotFound):
            load("nobody", now=NOW)


def _statements(bound: sa.Engine, key: str) -> int:
    seen: list[object] = []

    def see(*given: object) -> None:
        seen.append(given)

    sa.event.listen(bound, "before_cursor_execute", see)
    calendars.patient_file(key, now=NOW)
    sa.event.remove(bound, "before_cursor_execute", see)
    return len(seen)


def _notes(read: dict[str, readers.Read], uid: str) -> dict[str, tuple[Any, Any]]:
    head = f"{uid.split('@', maxsplit=1)[0]}-"
    return {
        event.summary: (event.starts, event.ends)
        for one, event in read.items()
        if one.startswith(head)
    }


def _audit_row(
    kind: str, row_id: int, before: dict[str, Any], after: dict[str, Any], day: int
) -> AuditRow:
    return AuditRow(
        at=datetime(2026, 10, day, 12, tzinfo=UTC), user_id=None, origin="cli", request_id="r",
        action="x", object_kind=kind, object_id=row_id, before=before, after=after,
        previous_hash="0" * 64, hash=keys.digest(f"{kind}{day}"),
    )  # fmt: skip
