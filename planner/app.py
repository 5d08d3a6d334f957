"""The only module that knows all others: makes the application from its settings."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from planner import web
from planner.config import Settings
from planner.db import engine, guards, migrate
from planner.errors import Unavailable
from planner.web import logs

HERE = Path(__file__).parent
LARGEST_BODY = 1_000_000  # bytes


class NotReady(Exception):
    """The database is not fit to serve from; the message says what to do."""


def create_app(settings: Settings, *, for_serving: bool = True) -> Flask:
    """Return the application for the settings.

    Raises NotReady when the database has not been initialised, is at another revision, or has lost a
    guard: without guards nothing is served; Unavailable when it cannot be reached. With
    ``for_serving=False`` the database is not looked at: for the commands that make it ready.
    """
    app = Flask("planner", root_path=str(HERE))
    app.config.update(
        PLANNER=settings,
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=_hosts(settings),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        WTF_CSRF_CHECK_DEFAULT=False,  # guard.py asks, after it knows who is there
        WTF_CSRF_TIME_LIMIT=None,  # the secret lives and dies with the session row
        WTF_CSRF_SSL_STRICT=False,  # a referrer may be stripped on its way; guard.py asks the origin
        BABEL_TRANSLATION_DIRECTORIES=str(HERE / "translations"),
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    logs.configure(settings)
    engine.configure(app, settings.database_url)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # the documented way to wrap it
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
    web.register(app, settings)
    if for_serving:
        with app.app_context():
            _check_database()
    return app


def _check_database() -> None:
    database = engine.db.engine
    path = database.url.database or ""
    if database.dialect.name == "sqlite" and not Path(path).exists():
        raise NotReady(f"There is no database at {path}: run `planner init`.")
    try:
        if not migrate.is_current(database):
            raise NotReady("The database is not at this version's revision: run `planner init`.")
        with database.connect() as connection:
            guards.probe(connection)
    except guards.GuardsMissing as error:
        raise NotReady(f"{error} Nothing is served without guards.") from error
    except sa.exc.OperationalError as error:
        raise Unavailable(str(error.orig)) from error
    finally:
        database.dispose()


def _hosts(settings: Settings) -> list[str] | None:
    """Return the names the application answers to; None, which is all, where it cannot know them."""
    own = ["localhost", "127.0.0.1", "::1"]
    if settings.public_url:
        return [settings.public_host, *own]
    return own if settings.host in own else None
