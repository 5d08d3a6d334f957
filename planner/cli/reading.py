"""What the reading commands have in common: names to ids, days to intervals, JSON out."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, time
from typing import Any

import click

from planner.cli import running

LONGEST_HORIZON = 400  # days


class Day(click.ParamType[date]):
    """A day as 2027-03-31."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day, or fail with a sentence."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2027-03-31.", param, ctx)


def put(found: Any, *, as_json: bool, lines: list[str]) -> None:
    """Write the answer: JSON for programs, lines for people."""
    if as_json:
        json.dump(found, sys.stdout, indent=1, ensure_ascii=False, default=_plain)
        click.echo()
        return
    for line in lines:
        click.echo(line)


def rfc3339(instant: datetime) -> str:
    """Return an instant in UTC as 2027-03-31T14:00:00Z."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise running.Wrong(f"cannot write {type(value).__name__} as JSON.")
