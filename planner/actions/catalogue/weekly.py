"""Weekly hours as they are typed, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from planner.actions.catalogue import checks
from planner.db.catalogue import WeeklyRow
from planner.errors import Invalid

__all__ = ["WeeklyRow", "judge"]


def judge(rows: Sequence[WeeklyRow]) -> None:
    """Raise Invalid for what cannot be, by ``rows-<index>-<field>``.

    Ranges of one kind may touch on a day, not overlap, as long as both hold.
    """
    problems: dict[str, str] = {}
    for index, row in enumerate(rows):
        problems |= {f"rows-{index}-{name}": code for name, code in _alone(row).items()}
        if any(_overlap(row, other) for other in rows[:index]):
            problems.setdefault(f"rows-{index}-starts", "overlaps")
    if problems:
        raise Invalid(problems)


def _alone(row: WeeklyRow) -> dict[str, str]:
    found = {
        "weekday": None if 0 <= row.weekday <= 6 else "choice",
        "kind": checks.one_of(row.kind, ("work", "break")),
        "starts": "five_minutes" if row.starts.minute % 5 or row.starts.second else None,
        "ends": _end(row),
        "valid_from": checks.day(row.valid_from),
        "valid_until": checks.day(row.valid_until) or _until(row.valid_from, row.valid_until),
    }
    return {name: code for name, code in found.items() if code}


def _end(row: WeeklyRow) -> str | None:
    if row.ends <= row.starts:
        return "end_before_start"
    return "five_minutes" if row.ends.minute % 5 or row.ends.second else None


def _until(valid_from: date | None, valid_until: date | None) -> str | None:
    if valid_from and valid_until and valid_until < valid_from:
        return "until_before_from"
    return None


def _overlap(one: WeeklyRow, other: WeeklyRow) -> bool:
    return (
        (one.weekday, one.kind) == (other.weekday, other.kind)
        and one.starts < other.ends
        and other.starts < one.ends
        and (one.valid_from or date.min) <= (other.valid_until or date.max)
        and (other.valid_from or date.min) <= (one.valid_until or date.max)
    )
