"""What stands against a step of a visit at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from planner import wording
from planner.scheduling import attendance
from planner.scheduling.attendance import Visit
from planner.scheduling.lifecycle import Verb
from tests.factories import at

DAY = date(2027, 3, 3)
START = at(DAY, 10)
VISIT = Visit(
    starts_at=START, site_id=1, zone="America/New_York", kind="session", health_state="",
    is_reviewed=False,
)  # fmt: skip
EARLY = START - timedelta(days=7)


def test_a_start_a_week_early_names_the_day_and_the_question() -> None:
    found = attendance.against(VISIT, Verb.START, now=EARLY)
    assert [conflict.code for conflict in found] == ["visit.other_day", "health.unanswered"]


def test_only_a_session_waits_for_the_health_question() -> None:
    consult = replace(VISIT, kind="consult")
    assert attendance.against(consult, Verb.START, now=START) == ()


def test_cancelling_is_possible_on_any_day() -> None:
    assert attendance.against(VISIT, Verb.CANCEL, now=EARLY) == ()


def test_everything_that_is_found_has_a_sentence() -> None:
    unread = replace(VISIT, health_state="review")
    found = (
        *attendance.against(VISIT, Verb.START, now=EARLY),
        *attendance.against(unread, Verb.START, now=START),
        *attendance.against(VISIT, Verb.NO_SHOW, now=EARLY),
        *attendance.against_times(VISIT, START, START + timedelta(days=1), now=START),
    )
    codes = [conflict.code for conflict in found]
    assert (len(set(codes)), [code for code in codes if not wording.is_spoken(code)]) == (6, [])
