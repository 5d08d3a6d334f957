"""What the frame of every page shows: the clinic, the navigation, who is signed in."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from markupsafe import escape

from planner.errors import Unavailable
from planner.queries import brand
from planner.web import context, permissions, sessions

LANGUAGES = ({"code": "en", "label": "English"}, {"code": "es", "label": "Español"})
NAV = (
    ("day.show", _l("Day"), "day"),
    ("day.mine", _l("My day"), "user"),
    ("patients.index", _l("Patients"), "users"),
    ("courses.index", _l("Courses"), "course"),
    ("inbox.index", _l("Inbox"), "mail"),
    ("decisions.index", _l("Decisions"), "decide"),
    ("settings.index", _l("Settings"), "settings"),
)
OF_PROVIDERS = frozenset({"day.mine", "decisions.index"})
ROLES = {
    "receptionist": _l("Receptionist"),
    "provider": _l("Provider"),
    "manager": _l("Manager"),
}


def register(app: Flask) -> None:
    """Give the templates what ``base.html`` asks for."""
    # Flask-Babel passes lazy sentences off as markup, also those that repeat what somebody typed.
    LazyString.__html__ = lambda sentence: escape(str(sentence))
    app.extensions["planner_frame"] = {}
    app.jinja_env.globals["get_locale"] = get_locale
    app.context_processor(lambda: {"clinic": _clinic(), "nav": _nav(), "shell": _shell()})


def _clinic() -> brand.ClinicView:
    # Error pages are drawn in this frame too, also when it is the database that does not answer.
    if "clinic" not in g:
        try:
            g.clinic = brand.clinic(sessions.current().edition)
        except Unavailable:
            g.clinic = brand.UNKNOWN
    found: brand.ClinicView = g.clinic
    return found


def _nav() -> list[dict[str, Any]]:
    account = context.account()
    if account is None:
        return []
    return [
        {
            "url": _url(endpoint),
            "label": label,
            "icon": icon,
            "active": _is_active(endpoint),
            "count": sessions.current().waiting if endpoint == "inbox.index" else 0,
            "alert": True,
        }
        for endpoint, label, icon in NAV
        if endpoint in current_app.view_functions
        and permissions.may(account.role, endpoint)
        and (endpoint not in OF_PROVIDERS or account.provider_id)
    ]


def _url(endpoint: str) -> str:
    """Return the address of a page that needs no more words: worked out once for an application."""
    known: dict[tuple[str, str], str] = current_app.extensions["planner_frame"]
    key = (request.script_root, endpoint)
    if key not in known:
        known[key] = url_for(endpoint)
    return known[key]


def _is_active(endpoint: str) -> bool:
    area, _dot, page = endpoint.partition(".")
    return request.endpoint == endpoint or (request.blueprint == area and page == "index")


def _shell() -> dict[str, Any]:
    account = context.account()
    shell: dict[str, Any] = {
        "theme": request.cookies.get("theme", ""),
        "language_url": _url("auth.language"),
        "languages": LANGUAGES,
    }
    if account:
        shell |= {
            "sign_out_url": _url("auth.sign_out"),
            "account_url": _url("auth.account"),
            "user_name": account.name,
            "user_detail": ROLES.get(account.role, account.role),
            "is_provider": account.provider_id is not None,
        }
        if "patients.index" in current_app.view_functions:
            shell["search_url"] = _url("patients.index")
    return shell
