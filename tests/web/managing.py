"""A manager's browser under Settings, and what a sound form sends."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from planner.db.engine import db
from tests.factories import SmallClinic
from tests.web.conftest import csrf_of

SignIn = Callable[..., FlaskClient]


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager's browser, and the database behind it."""

    browser: FlaskClient
    app: Flask
    clinic: SmallClinic

    def see(self, url: str) -> str:
        answer = self.browser.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        return answer.text

    def send(self, url: str, data: dict[str, Any], *, of: str = "") -> TestResponse:
        token = csrf_of(self.see(of or url))
        return self.browser.post(url, data={"csrf_token": token, **data})

    def stored(self, kind: type[Any], *conditions: Any) -> list[Any]:
        with self.app.app_context(), Session(db.engine) as session:
            return list(session.scalars(sa.select(kind).where(*conditions)))

    def add(self, factory: Callable[..., Any], *args: Any, **columns: Any) -> Any:
        with self.app.app_context(), Session(db.engine) as session:
            result = factory(session, *args, **columns)
            session.commit()
            return result


@pytest.fixture
def manager(app: Flask, sign_in: SignIn, clinic: SmallClinic) -> Manager:
    return Manager(sign_in("manager"), app, clinic)


def words(page: str) -> str:
    """Return what a page says, without its markup."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def version_in(page: str) -> str:
    found = re.search(r'name="version"[^>]*value="(\d+)"', page)
    assert found, "the page has no version"
    return found[1]


def address(pattern: str, clinic: SmallClinic) -> str:
    names = re.findall(r"{(\w+)}", pattern)
    return pattern.format(**{name: getattr(clinic, name) for name in names})


VERSION = r'name="version"[^>]*value="(\d+)"'
HUGE = "x" * 10_000
SITE = {
    "name": "Kendall",
    "address": "1 Main St",
    "phone": "(305) 555-0100",
    "colour": "teal",
    "zone": "America/New_York",
    "grid_minutes": "15",
    "quiet_from": "20:00",
    "quiet_until": "08:00",
    "position": "0",
}
SERVICE = {
    "code": "VEIN",
    "name": "Vein mapping",
    "kind": "other",
    "minutes": "30",
    "walk_minutes": "0",
    "colour": "green",
    "position": "0",
}
PROTOCOL = {
    "name": "4 × 3 weeks",
    "sessions": "4",
    "minutes": "45",
    "zones": "new",
    "gap_floor": "14",
    "gap_target": "21",
    "gap_soft_max": "28",
    "position": "0",
    "is_active": "y",
}
HOURS = {
    "rows-0-weekday": "0",
    "rows-0-kind": "work",
    "rows-0-starts": "09:00",
    "rows-0-ends": "18:00",
}
ABSENCE = {"from_date": "2027-06-01", "until_date": "2027-06-03"}
RULE = {"number": "15", "scope": "clinic", "severity": "info", "effective_from": "2099-01-01"}
USER = {
    "name": "Rosa",
    "email": "rosa@example.com",
    "role": "receptionist",
    "language": "en",
    "provider_id": "0",
    "site_id": "0",
    "password": "seven green umbrellas at noon",
}
CLINIC = {
    "name": "Glamour",
    "phone": "(305) 555-0100",
    "colour": "#0f766e",
    "languages": ["en", "es"],
}
