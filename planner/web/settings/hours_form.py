"""The editor of weekly hours: a table of rows that works without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import wtforms
from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FieldList, FormField, SelectField

from planner.actions.catalogue.weekly import WeeklyRow
from planner.errors import Invalid
from planner.queries.settings.shared import WeeklyView
from planner.web.forms import PlannerForm, VersionField, choices
from planner.web.settings import answers
from planner.web.settings.fields import Day, TimeOfDay

WEEKDAYS = (
    (0, _l("Monday")),
    (1, _l("Tuesday")),
    (2, _l("Wednesday")),
    (3, _l("Thursday")),
    (4, _l("Friday")),
    (5, _l("Saturday")),
    (6, _l("Sunday")),
)
MOST_ROWS = 80
SPARE_ROWS = 2
COPIED_TO = (1, 2, 3, 4)  # Tuesday to Friday


class RowForm(wtforms.Form):
    """One weekly range; a row without any time or date is no row."""

    weekday = SelectField(_l("Day"), choices=choices(WEEKDAYS), coerce=int)
    kind = SelectField(
        _l("Kind"), choices=choices((("work", _l("Works")), ("break", _l("Break")))), default="work"
    )
    starts = TimeOfDay(_l("From"))
    ends = TimeOfDay(_l("Until"))
    valid_from = Day(_l("Holds from"))
    valid_until = Day(_l("Last day"))

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed in it."""
        typed = (self.starts, self.ends, self.valid_from, self.valid_until)
        return not any(
            (field.raw_data and field.raw_data[0].strip()) or field.data for field in typed
        )

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Judge the row, unless it is blank."""
        if self.is_blank:
            return True
        is_fine = super().validate(extra_validators)
        for field in (self.starts, self.ends):
            if field.data is None and not field.errors:
                field.errors = [_("Please give a time.")]
                is_fine = False
        return is_fine


class HoursForm(PlannerForm):
    """All weekly ranges of a site, or of a provider at a site."""

    version = VersionField()
    rows = FieldList(FormField(RowForm), label=_l("Weekly hours"), max_entries=MOST_ROWS)

    def ranges(self) -> tuple[WeeklyRow, ...]:
        """Return the rows that are not blank, as typed."""
        return tuple(_range(row) for row in self.filled())

    def renamed(self, error: Invalid) -> Invalid:
        """Return the refusal with the numbers of the rows on the page."""
        numbers = [i for i, entry in enumerate(self.rows.entries) if not entry.form.is_blank]
        return Invalid({_renumbered(name, numbers): code for name, code in error.fields.items()})

    def filled(self) -> tuple[RowForm, ...]:
        """Return the rows that are not blank."""
        return tuple(entry.form for entry in self.rows.entries if not entry.form.is_blank)


def answer(
    version: int, rows: Iterable[WeeklyView], save: Callable[[HoursForm], None]
) -> tuple[HoursForm, int] | None:
    """Return the editor and its status, or None when what was sent has been saved.

    The steps "more" (further rows) and "monday" (Monday's rows in place of those from Tuesday to
    Friday) change what stands in the editor and save nothing.
    """
    if request.method != "POST":
        return _opened(version, rows), 200
    form = HoursForm()
    step = request.form.get("step", "save")
    if step == "more":
        for _unused in range(SPARE_ROWS + 1):
            if len(form.rows.entries) < MOST_ROWS:
                form.rows.append_entry({"weekday": 0})
        return form, 200
    if not form.validate_on_submit():
        return form, 422
    if step == "monday":
        return _with_monday_copied(form), 200
    if answers.saved(form, version, lambda: _saved(form, save)):
        return None
    return form, answers.status(form)


def _saved(form: HoursForm, save: Callable[[HoursForm], None]) -> bool:
    try:
        save(form)
    except Invalid as error:
        raise form.renamed(error) from error
    return True


def _opened(version: int, rows: Iterable[WeeklyView]) -> HoursForm:
    filled = [asdict(row) for row in rows]
    return _fresh(version, filled or [{"weekday": day} for day in range(5)])


def _with_monday_copied(form: HoursForm) -> HoursForm:
    rows = [row.data for row in form.filled()]
    monday = [row for row in rows if row["weekday"] == 0]
    kept = [row for row in rows if row["weekday"] not in COPIED_TO]
    copies = [{**row, "weekday": day} for day in COPIED_TO for row in monday]
    together = sorted([*kept, *copies], key=lambda row: (row["weekday"], row["starts"]))
    return _fresh(form.version.data, together)


def _fresh(version: int, rows: Sequence[Mapping[str, Any]]) -> HoursForm:
    spare = [{"weekday": 0} for _unused in range(SPARE_ROWS)]
    data = {"version": version, "rows": [*rows, *spare][:MOST_ROWS]}
    return HoursForm(formdata=None, data=data)


def _range(row: RowForm) -> WeeklyRow:
    return WeeklyRow(
        weekday=row.weekday.data,
        starts=row.starts.data,
        ends=row.ends.data,
        kind=row.kind.data or "work",
        valid_from=row.valid_from.data,
        valid_until=row.valid_until.data,
    )


def _renumbered(name: str, numbers: Sequence[int]) -> str:
    head, index, part = name.split("-", 2)
    return f"{head}-{numbers[int(index)]}-{part}"
