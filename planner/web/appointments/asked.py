"""Reading what the pages of one appointment send: untrusted, and never a reason to fail."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from planner.actions.decisions import GivenDecision
from planner.actions.placing import Place, Terms
from planner.errors import Invalid
from planner.queries.course_view import Choice, Pick, Sentence
from planner.queries.slot_view import Asked
from planner.scheduling.timetable import Status
from planner.web import context

YEARS = range(2000, 2101)
PICK = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.(\d{8}T\d{4})Z", re.ASCII)
WHOLE = re.compile(r"\d{1,3}", re.ASCII)
TENTHS = re.compile(r"\d{1,3}(\.\d)?", re.ASCII)
CLOCK = re.compile(r"(\d{1,2}):(\d{2})(:00)?", re.ASCII)
LONGEST: Mapping[str, int] = {"decision_reason": 500, "call_back_note": 300}
MOST_CODES = 20


def read(values: MultiDict[str, str]) -> tuple[Asked, dict[str, str]]:
    """Return what a picker's form asks, and a message code for each field that cannot be read."""
    errors: dict[str, str] = {}
    asked = Asked(
        service_id=number(values.get("service", "")),
        site_id=number(values.get("site", "")),
        provider_id=number(values.get("provider", "")),
        minutes=number(values.get("minutes", "")),
        part=values.get("part", "") if values.get("part") in ("morning", "afternoon") else "",
        from_date=day(values, "from", errors),
        is_one_day=values.get("days") == "1",
        on=day(values, "on", errors),
        at=clock(values, "at", errors),
        pick=pick(values.get("pick", "")),
    )
    errors |= {name: "too_long" for name in LONGEST if _is_too_long(values, name)}
    if (asked.on is None) != (asked.at is None) and not errors:
        errors["at" if asked.at is None else "on"] = "required"
    return asked, errors


def pick(text: str) -> Pick | None:
    """Return the start that a page's link or field names; None for anything else."""
    found = PICK.fullmatch(text)
    if found is None:
        return None
    try:
        starts_at = datetime.strptime(found[4], "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    if starts_at.year not in YEARS:
        return None
    return Pick(
        site_id=int(found[1]),
        provider_id=int(found[2]),
        room_id=int(found[3]),
        starts_at=starts_at,
    )


def day(values: Mapping[str, str], name: str, errors: dict[str, str]) -> date | None:
    """Return the day typed in a field, None for none or one that cannot be read: then ``errors`` says so."""
    text = values.get(name, "").strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        errors[name] = "no_such_date"
        return None
    return found


def place(wanted: Pick, *, service_id: int, minutes: int, version: int | None = None) -> Place:
    """Return the pick as the actions want it."""
    return Place(
        service_id=service_id,
        site_id=wanted.site_id,
        provider_id=wanted.provider_id,
        room_id=wanted.room_id,
        starts_at=wanted.starts_at,
        minutes=minutes,
        version=version,
    )


def terms(values: MultiDict[str, str], status: Status = Status.BOOKED, purpose: str = "") -> Terms:
    """Return what was clicked through and decided. Raises ``Invalid`` for what is too long."""
    return Terms(
        status=status,
        purpose=purpose,
        acknowledged=frozenset(values.get("acknowledged", "").split()[:MOST_CODES]),
        decisions=decided(values),
        call_back_note=_text(values, "call_back_note"),
    )


def decided(values: MultiDict[str, str]) -> tuple[GivenDecision, ...]:
    """Return the decisions of the sub-form: by phone of the provider who is named, else one's own.

    Raises ``Invalid`` for a reason that is too long.
    """
    reason = _text(values, "decision_reason")
    own = context.who().provider_id
    provider_id = number(values.get("decided_by", "")) or own
    if not reason or not provider_id:
        return ()
    return tuple(
        GivenDecision(
            rule_code=code,
            provider_id=provider_id,
            reason=reason,
            by_phone=provider_id != own,
        )
        for code in values.get("decide", "").split()[:MOST_CODES]
    )


def own_decision(deciders: Collection[Choice]) -> int | None:
    """Return the provider who is signed in, where they may decide themselves; all others name one who may."""
    own = context.who().provider_id
    return own if str(own) in {choice.value for choice in deciders} else None


def wanting(
    decisions: Collection[Sentence], deciders: Collection[Choice], values: Mapping[str, str]
) -> dict[str, str]:
    """Return what the decision sub-form lacks of what is asked for."""
    errors = {}
    if decisions and not values.get("decision_reason", "").strip():
        errors["decision_reason"] = _("A decision needs a reason.")
    if decisions and own_decision(deciders) is None and not values.get("decided_by"):
        errors["decided_by"] = _("Name the provider who decided.")
    return errors


def clock(values: Mapping[str, str], name: str, errors: dict[str, str]) -> time | None:
    """Return a wall-clock time typed as 9:05 or 14:30;

    None when empty, an error for anything else.
    """
    text = values.get(name, "").strip()
    if not text:
        return None
    found = CLOCK.fullmatch(text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        errors[name] = "no_such_clock"
        return None
    return time(int(found[1]), int(found[2]))


def number(text: str) -> int | None:
    """Return a whole number above 0; None for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) or None if is_number else None


def amount(
    values: Mapping[str, str], name: str, errors: dict[str, str], *, is_whole: bool = False
) -> float | None:
    """Return a number typed as 12, 7.5 or 7,5, to a tenth; None when empty, an error for anything else."""
    text = values.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    if not (WHOLE if is_whole else TENTHS).fullmatch(text):
        errors[name] = "whole" if is_whole else "number"
        return None
    return float(text)


def messages(codes: Mapping[str, str]) -> dict[str, str]:
    """Return a sentence for each field that could not be used."""
    words = {
        "required": _("Please fill this in."),
        "choice": _("Please choose one of these."),
        "too_long": _("This is too long."),
        "no_such_date": _("There is no such date. Write it as 2027-03-31."),
        "no_such_clock": _("There is no such time. Write it as 14:30."),
        "no_such_time": _("On this day the clocks jump over that hour: it does not exist."),
        "out_of_range": _("This is too far away, or in the past."),
        "before_start": _("This is before the start."),
        "whole": _("Please write a whole number, like 24."),
        "number": _("Please write a number up to 200, like 8 or 7.5."),
    }
    return {field: words.get(code, _("Please check this.")) for field, code in codes.items()}


def _text(values: Mapping[str, str], name: str) -> str:
    if _is_too_long(values, name):
        raise Invalid({name: "too_long"})
    return values.get(name, "").strip()


def _is_too_long(values: Mapping[str, str], name: str) -> bool:
    return len(values.get(name, "").strip()) > LONGEST[name]
