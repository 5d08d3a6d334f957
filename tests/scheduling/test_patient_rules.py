"""Truth tables of the rules about the patient: age, screening, consult, flights, trips, season."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from planner.scheduling import hours, rulebook, rules
from planner.scheduling.rules import patient, spacing, spells, structure
from planner.scheduling.timetable import AbsentDays, ConsultFact, Flight, Status
from tests.scheduling import clinic
from tests.scheduling.clinic import (
    CONSULT,
    CONSULT_ROOM,
    busy,
    found,
    only,
    order,
    rule,
    session,
    slot,
    with_patient,
)

TUESDAY = date(2026, 3, 3)
DAY = timedelta(days=1)


def _consult(day: date = TUESDAY, **rest: Any) -> Any:
    return slot(day, service_id=CONSULT, room_id=CONSULT_ROOM, **rest)


def _days(first: date, last: date | None = None, **rest: Any) -> tuple[AbsentDays, ...]:
    return (AbsentDays(from_date=first, until_date=last or first, **rest),)


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        (date(2008, 3, 3), {}),
        (date(2008, 3, 4), {"patient.age": "block"}),
        (None, {"patient.birth_date_missing": "block"}),
    ],
)
def test_S12_eighteen_on_the_day_of_the_session(
    birth_date: date | None, expected: dict[str, str]
) -> None:
    assert found(slot(TUESDAY), with_patient(birth_date=birth_date)) == expected


def test_S12_turning_18_in_mid_course_is_told_with_the_day() -> None:
    timetable = with_patient(birth_date=date(2008, 3, 17))
    assert found(slot(date(2026, 3, 17)), timetable) == {}
    assert only(slot(TUESDAY), timetable).params == {"years": 18, "earliest": date(2026, 3, 17)}


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [(date(2008, 3, 4), {"patient.age_at_consult": "warn"}), (date(2008, 3, 3), {}), (None, {})],
)
def test_S12_a_consult_for_a_minor_only_warns(
    birth_date: date | None, expected: dict[str, str]
) -> None:
    assert found(_consult(), with_patient(birth_date=birth_date)) == expected


def test_S17_no_session_during_a_pregnancy() -> None:
    assert found(slot(TUESDAY), with_patient(is_pregnant=True)) == {"patient.paused": "block"}


@pytest.mark.parametrize(
    ("ended_on", "day", "expected"),
    [
        (date(2025, 12, 3), TUESDAY, {}),
        (date(2025, 12, 4), TUESDAY, {"patient.eligible_from": "decide"}),
        (date(2026, 11, 30), date(2027, 3, 1), {}),
        (date(2026, 11, 30), date(2027, 2, 26), {"patient.eligible_from": "decide"}),
    ],
)
def test_S19_three_calendar_months_after_a_pregnancy(
    ended_on: date, day: date, expected: dict[str, str]
) -> None:
    months = rulebook.default("patient.eligible_from").value
    from_ = hours.add_months(ended_on, months)
    consults = (ConsultFact(on=day - 30 * DAY, outcome="candidate"),)
    timetable = with_patient(eligible_from=from_, consults=consults)
    assert found(slot(day), timetable) == expected


def test_S19_the_earliest_day_is_told() -> None:
    timetable = with_patient(eligible_from=date(2026, 3, 20))
    assert only(slot(TUESDAY), timetable).params == {"earliest": date(2026, 3, 20)}


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("screening.clots", "decide"),
        ("screening.nursing", "decide"),
        ("screening.health", "decide"),
        ("screening.allergy", "decide"),
        ("screening.acute_clot", "decide"),
        ("screening.infection", None),
        ("screening.limb_ischaemia", None),
    ],
)
def test_S16_S18_what_the_screening_touched_needs_a_decision(
    flag: str, expected: str | None
) -> None:
    timetable = with_patient(flags=frozenset({flag}))
    assert found(slot(TUESDAY), timetable) == ({flag: expected} if expected else {})


def test_an_optional_pack_judges_once_it_is_switched_on() -> None:
    timetable = clinic.clinic(rules=(rule("screening.infection", True, "decide"),))
    timetable = with_patient(timetable, flags=frozenset({"screening.infection"}))
    assert found(slot(TUESDAY), timetable) == {"screening.infection": "decide"}


def test_a_flag_that_is_no_rule_is_passed_over() -> None:
    assert found(slot(TUESDAY), with_patient(flags=frozenset({"screening.mood"}))) == {}


@pytest.mark.parametrize(
    ("zones", "expected"), [("face", {"zone.face": "decide"}), ("left_calf", {})]
)
def test_S07_the_face_is_decided_by_a_provider(zones: str, expected: dict[str, str]) -> None:
    assert found(slot(TUESDAY, number=1), order=order(session(1, zones))) == expected


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        ("book", {"consult.required": "block"}),
        ("here_now", {"consult.required": "block"}),
        ("reserve", {}),
        ("hold", {}),
    ],
)
def test_S20_before_the_consult_a_session_is_reserved_not_booked(
    purpose: str, expected: dict[str, str]
) -> None:
    assert found(slot(TUESDAY), with_patient(consults=()), purpose=purpose) == expected


@pytest.mark.parametrize("outcome", ["not_now", "no", "refer"])
def test_S20_only_a_candidate_is_booked(outcome: str) -> None:
    until = date(2026, 6, 1)
    consults = (ConsultFact(on=date(2026, 3, 1), outcome=outcome, not_until=until),)
    conflict = only(slot(TUESDAY), with_patient(consults=consults))
    assert (conflict.code, conflict.params) == (
        "consult.required",
        {"outcome": outcome, "until": until},
    )


def test_S20_the_latest_consult_is_the_one_that_counts() -> None:
    consults = tuple(
        ConsultFact(on=date(2026, 1, 1) + number * DAY, outcome=outcome)
        for number, outcome in enumerate(("not_now", "candidate"))
    )
    assert found(slot(TUESDAY), with_patient(consults=consults)) == {}
    assert found(slot(TUESDAY), with_patient(consults=consults[::-1])) == {
        "consult.required": "block"
    }


@pytest.mark.parametrize(("days", "expected"), [(180, {}), (181, {"consult.valid_days": "decide"})])
def test_a_consult_holds_180_days_to_the_first_session(days: int, expected: dict[str, str]) -> None:
    consults = (ConsultFact(on=TUESDAY - days * DAY, outcome="candidate"),)
    timetable = with_patient(consults=consults)
    assert found(slot(TUESDAY, number=1), timetable, order=order()) == expected
    assert found(slot(TUESDAY), timetable) == expected


def test_later_sessions_do_not_ask_how_old_the_consult_is() -> None:
    consults = (ConsultFact(on=TUESDAY - 190 * DAY, outcome="candidate"),)
    done = session(1, done_on=TUESDAY - 14 * DAY)
    timetable = with_patient(consults=consults)
    assert found(slot(TUESDAY, number=2), timetable, order=order(done, session(2))) == {}


@pytest.mark.parametrize(
    ("day", "hour", "is_paired", "expected"),
    [
        (TUESDAY, 9, False, {"consult.same_day_reservation": "block"}),
        (TUESDAY, 12, False, {"consult.same_day_reservation": "block"}),
        (TUESDAY, 9, True, {"consult.same_day_reservation": "block"}),
        (TUESDAY, 12, True, {}),
        (TUESDAY + DAY, 9, False, {}),
        (TUESDAY - DAY, 12, True, {"consult.same_day_reservation": "block"}),
    ],
)
def test_S20_a_reservation_follows_its_consult(
    day: date, hour: int, is_paired: bool, expected: dict[str, str]
) -> None:
    timetable = clinic.clinic(
        busy=(busy(_consult(TUESDAY, hour=11)),),
        rules=(rule("consult.same_day_reservation", is_paired, "block"),),
    )
    timetable = with_patient(timetable, consults=())
    assert found(slot(day, hour), timetable, purpose="reserve") == expected


@pytest.mark.parametrize(
    ("days_later", "at", "expected"),
    [
        (0, None, "flight.within_48h"),
        (1, None, "flight.within_48h"),
        (2, None, "flight.within_48h"),
        (3, None, "flight.within_72h"),
        (4, None, None),
        (2, time(10, 44), "flight.within_48h"),
        (2, time(10, 45), "flight.within_72h"),
        (3, time(10, 44), "flight.within_72h"),
        (3, time(10, 45), None),
        (0, time(9), None),
        (0, time(12), "flight.within_48h"),
        (-1, None, None),
    ],
)
def test_S29_flight_inside_48_hours_needs_a_decision_inside_72_warns(
    days_later: int, at: time | None, expected: str | None
) -> None:
    flights = (Flight(on=TUESDAY + days_later * DAY, at=at),)
    severity = {"flight.within_48h": "decide", "flight.within_72h": "warn"}
    timetable = with_patient(flights=flights)
    assert found(slot(TUESDAY), timetable) == ({expected: severity[expected]} if expected else {})


def test_S29_better_days_are_told() -> None:
    timetable = with_patient(flights=(Flight(on=date(2026, 3, 12)),))
    params = only(slot(date(2026, 3, 10)), timetable).params
    assert (params["before"], params["after"]) == (date(2026, 3, 8), date(2026, 3, 13))


def test_S29_between_two_flights_no_day_is_called_better_that_is_not() -> None:
    flights = tuple(Flight(on=date(2026, 3, 3) + number * 3 * DAY) for number in range(4))
    params = only(slot(date(2026, 3, 5)), with_patient(flights=flights)).params
    assert (params["before"], params["after"]) == (None, date(2026, 3, 13))


def test_S29_72_hours_over_the_spring_change_are_real_hours() -> None:
    timetable = clinic.clinic()
    saturday = date(2026, 3, 7)
    open_all_week = {
        site: replace(facts, hours=clinic.week(days=range(7)))
        for site, facts in timetable.sites.items()
    }
    staff = {
        number: replace(facts, hours={clinic.MIAMI: clinic.week(days=range(7))})
        for number, facts in timetable.providers.items()
    }
    timetable = replace(timetable, sites=open_all_week, providers=staff)
    taken = slot(saturday, 13, 15)  # ends at 14:00
    tuesday = date(2026, 3, 10)
    codes = [
        found(taken, with_patient(timetable, flights=(Flight(on=tuesday, at=at),)))
        for at in (time(14, 59), time(15))
    ]
    assert codes == [{"flight.within_72h": "warn"}, {}]


def test_the_hours_before_a_flight_are_the_clinics_to_set() -> None:
    rules = (rule("flight.within_72h", 24, "info"), rule("flight.within_48h", 24, "warn"))
    timetable = with_patient(clinic.clinic(rules=rules), flights=(Flight(on=TUESDAY + 2 * DAY),))
    assert found(slot(TUESDAY), timetable) == {}
    timetable = with_patient(clinic.clinic(rules=rules), flights=(Flight(on=TUESDAY + DAY),))
    assert found(slot(TUESDAY), timetable) == {"flight.within_48h": "warn"}


@pytest.mark.parametrize(
    ("days_later", "expected"),
    [(-1, {}), (0, {"event.within_72h": "warn"}), (3, {"event.within_72h": "warn"}), (4, {})],
)
def test_S30_an_event_inside_72_hours_warns(days_later: int, expected: dict[str, str]) -> None:
    timetable = with_patient(events=_days(TUESDAY + days_later * DAY, reason="race"))
    assert found(slot(TUESDAY), timetable) == expected


def test_S30_the_longest_of_the_hours_to_heed_is_the_window() -> None:
    rules = tuple(
        rule(f"aftercare.{what}", 24) for what in ("exercise", "sun", "hot_bath", "hot_tub")
    )
    timetable = clinic.clinic(rules=(*rules, rule("aftercare.sauna", 48)))
    for days, expected in ((2, {"event.within_72h": "warn"}), (3, {})):
        facts = with_patient(timetable, events=_days(TUESDAY + days * DAY))
        assert found(slot(TUESDAY), facts) == expected


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (_days(TUESDAY), {"patient.away": "warn"}),
        (_days(TUESDAY - DAY, TUESDAY + DAY), {"patient.away": "warn"}),
        (_days(TUESDAY + DAY), {}),
        (_days(TUESDAY, starts=time(11, 5), ends=time(12)), {}),
        (_days(TUESDAY, starts=time(11), ends=time(12)), {"patient.away": "warn"}),
    ],
)
def test_who_is_on_a_trip_cannot_come(
    away: tuple[AbsentDays, ...], expected: dict[str, str]
) -> None:
    assert found(slot(TUESDAY), with_patient(away=away)) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (TUESDAY, TUESDAY, {}),
        (TUESDAY + DAY, None, {"patient.stay": "warn"}),
        (None, TUESDAY - DAY, {"patient.stay": "warn"}),
    ],
)
def test_a_snowbird_is_here_in_season(
    first: date | None, last: date | None, expected: dict[str, str]
) -> None:
    assert found(slot(TUESDAY), with_patient(stay_from=first, stay_until=last)) == expected
    assert found(_consult(), with_patient(stay_from=first, stay_until=last)) == expected


def test_dates_of_a_stay_that_contradict_each_other_warn_once() -> None:
    timetable = with_patient(stay_from=TUESDAY + DAY, stay_until=TUESDAY - DAY)
    assert only(slot(TUESDAY), timetable).params["stay_from"] == TUESDAY + DAY


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {"consent.treatment": "decide"}),
        ({"consents": frozenset({"photo"})}, {"consent.treatment": "decide"}),
        ({"consents": frozenset({"treatment"})}, {}),
        (
            {"consents": frozenset({"treatment"}), "is_screened": False},
            {"screening.missing": "decide"},
        ),
        (
            {"consents": frozenset({"treatment"}), "is_pregnant": True},
            {"patient.paused": "block"},
        ),
    ],
)
def test_a_session_starts_with_consent_and_screening(
    facts: dict[str, Any], expected: dict[str, str]
) -> None:
    now = clinic.clinic(now=clinic.at(TUESDAY, 10, 3))
    assert found(slot(TUESDAY), with_patient(now, **facts), purpose="start") == expected


def test_a_consult_starts_without_asking() -> None:
    assert found(_consult(), with_patient(is_screened=False), purpose="start") == {}


def test_a_caller_without_a_name_is_asked_nothing() -> None:
    assert found(slot(TUESDAY, patient_id=None)) == {}


def test_other_services_ask_nothing_about_health() -> None:
    timetable = with_patient(birth_date=None, consults=(), flags=frozenset({"screening.clots"}))
    assert found(slot(TUESDAY, service_id=clinic.TOXIN), timetable) == {}


def test_a_severity_set_by_the_clinic_is_honoured() -> None:
    timetable = clinic.clinic(rules=(rule("patient.age", 21, "decide"),))
    timetable = with_patient(timetable, birth_date=date(2006, 1, 1))
    assert found(slot(TUESDAY), timetable) == {"patient.age": "decide"}


def test_a_held_consult_that_was_missed_is_not_waited_for() -> None:
    timetable = clinic.clinic(
        busy=(busy(_consult(date(2026, 3, 2), hour=9), status=Status.NO_SHOW),)
    )
    timetable = with_patient(timetable, consults=())
    assert found(slot(date(2026, 3, 2), 10), timetable, purpose="reserve") == {}


def test_every_rule_about_the_patient_has_its_spells() -> None:
    """Without them a search could not ask it: a new rule is told so here."""
    asked = {
        *patient.ANY_KIND,
        *patient.CONSULT,
        *patient.SESSION,
        *spacing.RULES,
        *structure.RULES,
    }
    assert set(spells.SPELLS) == asked - rules.PLACES - rules.DISTANCES
