"""Forms about users."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, RadioField, SelectField
from wtforms.validators import EqualTo, InputRequired

from planner.queries.settings.people import UserChoices
from planner.web.forms import PlannerForm, VersionField, choices
from planner.web.settings.fields import Text, whole
from planner.web.settings.forms import NOT_IN_LIST

ROLES = choices(
    (
        ("receptionist", _l("Receptionist")),
        ("provider", _l("Provider")),
        ("manager", _l("Manager")),
    )
)
DUE = _l("Please fill this in.")
INTERFACE_LANGUAGES = choices((("en", _l("English")), ("es", _l("Spanish"))))


class UserForm(PlannerForm):
    """Who a user is, and as what they sign in."""

    version = VersionField()
    name = Text(_l("Name"), limit=120, required=True)
    email = Text(_l("Mail address"), limit=254, required=True)
    role = RadioField(
        _l("Role"), choices=ROLES, default="receptionist", validators=[InputRequired(NOT_IN_LIST)]
    )
    provider_id = SelectField(_l("Is the provider"), coerce=whole, validate_choice=False)
    site_id = SelectField(_l("Usually sits at"), coerce=whole, validate_choice=False)
    language = SelectField(_l("Language of the pages"), choices=INTERFACE_LANGUAGES)

    def __init__(self, *args: Any, linked: UserChoices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, rows in ((self.provider_id, linked.providers), (self.site_id, linked.sites)):
            field.choices = choices([(0, _l("None")), *((row.id, row.name) for row in rows)])


class NewUserForm(UserForm):
    """A user to be, with a first password."""

    password = PasswordField(_l("First password"), validators=[InputRequired(DUE)])


class KnownUserForm(UserForm):
    """A user who is already there."""

    is_active = BooleanField(_l("May sign in"))


class PasswordForm(PlannerForm):
    """A new password, typed twice."""

    password = PasswordField(_l("New password"), validators=[InputRequired(DUE)])
    again = PasswordField(
        _l("The same again"), validators=[EqualTo("password", _l("The two do not agree."))]
    )
