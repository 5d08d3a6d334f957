"""S38: the review between six-week sessions keeps its days, where the clinic has set any."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from planner.scheduling import attendance
from planner.scheduling.attendance import Visit
from planner.scheduling.timetable import PastSession, Timetable
from tests.scheduling import clinic
from tests.scheduling.clinic import REVIEW, found, only, slot

HELD = date(2026, 3, 3)
WINDOW = {"floor": 10, "target": 14, "soft_max": 21}


def timetable(*, is_on: bool = True) -> Timetable:
    """The patient's session was held on 3 March; the rule is on or as shipped."""
    past = PastSession(
        on=HELD, ends_at=clinic.at(HELD, 11), zones=frozenset({"left_calf"}), course_id=1, number=1
    )
    rules = (clinic.rule("review.window_days", WINDOW),) if is_on else ()
    return replace(clinic.with_patient(past_sessions=(past,)), rules=rules)


@pytest.mark.parametrize(
    ("days", "is_told"), [(1, True), (9, True), (10, False), (14, False), (21, False), (22, True)]
)
def test_S38_a_review_outside_day_10_to_21_is_warned_of(days: int, is_told: bool) -> None:
    review = slot(HELD + timedelta(days=days), service_id=REVIEW)
    told = {"review.outside_window": "warn"} if is_told else {}
    assert (found(review, timetable()), found(review, timetable(is_on=False))) == (told, {})


def test_S38_the_days_count_from_the_last_session_before_the_review() -> None:
    planned = clinic.busy(slot(HELD + timedelta(days=42)))
    review = slot(HELD + timedelta(days=45), service_id=REVIEW)
    later = replace(timetable(), busy=(planned,))
    assert only(review, later).params["days"] == 3


@pytest.mark.parametrize(
    ("volume", "most", "severity", "told"),
    [
        (10.0, 10, "warn", []),
        (10.1, 10, "warn", [("warn", "10.1")]),
        (30.0, 10, "block", [("warn", "30")]),
        (30.0, 10, "info", [("info", "30")]),
        (30.0, None, "warn", []),
        (None, 10, "warn", []),
    ],
)
def test_S21_more_than_the_most_millilitres_is_warned_of_and_never_refused(
    volume: float | None, most: int | None, severity: str, told: list[tuple[str, str]]
) -> None:
    visit = Visit(
        starts_at=clinic.at(HELD), site_id=clinic.MIAMI, zone=clinic.ZONE, kind="session",
        health_state="complete", is_reviewed=False,
    )  # fmt: skip
    conflicts = attendance.against_dose(visit, volume, clinic.rule("dose.max_ml", most, severity))
    assert [(c.severity.value, c.params["volume"]) for c in conflicts] == told
