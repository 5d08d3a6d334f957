"""Who may decide, which decisions count, signing and disputing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import decisions
from planner.actions.decisions import GivenDecision
from planner.db import decisions as stored
from planner.db import engine
from planner.db.engine import Tx
from planner.db.models import Course, Decision
from planner.errors import Denied, Invalid, NotFound, Refused, Stale
from planner.queries import decisions as queries
from planner.scheduling.timetable import Conflict, Severity
from planner.who import Who
from tests import factories
from tests.db.conftest import DESK, NOW, TODAY
from tests.factories import SmallClinic

FLIGHT = Conflict(
    code="flight.within_48h",
    severity=Severity.DECIDE,
    params={
        "hours": 48,
        "on": TODAY + timedelta(days=3),
        "at": None,
        "before": None,
        "after": None,
    },
)


@pytest.fixture
def md(clinic: SmallClinic) -> Who:
    return Who(user_id=clinic.provider_user, role="provider", provider_id=clinic.md)


@pytest.fixture
def patient_id(given: Callable[..., int], clinic: SmallClinic) -> int:
    return given(factories.patient)


@pytest.fixture
def visit_id(given: Callable[..., int], clinic: SmallClinic, patient_id: int) -> int:
    return given(factories.appointment, clinic, patient_id, day=TODAY + timedelta(days=2))


def yes(provider_id: int, **changes: Any) -> GivenDecision:
    given = GivenDecision(
        rule_code=FLIGHT.code, provider_id=provider_id, reason="short flight, wears stockings"
    )
    return replace(given, **changes)


def add(given: GivenDecision, patient_id: int, visit_id: int | None, by: Who = DESK) -> int:
    def work(tx: Tx) -> int:
        row = stored.add(tx, given, FLIGHT, patient_id=patient_id, appointment_id=visit_id)
        tx.session.flush()
        return row.id

    return engine.transaction(work, by=by, now=NOW, action="test")


def row_of(bound: sa.Engine, decision_id: int) -> Decision:
    with Session(bound) as session:
        return session.get_one(Decision, decision_id)


@pytest.mark.parametrize(
    ("who", "provider", "changes", "does_count"),
    [
        ("md", "md", {}, True),
        ("md", "md", {"reason": "  "}, False),
        ("md", "pa", {}, False),  # nobody decides for another provider
        ("desk", "md", {}, False),  # the desk never decides itself
        ("desk", "md", {"by_phone": True}, True),
        ("desk", "pa", {"by_phone": True}, True),
        ("desk", "rn_miami", {"by_phone": True}, False),  # treats, but may not examine
        ("desk", "np_aventura", {"by_phone": True}, False),  # not at this site
        ("md", "md", {"rule_code": "zone.face"}, False),  # nobody asked
    ],
)
def test_a_decision_counts_with_a_reason_and_of_an_entitled_provider(
    clinic: SmallClinic, md: Who, who: str, provider: str, changes: dict[str, Any], does_count: bool
) -> None:
    given = yes(getattr(clinic, provider), **changes)

    def work(tx: Tx) -> frozenset[str]:
        return decisions.resolve(
            tx, [given], [FLIGHT], site_id=clinic.miami, service_id=clinic.consult
        )

    by = {"md": md, "desk": DESK}[who]
    codes = engine.transaction(work, by=by, now=NOW, action="test")
    assert codes == (frozenset({FLIGHT.code}) if does_count else frozenset())


def test_a_decision_that_does_not_count_is_never_stored(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, visit_id: int
) -> None:
    with pytest.raises(Refused):
        add(yes(clinic.rn_miami, by_phone=True), patient_id, visit_id)
    with Session(bound) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Decision)) == 0


def test_a_decision_in_person_is_signed_and_one_by_phone_waits(
    bound: sa.Engine, clinic: SmallClinic, md: Who, patient_id: int, visit_id: int
) -> None:
    in_person = add(yes(clinic.md), patient_id, visit_id, md)
    by_phone = add(yes(clinic.md, by_phone=True), patient_id, visit_id)
    page = queries.page(locale="en", now=NOW, by=md)
    assert (
        row_of(bound, in_person).signed_at,
        [(line.id, line.reason) for line in page.waiting],
    ) == (NOW, [(by_phone, "short flight, wears stockings")])


def test_the_sentence_on_the_list_is_the_one_that_was_judged(
    clinic: SmallClinic, md: Who, patient_id: int, visit_id: int
) -> None:
    add(yes(clinic.md, by_phone=True), patient_id, visit_id)
    line = queries.page(locale="en", now=NOW, by=md).waiting[0]
    assert line.rule_text.startswith("Flight on Thu 4 Mar 2027, within 48 hours")


def test_its_own_provider_signs_it_once(
    bound: sa.Engine, clinic: SmallClinic, md: Who, patient_id: int, visit_id: int
) -> None:
    decision_id = add(yes(clinic.md, by_phone=True), patient_id, visit_id)
    decisions.sign(decision_id, by=md, now=NOW)
    with pytest.raises(Stale):
        decisions.sign(decision_id, by=md, now=NOW)
    page = queries.page(locale="en", now=NOW, by=md)
    assert (row_of(bound, decision_id).signed_at, page.waiting) == (NOW, ())


def test_nobody_signs_for_another(clinic: SmallClinic, patient_id: int, visit_id: int) -> None:
    decision_id = add(yes(clinic.md, by_phone=True), patient_id, visit_id)
    for by in (DESK, Who(user_id=None, role="provider", provider_id=clinic.pa)):
        with pytest.raises(Denied):
            decisions.sign(decision_id, by=by, now=NOW)


def test_a_disputed_decision_counts_no_longer_and_everybody_sees_why(
    bound: sa.Engine, clinic: SmallClinic, md: Who, patient_id: int, visit_id: int
) -> None:
    decision_id = add(yes(clinic.md, by_phone=True), patient_id, visit_id)

    def counted() -> frozenset[str]:
        with Session(bound) as session:
            return stored.codes_given(session, appointment_id=visit_id, course_id=None)

    before = counted()
    decisions.disagree(decision_id, "I said after the flight", by=md, now=NOW)
    page = queries.page(locale="en", now=NOW, by=DESK)
    assert (before, counted(), [line.disputed_note for line in page.disputed]) == (
        frozenset({FLIGHT.code}),
        frozenset(),
        ["I said after the flight"],
    )


@pytest.mark.parametrize(("note", "code"), [("  ", "required"), ("x" * 301, "too_long")])
def test_who_disagrees_says_why(
    clinic: SmallClinic, md: Who, patient_id: int, visit_id: int, note: str, code: str
) -> None:
    decision_id = add(yes(clinic.md, by_phone=True), patient_id, visit_id)
    with pytest.raises(Invalid) as refusal:
        decisions.disagree(decision_id, note, by=md, now=NOW)
    assert refusal.value.fields == {"note": code}


def test_there_is_no_decision_of_that_number(md: Who) -> None:
    with pytest.raises(NotFound):
        decisions.sign(999_999, by=md, now=NOW)


def test_a_decision_for_one_appointment_says_nothing_about_the_course(
    bound: sa.Engine, clinic: SmallClinic, md: Who, patient_id: int, visit_id: int
) -> None:
    add(yes(clinic.md), patient_id, visit_id, md)
    with Session(bound) as session:
        assert stored.codes_given(session, appointment_id=None, course_id=1) == frozenset()


def test_a_course_the_desk_has_asked_about_waits_on_the_list(
    bound: sa.Engine, clinic: SmallClinic, md: Who, patient_id: int, given: Callable[..., int]
) -> None:
    given(factories.course, clinic, patient_id, is_decided=False)
    asked = given(factories.course, clinic, patient_id, is_decided=False, asked_at=NOW)
    given(factories.appointment, clinic, patient_id, day=TODAY)
    page = queries.page(locale="en", now=NOW, by=md)
    with Session(bound) as session:
        key = session.get_one(Course, asked).key
    first = page.undecided[0]
    assert (first.key, first.is_consult_due) == (
        key,
        True,
    )
