"""Recording a consult: who may, what follows, what stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import Idempotency, consults
from planner.actions.consults import Answers, Finding, OrderGiven, SessionPlan
from planner.db.models import (
    Appointment,
    AuditRow,
    Consult,
    Course,
    CourseSession,
    Decision,
    Patient,
    Screening,
)
from planner.errors import Denied, Invalid, NotFound, Refused, Stale
from planner.scheduling.timetable import Gap
from planner.who import Who
from tests import factories
from tests.db.conftest import DESK, NOW, TODAY
from tests.factories import SmallClinic

CLEAR = Answers()
FINDING = Finding(
    veins=({"type": "spider", "diameter_mm": 0.8}, {"type": "reticular", "diameter_mm": 2.0}),
    zones=("left_calf", "right_calf", "left_knee"),
    area_size="M",
    duplex_advised=True,
    outcome="candidate",
    not_until=None,
    note="",
)
TWO_WEEKS = Gap(floor=7, target=14, soft_max=21)
NOT_NOW = replace(FINDING, outcome="not_now", not_until=TODAY + timedelta(days=90))


@pytest.fixture
def provider(clinic: SmallClinic) -> Who:
    return Who(
        user_id=clinic.provider_user, role="provider", provider_id=clinic.md, origin="127.0.0.1"
    )


@pytest.fixture
def patient_id(given: Callable[..., int], clinic: SmallClinic) -> int:
    return given(factories.patient)


@pytest.fixture
def visit(bound: sa.Engine, given: Callable[..., int], clinic: SmallClinic, patient_id: int) -> str:
    """The key of today's consult, at 10:00 when it is 9:00."""
    return booked(bound, given, clinic, patient_id)


def booked(
    bound: sa.Engine, given: Callable[..., int], clinic: SmallClinic, patient_id: int, **more: Any
) -> str:
    row_id = given(factories.appointment, clinic, patient_id, **{"day": TODAY, **more})
    with Session(bound) as session:
        return session.get_one(Appointment, row_id).key


def ordered(clinic: SmallClinic, **changes: Any) -> OrderGiven:
    rows = tuple(
        SessionPlan(minutes=minutes, gap=TWO_WEEKS, zones=(zone,))
        for minutes, zone in zip((60, 45, 30), FINDING.zones, strict=True)
    )
    order = OrderGiven(protocol_id=clinic.two_weeks, reason="new zones each time", sessions=rows)
    return replace(order, **changes)


def only(bound: sa.Engine, model: type[Any]) -> Any:
    with Session(bound) as session:
        return session.scalars(sa.select(model)).one()


def count(bound: sa.Engine, model: type[Any]) -> int:
    with Session(bound) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_s36_the_order_becomes_the_patients_course_with_its_reason(
    bound: sa.Engine, clinic: SmallClinic, provider: Who, visit: str
) -> None:
    done = consults.record(visit, CLEAR, FINDING, ordered(clinic), version=1, by=provider, now=NOW)
    course = only(bound, Course)
    with Session(bound) as session:
        rows = session.scalars(sa.select(CourseSession).order_by(CourseSession.number)).all()
    assert (
        (course.key, course.status, course.is_decided, course.ordered_by, course.interval_reason),
        [(row.number, row.minutes, row.zones, row.gap_target) for row in rows],
    ) == (
        (done.course_key, "active", True, clinic.md, "new zones each time"),
        [(1, 60, ["left_calf"], 14), (2, 45, ["right_calf"], 14), (3, 30, ["left_knee"], 14)],
    )


def test_the_appointment_counts_as_held_until_now(
    bound: sa.Engine, clinic: SmallClinic, provider: Who, visit: str
) -> None:
    later = NOW + timedelta(hours=1, minutes=25)
    consults.record(visit, CLEAR, FINDING, ordered(clinic), version=1, by=provider, now=later)
    row, found = only(bound, Appointment), only(bound, Consult)
    assert (row.status, row.actual_starts_at, row.actual_ends_at, found.held_on, found.outcome) == (
        "fulfilled",
        row.starts_at,
        later,
        TODAY,
        "candidate",
    )


def test_s20_sessions_reserved_before_stay_with_the_order(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    patient_id: int,
    given: Callable[..., int],
) -> None:
    draft = reserved(bound, clinic, patient_id, given)
    done = consults.record(visit, CLEAR, FINDING, ordered(clinic), version=1, by=provider, now=NOW)
    with Session(bound) as session:
        course = session.get_one(Course, draft)
        statuses = session.scalars(
            sa.select(Appointment.status).where(Appointment.course_session_id.is_not(None))
        ).all()
    assert (course.key, course.status, statuses, count(bound, Course)) == (
        done.course_key,
        "active",
        ["reserved"],
        1,
    )


