"""Forms for signing in and for one's own account."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField
from wtforms.validators import InputRequired, Length, ValidationError

from planner.web.forms import PlannerForm

DUE = InputRequired(_l("Please fill this in."))
LONGEST = 1_000


def _password(label: Any) -> PasswordField:
    return PasswordField(
        label,
        validators=[DUE, Length(max=LONGEST, message=_l("This is too long."))],
    )


class SignInForm(PlannerForm):
    """Address and password; ``kept`` carries a form that was sent while nobody was signed in."""

    email = EmailField(
        _l("E-mail"), validators=[DUE, Length(max=254, message=_l("This is too long."))]
    )
    password = _password(_l("Password"))
    kept = HiddenField()


class PasswordForm(PlannerForm):
    """The present password and a new one, typed twice."""

    old = _password(_l("Present password"))
    new = _password(_l("New password"))
    again = _password(_l("New password again"))

    def validate_again(self, field: PasswordField) -> None:
        """Whoever mistypes a password they cannot see would lock themselves out."""
        if field.data != self.new.data:
            raise ValidationError(_l("The two are not the same."))
