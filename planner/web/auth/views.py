"""Signing in and out, one's own password and language."""

from __future__ import annotations

from datetime import timedelta

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions import access
from planner.config import Settings
from planner.errors import Invalid
from planner.web import context, kept, security, sessions
from planner.web.auth.forms import PasswordForm, SignInForm

blueprint = Blueprint("auth", __name__)
Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@blueprint.get("/sign-in")
def sign_in() -> Answer:
    """Return the sign-in page; whoever is signed in goes on to where they wanted."""
    target = security.own_path(request.args.get("next"))
    if context.account():
        return redirect(target)
    return _page(SignInForm(), target)


@blueprint.post("/sign-in")
def enter() -> Answer:
    """Sign in. The sentence after a failure is the same, whoever it was."""
    target = security.own_path(request.args.get("next"))
    form = SignInForm()
    if not form.validate():
        return _page(form, target), 422
    attempt = access.sign_in(
        form.email.data or "",
        form.password.data or "",
        replaces=sessions.current().id,
        lifetime=_lifetime(),
        by=context.who(),
        now=context.now(),
    )
    if attempt.wait_seconds:
        form.form_errors.append(
            _("Too many attempts. Try again in %(seconds)s seconds.", seconds=attempt.wait_seconds)
        )
        return _page(form, target), 429, {"Retry-After": str(attempt.wait_seconds)}
    if not attempt.session_id:
        form.form_errors.append(_("This address and password do not belong together."))
        return _page(form, target), 422
    _go_on_as(attempt.session_id)
    unsent = kept.unpacked(form.kept.data or "")
    return render_template("auth/resume.html", kept=unsent) if unsent else redirect(target)


@blueprint.post("/sign-out")
def sign_out() -> Answer:
    """Sign out, at once and on the server."""
    access.sign_out(sessions.current().id, by=context.who(), now=context.now())
    sessions.current().end()
    return redirect(url_for("auth.sign_in"))


@blueprint.get("/account")
def account() -> Answer:
    """Return one's own account."""
    return _account_page(PasswordForm())


@blueprint.post("/account")
def change_password() -> Answer:
    """Change one's own password; every other browser is signed out."""
    form = PasswordForm()
    if not form.validate():
        return _account_page(form), 422
    try:
        session_id = access.change_password(
            form.old.data or "",
            form.new.data or "",
            lifetime=_lifetime(),
            by=context.who(),
            now=context.now(),
        )
    except Invalid as error:
        for name, code in error.fields.items():
            form[name].errors = [_sentence(code)]
        return _account_page(form), 422
    _go_on_as(session_id)
    flash(_("The password is changed. Other browsers are signed out."), "done")
    return redirect(url_for("auth.account"))


@blueprint.post("/language")
def language() -> Answer:
    """Choose the language of the pages, and go back to the page it was chosen on."""
    chosen = request.form.get("language", "")
    if chosen in context.LOCALES:
        session["language"] = chosen
        if context.account():
            access.set_language(chosen, by=context.who(), now=context.now())
    return redirect(security.page_before())


def signed_out_page() -> str:
    """Return the sign-in page for a form that came when nobody was signed in any more.

    The page carries the form on, so that it can be sent again after signing in.
    """
    form = SignInForm(formdata=None)
    typed = kept.typed()
    form.kept.data = typed.packed() if typed else ""
    notice = _("You were signed out because nothing happened for a while. Sign in to go on.")
    return _page(form, security.page_before(), notice)


def outdated_page() -> str:
    """Return the sign-in page again when its own token was too old; the address stays typed."""
    form = SignInForm()
    notice = _("This page had been open for too long. Please sign in again.")
    return _page(form, security.own_path(request.args.get("next")), notice)


def _page(form: SignInForm, target: str, notice: str = "") -> str:
    return render_template(
        "auth/sign_in.html",
        form=form,
        target=target,
        notice=notice,
        has_users=access.has_users(),
    )


def _account_page(form: PasswordForm) -> str:
    return render_template("auth/account.html", form=form, account=context.account())


def _go_on_as(session_id: str) -> None:
    sessions.current().become(session_id)
    g.pop("csrf_token", None)  # made from the secret of the session that is over


def _lifetime() -> timedelta:
    settings: Settings = current_app.config["PLANNER"]
    return timedelta(hours=settings.session_hours)


def _sentence(code: str) -> str:
    words: dict[str, str] = {
        "password_wrong": _("This is not your present password."),
        "password_short": _("Use at least 15 characters: four or five words are easy to remember."),
        "password_long": _("Use at most 200 characters."),
        "password_simple": _("This is too regular: use several different words."),
        "password_common": _(
            "This is easy to guess: leave out the clinic’s name, yours, and common words."
        ),
    }
    return words.get(code) or str(_("Please choose another password."))
