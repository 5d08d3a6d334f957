"""What contradicts itself in a set-up is said once, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from planner.scheduling import catalogue_checks
from planner.scheduling.catalogue_checks import Finding
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    Kind,
    ProviderFacts,
    RoomFacts,
    ServiceFacts,
    SiteFacts,
    Timetable,
    WeeklyHours,
)

TODAY = date(2027, 3, 1)  # a Monday
MIAMI, AVENTURA = 1, 2
ROOM, OTHER_ROOM = 10, 11
CONSULT, SCLERO = 20, 21
ANA = 30


def weekly(weekday: int, starts: int, ends: int, **validity: Any) -> WeeklyHours:
    return WeeklyHours(weekday=weekday, starts=time(starts), ends=time(ends), **validity)


MONDAYS = (weekly(0, 9, 18),)


def clinic(**changes: Any) -> Timetable:
    """A clinic without faults: one site, one room, two services, one provider on Mondays."""
    now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    sound = {
        "sites": {MIAMI: SiteFacts(zone="America/New_York", grid_minutes=15, hours=MONDAYS)},
        "rooms": {ROOM: RoomFacts(site_id=MIAMI, service_ids=frozenset({CONSULT, SCLERO}))},
        "services": {
            CONSULT: ServiceFacts(kind=Kind.CONSULT, minutes=30),
            SCLERO: ServiceFacts(kind=Kind.SESSION, minutes=45),
        },
        "providers": {ANA: provider()},
    }
    horizon = Interval(now, datetime(2027, 3, 2, 12, tzinfo=UTC))
    return Timetable(horizon=horizon, now=now, **{**sound, **changes})


def provider(**changes: Any) -> ProviderFacts:
    sound: dict[str, Any] = {
        "hours": {MIAMI: (weekly(0, 9, 17),)},
        "breaks": {MIAMI: (weekly(0, 12, 13),)},
        "treats": frozenset({(SCLERO, MIAMI)}),
        "examines": frozenset({(CONSULT, MIAMI)}),
    }
    return ProviderFacts(**{**sound, **changes})


def codes(timetable: Timetable) -> list[str]:
    return [found.code for found in catalogue_checks.findings(timetable, today=TODAY)]


def test_a_sound_clinic_has_nothing_to_warn_of() -> None:
    assert catalogue_checks.findings(clinic(), today=TODAY) == ()


def test_an_empty_clinic_has_nothing_to_warn_of() -> None:
    empty = clinic(sites={}, rooms={}, services={}, providers={})
    assert catalogue_checks.findings(empty, today=TODAY) == ()


SITE = clinic().sites[MIAMI]
ELSEWHERE = {MIAMI: SITE, AVENTURA: SITE}
AT_BOTH = provider(
    hours={MIAMI: (weekly(0, 9, 13),), AVENTURA: (weekly(0, 12, 17),)},
    breaks={},
    treats=frozenset({(SCLERO, MIAMI), (SCLERO, AVENTURA)}),
)
TWO_ROOMS = {
    ROOM: RoomFacts(site_id=MIAMI, service_ids=frozenset({CONSULT, SCLERO})),
    OTHER_ROOM: RoomFacts(site_id=AVENTURA, service_ids=frozenset({SCLERO})),
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sites": {MIAMI: replace(SITE, hours=())}}, ["site.no_hours"]),
        (
            {"rooms": {}},
            ["site.no_rooms", "service.no_room", "service.no_room"],
        ),
        (
            {
                "rooms": {
                    **clinic().rooms,
                    OTHER_ROOM: RoomFacts(site_id=MIAMI, service_ids=frozenset()),
                }
            },
            ["room.no_service"],
        ),
        (
            {"providers": {ANA: provider(treats=frozenset())}},
            ["service.nobody"],
        ),
        (
            {"rooms": {ROOM: RoomFacts(site_id=MIAMI, service_ids=frozenset({CONSULT}))}},
            ["service.no_room"],
        ),
        (
            {"providers": {}, "rooms": {}, "sites": {MIAMI: SITE}},
            ["site.no_rooms", "service.nowhere", "service.nowhere"],
        ),
        (
            {"providers": {ANA: provider(), 31: provider(hours={}, breaks={})}},
            ["provider.no_hours"],
        ),
        (
            {
                "providers": {
                    ANA: provider(),
                    31: provider(treats=frozenset(), examines=frozenset()),
                }
            },
            ["provider.no_service"],
        ),
        (
            {"providers": {ANA: provider(hours={MIAMI: (weekly(0, 8, 17),)})}},
            ["hours.outside_opening"],
        ),
        (
            {"providers": {ANA: provider(breaks={MIAMI: (weekly(1, 12, 13),)})}},
            ["hours.break_outside"],
        ),
        (
            {
                "providers": {
                    ANA: provider(
                        hours={MIAMI: (WeeklyHours(weekday=0, starts=time(9), ends=time(9, 25)),)},
                        breaks={},
                    )
                }
            },
            ["hours.too_short"],
        ),
        (
            {"sites": ELSEWHERE, "rooms": TWO_ROOMS, "providers": {ANA: AT_BOTH}},
            ["hours.two_sites"],
        ),
    ],
)
def test_each_contradiction_is_named(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(clinic(**changes)) == expected


def test_two_sites_at_once_says_which_sites_and_from_which_day() -> None:
    faulty = clinic(sites=ELSEWHERE, rooms=TWO_ROOMS, providers={ANA: AT_BOTH})
    assert catalogue_checks.findings(faulty, today=TODAY) == (
        Finding(
            code="hours.two_sites",
            provider_id=ANA,
            site_id=MIAMI,
            other_site_id=AVENTURA,
            day=TODAY,
        ),
    )


def test_hours_that_only_hold_later_are_warned_of_from_then_on() -> None:
    later = weekly(0, 7, 9, valid_from=date(2027, 6, 1))
    faulty = provider(hours={MIAMI: (weekly(0, 9, 17), later)})
    found = catalogue_checks.findings(clinic(providers={ANA: faulty}), today=TODAY)
    assert [(f.code, f.day) for f in found] == [("hours.outside_opening", date(2027, 6, 7))]


def test_hours_that_have_ended_are_not_warned_of() -> None:
    over = weekly(0, 7, 9, valid_until=date(2027, 2, 28))
    past = provider(hours={MIAMI: (weekly(0, 9, 17), over)})
    assert codes(clinic(providers={ANA: past})) == []


def test_what_is_retired_is_not_asked() -> None:
    gone = {
        "sites": {MIAMI: SITE, AVENTURA: replace(SITE, hours=(), retired_from=TODAY)},
        "providers": {ANA: provider(), 31: provider(hours={}, retired_from=TODAY)},
    }
    assert codes(clinic(**gone)) == []


def test_sites_in_different_zones_are_compared_by_the_instant() -> None:
    west = replace(SITE, zone="America/Los_Angeles")
    apart = provider(
        hours={MIAMI: (weekly(0, 9, 12),), AVENTURA: (weekly(0, 9, 12),)},
        breaks={},
        treats=frozenset({(SCLERO, MIAMI), (SCLERO, AVENTURA)}),
    )
    sites = {MIAMI: SITE, AVENTURA: west}
    assert codes(clinic(sites=sites, rooms=TWO_ROOMS, providers={ANA: apart})) == []


def test_hours_from_the_first_to_the_last_day_there_is_are_no_fault() -> None:
    forever = weekly(0, 9, 18, valid_from=date.min, valid_until=date.max)
    sites = {MIAMI: replace(SITE, hours=(forever,))}
    whole = provider(hours={MIAMI: (forever,)})
    assert codes(clinic(sites=sites, providers={ANA: whole})) == []
