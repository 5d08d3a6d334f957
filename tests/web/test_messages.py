"""The queue of messages, the words of each kind, and what one patient was told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from planner import clock
from planner.db.engine import db
from planner.db.models import Appointment, ClinicText, Message, Patient, Service, Site
from tests import factories
from tests.web.conftest import csrf_of
from tests.web.managing import SERVICE, SITE, Manager, manager, version_in, words

__all__ = ["manager"]

QUEUE = "/settings/messages"
TEXT = "/settings/messages/texts/change/en"


@pytest.fixture
def message(manager: Manager) -> Callable[..., str]:
    """Store a message about a consult next week: ``message(status="failed")``; its key."""

    def add(session: Session, email: str = "ana@example.com", **columns: Any) -> str:
        person = columns.pop("patient", {})
        patient_id = factories.patient(session, given_name="Ana", email=email, **person)
        day = manager.clinic.today + timedelta(days=7)
        visit = factories.appointment(session, manager.clinic, patient_id, day=day)
        starts_at = session.get_one(Appointment, visit).starts_at
        ahead = {"expires_at": starts_at, **columns}
        id_ = factories.message(session, patient_id, appointment_id=visit, **ahead)
        return session.get_one(Message, id_).key

    return lambda **columns: str(manager.add(add, **columns))


def test_the_queue_says_why_and_a_failed_one_is_tried_again(
    manager: Manager, message: Callable[..., str]
) -> None:
    key = message(
        status="failed", reason="refused", last_error="550 5.1.1 no such user", attempts=3,
        recipient="ana@example.com",
    )  # fmt: skip
    page = words(manager.see(f"{QUEUE}?status=failed"))
    for said in ("No mail is sent", "Ana Lopez", "The server refused it.", "550 5.1.1", "Failed 1"):
        assert said in page
    answer = manager.send(f"{QUEUE}/{key}/retry", {"status": "failed"}, of=QUEUE)
    (row,) = manager.stored(Message)
    assert (answer.status_code, row.status, row.attempts) == (302, "waiting", 0)


def test_a_message_is_withdrawn_and_what_was_sent_is_not(
    manager: Manager, message: Callable[..., str]
) -> None:
    waiting = message()
    answers = [manager.send(f"{QUEUE}/{waiting}/drop", {}, of=QUEUE) for _ in range(2)]
    told = words(manager.see(QUEUE))
    (row,) = manager.stored(Message)
    assert ([answer.status_code for answer in answers], row.status, row.reason) == (
        [302, 302], "dropped", "by_hand",
    )  # fmt: skip
    assert "has been sent" in told
    assert manager.browser.get(f"{QUEUE}/{waiting}/drop").status_code == 405
    assert manager.send(f"{QUEUE}/{waiting}/explode", {}, of=QUEUE).status_code == 404


def test_what_is_out_of_date_is_not_tried_again(
    manager: Manager, message: Callable[..., str]
) -> None:
    key = message(status="failed", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    manager.send(f"{QUEUE}/{key}/retry", {}, of=QUEUE)
    (row,) = manager.stored(Message)
    assert row.status == "failed"
    assert "It is too late" in words(manager.see(QUEUE))


def test_a_preview_shows_what_is_typed_and_saves_nothing(manager: Manager) -> None:
    typed = {"text": "Dear {name}, something moved.", "version": "0", "do": "preview"}
    page = words(manager.send(TEXT, typed).text)
    assert ("Dear Ana, something moved." in page, manager.stored(ClinicText, _own())) == (True, [])


def test_words_are_saved_per_language_and_an_unknown_brace_is_refused_beside_the_field(
    manager: Manager,
) -> None:
    refused = manager.send(TEXT, {"text": "Dear {patient}", "version": "0"})
    saved = manager.send(TEXT, {"text": "Dear {name}", "version": "0"})
    (row,) = manager.stored(ClinicText, _own())
    assert (refused.status_code, saved.status_code) == (422, 302)
    assert "Only {name}, {clinic} and {phone}" in words(refused.text)
    assert "Dear {patient}</textarea>" in refused.text
    assert (row.code, row.language, row.text) == ("mail.change", "en", "Dear {name}")
    assert "mail.change" not in manager.see("/settings/texts")
    again = manager.send(TEXT, {"text": "", "version": version_in(manager.see(TEXT))})
    (row,) = manager.stored(ClinicText, _own())
    assert (again.status_code, row.text, row.is_placeholder) == (302, "", True)


def test_words_that_tell_of_the_treatment_are_marked(manager: Manager) -> None:
    typed = {"text": "Your sclerotherapy", "version": "0", "do": "preview"}
    assert "only patients who asked for plain words" in words(manager.send(TEXT, typed).text)


@pytest.mark.parametrize("path", ["nothing/en", "change/pt", "test/en", "invitation/en"])
def test_there_are_words_of_some_kinds_in_some_languages(manager: Manager, path: str) -> None:
    assert manager.browser.get(f"/settings/messages/texts/{path}").status_code == 404


def test_a_test_goes_to_the_managers_own_address(manager: Manager) -> None:
    answer = manager.send(f"{TEXT}/test", {}, of=TEXT)
    (row,) = manager.stored(Message)
    assert (answer.status_code, row.kind, row.recipient, row.patient_id) == (
        302, "test", "manager@example.com", None,
    )  # fmt: skip


def test_the_patients_page_shows_what_was_said_and_says_it_again(
    manager: Manager, message: Callable[..., str]
) -> None:
    key = message(
        status="sent", sent_at=clock.now(), recipient="ana@example.com", locale="en",
        subject="Your appointment", body="Hello Ana,", patient={"language": "pt"},
    )  # fmt: skip
    (patient,) = manager.stored(Patient)
    url = f"/patients/{patient.key}/messages"
    page = words(manager.see(url))
    for said in ("Confirmation of one appointment", "Hello Ana,", "no texts in Portuguese yet"):
        assert said in page
    manager.send(f"{url}/{key}/again", {}, of=url)
    statuses = [(row.kind, row.status) for row in manager.stored(Message)]
    assert statuses == [("confirmation", "sent"), ("confirmation", "waiting")]


def test_wishes_are_kept_and_nonsense_is_refused(
    manager: Manager, message: Callable[..., str]
) -> None:
    message()
    (patient,) = manager.stored(Patient)
    url = f"/patients/{patient.key}/messages"
    manager.send(f"{url}/wishes", {"reminders_by": "sms", "invitations": "yes"}, of=url)
    (asked,) = manager.stored(Patient)
    manager.send(f"{url}/wishes", {"reminders_by": "pigeon"}, of=url)
    (kept,) = manager.stored(Patient)
    assert (asked.reminders_by, asked.invitations_since is not None) == ("sms", True)
    assert (kept.reminders_by, kept.invitations_since) == ("sms", asked.invitations_since)


def test_reminders_are_set_per_service_and_quiet_hours_per_site(manager: Manager) -> None:
    manager.send("/settings/services/new", {**SERVICE, "reminder_days": ["3", "0"]})
    wrong = manager.send("/settings/services/new", {**SERVICE, "reminder_days": ["5"]})
    manager.send("/settings/sites/new", {**SITE, "quiet_from": "21:30"})
    (service,) = manager.stored(Service, Service.name == SERVICE["name"])
    (site,) = manager.stored(Site, Site.name == SITE["name"])
    assert (service.reminder_days, site.quiet_from.isoformat(), wrong.status_code) == (
        [3, 0], "21:30:00", 422,
    )  # fmt: skip


def test_a_swap_asks_whether_to_tell_the_patient(
    app: Flask, sign_in: Callable[..., FlaskClient], clinic: factories.SmallClinic
) -> None:
    day = clinic.today + timedelta(days=(7 - clinic.today.weekday()) % 7 + 7)  # a Monday
    with app.app_context(), Session(db.engine) as session:
        patient_id = factories.patient(session, email="ana@example.com")
        id_ = factories.appointment(session, clinic, patient_id, day=day)
        key = session.get_one(Appointment, id_).key
        session.commit()
    browser = sign_in("receptionist")
    pick = re.search(rf"pick=({clinic.miami}\.{clinic.pa}\.[^\"&]+)", browser.get(
        f"/appointments/{key}/swap").text)  # fmt: skip
    assert pick is not None
    page = browser.get(f"/appointments/{key}/swap?pick={pick[1]}").text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = browser.post(
        f"/appointments/{key}/swap", data={**fields, "csrf_token": csrf_of(page), "tell": "yes"}
    )
    with app.app_context(), Session(db.engine) as session:
        kinds = list(session.scalars(sa.select(Message.kind)))
    assert ("Tell the patient?" in page, answer.status_code, kinds) == (True, 302, ["change"])


def _own() -> Any:
    return ClinicText.code.like("mail.%")


SMS = "/settings/messages/text-messages/reminder/en"


def test_a_text_message_is_edited_with_its_length_and_saved(manager: Manager) -> None:
    typed = {"text": "{clinic}: see you {when}, {name}.", "version": "0"}
    page = words(manager.send(SMS, {**typed, "do": "preview"}).text)
    odd = words(manager.send(SMS, {**typed, "text": "Hasta el día {when}", "do": "preview"}).text)
    saved = manager.send(SMS, typed)
    (row,) = manager.stored(ClinicText, ClinicText.code.like("sms.%"))
    assert ("see you" in page, ", Ana." in page, "/p/xxx" in page, "1 part" in page) == (
        True, True, True, True,
    )  # fmt: skip
    assert ("a part holds 70" in odd, "í" in odd.partition("Not in the alphabet")[2]) == (
        True,
        True,
    )
    assert (saved.status_code, row.code, row.language, row.text) == (
        302, "sms.reminder", "en", typed["text"],
    )  # fmt: skip
    assert "sms.reminder" not in manager.see("/settings/texts")


@pytest.mark.parametrize(
    ("path", "text", "is_said"),
    [
        (SMS, "Call {phone}, {name}", True),  # the clinic has given none
        (SMS, "Dear {patient}", True),
        (SMS, "See you {when}", False),
        (SMS, "See you", False),
        (SMS, "", False),
        (TEXT, "Call {phone}, {name}", True),
        (TEXT, "Dear {name}", False),
        (TEXT, "", False),
    ],
)
def test_a_preview_says_that_the_shipped_text_stands_for_what_cannot_be_filled_in(
    manager: Manager, path: str, text: str, is_said: bool
) -> None:
    page = words(manager.send(path, {"text": text, "version": "0", "do": "preview"}).text)
    assert ("the shipped text is sent instead" in page) == is_said


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("reminder", "Dear {patient}", "Only what stands below the field"),
        ("aftercare", "It was {when}", "Only what stands below the field"),
        ("reminder", "Your sclerotherapy {when}", "Please say it neutrally".lower()),
        ("reminder", "a" * 321, "At most 320"),
    ],
)
def test_words_that_no_text_message_may_have_are_refused(
    manager: Manager, kind: str, text: str, said: str
) -> None:
    url = f"/settings/messages/text-messages/{kind}/en"
    answer = manager.send(url, {"text": text, "version": "0"})
    stored = manager.stored(ClinicText, ClinicText.code.like("sms.%"))
    assert (answer.status_code, stored) == (422, [])
    assert said.lower() in words(answer.text).lower()


def test_a_test_goes_to_a_number_as_a_text_message(manager: Manager) -> None:
    wrong = manager.send(f"{SMS}/test", {"number": "12"}, of=SMS)
    sent = manager.send(f"{SMS}/test", {"number": "(305) 555-0199"}, of=SMS)
    (row,) = manager.stored(Message)
    assert (wrong.status_code, sent.status_code) == (422, 302)
    assert (row.kind, row.channel, row.recipient, row.facts) == (
        "test", "sms", "+13055550199", {"of": "reminder"},
    )  # fmt: skip
    assert "text messages are switched off" in words(manager.see(SMS))
