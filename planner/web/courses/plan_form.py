"""Reads the form of the course screen: wishes, the plan it holds, and the one step taken.

What is written in it is untrusted: a pick names ids and an instant, and is judged before anything happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from planner.queries.course_view import Pick, PlanRequest, Way
from planner.scheduling.course import Wishes
from planner.web.appointments import asked

OBJECTIVES = ("order", "soonest", "same_time")
PARTS: Mapping[str, tuple[time | None, time | None]] = {
    "morning": (None, time(12)),
    "afternoon": (time(12), None),
    "evening": (time(16), None),
}
WISHES = ("site", "provider", "weekday", "part", "not_before", "not_after")
LONGEST_WISH = 10  # characters: a date is the longest
DROPPED: Mapping[str, tuple[str, ...]] = {
    "sites": ("site",),
    "providers": ("provider",),
    "later": ("not_after",),
    "earlier": ("not_before",),
    "wishes": WISHES,
}
"""The wishes that a relaxation does without, by its code."""
NUMBERS = range(1, 13)
LONGEST_PICK = 60
ONE_DAY = timedelta(days=1)
FURTHEST = timedelta(days=365)  # later than that nothing is planned


def read(values: MultiDict[str, str], *, today: date) -> tuple[PlanRequest, dict[str, str]]:
    """Return what is asked, and a message code per field that could not be read or can never be."""
    errors: dict[str, str] = {}
    wishes = Wishes(
        site_ids=_ids(values, "site"),
        provider_ids=_ids(values, "provider"),
        weekdays=_weekdays(values),
        earliest=PARTS.get(values.get("part", ""), (None, None))[0],
        latest=PARTS.get(values.get("part", ""), (None, None))[1],
        not_before=asked.day(values, "not_before", errors),
        not_after=asked.day(values, "not_after", errors),
    )
    if wishes.not_before and wishes.not_before > today + FURTHEST:
        errors["not_before"] = "too_far"
        wishes = replace(wishes, not_before=None)
    if wishes.not_after and wishes.not_after < today - ONE_DAY:  # over at every site by then
        errors["not_after"] = "over"
        wishes = replace(wishes, not_after=None)
    elif wishes.not_before and wishes.not_after and wishes.not_after < wishes.not_before:
        errors["not_after"] = "end_before_start"
        wishes = replace(wishes, not_after=None)
    return replace(_steps(values, wishes), look_at=_looked_at(values, errors)), errors


def wish_fields(values: MultiDict[str, str]) -> list[tuple[str, str]]:
    """Return the wishes as a form or an address carries them."""
    return [
        (name, value[:LONGEST_WISH])
        for name in WISHES
        for value in values.getlist(name)[:12]
        if value
    ]


def way_on(values: MultiDict[str, str], way: Way) -> str:
    """Return what an address carries to go the way: the wishes without those in question.

    Where it is about none of them the plan itself, for the desk to check or a provider to decide.
    """
    dropped = DROPPED.get(way.code, ())
    picks = [] if dropped else [(f"s{number}", pick) for number, pick in way.picks]
    return urlencode([*(pair for pair in wish_fields(values) if pair[0] not in dropped), *picks])


def wished(values: MultiDict[str, str]) -> str:
    """Return the wishes as one text, by which the next form shows whether they have changed."""
    return urlencode(wish_fields(values))


def read_picks(values: MultiDict[str, str], prefix: str = "s") -> dict[int, Pick]:
    """Return the picks of the fields ``s1`` … ``s12``; what cannot be read is left out."""
    picks = {}
    for number in NUMBERS:
        pick = parse_pick(values.get(f"{prefix}{number}", ""))
        if pick is not None:
            picks[number] = pick
    return picks


def parse_pick(text: str) -> Pick | None:
    """Return the pick that ``site.provider.room.20270303T1500Z`` stands for, or None."""
    parts = text.split(".")
    if len(text) > LONGEST_PICK or len(parts) != 4:
        return None
    try:
        site_id, provider_id, room_id = (_id(part) for part in parts[:3])
        starts_at = datetime.strptime(parts[3], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    if starts_at.year not in asked.YEARS:
        return None
    return Pick(site_id=site_id, provider_id=provider_id, room_id=room_id, starts_at=starts_at)


def _looked_at(values: MultiDict[str, str], errors: dict[str, str]) -> date | None:
    """Return the day of the button ``2|2027-03-04``, else the day typed."""
    _, _, named = values.get("open", "").partition("|")
    return asked.day({"look": named} if named else values, "look", errors)


def _steps(values: MultiDict[str, str], wishes: Wishes) -> PlanRequest:
    shown = read_picks(values)
    request = PlanRequest(
        wishes=wishes,
        objective=_objective(values.get("objective", "")),
        picks=shown,
        shown=shown,
        pins=frozenset(n for n in NUMBERS if values.get(f"pinned{n}")),
        more=bool(values.get("more")),
        open_number=_number(values.get("open", "").partition("|")[0]),
    )
    if choice := values.get("choose"):
        return _choose(request, choice)
    if pin := _number(values.get("pin", "")):
        return replace(request, pins=request.pins ^ {pin})
    for step in ("earlier", "later"):
        if number := _number(values.get(step, "")):
            return replace(request, step=step, number=number)
    if "enter" in values:
        is_new = values.get("wished", "") != wished(values)
        return replace(request, open_number=_number(values["enter"]), renew=is_new)
    return _set(request, values) or replace(request, renew=bool(values.get("update")))


def _choose(request: PlanRequest, choice: str) -> PlanRequest:
    objective, *parts = choice.split("|")
    picks = {}
    for part in parts[:12]:
        number, _, text = part.partition("=")
        pick = parse_pick(text)
        if pick is not None and _number(number):
            picks[int(number)] = pick
    return replace(request, objective=_objective(objective), picks=picks)


def _set(request: PlanRequest, values: MultiDict[str, str]) -> PlanRequest | None:
    for number in NUMBERS:
        pick = parse_pick(values.get(f"session-{number}", ""))
        if pick is not None and pick != request.picks.get(number):
            picks = {**request.picks, number: pick}
            return replace(request, picks=picks, step="set", number=number, open_number=0)
    return None


def _objective(text: str) -> str:
    return text if text in OBJECTIVES else "order"


def _number(text: str) -> int:
    return int(text) if _is_id(text) and int(text) in NUMBERS else 0


def _id(text: str) -> int:
    if not _is_id(text):
        raise ValueError(text)
    return int(text)


def _is_id(text: str) -> bool:
    # Python refuses to read numbers of thousands of digits, the database those of more than nine.
    return text.isascii() and text.isdigit() and len(text) <= 9


def _ids(values: MultiDict[str, str], name: str) -> frozenset[int] | None:
    found = frozenset(int(text) for text in values.getlist(name) if _is_id(text))
    return found or None


def _weekdays(values: MultiDict[str, str]) -> frozenset[int]:
    return frozenset(number for number in _ids(values, "weekday") or () if number < 7)
