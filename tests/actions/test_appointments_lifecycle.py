"""An appointment carried through its day, and ended before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import changes
from planner.actions.appointments import booking, lifecycle
from planner.actions.appointments.lifecycle import CheckIn, Treated
from planner.actions.placing import Place, Terms
from planner.db import appointments
from planner.db.decisions import GivenDecision
from planner.db.models import Appointment, AuditRow, Course
from planner.errors import Denied, Invalid, NotFound, Refused, Stale
from planner.scheduling.timetable import Status
from planner.who import Who
from tests import factories
from tests.factories import SmallClinic, at

DAY = date(2027, 3, 3)
NOW = at(DAY, 10)
DESK = Who(user_id=None, role="receptionist", origin="127.0.0.1", request_id="r-1")
NURSE = Who(user_id=None, role="provider", provider_id=1, request_id="r-3")


@pytest.fixture
def provider(clinic: SmallClinic) -> Who:
    return Who(user_id=None, role="provider", provider_id=clinic.pa, request_id="r-2")


@pytest.fixture
def patient_id(given: Callable[..., int], clinic: SmallClinic) -> int:
    its_id = given(factories.patient)
    given(factories.consult_done, clinic, its_id, on=date(2027, 2, 1))
    return its_id


@pytest.fixture
def session_id(given: Callable[..., int], clinic: SmallClinic, patient_id: int) -> int:
    """Session 1 of a course of one, booked for 10:00."""
    course_id = given(factories.course, clinic, patient_id, zones=[("left_calf",)])
    numbers = given(factories.course_sessions, course_id)
    return given(
        factories.appointment,
        clinic,
        patient_id,
        day=DAY,
        course_session_id=numbers[1],  # type: ignore[index]  # a mapping by number
    )


def read(bound: sa.Engine, appointment_id: int) -> Appointment:
    with Session(bound) as session:
        return session.get_one(Appointment, appointment_id)


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [conflict.code for conflict in refusal.value.conflicts]


def checked_in(bound: sa.Engine, session_id: int, seen: CheckIn) -> Appointment:
    row = read(bound, session_id)
    lifecycle.check_in(row.key, seen, version=row.version, by=DESK, now=NOW)
    return read(bound, session_id)


def test_a_session_goes_from_booked_to_done_and_its_course_is_complete(
    bound: sa.Engine, patient_id: int, session_id: int, given: Callable[..., int]
) -> None:
    given(factories.consent, patient_id, on=DAY)
    row = checked_in(bound, session_id, CheckIn(health_state="complete", has_stockings=True))
    lifecycle.start(row.key, version=row.version, by=NURSE, now=NOW + timedelta(minutes=5))
    row = read(bound, session_id)
    treated = Treated(starts_at=at(DAY, 10, 5), ends_at=at(DAY, 11, 20), zones=("left_calf",))
    lifecycle.complete(row.key, treated, version=row.version, by=NURSE, now=at(DAY, 11, 21))
    row = read(bound, session_id)
    with Session(bound) as session:
        course = session.scalars(sa.select(Course)).one()
    assert (row.status, row.ends_at, row.actual_ends_at, row.zones_treated, row.sequence) == (
        "fulfilled", at(DAY, 10, 45), at(DAY, 11, 20), ["left_calf"], 0,
    )  # fmt: skip
    assert course.status == "completed"


def test_a_start_without_consent_is_refused_and_goes_on_by_a_decision(
    bound: sa.Engine, clinic: SmallClinic, session_id: int
) -> None:
    row = checked_in(bound, session_id, CheckIn(health_state="complete"))
    with pytest.raises(Refused) as refusal:
        lifecycle.start(row.key, version=row.version, by=NURSE, now=NOW)
    yes = GivenDecision(
        rule_code="consent.treatment", provider_id=clinic.pa, reason="signs after", by_phone=True
    )
    lifecycle.start(row.key, version=row.version, decided=(yes,), by=NURSE, now=NOW)
    assert (codes(refusal), read(bound, session_id).status) == (["consent.treatment"], "started")


def test_an_answer_is_reviewed_by_a_provider_before_the_start(
    bound: sa.Engine, patient_id: int, session_id: int, given: Callable[..., int], provider: Who
) -> None:
    given(factories.consent, patient_id, on=DAY)
    row = checked_in(bound, session_id, CheckIn(health_state="review", health_answer="a rash"))
    with pytest.raises(Refused) as refusal:
        lifecycle.start(row.key, version=row.version, by=NURSE, now=NOW)
    with pytest.raises(Denied):
        lifecycle.review_health(row.key, version=row.version, by=DESK, now=NOW)
    lifecycle.review_health(row.key, version=row.version, by=provider, now=NOW)
    row = read(bound, session_id)
    lifecycle.start(row.key, version=row.version, by=NURSE, now=NOW)
    assert (codes(refusal), read(bound, session_id).status) == (["health.unreviewed"], "started")


def test_an_answer_about_health_is_in_no_audit_line(bound: sa.Engine, session_id: int) -> None:
    checked_in(bound, session_id, CheckIn(health_state="review", health_answer="a secret"))
    with Session(bound) as session:
        trail = [(row.before, row.after) for row in session.scalars(sa.select(AuditRow))]
    assert "a secret" not in repr(trail)


def test_a_pregnant_patient_is_not_started(
    bound: sa.Engine,
    patient_id: int,
    session_id: int,
    given: Callable[..., int],
    clinic: SmallClinic,
) -> None:
    given(factories.consent, patient_id, on=DAY)
    given(factories.screening, patient_id, on=date(2027, 3, 2), is_pregnant=True)
    row = checked_in(bound, session_id, CheckIn(health_state="complete"))
    yes = GivenDecision(
        rule_code="patient.paused", provider_id=clinic.pa, reason="please", by_phone=True
    )
    with pytest.raises(Refused) as refusal:
        lifecycle.start(row.key, version=row.version, decided=(yes,), by=NURSE, now=NOW)
    assert codes(refusal) == ["patient.paused"]


@pytest.mark.parametrize("days", [-14, -1])
def test_a_visit_is_not_checked_in_before_its_own_day(
    bound: sa.Engine, session_id: int, days: int
) -> None:
    row, now = read(bound, session_id), NOW + timedelta(days=days)
    with pytest.raises(Refused) as refusal:
        lifecycle.check_in(row.key, CheckIn(), version=row.version, by=DESK, now=now)
    [conflict] = refusal.value.conflicts
    assert (conflict.code, conflict.params["on"], read(bound, session_id).status) == (
        "visit.other_day", DAY, "booked",
    )  # fmt: skip


def test_the_own_day_of_a_visit_is_that_of_its_site(bound: sa.Engine, session_id: int) -> None:
    row, evening = read(bound, session_id), at(DAY, 22)
    lifecycle.check_in(row.key, CheckIn(), version=row.version, by=DESK, now=evening)
    assert (evening.date(), read(bound, session_id).status) == (date(2027, 3, 4), "arrived")


def test_what_was_forgotten_is_recorded_the_day_after(
    bound: sa.Engine, patient_id: int, session_id: int, given: Callable[..., int]
) -> None:
    given(factories.consent, patient_id, on=DAY)
    row, tomorrow = read(bound, session_id), NOW + timedelta(days=1)
    asked = CheckIn(health_state="complete")
    lifecycle.check_in(row.key, asked, version=row.version, by=DESK, now=tomorrow)
    row = read(bound, session_id)
    lifecycle.start(row.key, version=row.version, by=NURSE, now=tomorrow)
    assert read(bound, session_id).status == "started"


def test_a_session_waits_for_the_answer_to_the_health_question(
    bound: sa.Engine, patient_id: int, session_id: int, given: Callable[..., int]
) -> None:
    given(factories.consent, patient_id, on=DAY)
    row = checked_in(bound, session_id, CheckIn())
    with pytest.raises(Refused) as refusal:
        lifecycle.start(row.key, version=row.version, by=NURSE, now=NOW)
    answered = CheckIn(health_state="complete")
    lifecycle.answer_health(row.key, answered, version=row.version, by=DESK, now=NOW)
    row = read(bound, session_id)
    lifecycle.start(row.key, version=row.version, by=NURSE, now=NOW)
    assert (codes(refusal), read(bound, session_id).status) == (["health.unanswered"], "started")


def test_nobody_has_missed_a_visit_before_its_start(bound: sa.Engine, session_id: int) -> None:
    row = read(bound, session_id)
    with pytest.raises(Refused) as refusal:
        lifecycle.miss(row.key, version=row.version, by=DESK, now=NOW - timedelta(minutes=1))
    lifecycle.miss(row.key, version=row.version, by=DESK, now=NOW)
    assert (codes(refusal), read(bound, session_id).status) == (["visit.not_begun"], "no_show")


def started(bound: sa.Engine, given: Callable[..., int], clinic: SmallClinic) -> Appointment:
    """Return a consult of 10:00 that is under way."""
    its_id = given(
        factories.appointment, clinic, given(factories.patient), day=DAY, status="started",
        arrived_at=NOW, actual_starts_at=NOW,
    )  # fmt: skip
    return read(bound, its_id)


@pytest.mark.parametrize(
    ("treated", "now", "found"),
    [
        (Treated(starts_at=NOW, ends_at=at(DAY, 10, 31)), at(DAY, 10, 25), ["visit.future_times"]),
        (
            Treated(starts_at=at(DAY, 15), ends_at=at(DAY, 16)),
            at(DAY, 10, 25),
            ["visit.future_times"],
        ),
        (
            Treated(starts_at=NOW - timedelta(days=14), ends_at=at(DAY, 10, 20)),
            at(DAY, 10, 25),
            ["visit.times_elsewhere"],
        ),
        (
            Treated(starts_at=at(DAY, 10), ends_at=NOW + timedelta(days=1)),
            NOW + timedelta(days=2),
            ["visit.times_elsewhere"],
        ),
    ],
)
def test_a_visit_is_not_completed_with_times_it_cannot_have_had(
    bound: sa.Engine,
    given: Callable[..., int],
    clinic: SmallClinic,
    treated: Treated,
    now: datetime,
    found: list[str],
) -> None:
    row = started(bound, given, clinic)
    with pytest.raises(Refused) as refusal:
        lifecycle.complete(row.key, treated, version=row.version, by=NURSE, now=now)
    after = read(bound, row.id)
    assert (codes(refusal), after.status, after.version) == (found, "started", row.version)


@pytest.mark.parametrize("now", [at(DAY, 10, 25), at(DAY, 10, 30), NOW + timedelta(days=3)])
def test_a_visit_is_completed_within_minutes_of_its_end_or_days_later_on_its_own_day(
    bound: sa.Engine, given: Callable[..., int], clinic: SmallClinic, now: datetime
) -> None:
    row = started(bound, given, clinic)
    treated = Treated(starts_at=NOW, ends_at=at(DAY, 10, 30))
    lifecycle.complete(row.key, treated, version=row.version, by=NURSE, now=now)
    after = read(bound, row.id)
    assert (after.status, after.starts_at, after.actual_ends_at) == (
        "fulfilled", NOW, at(DAY, 10, 30),
    )  # fmt: skip


def test_who_cancelled_and_why_is_kept_and_the_session_stays_open(
    bound: sa.Engine, clinic: SmallClinic, session_id: int
) -> None:
    before = read(bound, session_id)
    lifecycle.cancel(
        before.key, ended_by="patient", reason="ill", version=before.version, by=DESK, now=NOW
    )
    after = read(bound, session_id)
    assert (
        after.status, after.ended_by, after.ended_reason, after.ended_at, after.sequence,
        after.uid, after.course_session_id,
    ) == (
        "cancelled", "patient", "ill", NOW, 1, before.uid, before.course_session_id,
    )  # fmt: skip


def test_a_cancelled_start_can_be_given_to_somebody_else(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    first, second = given(factories.patient), given(factories.patient, given_name="Ana")
    place = Place(
        service_id=clinic.consult, site_id=clinic.miami, provider_id=clinic.md,
        room_id=clinic.miami_consult, starts_at=at(DAY, 14), minutes=30,
    )  # fmt: skip
    booked = booking.book(first, place, Terms(), by=DESK, now=NOW)
    with Session(bound) as session:
        row = session.scalars(sa.select(Appointment)).one()
    lifecycle.cancel(
        booked.key, ended_by="clinic", reason="x", version=row.version, by=DESK, now=NOW
    )
    again = booking.book(second, place, Terms(), by=DESK, now=NOW)
    assert again.key != booked.key


def test_an_undone_cancellation_keeps_its_uid_with_the_next_sequence(
    bound: sa.Engine, session_id: int
) -> None:
    before = read(bound, session_id)
    change = lifecycle.cancel(
        before.key, ended_by="patient", reason="ill", version=before.version, by=DESK, now=NOW
    )
    changes.undo(change, by=DESK, now=NOW + timedelta(seconds=90))
    after = read(bound, session_id)
    assert (after.status, after.uid, after.sequence, after.ended_by) == (
        "booked", before.uid, 2, "",
    )  # fmt: skip


def test_after_two_minutes_nothing_is_undone(bound: sa.Engine, session_id: int) -> None:
    row = read(bound, session_id)
    change = lifecycle.confirm(row.key, version=row.version, by=DESK, now=NOW)
    with pytest.raises(NotFound):
        changes.undo(change, by=DESK, now=NOW + timedelta(minutes=3))


@pytest.mark.parametrize(
    "act",
    [
        lambda row: lifecycle.start(row.key, version=row.version, by=NURSE, now=NOW),
        lambda row: lifecycle.release(row.key, version=row.version, by=DESK, now=NOW),
        lambda row: lifecycle.complete(
            row.key,
            Treated(starts_at=NOW, ends_at=NOW + timedelta(minutes=30)),
            version=row.version,
            by=NURSE,
            now=NOW,
        ),
        lambda row: lifecycle.confirm(row.key, version=row.version + 1, by=DESK, now=NOW),
    ],
)
def test_what_the_table_does_not_allow_is_stale_and_changes_nothing(
    bound: sa.Engine, patient_id: int, session_id: int, given: Callable[..., int], act: object
) -> None:
    given(factories.consent, patient_id, on=DAY)
    row = read(bound, session_id)
    with pytest.raises(Stale):
        act(row)  # type: ignore[operator]  # one of the four above
    assert read(bound, session_id).version == row.version


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda row: lifecycle.cancel(
            row.key, ended_by="cat", reason="x", version=row.version, by=DESK, now=NOW
        ), "ended_by"),
        (lambda row: lifecycle.cancel(
            row.key, ended_by="clinic", reason="x" * 301, version=row.version, by=DESK, now=NOW
        ), "reason"),
        (lambda row: lifecycle.complete(
            row.key, Treated(starts_at=NOW, ends_at=NOW - timedelta(minutes=5)),
            version=row.version, by=NURSE, now=NOW,
        ), "ends"),
        (lambda row: lifecycle.check_in(
            row.key, CheckIn(health_state="fine"), version=row.version, by=DESK, now=NOW
        ), "health_state"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_name_their_field(
    bound: sa.Engine, session_id: int, act: object, field: str
) -> None:
    with pytest.raises(Invalid) as invalid:
        act(read(bound, session_id))  # type: ignore[operator]  # one of the four above
    assert list(invalid.value.fields) == [field]


def test_the_last_actual_length_is_the_next_default_and_no_longer_occupied_time(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    given(
        factories.appointment, clinic, patient_id, day=date(2027, 2, 17),
        service_id=clinic.sclerotherapy, status="fulfilled",
        actual_starts_at=at(date(2027, 2, 17), 10, 3), actual_ends_at=at(date(2027, 2, 17), 10, 36),
    )  # fmt: skip
    with Session(bound) as session:
        assert appointments.last_actual_minutes(session, patient_id, clinic.sclerotherapy) == 35


def test_a_missed_hold_is_no_no_show(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    place = Place(
        service_id=clinic.consult, site_id=clinic.miami, provider_id=clinic.md,
        room_id=clinic.miami_consult, starts_at=at(DAY, 14), minutes=30,
    )  # fmt: skip
    held = booking.book(patient_id, place, Terms(status=Status.HELD), by=DESK, now=NOW)
    with Session(bound) as session:
        row = session.scalars(sa.select(Appointment).where(Appointment.key == held.key)).one()
    with pytest.raises(Stale):
        lifecycle.miss(held.key, version=row.version, by=DESK, now=NOW)
    lifecycle.release(held.key, version=row.version, by=DESK, now=NOW)
    assert read(bound, row.id).status == "released"
