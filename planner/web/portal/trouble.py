"""What a patient reads when something cannot be: in words, with the phone, and with what they typed."""

from __future__ import annotations

import contextlib

from flask import render_template, request
from flask_babel import force_locale
from flask_babel import gettext as _

from planner.errors import Unavailable
from planner.queries import own_page
from planner.web.portal import entry


def page(title: str, text: str, *, icon: str = "warning", locale: str = "") -> str:
    """Return a page that says what is wrong, and keeps what was typed to be copied."""
    typed = [value for value in request.form.getlist("text") if value.strip()]
    shown = {"title": title, "text": text, "icon_name": icon, "typed": typed, "phone": _phone()}
    with _spoken(locale):
        return render_template("portal/trouble.html", **shown)


def outdated() -> str:
    """Return the page for a form whose link was closed, or changed for another, meanwhile."""
    locale = _locale()
    with _spoken(locale):
        title = _("This page has been open for too long")
        text = _("Nothing was sent. Open your link again, and send it once more.")
    return page(title, text, icon="clock", locale=locale)


def closed(state: str, locale: str = "") -> str:
    """Return why nothing opens: none | unknown | over | revoked."""
    with _spoken(locale):
        title, text = {
            "none": (
                _("Please open your link again"),
                _("For your privacy this page closes by itself after some hours."),
            ),
            "over": (
                _("This link has run out"),
                _("Links hold for some months. Ask us for a new one."),
            ),
            "revoked": (
                _("This link was ended"),
                _("There may be a newer one in your messages; or ask us for one."),
            ),
        }.get(
            state,
            (
                _("There is nothing here"),
                _("The address may be old, or mistyped. Ask for a new one."),
            ),
        )
    return page(title, text, icon="link", locale=locale)


def _spoken(locale: str) -> contextlib.AbstractContextManager[object]:
    return force_locale(locale) if locale else contextlib.nullcontext()


def _locale() -> str:
    known = entry.holder()
    try:
        return own_page.language_of(known.link_id) if known else ""
    except Unavailable:
        return ""


def _phone() -> str:
    try:
        return own_page.clinic_phone()
    except Unavailable:
        return ""
