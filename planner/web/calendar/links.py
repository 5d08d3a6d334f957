"""The address and the drawing of a patient's link, made anew from the form that asks for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

import segno
from flask import current_app, request, url_for
from markupsafe import Markup

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to be shown once: it can be copied, scanned or printed, and is not kept."""

    url: str
    qr: Markup
    is_local: bool  # only this machine could open it


def token(patient_key: str, form_key: str, *, purpose: str = "calendar") -> str:
    """Return the 256-bit token that this form gives this patient: unguessable without our secret."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    message = f"{purpose} link\n{patient_key}\n{form_key}".encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def number(text: str) -> int:
    """Return the number of a link that a form names; 0, which no link has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def link(token: str, *, endpoint: str = "portal.calendar") -> Link:
    """Return the address and its QR code."""
    public_url = current_app.config["PLANNER"].public_url or request.url_root.rstrip("/")
    url = public_url + url_for(endpoint, token=token)
    # Attributes only: the content security policy allows no style in a drawing either.
    drawing = segno.make(url, error="m", micro=False).svg_inline(
        omitsize=True, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    host = public_url.partition("://")[2].rpartition(":")[0] or public_url.partition("://")[2]
    return Link(url=url, qr=Markup(drawing), is_local=host in LOCAL_HOSTS)  # noqa: S704  segno's drawing of our own address
