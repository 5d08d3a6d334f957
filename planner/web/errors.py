"""The pages for what goes wrong, when no page has shown it beside its own form."""

from __future__ import annotations

import structlog
from flask import Flask, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

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
from planner.web import context

STATUSES: dict[type[PlannerError], int] = {
    Refused: 409,
    Stale: 409,
    Invalid: 422,
    KeyReused: 422,
    NotFound: 404,
    Denied: 403,
    Unavailable: 503,
}
log = structlog.get_logger("planner.web")
Page = tuple[str, int]


def register(app: Flask) -> None:
    """Answer every error with a page in words."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(PlannerError, _refused)
    app.register_error_handler(Exception, _unexpected)


def page(code: int, *, title: str = "", text: str = "") -> Page:
    """Return the error page for a status code."""
    words = _words(code)
    html = render_template(
        "errors/error.html",
        code=code,
        title=title or words[0],
        text=text or words[1],
        reference=context.request_id() if code >= 500 else "",
        action_url="/",
        action_label=_("To the day page"),
    )
    return html, code


def _http(error: HTTPException) -> Page | HTTPException:
    if error.code is None or error.code < 400:
        return error
    return page(error.code)


def _csrf(error: CSRFError) -> Page:
    return page(
        400,
        title=_("This form has grown old"),
        text=_("You were signed out meanwhile, or cookies are off. Go back, reload, and send it again."),
    )


def _refused(error: PlannerError) -> Page:
    code = next(code for kind, code in STATUSES.items() if isinstance(error, kind))
    if isinstance(error, Refused):
        known = names.all_names()
        sentences = [
            wording.conflict(conflict, locale=context.locale(), names=known)
            for conflict in error.conflicts
        ]
        return page(code, text=" ".join(sentences))
    return page(code)


def _unexpected(error: Exception) -> Page:
    log.error("unexpected", request_id=context.request_id(), route=str(request.url_rule), exc_info=error)
    return page(500)


def _words(code: int) -> tuple[str, str]:
    words = {
        400: (_("That request could not be read"), _("Go back and try again.")),
        403: (_("Not for your role"), _("Ask a manager if you need this page.")),
        404: (_("There is nothing here"), _("The address may be old, or mistyped.")),
        405: (_("That is not done this way"), _("Go back and use the buttons of the page.")),
        409: (_("Somebody was faster"), _("Go back and look again: something has changed meanwhile.")),
        413: (_("That is too much at once"), _("Send less text.")),
        422: (_("That cannot be"), _("Go back and check what was typed.")),
        429: (_("Too many attempts"), _("Wait a minute, then try again.")),
        503: (_("The database cannot be reached"), _("Nothing was lost. Try again in a moment.")),
    }
    return words.get(code, (_("Something went wrong"), _("It has been written down. Try again.")))
