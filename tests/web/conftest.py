"""The application on a fresh database with the small clinic, and browsers signed in to it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import AnyConverter, BaseConverter, IntegerConverter, Rule
from werkzeug.test import TestResponse

from planner import clock
from planner.app import create_app
from planner.config import Settings
from planner.db import engine
from planner.db.engine import db
from tests import factories
from tests.support import compiled, databases

SECRET = "a secret of the tests, long enough for every check"
EMAILS = {
    "receptionist": "reception@example.com",
    "provider": "provider@example.com",
    "manager": "manager@example.com",
}
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@pytest.fixture
def today() -> date:
    """The day the small clinic is set up on: today, so that its next weeks can be booked."""
    return clock.now().date()


@pytest.fixture
def stocked(request: pytest.FixtureRequest) -> date | None:
    """With the small clinic, where a test asks for an application."""
    if {"app", "app_on"} & set(request.fixturenames):
        day: date = request.getfixturevalue("today")
        return day
    return None


@pytest.fixture
def app(sqlite_url: str, today: date, run_folder: Path, stocked: date | None) -> Iterator[Flask]:
    """The application on SQLite, with the small clinic in it."""
    yield from _serving(
        sqlite_url, databases.small_clinic(run_folder, sqlite_url, today, stocked=stocked)
    )


@pytest.fixture
def app_on(
    database_url: str, today: date, run_folder: Path, stocked: date | None
) -> Iterator[Flask]:
    """The application on each engine in turn."""
    yield from _serving(
        database_url, databases.small_clinic(run_folder, database_url, today, stocked=stocked)
    )


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
        answer = enter(browser, EMAILS[role])
        assert answer.status_code == 302, answer.text
        return browser

    return as_role


@pytest.fixture
def given(app: Flask) -> Callable[..., int]:
    """Add by a factory, and commit: ``given(factories.patient, given_name="Ana")``."""

    def add(factory: Callable[..., int], *args: object, **columns: object) -> int:
        with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
            result = factory(session, *args, **columns)
            session.commit()
            return result

    return add


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until ``moment.shift(…)``."""
    with time_machine.travel(clock.now(), tick=False) as coordinates:
        yield coordinates


def enter(
    browser: FlaskClient, email: str, password: str = factories.PASSWORD, *, path: str = "/sign-in"
) -> TestResponse:
    """Open the sign-in page and send its form."""
    token = csrf_of(browser.get(path).text)
    return browser.post(path, data={"csrf_token": token, "email": email, "password": password})


def cookie_of(browser: FlaskClient, name: str = "planner") -> str:
    """Return the session id that a browser holds; empty when it holds none."""
    cookie = browser.get_cookie(name)
    return cookie.value if cookie else ""


def settings_for(url: str, **others: object) -> Settings:
    """Return settings for a database; everything else is as shipped unless given."""
    return Settings(database_url=url, secret_key=SECRET, **others)  # type: ignore[arg-type]  # by field


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """Return endpoint, method and an address of every page; what the address names does not exist."""
    adapter = app.url_map.bind("localhost")
    return [
        (rule.endpoint, method, adapter.build(rule.endpoint, _arguments(rule), method=method))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def _arguments(rule: Rule) -> dict[str, object]:
    return {name: _argument(rule._converters[name]) for name in rule.arguments}


def _argument(converter: BaseConverter) -> object:
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 999_999 if isinstance(converter, IntegerConverter) else "nothing"


def csrf_of(html: str) -> str:
    """Return the CSRF token of a page's first form."""
    found = TOKEN.search(html)
    assert found, "the page has no form with a CSRF token"
    return found[1]


def _serving(url: str, small: factories.SmallClinic) -> Iterator[Flask]:
    app = application(url)
    app.config["SMALL_CLINIC"] = small
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


def application(url: str, **others: object) -> Flask:
    """Return an application of its own on a database, with the routes and templates of one made before.

    To compile those is most of what it takes to make one, and they depend on no database. Whoever tests how
    an application is made calls ``create_app``. What ``others`` set is the same in all that are made of one.
    """
    kind = tuple(sorted(others.items()))
    if kind not in _MADE:
        _MADE[kind] = create_app(settings_for(url, **others), for_serving=False)
    app = copy.copy(_MADE[kind])
    app.config = copy.copy(app.config)
    app.config["PLANNER"] = settings_for(url, **others)
    app.extensions = {**app.extensions, "planner_frame": {}}
    del app.extensions["sqlalchemy"]
    app.teardown_appcontext_funcs = []
    app.shell_context_processors = []
    engine.configure(app, url)
    with app.app_context():
        compiled.share(db.engine)
    return app


_MADE: dict[object, Flask] = {}
