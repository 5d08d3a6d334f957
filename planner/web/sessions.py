"""Browser sessions kept in the database: the cookie holds a random id and nothing else.

So a sign-out, a change of role or a deactivation holds from the next request on, whatever cookie
somebody kept. They work before sign-in too, because the CSRF secret lives here. A request that stores
nothing writes no row, and that a session was seen is noted once a minute.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask, Request, Response, request
from flask import session as flask_session
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from planner import clock
from planner.actions import browsing
from planner.config import Settings
from planner.errors import Unavailable

WITHOUT = ("/static/", "/clinic.css", "/healthz", "/cal/")
"""Addresses that are the same for everybody who has them: their requests ask for no session."""

log = structlog.get_logger("planner.web")


class BrowserSession(CallbackDict[str, Any], SessionMixin):
    """What a browser's session holds; ``account`` is who is signed in, ``id`` is empty before a row.

    ``schedule``, ``edition`` and ``waiting`` are those of ``browsing.Browser``, 0 and empty before a row.
    """

    def __init__(self, session_id: str = "", stored: browsing.Browser | None = None) -> None:
        super().__init__(stored.contents if stored else {}, _on_update)
        self.id = session_id if stored else ""
        self.account = stored.account if stored else None
        self.is_due = bool(stored and stored.is_due)
        self.schedule = stored.schedule if stored else 0
        self.edition = stored.edition if stored else ""
        self.waiting = stored.waiting if stored else 0
        self.is_new = False  # the cookie has to be set
        self.is_over = False  # the cookie has to go
        self.is_unavailable = False  # the database did not answer
        self.modified = False

    def become(self, session_id: str) -> None:
        """Go on under a row that has just been stored: after sign-in, or a change of password."""
        self.clear()
        self.id, self.is_new, self.is_due, self.modified = session_id, True, False, False

    def end(self) -> None:
        """Forget the session: its row has gone."""
        self.clear()
        self.id, self.account, self.is_over, self.modified = "", None, True, False


class TableSessions(SessionInterface):
    """Reads and writes sessions through the actions."""

    def __init__(self, settings: Settings) -> None:
        self._idle = timedelta(minutes=settings.idle_minutes)
        self._lifetime = timedelta(hours=settings.session_hours)
        self._is_secure = settings.is_https
        self._cookie = "__Host-planner" if settings.is_https else "planner"

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Return the session of the request's cookie, or an empty one."""
        session_id = request.cookies.get(self._cookie, "")
        if not session_id or request.path.startswith(WITHOUT):
            return BrowserSession()
        try:
            stored = browsing.find(session_id, now=clock.now(), idle=self._idle)
        except Exception as error:
            # No error handler is at work yet: the server would log it with the values it quotes.
            if not isinstance(error, Unavailable):
                log.error("session_not_read", error=type(error).__name__)
            found = BrowserSession()
            found.is_unavailable = True
            return found
        return BrowserSession(session_id, stored)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed, and set or drop the cookie where that is due."""
        if not isinstance(session, BrowserSession) or session.is_unavailable:
            return
        try:
            self._store(session)
        except Unavailable:
            # What the page did is done; only that it was seen, or a notice, is lost.
            log.warning("session_not_stored")
        if session.is_over:
            response.delete_cookie(self._cookie, **self._attributes)
        elif session.is_new:
            response.set_cookie(self._cookie, session.id, **self._attributes)
        if session.accessed and not request.path.startswith(WITHOUT):
            response.vary.add("Cookie")

    @property
    def _attributes(self) -> dict[str, Any]:
        return {"path": "/", "secure": self._is_secure, "httponly": True, "samesite": "Lax"}

    def _store(self, session: BrowserSession) -> None:
        now = clock.now()
        if session.modified and not session.id and session:
            session.id = browsing.start(_plain(session), now=now, lifetime=self._lifetime)
            session.is_new = True
        elif session.id and (session.modified or session.is_due):
            contents = _plain(session) if session.modified else None
            session.is_over = not browsing.keep(session.id, contents, now=now)


def current() -> BrowserSession:
    """Return the session of this request."""
    found = flask_session._get_current_object()  # type: ignore[attr-defined]  # behind Flask's proxy
    if not isinstance(found, BrowserSession):
        raise TypeError("the application runs without its own sessions")
    return found


def _on_update(session: BrowserSession) -> None:
    session.modified = True


def _plain(session: BrowserSession) -> dict[str, Any]:
    """Return the contents as JSON values; a text still to be translated becomes a text."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(session), default=str))
    return plain
