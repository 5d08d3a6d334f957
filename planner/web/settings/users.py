"""Who may sign in, and as what."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions import users as actions
from planner.actions.users import UserValues
from planner.queries.settings import people
from planner.web import context
from planner.web.settings import answers
from planner.web.settings.blueprint import blueprint
from planner.web.settings.user_forms import KnownUserForm, NewUserForm, PasswordForm, UserForm

Answer = str | Response | tuple[str, int]


@blueprint.get("/users")
def users() -> Answer:
    """Everybody who may sign in."""
    return render_template("settings/users.html", users=people.users())


@blueprint.route("/users/new", methods=["GET", "POST"])
def user_new() -> Answer:
    """Add a user."""
    form = NewUserForm(linked=people.user_choices(now=context.now()))
    if form.validate_on_submit() and answers.saved(form, 0, lambda: _add(form)):
        flash(_("%(name)s can sign in now.", name=form.name.data), "success")
        return redirect(url_for("settings.users"))
    return render_template("settings/user.html", form=form, user=None), answers.status(form)


@blueprint.route("/users/<int:user_id>", methods=["GET", "POST"])
def user(user_id: int) -> Answer:
    """A user."""
    view = people.user(user_id)
    form = KnownUserForm(linked=people.user_choices(now=context.now()), obj=view)
    if form.validate_on_submit() and answers.saved(
        form, view.version, lambda: _change(user_id, form)
    ):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.users"))
    return render_template("settings/user.html", form=form, user=view), answers.status(form)


@blueprint.route("/users/<int:user_id>/password", methods=["GET", "POST"])
def user_password(user_id: int) -> Answer:
    """Give a user a new password."""
    view = people.user(user_id)
    form = PasswordForm()
    if form.validate_on_submit() and answers.saved(form, 0, lambda: _set(user_id, form)):
        flash(_("The new password holds. They are signed out everywhere."), "success")
        return redirect(url_for("settings.users"))
    return render_template("settings/password.html", form=form, user=view), answers.status(form)


def _add(form: NewUserForm) -> int:
    password = form.password.data or ""
    return actions.add(_values(form), password, by=context.who(), now=context.now())


def _change(user_id: int, form: KnownUserForm) -> bool:
    actions.change(
        user_id,
        _values(form),
        is_active=form.is_active.data,
        version=form.version.data,
        by=context.who(),
        now=context.now(),
    )
    return True


def _set(user_id: int, form: PasswordForm) -> bool:
    actions.set_password(user_id, form.password.data or "", by=context.who(), now=context.now())
    return True


def _values(form: UserForm) -> UserValues:
    return UserValues(
        email=form.email.data,
        name=form.name.data,
        role=form.role.data,
        language=form.language.data,
        provider_id=form.provider_id.data or None,
        site_id=form.site_id.data or None,
    )
