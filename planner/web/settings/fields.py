"""Fields that answer what cannot be with a sentence that says how to write it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, Form, IntegerField, StringField, TextAreaField, TimeField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from planner.web.forms import printable

SHOWN = 20  # characters of what was typed that a sentence repeats


def whole(value: Any) -> int:
    """Return the whole number that a select sent; 0, which is no row, for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def ids(values: Iterable[str] | None) -> frozenset[int]:
    """Return the ids that ticked boxes sent."""
    return frozenset(filter(None, (whole(value) for value in values or ())))


class Text(StringField):
    """A line of text, without the spaces around it."""

    data: Any  # of its kind once the form is valid

    def __init__(
        self,
        label: Any,
        validators: Sequence[Any] | None = None,
        *,
        limit: int,
        required: bool = False,
        **rest: Any,
    ) -> None:
        judges = [*_text_validators(limit, required), *(validators or ())]
        super().__init__(label, judges, **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        self.data = (self.data or "").strip()


class Lines(TextAreaField):
    """A text of several lines."""

    data: Any  # of its kind once the form is valid

    def __init__(
        self,
        label: Any,
        validators: Sequence[Any] | None = None,
        *,
        limit: int,
        required: bool = False,
        **rest: Any,
    ) -> None:
        judges = [*_text_validators(limit, required), *(validators or ())]
        super().__init__(label, judges, **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        self.data = (self.data or "").replace("\r\n", "\n").strip()


class WholeNumber(IntegerField):
    """A whole number between two bounds, and a multiple of ``step``; empty only when optional."""

    data: Any  # of its kind once the form is valid

    def __init__(
        self,
        label: Any,
        validators: Sequence[Any] | None = None,
        *,
        low: int,
        high: int,
        step: int = 1,
        required: bool = True,
        **rest: Any,
    ) -> None:
        rest.setdefault(
            "render_kw", {"min": low, "max": high, "step": step, "inputmode": "numeric"}
        )
        missing = InputRequired(_l("Please fill this in.")) if required else Optional()
        judges = [missing, _Bounds(low, high, step), *(validators or ())]
        super().__init__(label, judges, **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist or not valuelist[0]:
            self.data = None
            return
        try:
            self.data = int(valuelist[0])
        except ValueError:
            self.data = None
            message = _l("“%(typed)s” is not a whole number.", typed=_short(valuelist))
            raise ValueError(message) from None


class Day(DateField):
    """A calendar date."""

    data: Any  # of its kind once the form is valid

    def __init__(
        self,
        label: Any,
        validators: Sequence[Any] | None = None,
        *,
        required: bool = False,
        **rest: Any,
    ) -> None:
        missing = InputRequired(_l("Please give a date.")) if required else Optional()
        super().__init__(label, [missing, *(validators or ())], **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist or not valuelist[0]:
            self.data = None
            return
        try:
            self.data = date.fromisoformat(valuelist[0].strip())
        except ValueError:
            self.data = None
            typed = _short(valuelist)
            message = _l("“%(typed)s” is not a date. Write it like 2027-03-31.", typed=typed)
            raise ValueError(message) from None


class TimeOfDay(TimeField):
    """A wall-clock time."""

    data: Any  # of its kind once the form is valid

    def __init__(
        self,
        label: Any,
        validators: Sequence[Any] | None = None,
        *,
        required: bool = False,
        **rest: Any,
    ) -> None:
        missing = InputRequired(_l("Please give a time.")) if required else Optional()
        rest.setdefault("render_kw", {"step": 300})
        super().__init__(label, [missing, *(validators or ())], **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist or not valuelist[0]:
            self.data = None
            return
        try:
            self.data = _time(valuelist[0].strip())
        except ValueError:
            self.data = None
            raise ValueError(
                _l(
                    "“%(typed)s” is not a time of day. Write it like 09:30.",
                    typed=_short(valuelist),
                )
            ) from None


class Minutes(Field):
    """Several numbers of minutes in one line: "30, 45, 60"."""

    data: Any  # of its kind once the form is valid

    def __init__(self, label: Any, **rest: Any) -> None:
        super().__init__(label, **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        parts = (valuelist[0] if valuelist else "").replace(";", ",").split(",")
        try:
            self.data = tuple(dict.fromkeys(int(part) for part in parts if part.strip()))
        except ValueError:
            self.data = ()
            raise ValueError(
                _l("Write numbers with commas between them, like 30, 45, 60.")
            ) from None

    def typed(self) -> str:
        """Return what stands in the field."""
        if self.raw_data:
            return str(self.raw_data[0])
        return ", ".join(str(minutes) for minutes in self.data or ())


class _Bounds:
    def __init__(self, low: int, high: int, step: int) -> None:
        self.low, self.high, self.step = low, high, step

    def __call__(self, form: Form, field: Field) -> None:
        if field.data is None:
            return
        if not self.low <= field.data <= self.high:
            raise ValidationError(
                _l("Please give a number from %(low)d to %(high)d.", low=self.low, high=self.high)
            )
        if field.data % self.step:
            raise ValidationError(_l("Please give a multiple of %(step)d.", step=self.step))


def _text_validators(limit: int, required: bool) -> list[Any]:
    missing = [InputRequired(_l("Please fill this in."))] if required else [Optional()]
    too_long = _l("At most %(limit)d characters fit here.", limit=limit)
    return [*missing, Length(max=limit, message=too_long), printable]


def _time(text: str) -> time:
    if len(text) not in (4, 5, 8) or text[-3] != ":":
        raise ValueError(text)
    return time.fromisoformat(text.zfill(5))


def _short(valuelist: Sequence[str]) -> str:
    text = valuelist[0].replace("\0", "").strip()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
