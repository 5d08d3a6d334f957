"""Browser sessions kept in the database: the cookie holds a random id and nothing else.

So a sign-out, a change of role or a deactivation holds from the next request on, whatever cookie somebody kept.
Works before sign-in too: the CSRF secret lives here. A request that stores nothing writes no row.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from planner import clock
from planner.actions import access
from planner.config import Settings

PUBLIC_PREFIXES = ("/c/", "/static/", "/clinic.css", "/healthz")


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """What a browser's session holds. ``account`` is who is signed in."""

    def __init__(
        self, session_id: str, contents: dict[str, Any], account: access.Account | None
    ) -> None:
        def on_update(_: object) -> None:
            self.modified = True

        super().__init__(contents, on_update)
        self.id = session_id
        self.account = account
        self.user_id = account.id if account else None
        self.is_stored = bool(session_id)
        self.modified = False

    def start(self, user_id: int) -> None:
        """Sign a user in under a new id, so that an id known from before opens nothing."""
        self.clear()
        self.old_id, self.id = self.id, access.new_session_id()
        self.user_id = user_id
        self.is_stored = False
        self.modified = True

    old_id = ""
    is_ended = False

    def end(self) -> None:
        """Sign out: the row goes when the answer is sent."""
        self.clear()
        self.is_ended = True
        self.modified = True


class TableSessions(SessionInterface):
    """Reads and writes sessions through the access actions."""

    def __init__(self, settings: Settings) -> None:
        self._idle = timedelta(minutes=settings.idle_minutes)
        self._lifetime = timedelta(hours=settings.session_hours)
        self._is_secure = settings.is_https
        self._cookie = "__Host-planner" if settings.is_https else "planner"

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """Return the session of the request's cookie, or an empty one."""
        session_id = request.cookies.get(self._cookie, "")
        if not session_id or len(session_id) > 100 or request.path.startswith(PUBLIC_PREFIXES):
            return ServerSession("", {}, None)
        stored = access.find_session(session_id, now=clock.now(), idle=self._idle)
        if stored is None:
            return ServerSession("", {}, None)
        return ServerSession(session_id, dict(stored.contents), stored.account)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed, and set the cookie when the id is new."""
        if not isinstance(session, ServerSession) or not session.modified:
            return
        if session.is_ended:
            self._forget(session.id)
            response.delete_cookie(
                self._cookie, path="/", secure=self._is_secure, httponly=True, samesite="Lax"
            )
            return
        if session.old_id:
            self._forget(session.old_id)
        session.id = session.id or access.new_session_id()
        access.save_session(
            session.id,
            dict(session),
            user_id=session.user_id,
            now=clock.now(),
            lifetime=self._lifetime,
        )
        if not session.is_stored:
            response.set_cookie(
                self._cookie,
                session.id,
                path="/",
                secure=self._is_secure,
                httponly=True,
                samesite="Lax",
            )
        response.headers.add("Vary", "Cookie")

    def _forget(self, session_id: str) -> None:
        if session_id:
            access.end_session(session_id, now=clock.now())


