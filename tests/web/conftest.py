"""The application on a fresh database with the small clinic, and browsers signed in to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from planner import clock
from planner.app import create_app
from planner.config import Settings
from planner.db import connections
from tests import factories

SECRET = "a secret of the tests, long enough for every check"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@pytest.fixture
def today() -> date:
    """The day the small clinic is set up on: today, so that its next weeks can be booked."""
    return clock.now().date()


@pytest.fixture
def app(sqlite_url: str, today: date) -> Iterator[Flask]:
    """The application on SQLite, with the small clinic in it."""
    yield from _serving(sqlite_url, today)


@pytest.fixture
def app_on(database_url: str, today: date) -> Iterator[Flask]:
    """The application on each engine in turn."""
    yield from _serving(database_url, today)


@pytest.fixture
def clinic(app: Flask) -> factories.SmallClinic:
    """The ids of the small clinic behind ``app``."""
    found: factories.SmallClinic = app.config["SMALL_CLINIC"]
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that has not signed in."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., FlaskClient]:
    """Return a browser signed in under a role: ``sign_in("receptionist")``."""

    def as_role(role: str, on: Flask = app) -> FlaskClient:
        browser = on.test_client()
        token = csrf_of(browser.get("/sign-in").text)
        answer = browser.post(
            "/sign-in",
            data={
                "csrf_token": token,
                "email": f"{role}@example.com",
                "password": factories.PASSWORD,
            },
        )
        assert answer.status_code == 302, answer.text
        return browser

    return as_role


def csrf_of(html: str) -> str:
    """Return the CSRF token of a page's first form."""
    found = TOKEN.search(html)
    assert found, "the page has no form with a CSRF token"
    return found[1]


def _serving(url: str, today: date) -> Iterator[Flask]:
    engine = connections.create(url)
    with Session(engine) as session:
        small = factories.clinic(session, today=today)
        session.commit()
    engine.dispose()
    app = create_app(Settings(database_url=url, secret_key=SECRET))
    app.config["SMALL_CLINIC"] = small
    app.testing = True
    yield app
    with app.app_context():
        from planner.db.engine import db

        db.engine.dispose()
