"""Whole pages, each beside a floor that selects the same rows and renders the same template."""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flask
import sqlalchemy as sa
from flask import template_rendered
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from benchmarks import clinics, measuring
from benchmarks.measuring import Row
from planner.actions import access
from planner.db.engine import db

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
OF_EVERY_PAGE = re.compile(r"\b(sign_in|schedule_version)\b|FROM \"?user\"?\b")
PAGE_GOAL = 1.3
ETAG_GOAL = 4.0


@dataclass(frozen=True, slots=True)
class Address:
    """A page of an application, and what is asked along with it."""

    app: flask.Flask
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Seen:
    """What one request asked of the database and of Jinja."""

    statements: list[tuple[Any, Any]] = field(default_factory=list)
    sql: list[str] = field(default_factory=list)
    template: Any = None
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def own(self) -> list[str]:
        """The statements that are not about the session, its user, or the versions."""
        return [text for text in self.sql if not OF_EVERY_PAGE.search(text)]


def day(seconds: float) -> Iterator[Row]:
    """The day page of the busiest site, its unchanged answer, and the day of all sites."""
    for size in ("M", "L"):
        with clinics.copy(size) as url, clinics.serving(url) as app:
            site, visits = _busiest(app)
            address = Address(app, f"/day?date={clinics.TODAY}&site={site}")
            yield _page(
                address, "day page", f"{size}, {visits} visits", seconds=seconds, goal=PAGE_GOAL
            )
            yield _unchanged(address, size, seconds=seconds)
            if size == "L":
                address = Address(app, f"/day?date={clinics.TODAY}&site=all")
                yield _page(address, "day page", "L, all sites", seconds=seconds, goal=PAGE_GOAL)


def search(seconds: float) -> Iterator[Row]:
    """The list of patients while a name is typed."""
    with clinics.copy("L") as url, clinics.serving(url) as app:
        for typed in ("ma", "maria", "lopez mar", "305555"):
            path = f"/patients/search?q={typed.replace(' ', '+')}"
            address = Address(app, path, {"HX-Request": "true"})
            yield _page(address, "search", f"L, {typed!r}", seconds=seconds / 2)


def course(seconds: float) -> Iterator[Row]:
    """The course screen of a course of which nothing is booked yet, and of one half way."""
    with clinics.copy("M") as url, clinics.serving(url) as app:
        for name, key in _courses(app).items():
            address = Address(app, f"/courses/{key}")
            yield _page(address, "course screen", f"M, {name}", seconds=seconds)


def _page(
    address: Address, name: str, size: str, *, seconds: float, goal: float | None = None
) -> Row:
    browser = _signed_in(address.app)

    def ours() -> None:
        _get(browser, address)

    for _ in range(3):  # what a process keeps is kept by then
        ours()
    seen = _watched(address.app, ours)
    return measuring.beside(
        name,
        size,
        ours,
        _floor(address, seen),
        seconds=seconds,
        goal=goal,
        statements=len(seen.sql),
        own_statements=len(seen.own),
        kilobytes=round(len(_get(browser, address).data) / 1000),
    )


def _unchanged(address: Address, size: str, *, seconds: float) -> Row:
    browser = _signed_in(address.app)
    nobody = _empty()
    _get(browser, address)  # the first page of a sign-in makes the key of its forms
    tag = _get(browser, address).headers["ETag"]

    def ours() -> None:
        nonlocal tag  # a new minute has another
        tag = browser.get(address.path, headers={"If-None-Match": tag}).headers["ETag"]

    return measuring.beside(
        "day page, unchanged",
        size,
        ours,
        lambda: nobody.get("/"),
        seconds=seconds,
        goal=ETAG_GOAL,
        statements=len(_watched(address.app, ours).sql),
    )


def _empty() -> FlaskClient:
    """Return a browser of an application with one empty page."""
    empty = flask.Flask("empty")
    empty.add_url_rule("/", view_func=lambda: "")
    return empty.test_client()


