"""Forms for signing in and for one's own account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from planner.web.forms import PlannerForm

DUE = InputRequired(_l("Please fill this in."))


class SignInForm(PlannerForm):
    """Address and password."""

    email = StringField(_l("E-mail"), validators=[DUE, Length(max=254)])
    password = PasswordField(_l("Password"), validators=[DUE, Length(max=1000)])


class PasswordForm(PlannerForm):
    """The old password and a new one, once."""

    old = PasswordField(_l("Present password"), validators=[DUE, Length(max=1000)])
    new = PasswordField(_l("New password"), validators=[DUE, Length(max=1000)])
