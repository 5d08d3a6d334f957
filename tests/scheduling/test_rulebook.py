"""Which record of a rule holds, and which values it takes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from planner.scheduling import rulebook
from planner.scheduling.timetable import Severity
from tests.scheduling.clinic import rule

TODAY = date(2026, 3, 3)


def _value(*records: Any, **scopes: int) -> Any:
    return rulebook.resolve(records, "consult.valid_days", on=TODAY, **scopes).value


def _record(value: int, **rest: Any) -> Any:
    return rule("consult.valid_days", value, "decide", **rest)


def test_without_a_record_the_default_holds() -> None:
    assert _value() == 180


def test_an_unknown_code_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        rulebook.resolve((), "patient.mood", on=TODAY)


@pytest.mark.parametrize(
    ("on", "value"), [(date(2026, 3, 2), 1), (date(2026, 3, 3), 2), (date(2026, 3, 9), 2)]
)
def test_the_latest_record_in_force_on_the_day_holds(on: date, value: int) -> None:
    records = (
        _record(2, effective_from=TODAY),
        _record(1),
        _record(3, effective_from=date(2027, 1, 1)),
    )
    assert rulebook.resolve(records, "consult.valid_days", on=on).value == value


def test_of_two_records_of_one_day_the_later_made_holds() -> None:
    assert _value(_record(1), _record(2)) == 2


@pytest.mark.parametrize(
    ("scopes", "value"),
    [
        ({}, 1),
        ({"site_id": 7}, 2),
        ({"site_id": 7, "service_id": 7}, 3),
        ({"site_id": 7, "service_id": 7, "protocol_id": 7}, 4),
        ({"site_id": 8}, 1),
    ],
)
def test_the_narrowest_scope_wins_over_later_records(scopes: dict[str, int], value: int) -> None:
    records = (
        _record(4, scope="protocol", scope_id=7),
        _record(3, scope="service", scope_id=7),
        _record(2, scope="site", scope_id=7),
        _record(1, effective_from=TODAY),
    )
    assert _value(*records, **scopes) == value


@pytest.mark.parametrize("shipped", rulebook.DEFAULTS, ids=lambda shipped: shipped.code)
def test_every_shipped_value_and_option_may_be_stored(shipped: rulebook.RuleDefault) -> None:
    checked = [rulebook.check(shipped.code, shipped.value)]
    if shipped.option is not None:
        checked.append(rulebook.check(shipped.code, shipped.option))
    assert set(checked) == {None}


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("patient.mood", 1, "not_a_rule"),
        ("patient.away", 1, "no_value"),
        ("consult.valid_days", None, "number"),
        ("consult.valid_days", 0, "number"),
        ("consult.valid_days", "180", "number"),
        ("consult.valid_days", True, "number"),
        ("consult.valid_days", 1.5, "number"),
        ("dose.max_ml", None, None),
        ("dose.max_ml", 10, None),
        ("screening.clots", 1, "switch"),
        ("screening.clots", False, None),
        ("course.gap_mode", "loose", "choice"),
        ("session.minutes_range", {"from": 60, "to": 30}, "order"),
        ("session.minutes_range", {"from": 30}, "range"),
        ("session.minutes_range", [30, 60], "range"),
        ("gap.new_zones", {"floor": 7, "target": 6, "soft_max": 21}, "order"),
        ("gap.new_zones", {"floor": 0, "target": 6, "soft_max": 21}, "range"),
        ("gap.new_zones", {"floor": 1, "target": 6, "soft_max": 366}, "range"),
        ("gap.new_zones", {"floor": 1, "target": 1, "soft_max": 1}, None),
    ],
)
def test_a_value_that_cannot_hold_is_named(code: str, value: Any, expected: str | None) -> None:
    assert rulebook.check(code, value) == expected


def test_structural_rules_have_nothing_to_edit() -> None:
    structural = [rule for rule in rulebook.DEFAULTS if rule.source == "structure"]
    assert [rule.code for rule in structural if rule.is_editable] == []
    assert {rule.severity for rule in structural} == {Severity.BLOCK}


def test_every_rule_is_listed_once() -> None:
    assert len(rulebook.BY_CODE) == len(rulebook.DEFAULTS)
