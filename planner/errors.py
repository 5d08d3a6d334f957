"""What an action raises when it does not do what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.scheduling.timetable import Conflict


class PlannerError(Exception):
    """The base of everything an action raises on purpose."""


class Refused(PlannerError):
    """Rules stand against it: all reasons at once. Nothing was saved. Answered with 409."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(", ".join(conflict.code for conflict in conflicts))
        self.conflicts = tuple(conflicts)


class Invalid(PlannerError):
    """Values that cannot be: a message code per field. Answered with 422, the form as typed."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {code}" for field, code in fields.items()))
        self.fields = dict(fields)


class NotFound(PlannerError):
    """No such row, or not for this user. Answered with 404."""


class Denied(PlannerError):
    """The role may not do this. Answered with 403 and written to the audit trail."""


class Stale(PlannerError):
    """The row has changed since the form was rendered. Answered with 409 and what changed."""

    def __init__(self, changed: Mapping[str, tuple[Any, Any]]) -> None:
        super().__init__(", ".join(changed))
        self.changed = dict(changed)


class KeyReused(PlannerError):
    """An idempotency key came back with another body. Answered with 422."""


class Unavailable(PlannerError):
    """The database cannot be reached or written just now. Answered with 503, the form kept."""
