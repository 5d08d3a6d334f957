"""What is closed in a column of the day, put into words; kept as long as the facts of the day are."""

from __future__ import annotations

from functools import lru_cache

from planner.queries import day_board
from planner.queries.day_board import Span
from planner.queries.day_facts import DayFacts
from planner.queries.day_view import Band
from planner.wording import desk

KEPT = 1024  # columns: of some days, by provider and by room, in both languages


@lru_cache(maxsize=KEPT)
def of_provider(facts: DayFacts, site_id: int, provider_id: int, locale: str) -> tuple[Band, ...]:
    """Return when a provider cannot be booked at a site, and why."""
    shut, opened = _shut(facts, site_id, locale)
    absences = facts.absences(provider_id)
    breaks = facts.breaks(provider_id, site_id)
    away = [span for span, _ in absences]
    known = [*facts.rostered(provider_id, site_id), *breaks, *away]
    result = [*shut, *day_board.bands(
        day_board.without(opened, known), "closed", desk.band("not_here", locale)
    )]  # fmt: skip
    for span, reason in absences:
        inside = day_board.without([span], day_board.without([day_board.DAY], opened))
        result += day_board.bands(inside, "absence", reason or desk.band("absence", locale))
    result += day_board.bands(day_board.without(breaks, away), "break", desk.band("break", locale))
    return tuple(result)


@lru_cache(maxsize=KEPT)
def of_room(facts: DayFacts, site_id: int, room_id: int, locale: str) -> tuple[Band, ...]:
    """Return when a room cannot be booked, and why."""
    shut, _ = _shut(facts, site_id, locale)
    out = desk.band("out", locale)
    for span, reason in facts.outages(room_id):
        shut += day_board.bands([span], "absence", f"{out}: {reason}" if reason else out)
    return tuple(shut)


def _shut(facts: DayFacts, site_id: int, locale: str) -> tuple[list[Band], list[Span]]:
    """Return the bands in which the site is closed, and when it is open."""
    label = desk.band("closed", locale)
    opened = facts.open_at(site_id)
    closures = [span for span, _ in facts.closures(site_id)]
    shut = day_board.without(day_board.without([day_board.DAY], opened), closures)
    result = day_board.bands(shut, "closed", label)
    for span, reason in facts.closures(site_id):
        result += day_board.bands([span], "absence", reason or label)
    return result, opened
