"""Rules: a change is a new record that holds from a date; what held before stays on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from planner.actions.catalogue import checks
from planner.db import catalogue
from planner.db.engine import Tx, transaction
from planner.db.models import RuleRecord
from planner.errors import Invalid, NotFound
from planner.scheduling import rulebook
from planner.scheduling.timetable import Severity
from planner.who import Who

SCOPES = ("clinic", "site", "service", "protocol")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleValues:
    """A rule as it shall hold from a day on; ``scope_id`` names the site, service or protocol."""

    scope: str
    scope_id: int | None
    value: Any
    severity: str
    effective_from: date


def record(code: str, values: RuleValues, *, by: Who, now: datetime) -> int:
    """Add a record of the rule; return its id. Raises Invalid or NotFound."""
    if code not in rulebook.BY_CODE or not rulebook.default(code).is_editable:
        raise NotFound(code)
    checks.raise_if(_problems(code, values))

    def work(tx: Tx) -> int:
        if values.effective_from < catalogue.earliest_today(tx.session, now):
            raise Invalid({"effective_from": "in_the_past"})
        _expect_scope(tx, values)
        row = RuleRecord(
            code=code,
            scope=values.scope,
            scope_id=values.scope_id,
            value={"value": values.value},
            severity=values.severity,
            effective_from=values.effective_from,
            created_at=tx.now,
            created_by=tx.by.user_id,
        )
        tx.session.add(row)
        tx.session.flush()
        return row.id

    return transaction(work, by=by, now=now, action="rule.record")


def _expect_scope(tx: Tx, values: RuleValues) -> None:
    if values.scope == "clinic":
        return
    if values.scope_id is None:
        raise Invalid({"scope": "choice"})
    try:
        catalogue.get_owned(tx.session, values.scope, values.scope_id)
    except NotFound:
        raise Invalid({"scope": "choice"}) from None


def _problems(code: str, values: RuleValues) -> dict[str, str | None]:
    rule = rulebook.default(code)
    value_problem = rulebook.check(code, values.value)
    return {
        "scope": "choice"
        if values.scope not in SCOPES or (values.scope == "clinic") != (values.scope_id is None)
        else None,
        "value": f"value_{value_problem}" if value_problem else None,
        "severity": _severity(rule, values.severity),
        "effective_from": checks.day(values.effective_from),
    }


def _severity(rule: rulebook.RuleDefault, severity: str) -> str | None:
    if severity not in tuple(Severity):
        return "choice"
    if severity != rule.severity and not rule.is_severity_editable:
        return "severity_fixed"
    return None
