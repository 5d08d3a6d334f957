"""A worker before a real mail server that refuses, defers, hangs up, and takes without saying so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import messages as actions
from planner.db.messages import LEASE
from planner.db.models import Message, PatientLink
from planner.mail.transports import Smtp
from planner.who import SYSTEM
from planner.worker import Worker
from tests import factories
from tests.factories import SmallClinic
from tests.mail.conftest import DAY, Clock, make_worker
from tests.support import post_office
from tests.support.databases import sqlite_only
from tests.support.post_office import PostOffice

Post = Callable[..., int]
Read = Callable[[int], Message]


def test_what_is_due_is_sent_once_and_what_was_sent_is_written_down(
    worker: Worker, office: PostOffice, clock: Clock, post: Post, read: Read
) -> None:
    id_ = post("ana@example.com")
    assert (worker.once(), worker.once(), office.recipients) == (1, 0, ["ana@example.com"])
    row, mail = read(id_), office.mails[0]
    assert (row.status, row.sent_at, row.recipient, row.locale, row.attempts) == (
        "sent", clock.at, "ana@example.com", "en", 1,
    )  # fmt: skip
    assert (row.subject, row.message_id) == (mail["Subject"], mail["Message-ID"])
    assert row.message_id == f"<{row.key}@clinic.example>"
    assert ("Wednesday 10 March 2027" in row.body, "/p/" in row.body) == (True, False)


@sqlite_only
def test_nothing_leaves_before_its_time(
    worker: Worker, office: PostOffice, clock: Clock, post: Post
) -> None:
    due = clock.at + timedelta(minutes=2)
    post("ana@example.com", not_before=due, next_attempt_at=due)
    early = worker.once()
    clock.forward(minutes=2)
    assert (early, worker.once()) == (0, 1)


@sqlite_only
def test_one_bad_address_stops_nobody_else(
    worker: Worker, office: PostOffice, post: Post, read: Read
) -> None:
    bad = post("refuse@example.com")
    broken = post("a\r\nBcc: all@example.com@x.example")
    good = post("ana@example.com")
    worker.once()
    found = [(read(id_).status, read(id_).reason) for id_ in (bad, broken, good)]
    assert found == [("failed", "refused"), ("failed", "address"), ("sent", "")]
    assert "550 5.1.1 no such user" in read(bad).last_error
    assert office.recipients == ["ana@example.com"]


@sqlite_only
@pytest.mark.parametrize("name", ["defer-once", "hang-up", "swallow-once"])
def test_after_a_failure_for_now_it_comes_again_under_the_same_message_id(
    worker: Worker, office: PostOffice, clock: Clock, post: Post, read: Read, name: str
) -> None:
    id_ = post(f"{name}@example.com")
    worker.once()
    first = (read(id_).status, read(id_).reason)
    again_at_once = worker.once()
    clock.forward(minutes=1)
    worker.once()
    reason = "unclear" if name == "swallow-once" else "deferred"
    assert (first, again_at_once, read(id_).status) == (("waiting", reason), 0, "sent")
    # Only what was taken without an answer may come twice; and then mail programs show it once.
    mails = office.of(f"{name}@example.com")
    assert len(mails) == (2 if name == "swallow-once" else 1)
    assert len({mail["Message-ID"] for mail in mails}) == 1
    assert len({post_office.text_of(mail) for mail in mails}) == 1  # the same link


@sqlite_only
def test_what_is_deferred_for_ever_has_failed_within_a_day(
    worker: Worker, office: PostOffice, clock: Clock, post: Post, read: Read
) -> None:
    id_ = post("defer@example.com")
    waits = []
    while read(id_).status == "waiting":
        before = clock.at
        clock.at = max(clock.at, read(id_).next_attempt_at)
        waits.append(clock.at - before)
        worker.once()
    assert (read(id_).status, read(id_).reason) == ("failed", "deferred")
    assert waits == sorted(waits)
    assert len(waits) == 10
    assert sum(waits, timedelta()) < timedelta(hours=24)


@sqlite_only
def test_a_server_out_of_reach_is_no_messages_fault(
    clock: Clock, office: PostOffice, post: Post, read: Read
) -> None:
    worker = make_worker(1, clock)
    first, second = post("ana@example.com"), post("eva@example.com")
    worker.once()
    found = [(read(id_).status, read(id_).attempts) for id_ in (first, second)]
    assert found == [("waiting", 0), ("waiting", 0)]
    assert read(first).reason == "unreachable"
    worker.mail = Smtp(host="127.0.0.1", port=office.port, security="none")
    clock.forward(minutes=1)
    assert (worker.once(), len(office.taken)) == (2, 2)


@sqlite_only
def test_a_server_that_takes_nothing_from_us_fails_no_message(
    worker: Worker, office: PostOffice, post: Post, read: Read
) -> None:
    office.refuses_sender = True
    id_ = post("ana@example.com")
    worker.once()
    assert (read(id_).status, read(id_).reason) == ("waiting", "unreachable")
    assert "sender not allowed" in read(id_).last_error


@sqlite_only
def test_a_slow_server_gets_each_message_once(
    worker: Worker, office: PostOffice, post: Post
) -> None:
    post("slow@example.com")
    post("ana@example.com")
    assert (worker.once(), sorted(office.recipients)) == (
        2, ["ana@example.com", "slow@example.com"],
    )  # fmt: skip


@sqlite_only
def test_signing_in_is_asked_for_and_a_wrong_password_fails_no_message(
    clock: Clock, post: Post, read: Read
) -> None:
    how = {"authenticator": post_office.only("planner", "right"), "auth_require_tls": False}
    id_ = post("ana@example.com")
    with post_office.opened(PostOffice(asks_who=True), **how) as office:
        for password in ("wrong", "right"):
            mail = Smtp(
                host="127.0.0.1", port=office.port, security="none", user="planner",
                password=password,
            )  # fmt: skip
            worker = make_worker(office.port, clock, mail=mail)
            worker.once()
            seen = (read(id_).status, read(id_).reason)
            assert seen == {"wrong": ("waiting", "unreachable"), "right": ("sent", "")}[password]
            clock.forward(minutes=1)


@sqlite_only
def test_a_server_without_starttls_gets_nothing_when_it_was_asked_for(
    clock: Clock, office: PostOffice, post: Post, read: Read
) -> None:
    worker = make_worker(office.port, clock, mail=Smtp(host="127.0.0.1", port=office.port))
    id_ = post("ana@example.com")
    worker.once()
    assert (read(id_).reason, office.taken) == ("unreachable", [])


def test_what_a_dead_worker_held_is_sent_by_another_when_its_lease_is_over(
    worker: Worker, office: PostOffice, clock: Clock, post: Post, read: Read
) -> None:
    id_ = post("ana@example.com")
    dead = actions.claim("dead", ("mail",), now=clock.at)
    assert dead is not None
    meanwhile = worker.once()
    clock.at += LEASE
    later = worker.once()
    came_back = actions.sent(dead, "dead", now=clock.at)
    assert (meanwhile, later, came_back, read(id_).status) == (0, 1, False, "sent")


def test_two_workers_at_once_send_every_message_once(
    bound: sa.Engine, office: PostOffice, clock: Clock, post: Post
) -> None:
    from flask import current_app

    addresses = [f"patient{number}@example.com" for number in range(16)]
    for address in addresses:
        post(address)
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # of the proxy
    counts: list[int] = []

    def work() -> None:
        with app.app_context():
            counts.append(make_worker(office.port, clock).once())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (sum(counts), sorted(office.recipients)) == (16, sorted(addresses))


def test_the_link_opens_the_patients_page_and_no_token_is_stored(
    bound: sa.Engine, worker: Worker, office: PostOffice, post: Post, read: Read
) -> None:
    from planner.queries import own_page

    id_ = post("ana@example.com")
    worker.once()
    text = post_office.text_of(office.mails[0])
    token = text.partition("https://planner.example.com/p/")[2].split()[0]
    with Session(bound) as session:
        link = session.get_one(PatientLink, read(id_).link_id)
    page = own_page.page(link.id, now=worker.now())
    with Session(bound) as session:
        stored = str(session.connection().execute(sa.select(Message.__table__)).all())
    assert page is not None
    assert (len(page.visits), len(token), token in stored, token in link.token_hash) == (
        1, 43, False, False,
    )  # fmt: skip


@sqlite_only
def test_a_link_that_was_ended_is_not_opened_again_by_a_later_attempt(
    bound: sa.Engine, worker: Worker, office: PostOffice, clock: Clock, post: Post, read: Read
) -> None:
    id_ = post("swallow-once@example.com")
    worker.once()
    with Session(bound) as session:
        session.get_one(PatientLink, read(id_).link_id).revoked_at = clock.at
        session.commit()
    clock.forward(minutes=1)
    worker.once()
    first, second = (post_office.text_of(mail) for mail in office.mails)
    assert first != second


def test_of_one_patient_only_one_message_is_under_way(
    worker: Worker, clock: Clock, post: Post, bound: sa.Engine, read: Read
) -> None:
    first = post("ana@example.com")
    with Session(bound) as session:
        row = session.get_one(Message, first)
        values = {column.key: getattr(row, column.key) for column in Message.__table__.c} | {
            "id": None,
            "key": "another",
            "kind": "test",
            "facts": {"of": "change"},
        }
        session.add(Message(**values | {"locale": "en", "recipient": "x@example.com"}))
        session.commit()
    held = actions.claim("slow", ("mail",), now=clock.at)
    assert held is not None
    assert (held.id, worker.once()) == (first, 0)


def test_news_overtaken_while_it_was_being_sent_is_not_sent_after_the_later(
    bound: sa.Engine, clinic: SmallClinic, worker: Worker, office: PostOffice, clock: Clock,
    given: Callable[..., int], read: Read,
) -> None:  # fmt: skip
    from planner.actions.appointments import booking, moving
    from planner.actions.placing import Place, Terms

    def place(hour: int) -> Place:
        return Place(
            service_id=clinic.consult, site_id=clinic.miami, provider_id=clinic.md,
            room_id=clinic.miami_consult, starts_at=factories.at(DAY, hour), minutes=30,
        )  # fmt: skip

    def move(hour: int) -> int:
        moving.move(booked.key, place(hour), Terms(), by=SYSTEM, now=clock.at)
        clock.forward(minutes=3)
        with Session(bound) as session:
            return session.scalars(sa.select(sa.func.max(Message.id))).one()

    patient_id = given(factories.patient, email="ana@example.com")
    booked = booking.book(patient_id, place(9), Terms(), by=SYSTEM, now=clock.at)
    clock.forward(minutes=3)
    worker.once()
    earlier = move(14)
    under_way = actions.claim("slow", ("mail",), now=clock.at)
    later = move(16)
    meanwhile = worker.once()
    assert under_way is not None
    actions.deferred(under_way, "slow", reason="deferred", error="451", now=clock.at)
    clock.forward(minutes=2)
    worker.once()
    assert (meanwhile, read(earlier).status, read(earlier).reason, read(later).status) == (
        0, "dropped", "superseded", "sent",
    )  # fmt: skip
    said = [post_office.text_of(mail) for mail in office.mails]
    assert len(said) == 2
    assert ("4:00 PM" in said[1], "Before: Wed 10 Mar, 2:00 PM" in said[1]) == (True, True)


@sqlite_only
def test_without_a_way_out_messages_wait(clock: Clock, post: Post, read: Read) -> None:
    id_ = post("ana@example.com")
    count = make_worker(1, clock, mail=None).once()
    assert (count, read(id_).status, read(id_).attempts) == (0, "waiting", 0)
