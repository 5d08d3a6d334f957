"""Sentences for codes: conflicts, costs, measures, statuses, rules, in the locale passed in.

English is the source. A locale we do not speak is answered in English. Web, command line and mail all
say it through here, so that a code has one sentence.
"""

from __future__ import annotations

from planner.wording.conflicts import Names, conflict, is_spoken
from planner.wording.labels import (
    course_status,
    date_to_avoid,
    day_part,
    format_phone,
    initials,
    language,
    objective,
    outcome,
    person,
    severity,
    status,
    stay,
    unit,
    vein,
    zone,
    zones,
)
from planner.wording.lists import LISTS, list_hint, list_title, sheet_title
from planner.wording.plans import (
    cost,
    effect,
    gap,
    measure,
    no_cost,
    nothing_found,
    order,
    progress,
    session_of,
)
from planner.wording.rules import rule
from planner.wording.speech import spoken
from planner.wording.times import (
    count_days,
    days_range,
    format_birth_date,
    format_clock,
    format_date,
    format_day_time,
    format_full_date,
    format_hour,
    format_range,
    format_short_date,
    format_slot,
    format_time,
    minutes,
    read_back,
    span,
    weekday,
)
from planner.wording.veins import explained as veins_explained

__all__ = [
    "LISTS",
    "Names",
    "conflict",
    "cost",
    "count_days",
    "course_status",
    "date_to_avoid",
    "day_part",
    "days_range",
    "effect",
    "format_birth_date",
    "format_clock",
    "format_date",
    "format_day_time",
    "format_full_date",
    "format_hour",
    "format_phone",
    "format_range",
    "format_short_date",
    "format_slot",
    "format_time",
    "gap",
    "initials",
    "is_spoken",
    "language",
    "list_hint",
    "list_title",
    "measure",
    "minutes",
    "no_cost",
    "nothing_found",
    "objective",
    "order",
    "outcome",
    "person",
    "progress",
    "read_back",
    "rule",
    "session_of",
    "severity",
    "sheet_title",
    "span",
    "spoken",
    "status",
    "stay",
    "unit",
    "vein",
    "veins_explained",
    "weekday",
    "zone",
    "zones",
]
