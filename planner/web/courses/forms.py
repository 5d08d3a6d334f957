"""Forms about courses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Form, IntegerField, RadioField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, StopValidation

from planner.queries.course_view import GapView
from planner.scheduling.timetable import Gap
from planner.web.forms import PlannerForm, VersionField, choices

WHOLE_DAYS = _l("Give whole days from 1 to 365.")
DUE = InputRequired(_l("Please fill this in."))


def _is_read(_form: Form, field: IntegerField) -> None:
    """What could not be read has its sentence already."""
    if field.process_errors:
        raise StopValidation


class Days(IntegerField):
    """Whole days between two sessions."""

    def __init__(self, label: Any, **rest: Any) -> None:
        rest.setdefault("render_kw", {"min": 1, "max": 365, "inputmode": "numeric"})
        super().__init__(label, validators=[DUE, _is_read, NumberRange(1, 365, WHOLE_DAYS)], **rest)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read days; anything else gets the same sentence as days out of reach."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(WHOLE_DAYS) from error


class NewCourseForm(PlannerForm):
    """Which protocol the course copies, and what was sold."""

    protocol = RadioField(_l("Protocol"), validators=[InputRequired(_l("Choose a protocol."))])
    package = StringField(
        _l("Package"), validators=[Length(max=120, message=_l("At most 120 characters."))]
    )

    def __init__(self, *args: Any, protocols: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.protocol.choices = choices(protocols)


class GapForm(PlannerForm):
    """The gap before one session: days from the session before it."""

    version = VersionField()
    floor = Days(_l("Not before"))
    target = Days(_l("Target"))
    soft_max = Days(_l("Late after"))
    reason = StringField(
        _l("Reason"), validators=[DUE, Length(max=300, message=_l("At most 300 characters."))]
    )

    def follow_target(self, present: GapView) -> None:
        """Let floor and soft max keep their distance when only the target was changed."""
        moved = _days(self.target) - present.target
        is_alone = (self.floor.data, self.soft_max.data) == (present.floor, present.soft_max)
        if is_alone and moved and 1 <= _days(self.target) <= 365:
            self.floor.data = max(1, present.floor + moved)
            self.soft_max.data = min(365, present.soft_max + moved)

    def validate_target(self, field: IntegerField) -> None:
        """The target lies at or after the floor."""
        if _days(field) < _days(self.floor):
            raise ValidationError(_l("The target cannot be before “not before”."))

    def validate_soft_max(self, field: IntegerField) -> None:
        """Late lies at or after the target."""
        if not self.target.errors and _days(field) < _days(self.target):
            raise ValidationError(_l("“Late after” cannot be before the target."))

    def gap(self) -> Gap:
        """Return what was typed, once it has been validated."""
        return Gap(
            floor=_days(self.floor), target=_days(self.target), soft_max=_days(self.soft_max)
        )


def _days(field: IntegerField) -> int:
    return field.data or 0
