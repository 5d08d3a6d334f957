"""Text messages before a server that answers like Twilio's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import messages as actions
from planner.db.models import ClinicText, Message
from planner.mail.sms import Twilio
from planner.who import Who
from tests.factories import SmallClinic
from tests.mail.conftest import Clock, make_worker
from tests.support import text_office
from tests.support.databases import sqlite_only
from tests.support.text_office import ACCOUNT, TOKEN, TextOffice

Post = Callable[..., int]
Read = Callable[[int], Message]


@pytest.fixture
def texts() -> Iterator[TextOffice]:
    with text_office.opened() as opened:
        yield opened


def way(texts: TextOffice, **changed: str) -> Twilio:
    given = {"account": ACCOUNT, "token": TOKEN, "sender": "+13055550100", "url": texts.url}
    return Twilio(**{**given, **changed}, timeout=5)


def wanting(post: Post, number: str) -> int:
    return post("", channel="sms", patient={"phone": f"+1305555010{number}", "language": "es"})


@sqlite_only
def test_a_text_message_is_neutral_and_short_and_its_receipt_is_kept(
    clock: Clock, texts: TextOffice, post: Post, read: Read
) -> None:
    id_ = wanting(post, "9")
    make_worker(1, clock, mail=None, texts=way(texts)).once()
    (form,) = texts.taken
    head, _, link = form.pop("Body").rpartition(" ")
    assert form == {"To": "+13055550109", "From": "+13055550100"}
    assert head == (
        "Glamour Medical Aesthetics: Su cita del mié 10 mar. Miércoles 10 de marzo de 2027, 9:00."
    )
    assert link.startswith("https://planner.example.com/p/")
    row = read(id_)
    assert (row.status, row.receipt[:2], row.recipient, link in row.body) == (
        "sent", "SM", "+13055550109", False,
    )  # fmt: skip


@sqlite_only
@pytest.mark.parametrize(("number", "reason"), [("1", "refused"), ("2", "unsubscribed")])
def test_what_is_refused_has_failed_with_its_reason(
    clock: Clock, texts: TextOffice, post: Post, read: Read, number: str, reason: str
) -> None:
    id_ = wanting(post, number)
    make_worker(1, clock, mail=None, texts=way(texts)).once()
    assert (read(id_).status, read(id_).reason) == ("failed", reason)
    assert read(id_).last_error.startswith("400 21")


@sqlite_only
@pytest.mark.parametrize(
    ("number", "reason"), [("3", "deferred"), ("4", "deferred"), ("5", "unclear")]
)
def test_what_failed_for_now_is_tried_again(
    clock: Clock, texts: TextOffice, post: Post, read: Read, number: str, reason: str
) -> None:
    id_ = wanting(post, number)
    worker = make_worker(1, clock, mail=None, texts=way(texts))
    worker.once()
    first = (read(id_).status, read(id_).reason)
    clock.forward(minutes=1)
    worker.once()
    assert (first, read(id_).status) == (("waiting", reason), "sent")


@sqlite_only
def test_a_wrong_token_fails_no_message_and_mail_goes_on(
    clock: Clock, texts: TextOffice, post: Post, read: Read
) -> None:
    id_ = wanting(post, "9")
    make_worker(1, clock, mail=None, texts=way(texts, token="wrong")).once()
    assert (read(id_).status, read(id_).reason, read(id_).attempts) == ("waiting", "unreachable", 0)


def test_a_messaging_service_sends_for_a_number(texts: TextOffice) -> None:
    way(texts, sender="MG123").send("+13055550109", "Hello")
    assert texts.taken == [{"To": "+13055550109", "MessagingServiceSid": "MG123", "Body": "Hello"}]


def test_the_token_shows_in_no_trace(texts: TextOffice) -> None:
    assert TOKEN not in repr(way(texts))


@sqlite_only
@pytest.mark.parametrize(
    ("own", "begins"),
    [
        ("{clinic}: lo esperamos, {name}, {when}.", "Glamour Medical Aesthetics: lo esperamos, "),
        ("Su escleroterapia es {when}.", "Glamour Medical Aesthetics: Su cita del"),
        ("Hola {nobody}", "Glamour Medical Aesthetics: Su cita del"),
    ],
)
def test_the_clinics_own_words_are_sent_while_they_are_neutral_and_whole(
    clock: Clock, texts: TextOffice, post: Post, bound: sa.Engine, own: str, begins: str
) -> None:
    with Session(bound) as session:
        session.add(
            ClinicText(code="sms.confirmation", language="es", text=own, is_placeholder=False)
        )
        session.commit()
    id_ = post(
        "", channel="sms",
        patient={"phone": "+13055550109", "language": "es", "plain_words_since": clock.at},
    )  # fmt: skip
    make_worker(1, clock, mail=None, texts=way(texts)).once()
    (form,) = texts.taken
    assert id_ and form["Body"].startswith(begins)
    assert "https://planner.example.com/p/" in form["Body"]


@sqlite_only
def test_a_test_arrives_at_the_number_it_was_sent_to(
    clock: Clock, texts: TextOffice, clinic: SmallClinic
) -> None:
    by = Who(user_id=clinic.receptionist, role="manager", origin="test", request_id="r")
    actions.send_test("change", "es", number="305-555-0109", by=by, now=clock.at)
    make_worker(1, clock, mail=None, texts=way(texts)).once()
    (form,) = texts.taken
    assert (form["To"], "Su cita" in form["Body"], "/p/" in form["Body"]) == (
        "+13055550109", True, False,
    )  # fmt: skip
