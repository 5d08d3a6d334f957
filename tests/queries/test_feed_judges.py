"""Feeds as programs that are not ours understand them: all of them the same instants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import feeds as actions
from planner.db.models import Appointment, Patient
from planner.queries import feeds
from planner.who import Who
from tests import factories
from tests.factories import SmallClinic
from tests.support import calendars, libical, radicale
from tests.support.databases import sqlite_only

DESK = Who(user_id=None, role="receptionist", origin="127.0.0.1", request_id="r-1")
TOKEN = "t" * 43
AUTUMN = (date(2026, 10, 30), date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 16))
SPRING = (date(2027, 3, 12), date(2027, 3, 14), date(2027, 3, 15), date(2027, 3, 29))

Bounds = dict[str, tuple[datetime | date, datetime | date]]


def _icaljs(content: bytes) -> Bounds:
    return {uid: (one.starts, one.ends) for uid, one in calendars.icaljs(content).items()}


def _vobject(content: bytes) -> Bounds:
    return {uid: (one.starts, one.ends) for uid, one in calendars.vobject_reads(content).items()}


JUDGES: dict[str, Callable[[bytes], Bounds]] = {"ical.js": _icaljs, "vobject": _vobject}
if libical.NAME:
    JUDGES["libical"] = libical.times


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[radicale.Server]:
    """A CalDAV server."""
    with radicale.serving(tmp_path_factory.mktemp("radicale")) as running:
        yield running


@pytest.fixture
def feed(bound: sa.Engine, given: Callable[..., Any], clinic: SmallClinic) -> Callable[..., bytes]:
    """Book sessions on days, and return the bytes of a patient's or of the provider's feed."""

    def book(days: tuple[date, ...], *, is_providers: bool = False) -> bytes:
        patient_id = given(factories.patient, plain_words_since=datetime(2026, 1, 1, tzinfo=UTC))
        course_id = given(factories.course, clinic, patient_id, zones=[["left_calf"]] * len(days))
        numbers = given(factories.course_sessions, course_id)
        for n, day in enumerate(days, start=1):
            given(
                factories.appointment, clinic, patient_id, day=day, course_session_id=numbers[n],
                provider_id=clinic.md,
            )  # fmt: skip
        now = factories.at(days[0] - timedelta(days=3), 9)
        if is_providers:
            by = Who(role="provider", provider_id=clinic.md, user_id=None, origin="", request_id="")
            actions.subscribe_provider(TOKEN, by=by, now=now)
        else:
            with Session(bound) as session:
                key = session.get_one(Patient, patient_id).key
            actions.subscribe_patient(key, TOKEN, by=DESK, now=now)
        served = feeds.serve(TOKEN, now=now)
        assert served is not None and not served.file.left_out
        return served.file.content

    return book


@sqlite_only
@pytest.mark.parametrize("is_providers", [False, True], ids=["patients", "providers"])
@pytest.mark.parametrize("days", [AUTUMN, SPRING], ids=["autumn", "spring"])
def test_every_judge_reads_the_instants_that_are_stored(
    bound: sa.Engine,
    feed: Callable[..., bytes],
    server: radicale.Server,
    days: tuple[date, ...],
    is_providers: bool,
) -> None:
    content = feed(days, is_providers=is_providers)
    with Session(bound) as session:
        rows = session.scalars(sa.select(Appointment)).all()
        stored = {row.uid.partition("@")[0]: (row.starts_at, row.ends_at) for row in rows}
    read = {name: judge(content) for name, judge in JUDGES.items()}
    first = read["ical.js"]
    visits = {uid: bounds for uid, bounds in first.items() if is_providers or "-" not in uid}
    assert {uid.partition("@")[0].partition("-")[0]: at for uid, at in visits.items()} == stored
    assert {name: bounds == first for name, bounds in read.items()} == dict.fromkeys(JUDGES, True)
    assert radicale.as_meant(server, content, first) == dict.fromkeys(first, True)
