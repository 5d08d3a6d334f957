"""Every code has a sentence, and none tells the desk about a patient's health."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from planner import wording
from planner.scheduling import course, preferences, rulebook, zones
from planner.scheduling.course import Cost
from planner.scheduling.holidays import Nearby
from planner.scheduling.rules import RULES
from planner.scheduling.timetable import Conflict, Gap, Severity, Status
from tests.scheduling import clinic
from tests.scheduling.clinic import MD, MIAMI, ROOM, ZONE, order, session

NAMES = wording.Names(
    sites={MIAMI: "Miami"},
    providers={MD: "Dr. Ada Byron"},
    rooms={ROOM: "Room 1"},
    zones={MIAMI: ZONE},
)
TUESDAY = date(2026, 3, 3)

# Values that nothing is judged by: they have a title, and never a conflict.
VALUES_ONLY = {
    "gap.new_zones", "gap.same_zone", "course.gap_mode", "review.window_days", "course.sessions",
    "session.minutes_default", "session.walk_range", "session.walk_minutes", "session.desk_treats",
    "photo.after_days", "reservation.days", "aftercare.flying", "aftercare.exercise", "aftercare.sun",
    "aftercare.hot_bath", "aftercare.hot_tub", "aftercare.sauna", "compression.day_night_days",
    "compression.as_needed_weeks", "compression.reticular_days", "room.preparation_minutes",
    "room.turnover_minutes", "proposal.order", "proposal.soonest", "proposal.same_time",
}  # fmt: skip


def _say(code: str, locale: str = "en", **params: Any) -> str:
    conflict = Conflict(code=code, severity=Severity.WARN, params=params)
    return wording.conflict(conflict, locale=locale, names=NAMES)


def test_every_code_a_rule_can_find_has_a_sentence() -> None:
    silent = {rule.code for rule in rulebook.DEFAULTS if not wording.is_spoken(rule.code)}
    assert silent == VALUES_ONLY


def test_every_rule_has_a_title_and_an_explanation() -> None:
    said = [wording.rule(rule.code, "en") for rule in rulebook.DEFAULTS]
    assert [pair for pair in said if not all(pair) or pair[0] in rulebook.BY_CODE] == []


def test_every_rule_is_a_function_with_its_sentence() -> None:
    assert [rule.__name__ for rule in RULES if not (rule.__doc__ or "").strip()] == []


def test_every_cost_has_words() -> None:
    codes = [
        Cost(code="wait", amount=1, params={"days": 2}),
        Cost(code="days_early", amount=1, params={"days": 1}),
        Cost(code="days_late", amount=1, params={"days": 3}),
        Cost(code="other_weekday", amount=1, params={"on": TUESDAY}),
        Cost(code="outside_hours", amount=1, params={"minutes": 15}),
        Cost(code="site_change", amount=1, params={"site_id": MIAMI}),
        Cost(code="provider_change", amount=1, params={"provider_id": MD}),
        Cost(code="weekday_differs", amount=1, params={"on": TUESDAY}),
        Cost(code="time_differs", amount=1, params={"minutes": 135}),
        Cost(code="warning", amount=1, params={"code": "event.within_72h"}),
    ]
    assert [wording.cost(cost, locale="en", names=NAMES) for cost in codes] == [
        "starts in 2 days",
        "1 day before the target",
        "3 days after the target",
        "on a Tuesday",
        "15 min outside the wished hours",
        "changes to Miami",
        "changes to Dr. Ada Byron",
        "another weekday: Tuesday",
        "2 h 15 min off the time of the session before",
        "Event soon after",
    ]
    assert wording.cost(codes[7], locale="es") == "otro día de la semana: martes"


def test_the_costs_that_a_search_counts_are_those_that_have_words() -> None:
    wishes = course.Wishes(weekdays=frozenset({5}), earliest=time(18))
    found = {
        cost.code
        for objective in course.OBJECTIVES
        for proposal in course.propose(order(), clinic.clinic(), wishes, objective=objective)
        for row in proposal.sessions
        for cost in row.costs
    }
    assert {code for code in found if wording.cost(_cost(code), locale="en") == code} == set()


def _cost(code: str) -> Cost:
    params = {"days": 1, "minutes": 1, "on": TUESDAY, "site_id": 1, "provider_id": 1}
    return preferences.Cost(code=code, amount=1, params=params)


@pytest.mark.parametrize(
    ("code", "params", "sentence"),
    [
        (
            "gap.below_floor",
            {"number": 2, "since_number": 1, "days": 9, "floor": 14},
            "9 days after session 1; not before 14.",
        ),
        (
            "gap.below_floor",
            {"number": 3, "since_number": 2, "days": 1, "floor": 7, "is_next": True},
            "Session 3 would be only 1 day later; not before 7.",
        ),
        (
            "gap.below_floor",
            {"number": 1, "since_number": None, "days": 5, "floor": 7},
            "5 days after a session of another course; not before 7.",
        ),
        (
            "provider.busy",
            {
                "provider_id": MD,
                "site_id": MIAMI,
                "starts_at": clinic.at(TUESDAY, 10),
                "ends_at": clinic.at(TUESDAY, 14, 30),
            },
            "Dr. Ada Byron has another appointment from 10:00 AM to 2:30 PM.",
        ),
        ("site.outside_hours", {"site_id": MIAMI, "on": TUESDAY, "hours": ()}, "Miami is closed on Tue 3 Mar 2026."),
        (
            "site.closed",
            {"site_id": MIAMI, "from_date": TUESDAY, "until_date": TUESDAY, "reason": "100% storm"},
            "Miami is closed on Tue 3 Mar 2026: 100% storm.",
        ),
        (
            "flight.within_48h",
            {"on": TUESDAY, "hours": 48, "before": None, "after": date(2026, 3, 4)},
            "Flight on Tue 3 Mar 2026, within 48 hours of the end of the session."
            " Better: from Wed 4 Mar 2026.",
        ),
        ("patient.eligible_from", {"earliest": TUESDAY}, "The patient is eligible from Tue 3 Mar 2026."),
        ("order.already_placed", {"number": 2}, "Session 2 has an appointment already."),
    ],
)  # fmt: skip
def test_sentences_are_said_as_people_say_them(
    code: str, params: dict[str, Any], sentence: str
) -> None:
    assert _say(code, **params) == sentence


def test_S17_the_desk_reads_nothing_of_health() -> None:
    flags = [code for code in rulebook.BY_CODE if code.startswith("screening.")]
    said = {_say(code) for code in (*flags, "patient.paused", "patient.eligible_from")}
    words = " ".join(said).lower()
    told = ("clot", "pregnan", "nursing", "allerg", "infection", "circulation")
    assert [word for word in told if word in words] == []


def test_a_provider_reads_which_answer_it_is() -> None:
    conflict = Conflict(code="screening.clots", severity=Severity.DECIDE)
    said = wording.conflict(conflict, locale="en", clinical=True)
    assert said == "Blood clotting issues in the past."


def test_names_that_are_not_known_are_spoken_of_in_general() -> None:
    conflict = Conflict(code="room.not_capable", severity=Severity.BLOCK, params={"room_id": 9})
    assert wording.conflict(conflict, locale="en") == "The room is not set up for this service."


def test_parameters_of_an_old_record_may_be_missing_or_texts() -> None:
    assert _say("patient.eligible_from") == "The patient is eligible from …."
    said = _say("patient.stay", stay_until="2026-03-03")
    assert said == "The patient leaves Florida on Tue 3 Mar 2026."


def test_a_measure_is_one_sentence() -> None:
    measure = course.measure(order(), {1: TUESDAY, 2: date(2026, 3, 17)})[2]
    sentence = "14 days after session 1 (target 14, not before 7, late after 21)"
    assert wording.measure(measure, "en") == sentence


def test_an_order_is_one_line() -> None:
    six_weeks = Gap(floor=28, target=42, soft_max=56)
    rows = [session(number, "left_calf", gap=six_weeks) for number in (1, 2, 3)]
    assert wording.order(order(*rows), "en") == "3 × 45 min, 6 weeks apart (28–56 days), same zones"
    assert wording.order(order(*rows, is_decided=False), "en") == "3 × 45 min, interval undecided"


def test_effects_say_what_happens_to_the_session() -> None:
    days = {1: TUESDAY, 2: date(2026, 4, 3)}
    late = course.measure(order(), days)[2]
    effect = course.Effect(number=2, code="now_late", before=None, after=late)
    assert wording.effect(effect, locale="en").startswith("Session 2 is now late: 31 days after")


@pytest.mark.parametrize(
    ("locale", "day", "at", "slot"),
    [
        ("en", "Tue 3 Mar 2026", "2:30 PM", "Tue 3 Mar 2026, 2:30 PM EST, Miami"),
        ("es", "mar 3 mar 2026", "14:30", "mar 3 mar 2026, 14:30 EST, Miami"),
        ("es_US", "mar 3 mar 2026", "14:30", "mar 3 mar 2026, 14:30 EST, Miami"),
        ("ht", "Tue 3 Mar 2026", "2:30 PM", "Tue 3 Mar 2026, 2:30 PM EST, Miami"),
        ("", "Tue 3 Mar 2026", "2:30 PM", "Tue 3 Mar 2026, 2:30 PM EST, Miami"),
    ],
)
def test_dates_and_times_are_those_of_the_language(
    locale: str, day: str, at: str, slot: str
) -> None:
    instant = clinic.at(TUESDAY, 14, 30)
    said = (
        wording.format_date(TUESDAY, locale),
        wording.format_time(time(14, 30), locale),
        wording.format_slot(instant, ZONE, "Miami", locale),
    )
    assert said == (day, at, slot)


@pytest.mark.parametrize(
    ("days", "said"), [(14, "2 weeks"), (7, "1 week"), (15, "15 days"), (1, "1 day"), (0, "0 days")]
)
def test_how_long_a_course_takes(days: int, said: str) -> None:
    assert wording.span(days, "en") == said


def test_every_zone_of_the_body_has_a_name() -> None:
    assert [zone for zone in zones.ZONES if wording.zone(zone, "en") == zone != "face"] == []
    said = wording.zones(["face", "left_knee", "right_calf", "left_calf"], "en")
    assert said == "left knee, left calf, right calf, face"


def test_every_status_has_a_name() -> None:
    assert all(wording.status(status.value, "en") for status in Status)


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("+13055550100", "(305) 555-0100"),
        ("+445550100", "+445550100"),
        ("call her son", "call her son"),
        ("", ""),
    ],
)
def test_phones_are_said_as_people_write_them(phone: str, said: str) -> None:
    assert wording.format_phone(phone) == said


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ada Byron", "AB"),
        ("Ana-Maria O'Neil Paz", "AP"),
        ("Ada", "A"),
        ("", ""),
        ("  🙂 Ada", "A"),
        ("Dr. Alma Rivera", "AR"),
        ("J. Smith", "JS"),
    ],
)
def test_initials(name: str, initials: str) -> None:
    assert wording.initials(name) == initials


def test_a_closure_close_by_is_said_with_its_reason_and_a_holiday_by_its_name() -> None:
    closure = Nearby(code="closure", on=TUESDAY, until=TUESDAY, reason="Storm")
    said = [
        wording.nearby(one, site="Miami", locale="en")
        for one in (
            closure,
            replace(closure, reason=""),
            Nearby(code="king", on=TUESDAY, until=TUESDAY),
            Nearby(code="independence", on=TUESDAY, until=TUESDAY, is_observed=True),
        )
    ]
    day = wording.format_date(TUESDAY, "en")
    assert said == [
        f"Miami is closed on {day} (Storm), close to this day.",
        f"Miami is closed on {day}, close to this day.",
        "This day is Martin Luther King Jr. Day.",
        "This day is Independence Day, observed.",
    ]