@pytest.mark.parametrize(
    ("outcome", "status"), [("not_now", "draft"), ("no", "ended"), ("refer", "ended")]
)
def test_s20_any_other_outcome_lets_reserved_sessions_go(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    patient_id: int,
    given: Callable[..., int],
    outcome: str,
    status: str,
) -> None:
    draft = reserved(bound, clinic, patient_id, given)
    done = consults.record(
        visit, CLEAR, replace(NOT_NOW, outcome=outcome), None, version=1, by=provider, now=NOW
    )
    with Session(bound) as session:
        released = session.scalars(
            sa.select(Appointment.status).where(Appointment.course_session_id.is_not(None))
        ).all()
        course = session.get_one(Course, draft)
    assert (done.released, done.course_key, released, course.status) == (
        1,
        "",
        ["released"],
        status,
    )


def test_what_was_reserved_beyond_the_order_is_released_and_leaves_no_session(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    patient_id: int,
    given: Callable[..., int],
) -> None:
    reserved(bound, clinic, patient_id, given, number=3)
    order = ordered(clinic, sessions=ordered(clinic).sessions[:2])
    consults.record(visit, CLEAR, FINDING, order, version=1, by=provider, now=NOW)
    with Session(bound) as session:
        numbers = session.scalars(sa.select(CourseSession.number)).all()
        statuses = set(session.scalars(sa.select(Appointment.status)))
    assert (sorted(numbers), statuses) == ([1, 2], {"fulfilled", "released"})


@pytest.mark.parametrize(
    ("is_free_after", "expected"), [(True, ("reserved", 60, 0)), (False, ("released", 45, 1))]
)
def test_a_reserved_session_takes_the_minutes_of_the_order_or_is_let_go(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    patient_id: int,
    given: Callable[..., int],
    is_free_after: bool,
    expected: tuple[str, int, int],
) -> None:
    draft = given(factories.course, clinic, patient_id, is_decided=False)
    with Session(bound) as session:
        first = factories.course_sessions(session, draft)[1]
    day = TODAY + timedelta(days=9)
    where = {"day": day, "service_id": clinic.sclerotherapy, "room_id": clinic.miami_1}
    its_id = given(
        factories.appointment, clinic, patient_id, course_session_id=first, status="reserved",
        expires_at=NOW + timedelta(days=7), minutes=45, **where,
    )  # fmt: skip
    if not is_free_after:
        given(factories.appointment, clinic, given(factories.patient), hour=11, **where)
    longer = tuple(replace(plan, minutes=60) for plan in ordered(clinic).sessions)
    order = ordered(clinic, sessions=longer)
    done = consults.record(visit, CLEAR, FINDING, order, version=1, by=provider, now=NOW)
    with Session(bound) as session:
        row = session.get_one(Appointment, its_id)
        minutes = (row.ends_at - row.starts_at) // timedelta(minutes=1)
    assert (row.status, minutes, done.released) == expected


@pytest.mark.parametrize(
    ("answers", "zones", "code"),
    [
        (Answers(had_clots=True), FINDING.zones, "screening.clots"),  # S16
        (Answers(is_nursing=True), FINDING.zones, "screening.nursing"),  # S18
        (Answers(is_healthy=False), FINDING.zones, "screening.health"),  # S12
        (Answers(has_allergy=True), FINDING.zones, "screening.allergy"),
        (CLEAR, ("face", "left_calf", "left_knee"), "zone.face"),  # S07
    ],
)
def test_s16_s18_what_needs_a_decision_stops_until_there_is_a_reason(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    answers: Answers,
    zones: tuple[str, ...],
    code: str,
) -> None:
    finding = replace(FINDING, zones=zones)
    blank = ordered(clinic, decisions={code: "  "})
    with pytest.raises(Refused) as refusal:
        consults.record(visit, answers, finding, blank, version=1, by=provider, now=NOW)
    stored = count(bound, Consult), count(bound, Screening), count(bound, Course)
    decided = ordered(clinic, decisions={code: "seen, small area first"})
    done = consults.record(visit, answers, finding, decided, version=1, by=provider, now=NOW)
    row, course = only(bound, Decision), only(bound, Course)
    assert (
        [conflict.code for conflict in refusal.value.conflicts],
        stored,
        (row.rule_code, row.reason, row.provider_id, row.course_id, row.signed_at),
        course.key,
    ) == (
        [code],
        (0, 0, 0),
        (code, "seen, small area first", clinic.md, course.id, NOW),
        done.course_key,
    )


