"""What follows from the findings of a consult."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from planner.scheduling import candidacy
from planner.scheduling.candidacy import Answers, Remark, Vein
from planner.scheduling.timetable import Gap, RuleSetting, SessionOrder, Severity

TODAY = date(2027, 3, 1)
TWO_WEEKS = Gap(floor=7, target=14, soft_max=21)
SIX_WEEKS = Gap(floor=28, target=42, soft_max=56)


def codes(
    answers: Answers, zones: tuple[str, ...] = (), rules: tuple[RuleSetting, ...] = ()
) -> list[Any]:
    found = candidacy.conflicts(answers, zones, rules, on=TODAY, site_id=1, service_id=1)
    return [(conflict.code, conflict.severity) for conflict in found]


@pytest.mark.parametrize(
    ("vein", "mm", "remark"),
    [
        (Vein.SPIDER, 0.9, None),
        (Vein.SPIDER, 1.0, Remark.EITHER),
        (Vein.RETICULAR, 1.0, Remark.EITHER),
        (Vein.SPIDER, 1.1, Remark.RATHER_RETICULAR),
        (Vein.RETICULAR, 0.9, Remark.RATHER_SPIDER),
        (Vein.RETICULAR, 3.0, None),
        (Vein.RETICULAR, 3.1, Remark.TOO_WIDE),
        (Vein.SPIDER, 3.1, Remark.TOO_WIDE),
    ],
)
def test_s03_s09_a_diameter_says_what_it_is(vein: Vein, mm: float, remark: Remark | None) -> None:
    assert candidacy.remark(vein, mm) == remark


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (Answers(had_clots=True), "screening.clots"),  # S16
        (Answers(is_nursing=True), "screening.nursing"),  # S18
        (Answers(is_healthy=False), "screening.health"),  # S12
        (Answers(has_allergy=True), "screening.allergy"),
        (Answers(has_acute_clot=True), "screening.acute_clot"),
    ],
)
def test_s16_s18_an_answer_needs_a_decision(answers: Answers, code: str) -> None:
    assert codes(answers) == [(code, Severity.DECIDE)]


def test_s17_pregnant_is_no_matter_of_deciding() -> None:
    assert codes(Answers(is_pregnant=True)) == [("patient.paused", Severity.BLOCK)]


def test_s07_a_zone_of_the_face_needs_a_decision() -> None:
    assert codes(Answers(), ("left_calf", "face")) == [("zone.face", Severity.DECIDE)]


def test_an_optional_pack_that_is_off_asks_nothing_and_stops_nothing() -> None:
    assert (
        codes(Answers(has_infection=True)),
        candidacy.asked("screening.infection", (), on=TODAY, site_id=1),
    ) == ([], False)


def test_a_rule_the_clinic_has_made_milder_is_milder_here() -> None:
    milder = RuleSetting(
        code="screening.nursing", scope="clinic", scope_id=None, value=True, severity=Severity.WARN,
        effective_from=TODAY,
    )  # fmt: skip
    assert codes(Answers(is_nursing=True), rules=(milder,)) == [
        ("screening.nursing", Severity.WARN)
    ]


@pytest.mark.parametrize(
    ("ended", "eligible"),
    [
        (date(2026, 12, 1), date(2027, 3, 1)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2023, 11, 29), date(2024, 2, 29)),
        (None, None),
    ],
)
def test_s19_three_calendar_months_after_a_pregnancy(
    ended: date | None, eligible: date | None
) -> None:
    assert candidacy.eligible_from(Answers(pregnancy_ended_on=ended), 3) == eligible


@pytest.mark.parametrize(
    ("zones", "sessions", "is_same", "parts"),
    [
        (("a", "b"), 2, True, (("a", "b"), ("a", "b"))),
        (("a", "b", "c"), 3, False, (("a",), ("b",), ("c",))),
        (("a", "b", "c", "d"), 2, False, (("a", "b"), ("c", "d"))),
        (("a", "b"), 3, False, (("a",), ("b",), ("a",))),
        ((), 2, False, ((), ())),
        (("a",), 1, False, (("a",),)),
    ],
)
def test_s35_zones_are_repeated_or_shared_out(
    zones: tuple[str, ...], sessions: int, is_same: bool, parts: tuple[tuple[str, ...], ...]
) -> None:
    assert candidacy.shares(zones, sessions, is_same=is_same) == parts


def rows(gap: Gap, *zones: str) -> tuple[SessionOrder, ...]:
    return tuple(
        SessionOrder(number=number, minutes=45, gap=gap, zones=frozenset({zone}))
        for number, zone in enumerate(zones, start=1)
    )


def test_s36_s38_both_intervals_are_forecast_from_the_same_first_day() -> None:
    ends = [
        candidacy.forecast(rows(gap, *zones), SIX_WEEKS, first=TODAY)[-1]
        for gap, zones in ((TWO_WEEKS, "abc"), (SIX_WEEKS, "aaa"))
    ]
    assert ends == [date(2027, 3, 29), date(2027, 5, 24)]


def test_a_zone_treated_again_waits_six_weeks_in_the_forecast_too() -> None:
    days = candidacy.forecast(rows(TWO_WEEKS, "a", "b", "a"), SIX_WEEKS, first=TODAY)
    assert days == (TODAY, date(2027, 3, 15), date(2027, 4, 12))
