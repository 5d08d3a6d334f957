"""The list of a provider: signing in one click, disagreeing, courses without an interval."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from planner import clock
from planner.db.engine import db
from planner.db.models import Decision
from tests import factories
from tests.factories import SmallClinic
from tests.web.conftest import csrf_of


@pytest.fixture
def provider(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("provider")


@pytest.fixture
def waiting(app: Flask, clinic: SmallClinic) -> int:
    """A decision that the desk took down for the signed-in provider."""
    return _decision(app, clinic, clinic.md)


def _decision(app: Flask, clinic: SmallClinic, provider_id: int) -> int:
    with app.app_context(), Session(db.engine) as session:
        patient_id = factories.patient(session)
        row = Decision(
            rule_code="zone.face", patient_id=patient_id, provider_id=provider_id, params={},
            reason="seen at the consult", by_phone=True, given_at=clock.now(),
            given_by=clinic.receptionist,
        )  # fmt: skip
        session.add(row)
        session.commit()
        return row.id


def answer(browser: FlaskClient, decision_id: int, **values: str) -> int:
    token = csrf_of(browser.get("/decisions").text)
    path = f"/decisions/{decision_id}"
    return browser.post(path, data={"csrf_token": token, **values}).status_code


def row_of(app: Flask, decision_id: int) -> Decision:
    with app.app_context(), Session(db.engine) as session:
        return session.scalars(sa.select(Decision).where(Decision.id == decision_id)).one()


def test_one_click_signs(provider: FlaskClient, app: Flask, waiting: int) -> None:
    assert "seen at the consult" in provider.get("/decisions").text
    assert answer(provider, waiting, do="sign") == 302
    assert row_of(app, waiting).signed_at is not None
    assert "seen at the consult" not in provider.get("/decisions").text


def test_who_disagrees_says_what_was_different_and_the_desk_reads_it(
    provider: FlaskClient, sign_in: Callable[..., FlaskClient], waiting: int
) -> None:
    refused = answer(provider, waiting, do="disagree", note=" ")
    taken = answer(provider, waiting, do="disagree", note="I said the legs first")
    desk = sign_in("receptionist").get("/decisions")
    assert (refused, taken, "I said the legs first" in desk.text) == (422, 302, True)


def test_a_note_that_is_too_long_is_kept_on_the_page(provider: FlaskClient, waiting: int) -> None:
    token = csrf_of(provider.get("/decisions").text)
    note = "x" * 301
    page = provider.post(
        f"/decisions/{waiting}", data={"csrf_token": token, "do": "disagree", "note": note}
    )
    assert (page.status_code, note in page.text) == (422, True)


def test_signing_twice_is_harmless(provider: FlaskClient, waiting: int) -> None:
    assert [answer(provider, waiting, do="sign") for _ in range(2)] == [302, 302]


def test_the_desk_cannot_sign_nor_a_provider_for_another(
    provider: FlaskClient,
    sign_in: Callable[..., FlaskClient],
    app: Flask,
    clinic: SmallClinic,
    waiting: int,
) -> None:
    others = _decision(app, clinic, clinic.pa)
    assert (
        answer(sign_in("receptionist"), waiting, do="sign"),
        answer(provider, others, do="sign"),
        answer(provider, 999_999, do="sign"),
    ) == (403, 403, 404)


def test_courses_without_an_interval_are_listed(
    provider: FlaskClient, app: Flask, clinic: SmallClinic
) -> None:
    with app.app_context(), Session(db.engine) as session:
        patient_id = factories.patient(session, family_name="Undecided")
        factories.course(session, clinic, patient_id, is_decided=False, asked_at=clock.now())
        session.commit()
    assert "Maria Undecided" in provider.get("/decisions").text


def test_an_empty_list_says_so(provider: FlaskClient) -> None:
    assert "Nothing waits for a decision" in provider.get("/decisions").text
