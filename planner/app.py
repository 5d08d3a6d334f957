"""The only module that knows all others: makes the application from its settings."""

from __future__ import annotations

import logging
from pathlib import Path

import structlog
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from planner import web
from planner.config import Settings
from planner.db import engine, guards, migrate
from planner.db.engine import db

TEMPLATES = Path(__file__).parent / "templates"
LARGEST_BODY = 1_000_000  # bytes


class NotReady(Exception):
    """The database is not fit to serve from; the message says what to do."""


def create_app(settings: Settings, *, for_serving: bool = True) -> Flask:
    """Return the application for the settings.

    Raises ``NotReady`` when the database has not been initialised, is at another revision, or has lost
    a guard: without guards nothing is served. With ``for_serving=False`` the database is not looked at:
    for the commands that make it ready.
    """
    app = Flask("planner", template_folder=str(TEMPLATES))
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        WTF_CSRF_TIME_LIMIT=None,  # the secret lives and dies with the session row
        WTF_CSRF_SSL_STRICT=False,  # it asks for a referrer, and ours are off; security.py asks the origin
        BABEL_TRANSLATION_DIRECTORIES=str(Path(__file__).parent / "translations"),
    )
    app.config["PLANNER"] = settings
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    _log(settings)
    engine.configure(app, settings.database_url)
    if settings.public_url:
        app.config["TRUSTED_HOSTS"] = [_host(settings.public_url)]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  the documented way to wrap it
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
    web.register(app, settings)
    if for_serving:
        with app.app_context():
            _check_database()
    return app


def _check_database() -> None:
    try:
        if not migrate.is_current(db.engine):
            raise NotReady("The database is not at this version's revision: run `planner init`.")
        with db.engine.connect() as connection:
            guards.probe(connection)
    except guards.GuardsMissing as error:
        raise NotReady(f"{error} Nothing is served without guards.") from error


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition(":")[0]


def _log(settings: Settings) -> None:
    """Log one JSON object a line; nothing in it names a patient, a token or a password."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
    )
