"""What a form hears from a use case: a sentence beside the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form

from planner.actions.patients import PatientValues, checked
from planner.errors import Invalid, Stale

SENTENCES: Mapping[str, Any] = {
    "required": _l("Please fill this in."),
    "too_long": _l("This is too long."),
    "unprintable": _l("This contains a character that cannot be printed."),
    "choice": _l("Please choose from the list."),
    "phone": _l(
        "This is not a phone number. Write it like (305) 555-0101, and one from abroad with + in front."
    ),
    "mail": _l("This is not a mail address. Write it like name@example.com."),
    "in_the_future": _l("This day is still to come."),
    "in_the_past": _l("This day has passed."),
    "too_long_ago": _l("This is too long ago."),
    "too_far": _l("This is more than a year. Please check the two days."),
    "until_before_from": _l("The last day lies before the first."),
    "out_of_range": _l("This is too far away, or in the past."),
    "too_many": _l("There is much of yours that we have not read yet. Please call us."),
    "same_patient": _l("These are one and the same file."),
}


def put(form: Form, error: Invalid) -> None:
    """Put each message beside its field, or above the form when it has none."""
    for name, code in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence(code)]
        else:
            form.form_errors.append(sentence(code))


def put_rest(form: Form, values: PatientValues, *, today: date, known_phone: str = "") -> None:
    """Put what the use case would refuse beside the fields that have no message yet: all at once."""
    try:
        checked(values, today=today, known_phone=known_phone)
    except Invalid as error:
        put(
            form,
            Invalid(
                {name: code for name, code in error.fields.items() if not _is_wrong(form, name)}
            ),
        )


def put_stale(form: Form, error: Stale, version: int) -> None:
    """Say what somebody else has changed meanwhile; saving again is then a choice."""
    form["version"].data = version
    form.form_errors.append(
        _("Somebody else has changed this meanwhile. Save again to put yours in its place.")
    )
    for name, (_typed, stored) in error.changed.items():
        if name in form and name != "version":
            said = _("Stored meanwhile: %(value)s", value=_shown(stored))
            form[name].errors = [*form[name].errors, said]


def sentence(code: str) -> str:
    """Return what a message code says."""
    return str(SENTENCES.get(code, _l("This cannot be.")))


def _is_wrong(form: Form, name: str) -> bool:
    return name in form and bool(form[name].errors)


def _shown(value: Any) -> str:
    if value in (None, ""):
        return str(_("(empty)"))
    return str(format_date(value)) if isinstance(value, date) else str(value)
