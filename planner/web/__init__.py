"""The pages. ``register`` puts every area and the frame around them on an application."""

from __future__ import annotations

from typing import Any

from flask import Flask, request, url_for
from flask_babel import Babel, get_locale
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin
from flask_wtf import CSRFProtect

from planner.config import Settings
from planner.queries import brand as brand_queries
from planner.web import (
    appointments,
    assets,
    auth,
    brand,
    changes,
    context,
    courses,
    day,
    errors,
    health,
    permissions,
    security,
    settings,
    styleguide,
)
from planner.web.sessions import TableSessions

AREAS = (
    auth.blueprint,
    health.blueprint,
    brand.blueprint,
    styleguide.blueprint,
    day.blueprint,
    appointments.blueprint,
    changes.blueprint,
    courses.blueprint,
    settings.blueprint,
)
LANGUAGES = ({"code": "en", "label": "English"}, {"code": "es", "label": "Español"})
NAV = (
    ("day.show", "calendar", "day"),
    ("day.mine", "user", "day"),
    ("patients.index", "users", "patients"),
    ("courses.index", "course", "courses"),
    ("decisions.index", "decide", "decisions"),
    ("settings.index", "settings", "settings"),
)


class SignedInUser(UserMixin):  # type: ignore[misc]  flask-login has no types
    """Who is signed in, as flask-login's ``current_user``: read from our own session row."""

    def __init__(self, account_id: int) -> None:
        self.id = account_id


def register(app: Flask, chosen: Settings) -> None:
    """Put sessions, sign-in, languages, checks and all pages on the application.

    Raises ``Unguarded`` when a page has no row in the table of permissions.
    """
    app.session_interface = TableSessions(chosen)
    CSRFProtect(app)
    Babel(app, locale_selector=context.locale)
    login = LoginManager(app)
    login.request_loader(_load_user)
    assets.register(app)
    security.protect(app, chosen)
    errors.register(app)
    app.jinja_env.globals["get_locale"] = get_locale
    app.context_processor(_frame)
    for blueprint in AREAS:
        app.register_blueprint(blueprint)
    permissions.check({rule.endpoint for rule in app.url_map.iter_rules()})


def _load_user(_request: object) -> SignedInUser | None:
    account = context.account()
    return SignedInUser(account.id) if account else None


def _frame() -> dict[str, Any]:
    account = context.account()
    shell: dict[str, Any] = {
        "theme": request.cookies.get("theme", ""),
        "language_url": url_for("auth.language"),
        "languages": LANGUAGES,
    }
    if account:
        shell |= {
            "search_url": url_for("patients.index"),
            "sign_out_url": url_for("auth.sign_out"),
            "account_url": url_for("auth.account"),
            "user_name": account.name,
            "user_detail": _role(account.role),
        }
    return {"clinic": brand_queries.clinic(), "nav": _nav(), "shell": shell}


def _nav() -> list[dict[str, Any]]:
    account = context.account()
    if account is None:
        return []
    labels = {
        "day.show": _("Day"),
        "day.mine": _("My day"),
        "patients.index": _("Patients"),
        "courses.index": _("Courses"),
        "decisions.index": _("Decisions"),
        "settings.index": _("Settings"),
    }
    return [
        {
            "url": url_for(endpoint),
            "label": labels[endpoint],
            "icon": icon,
            "active": request.endpoint == endpoint
            or (request.blueprint == area and not endpoint.startswith("day.")),
        }
        for endpoint, icon, area in NAV
        if permissions.may(account.role, endpoint)
        and (endpoint not in ("day.mine", "decisions.index") or account.provider_id)
    ]


def _role(role: str) -> str:
    return {
        "receptionist": _("Receptionist"),
        "provider": _("Provider"),
        "manager": _("Manager"),
    }.get(role, role)
