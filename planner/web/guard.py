"""What every request has to pass before its view: one function, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Flask, abort, make_response, redirect, render_template, request, url_for
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

from planner.actions import access
from planner.errors import Denied, Unavailable
from planner.web import auth, context, kept, permissions, security, sessions
from planner.web.portal import entry

LONGEST_QUERY = 8_000
UNREADABLE = ("\0", "\ufffd")  # the second stands where bytes were no UTF-8
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
csrf = CSRFProtect()


def register(app: Flask) -> None:
    """Put the check before every view."""
    csrf.init_app(app)
    app.before_request(_check)


def _check() -> Response | None:
    """Ask in this order: can it be read, can it be judged, who asks, was it meant."""
    if len(request.query_string) > LONGEST_QUERY or _is_unreadable("".join(_texts())):
        abort(400)
    if request.endpoint is None:
        return None
    if sessions.current().is_unavailable:
        raise Unavailable("no session could be read")
    account = context.account()
    if not permissions.may(account.role if account else "", request.endpoint):
        return _refuse(request.endpoint)
    if request.method not in SAFE:
        _refuse_foreign_origin()
        if request.blueprint == "portal":
            entry.protect()  # its forms say by themselves what cannot be read
            return None
        csrf.protect()
        return _unreadable_form()
    return None


def _unreadable_form() -> Response | None:
    """Give back a form with bytes that no database keeps, without them, to be sent again."""
    typed = kept.typed()
    if typed is None or not any(_is_unreadable(text) for field in typed.fields for text in field):
        return None
    html = render_template("errors/unreadable.html", kept=typed.without(UNREADABLE))
    return make_response(html, 422)


def _refuse(endpoint: str) -> Response:
    if context.account():
        access.denied(endpoint, by=context.who(), now=context.now())
        raise Denied(endpoint)
    if request.headers.get("HX-Request"):
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = url_for("auth.sign_in", next=security.page_before())
        return answer
    if request.method in SAFE:
        return redirect(url_for("auth.sign_in", next=request.full_path.rstrip("?")))
    return make_response(auth.signed_out_page(), 401)


def _texts() -> Iterator[str]:
    yield request.path
    for name, texts in request.args.lists():
        yield name
        yield from texts


def _is_unreadable(text: str) -> bool:
    return any(sign in text for sign in UNREADABLE)


def _refuse_foreign_origin() -> None:
    """Refuse what the page of another site sent, whatever token it came with."""
    origin = request.headers.get("Origin", "null")
    if origin != "null" and urlsplit(origin).netloc != request.host:
        abort(400)
