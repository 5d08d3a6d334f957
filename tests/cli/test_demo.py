"""What ``docs/demo.md`` promises of the demo clinic: each planted case has its known answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from planner import demo as clinic
from planner import worker
from planner.app import create_app
from planner.config import Settings
from planner.db import engine, notices
from planner.db.engine import db
from planner.db.models import (
    Absence,
    Appointment,
    Course,
    Decision,
    FeedFetch,
    Message,
    Notice,
    Patient,
    Provider,
    RuleRecord,
)
from planner.mail.transports import Console
from planner.queries import appointments, audits, inbox, patients
from planner.queries import ground as grounds
from planner.scheduling import hours
from planner.who import SYSTEM
from tests.cli.conftest import TODAY, run
from tests.web.conftest import settings_for

DAY = date.fromisoformat(TODAY)
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ZONE = "America/New_York"


@pytest.fixture
def app(demo_file: Path) -> Iterator[Flask]:
    """The demo clinic, only looked at."""
    app = create_app(settings_for(f"sqlite:///{demo_file}"))
    with app.app_context():
        yield app
        db.engine.dispose()


def visits(session: Session, name: str) -> list[Appointment]:
    """Return a planted patient's visits by start; the first is the consult, where there is one."""
    given, _, family = name.partition(" ")
    statement = (
        sa.select(Appointment)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(Patient.given_name == given, Patient.family_name == family)
        .order_by(Appointment.starts_at)
    )
    return list(session.scalars(statement))


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        (6, ["gap.below_floor"]),
        (7, ["gap.below_target"]),
        (13, ["gap.below_target"]),
        (14, []),
        (15, []),
        (41, ["gap.below_target"]),
        (42, []),
        (43, []),
    ],
)
def test_each_gap_says_what_the_rules_say_to_so_many_days(
    app: Flask, days: int, codes: list[str]
) -> None:
    with engine.reading() as session:
        first, second = visits(session, f"Gail Gap {days}")[-2:]
        apart = hours.day_of(second.starts_at, ZONE) - hours.day_of(first.starts_at, ZONE)
        ground = grounds.of_appointment(session, second.key, locale="en", now=NOW)
        found = [conflict.code for conflict in ground.stood("audit")]
        decided = session.scalars(
            sa.select(Decision.by_phone).where(Decision.appointment_id == second.id)
        ).all()
    assert (apart.days, found, decided) == (days, codes, [True] if days == 6 else [])


def test_a_course_of_six_is_half_done(app: Flask) -> None:
    with engine.reading() as session:
        _consult, *sessions = visits(session, "Sixta Course-of-Six")
        days = [hours.day_of(row.starts_at, ZONE) for row in sessions]
    assert [row.status for row in sessions] == ["fulfilled"] * 3 + ["booked"] * 3
    assert {later - day for day, later in pairwise(days)} == {timedelta(days=14)}


def test_a_course_in_every_state_that_waits_is_there(app: Flask) -> None:
    with engine.reading() as session:
        found = set(session.execute(sa.select(Course.status, Course.is_decided)).all())
    assert found >= {("draft", False), ("active", True), ("paused", True)}


def test_nothing_is_proposed_before_the_patient_turns_18_in_mid_course(demo_file: Path) -> None:
    url = f"sqlite:///{demo_file}"
    everything = json.loads(run(url, "export").stdout)
    [tina] = [row for row in everything["patients"] if row["given_name"] == "Tina"]
    asked = ("propose", "--patient", tina["key"], "--protocol", "3 × 2 weeks", "--json")
    found = json.loads(run(url, *asked, "--from", TODAY).stdout)
    first = datetime.fromisoformat(found[0]["sessions"][0]["starts_at"])
    assert hours.day_of(first, ZONE) >= DAY + timedelta(days=20)


def test_72_hours_over_the_change_of_clocks_end_an_hour_later_by_the_clock(app: Flask) -> None:
    with engine.reading() as session:
        visit = visits(session, "Clara Clock Spring")[-1]
    ends = hours.local(visit.ends_at, ZONE)
    later = hours.local(hours.after_hours(visit.ends_at, 72), ZONE)
    assert (later.hour - ends.hour, later.minute) == (1, ends.minute)


def test_a_provider_leaves_with_14_sessions_to_come(app: Flask) -> None:
    with engine.reading() as session:
        leaver = session.scalars(sa.select(Provider).where(Provider.name == "Vera Lang")).one()
        left = session.scalars(
            sa.select(Appointment.starts_at).where(
                Appointment.provider_id == leaver.id, Appointment.status == "booked"
            )
        ).all()
    assert leaver.retired_from == DAY + timedelta(days=7)
    assert [hours.day_of(at, ZONE) >= leaver.retired_from for at in left] == [True] * 14


def test_the_only_room_for_a_service_is_out_of_service_and_no_other_is_offered(app: Flask) -> None:
    with engine.reading() as session:
        [visit] = visits(session, "Otto Only-Room")
        ground = grounds.of_appointment(session, visit.key, locale="en", now=NOW)
        found = [conflict.code for conflict in ground.stood("audit")]
    rooms = appointments.swap(visit.key, None, locale="en", now=NOW).rooms
    assert (found, rooms) == (["room.out_of_service"], ())


