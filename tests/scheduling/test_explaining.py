"""Why a start is not offered, and what little would have to give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.scheduling import (
    availability,
    cells,
    course,
    explaining,
    hours,
    index,
    obstacles,
    rules,
    verdicts,
)
from planner.scheduling.course import Wishes
from planner.scheduling.explaining import Day
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import AbsentDays, Conflict, Timetable
from tests.scheduling import clinic, worlds
from tests.scheduling.clinic import (
    AVENTURA,
    MD,
    MIAMI,
    NOW,
    NURSE,
    OTHER_PATIENT,
    PATIENT,
    ROOM,
    ROOM_2,
    SESSION,
    ZONE,
    busy,
    order,
    session,
    slot,
    with_patient,
)
from tests.scheduling.oracle import Question
from tests.support.effort import examples

TUESDAY = date(2026, 3, 10)
HORIZON = Interval(NOW, NOW + timedelta(days=80))


def at(hour: int, minute: int = 0) -> datetime:
    return clinic.at(TUESDAY, hour, minute)


def look(timetable: Timetable, **asked: object) -> Day:
    return explaining.day(
        timetable,
        TUESDAY,
        **{"service_id": SESSION, "site_id": MIAMI, "provider_id": MD, **asked},  # type: ignore[arg-type]
    )


def said(found: Day) -> list[tuple[str, str, list[str]]]:
    """From when until when, and which rules."""
    return [
        (
            f"{hours.local(one.span.starts_at, ZONE):%H:%M}",
            f"{hours.local(one.span.ends_at, ZONE):%H:%M}",
            [conflict.code for conflict in one.conflicts],
        )
        for one in found.blocked
    ]


def test_a_free_day_has_every_start_and_no_reason() -> None:
    found = look(clinic.clinic())
    assert (len(found.free), found.free[0].slot.starts_at, found.free[-1].slot.starts_at, found.blocked) == (
        34, at(9), at(17, 15), (),
    )  # fmt: skip


def test_the_blocking_appointment_is_named_for_the_starts_it_blocks() -> None:
    taken = busy(slot(TUESDAY, 11, patient_id=OTHER_PATIENT))
    found = look(clinic.clinic(busy=(taken,)))
    assert said(found) == [("10:30", "11:45", ["provider.busy"])]
    (conflict,) = found.blocked[0].conflicts
    assert (conflict.params["starts_at"], conflict.params["ends_at"]) == (at(11), at(11, 45))


def test_a_room_that_is_cleaned_says_until_when() -> None:
    taken = [
        busy(slot(TUESDAY, 9, provider_id=NURSE, room_id=room, patient_id=90 + room), room)
        for room in (ROOM, ROOM_2)
    ]
    patients = {**clinic.clinic().patients, 91: clinic.patient(), 92: clinic.patient()}
    found = look(clinic.clinic(busy=tuple(taken), patients=patients))
    assert said(found) == [("09:00", "10:00", ["room.busy"])]
    assert found.blocked[0].conflicts[0].params["ends_at"] == at(9, 55)


def test_the_way_from_the_other_site_counts() -> None:
    away = busy(
        slot(TUESDAY, 9, site_id=AVENTURA, room_id=clinic.AVENTURA_ROOM, patient_id=OTHER_PATIENT)
    )
    found = look(clinic.clinic(busy=(away,)))
    assert said(found)[-1] == ("09:45", "10:45", ["provider.travel_minutes"])


def away(**hours_or_absence: object) -> Timetable:
    facts = clinic.clinic().providers
    return clinic.clinic(providers={**facts, MD: replace(facts[MD], **hours_or_absence)})  # type: ignore[arg-type]


def at_miami(**changes: object) -> Timetable:
    sites = clinic.clinic().sites
    return clinic.clinic(sites={**sites, MIAMI: replace(sites[MIAMI], **changes)})  # type: ignore[arg-type]


CLOSURE = AbsentDays(from_date=TUESDAY, until_date=TUESDAY, reason="Hurricane")
DAY_OFF = AbsentDays(from_date=TUESDAY, until_date=TUESDAY)
ALL_DAY = ("00:00", "00:00")


@pytest.mark.parametrize(
    ("timetable", "code"),
    [
        (away(absences=(DAY_OFF,)), "provider.absent"),
        (away(hours={MIAMI: ()}), "provider.outside_hours"),
        (away(hours={}), "provider.outside_hours"),
        (away(retired_from=TUESDAY), "provider.retired"),
    ],
)
def test_who_is_not_there_all_day_has_one_reason_whatever_else_is_in_the_way(
    timetable: Timetable, code: str
) -> None:
    timetable = with_patient(timetable, eligible_from=date(2026, 3, 20))
    found = look(timetable, patient_id=PATIENT)
    assert (said(found), found.blocked[0].is_all_day) == ([(*ALL_DAY, [code])], True)


def test_who_is_away_for_the_hours_of_the_day_is_said_to_be_away() -> None:
    facts = clinic.clinic().providers[MD]
    afternoon = [row for row in facts.hours[MIAMI] if row.weekday == TUESDAY.weekday()]
    timetable = away(hours={MIAMI: (replace(afternoon[0], starts=time(14)),)}, absences=(DAY_OFF,))
    assert said(look(timetable)) == [(*ALL_DAY, ["provider.absent"])]


@pytest.mark.parametrize(
    ("timetable", "code"),
    [
        (at_miami(closures=(CLOSURE,)), "site.closed"),
        (at_miami(hours=()), "site.outside_hours"),
        (at_miami(retired_from=TUESDAY), "site.retired"),
        (
            clinic.clinic(
                services={
                    key: replace(facts, retired_from=TUESDAY)
                    for key, facts in clinic.clinic().services.items()
                }
            ),
            "service.retired",
        ),
    ],
)
def test_a_closed_site_says_so_once_whoever_would_work_there(
    timetable: Timetable, code: str
) -> None:
    found = look(timetable, provider_id=None)
    assert [one.code for one in found.closed] == [code]
    assert (found.free, found.blocked) == ((), ())


def test_a_start_on_a_closed_day_has_every_reason_with_everybody() -> None:
    sites, facts = clinic.clinic().sites, clinic.clinic().providers
    timetable = clinic.clinic(
        sites={**sites, MIAMI: replace(sites[MIAMI], closures=(CLOSURE,))},
        providers={**facts, MD: replace(facts[MD], absences=(DAY_OFF,))},
    )
    found = look(timetable, provider_id=None, at=at(10))
    assert [codes for _, _, codes in said(found)] == [
        ["site.closed", "provider.absent"], ["site.closed"],
    ]  # fmt: skip


def test_all_reasons_of_a_start_are_given_at_once() -> None:
    taken = busy(slot(TUESDAY, 11, patient_id=PATIENT))
    timetable = with_patient(clinic.clinic(busy=(taken,)), eligible_from=date(2026, 3, 20))
    found = look(timetable, patient_id=PATIENT)
    at_eleven = next(
        one for one in found.blocked if one.span.starts_at <= at(11) < one.span.ends_at
    )
    assert {conflict.code for conflict in at_eleven.conflicts} >= {
        "provider.busy", "patient.busy", "patient.eligible_from",
    }  # fmt: skip


def test_what_is_free_on_a_day_is_what_the_rules_allow() -> None:
    asked = order()
    placed = replace(asked.sessions[0], fixed=slot(date(2026, 3, 3), number=1), appointment_id=9)
    asked = replace(asked, sessions=(placed, *asked.sessions[1:]))
    found = look(clinic.clinic(), patient_id=PATIENT, order=asked, number=2)
    assert found.free
    for free in found.free:
        against = rules.conflicts(free.slot, clinic.clinic(), order=asked)
        assert all(map(verdicts.is_offered, against))


@examples(6, 600)
@given(worlds.questions(), st.integers(0, 3), st.integers(1, 12))
def test_every_start_has_the_reasons_that_the_rules_give_in_the_best_room(
    question: Question, at: int, days: int
) -> None:
    timetable, wanted = question.timetable, question.order
    row = wanted.sessions[at % len(wanted.sessions)]
    on = hours.day_of(timetable.horizon.starts_at, ZONE) + timedelta(days=days)
    for site_id in timetable.sites:
        found = explaining.day(
            timetable,
            on,
            service_id=wanted.service_id,
            site_id=site_id,
            minutes=row.minutes,
            patient_id=wanted.patient_id,
            number=row.number,
            order=wanted,
        )
        told = {start.slot: start.warnings for start in found.free}
        told |= {slot: one.conflicts for one in found.blocked for slot in one.slots}
        for free, said in told.items():
            in_rooms = [
                rules.conflicts(free._replace(room_id=room_id), timetable, order=wanted)
                for room_id, room in timetable.rooms.items()
                if room.site_id == site_id and wanted.service_id in room.service_ids
            ]
            mine = rules.conflicts(free, timetable, order=wanted)
            least = min(map(against, in_rooms), default=against(mine))
            if [one.code for one in mine] == ["slot.outside_horizon"] and is_whole_day_off(
                tuple(said)
            ):
                # The rules say no more of it; who is told to be away all day has to be.
                frame = cells.frame(on, timetable.sites[site_id].zone)
                assert frame is not None
                its = index.of(timetable).presence
                there = its.there_cells(free.provider_id, site_id, frame)
                assert not there & its.open_cells(site_id, frame)
            elif not is_whole_day_off(mine):
                assert (against(mine), [one for one in said if one not in mine]) == (least, [])


def against(found: tuple[Conflict, ...]) -> int:
    return sum(not verdicts.is_offered(conflict) for conflict in found)


def is_whole_day_off(found: tuple[Conflict, ...]) -> bool:
    """Of one who is not there at all only one start is judged."""
    away = {
        *("provider.absent", "provider.outside_hours", "provider.retired"),
        *("site.closed", "site.outside_hours", "site.retired"),
    }
    return bool(away & {conflict.code for conflict in found})


def test_a_site_without_a_room_says_so() -> None:
    rooms = {key: room for key, room in clinic.clinic().rooms.items() if room.site_id == AVENTURA}
    found = look(clinic.clinic(rooms=rooms))
    assert (found.free, said(found)) == ((), [("09:00", "17:30", ["slot.unknown"])])


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(availability.NoSuchService):
        look(clinic.clinic(), service_id=99)


def relaxed(timetable: Timetable, wishes: Wishes | None = None) -> dict[str, explaining.Relaxation]:
    assert course.propose(order(), timetable, wishes) == ()
    found = explaining.relaxations(order(), timetable, wishes)
    return {one.code: one for one in found}


def test_another_site_would_help() -> None:
    rooms = {key: room for key, room in clinic.clinic().rooms.items() if room.site_id == MIAMI}
    found = relaxed(
        clinic.clinic(rooms=rooms, horizon=HORIZON), Wishes(site_ids=frozenset({AVENTURA}))
    )
    assert {one.slot.site_id for one in found["sites"].proposal.sessions} == {MIAMI}


def test_more_days_would_help_and_how_many() -> None:
    last = date(2026, 3, 12)
    found = relaxed(clinic.clinic(horizon=HORIZON), Wishes(not_after=last))
    end = max(one.slot.starts_at for one in found["later"].proposal.sessions)
    assert found["later"].params == {"days": (hours.day_of(end, ZONE) - last).days}


def test_a_decision_would_help_and_on_what() -> None:
    timetable = with_patient(clinic.clinic(horizon=HORIZON), flags=frozenset({"screening.nursing"}))
    assert relaxed(timetable)["decision"].params == {"rule": "screening.nursing"}
    (obstacle,) = obstacles.of(order(), timetable)
    assert obstacle.code == "screening.nursing"


def test_a_trip_put_off_would_help() -> None:
    trip = AbsentDays(from_date=date(2026, 3, 1), until_date=date(2026, 6, 30))
    found = relaxed(with_patient(clinic.clinic(horizon=HORIZON), away=(trip,)))
    assert found["away"].params["until_date"] == date(2026, 6, 30)


def test_where_nothing_helps_nothing_is_promised_and_the_reason_stands() -> None:
    timetable = with_patient(clinic.clinic(horizon=HORIZON), birth_date=date(2015, 1, 1))
    assert relaxed(timetable) == {}
    assert [one.code for one in obstacles.of(order(), timetable)] == ["patient.age"]


def test_the_clinics_own_weights_rank_the_proposals() -> None:
    """Shipped, a week late costs more than another provider; where a change costs most, it waits."""
    facts = clinic.clinic().providers
    absence = AbsentDays(from_date=date(2026, 3, 10), until_date=date(2026, 3, 20))
    providers = {**facts, MD: replace(facts[MD], absences=(absence,))}
    shipped = clinic.clinic(providers=providers, horizon=HORIZON)
    dear = {**clinic.rulebook_value("proposal.order"), "provider": 500}
    faithful = replace(shipped, rules=(clinic.rule("proposal.order", dear),))
    first = session(1, fixed=slot(date(2026, 3, 3), number=1), appointment_id=9)
    places = [
        (hours.day_of(found.slots[2].starts_at, ZONE), found.slots[2].provider_id)
        for world in (shipped, faithful)
        for found in course.propose(order(first, session(2)), world)
    ]
    assert places == [(date(2026, 3, 17), NURSE), (date(2026, 3, 23), MD)]


def hindered(timetable: Timetable, wishes: Wishes | None = None) -> list[tuple[str, int | None]]:
    assert course.propose(order(), timetable, wishes) == ()
    found = obstacles.of(order(), timetable, wishes)
    return [(one.code, one.params.get("site_id")) for one in found]


def test_a_clinic_that_cannot_give_the_service_says_what_each_site_lacks() -> None:
    whole = clinic.clinic(horizon=HORIZON)
    nobody = {key: replace(one, treats=frozenset()) for key, one in whole.providers.items()}
    closed = {key: replace(one, hours=()) for key, one in whole.sites.items()}
    roomless = {key: replace(one, service_ids=frozenset()) for key, one in whole.rooms.items()}
    both = (MIAMI, AVENTURA)
    assert [
        hindered(replace(whole, providers=nobody)),
        hindered(replace(whole, sites=closed)),
        hindered(replace(whole, rooms=roomless)),
    ] == [
        [(code, site_id) for site_id in both]
        for code in ("service.nobody", "site.no_hours", "service.no_room")
    ]


def test_a_provider_wished_for_who_does_not_give_the_service_is_named() -> None:
    whole = clinic.clinic(horizon=HORIZON)
    providers = {**whole.providers, MD: replace(whole.providers[MD], treats=frozenset())}
    wishes = Wishes(site_ids=frozenset({MIAMI}), provider_ids=frozenset({MD}))
    found = hindered(replace(whole, providers=providers), wishes)
    assert found == [("provider.not_capable", MIAMI)]


def test_a_day_on_which_a_site_has_no_hours_has_one_reason() -> None:
    sunday = date(2026, 3, 8)  # the clocks go forward
    timetable = clinic.clinic(horizon=HORIZON)
    found = explaining.day(timetable, sunday, service_id=SESSION, site_id=MIAMI)
    assert [one.code for one in found.closed] == ["site.outside_hours"]


def test_what_is_given_up_before_the_course_could_end_is_named() -> None:
    """Two weeks after the first day at the earliest, here: the second session is the last."""
    whole = clinic.clinic(horizon=HORIZON)
    soon = hours.day_of(NOW, ZONE) + timedelta(days=13)
    left = {key: replace(one, retired_from=soon) for key, one in whole.providers.items()}
    shut = {key: replace(one, retired_from=soon) for key, one in whole.sites.items()}
    taken = {key: replace(one, retired_from=soon) for key, one in whole.rooms.items()}
    ended = {SESSION: replace(whole.services[SESSION], retired_from=soon)}
    assert [
        [code for code, _ in hindered(replace(whole, **changed))]
        for changed in (
            {"providers": left},
            {"sites": shut},
            {"rooms": taken},
            {"services": {**whole.services, **ended}},
        )
    ] == [
        ["provider.retired"] * len(left),
        ["site.retired"] * len(shut),
        ["room.retired"] * sum(SESSION in one.service_ids for one in whole.rooms.values()),
        ["service.retired"],
    ]


def test_a_provider_wished_for_who_leaves_too_soon_is_named() -> None:
    whole = clinic.clinic(horizon=HORIZON)
    soon = hours.day_of(NOW, ZONE) + timedelta(days=13)
    providers = {**whole.providers, MD: replace(whole.providers[MD], retired_from=soon)}
    wishes = Wishes(site_ids=frozenset({MIAMI}), provider_ids=frozenset({MD}))
    gone = replace(whole, providers=providers)
    assert hindered(gone, wishes) == [("provider.retired", None)]
    assert obstacles.of(order(), gone, replace(wishes, provider_ids=None)) == ()


def test_gaps_that_do_not_fit_the_days_are_counted() -> None:
    wishes = Wishes(not_after=hours.day_of(NOW, ZONE) + timedelta(days=13))
    (found,) = obstacles.of(order(), clinic.clinic(horizon=HORIZON), wishes)
    assert (found.code, found.params) == ("order.too_long", {"needed": 14, "days": 13})
    assert obstacles.of(
        order(), clinic.clinic(horizon=HORIZON), replace(wishes, not_after=None)
    ) == ()  # fmt: skip
