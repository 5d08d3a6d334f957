"""The form of a rule: its fields follow the kind of its value."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField
from wtforms.validators import InputRequired

from planner.queries.settings.offers import RulePage
from planner.scheduling.rulebook import RuleDefault, ValueType
from planner.web.forms import PlannerForm, choices
from planner.web.settings.fields import Day, WholeNumber, whole
from planner.web.settings.forms import NOT_IN_LIST

SEVERITIES = choices(
    (
        ("info", _l("Show it")),
        ("warn", _l("Warn: one click to go on")),
        ("decide", _l("A provider has to decide")),
        ("block", _l("Not possible")),
    )
)
PARTS = {
    ValueType.RANGE: (("from", _l("From")), ("to", _l("To"))),
    ValueType.GAP: (
        ("floor", _l("Not before")),
        ("target", _l("Target")),
        ("soft_max", _l("Late after")),
    ),
    ValueType.WEIGHTS: (
        ("early", _l("Each day before the target")),
        ("late", _l("Each day after the target")),
        ("too_late", _l("Each day past “late after”, on top")),
        ("wait", _l("Each day until the first session")),
        ("elapsed", _l("Each day from the first session to the last")),
        ("weekday", _l("A weekday not wished for")),
        ("outside", _l("A time not wished for (+1 each ¼ hour)")),
        ("site", _l("Another site than the session before")),
        ("provider", _l("Another provider than the session before")),
        ("quarters", _l("Each quarter of an hour from the time before")),
        ("weekday_change", _l("Another weekday than the session before")),
        ("warning", _l("Each warning")),
    ),
}


class RuleForm(PlannerForm):
    """How a rule shall hold, for whom, and from when."""

    severity = RadioField(_l("When it is not met"), choices=SEVERITIES, validate_choice=False)
    scope = SelectField(_l("For"), validate_choice=False, default="clinic")
    effective_from = Day(_l("From"), required=True)

    @property
    def part_names(self) -> tuple[str, ...]:
        """The fields of the value, in order."""
        return tuple(name for name in ("switch", "choice", *_NAMES, "number") if name in self)

    def value(self, rule: RuleDefault) -> Any:
        """Return the value as the rulebook wants it; None when it is switched off."""
        if rule.value_type is ValueType.NONE or ("is_off" in self and self["is_off"].data):
            return None
        if rule.value_type is ValueType.SWITCH:
            return self["switch"].data == "on"
        if rule.value_type is ValueType.CHOICE:
            return self["choice"].data
        if rule.value_type is ValueType.NUMBER:
            return self["number"].data
        return {part: self[f"part_{part}"].data for part, _label in PARTS[rule.value_type]}

    def scope_id(self) -> tuple[str, int | None]:
        """Return the scope and the id it names: "site:3" is ("site", 3)."""
        scope, _colon, row_id = (self.scope.data or "").partition(":")
        return scope, (whole(row_id) or None) if scope != "clinic" else None


_NAMES = tuple(f"part_{part}" for parts in PARTS.values() for part, _label in parts)


def of(page: RulePage) -> RuleForm:
    """Return the form of a rule, filled with what holds today."""
    rule, value = page.line.rule, page.line.value
    shaped: type[RuleForm] = type("RuleForm", (RuleForm,), _fields(rule))
    form = shaped(
        data={
            "severity": page.line.severity,
            "effective_from": page.today,
            "is_off": value is None,
            **_data(rule, value if value is not None else rule.option),
        }
    )
    form.scope.choices = [
        *choices([("clinic", _l("The whole clinic"))]),
        *choices(((f"site:{row.id}", row.name) for row in page.sites), _l("One site")),
        *choices(((f"service:{row.id}", row.name) for row in page.services), _l("One service")),
        *choices(((f"protocol:{row.id}", row.name) for row in page.protocols), _l("One protocol")),
    ]
    return form


def _fields(rule: RuleDefault) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    bounds: dict[str, Any] = {
        "low": rule.minimum,
        "high": rule.maximum,
        "required": not rule.is_optional,
    }
    if rule.is_optional and rule.is_value_editable:
        fields["is_off"] = BooleanField(_l("Switched off"))
    if rule.value_type is ValueType.SWITCH:
        fields["switch"] = RadioField(
            _l("This is"),
            choices=choices((("on", _l("On")), ("off", _l("Off")))),
            validators=[InputRequired(NOT_IN_LIST)],
        )
    elif rule.value_type is ValueType.CHOICE:
        fields["choice"] = RadioField(
            _l("Value"),
            choices=choices((c, CHOICES.get(c, c)) for c in rule.choices),
            validators=[InputRequired(NOT_IN_LIST)],
        )
    elif rule.value_type is ValueType.NUMBER:
        fields["number"] = WholeNumber(_l("Value"), **bounds)
    for part, label in PARTS.get(rule.value_type, ()):
        fields[f"part_{part}"] = WholeNumber(label, **bounds)
    return fields


def _data(rule: RuleDefault, value: Any) -> dict[str, Any]:
    if rule.value_type is ValueType.SWITCH:
        return {"switch": "on" if value else "off"}
    if rule.value_type is ValueType.CHOICE:
        return {"choice": value}
    if rule.value_type is ValueType.NUMBER:
        return {"number": value}
    if value is None:
        return {}
    return {f"part_{part}": value[part] for part, _label in PARTS.get(rule.value_type, ())}


CHOICES = {
    "range": _l("Within the range: from “not before” to “late after”"),
    "strict": _l("Strict: the target, give or take three days"),
}
