"""What the reading commands have in common: names to ids, days to intervals, JSON out."""

from __future__ import annotations

import json
import re
import sys
from datetime import date, datetime, time
from typing import Any

import click

from planner.cli import running
from planner.scheduling import hours
from planner.scheduling.timetable import Gap

LONGEST_HORIZON = 400  # days
YEARS = range(2000, 2101)
GAP = re.compile(r"(\d{1,3})-(\d{1,3})-(\d{1,3})", re.ASCII)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Day(click.ParamType[date]):
    """A day as 2027-03-31."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day, or fail with a sentence."""
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or day.year not in YEARS:
            self.fail(f"{value!r} is not a date such as 2027-03-31.", param, ctx)
        return day


class Gaps(click.ParamType[Gap]):
    """Days between sessions as 7-14-21: not before, target, late after."""

    name = "days-days-days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Gap:
        """Return the gap, or fail with a sentence."""
        if isinstance(value, Gap):
            return value
        found = GAP.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no gap such as 7-14-21.", param, ctx)
        floor, target, soft_max = map(int, found.groups())
        try:
            return Gap(floor=floor, target=target, soft_max=soft_max)
        except ValueError:
            self.fail(
                f"{value!r} cannot be: days are 1 to 365, the target not before the first of them and not"
                " after the last.",
                param,
                ctx,
            )


def put(found: Any, *, as_json: bool, lines: list[str]) -> None:
    """Write the answer: JSON for programs, lines for people."""
    if as_json:
        json.dump(found, sys.stdout, indent=1, ensure_ascii=False, default=_plain)
        click.echo()
        return
    for line in lines:
        click.echo(line)


def no_way(found: dict[str, Any]) -> list[str]:
    """Return that a course cannot be placed, what is in the way, and what little would have to give."""
    stops = [f"   {one['severity']}  {one['text']}" for one in found["obstacles"]]
    helps = [f"   would help: {one['text']}" for one in found["relaxations"]]
    return ["There is no way to place the course.", *stops, *helps]


def rfc3339(instant: datetime) -> str:
    """Return an instant in UTC as 2027-03-31T14:00:00Z."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def clocks(instant: datetime, zone: str) -> str:
    """Return an instant as the clocks of the site show it: Mon 2027-03-01 09:30."""
    return f"{hours.local(instant, zone):%a %Y-%m-%d %H:%M}"


class Whole(click.IntRange):
    """A whole number; what is none is said in words that people use."""

    name = "whole number"


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
