"""Truth tables of the rules about sites, providers, rooms and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from planner.scheduling import rules
from planner.scheduling.timetable import (
    AbsentDays,
    Conflict,
    RoomFacts,
    Severity,
    SiteFacts,
    Status,
    Timetable,
)
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
    REVIEW,
    ROOM,
    ROOM_2,
    SESSION,
    busy,
    found,
    slot,
)

TUESDAY = date(2026, 3, 3)
SUNDAY = date(2026, 3, 8)


def _with(timetable: Timetable | None = None, **changes: Any) -> Timetable:
    """The clinic, Miami, the MD or the first room changed: ``site_closures=…``, ``room_outages=…``."""
    timetable = timetable or clinic.clinic()
    kinds = {"site": ("sites", MIAMI), "provider": ("providers", MD), "room": ("rooms", ROOM)}
    for name, value in changes.items():
        kind, attribute = name.split("_", 1)
        field, key = kinds[kind]
        rows = dict(getattr(timetable, field))
        rows[key] = replace(rows[key], **{attribute: value})
        values: dict[str, Any] = {field: rows}
        timetable = replace(timetable, **values)
    return timetable


def _absent(starts: time | None = None, ends: time | None = None) -> tuple[AbsentDays, ...]:
    return (
        AbsentDays(from_date=TUESDAY, until_date=TUESDAY, starts=starts, ends=ends, reason="storm"),
    )


def test_nothing_stands_against_a_good_slot() -> None:
    assert rules.conflicts(slot(TUESDAY), clinic.clinic()) == ()


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (8, 45, {"site.outside_hours": "block", "provider.outside_hours": "block"}),
        (9, 0, {}),
        (17, 15, {}),
        (17, 30, {"site.outside_hours": "block", "provider.outside_hours": "block"}),
    ],
)
def test_all_of_a_visit_lies_in_the_opening_hours(
    hour: int, minute: int, expected: dict[str, str]
) -> None:
    assert found(slot(TUESDAY, hour, minute)) == expected


def test_S44_a_closed_day_says_so_with_its_days() -> None:
    timetable = _with(site_closures=_absent())
    assert clinic.only(slot(TUESDAY), timetable) == Conflict(
        code="site.closed",
        severity=Severity.BLOCK,
        params={
            "site_id": MIAMI,
            "from_date": TUESDAY,
            "until_date": TUESDAY,
            "reason": "storm",
        },
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"site_retired_from": TUESDAY}, "site.retired"),
        ({"provider_retired_from": TUESDAY}, "provider.retired"),
        ({"provider_absences": _absent()}, "provider.absent"),
        ({"provider_absences": _absent(time(10, 30), time(12))}, "provider.absent"),
        ({"provider_breaks": {MIAMI: clinic.week(time(10), time(11))}}, "provider.outside_hours"),
        ({"provider_hours": {AVENTURA: clinic.week()}}, "provider.outside_hours"),
        ({"provider_treats": frozenset()}, "provider.not_capable"),
        ({"room_outages": _absent()}, "room.out_of_service"),
        ({"room_retired_from": TUESDAY}, "room.retired"),
        ({"room_service_ids": frozenset({CONSULT})}, "room.not_capable"),
        ({"room_site_id": AVENTURA}, "room.other_site"),
    ],
)
def test_each_of_these_blocks_alone(changes: dict[str, Any], code: str) -> None:
    assert found(slot(TUESDAY), _with(**changes)) == {code: "block"}


@pytest.mark.parametrize(
    "changes",
    [
        {"site_retired_from": date(2026, 3, 4)},
        {"provider_retired_from": date(2026, 3, 4)},
        {"room_retired_from": date(2026, 3, 4)},
        {"provider_absences": _absent(time(10, 45), time(12))},
        {"room_outages": _absent(time(10, 55), time(12))},
        {"site_closures": _absent(time(8), time(10))},
    ],
)
def test_what_only_touches_does_not_block(changes: dict[str, Any]) -> None:
    assert found(slot(TUESDAY), _with(**changes)) == {}


def test_a_retired_service_is_not_booked() -> None:
    timetable = clinic.clinic()
    services = dict(timetable.services)
    services[SESSION] = replace(services[SESSION], retired_from=TUESDAY)
    assert found(slot(TUESDAY), replace(timetable, services=services)) == {
        "service.retired": "block"
    }


@pytest.mark.parametrize(
    ("service", "provider", "site", "room", "expected"),
    [
        (CONSULT, MD, MIAMI, CONSULT_ROOM, {}),
        (CONSULT, NURSE, MIAMI, CONSULT_ROOM, {"provider.not_capable": "block"}),
        (REVIEW, NURSE, MIAMI, ROOM, {}),
        (REVIEW, MD, AVENTURA, AVENTURA_ROOM, {}),
        (SESSION, NURSE, MIAMI, ROOM, {}),
    ],
)
def test_who_may_is_asked_of_the_matrix_by_kind(
    service: int, provider: int, site: int, room: int, expected: dict[str, str]
) -> None:
    taken = slot(TUESDAY, service_id=service, provider_id=provider, site_id=site, room_id=room)
    assert found(taken) == expected


def test_who_examines_at_a_site_may_review_there_without_treating() -> None:
    timetable = _with(provider_treats=frozenset())
    taken = slot(TUESDAY, service_id=REVIEW)
    assert found(taken, timetable) == {}


@pytest.mark.parametrize(
    ("hour", "minute", "codes"),
    [
        (9, 15, set()),
        (9, 30, {"room.busy"}),
        (10, 0, {"provider.busy", "room.busy", "patient.busy"}),
        (10, 45, {"room.busy", "patient.busy"}),
        (11, 0, {"patient.busy"}),
        (11, 15, set()),
    ],
)
def test_S24_an_appointment_has_three_clocks(hour: int, minute: int, codes: set[str]) -> None:
    timetable = clinic.clinic(busy=(busy(slot(TUESDAY)),))
    other = slot(TUESDAY, hour, minute, minutes=30, service_id=REVIEW)
    assert set(found(other, timetable)) == codes


@pytest.mark.parametrize("step", [1, -1])
def test_of_two_bookings_in_the_way_the_earlier_is_named_in_whatever_order_rows_come(
    step: int,
) -> None:
    taken = [
        busy(slot(TUESDAY, hour, patient_id=OTHER_PATIENT, minutes=30), hour) for hour in (10, 11)
    ]
    wanted = slot(TUESDAY, 10, 15, minutes=60)
    told = rules.conflicts(wanted, clinic.clinic(busy=tuple(taken[::step])))
    named = {
        c.code: c.params["starts_at"] for c in told if c.code in ("provider.busy", "room.busy")
    }
    assert named == dict.fromkeys(("provider.busy", "room.busy"), clinic.at(TUESDAY, 10))


def test_only_the_actors_that_are_shared_collide() -> None:
    timetable = clinic.clinic(busy=(busy(slot(TUESDAY)),))
    other = {"provider_id": NURSE, "room_id": ROOM_2, "patient_id": OTHER_PATIENT}
    codes = [set(found(slot(TUESDAY, **{**other, key: mine}), timetable)) for key, mine in (
        ("provider_id", MD), ("room_id", ROOM), ("patient_id", PATIENT))]  # fmt: skip
    assert codes[:2] == [{"provider.busy"}, {"room.busy"}]
    assert codes[2] == {"patient.busy", "gap.below_floor"}


@pytest.mark.parametrize(
    ("status", "minutes_left", "is_taken"),
    [
        (Status.HELD, 1, True),
        (Status.HELD, 0, False),
        (Status.HELD, -1, False),
        (Status.RESERVED, 0, False),
        (Status.BOOKED, -1, True),
        (Status.CANCELLED, None, False),
        (Status.NO_SHOW, None, False),
        (Status.RELEASED, None, False),
        (Status.ARRIVED, None, True),
        (Status.FULFILLED, None, True),
    ],
)
def test_a_hold_counts_until_it_runs_out(
    status: Status, minutes_left: int | None, is_taken: bool
) -> None:
    until = None if minutes_left is None else clinic.NOW + timedelta(minutes=minutes_left)
    other = slot(TUESDAY, patient_id=OTHER_PATIENT)
    timetable = clinic.clinic(busy=(busy(other, status=status, expires_at=until),))
    assert ("provider.busy" in found(slot(TUESDAY), timetable)) is is_taken


def test_what_a_change_moves_away_is_not_in_its_way() -> None:
    timetable = clinic.clinic(busy=(busy(slot(TUESDAY, service_id=REVIEW), 7),))
    taken = slot(TUESDAY, service_id=REVIEW)
    assert found(taken, timetable, ignoring=frozenset({7})) == {}


@pytest.mark.parametrize(("minute", "codes"), [(30, {"provider.travel_minutes"}), (45, set())])
def test_a_provider_needs_an_hour_between_the_sites(minute: int, codes: set[str]) -> None:
    here = slot(TUESDAY, 10, patient_id=OTHER_PATIENT)
    there = slot(TUESDAY, 11, minute, site_id=AVENTURA, room_id=AVENTURA_ROOM)
    assert set(found(there, clinic.clinic(busy=(busy(here),)))) == codes


def test_at_one_site_no_way_is_needed() -> None:
    here = slot(TUESDAY, 10, patient_id=OTHER_PATIENT)
    assert found(slot(TUESDAY, 10, 45, room_id=ROOM_2), clinic.clinic(busy=(busy(here),))) == {}


def test_the_way_of_the_patient_only_warns_and_can_be_set() -> None:
    here = slot(TUESDAY, 10, service_id=REVIEW, minutes=45)
    there = slot(
        TUESDAY, 11, service_id=REVIEW, site_id=AVENTURA, room_id=AVENTURA_ROOM, provider_id=NURSE
    )
    assert found(there, clinic.clinic(busy=(busy(here),))) == {"patient.travel_minutes": "warn"}
    nearer = clinic.clinic(busy=(busy(here),), rules=(clinic.rule("patient.travel_minutes", 15),))
    assert found(there, nearer) == {}


@pytest.mark.parametrize(
    ("grid", "minute", "expected"),
    [(15, 15, {}), (15, 10, {"slot.off_grid": "block"}), (30, 15, {"slot.off_grid": "block"}),
     (10, 10, {}), (15, 7, {"slot.off_grid": "block", "slot.minutes_step": "block"})],
)  # fmt: skip
def test_starts_lie_on_the_grid_from_local_midnight(
    grid: int, minute: int, expected: dict[str, str]
) -> None:
    assert found(slot(TUESDAY, 10, minute), _with(site_grid_minutes=grid)) == expected


def test_the_grid_is_that_of_the_clocks_on_the_day_they_change() -> None:
    timetable = _with(
        site_hours=clinic.week(days=range(7)), provider_hours={MIAMI: clinic.week(days=range(7))}
    )
    assert found(slot(SUNDAY, 9), timetable) == {}


def test_a_length_is_a_multiple_of_five_minutes() -> None:
    assert found(slot(TUESDAY, minutes=32)) == {"slot.minutes_step": "block"}


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (25, {"session.minutes_range": "warn"}),
        (30, {}),
        (60, {}),
        (65, {"session.minutes_range": "warn"}),
    ],
)
def test_S22_a_session_takes_30_to_60_minutes(minutes: int, expected: dict[str, str]) -> None:
    assert found(slot(TUESDAY, minutes=minutes)) == expected


@pytest.mark.parametrize(
    ("hour", "purpose", "expected"),
    [
        (9, "book", {"slot.past": "block"}),
        (10, "book", {}),
        (9, "hold", {"slot.past": "block"}),
        (9, "here_now", {}),
        (9, "audit", {}),
    ],
)
def test_nothing_is_booked_in_the_past_but_a_walk_in(
    hour: int, purpose: str, expected: dict[str, str]
) -> None:
    timetable = clinic.clinic(now=clinic.at(TUESDAY, 10))
    assert found(slot(TUESDAY, hour), timetable, purpose=purpose) == expected


def test_a_walk_in_starts_off_the_grid_but_in_whole_steps() -> None:
    assert found(slot(TUESDAY, 10, 5), purpose="here_now") == {}
    assert found(slot(TUESDAY, 10, 7), purpose="here_now") == {"slot.minutes_step": "block"}


@pytest.mark.parametrize(("minutes", "expected"), [(60, {}), (61, {"notice.minutes": "warn"})])
def test_notice_is_asked_where_the_clinic_sets_it(minutes: int, expected: dict[str, str]) -> None:
    timetable = clinic.clinic(
        now=clinic.at(TUESDAY, 9), rules=(clinic.rule("notice.minutes", minutes, "warn"),)
    )
    assert found(slot(TUESDAY, 10), timetable) == expected


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("site_id", "site"),
        ("room_id", "room"),
        ("provider_id", "provider"),
        ("service_id", "service"),
        ("patient_id", "patient"),
    ],
)
def test_what_is_not_known_is_refused_before_anything_is_asked(field: str, what: str) -> None:
    unknown: dict[str, Any] = {field: 999}
    taken = slot(TUESDAY)._replace(**unknown)
    assert clinic.only(taken).params == {"what": what, "id": 999}


def test_beyond_the_horizon_nothing_is_known_and_so_nothing_booked() -> None:
    assert found(slot(date(2028, 3, 7))) == {"slot.outside_horizon": "block"}


def test_every_reason_is_given_at_once_the_gravest_first() -> None:
    timetable = _with(provider_treats=frozenset(), room_service_ids=frozenset())
    conflicts = rules.conflicts(slot(TUESDAY, 10, 10, minutes=65), timetable)
    assert [conflict.code for conflict in conflicts] == [
        "slot.off_grid",
        "provider.not_capable",
        "room.not_capable",
        "session.minutes_range",
    ]


def test_a_purpose_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no purpose"):
        rules.conflicts(slot(TUESDAY), clinic.clinic(), purpose="peek")


def test_a_closed_site_of_another_zone_is_closed_on_its_own_days() -> None:
    denver = SiteFacts(
        zone="America/Denver", grid_minutes=15, hours=clinic.week(time(0), time(23, 45), range(7)),
        closures=(AbsentDays(from_date=TUESDAY, until_date=TUESDAY),),
    )  # fmt: skip
    timetable = clinic.clinic()
    provider = replace(
        timetable.providers[MD], hours={3: clinic.week(time(0), time(23, 45), range(7))},
        treats=frozenset({(SESSION, 3)}),
    )  # fmt: skip
    timetable = replace(
        timetable,
        sites={3: denver},
        rooms={3: RoomFacts(site_id=3, service_ids=frozenset({SESSION}))},
        providers={MD: provider},
    )
    # Half past midnight in Miami is still Monday evening in Denver.
    late = slot(TUESDAY, 0, 30)._replace(site_id=3, room_id=3)
    assert found(late, timetable) == {}
    assert found(slot(TUESDAY, 9)._replace(site_id=3, room_id=3), timetable) == {
        "site.closed": "block"
    }


@pytest.mark.parametrize(
    ("acknowledged", "decided", "left"),
    [
        (set(), set(), {"a.block", "a.decide", "a.warn"}),
        ({"a.warn"}, set(), {"a.block", "a.decide"}),
        ({"a.warn", "a.decide", "a.block"}, set(), {"a.block", "a.decide"}),
        (set(), {"a.decide", "a.block"}, {"a.block", "a.warn"}),
        (set(), {"a.decide", "a.warn"}, {"a.block"}),
    ],
)
def test_what_stands_is_blocks_open_decisions_and_warnings_not_clicked(
    acknowledged: set[str], decided: set[str], left: set[str]
) -> None:
    conflicts = [Conflict(code=f"a.{one.value}", severity=one) for one in Severity]
    standing = rules.standing(
        conflicts, acknowledged=frozenset(acknowledged), decided=frozenset(decided)
    )
    assert {conflict.code for conflict in standing} == left
