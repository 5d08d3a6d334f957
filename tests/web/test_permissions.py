"""Every page × every kind of user: who gets in, who is turned away, and how."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from planner.web import permissions
from tests.web.conftest import routes

Browser = Callable[..., FlaskClient]


def test_nobody_gets_a_page_without_signing_in_but_the_few_that_are_for_all(app: Flask) -> None:
    answers = {
        (endpoint, method): _answer(app.test_client(), method, path)
        for endpoint, method, path in routes(app)
    }
    expected = {
        (endpoint, method): "open"
        if permissions.PERMISSIONS[endpoint] is permissions.ANYONE
        else "sign in"
        for endpoint, method in answers
    }
    assert answers == expected


@pytest.mark.parametrize("role", ["receptionist", "provider", "manager"])
def test_a_role_gets_the_pages_of_its_row_and_no_other(
    app: Flask, sign_in: Browser, role: str
) -> None:
    browser = sign_in(role)
    answers = {
        (endpoint, method): _answer(browser, method, path) for endpoint, method, path in routes(app)
    }
    expected = {
        (endpoint, method): "open" if permissions.may(role, endpoint) else "denied"
        for endpoint, method in answers
    }
    assert answers == expected


def test_few_pages_are_open_to_anybody() -> None:
    """A page that joins them has to be named here too."""
    for_all = {
        endpoint
        for endpoint, roles in permissions.PERMISSIONS.items()
        if roles is permissions.ANYONE
    }
    assert for_all <= {
        "static", "health.show", "brand.stylesheet",
        "auth.sign_in", "auth.enter", "auth.sign_out", "auth.language",
        "feeds.show", "portal.former",
        "portal.enter", "portal.visits", "portal.care", "portal.sheet", "portal.all_file",
        "portal.visit_file", "portal.confirm", "portal.answer", "portal.another_time",
        "portal.cannot_come", "portal.flight", "portal.health", "portal.preferences",
        "portal.subscription", "portal.close",
    }  # fmt: skip


def test_the_front_desk_changes_no_setting() -> None:
    open_to_desk = [
        endpoint
        for endpoint in permissions.PERMISSIONS
        if endpoint.startswith("settings.") and permissions.may("receptionist", endpoint)
    ]
    assert open_to_desk == []


@pytest.mark.parametrize("role", ["", "anyone", "system", "Manager", "anonymous"])
def test_a_role_that_does_not_exist_opens_only_what_is_open_to_all(role: str) -> None:
    opened = {endpoint for endpoint in permissions.PERMISSIONS if permissions.may(role, endpoint)}
    assert opened == {
        endpoint
        for endpoint, roles in permissions.PERMISSIONS.items()
        if roles is permissions.ANYONE
    }


def test_a_page_that_is_in_no_table_is_open_to_nobody() -> None:
    assert [permissions.may(role, "new.page") for role in ("", "manager")] == [False, False]


def _answer(browser: FlaskClient, method: str, path: str) -> str:
    answer = browser.open(path, method=method)
    if answer.status_code == 401:
        return "sign in"
    if answer.status_code == 302 and answer.location.startswith("/sign-in?next="):
        return "sign in"
    if answer.status_code == 403:
        return "denied"
    return "open" if answer.status_code < 500 else f"fault {answer.status_code}"
