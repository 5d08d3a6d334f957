"""Whole courses: booked or not at all, held, reserved, settled, given another gap, paused, ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import flask
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import courses, placing
from planner.actions.courses import Chosen
from planner.db import engine
from planner.db.models import Appointment, Course, CourseSession
from planner.errors import Invalid, NotFound, Refused, Stale
from planner.queries import audits
from planner.scheduling.timetable import Gap, Status
from tests import factories
from tests.db.conftest import DESK, NOW
from tests.factories import SmallClinic, at

FIRST = date(2027, 3, 3)  # a Wednesday
TWO_WEEKS = timedelta(days=14)


@pytest.fixture
def patient_id(given: Callable[..., int], clinic: SmallClinic) -> int:
    patient_id = given(factories.patient)
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 24))
    given(factories.consent, patient_id, on=date(2027, 2, 24))
    return patient_id


@pytest.fixture
def key(bound: sa.Engine, given: Callable[..., int], clinic: SmallClinic, patient_id: int) -> str:
    return key_of(bound, given(factories.course, clinic, patient_id))


def key_of(bound: sa.Engine, course_id: int) -> str:
    with Session(bound) as session:
        return session.get_one(Course, course_id).key


def course_of(bound: sa.Engine, key: str) -> Course:
    with Session(bound) as session:
        return session.scalars(sa.select(Course).where(Course.key == key)).one()


def version_of(bound: sa.Engine, key: str) -> int:
    return course_of(bound, key).version


def three(clinic: SmallClinic, *, days: tuple[int, int, int] = (0, 14, 28)) -> tuple[Chosen, ...]:
    return tuple(
        Chosen(
            number=number,
            site_id=clinic.miami,
            provider_id=clinic.pa,
            room_id=clinic.miami_1,
            starts_at=at(FIRST + timedelta(days=day), 10),
        )
        for number, day in enumerate(days, start=1)
    )


def book(
    bound: sa.Engine, key: str, chosen: tuple[Chosen, ...], terms: placing.Terms | None = None
) -> courses.Done:
    return courses.book(
        key,
        chosen,
        terms or placing.Terms(),
        version=version_of(bound, key),
        wishes={},
        by=DESK,
        now=NOW,
    )


def statuses(bound: sa.Engine) -> list[str]:
    with Session(bound) as session:
        return list(session.scalars(sa.select(Appointment.status).order_by(Appointment.starts_at)))


def test_S36_three_sessions_two_weeks_apart_are_booked_in_one_go(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    done = book(bound, key, three(clinic))
    assert (sorted(done.appointments), statuses(bound)) == ([1, 2, 3], ["booked"] * 3)


def test_a_course_is_booked_whole_or_not_at_all(
    bound: sa.Engine, clinic: SmallClinic, key: str, given: Callable[..., int]
) -> None:
    other = given(factories.patient, given_name="Ana")
    given(
        factories.appointment,
        clinic,
        other,
        day=FIRST + 2 * TWO_WEEKS,
        service_id=clinic.sclerotherapy,
    )
    with pytest.raises(Refused) as refusal:
        book(bound, key, three(clinic))
    codes = {conflict.code for conflict in refusal.value.conflicts}
    assert (codes, len(statuses(bound))) == ({"provider.busy", "room.busy"}, 1)


@pytest.mark.parametrize(
    ("gap_days", "code"),
    [
        (6, "gap.below_floor"),
        (7, "gap.below_target"),
        (13, "gap.below_target"),
        (22, "gap.above_soft_max"),
    ],
)
def test_S36_a_gap_outside_its_window_is_refused_until_somebody_answers_for_it(
    bound: sa.Engine, clinic: SmallClinic, key: str, gap_days: int, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        book(bound, key, three(clinic, days=(0, gap_days, gap_days + 14)))
    assert {conflict.code for conflict in refusal.value.conflicts} == {code}


def test_a_warning_clicked_through_books_the_course(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    terms = placing.Terms(acknowledged=frozenset({"gap.below_target"}))
    book(bound, key, three(clinic, days=(0, 13, 27)), terms)
    assert statuses(bound) == ["booked"] * 3


def test_S20_before_the_consult_sessions_are_reserved_never_booked(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    newcomer = given(factories.patient, given_name="Nora")
    key = courses.draft(newcomer, clinic.two_weeks, by=DESK, now=NOW).key
    with pytest.raises(Refused) as refusal:
        book(bound, key, three(clinic))
    book(bound, key, three(clinic), placing.Terms(status=Status.RESERVED))
    codes = {conflict.code for conflict in refusal.value.conflicts}
    assert ("consult.required" in codes, statuses(bound)) == (True, ["reserved"] * 3)


def test_S38_an_undecided_course_cannot_be_booked(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    key = courses.draft(patient_id, clinic.six_weeks, by=DESK, now=NOW).key
    with pytest.raises(Refused) as refusal:
        book(bound, key, three(clinic, days=(0, 42, 84)))
    assert {conflict.code for conflict in refusal.value.conflicts} == {"order.undecided"}


def test_a_held_course_is_settled_at_once(bound: sa.Engine, clinic: SmallClinic, key: str) -> None:
    book(bound, key, three(clinic), placing.Terms(status=Status.HELD, call_back_note="after six"))
    held = statuses(bound)
    courses.settle(key, version=version_of(bound, key), terms=placing.Terms(), by=DESK, now=NOW)
    assert (held, statuses(bound)) == (["held"] * 3, ["booked"] * 3)


def test_letting_go_of_a_held_course_frees_its_times(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    book(bound, key, three(clinic), placing.Terms(status=Status.HELD))
    courses.release(key, version=version_of(bound, key), by=DESK, now=NOW)
    book(bound, key, three(clinic))
    assert sorted(statuses(bound)) == ["booked"] * 3 + ["released"] * 3


def test_only_the_first_session_can_be_booked(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    book(bound, key, three(clinic)[:1])
    assert statuses(bound) == ["booked"]


def test_one_gap_of_one_course_becomes_21_days(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    change_gap(bound, key, 2, Gap(floor=14, target=21, soft_max=28))
    with Session(bound) as session:
        rows = session.scalars(sa.select(CourseSession).order_by(CourseSession.number)).all()
        gaps = [(row.gap_target, row.gap_is_custom) for row in rows]
    book(bound, key, three(clinic, days=(0, 21, 35)))
    assert gaps == [(14, False), (21, True), (14, False)]


def test_a_changed_gap_is_what_a_booking_is_judged_by(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    change_gap(bound, key, 2, Gap(floor=20, target=21, soft_max=28))
    with pytest.raises(Refused) as refusal:
        book(bound, key, three(clinic))
    assert {conflict.code for conflict in refusal.value.conflicts} == {"gap.below_floor"}


def change_gap(bound: sa.Engine, key: str, number: int, gap: Gap) -> None:
    courses.change_gap(
        key, number, gap, reason="Travels.", version=version_of(bound, key), by=DESK, now=NOW
    )


def test_a_page_made_before_a_change_books_nothing(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    stale = version_of(bound, key)
    courses.set_package(key, "package of 3", version=stale, by=DESK, now=NOW)
    with pytest.raises(Stale):
        courses.book(
            key, three(clinic), placing.Terms(), version=stale, wishes={}, by=DESK, now=NOW
        )
    assert statuses(bound) == []


def test_S17_a_paused_course_releases_what_is_ahead(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    book(bound, key, three(clinic))
    courses.pause(key, reason="pause", version=version_of(bound, key), by=DESK, now=NOW)
    course = course_of(bound, key)
    assert (course.status, set(statuses(bound))) == ("paused", {"cancelled"})


def test_a_course_is_not_ended_without_a_reason(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    with pytest.raises(Invalid) as invalid:
        courses.end(key, reason="  ", version=version_of(bound, key), by=DESK, now=NOW)
    assert invalid.value.fields == {"reason": "required"}


def test_a_course_that_is_not_there_is_not_found(bound: sa.Engine, clinic: SmallClinic) -> None:
    with pytest.raises(NotFound):
        courses.set_package("nothing", "x", version=1, by=DESK, now=NOW)


def test_two_desks_that_book_rival_courses_leave_one_whole_course(
    bound: sa.Engine, clinic: SmallClinic, key: str, given: Callable[..., int]
) -> None:
    rival = given(factories.patient, given_name="Ana")
    given(factories.consult_done, clinic, rival, on=date(2027, 2, 24))
    other = key_of(bound, given(factories.course, clinic, rival))
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]  # behind the proxy
    outcomes: list[str] = []
    versions = {one: version_of(bound, one) for one in (key, other)}

    def desk(course: str, chosen: tuple[Chosen, ...]) -> None:
        with app.app_context():
            try:
                courses.book(
                    course,
                    chosen,
                    placing.Terms(),
                    version=versions[course],
                    wishes={},
                    by=DESK,
                    now=NOW,
                )
                outcomes.append("booked")
            except Refused:
                outcomes.append("refused")
            engine.db.session.remove()

    rivals = [
        threading.Thread(target=desk, args=(key, three(clinic))),
        threading.Thread(target=desk, args=(other, tuple(reversed(three(clinic))))),
    ]
    for thread in rivals:
        thread.start()
    for thread in rivals:
        thread.join()
    assert (sorted(outcomes), statuses(bound)) == (["booked", "refused"], ["booked"] * 3)


def test_a_plan_made_before_another_was_booked_is_stale(
    bound: sa.Engine, clinic: SmallClinic, key: str
) -> None:
    """Also where neither of the two wished for anything."""
    seen = version_of(bound, key)
    book(bound, key, three(clinic)[:1])
    with pytest.raises(Stale):
        courses.book(
            key, three(clinic)[1:], placing.Terms(), version=seen, wishes={}, by=DESK, now=NOW
        )


def test_what_was_booked_passes_the_audit(bound: sa.Engine, clinic: SmallClinic, key: str) -> None:
    book(bound, key, three(clinic))
    assert audits.everything(now=NOW) == ()
