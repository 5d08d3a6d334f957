"""The engine beside OR-Tools' CP-SAT on clinics of a real size: the same least cost."""

from __future__ import annotations

import pytest

from planner.scheduling import course
from planner.scheduling.preferences import OBJECTIVES
from planner.scheduling.timetable import Gap
from tests.scheduling import cpsat, workload
from tests.scheduling.oracle import Question
from tests.scheduling.workload import SIX_WEEKS, TWO_WEEKS


def _assert_equal(providers: int, gap: Gap, objective: str, *, patient: int, **size: int) -> None:
    timetable = workload.clinic(
        providers, days=size.get("days", 90), patients=patient, seed=providers + patient
    )
    question = Question(
        order=workload.course(size.get("sessions", 3), gap, -patient),
        timetable=timetable,
        wishes=workload.WISHES,
    )
    weights = OBJECTIVES[objective]
    expected = cpsat.solve(cpsat.Starts(question), weights)
    found = course.propose(question.order, timetable, question.wishes, objective=objective)
    assert [proposal.cost for proposal in found] == [expected.cost]


@pytest.mark.parametrize(
    ("providers", "gap", "objective", "patient"),
    [
        (4, TWO_WEEKS, "order", 1),
        (4, SIX_WEEKS, "soonest", 2),
        (8, TWO_WEEKS, "soonest", 3),
    ],
)
def test_the_engine_finds_what_the_solver_proves(
    providers: int, gap: Gap, objective: str, patient: int
) -> None:
    _assert_equal(providers, gap, objective, patient=patient)


def test_the_same_time_each_visit_is_what_the_solver_proves() -> None:
    _assert_equal(4, TWO_WEEKS, "same_time", patient=4, days=45)


@pytest.mark.long
@pytest.mark.parametrize("patient", range(1, 7))
@pytest.mark.parametrize("gap", [TWO_WEEKS, SIX_WEEKS], ids=["two weeks", "six weeks"])
@pytest.mark.parametrize("providers", [4, 8, 16])
@pytest.mark.parametrize("objective", ["order", "soonest"])
def test_the_engine_finds_what_the_solver_proves_for_many(
    objective: str, providers: int, gap: Gap, patient: int
) -> None:
    _assert_equal(providers, gap, objective, patient=patient, days=120)


@pytest.mark.long
@pytest.mark.parametrize("patient", range(1, 4))
def test_six_sessions_cost_what_the_solver_proves(patient: int) -> None:
    _assert_equal(8, TWO_WEEKS, "order", patient=patient, sessions=6, days=140)
