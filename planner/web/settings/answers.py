"""What a form hears from an action: nothing, or a sentence beside the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from flask import request
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, Form
from wtforms.form import BaseForm

from planner.errors import Invalid, Stale

T = TypeVar("T")

SENTENCES: Mapping[str, Any] = {
    "placeholder": _l(
        "Only {name}, {clinic} and {phone} can stand in braces: something else would reach patients."
    ),
    "placeholder_text": _l(
        "Only what stands below the field can stand in braces: something else would reach patients."
    ),
    "telling": _l(
        "This tells of the treatment. A text message lies open on the phone: please say it neutrally."
    ),
    "superseded": _l("A later message took its place, or it was taken back."),
    "too_late": _l("It is too late: it would say nothing any more."),
    "missing": _l("Please fill this in."),
    "too_long": _l("This is too long."),
    "unprintable": _l("This contains a character that cannot be printed."),
    "colour": _l("Please choose one of the colours."),
    "phone": _l("Please give a phone number of at least seven digits, like (305) 555-0100."),
    "mail": _l("This is not a mail address. Write it like name@example.com."),
    "zone": _l("There is no such time zone. Please choose one from the list."),
    "languages": _l("Please tick at least one language."),
    "minutes_range": _l("That many minutes cannot be."),
    "minutes_step": _l("Please give a multiple of five minutes."),
    "five_minutes": _l("Times lie on full five minutes, like 9:05 or 9:10."),
    "range": _l("This number is too small or too large."),
    "day_range": _l("Please give a date between 2000 and 2199."),
    "choice": _l("Please choose from the list."),
    "taken": _l("Another one already has this."),
    "overlaps": _l("This range overlaps another one of the same day."),
    "end_before_start": _l("This ends before it starts."),
    "until_before_from": _l("The last day lies before the first."),
    "both_times": _l("Please give both times, or neither."),
    "sessions": _l("A course has 1 to 12 sessions."),
    "days": _l("A gap has 1 to 365 days."),
    "below_floor": _l("The target lies below “not before”."),
    "below_target": _l("“Late after” lies below the target."),
    "in_use": _l("It is still referred to, so it cannot be removed. Retire it instead."),
    "in_the_past": _l("A change can hold from today on, not earlier."),
    "severity_fixed": _l("This cannot be made milder or stricter."),
    "value_no_value": _l("This rule has no value."),
    "value_switch": _l("Please choose on or off."),
    "value_number": _l("This number is too small or too large."),
    "value_range": _l("These numbers are too small or too large."),
    "value_order": _l("The numbers have to rise from left to right."),
    "value_choice": _l("Please choose from the list."),
    "last_manager": _l("Somebody has to stay manager: this is the last active one."),
    "yourself": _l("You cannot take your own rights away. Ask another manager."),
    "provider_missing": _l("Please say which provider this user is."),
    "password_short": _l("Please choose at least 15 characters: a few words make a good password."),
    "password_long": _l("At most 200 characters."),
    "password_common": _l(
        "Everybody would guess this. A few words that do not belong together are better."
    ),
    "password_simple": _l("This is too regular. A few words make a good password."),
    "password_again": _l("The two do not agree."),
}


def saved(form: Form, version: int, call: Callable[[], T]) -> T | None:
    """Return what the action returns, or None when it refused: the form then says why.

    After a change made meanwhile by somebody else the form carries ``version``, the one now
    stored, so that saving again is a choice and not an accident.
    """
    try:
        return call()
    except Invalid as error:
        _put(form, error.fields)
    except Stale as error:
        _put_stale(form, error, version)
    return None


def status(form: BaseForm) -> int:
    """Return the status of a page with this form: 200, or 409 or 422 after a refusal."""
    if request.method != "POST":
        return 200
    return 409 if getattr(form, "is_stale", False) else 422


def sentence(code: str) -> str:
    """Return what a message code says."""
    return str(SENTENCES.get(code, _l("This cannot be.")))


def _put(form: Form, problems: Mapping[str, str]) -> None:
    for name, code in problems.items():
        field = _find(form, name)
        if field is None:
            form.form_errors.append(sentence(code))
        else:
            field.errors = [*field.errors, sentence(code)]


def _find(form: Form, name: str) -> Field | None:
    head, _dash, rest = name.partition("-")
    if head not in form:
        return None
    field: Field = form[head]
    if not rest:
        return field
    index, _dash, part = rest.partition("-")
    entries = getattr(field, "entries", ())
    if not index.isdigit() or int(index) >= len(entries):
        return field
    found: Field = entries[int(index)].form[part]
    return found


def _put_stale(form: Form, error: Stale, version: int) -> None:
    form.is_stale = True  # type: ignore[attr-defined]  # read by status() of the same request
    form["version"].data, form["version"].raw_data = version, None
    form.form_errors.append(
        _("Somebody else has changed this meanwhile. Save again to put yours in its place.")
    )
    for name, (_typed, stored) in error.changed.items():
        field = _find(form, name)
        if field is not None:
            field.errors = [*field.errors, _("Stored meanwhile: %(value)s", value=_shown(stored))]


def _shown(value: Any) -> str:
    if value is None or value == "":
        return str(_("(empty)"))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, date):
        return str(format_date(value))
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return str(value)
