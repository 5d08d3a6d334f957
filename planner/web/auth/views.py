"""Signing in and out, one's own password and language."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_babel import refresh
from werkzeug.wrappers import Response

from planner.actions import access
from planner.errors import Invalid
from planner.web import context, security
from planner.web.auth.forms import PasswordForm, SignInForm
from planner.web.sessions import ServerSession

blueprint = Blueprint("auth", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Answer:
    """Sign in; the sentence after a failure is the same whoever it was."""
    target = security.own_path(request.args.get("next", "/"))
    if request.method == "GET" and context.account():
        return redirect(target)
    form = SignInForm()
    status = 200
    if form.validate_on_submit():
        outcome = access.sign_in(
            form.email.data, form.password.data, by=context.who(), now=context.now()
        )
        if outcome.user_id:
            _browser().start(outcome.user_id)
            return redirect(target)
        status = 429 if outcome.wait_seconds else 422
        form.form_errors.append(_failure(outcome.wait_seconds))
    elif form.errors:
        status = 422
    html = render_template("auth/sign_in.html", form=form, has_users=access.has_users())
    return html, status


@blueprint.post("/sign-out")
def sign_out() -> Answer:
    """Sign out, at once and on the server."""
    if context.account():
        access.signed_out(by=context.who(), now=context.now())
    _browser().end()
    return redirect("/sign-in")


@blueprint.route("/account", methods=["GET", "POST"])
def account() -> Answer:
    """Change one's own password."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            access.change_password(
                form.old.data,
                form.new.data,
                session_id=_browser().id,
                by=context.who(),
                now=context.now(),
            )
        except Invalid as error:
            for name, code in error.fields.items():
                form[name].errors = [password_message(code)]
        else:
            flash(_("The password is changed. Other browsers are signed out."), "done")
            return redirect("/account")
    html = render_template("auth/account.html", form=form, account=context.account())
    return html, 422 if form.errors else 200


@blueprint.post("/language")
def language() -> Answer:
    """Choose the language of the pages."""
    chosen = request.form.get("language", "")
    if chosen in context.LOCALES:
        session["language"] = chosen
        if context.account():
            access.set_language(chosen, by=context.who(), now=context.now())
        refresh()
    back = request.form.get("next", "/")
    return redirect(security.own_path(back))


def password_message(code: str) -> str:
    """Return the sentence for why a password is refused."""
    words = {
        "password_wrong": _("This is not your present password."),
        "password_short": _("Use at least 15 characters: four or five words are easy to remember."),
        "password_long": _("Use at most 200 characters."),
        "password_simple": _("This is too regular: use several different words."),
        "password_common": _("This is easy to guess: leave out the clinic’s name, yours, and common words."),
    }
    return words.get(code, _("Please choose another password."))


def _failure(wait_seconds: int) -> str:
    if wait_seconds:
        return _("Too many attempts. Try again in %(seconds)s seconds.", seconds=wait_seconds)
    return _("This address and password do not belong together.")


def _browser() -> ServerSession:
    browser = session._get_current_object()  # type: ignore[attr-defined]  behind Flask's proxy
    if not isinstance(browser, ServerSession):
        raise TypeError("the application runs without its own sessions")
    return browser