def _floor(address: Address, seen: Seen) -> Callable[[], object]:
    """Return an empty request, the selection of the same rows and the rendering of the same template.

    The rows come by Core from statements put together before, the values for the template from a page that
    was made before; it is rendered in the held context of such a request.
    """
    nobody = _empty()
    held = contextvars.copy_context()
    browser = _signed_in(address.app)

    def hold() -> sa.Engine:
        browser.__enter__()
        _get(browser, address)
        return db.engine

    engine = held.run(hold)

    def work() -> None:
        nobody.get("/")
        with engine.connect() as connection:
            for statement, parameters in seen.statements:
                connection.execute(statement, parameters).all()
        seen.template.render(seen.context)

    return lambda: held.run(work)


def _watched(app: flask.Flask, work: Callable[[], object]) -> Seen:
    seen = Seen()

    def on_execute(
        _connection: Any, statement: Any, several: Any, single: Any, _options: Any
    ) -> None:
        if isinstance(statement, sa.Select | sa.CompoundSelect):
            seen.statements.append((statement, several or single or {}))

    def on_cursor(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if not text.startswith("BEGIN"):
            seen.sql.append(text)

    def on_template(_app: Any, template: Any, context: dict[str, Any], **_rest: Any) -> None:
        seen.template, seen.context = template, context

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_execute", on_execute)
    event.listen(engine, "before_cursor_execute", on_cursor)
    try:
        with template_rendered.connected_to(on_template, app):
            work()
    finally:
        event.remove(engine, "before_execute", on_execute)
        event.remove(engine, "before_cursor_execute", on_cursor)
    seen.statements = [
        one for one in seen.statements if not OF_EVERY_PAGE.search(str(one[0].compile(engine)))
    ]
    return seen


def _signed_in(app: flask.Flask) -> FlaskClient:
    browser = app.test_client()
    found = TOKEN.search(browser.get("/sign-in").text)
    answer = browser.post(
        "/sign-in",
        data={
            "csrf_token": found[1] if found else "",
            "email": access.DEMO_ADDRESSES[0],
            "password": access.DEMO_PASSWORD,
        },
    )
    if answer.status_code != 302:
        raise RuntimeError(f"the demo's receptionist could not sign in: {answer.status}")
    return browser


def _get(browser: FlaskClient, address: Address) -> TestResponse:
    answer = browser.get(address.path, headers=dict(address.headers))
    if answer.status_code != 200:
        raise RuntimeError(f"{address.path} answered {answer.status}")
    return answer


def _busiest(app: flask.Flask) -> tuple[int, int]:
    """Return the site with the most visits on the clinic's today, and how many these are."""
    statement = (
        "SELECT site_id, count(*) FROM appointment WHERE starts_at >= :day AND starts_at < :next"
        " AND status NOT IN ('cancelled', 'released') GROUP BY site_id ORDER BY 2 DESC LIMIT 1"
    )
    found = _ask(app, statement, day="2027-03-02 05", next="2027-03-03 05")[0]
    return int(found[0]), int(found[1])


def _courses(app: flask.Flask) -> dict[str, str]:
    """Return the key of a course of three sessions with none, and of one with one fulfilled."""
    statement = (
        "SELECT max(c.key), s.done FROM course c JOIN (SELECT s.course_id, count(*) AS total,"
        " count(CASE WHEN a.status = 'fulfilled' THEN 1 END) AS done, count(a.id) AS live"
        " FROM course_session s LEFT JOIN appointment a ON a.course_session_id = s.id"
        " AND a.status IN ('held', 'reserved', 'booked', 'arrived', 'started', 'fulfilled')"
        " GROUP BY s.course_id) s ON s.course_id = c.id"
        " WHERE c.status = 'active' AND c.is_decided AND s.total = 3 AND s.live = s.done"
        " GROUP BY s.done"
    )
    names = {0: "all three open", 1: "two of three open"}
    return {names[done]: key for key, done in _ask(app, statement) if done in names}


def _ask(app: flask.Flask, statement: str, **values: str) -> Sequence[Any]:
    with app.app_context(), db.engine.connect() as connection:
        return connection.execute(sa.text(statement), values).all()
