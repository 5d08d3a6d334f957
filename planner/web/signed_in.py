"""Who is signed in, as Flask-Login's ``current_user``: read from our own session row, never from a cookie."""

from __future__ import annotations

from flask import Flask, Request
from flask_login import LoginManager, UserMixin

from planner.actions.browsing import Account
from planner.web import sessions


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """The user of a request; pages ask its ``account``."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.id = account.id


def register(app: Flask) -> None:
    """Let ``current_user`` be the user of the session row, anew with every request.

    Nothing of Flask-Login's is kept in the session, and nothing is remembered beyond it.
    """
    login = LoginManager()
    login.session_protection = None  # the id of a session row cannot be carried to another user
    login.request_loader(_load)
    # Without init_app: that would also look with every answer for a cookie that is never set.
    app.login_manager = login  # type: ignore[attr-defined]  # where Flask-Login looks for it


def _load(_request: Request) -> SignedIn | None:
    account = sessions.current().account
    return SignedIn(account) if account else None
