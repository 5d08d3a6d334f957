"""Forms about courses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, RadioField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange

from planner.scheduling.timetable import Gap
from planner.web.forms import PlannerForm, VersionField, choices

DAYS = NumberRange(min=1, max=365, message=_l("Give whole days from 1 to 365."))
DUE = InputRequired(_l("Please fill this in."))


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
    floor = IntegerField(_l("Not before"), validators=[DUE, DAYS])
    target = IntegerField(_l("Target"), validators=[DUE, DAYS])
    soft_max = IntegerField(_l("Late after"), validators=[DUE, DAYS])
    reason = StringField(
        _l("Reason"), validators=[DUE, Length(max=300, message=_l("At most 300 characters."))]
    )

    def validate_target(self, field: IntegerField) -> None:
        """The target lies at or after the floor."""
        if _days(field) < _days(self.floor):
            raise ValidationError(_l("The target cannot be before “not before”."))

    def validate_soft_max(self, field: IntegerField) -> None:
        """Late lies at or after the target."""
        if _days(field) < _days(self.target):
            raise ValidationError(_l("“Late after” cannot be before the target."))

    def gap(self) -> Gap:
        """Return what was typed, once it has been validated."""
        return Gap(
            floor=_days(self.floor), target=_days(self.target), soft_max=_days(self.soft_max)
        )


def _days(field: IntegerField) -> int:
    return field.data or 0
