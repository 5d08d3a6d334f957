"""A clinic, a mail server, and a worker between the two."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.models import Appointment, Message
from planner.mail.letters import Sender
from planner.mail.transports import Smtp
from planner.worker import Worker
from tests import factories
from tests.db.conftest import NOW, bound, clinic, given
from tests.factories import SmallClinic
from tests.support import post_office
from tests.support.post_office import PostOffice

__all__ = ["bound", "clinic", "given"]

SECRET = "s" * 40
DAY = date(2027, 3, 10)


@dataclass
class Clock:
    """What time it is, in the test's hands."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office.opened() as opened:
        yield opened


@pytest.fixture
def worker(office: PostOffice, clock: Clock) -> Iterator[Worker]:
    made = make_worker(office.port, clock)
    yield made
    made.rest()


def make_worker(port: int, clock: Callable[[], datetime], **changed: Any) -> Worker:
    """Return a worker that sends to a mail server on this machine."""
    return Worker(
        **{
            "secret": SECRET,
            "address": "https://planner.example.com",
            "sender": Sender(address="desk@clinic.example", reply_to="answers@clinic.example"),
            "mail": Smtp(host="127.0.0.1", port=port, security="none", timeout=5),
            "now": clock,
            **changed,
        }
    )


@pytest.fixture
def post(given: Callable[..., int], clinic: SmallClinic, bound: sa.Engine) -> Callable[..., int]:
    """Let a confirmation of a consult wait for a patient: ``post("ana@example.com")``; its id."""
    numbers = itertools.count()

    def add(email: str, **columns: Any) -> int:
        number = next(numbers)
        day, hour = DAY + timedelta(days=number // 8), 9 + number % 8
        patient_id = given(factories.patient, email=email, **columns.pop("patient", {}))
        id_ = given(factories.appointment, clinic, patient_id, day=day, hour=hour)
        with Session(bound, expire_on_commit=False) as session:
            visit = session.get_one(Appointment, id_)
            row = factories.message(
                session, patient_id, appointment_id=id_, expires_at=visit.starts_at, **columns
            )
            session.commit()
            return row

    return add


@pytest.fixture
def read(bound: sa.Engine) -> Callable[[int], Message]:
    """Return a message as it is stored now."""

    def one(message_id: int) -> Message:
        with Session(bound) as session:
            return session.get_one(Message, message_id)

    return one
