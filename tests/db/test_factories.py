"""The small clinic is what the tests believe it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from planner.db import engine
from planner.db.models import Appointment, Course
from tests import factories
from tests.factories import SmallClinic


def test_a_patient_with_a_course_and_a_visit_can_be_set_up(
    clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 20))
    course_id = given(factories.course, clinic, patient_id)
    with engine.reading() as session:
        first = factories.course_sessions(session, course_id)[1]
    visit = given(
        factories.appointment, clinic, patient_id, day=date(2027, 3, 3), course_session_id=first
    )

    with engine.reading() as session:
        stored = session.get_one(Appointment, visit)
        assert (stored.provider_id, stored.starts_at, stored.room_id) == (
            clinic.pa,
            factories.at(date(2027, 3, 3), 10),
            clinic.miami_1,
        )
        assert session.get_one(Course, course_id).status == "active"
