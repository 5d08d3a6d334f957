"""Every rule with the value and severity it is shipped with, and which record holds on a day.

The clinic edits rules as records (code, scope, value, severity, effective date); what is here is what holds
where it has said nothing. ``source`` tells whose figure it is: ``page`` (the clinic's own page), ``label``
(drug label), ``guideline``, ``clinics`` (other clinics' pages), ``ours``, or ``structure`` (what no clinic can
switch off). An ``option`` is a value that is offered, and never the default, because the page says otherwise
or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from planner.scheduling.timetable import Gap, RuleSetting, Severity


class ValueType(StrEnum):
    """What the value of a rule is."""

    NONE = "none"  # the rule has only a severity
    SWITCH = "switch"  # bool
    NUMBER = "number"  # int
    RANGE = "range"  # {"from": int, "to": int}
    GAP = "gap"  # {"floor": int, "target": int, "soft_max": int}
    CHOICE = "choice"  # one of ``choices``
    WEIGHTS = "weights"  # {part: int} for each of ``WEIGHTS``


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDefault:
    """A rule as shipped. A value of ``None`` where a number or range is due means switched off."""

    code: str
    area: str  # gaps | proposals | sessions | consults | screening | travel | aftercare | rooms | structure
    severity: Severity
    source: str
    value: Any = None
    value_type: ValueType = ValueType.NONE
    unit: str = ""  # days | weeks | months | hours | minutes | years | sessions | ml | mm
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()
    option: Any = None
    is_optional: bool = False  # may be switched off by an empty value
    is_severity_editable: bool = True

    @property
    def is_value_editable(self) -> bool:
        """Whether there is a value to edit."""
        return self.value_type is not ValueType.NONE

    @property
    def is_editable(self) -> bool:
        """Whether the clinic may edit anything of it."""
        return self.is_value_editable or self.is_severity_editable


def default(code: str) -> RuleDefault:
    """Return the rule as shipped. Raises KeyError for a code that is no rule."""
    return BY_CODE[code]


def resolve(
    rules: Iterable[RuleSetting],
    code: str,
    *,
    on: date,
    site_id: int | None = None,
    service_id: int | None = None,
    protocol_id: int | None = None,
) -> RuleSetting:
    """Return the record of the rule that holds on the day.

    The narrowest scope wins (protocol before service before site before clinic); within a scope the record
    that took effect last. Without any, the default.
    """
    scopes = {"protocol": protocol_id, "service": service_id, "site": site_id}
    found = [
        rule
        for rule in rules
        if rule.code == code
        and rule.effective_from <= on
        and (rule.scope == "clinic" or _applies(rule, scopes))
    ]
    if not found:
        return SHIPPED[code]
    # Of two records of one day the later in the list wins: records are stored in the order they were made.
    numbered = enumerate(found)
    return max(
        numbered, key=lambda pair: (NARROWNESS[pair[1].scope], pair[1].effective_from, pair[0])
    )[1]


def check(code: str, value: Any) -> str | None:
    """Return why the value cannot be stored for the rule, as a message code, or None when it can.

    Codes: ``not_a_rule``, ``no_value``, ``switch``, ``number``, ``range``, ``order``, ``choice``.
    """
    rule = BY_CODE.get(code)
    if rule is None:
        return "not_a_rule"
    if value is None and (rule.is_optional or rule.value_type is ValueType.NONE):
        return None
    return _CHECKS[rule.value_type](rule, value)


def gap(value: Mapping[str, int]) -> Gap:
    """Return the gap that a rule's value says. Raises ValueError when it is none."""
    return Gap(floor=value["floor"], target=value["target"], soft_max=value["soft_max"])


def strict(gap: Gap, margin: int = 3) -> Gap:
    """Return the page to the letter: the target, give or take three days."""
    return Gap(
        floor=max(1, gap.target - margin), target=gap.target, soft_max=min(365, gap.target + margin)
    )


NARROWNESS = {"clinic": 0, "site": 1, "service": 2, "protocol": 3}


def _applies(rule: RuleSetting, scopes: Mapping[str, int | None]) -> bool:
    wanted = scopes.get(rule.scope)
    return wanted is not None and rule.scope_id == wanted


def _check_none(rule: RuleDefault, value: Any) -> str | None:
    return "no_value"


def _check_switch(rule: RuleDefault, value: Any) -> str | None:
    return None if isinstance(value, bool) else "switch"


def _check_number(rule: RuleDefault, value: Any) -> str | None:
    return None if _is_within(rule, value) else "number"


def _check_range(rule: RuleDefault, value: Any) -> str | None:
    if not isinstance(value, Mapping) or set(value) != {"from", "to"}:
        return "range"
    if not all(_is_within(rule, end) for end in value.values()):
        return "range"
    return None if value["from"] <= value["to"] else "order"


def _check_gap(rule: RuleDefault, value: Any) -> str | None:
    if not isinstance(value, Mapping) or set(value) != {"floor", "target", "soft_max"}:
        return "range"
    if not all(_is_within(rule, day) for day in value.values()):
        return "range"
    return None if value["floor"] <= value["target"] <= value["soft_max"] else "order"


