"""The pages for what goes wrong, when no page has shown it beside its own form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from planner import wording
from planner.errors import (
    Denied,
    Invalid,
    KeyReused,
    NotFound,
    PlannerError,
    Refused,
    Stale,
    Unavailable,
)
from planner.queries import names
from planner.scheduling.timetable import Conflict
from planner.web import auth, context, kept, logs
from planner.web.portal import trouble

STATUSES: Mapping[type[PlannerError], int] = {
    Refused: 409,
    Stale: 409,
    Invalid: 422,
    KeyReused: 422,
    NotFound: 404,
    Denied: 403,
    Unavailable: 503,
}
PLAIN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>planner</title>'
    "<h1>{title}</h1><p>{text}</p>"
)
Page = tuple[str, int] | Response


def register(app: Flask) -> None:
    """Answer every error with a page in words."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(PlannerError, _planner)
    app.register_error_handler(Exception, _unexpected)


def page(code: int, *, title: str = "", text: str = "") -> tuple[str, int]:
    """Return the error page for a status code."""
    words = _words(code)
    title, text = title or words[0], text or words[1]
    if request.blueprint == "portal":
        return trouble.page(title, text), code
    try:
        html = render_template(
            "errors/error.html",
            code=code,
            title=title,
            text=text,
            reference=context.request_id() if code >= 500 else "",
            **_bare_frame(),
        )
    except Exception as error:  # whatever broke the page may break its frame too
        logs.fault(error)
        html = PLAIN.format(title=escape(title), text=escape(text))
    return html, code


def _bare_frame() -> dict[str, Any]:
    # Whoever is not signed in gets no form here: a robot's misses would each write a session row.
    return {} if context.account() else {"shell": {"theme": request.cookies.get("theme", "")}}


def _http(error: HTTPException) -> Page | HTTPException:
    if error.code is None or error.code < 400:
        return error
    answer = make_response(page(error.code))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def _csrf(error: CSRFError) -> Page:
    if request.endpoint == "auth.enter":
        return auth.outdated_page(), 400
    if request.blueprint == "portal":
        return trouble.outdated(), 400
    return page(
        400,
        title=_("This form has grown old"),
        text=_(
            "Cookies are off, or somebody signed out meanwhile. Go back, reload and send it again."
        ),
    )


def _planner(error: PlannerError) -> Page:
    if isinstance(error, Unavailable):
        return _unavailable(error)
    code = next(code for kind, code in STATUSES.items() if isinstance(error, kind))
    text = _sentences(error.conflicts) if isinstance(error, Refused) else ""
    return page(code, text=text)


def _unavailable(error: Unavailable) -> Page:
    logs.fault(error)
    typed = kept.typed()
    if typed is None or request.blueprint == "portal":
        html, code = page(503)
    else:
        html, code = render_template("errors/unavailable.html", kept=typed), 503
    answer = make_response(html, code)
    answer.headers["Retry-After"] = "5"
    return answer


def _sentences(conflicts: Sequence[Conflict]) -> str:
    known = names.all_names()
    return " ".join(
        wording.conflict(conflict, locale=context.locale(), names=known) for conflict in conflicts
    )


def _unexpected(error: Exception) -> Page:
    logs.fault(error)
    return page(500)


def _words(code: int) -> tuple[str, str]:
    words = {
        400: (_("That request could not be read"), _("Go back and try again.")),
        403: (_("Not for your role"), _("Ask a manager if you need this page.")),
        404: (_("There is nothing here"), _("The address may be old, or mistyped.")),
        405: (_("That is not done this way"), _("Go back and use the buttons of the page.")),
        409: (
            _("Something has changed meanwhile"),
            _("Nothing was saved. Go back and look again."),
        ),
        413: (_("That is too much at once"), _("Nothing was saved. Go back and send less text.")),
        422: (_("That cannot be"), _("Nothing was saved. Go back and check what was typed.")),
        429: (_("Too many attempts"), _("Wait a minute, then try again.")),
        503: (_("The database cannot be reached"), _("Nothing was saved. Try again in a moment.")),
    }
    other = (
        _("Something went wrong"),
        _("Nothing was saved. It has been written down; try again."),
    )
    return words.get(code, other)
