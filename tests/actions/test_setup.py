"""What ships with planner, on either engine."""

from __future__ import annotations

from collections.abc import Iterator

import flask
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import clock
from planner.actions import setup
from planner.db import engine
from planner.db.models import Clinic, ClinicText, Protocol, Service
from planner.who import SYSTEM


@pytest.fixture
def empty(database_url: str) -> Iterator[sa.Engine]:
    """An application context on a migrated database that nobody has touched."""
    app = flask.Flask("test")
    engine.configure(app, database_url)
    with app.app_context():
        yield engine.db.engine
        engine.db.engine.dispose()


def _seed() -> bool:
    return setup.seed_shipped(by=SYSTEM, now=clock.now())


def test_what_ships_is_added_once(empty: sa.Engine) -> None:
    assert [_seed(), _seed()] == [True, False]


def test_the_services_and_protocols_are_those_of_the_clinics_page(empty: sa.Engine) -> None:
    """S20, S22, S24: consult, session and walk; S36 and S38: the two sentences that disagree."""
    _seed()
    with Session(empty) as session:
        services = session.execute(
            sa.select(Service.code, Service.minutes, Service.walk_minutes).order_by(
                Service.position
            )
        ).all()
        protocols = session.execute(
            sa.select(Protocol.sentence, Protocol.sessions, Protocol.gap_target).order_by(
                Protocol.position
            )
        ).all()
    assert [*map(tuple, services), *map(tuple, protocols)] == [
        ("CONSULT", 30, 0),
        ("SCLERO", 45, 20),
        ("REVIEW", 10, 0),
        ("typically three sessions, two weeks apart", 3, 14),
        ("usually 3 treatments, 6 weeks apart, for the optimal correction", 3, 42),
    ]


def test_what_the_clinic_has_changed_stays_changed(empty: sa.Engine) -> None:
    _seed()
    with Session(empty) as session:
        session.get_one(Clinic, 1).name = "Our name"
        session.execute(sa.update(Service).where(Service.code == "REVIEW").values(name="Check"))
        session.execute(sa.delete(ClinicText).where(ClinicText.code == "policy"))
        session.commit()
    _seed()
    with Session(empty) as session:
        names = (session.get_one(Clinic, 1).name, session.scalar(
            sa.select(Service.name).where(Service.code == "REVIEW")
        ))  # fmt: skip
        texts = session.scalar(sa.select(sa.func.count()).where(ClinicText.code == "policy"))
    assert (names, texts) == (("Our name", "Check"), 2)


def test_nothing_is_invented_about_the_clinic(empty: sa.Engine) -> None:
    """S44: no phone, address or policy of ours may end up on a patient's print."""
    _seed()
    with Session(empty) as session:
        clinic = session.get_one(Clinic, 1)
        unmarked = session.scalars(
            sa.select(ClinicText.code).where(
                ClinicText.is_placeholder.is_(False), ClinicText.language == "en"
            )
        ).all()
    assert (clinic.phone, clinic.email, sorted(unmarked)) == (
        "",
        "",
        ["aftercare", "bring", "expectation", "why_stockings"],
    )