def _check_weights(rule: RuleDefault, value: Any) -> str | None:
    if not isinstance(value, Mapping) or set(value) != set(WEIGHTS):
        return "range"
    return None if all(_is_within(rule, points) for points in value.values()) else "range"


def _check_choice(rule: RuleDefault, value: Any) -> str | None:
    return None if value in rule.choices else "choice"


def _is_within(rule: RuleDefault, value: Any) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and rule.minimum <= value <= rule.maximum


_CHECKS = {
    ValueType.NONE: _check_none,
    ValueType.SWITCH: _check_switch,
    ValueType.NUMBER: _check_number,
    ValueType.RANGE: _check_range,
    ValueType.GAP: _check_gap,
    ValueType.CHOICE: _check_choice,
    ValueType.WEIGHTS: _check_weights,
}


def _plain(code: str, area: str, severity: Severity, source: str) -> RuleDefault:
    return RuleDefault(code=code, area=area, severity=severity, source=source)


def _value(  # noqa: PLR0917  the columns of a table, always in this order
    code: str, area: str, value: Any, unit: str, bounds: tuple[int, int], source: str, **rest: Any
) -> RuleDefault:
    """A rule with a value; without a severity of its own nothing of it warns or blocks."""
    rest.setdefault("severity", Severity.INFO)
    rest.setdefault("is_severity_editable", rest["severity"] is not Severity.INFO)
    shape = rest.get("option") if value is None else value
    value_type = ValueType.NUMBER
    if isinstance(shape, Mapping):
        value_type = ValueType.GAP if "floor" in shape else ValueType.RANGE
    return RuleDefault(
        code=code, area=area, value=value, unit=unit, minimum=bounds[0], maximum=bounds[1], source=source,
        value_type=value_type, **rest,
    )  # fmt: skip


def _switch(code: str, area: str, value: bool, severity: Severity, source: str) -> RuleDefault:
    return RuleDefault(
        code=code,
        area=area,
        value=value,
        value_type=ValueType.SWITCH,
        severity=severity,
        source=source,
    )


def _structure(code: str) -> RuleDefault:
    return RuleDefault(
        code=code,
        area="structure",
        severity=Severity.BLOCK,
        source="structure",
        is_severity_editable=False,
    )


def _weights(name: str, *points: int) -> RuleDefault:
    """What each departure costs where a course is proposed under this name, in the order of ``WEIGHTS``."""
    return RuleDefault(
        code=f"proposal.{name}",
        area="proposals",
        value=dict(zip(WEIGHTS, points, strict=True)),
        value_type=ValueType.WEIGHTS,
        severity=Severity.INFO,
        source="ours",
        unit="points",
        maximum=1_000,
        is_severity_editable=False,
    )


WEIGHTS = (
    "early", "late", "too_late", "wait", "elapsed", "weekday", "outside", "site", "provider",
    "quarters", "weekday_change", "warning",
)  # fmt: skip
"""What a proposal's departures are called: see ``preferences.Weights``."""

_NEW_ZONES = {"floor": 7, "target": 14, "soft_max": 21}
_SAME_ZONE = {"floor": 28, "target": 42, "soft_max": 56}

_INFO, _WARN, _DECIDE, _BLOCK = Severity.INFO, Severity.WARN, Severity.DECIDE, Severity.BLOCK

