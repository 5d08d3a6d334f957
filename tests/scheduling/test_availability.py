"""Free starts: what is offered, in what order, and that it is never refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.scheduling import availability, hours, rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import AbsentDays, Flight, Severity, Slot, Status, Timetable
from tests.scheduling import clinic
from tests.scheduling.clinic import (
    AVENTURA,
    AVENTURA_ROOM,
    CONSULT,
    CONSULT_ROOM,
    MD,
    MIAMI,
    NURSE,
    OTHER_PATIENT,
    PATIENT,
    ROOM,
    ROOM_2,
    SESSION,
    TOXIN,
    ZONE,
    busy,
    rule,
    session,
    slot,
    with_patient,
)

TUESDAY = date(2026, 3, 3)
DAY = timedelta(days=1)


def _free(
    timetable: Timetable, first: date = TUESDAY, days: int = 1, **rest: object
) -> tuple[Slot, ...]:
    interval = Interval(clinic.at(first, 0), clinic.at(first + days * DAY, 0))
    values = {"service_id": SESSION, "interval": interval, **rest}
    return availability.free_slots(timetable, **values)  # type: ignore[arg-type]


def _starts(found: tuple[Slot, ...]) -> list[str]:
    return [f"{hours.local(slot.starts_at, ZONE):%H:%M}" for slot in found]


def test_S24_a_slot_has_the_three_clocks_of_its_service() -> None:
    taken = slot(TUESDAY)
    ends = [
        f"{hours.local(at, ZONE):%H:%M}"
        for at in (taken.room_from, taken.starts_at, taken.ends_at, taken.room_until, taken.patient_until)
    ]  # fmt: skip
    assert ends == ["10:00", "10:00", "10:45", "10:55", "11:05"]


def test_a_service_without_minutes_of_its_own_takes_those_of_the_rules() -> None:
    rules = (
        clinic.rule("room.preparation_minutes", 5),
        clinic.rule("room.turnover_minutes", 15, scope="site", scope_id=MIAMI),
    )
    taken = availability.slot_at(
        clinic.clinic(rules=rules), service_id=CONSULT, site_id=MIAMI, provider_id=MD,
        room_id=CONSULT_ROOM, starts_at=clinic.at(TUESDAY),
    )  # fmt: skip
    assert taken.starts_at - taken.room_from == timedelta(minutes=5)
    assert taken.room_until - taken.ends_at == timedelta(minutes=15)


@pytest.mark.parametrize("minutes", [0, -45, 1441])
def test_a_length_that_cannot_be_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="minutes"):
        slot(TUESDAY, minutes=minutes)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_year_out_of_reach_is_refused_and_not_an_overflow(year: int) -> None:
    starts_at = datetime(year, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="year"):
        availability.slot_at(
            clinic.clinic(), service_id=SESSION, site_id=MIAMI, provider_id=MD, room_id=ROOM,
            starts_at=starts_at,
        )  # fmt: skip


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(availability.NoSuchService):
        slot(TUESDAY, service_id=99)
    with pytest.raises(availability.NoSuchService):
        _free(clinic.clinic(), service_id=99)


def test_the_starts_of_a_day_are_those_of_its_grid() -> None:
    found = _free(clinic.clinic(), service_id=CONSULT, site_ids={MIAMI})
    assert (
        _starts(found)
        == [f"{hour:02}:{minute:02}" for hour in range(9, 18) for minute in (0, 15, 30, 45)][:-1]
    )


def test_each_start_comes_once_per_site_and_provider_the_earliest_first() -> None:
    found = _free(clinic.clinic())
    keys = [(slot.starts_at, slot.site_id, slot.provider_id) for slot in found]
    assert keys == sorted(set(keys))
    assert {key[1:] for key in keys} == {
        (site, provider) for site in (MIAMI, AVENTURA) for provider in (MD, NURSE)
    }


def test_the_tightest_room_is_taken_so_that_the_others_stay_free() -> None:
    found = _free(clinic.clinic(), site_ids={MIAMI}, provider_ids={MD}, limit=1)
    assert [slot.room_id for slot in found] == [ROOM_2]


def test_the_limit_cuts_the_earliest_off() -> None:
    timetable = clinic.clinic()
    assert _free(timetable, days=9, limit=7) == _free(timetable, days=9)[:7]
    assert _free(timetable, limit=0) == ()


def test_unknown_sites_and_providers_are_passed_over() -> None:
    assert _free(clinic.clinic(), site_ids={99}) == ()
    assert _free(clinic.clinic(), provider_ids={99, MD}, limit=1)[0].provider_id == MD


def test_outside_the_horizon_nothing_is_free() -> None:
    assert _free(clinic.clinic(), first=date(2030, 1, 1)) == ()


def test_a_start_may_be_taken_right_after_a_turnover() -> None:
    timetable = clinic.clinic(
        busy=(busy(slot(TUESDAY, 10, patient_id=OTHER_PATIENT, room_id=ROOM)),),
        rooms={ROOM: clinic.clinic().rooms[ROOM]},
    )
    found = _free(timetable, provider_ids={NURSE}, site_ids={MIAMI})
    assert _starts(found)[:3] == ["09:00", "11:00", "11:15"]


def test_S19_nothing_is_offered_before_the_patient_is_eligible() -> None:
    timetable = with_patient(eligible_from=TUESDAY + 2 * DAY)
    found = _free(timetable, days=4, patient_id=PATIENT)
    assert {hours.day_of(slot.starts_at, ZONE) for slot in found} == {
        TUESDAY + 2 * DAY,
        TUESDAY + 3 * DAY,
    }


def test_S29_days_before_a_flight_and_trips_are_never_offered() -> None:
    timetable = with_patient(
        flights=(Flight(on=TUESDAY + 4 * DAY),),
        away=(AbsentDays(from_date=TUESDAY, until_date=TUESDAY),),
    )
    found = _free(timetable, days=4, patient_id=PATIENT)
    assert found == ()


def test_the_way_from_the_other_site_counts_where_a_site_has_rules_of_its_own() -> None:
    elsewhere = slot(
        TUESDAY, service_id=TOXIN, site_id=AVENTURA, room_id=AVENTURA_ROOM, provider_id=NURSE
    )
    of_site = rule("notice.minutes", 0, scope="site", scope_id=MIAMI)
    found = [
        _free(clinic.clinic(busy=(busy(elsewhere),), rules=own), patient_id=PATIENT)
        for own in ((), (of_site,))
    ]
    assert found[1] == found[0]


def test_for_a_session_of_a_course_only_the_window_is_offered() -> None:
    asked = clinic.order(session(1, done_on=TUESDAY), session(2))
    found = _free(clinic.clinic(), days=30, patient_id=PATIENT, number=2, order=asked)
    days = sorted({hours.day_of(slot.starts_at, ZONE) for slot in found})
    assert (days[0], days[-1]) == (TUESDAY + 14 * DAY, TUESDAY + 21 * DAY)


def test_a_hold_that_has_run_out_is_offered_again() -> None:
    held = busy(slot(TUESDAY, patient_id=OTHER_PATIENT), status=Status.HELD, expires_at=clinic.NOW)
    timetable = clinic.clinic(busy=(held,))
    assert _free(timetable) == _free(clinic.clinic())


def test_nearest_offers_the_same_provider_and_site_first() -> None:
    gone = slot(TUESDAY, 10, patient_id=OTHER_PATIENT)
    timetable = clinic.clinic(busy=(busy(gone),))
    found = availability.nearest(timetable, gone._replace(patient_id=PATIENT), limit=3)
    assert [(one.provider_id, one.site_id) for one in found] == [
        (NURSE, MIAMI),
        (MD, MIAMI),
        (NURSE, MIAMI),
    ]


def test_nearest_reaches_further_when_the_days_around_are_full() -> None:
    week_off = AbsentDays(from_date=TUESDAY - DAY, until_date=TUESDAY + 9 * DAY)
    sites = {
        number: replace(site, closures=(week_off,))
        for number, site in clinic.clinic().sites.items()
    }
    (found,) = availability.nearest(clinic.clinic(sites=sites), slot(TUESDAY), limit=1)
    assert hours.day_of(found.starts_at, ZONE) == TUESDAY + 10 * DAY


def test_why_not_gives_every_reason() -> None:
    timetable = clinic.clinic(busy=(busy(slot(TUESDAY, service_id=TOXIN)),))
    found = availability.why_not(slot(TUESDAY, minutes=65), timetable)
    assert [conflict.code for conflict in found] == [
        "provider.busy",
        "room.busy",
        "patient.busy",
        "session.minutes_range",
    ]


# Small random clinics around the day the clocks go on, with lunch, closures and two sites.

_weekend = date(2026, 3, 6)


@st.composite
def clinics(draw: st.DrawFn) -> Timetable:
    breaks = draw(st.booleans())
    grid = draw(st.sampled_from([10, 15, 30]))
    timetable = clinic.clinic(
        now=clinic.at(date(2026, 3, 6), 11),
        horizon=Interval(clinic.at(_weekend, 0), clinic.at(_weekend + 5 * DAY, 0)),
    )
    week = clinic.week(time(9), time(draw(st.integers(12, 15))), range(7))
    sites = {
        number: replace(site, hours=week, grid_minutes=grid, closures=draw(_absences))
        for number, site in timetable.sites.items()
    }
    providers = {
        number: replace(
            provider,
            hours={MIAMI: draw(_weeks), AVENTURA: draw(_weeks)},
            breaks={MIAMI: clinic.week(time(11), time(12), range(7))} if breaks else {},
            absences=draw(_absences),
        )
        for number, provider in timetable.providers.items()
    }
    timetable = replace(timetable, sites=sites, providers=providers)
    rooms = {
        number: replace(room, outages=draw(_absences)) for number, room in timetable.rooms.items()
    }
    facts = clinic.patient(
        away=draw(_absences), eligible_from=draw(st.sampled_from([None, _weekend + DAY]))
    )
    timetable = replace(timetable, rooms=rooms, patients={PATIENT: facts, OTHER_PATIENT: facts})
    taken = [busy(one, number) for number, one in enumerate(draw(st.lists(_slots, max_size=8)))]
    return replace(timetable, busy=tuple(taken))


_days = st.integers(0, 4).map(lambda number: _weekend + number * DAY)
_weeks = st.tuples(st.integers(8, 11), st.integers(12, 16)).map(
    lambda ends: clinic.week(time(ends[0]), time(ends[1]), range(7))
)
_absences = st.lists(
    st.builds(
        lambda day, whole: AbsentDays(
            from_date=day,
            until_date=day,
            starts=None if whole else time(10),
            ends=None if whole else time(11, 10),
        ),
        _days,
        st.booleans(),
    ),
    max_size=1,
).map(tuple)
_slots = st.builds(
    lambda day, hour, minute, room, provider, patient, minutes: slot(
        day, hour, minute, room_id=room, provider_id=provider, patient_id=patient, minutes=minutes,
        site_id=AVENTURA if room == AVENTURA_ROOM else MIAMI,
    ),
    _days,
    st.integers(9, 14),
    st.sampled_from([0, 5, 15, 30]),
    st.sampled_from([ROOM, ROOM_2, AVENTURA_ROOM]),
    st.sampled_from([MD, NURSE]),
    st.sampled_from([PATIENT, OTHER_PATIENT, 77]),
    st.sampled_from([30, 45]),
)  # fmt: skip


def _brute_force(
    timetable: Timetable, minutes: int, patient_id: int | None
) -> set[tuple[datetime, int, int]]:
    return {
        (one.starts_at, one.site_id, one.provider_id)
        for one in _every_slot(timetable, minutes, patient_id)
        if rules.worst(rules.conflicts(one, timetable)) is Severity.INFO
    }


def _every_slot(timetable: Timetable, minutes: int, patient_id: int | None) -> Iterator[Slot]:
    starts_at = timetable.horizon.starts_at
    while starts_at < timetable.horizon.ends_at:
        local = hours.local(starts_at, ZONE)
        for room_id, room in timetable.rooms.items():
            for provider_id in timetable.providers if 8 <= local.hour < 17 else ():
                yield availability.slot_at(
                    timetable, service_id=SESSION, site_id=room.site_id, provider_id=provider_id,
                    room_id=room_id, starts_at=starts_at, minutes=minutes, patient_id=patient_id,
                )  # fmt: skip
        starts_at += timedelta(minutes=timetable.sites[MIAMI].grid_minutes)


@settings(max_examples=25, deadline=None)
@given(clinics(), st.sampled_from([30, 45]), st.sampled_from([None, PATIENT]))
def test_free_slots_are_exactly_those_the_rules_allow(
    timetable: Timetable, minutes: int, patient_id: int | None
) -> None:
    found = availability.free_slots(
        timetable,
        service_id=SESSION,
        interval=timetable.horizon,
        minutes=minutes,
        patient_id=patient_id,
    )
    keys = [(one.starts_at, one.site_id, one.provider_id) for one in found]
    assert set(keys) == _brute_force(timetable, minutes, patient_id)
    assert len(keys) == len(set(keys))


@settings(max_examples=40, deadline=None)
@given(clinics())
def test_what_is_offered_is_never_refused(timetable: Timetable) -> None:
    found = availability.free_slots(
        timetable, service_id=SESSION, interval=timetable.horizon, patient_id=PATIENT
    )
    assert {rules.conflicts(one, timetable) for one in found} <= {()}


def test_four_weeks_of_a_busy_clinic_are_searched_quickly() -> None:
    """Goal 150 ms; the bound is generous, because a test machine may be busy."""
    taken = [
        busy(
            slot(TUESDAY + day * DAY, hour, provider_id=provider, room_id=room, patient_id=77),
            number,
        )
        for number, (day, hour, provider, room) in enumerate(
            (day, hour, provider, room)
            for day in range(28)
            for hour in range(9, 17)
            for provider, room in ((MD, ROOM), (NURSE, ROOM_2))
        )
    ]
    timetable = clinic.clinic(busy=tuple(taken))
    started = perf_counter()
    _free(timetable, days=28, patient_id=PATIENT)
    assert perf_counter() - started < 1.5