def test_storms_and_thanksgiving_close_what_they_closed(app: Flask) -> None:
    with engine.reading() as session:
        rows = session.execute(
            sa.select(Absence.reason, Absence.site_id, Absence.from_date, Absence.until_date).where(
                Absence.site_id.is_not(None)
            )
        ).all()
    days = {(reason, site): (until - first).days + 1 for reason, site, first, until in rows}
    assert {key: days[key] for key in days if key[0] in ("Hurricane", "Storm damage")} == {
        ("Hurricane", 1): 4, ("Hurricane", 2): 4, ("Storm damage", 1): 4,
    }  # fmt: skip
    assert {(first, site) for reason, site, first, _ in rows if reason == "Thanksgiving"} >= {
        (date(2026, 11, 26), 1), (date(2026, 11, 26), 2),
    }  # fmt: skip


def test_a_season_in_florida_is_one_winter(app: Flask) -> None:
    with engine.reading() as session:
        rows = session.execute(
            sa.select(Patient.stay_from, Patient.stay_until).where(Patient.stay_until.is_not(None))
        ).all()
    days = [(until - first).days for first, until in rows if first and until]
    assert (len(days), min(days) > 150, max(days) < 210) == (len(rows), True, True)


def test_the_clinic_has_rules_of_its_own_and_decisions_to_sign(app: Flask) -> None:
    with engine.reading() as session:
        own = set(session.execute(sa.select(RuleRecord.code, RuleRecord.scope)).all())
        unsigned = session.scalars(
            sa.select(Decision.rule_code).where(Decision.signed_at.is_(None))
        ).all()
    assert own == {
        ("dose.max_ml", "clinic"), ("review.window_days", "clinic"),
        ("reservation.days", "site"), ("session.desk_treats", "site"),
    }  # fmt: skip
    assert set(unsigned) == {"gap.below_floor"}


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("oconnor", 1), ("o'connor siobhan", 1), ("garcia nunez", 1), ("la vega nunez", 1),
        ("fuentes graciela", 2), ("zoe muller", 1), ("الخطيب", 1), ("featherstonehaugh", 1),
        ("vera diameter", 3), ("fernando flight", 3), ("paula", 3), ("leo leap", 1),
    ],
)  # fmt: skip
def test_planted_people_are_found_as_the_page_says(app: Flask, typed: str, count: int) -> None:
    found = patients.find(typed, locale="en", now=NOW, by=SYSTEM).lines
    assert len(found) == count


def test_what_is_under_way_at_the_demos_now_has_started_and_is_not_done(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    morning = datetime(2027, 3, 3, 14, 40, tzinfo=UTC)
    with app.app_context():
        clinic.fill("S", seed=12, today=date(2027, 3, 3), now=morning, progress=lambda *_: None)
        with engine.reading() as session:
            rows = session.scalars(sa.select(Appointment)).all()
        under_way = {
            row.id for row in rows if row.starts_at <= morning < row.ends_at and not row.ended_by
        }
        started = {row.id for row in rows if row.status == "started"}
        wrong = [one for one in audits.everything(now=morning) if one.is_violation]
        db.engine.dispose()
    assert (started, wrong, bool(started)) == (under_way, [], True)


def test_something_has_passed_with_patients_in_every_way_and_state(app: Flask) -> None:
    with engine.reading() as session:
        states = set(session.scalars(sa.select(Message.status)))
        reasons = set(session.scalars(sa.select(Message.reason).where(Message.status == "failed")))
        blank = session.scalars(
            sa.select(Message.key).where(Message.status == "sent", Message.body == "")
        ).all()
        waiting = set(session.scalars(sa.select(Notice.kind).where(Notice.handled_at.is_(None))))
        feeds = session.scalar(sa.select(sa.func.count()).select_from(FeedFetch)) or 0
        addresses = set(session.scalars(sa.select(Message.recipient)))
    groups = inbox.calls(days=7, everybody=False, locale="en", now=NOW).groups
    assert states == {"sent", "waiting", "failed", "dropped"}
    assert (reasons <= {"refused", "deferred", "unsubscribed"}, bool(reasons), blank) == (
        True, True, [],
    )  # fmt: skip
    assert waiting == set(notices.KINDS)
    assert (feeds > 0, any(group.lines for group in groups)) == (True, True)
    assert {a for a in addresses if not a.endswith("@example.com") and a[:8] != "+1305555"} <= {""}


def test_from_a_demo_no_mail_and_no_text_message_leaves() -> None:
    real = Settings(
        database_url="sqlite:///x", secret_key="s" * 40, public_url="https://planner.example.com",
        mail="smtp", mail_from="desk@example.com", smtp_host="127.0.0.1", sms="twilio",
        sms_account="AC", sms_token="t", sms_from="+13055550100",
    )  # fmt: skip
    outside, inside = worker.of(real), worker.of(real, is_demo=True)
    shown = worker.of(replace(real, mail="console"), is_demo=True)
    assert [bool(each) for each in (outside.mail, outside.texts)] == [True, True]
    assert (inside.mail, inside.texts, shown.mail) == (None, None, Console())
