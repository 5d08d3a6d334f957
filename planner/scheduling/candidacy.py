"""What a consult finds, and what follows from it before any date is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from planner.scheduling import gaps, hours, rulebook
from planner.scheduling.timetable import Conflict, CourseOrder, Gap, RuleSetting, SessionOrder
from planner.scheduling.zones import FACE

SPIDER_BELOW = 1.0
"""Millimetres: spider veins are thinner (clinic.md S03); 1.0 itself is accepted as either."""

RETICULAR_UP_TO = 3.0
"""Millimetres: small varicose veins are no wider (clinic.md S09)."""


class Vein(StrEnum):
    """What is to be treated. Reticular veins are also called feeder or small varicose veins."""

    SPIDER = "spider"
    RETICULAR = "reticular"


class Remark(StrEnum):
    """What is to be said of a diameter."""

    EITHER = "either"  # 1.0 mm: spider and reticular alike
    TOO_WIDE = "too_wide"  # over 3 mm: provider assessment
    RATHER_RETICULAR = "rather_reticular"
    RATHER_SPIDER = "rather_spider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the patient answered; ``None`` is a question that was not asked."""

    had_clots: bool = False
    is_pregnant: bool = False
    pregnancy_ended_on: date | None = None
    is_nursing: bool = False
    is_healthy: bool = True
    has_allergy: bool | None = None
    has_acute_clot: bool | None = None
    has_infection: bool | None = None
    has_limb_ischaemia: bool | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the size of an area suggests: minutes of a session, and how many. Ours, not the page's."""

    minutes: int
    sessions: int


SUGGESTIONS = {"S": Suggestion(30, 2), "M": Suggestion(45, 3), "L": Suggestion(60, 4)}


def remark(vein: Vein, diameter_mm: float) -> Remark | None:
    """Return what is to be said of the diameter of such a vein (clinic.md S03, S09)."""
    if diameter_mm > RETICULAR_UP_TO:
        return Remark.TOO_WIDE
    if diameter_mm == SPIDER_BELOW:
        return Remark.EITHER
    if vein is Vein.SPIDER and diameter_mm > SPIDER_BELOW:
        return Remark.RATHER_RETICULAR
    if vein is Vein.RETICULAR and diameter_mm < SPIDER_BELOW:
        return Remark.RATHER_SPIDER
    return None


def eligible_from(answers: Answers, months: int) -> date | None:
    """Return the first day for injections: so many calendar months after a pregnancy ended (S19)."""
    if answers.pregnancy_ended_on is None:
        return None
    return hours.add_months(answers.pregnancy_ended_on, months)


def conflicts(
    answers: Answers,
    zones: Iterable[str],
    rules: Iterable[RuleSetting],
    *,
    on: date,
    site_id: int,
    service_id: int,
) -> tuple[Conflict, ...]:
    """Return what of a finding stands against ordering sessions, before any has a date.

    S07, S16, S17, S18 and the optional packs, each with the severity its rule has that day. What
    depends on a session's date (S12, S19) is judged with the date.
    """
    rules = tuple(rules)
    touched = [code for code, is_touched in _questions(answers, zones) if is_touched]
    found = []
    for code in touched:
        rule = rulebook.resolve(rules, code, on=on, site_id=site_id, service_id=service_id)
        if rule.value is not False:
            found.append(Conflict(code=code, severity=rule.severity))
    return tuple(found)


def asked(code: str, rules: Iterable[RuleSetting], *, on: date, site_id: int) -> bool:
    """Whether a question of the optional packs is switched on at the site that day."""
    return rulebook.resolve(rules, code, on=on, site_id=site_id).value is not False


def shares(zones: Sequence[str], sessions: int, *, is_same: bool) -> tuple[tuple[str, ...], ...]:
    """Return the zones of each session: all of them every time, or each of them once, in order.

    With fewer zones than sessions they begin anew, and what is treated again waits longer.
    """
    if is_same or not zones:
        return tuple(tuple(zones) for _ in range(sessions))
    bounds = [number * len(zones) // sessions for number in range(sessions + 1)]
    parts = [tuple(zones[start:end]) for start, end in pairwise(bounds)]
    if len(zones) < sessions:
        parts = [(zones[number % len(zones)],) for number in range(sessions)]
    return tuple(parts)


def forecast(
    sessions: Sequence[SessionOrder], same_zone_gap: Gap, *, first: date
) -> tuple[date, ...]:
    """Return the days of the sessions if each took place on its target, the first on ``first``."""
    order = CourseOrder(service_id=0, sessions=tuple(sessions), same_zone_gap=same_zone_gap)
    ruler, days = gaps.Ruler(order), dict[int, date]()
    for session in sessions:
        window = ruler.window(session.number, days) if days else None
        days[session.number] = window.target if window else first
    return tuple(days.values())


def _questions(answers: Answers, zones: Iterable[str]) -> tuple[tuple[str, bool], ...]:
    return (
        ("patient.paused", answers.is_pregnant),
        ("screening.clots", answers.had_clots),
        ("screening.nursing", answers.is_nursing),
        ("screening.health", not answers.is_healthy),
        ("screening.allergy", bool(answers.has_allergy)),
        ("screening.acute_clot", bool(answers.has_acute_clot)),
        ("screening.infection", bool(answers.has_infection)),
        ("screening.limb_ischaemia", bool(answers.has_limb_ischaemia)),
        ("zone.face", any(zone.startswith(FACE) for zone in zones)),
    )
