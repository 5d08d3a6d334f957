"""Tokens, addresses and drawings of what is handed out: made anew from the form, never kept."""

from __future__ import annotations

import base64
import hashlib
import hmac

import segno
from flask import current_app, request
from markupsafe import Markup

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def made(purpose: str, owner: str, form_key: str) -> str:
    """Return the 256-bit token that this form gives for this purpose: unguessable without our secret.

    Sent twice, a form gives the same one.
    """
    secret = str(current_app.config["SECRET_KEY"]).encode()
    message = f"{purpose}\n{owner}\n{form_key}".encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def public_url(path: str) -> str:
    """Return the address under which others reach a path of ours."""
    root: str = current_app.config["PLANNER"].public_url or request.url_root.rstrip("/")
    return root + path


def is_local(url: str) -> bool:
    """Whether only this machine could open it."""
    host = url.partition("://")[2].partition("/")[0]
    return (host.rpartition(":")[0] or host) in LOCAL_HOSTS


def drawing(url: str) -> Markup:
    """Return an address as a QR code."""
    # Attributes only: the content security policy allows no style in a drawing either.
    svg = segno.make(url, error="m", micro=False).svg_inline(
        omitsize=True, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return Markup(svg)  # noqa: S704  segno's drawing of our own address
