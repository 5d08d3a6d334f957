"""The address and the drawing of a patient's link, made anew from the form that asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from markupsafe import Markup

from planner.web import tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to be shown once: it can be copied, scanned or printed, and is not kept."""

    url: str
    qr: Markup
    is_local: bool  # only this machine could open it


def token(patient_key: str, form_key: str) -> str:
    """Return the token that this form gives this patient."""
    return tokens.made("page link", patient_key, form_key)


def link(token: str) -> Link:
    """Return the address and its QR code."""
    url = tokens.public_url(url_for("portal.enter", token=token))
    return Link(url=url, qr=tokens.drawing(url), is_local=tokens.is_local(url))
