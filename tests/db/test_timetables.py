"""The core is told what the rows say, in few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from planner.db import engine, locks, snapshots, timetables
from planner.db.engine import Tx
from planner.db.models import ScheduleVersion, Site
from planner.errors import NotFound
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    AbsentDays,
    ConsultFact,
    CourseOrder,
    Flight,
    Gap,
    PastSession,
    PatientFacts,
    Severity,
    Timetable,
    WeeklyHours,
)
from tests import factories
from tests.db.conftest import DESK, NOW
from tests.factories import SmallClinic

Given = Callable[..., int]
WEEK = Interval(factories.at(date(2027, 3, 1), 0), factories.at(date(2027, 3, 8), 0))


@contextmanager
def counted(bound: sa.Engine) -> Iterator[list[str]]:
    """Collect the statements that are executed."""
    seen: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    event.listen(bound, "before_cursor_execute", note)
    yield seen
    event.remove(bound, "before_cursor_execute", note)


def loaded(**scope: object) -> Timetable:
    """Load the first week of March as a page would."""
    with engine.reading() as session:
        return timetables.load(session, horizon=WEEK, now=NOW, **scope)  # type: ignore[arg-type]


def ordered(course_id: int) -> CourseOrder:
    """Load a course as a page would."""
    with engine.reading() as session:
        return timetables.order(session, course_id, now=NOW)


def test_sites_rooms_providers_and_services_come_as_stored(
    clinic: SmallClinic, given: Given
) -> None:
    given(factories.absence, site_id=clinic.miami, on=date(2027, 3, 4), reason="Holiday")
    found = loaded()
    friday = WeeklyHours(weekday=4, starts=time(9), ends=time(18))
    assert found.sites[clinic.miami].closures == (
        AbsentDays(from_date=date(2027, 3, 4), until_date=date(2027, 3, 4), reason="Holiday"),
    )
    assert found.rooms[clinic.aventura_consult].service_ids == {clinic.consult, clinic.review}
    assert friday in found.providers[clinic.md].hours[clinic.aventura]
    assert (clinic.consult, clinic.miami) not in found.providers[clinic.rn_miami].treats
    assert (clinic.sclerotherapy, clinic.miami) in found.providers[clinic.rn_miami].treats
    assert found.services[clinic.sclerotherapy].walk_minutes == 20


def test_cold_it_takes_seven_statements_and_warm_five(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    counts = []
    for _ in range(2):
        with counted(bound) as seen:
            loaded(patient_ids=[patient_id])
        counts.append(len([text for text in seen if not text.startswith("BEGIN")]))
    assert counts == [7, 5]


def test_dates_and_consults_are_asked_for_where_there_are_any(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    plain, other = given(factories.patient), given(factories.patient)
    given(factories.date_to_avoid, other, kind="trip", on=date(2027, 3, 4))
    given(factories.consult_done, clinic, other, on=date(2027, 2, 24))
    loaded()
    asked = []
    for patient_id in (plain, other):
        with counted(bound) as seen:
            loaded(patient_ids=[patient_id])
        asked.append(len(seen))
    assert asked[1] - asked[0] == 2


def test_the_number_of_statements_does_not_grow_with_the_rows(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    counts = []
    for hour in (9, 10, 11):
        patient_id = given(factories.patient)
        given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3), hour=hour)
        loaded()
        with counted(bound) as seen:
            loaded(patient_ids=[patient_id])
        counts.append(len(seen))
    assert len(set(counts)) == 1


def test_busy_is_all_that_is_live_and_to_come(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient)
    days = [date(2027, 2, 20), date(2027, 2, 28), date(2027, 3, 3), date(2027, 3, 10)]
    ids = [given(factories.appointment, clinic, patient_id, day=day) for day in days]
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 4), status="cancelled")
    assert {busy.appointment_id for busy in loaded().busy} == set(ids[1:])


def test_busy_of_the_past_is_what_is_live_within_a_day_of_the_horizon(
    clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    days = [date(2027, 1, 9), date(2027, 1, 12), date(2027, 1, 20)]
    ids = [given(factories.appointment, clinic, patient_id, day=day) for day in days]
    horizon = Interval(datetime(2027, 1, 11, 5, tzinfo=UTC), datetime(2027, 1, 18, 5, tzinfo=UTC))
    with engine.reading() as session:
        found = timetables.load(session, horizon=horizon, now=NOW)
    assert {busy.appointment_id for busy in found.busy} == {ids[1]}


def test_of_the_patients_asked_for_all_live_appointments_come(
    clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)
    days = [date(2026, 12, 1), date(2027, 3, 3), date(2027, 9, 1)]
    ids = [given(factories.appointment, clinic, patient_id, day=day) for day in days]
    found = loaded(patient_ids=[patient_id], provider_ids=[], room_ids=[])
    assert {busy.appointment_id for busy in found.busy} == set(ids)


def test_with_actors_given_only_what_touches_them_comes(clinic: SmallClinic, given: Given) -> None:
    one, other = given(factories.patient), given(factories.patient)
    by_md = given(factories.appointment, clinic, one, day=date(2027, 3, 3))
    given(
        factories.appointment, clinic, other, day=date(2027, 3, 3),
        provider_id=clinic.pa, room_id=clinic.miami_flex,
    )  # fmt: skip
    found = loaded(provider_ids=[clinic.md], room_ids=[clinic.miami_1])
    assert [busy.appointment_id for busy in found.busy] == [by_md]


def test_a_patient_becomes_facts_without_answers(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(
        factories.patient,
        birth_date=date(1990, 2, 3),
        eligible_from=date(2027, 3, 20),
        stay_from=date(2026, 11, 1),
        stay_until=date(2027, 4, 30),
    )
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 1), outcome="not_now",
          not_until=date(2027, 2, 15))  # fmt: skip
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 20))
    given(factories.screening, patient_id, on=date(2027, 2, 25), had_clots=True, is_healthy=False)
    given(factories.consent, patient_id, on=date(2027, 2, 20))
    given(factories.date_to_avoid, patient_id, kind="flight", on=date(2027, 3, 9))
    given(factories.date_to_avoid, patient_id, kind="trip", on=date(2027, 3, 10))
    given(factories.date_to_avoid, patient_id, kind="event", on=date(2027, 3, 11))

    def day(number: int) -> AbsentDays:
        return AbsentDays(from_date=date(2027, 3, number), until_date=date(2027, 3, number))

    assert loaded(patient_ids=[patient_id]).patients == {
        patient_id: PatientFacts(
            birth_date=date(1990, 2, 3),
            eligible_from=date(2027, 3, 20),
            flags=frozenset({"screening.clots", "screening.health"}),
            is_screened=True,
            consults=(
                ConsultFact(on=date(2027, 2, 1), outcome="not_now", not_until=date(2027, 2, 15)),
                ConsultFact(on=date(2027, 2, 20), outcome="candidate"),
            ),
            flights=(Flight(on=date(2027, 3, 9)),),
            away=(day(10),),
            events=(day(11),),
            stay_from=date(2026, 11, 1),
            stay_until=date(2027, 4, 30),
            consents=frozenset({"treatment"}),
        )
    }


def test_a_past_session_counts_as_it_took_place(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient)
    course_id = given(factories.course, clinic, patient_id)
    with engine.reading() as session:
        first = factories.course_sessions(session, course_id)[1]
    planned = date(2026, 12, 1)
    # It began after midnight in UTC, late on the evening of the planned day at the site.
    began = datetime(2026, 12, 2, 1, tzinfo=UTC)
    done = given(
        factories.appointment, clinic, patient_id, day=planned, course_session_id=first,
        status="fulfilled", zones_treated=["left_calf"],
        actual_starts_at=began, actual_ends_at=began + timedelta(minutes=50),
    )  # fmt: skip
    expected = PastSession(
        on=planned,
        ends_at=began + timedelta(minutes=50),
        zones=frozenset({"left_calf"}),
        course_id=course_id,
        number=1,
        appointment_id=done,
    )
    assert loaded(patient_ids=[patient_id]).patients[patient_id].past_sessions == (expected,)


def test_an_order_tells_what_is_done_placed_and_open(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient)
    course_id = given(factories.course, clinic, patient_id)
    with engine.reading() as session:
        numbers = factories.course_sessions(session, course_id)
    done = given(
        factories.appointment, clinic, patient_id, day=date(2027, 2, 22),
        course_session_id=numbers[1], status="fulfilled",
    )  # fmt: skip
    placed = given(
        factories.appointment, clinic, patient_id, day=date(2027, 3, 8),
        course_session_id=numbers[2],
    )  # fmt: skip
    order = ordered(course_id)
    assert [row.done_on for row in order.sessions] == [date(2027, 2, 22), None, None]
    assert [row.fixed is not None for row in order.sessions] == [False, True, False]
    assert [row.appointment_id for row in order.sessions] == [done, placed, None]
    assert {row.gap for row in order.sessions} == {Gap(floor=7, target=14, soft_max=21)}


def test_a_hold_that_ran_out_leaves_its_session_open(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient)
    course_id = given(factories.course, clinic, patient_id)
    with engine.reading() as session:
        numbers = factories.course_sessions(session, course_id)
    for number, expires_at in ((1, NOW), (2, NOW + timedelta(minutes=1))):
        given(
            factories.appointment, clinic, patient_id, day=date(2027, 3, 7 * number),
            course_session_id=numbers[number], status="held", expires_at=expires_at,
        )  # fmt: skip
    sessions = ordered(course_id).sessions
    assert [row.fixed is not None for row in sessions] == [False, True, False]


def test_an_unknown_course_is_not_found(clinic: SmallClinic) -> None:
    with pytest.raises(NotFound):
        ordered(4711)


def test_rules_come_in_the_order_they_were_made(clinic: SmallClinic, given: Given) -> None:
    for minutes in (15, 20):
        given(
            factories.rule, "room.turnover_minutes", value=minutes, severity="info",
            since=date(2027, 1, 1),
        )  # fmt: skip
    found = loaded().rules
    assert [(rule.value, rule.severity) for rule in found] == [
        (15, Severity.INFO),
        (20, Severity.INFO),
    ]


def test_a_new_course_copies_the_same_zone_row_that_holds_today(
    clinic: SmallClinic, given: Given
) -> None:
    value = {"floor": 30, "target": 40, "soft_max": 50}
    given(factories.rule, "gap.same_zone", value=value, severity="info", since=date(2027, 2, 1))
    with engine.reading() as session:
        gap = timetables.same_zone_gap(session, now=NOW)
    assert gap == Gap(floor=30, target=40, soft_max=50)


def test_a_changed_catalogue_is_seen_by_the_next_reader(clinic: SmallClinic) -> None:
    before = loaded().sites[clinic.miami].grid_minutes

    def work(tx: Tx) -> int:
        locks.lock_settings(tx)
        tx.session.get_one(Site, clinic.miami).grid_minutes = 5
        return snapshots.catalogue(tx.session).sites[clinic.miami].grid_minutes

    inside = engine.transaction(work, by=DESK, now=NOW, action="test.grid")
    assert (before, inside, loaded().sites[clinic.miami].grid_minutes) == (15, 5, 5)


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_whoever_has_waited_for_the_settings_sees_them_as_they_are_now(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    def grid(tx: Tx) -> int:
        return snapshots.catalogue(tx.session).sites[clinic.miami].grid_minutes

    def work(tx: Tx) -> tuple[int, int]:
        before = grid(tx)
        with bound.begin() as another:
            another.execute(sa.update(Site).values(grid_minutes=5))
            another.execute(sa.update(ScheduleVersion).values(catalogue=4711))
        locks.lock(tx, provider_ids=[clinic.md])
        return before, grid(tx)

    assert engine.transaction(work, by=DESK, now=NOW, action="test.grid") == (15, 5)


def test_a_change_asks_once_whether_the_catalogue_is_still_the_same(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    def work(tx: Tx) -> None:
        locks.lock(tx, provider_ids=[clinic.md])
        for _ in range(3):
            snapshots.catalogue(tx.session)

    loaded()
    with counted(bound) as seen:
        engine.transaction(work, by=DESK, now=NOW, action="test.catalogue")
    assert len([text for text in seen if "schedule_version" in text]) == 1


def test_a_catalogue_change_that_is_taken_back_is_seen_by_nobody(clinic: SmallClinic) -> None:
    def work(tx: Tx) -> None:
        tx.session.get_one(Site, clinic.miami).grid_minutes = 5
        timetables.load(tx.session, horizon=WEEK, now=NOW)
        raise NotFound("something else")

    with pytest.raises(NotFound):
        engine.transaction(work, by=DESK, now=NOW, action="test.grid")
    assert loaded().sites[clinic.miami].grid_minutes == 15
