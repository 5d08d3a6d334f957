"""What every value that a manager types must hold, as message codes per field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from planner.errors import Invalid
from planner.scheduling import hours

HUES = (
    "teal",
    "blue",
    "indigo",
    "violet",
    "magenta",
    "rose",
    "red",
    "orange",
    "amber",
    "olive",
    "green",
    "slate",
)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_MAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")


def fields(values: Any) -> dict[str, Any]:
    """Return a value's fields by name, as they are stored."""
    return asdict(values)


def raise_if(problems: Mapping[str, str | None]) -> None:
    """Raise Invalid with the fields that have a problem, if any has."""
    found = {name: code for name, code in problems.items() if code}
    if found:
        raise Invalid(found)


def text(value: str, limit: int, *, required: bool = False, lines: bool = False) -> str | None:
    """Judge a text: missing | too_long | unprintable (control characters, NUL, lone surrogates)."""
    if required and not value.strip():
        return "missing"
    if len(value) > limit:
        return "too_long"
    allowed = "\n\r\t" if lines else ""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in value):
        return "unprintable"
    return None


def colour(value: str) -> str | None:
    """Judge a colour: one of HUES, or #rrggbb."""
    return None if value in HUES or _HEX.fullmatch(value) else "colour"


def phone(value: str) -> str | None:
    """Judge a phone number of the clinic: empty, or at least seven digits and nothing odd."""
    if problem := text(value, 40):
        return problem
    digits = sum(c.isdigit() for c in value)
    is_odd = not re.fullmatch(r"[0-9+(). x/\-]*", value)
    return "phone" if value and (digits < 7 or is_odd) else None


def mail(value: str, *, required: bool = False) -> str | None:
    """Judge a mail address."""
    if problem := text(value, 254, required=required):
        return problem
    return "mail" if value and not _MAIL.fullmatch(value) else None


def zone(value: str) -> str | None:
    """Judge the name of a time zone."""
    try:
        hours.zone_info(value)
    except hours.NoSuchZone:
        return "zone"
    return None


def minutes(value: int | None, low: int, high: int) -> str | None:
    """Judge a number of minutes: within both bounds, and a multiple of five."""
    if value is None:
        return None
    if not low <= value <= high:
        return "minutes_range"
    return "minutes_step" if value % 5 else None


def within(value: int, low: int, high: int, code: str = "range") -> str | None:
    """Judge a whole number."""
    return None if low <= value <= high else code


def day(value: date | None) -> str | None:
    """Judge a date: years 2000 to 2199."""
    return None if value is None or FIRST_DAY <= value <= LAST_DAY else "day_range"


def one_of(value: str, allowed: Iterable[str]) -> str | None:
    """Judge a choice."""
    return None if value in allowed else "choice"
