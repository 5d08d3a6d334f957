"""The pages. ``register`` puts every area and the frame around them on an application."""

from __future__ import annotations

from flask import Flask
from flask_babel import Babel
from werkzeug.routing import IntegerConverter

from planner.config import Settings
from planner.web import (
    appointments,
    assets,
    auth,
    brand,
    calendar,
    changes,
    compiled,
    consults,
    context,
    courses,
    day,
    decisions,
    errors,
    feeds,
    frame,
    guard,
    health,
    inbox,
    logs,
    messages,
    patients,
    permissions,
    portal,
    security,
    settings,
    sharing,
    signed_in,
    styleguide,
)
from planner.web.sessions import TableSessions

AREAS = (
    appointments,
    auth,
    brand,
    calendar,
    changes,
    consults,
    courses,
    day,
    decisions,
    feeds,
    health,
    inbox,
    messages,
    patients,
    portal,
    settings,
    sharing,
    styleguide,
)
"""Each exposes ``blueprint``; its endpoints have rows in ``permissions.py``."""


class RowId(IntegerConverter):
    """A number in an address: one too large for any row is an address that does not exist."""

    regex = r"\d{1,9}"


def register(app: Flask, chosen: Settings) -> None:
    """Put sessions, languages, checks and all pages on the application.

    Raises Unguarded when a page has no row in the table of permissions, or a row no page.
    """
    app.url_map.converters["int"] = RowId
    app.session_interface = TableSessions(chosen)
    signed_in.register(app)
    Babel(app, locale_selector=context.locale)
    assets.register(app)
    frame.register(app)
    logs.register(app)
    guard.register(app)
    security.register(app, chosen)
    errors.register(app)
    for area in AREAS:
        app.register_blueprint(area.blueprint)
    compiled.register(app)
    permissions.check({rule.endpoint for rule in app.url_map.iter_rules()})
