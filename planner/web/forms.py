"""What all forms have in common: clean text, kept values, and the keys that make a POST harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    Field,
    HiddenField,
    IntegerField,
    PasswordField,
    StringField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # not in stubs
from wtforms.validators import Length
from wtforms.widgets import HiddenInput

from planner.web import context

ALLOWED_CONTROLS = "\n\r\t"
JOINERS = "\u200c\u200d\u200e\u200f"  # right-to-left names and emoji need them


def choices(pairs: Iterable[tuple[Any, Any]], group: Any = None) -> list[Any]:
    """Return the options of a select from values and labels, under a heading when there is one."""
    return [SelectChoice(value=value, label=label, optgroup=group) for value, label in pairs]


def number(text: str) -> int:
    """Return the number of a row that a form names; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def stripped(value: Any) -> Any:
    """Return typed text without the spaces around it."""
    return value.strip() if isinstance(value, str) else value


def printable(form: FlaskForm, field: Field) -> None:
    """Refuse characters that cannot be seen and would spoil calendars, mail and files."""
    if isinstance(field.data, str) and any(_is_unseen(letter) for letter in field.data):
        raise ValidationError(_l("This contains a character that cannot be printed."))


def _is_unseen(letter: str) -> bool:
    if letter in ALLOWED_CONTROLS or letter in JOINERS:
        return False
    kind = unicodedata.category(letter)
    # Of what has no name yet, most is emoji that are younger than our tables.
    return kind in ("Cc", "Cs", "Co") or (kind == "Cn" and _is_no_character(letter))


def _is_no_character(letter: str) -> bool:
    point = ord(letter)
    return point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF


def _option(pair: Any) -> Any:
    """Return the option that a pair of value and label stands for."""
    return SelectChoice(value=pair[0], label=pair[1]) if isinstance(pair, tuple) else pair


class VersionField(IntegerField):
    """The version of the row that the form was rendered from."""

    data: Any  # a whole number
    widget = HiddenInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a version; anything else is version 0, which no row has."""
        self.data = number(valuelist[0]) if valuelist else 0


class IdempotencyField(HiddenField):
    """A key made when the form is rendered, and kept when it is rendered again after a refusal."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=context.new_idempotency_key, **kwargs)


class PlannerForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """The base of all forms: text is stripped, unprintable characters are refused."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # the same
        """Give every typed field the two rules above."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            """Bind a field: pairs become options; typed text gets the two rules before its own."""
            pairs = unbound_field.kwargs.get("choices")
            if isinstance(pairs, list | tuple):
                options = {**options, "choices": [_option(pair) for pair in pairs]}
            field: Field = unbound_field.bind(form=form, **options)
            if isinstance(field, StringField) and not isinstance(field, PasswordField):
                field.filters = [stripped, *field.filters]
                field.validators = [printable, *field.validators]
            return field


TOKEN_KEY = Length(min=20, max=64, message=_l("Please try again."))
"""What a key has to be for a token to be made from it."""


class KeyForm(PlannerForm):
    """A form of nothing but its key, from which a token is made: sent twice it makes one."""

    idempotency_key = IdempotencyField(validators=[TOKEN_KEY])
