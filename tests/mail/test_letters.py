"""What a message says, made from what is stored when it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import merging
from planner.actions import messages as actions
from planner.actions.catalogue import clinic as texts
from planner.db.models import Appointment, Clinic, Message, Patient, Service, Site
from planner.errors import Invalid
from planner.mail import letters
from planner.mail.letters import Letter
from planner.queries import letters as queries
from planner.queries.letters import Nothing
from planner.who import SYSTEM
from planner.worker import Worker
from tests import factories
from tests.db.conftest import NOW
from tests.factories import SmallClinic, at
from tests.mail.conftest import DAY, Clock
from tests.queries.test_calendars import FORBIDDEN
from tests.support import post_office
from tests.support.databases import sqlite_only
from tests.support.post_office import PostOffice

Given = Callable[..., Any]
Post = Callable[..., int]

pytestmark = sqlite_only

AGREED = datetime(2027, 2, 1, 15, tzinfo=UTC)


@pytest.fixture
def change(bound: sa.Engine) -> Callable[..., None]:
    def write(kind: type[Any], row_id: int, **columns: Any) -> None:
        with Session(bound) as session:
            for name, value in columns.items():
                setattr(session.get_one(kind, row_id), name, value)
            session.commit()

    return write


@pytest.fixture
def visit_of(bound: sa.Engine) -> Callable[[int], Appointment]:
    def read(message_id: int) -> Appointment:
        with Session(bound) as session:
            row = session.get_one(Message, message_id)
            return session.get_one(Appointment, row.appointment_id)

    return read


def known(visit: Appointment, **changed: Any) -> dict[str, Any]:
    stood = {"site_id": visit.site_id, "provider_id": visit.provider_id, "is_firm": True}
    return {str(visit.id): {"starts_at": visit.starts_at.isoformat(), **stood, **changed}}


def event_of(part: Any) -> Any:
    (event,) = icalendar.Calendar.from_ical(part.get_payload(decode=True)).events
    return event


def written(message_id: int) -> Letter:
    found = queries.letter(message_id, now=NOW)
    assert isinstance(found, Letter)
    return found


def said(message_id: int) -> str:
    return letters.plain(written(message_id))


def test_only_who_asked_gets_an_invitation_and_it_has_the_shape_that_outlook_reads(
    worker: Worker, office: PostOffice, post: Post, visit_of: Callable[[int], Appointment]
) -> None:
    asked = post("ana@example.com", patient={"invitations_since": AGREED})
    post("eva@example.com")
    worker.once()
    (mail,), (other,) = office.of("ana@example.com"), office.of("eva@example.com")
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
        "application/ics",
    ]  # fmt: skip
    part, attached = list(mail.walk())[4:]
    assert (part.get_param("method"), part["Content-Disposition"]) == ("REQUEST", None)
    assert part.get_payload(decode=True) == attached.get_payload(decode=True)
    event = event_of(part)
    visit = visit_of(asked)
    assert (event["uid"], event["sequence"], event.start) == (
        visit.uid, 0, visit.starts_at,
    )  # fmt: skip
    assert str(event["organizer"]) == "mailto:desk@clinic.example"
    assert str(event["attendee"]) == "mailto:ana@example.com"
    assert other.get_content_type() == "multipart/alternative"


def test_the_bytes_of_an_invitation_are_a_calendars_own(
    worker: Worker, office: PostOffice, post: Post
) -> None:
    post("ana@example.com", patient={"invitations_since": AGREED})
    worker.once()
    part = list(office.mails[0].walk())[4]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    lines = content.split(b"\r\n")
    assert (lines[0], lines[-1], lines.count(b"METHOD:REQUEST")) == (b"BEGIN:VCALENDAR", b"", 1)
    assert (lines.count(b"BEGIN:VEVENT"), lines.count(b"BEGIN:VTIMEZONE")) == (1, 1)
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)


def test_a_cancellation_cancels_in_the_calendar_too(
    worker: Worker,
    office: PostOffice,
    post: Post,
    change: Callable[..., None],
    visit_of: Callable[[int], Appointment],
) -> None:
    id_ = post("ana@example.com", patient={"invitations_since": AGREED}, kind="cancellation")
    visit = visit_of(id_)
    change(Message, id_, facts=known(visit))
    change(Appointment, visit.id, status="cancelled", sequence=1, ended_at=NOW)
    worker.once()
    part = list(office.mails[0].walk())[4]
    event = event_of(part)
    assert (part.get_param("method"), event["status"], event["sequence"], event.alarms.times) == (
        "CANCEL", "CANCELLED", 1, [],
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["cancellation", "change", "reminder", "invitation"])
def test_whoever_has_come_early_is_told_nothing_of_the_visit_they_came_for(
    post: Post, change: Callable[..., None], visit_of: Callable[[int], Appointment], kind: str
) -> None:
    id_ = post("ana@example.com", patient={"invitations_since": AGREED}, kind=kind)
    visit = visit_of(id_)
    change(Message, id_, facts=known(visit))
    change(Appointment, visit.id, status="arrived", arrived_at=NOW)
    assert isinstance(queries.letter(id_, now=NOW), Nothing)


def test_an_invitation_of_what_was_cancelled_with_others_removes_it_from_the_calendar(
    post: Post, change: Callable[..., None], visit_of: Callable[[int], Appointment]
) -> None:
    id_ = post("ana@example.com", kind="invitation", patient={"invitations_since": AGREED})
    entered = written(id_)
    change(Appointment, visit_of(id_).id, status="cancelled", sequence=1, ended_at=NOW)
    removed = written(id_)
    assert (entered.subject, entered.method) == (
        "For your calendar: your appointment on Wed 10 Mar", "REQUEST",
    )  # fmt: skip
    assert (removed.subject, removed.method) == (
        "Your appointment on Wed 10 Mar is cancelled", "CANCEL",
    )  # fmt: skip
    change(Patient, visit_of(id_).patient_id, invitations_since=None)
    assert queries.letter(id_, now=NOW) == Nothing(reason="undone")


def test_a_change_says_what_was_and_what_is(
    post: Post, change: Callable[..., None], visit_of: Callable[[int], Appointment]
) -> None:
    id_ = post("ana@example.com", kind="change")
    visit = visit_of(id_)
    change(Message, id_, facts=known(visit, starts_at=at(date(2027, 3, 9), 16).isoformat()))
    made = written(id_)
    assert made.subject == "Your appointment is now on Wed 10 Mar"
    assert (made.lines[0].when, made.lines[0].was) == (
        "Wednesday 10 March 2027, 9:00 AM", "Before: Tue 9 Mar, 4:00 PM",
    )  # fmt: skip


def test_words_are_those_of_the_moment_of_sending(
    post: Post, change: Callable[..., None], visit_of: Callable[[int], Appointment]
) -> None:
    id_ = post("ana@example.com")
    visit = visit_of(id_)
    change(Appointment, visit.id, starts_at=at(DAY, 15), ends_at=at(DAY, 15, 30),
           room_from=at(DAY, 15), room_until=at(DAY, 15, 40), patient_until=at(DAY, 15, 30))  # fmt: skip
    change(Patient, visit.patient_id, language="es")
    made = written(id_)
    assert (made.subject, made.locale) == ("Su cita del mié 10 mar", "es")
    assert made.lines[0].when == "Miércoles 10 de marzo de 2027, 15:00"


def test_a_language_without_texts_is_answered_in_english_and_the_desk_sees_it(
    worker: Worker, post: Post, bound: sa.Engine
) -> None:
    from planner.queries import messages

    id_ = post("ana@example.com", patient={"language": "ht"})
    worker.once()
    with Session(bound) as session:
        row = session.get_one(Message, id_)
        key = session.get_one(Patient, row.patient_id).key
    (line,) = messages.of_patient(key, locale="en", now=NOW).lines
    assert (row.locale, line.language_note) == (
        "en", "Written in English: there are no texts in Haitian Creole yet.",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_tells_of_the_treatment_until_the_patient_wants_plain_words(
    post: Post,
    change: Callable[..., None],
    clinic: SmallClinic,
    given: Given,
    bound: sa.Engine,
    language: str,
) -> None:
    patient = {"language": language, "given_name": "Ana", "family_name": "Perez"}
    id_ = post("ana@example.com", kind="course", patient=patient)
    with Session(bound) as session:
        row = session.get_one(Message, id_)
        course_id = factories.course(session, clinic, row.patient_id or 0)
        numbers = factories.course_sessions(session, course_id)
        facts: dict[str, Any] = {}
        for number, day in ((1, 15), (2, 29)):
            visit = factories.appointment(
                session, clinic, row.patient_id or 0, day=date(2027, 3, day), hour=16,
                course_session_id=numbers[number],
            )  # fmt: skip
            facts[str(visit)] = None
        row.course_id, row.appointment_id, row.facts = course_id, None, facts
        row.expires_at = at(date(2027, 3, 29), 16)
        session.commit()
        patient_id = row.patient_id
    neutral = written(id_)
    words = "\n".join((neutral.subject, letters.plain(neutral), neutral.short)).lower()
    bare = words.replace("glamour medical aesthetics", "")
    assert [word for word in FORBIDDEN if word in bare] == []
    assert len(neutral.lines) == 2
    change(Patient, patient_id, plain_words_since=AGREED)
    title = {"en": "Sclerotherapy, 1 of 3", "es": "Escleroterapia, 1 de 3"}[language]
    assert written(id_).lines[0].title == title


def test_the_clinics_own_words_fill_in_and_never_leave_a_brace(
    post: Post, change: Callable[..., None]
) -> None:
    def save(text: str, version: int) -> None:
        texts.save_message_text(
            "mail", "confirmation", "en", text, version=version, by=SYSTEM, now=NOW
        )

    id_ = post("ana@example.com", patient={"given_name": "Ana"})
    save("Dear {name}, welcome to {clinic}. Call {phone}.", 0)
    unfilled = written(id_).intro  # the clinic has no phone yet
    change(Clinic, 1, phone="(305) 555-0100")
    filled = written(id_).intro
    with pytest.raises(Invalid) as refusal:
        save("Dear {nombre}", 1)
    save("Your sclerotherapy session, {name}", 1)
    assert unfilled == "We look forward to seeing you. This is your appointment:"
    assert filled == "Dear Ana, welcome to Glamour Medical Aesthetics. Call (305) 555-0100."
    assert refusal.value.fields == {"text": "placeholder"}
    assert written(id_).intro == unfilled  # it tells of the treatment


@pytest.mark.parametrize(
    ("own", "shown"),
    [("#7a1f5c", "#7a1f5c"), ("#ffe066", "#0f766e"), ("teal", "#0f766e"), ('"><x>', "#0f766e")],
)
def test_the_clinics_colour_is_used_where_white_can_be_read_on_it(
    post: Post, change: Callable[..., None], own: str, shown: str
) -> None:
    id_ = post("ana@example.com")
    change(Clinic, 1, colour=own)
    assert written(id_).colour == shown


def test_nobody_to_write_to_is_a_reason_and_no_failure(worker: Worker, post: Post) -> None:
    id_ = post("")
    sms = post("", channel="sms", patient={"phone": "no number"})
    assert queries.letter(id_, now=NOW) == Nothing(reason="no_address")
    assert queries.letter(sms, now=NOW) == Nothing(reason="no_address")


def test_a_reminder_of_a_visit_that_has_moved_is_not_sent(
    post: Post, change: Callable[..., None], visit_of: Callable[[int], Appointment]
) -> None:
    id_ = post("ana@example.com", kind="reminder")
    visit = visit_of(id_)
    change(Message, id_, facts=known(visit))
    still = said(id_)
    change(Message, id_, facts=known(visit, starts_at=at(DAY, 17).isoformat()))
    assert "This is a reminder of your appointment:" in still
    assert queries.letter(id_, now=NOW) == Nothing(reason="superseded")


def test_aftercare_is_neutral_with_a_link_and_plain_with_dates(
    post: Post,
    change: Callable[..., None],
    visit_of: Callable[[int], Appointment],
    clinic: SmallClinic,
) -> None:
    id_ = post("ana@example.com", kind="aftercare", facts={})
    visit = visit_of(id_)
    change(Appointment, visit.id, status="fulfilled", service_id=clinic.sclerotherapy,
           actual_starts_at=visit.starts_at, actual_ends_at=visit.ends_at)  # fmt: skip
    neutral = said(id_)
    change(Patient, visit.patient_id, plain_words_since=AGREED)
    plain = said(id_)
    assert ("The details are on the sheet" in neutral, "sauna" in neutral) == (True, False)
    assert ("Sat 13 Mar, 9:30 AM" in plain, "no sauna" in plain) == (True, True)


def test_a_test_mail_goes_to_oneself_with_made_up_data(
    worker: Worker, office: PostOffice, clinic: SmallClinic, clock: Clock
) -> None:
    from planner.who import Who

    manager = Who(user_id=clinic.manager, role="manager")
    actions.send_test("course", "es", by=manager, now=clock.at)
    worker.once()
    (mail,) = office.of("manager@example.com")
    assert (mail["Subject"], post_office.text_of(mail).count("* ")) == (
        "Sus citas a partir del mié 10 mar", 3,
    )  # fmt: skip


def test_reminders_are_written_once_when_due_and_only_where_they_make_sense(
    bound: sa.Engine, given: Given, clinic: SmallClinic, change: Callable[..., None]
) -> None:
    old = NOW - timedelta(days=30)
    patients = {
        name: given(factories.patient, given_name=name, email=email, reminders_by=by)
        for name, email, by in (
            ("week", "a@example.com", "mail"), ("late", "b@example.com", "mail"),
            ("none", "c@example.com", "none"), ("mute", "", "mail"), ("far", "d@example.com", "mail"),
        )
    }  # fmt: skip
    days = {"week": 7, "late": 6, "none": 7, "mute": 6, "far": 8}
    for hour, (name, patient_id) in enumerate(patients.items(), start=9):
        given(
            factories.appointment, clinic, patient_id, day=NOW.date() + timedelta(days=days[name]),
            hour=hour, created_at=NOW - timedelta(hours=3) if name == "late" else old,
        )  # fmt: skip
    at_ten = at(NOW.date(), 10)
    early = actions.plan(now=at_ten - timedelta(minutes=1))
    once, again = actions.plan(now=at_ten), actions.plan(now=at_ten)
    with Session(bound) as session:
        (row,) = session.scalars(sa.select(Message))
    assert (early, once, again) == (0, 1, 0)
    assert (row.patient_id, row.kind) == (patients["week"], "reminder")
    change(Service, clinic.consult, reminder_days=[])
    assert actions.plan(now=at_ten + timedelta(days=1)) == 0


def test_quiet_hours_hold_back_a_second_attempt_as_well(
    worker: Worker,
    office: PostOffice,
    clock: Clock,
    post: Post,
    clinic: SmallClinic,
    bound: sa.Engine,
) -> None:
    evening = at(NOW.date(), 19, 59)
    id_ = post("defer-once@example.com", site_id=clinic.miami, not_before=evening,
               next_attempt_at=evening)  # fmt: skip
    clock.at = evening
    worker.once()
    clock.forward(minutes=5)
    by_night = worker.once()
    with Session(bound) as session:
        row, site = session.get_one(Message, id_), session.get_one(Site, clinic.miami)
    assert (by_night, row.status, site.quiet_from.hour) == (0, "waiting", 20)
    assert row.next_attempt_at == at(NOW.date() + timedelta(days=1), 8)


def test_a_course_that_stands_still_is_asked_after_once(
    bound: sa.Engine, given: Given, clinic: SmallClinic
) -> None:
    patient_id = given(factories.patient, email="ana@example.com")
    course_id = given(factories.course, clinic, patient_id)
    numbers: Any = given(factories.course_sessions, course_id)
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3), status="fulfilled",
          course_session_id=numbers[1])  # fmt: skip
    early = actions.plan(now=at(date(2027, 3, 6), 9))
    found = [actions.plan(now=at(date(2027, 3, day), 12)) for day in (6, 7)]
    with Session(bound) as session:
        (row,) = session.scalars(sa.select(Message))
    assert (early, found, row.kind, row.course_id) == (0, [1, 0], "next_session", course_id)
    assert "is not booked yet" in said(row.id)


def test_what_waits_for_a_file_goes_to_the_one_it_is_merged_into(
    worker: Worker, office: PostOffice, post: Post, given: Given, bound: sa.Engine
) -> None:
    kept_id = given(factories.patient, given_name="Kept", email="kept@example.com")
    id_ = post("other@example.com")
    with Session(bound) as session:
        other = session.get_one(Patient, session.get_one(Message, id_).patient_id)
        kept = session.get_one(Patient, kept_id)
        keys, versions = (kept.key, other.key), (kept.version, other.version)
    merging.merge(
        *keys, kept_version=versions[0], other_version=versions[1], by=SYSTEM, now=worker.now()
    )
    worker.once()
    with Session(bound) as session:
        row = session.get_one(Message, id_)
    assert (office.recipients, row.patient_id, row.status) == (
        ["kept@example.com"], kept_id, "sent",
    )  # fmt: skip


def test_a_service_reminds_a_week_and_two_days_ahead_and_on_the_morning(
    clinic: SmallClinic, bound: sa.Engine
) -> None:
    with Session(bound) as session:
        assert session.get_one(Service, clinic.consult).reminder_days == [7, 2, 0]