DEFAULTS: tuple[RuleDefault, ...] = (
    _value("gap.new_zones", "gaps", _NEW_ZONES, "days", (1, 365), "page"),
    _value("gap.same_zone", "gaps", _SAME_ZONE, "days", (1, 365), "page"),
    RuleDefault(
        code="course.gap_mode",
        area="gaps",
        value="range",
        value_type=ValueType.CHOICE,
        choices=("range", "strict"),
        severity=_INFO,
        source="ours",
        is_severity_editable=False,
    ),
    _plain("gap.below_floor", "gaps", _DECIDE, "label"),
    _plain("gap.below_target", "gaps", _WARN, "page"),
    _plain("gap.above_soft_max", "gaps", _WARN, "ours"),
    _weights("order", 12, 8, 12, 1, 0, 20, 15, 10, 6, 0, 0, 30),
    _weights("soonest", 2, 0, 12, 10, 10, 3, 3, 3, 1, 0, 0, 30),
    _weights("same_time", 6, 4, 12, 1, 0, 20, 15, 20, 12, 3, 10, 30),
    _value("review.window_days", "gaps", None, "days", (1, 365), "clinics",
           option={"floor": 10, "target": 14, "soft_max": 21}, is_optional=True),
    _plain("review.outside_window", "gaps", _WARN, "clinics"),
    _value("course.sessions", "sessions", 3, "sessions", (1, 12), "page"),
    _value("session.minutes_default", "sessions", 45, "minutes", (5, 240), "page"),
    _value("session.minutes_range", "sessions", {"from": 30, "to": 60}, "minutes", (5, 240), "page",
           severity=_WARN),
    _value("session.walk_range", "sessions", {"from": 15, "to": 30}, "minutes", (0, 120), "page"),
    _value("session.walk_minutes", "sessions", 20, "minutes", (0, 120), "page"),
    _value("dose.max_ml", "sessions", None, "ml", (1, 100), "label", severity=_WARN, option=10,
           is_optional=True),
    _switch("consent.treatment", "sessions", True, _DECIDE, "ours"),
    RuleDefault(
        code="session.desk_treats",
        area="sessions",
        value=False,
        value_type=ValueType.SWITCH,
        severity=_INFO,
        source="ours",
        is_severity_editable=False,
    ),
    _value("notice.minutes", "sessions", 0, "minutes", (0, 10_080), "ours", severity=_WARN),
    _value("photo.after_days", "sessions", 42, "days", (1, 365), "ours"),
    _plain("consult.required", "consults", _BLOCK, "page"),
    _value("consult.valid_days", "consults", 180, "days", (1, 1825), "ours", severity=_DECIDE),
    _switch("consult.same_day_reservation", "consults", False, _BLOCK, "ours"),
    _value("reservation.days", "consults", 7, "days", (1, 90), "ours"),
    _value("patient.age", "screening", 18, "years", (0, 120), "page", severity=_BLOCK),
    _plain("patient.age_at_consult", "screening", _WARN, "page"),
    _plain("patient.birth_date_missing", "screening", _BLOCK, "ours"),
    _plain("patient.paused", "screening", _BLOCK, "page"),
    _value("patient.eligible_from", "screening", 3, "months", (0, 24), "page", severity=_DECIDE),
    _plain("screening.missing", "screening", _DECIDE, "ours"),
    _switch("screening.clots", "screening", True, _DECIDE, "page"),
    _switch("screening.nursing", "screening", True, _DECIDE, "page"),
    _switch("screening.health", "screening", True, _DECIDE, "page"),
    _switch("screening.allergy", "screening", True, _DECIDE, "guideline"),
    _switch("screening.acute_clot", "screening", True, _DECIDE, "guideline"),
    _switch("screening.infection", "screening", False, _DECIDE, "guideline"),
    _switch("screening.limb_ischaemia", "screening", False, _DECIDE, "guideline"),
    _plain("zone.face", "screening", _DECIDE, "ours"),
    _value("flight.within_48h", "travel", 48, "hours", (0, 720), "ours", severity=_DECIDE),
    _value("flight.within_72h", "travel", 72, "hours", (0, 720), "page", severity=_WARN),
    _plain("event.within_72h", "travel", _WARN, "page"),
    _plain("patient.away", "travel", _WARN, "ours"),
    _plain("patient.stay", "travel", _WARN, "ours"),
    _value("aftercare.flying", "aftercare", 72, "hours", (0, 720), "page"),
    _value("aftercare.exercise", "aftercare", 72, "hours", (0, 720), "page"),
    _value("aftercare.sun", "aftercare", 72, "hours", (0, 720), "page"),
    _value("aftercare.hot_bath", "aftercare", 72, "hours", (0, 720), "page"),
    _value("aftercare.hot_tub", "aftercare", 72, "hours", (0, 720), "page"),
    _value("aftercare.sauna", "aftercare", 72, "hours", (0, 720), "page"),
    _value("compression.day_night_days", "aftercare", {"from": 2, "to": 3}, "days", (0, 60), "page"),
    _value("compression.as_needed_weeks", "aftercare", {"from": 2, "to": 3}, "weeks", (0, 12), "page"),
    _value("compression.reticular_days", "aftercare", None, "days", (1, 60), "label",
           option={"from": 5, "to": 7}, is_optional=True),
    _value("provider.travel_minutes", "rooms", 60, "minutes", (0, 480), "ours", severity=_BLOCK),
    _value("patient.travel_minutes", "rooms", 60, "minutes", (0, 480), "ours", severity=_WARN),
    _value("room.preparation_minutes", "rooms", 0, "minutes", (0, 120), "ours"),
    _value("room.turnover_minutes", "rooms", 10, "minutes", (0, 120), "ours"),
    *map(
        _structure,
        (
            "slot.unknown", "slot.outside_horizon", "slot.past", "slot.off_grid", "slot.minutes_step",
            "site.outside_hours", "site.closed", "site.retired", "service.retired",
            "provider.not_capable", "provider.outside_hours", "provider.absent", "provider.retired",
            "provider.busy", "room.other_site", "room.not_capable", "room.out_of_service", "room.retired",
            "room.busy", "patient.busy", "order.undecided", "order.unknown_session", "order.already_placed",
            "order.sequence",
        ),
    ),
)  # fmt: skip

BY_CODE: Mapping[str, RuleDefault] = {rule.code: rule for rule in DEFAULTS}

SHIPPED: Mapping[str, RuleSetting] = {
    rule.code: RuleSetting(
        code=rule.code,
        scope="clinic",
        scope_id=None,
        value=rule.value,
        severity=rule.severity,
        effective_from=date.min,
    )
    for rule in DEFAULTS
}