def test_s17_nobody_orders_sessions_for_a_pregnant_patient(
    bound: sa.Engine, clinic: SmallClinic, provider: Who, visit: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        consults.record(
            visit, Answers(is_pregnant=True), FINDING, ordered(clinic), version=1, by=provider,
            now=NOW,
        )  # fmt: skip
    assert (refusal.value.fields, count(bound, Course)) == ({"outcome": "pregnant"}, 0)


def test_s17_not_now_needs_no_date_while_pregnant(
    bound: sa.Engine, clinic: SmallClinic, provider: Who, visit: str
) -> None:
    finding = replace(NOT_NOW, not_until=None)
    consults.record(
        visit, Answers(is_pregnant=True), finding, None, version=1, by=provider, now=NOW
    )
    assert only(bound, Screening).is_pregnant


@pytest.mark.parametrize(
    ("ended", "eligible"),
    [
        (date(2026, 12, 1), date(2027, 3, 1)),  # three months to the day
        (date(2026, 12, 2), date(2027, 3, 2)),
        (date(2026, 11, 30), date(2027, 2, 28)),  # 30 Nov + 3 months
        (None, None),
    ],
)
def test_s19_the_desk_learns_from_when_and_not_why(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    ended: date | None,
    eligible: date | None,
) -> None:
    consults.record(
        visit, Answers(pregnancy_ended_on=ended), FINDING, ordered(clinic), version=1, by=provider,
        now=NOW,
    )  # fmt: skip
    assert only(bound, Patient).eligible_from == eligible


def test_answers_about_health_are_not_copied_into_the_audit_trail(
    bound: sa.Engine, clinic: SmallClinic, provider: Who, visit: str
) -> None:
    consults.record(
        visit, Answers(had_clots=True, pregnancy_ended_on=date(2026, 6, 1)), NOT_NOW, None,
        version=1, by=provider, now=NOW,
    )  # fmt: skip
    with Session(bound) as session:
        row = session.scalars(sa.select(AuditRow).where(AuditRow.object_kind == "screening")).one()
    told = {name: (row.after or {}).get(name) for name in ("had_clots", "pregnancy_ended_on")}
    assert told == {"had_clots": "changed", "pregnancy_ended_on": "changed"}


@pytest.mark.parametrize("who", ["desk", "manager", "nurse", "provider without a provider"])
def test_only_a_provider_who_may_examine_there_records(
    clinic: SmallClinic, visit: str, who: str
) -> None:
    by = {
        "desk": DESK,
        "manager": Who(user_id=clinic.manager, role="manager", provider_id=clinic.md),
        "nurse": Who(user_id=None, role="provider", provider_id=clinic.rn_miami),
        "provider without a provider": Who(user_id=None, role="provider"),
    }[who]
    with pytest.raises(Denied):
        consults.record(visit, CLEAR, FINDING, ordered(clinic), version=1, by=by, now=NOW)


@pytest.mark.parametrize(
    ("finding", "order", "fields"),
    [
        ({"zones": ()}, {}, {"zones": "required"}),
        ({"zones": ("left_wing",)}, {}, {"zones": "choice"}),
        ({"veins": ()}, {}, {"veins": "required"}),
        ({"outcome": "maybe"}, {}, {"outcome": "choice"}),
        ({"outcome": "not_now"}, {}, {"not_until": "required"}),
        ({"outcome": "not_now", "not_until": TODAY}, {}, {"not_until": "in_the_past"}),
        ({"note": "x" * 2001}, {}, {"note": "too_long"}),
        ({}, {"reason": " "}, {"reason": "required"}),
        ({}, {"reason": "x" * 501}, {"reason": "too_long"}),
        ({}, {"protocol_id": 999}, {"protocol": "choice"}),
        ({}, {"sessions": ()}, {"count": "sessions"}),
        ({}, {"sessions": (SessionPlan(minutes=45, gap=TWO_WEEKS),) * 13}, {"count": "sessions"}),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    finding: dict[str, Any],
    order: dict[str, Any],
    fields: dict[str, str],
) -> None:
    with pytest.raises(Invalid) as refusal:
        consults.record(
            visit, CLEAR, replace(FINDING, **finding), ordered(clinic, **order), version=1,
            by=provider, now=NOW,
        )  # fmt: skip
    assert (refusal.value.fields, count(bound, Consult)) == (fields, 0)


def test_a_pregnancy_does_not_end_tomorrow(clinic: SmallClinic, provider: Who, visit: str) -> None:
    answers = Answers(pregnancy_ended_on=TODAY + timedelta(days=1))
    with pytest.raises(Invalid) as refusal:
        consults.record(visit, answers, NOT_NOW, None, version=1, by=provider, now=NOW)
    assert refusal.value.fields == {"pregnancy_ended_on": "in_the_future"}


def test_tomorrows_consult_waits_for_tomorrow(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    patient_id: int,
    given: Callable[..., int],
) -> None:
    key = booked(bound, given, clinic, patient_id, day=TODAY + timedelta(days=2))
    with pytest.raises(Invalid) as refusal:
        consults.record(key, CLEAR, NOT_NOW, None, version=1, by=provider, now=NOW)
    assert refusal.value.fields == {"": "not_yet"}


@pytest.mark.parametrize("status", ["cancelled", "no_show", "released", "held"])
def test_a_consult_that_does_not_take_place_is_not_recorded(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    patient_id: int,
    given: Callable[..., int],
    status: str,
) -> None:
    key = booked(bound, given, clinic, patient_id, status=status)
    with pytest.raises(Stale):
        consults.record(key, CLEAR, NOT_NOW, None, version=1, by=provider, now=NOW)


def test_what_is_no_consult_is_not_found(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    patient_id: int,
    given: Callable[..., int],
) -> None:
    key = booked(
        bound, given, clinic, patient_id, service_id=clinic.sclerotherapy, provider_id=clinic.md
    )
    with pytest.raises(NotFound):
        consults.record(key, CLEAR, NOT_NOW, None, version=1, by=provider, now=NOW)


def test_a_double_click_records_once(
    bound: sa.Engine, clinic: SmallClinic, provider: Who, visit: str
) -> None:
    key = Idempotency("a-key", {"outcome": "candidate"})
    first, second = (
        consults.record(
            visit, CLEAR, FINDING, ordered(clinic), version=1, by=provider, now=NOW, idempotency=key
        )
        for _ in range(2)
    )
    assert (first, count(bound, Course)) == (second, 1)


def test_a_record_is_corrected_until_something_of_its_course_is_booked(
    bound: sa.Engine,
    clinic: SmallClinic,
    provider: Who,
    visit: str,
    patient_id: int,
    given: Callable[..., int],
) -> None:
    def record(minutes: int) -> consults.Recorded:
        rows = tuple(replace(row, minutes=minutes) for row in ordered(clinic).sessions)
        return consults.record(
            visit, CLEAR, FINDING, ordered(clinic, sessions=rows),
            version=only_visit(bound, visit).version, by=provider, now=NOW,
        )  # fmt: skip

    first, second = record(45), record(30)
    with Session(bound) as session:
        minutes = session.scalars(sa.select(CourseSession.minutes)).all()
        course_id = session.scalars(sa.select(Course.id)).one()
        session_id = factories.course_sessions(session, course_id)[1]
    given(
        factories.appointment, clinic, patient_id, day=TODAY + timedelta(days=2),
        course_session_id=session_id,
    )  # fmt: skip
    with pytest.raises(Invalid) as refusal:
        record(60)
    assert (first.course_key, minutes, refusal.value.fields) == (
        second.course_key,
        [30, 30, 30],
        {"": "followed"},
    )


def only_visit(bound: sa.Engine, key: str) -> Appointment:
    with Session(bound) as session:
        return session.scalars(sa.select(Appointment).where(Appointment.key == key)).one()


def reserved(
    bound: sa.Engine,
    clinic: SmallClinic,
    patient_id: int,
    given: Callable[..., int],
    *,
    number: int = 1,
) -> int:
    """Draft a course and reserve one of its sessions; return the course's id."""
    draft = given(factories.course, clinic, patient_id, is_decided=False)
    with Session(bound) as session:
        session_id = factories.course_sessions(session, draft)[number]
    given(
        factories.appointment, clinic, patient_id, day=TODAY + timedelta(days=9),
        course_session_id=session_id, status="reserved", expires_at=NOW + timedelta(days=7),
    )  # fmt: skip
    return draft
