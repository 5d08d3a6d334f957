"""Who holds the link: the short-lived, signed cookie that stands for it at clean addresses.

It names the link and nothing else, so it opens nothing once the link has ended. Nothing is stored for it:
a mail scanner that opens every link leaves no trace but the note that the link was opened. It is apart
from the sessions of staff, and so is the token in its forms, which holds for this link alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Response, current_app, g, request
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as AnyResponse

from planner.web import context
from planner.who import Who

LIFETIME = timedelta(hours=4)
RENEWED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whoever holds a link, in one browser; ``nonce`` makes their forms' token."""

    link_id: int
    nonce: str
    since: datetime


def open_with(link_id: int, response: Response) -> None:
    """Let this browser in with the link; forms that it has open of the same link stay good."""
    known = holder()
    nonce = known.nonce if known and known.link_id == link_id else secrets.token_urlsafe(16)
    _set(Holder(link_id=link_id, nonce=nonce, since=context.now()), response)


def close(response: AnyResponse) -> None:
    """Let this browser out."""
    response.delete_cookie(_name(), **_attributes())


def renew(response: Response) -> None:
    """Let somebody who is still reading stay."""
    known = holder()
    if known and context.now() - known.since > RENEWED_AFTER:
        _set(Holder(link_id=known.link_id, nonce=known.nonce, since=context.now()), response)


def holder() -> Holder | None:
    """Return who holds the link that this browser came with, or None."""
    if "link_holder" not in g:
        g.link_holder = _read(request.cookies.get(_name(), ""))
    found: Holder | None = g.link_holder
    return found


def who() -> Who:
    """Return who acts: the patient, also in a browser in which somebody of the clinic has signed in."""
    return replace(context.who(), user_id=None, role="patient", provider_id=None)


def form_token() -> str:
    """Return the token of this holder's forms; empty for nobody."""
    known = holder()
    return _sealed(f"form\n{known.link_id}\n{known.nonce}") if known else ""


def protect() -> None:
    """Refuse a form that was not made for this holder. Raises CSRFError."""
    expected = form_token()
    if not expected or not _is_same(request.form.get("csrf_token", ""), expected):
        raise CSRFError("the form was made for nobody, or for the holder of another link")


def _read(text: str) -> Holder | None:
    parts = text.split(".")
    if len(text) > 200 or len(parts) != 4:
        return None
    link_id, since, nonce, seal = parts
    if not _is_same(seal, _sealed(f"holder\n{link_id}\n{since}\n{nonce}")):
        return None
    at = datetime.fromtimestamp(int(since), tz=context.now().tzinfo)
    if not at <= context.now() < at + LIFETIME:
        return None
    return Holder(link_id=int(link_id), nonce=nonce, since=at)


def _set(known: Holder, response: Response) -> None:
    since = int(known.since.timestamp())
    seal = _sealed(f"holder\n{known.link_id}\n{since}\n{known.nonce}")
    text = f"{known.link_id}.{since}.{known.nonce}.{seal}"
    response.set_cookie(_name(), text, max_age=LIFETIME, **_attributes())


def _sealed(text: str) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, f"patient page\n{text}".encode(), hashlib.sha256).hexdigest()


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def _is_https() -> bool:
    return bool(current_app.config["PLANNER"].is_https)


def _name() -> str:
    return "__Host-planner-visits" if _is_https() else "planner-visits"


def _attributes() -> dict[str, Any]:
    return {"path": "/", "secure": _is_https(), "httponly": True, "samesite": "Lax"}
