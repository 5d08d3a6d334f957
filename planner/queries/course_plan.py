"""The course screen: proposals for the open sessions of one course, judged and put into words."""

from __future__ import annotations

from datetime import datetime

from planner.db import engine
from planner.queries.course_choice import (
    best_proposals,
    chosen_slots,
    costs_by_number,
    kept_slots,
    picked_slots,
)
from planner.queries.course_frame import bar_of, course_head, deciders_of, end_label_of, wishes_view
from planner.queries.course_ground import Loaded, load, open_numbers, purpose_of
from planner.queries.course_offers import (
    comparison_of,
    nothing_found,
    obstacle_sentences,
    proposal_cards,
    ways,
)
from planner.queries.course_rows import session_rows
from planner.queries.course_view import (
    CoursePage,
    PlanRequest,
)
from planner.scheduling import course as planning


def page(key: str, request: PlanRequest, *, locale: str, now: datetime) -> CoursePage:
    """Return the course screen for what its form asks.

    Raises ``NotFound`` when there is no such course. A start that can no longer be had is judged and
    shown with its reasons, never dropped silently.
    """
    with engine.reading() as session:
        loaded = load(session, key, request, now)
        return _page(loaded, request, locale)


def _page(loaded: Loaded, request: PlanRequest, locale: str) -> CoursePage:
    purpose = purpose_of(loaded.course, loaded.consult)
    picked = picked_slots(loaded, request)
    kept = kept_slots(loaded, request, picked, purpose)
    found = best_proposals(loaded, request, kept, purpose)
    placed = chosen_slots(request, picked, kept, found, open_numbers(loaded))
    verdicts = planning.judge(loaded.order, placed, loaded.timetable, purpose=purpose)
    costs = costs_by_number(placed, found)
    rows = session_rows(loaded, request, placed, costs=costs, verdicts=verdicts, locale=locale)
    return CoursePage(
        head=course_head(loaded, locale),
        wishes=wishes_view(loaded, request, locale),
        proposals=proposal_cards(loaded, found, placed, locale),
        rows=rows,
        bar=bar_of(loaded, placed, verdicts, locale),
        deciders=deciders_of(loaded),
        end_label=end_label_of(rows),
        nothing_found=nothing_found(loaded, placed, locale),
        obstacles=obstacle_sentences(loaded, request, placed, purpose, locale),
        ways=ways(loaded, request, placed, purpose, locale),
        is_proven=all(p.is_proven for proposals in found.values() for p in proposals),
        objective=request.objective,
        comparison=comparison_of(loaded, request, locale),
        has_more=not request.more and bool(found.get("order")),
        open_count=len(open_numbers(loaded)),
        conflicts=verdicts,
    )
