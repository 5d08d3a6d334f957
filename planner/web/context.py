"""What every view needs to know of its request: who asks, when, in which language, under which key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import g, request
from flask import session as flask_session
from werkzeug.datastructures import MultiDict

from planner import clock
from planner.actions import Idempotency
from planner.actions.browsing import Account
from planner.web import sessions
from planner.who import Who

LOCALES = ("en", "es")
UNSAID = ("csrf_token", "idempotency_key")


def account() -> Account | None:
    """Return who is signed in, or None."""
    if "account" not in g:  # kept: a request asks for it eight times
        g.account = sessions.current().account
    found: Account | None = g.account
    return found


def who() -> Who:
    """Return who acts in this request, for use cases and the audit trail."""
    signed_in = account()
    return Who(
        user_id=signed_in.id if signed_in else None,
        role=signed_in.role if signed_in else "anonymous",
        provider_id=signed_in.provider_id if signed_in else None,
        origin=(request.remote_addr or "")[:64],
        request_id=request_id(),
    )


def request_id() -> str:
    """Return the random id of this request, the same for its whole life."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    return str(g.request_id)


def now() -> datetime:
    """Return one instant for the whole request, so that all of a page agrees with itself."""
    if "now" not in g:
        g.now = clock.now()
    found: datetime = g.now
    return found


def locale() -> str:
    """Return the language of the page: the user's, else the browser session's, else the browser's."""
    signed_in = account()
    chosen = signed_in.language if signed_in else flask_session.get("language")
    if chosen in LOCALES:
        return str(chosen)
    return request.accept_languages.best_match(LOCALES) or LOCALES[0]


def version(values: Mapping[str, str]) -> int:
    """Return the version a form was rendered from; 0, which no row has, when it is missing."""
    text = values.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def new_idempotency_key() -> str:
    """Return a key for a form that books, made when the form is rendered."""
    return secrets.token_urlsafe(18)


def idempotency(values: MultiDict[str, str]) -> Idempotency | None:
    """Return the key that a form came with and what it says; None for a form without one."""
    key = values.get("idempotency_key", "")[:64]
    if not key:
        return None
    body: dict[str, Any] = {
        name: values.getlist(name) for name in sorted(values) if name not in UNSAID
    }
    return Idempotency(key, {"path": request.path, **body})
