"""What a search is asked for, and what follows from it before anything is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from planner.scheduling import index
from planner.scheduling.gaps import Spacing
from planner.scheduling.preferences import Weights, Wishes
from planner.scheduling.timetable import CourseOrder, PastSession, PatientFacts, Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is searched for."""

    order: CourseOrder
    timetable: Timetable
    wishes: Wishes
    weights: Weights
    purpose: str = "book"
    ignoring: frozenset[int] = frozenset()
    k: int = 1  # how many placements are wanted


def first_day(timetable: Timetable, site_id: int) -> date:
    """Return the first day a search may use at the site."""
    return index.of(timetable).first_day(site_id)


def past_of(task: Task) -> tuple[PastSession, ...]:
    """Return the patient's past sessions, less those that this change moves away."""
    facts = task.timetable.patients.get(task.order.patient_id or 0, PatientFacts())
    return tuple(row for row in facts.past_sessions if row.appointment_id not in task.ignoring)


def spacing_of(timetable: Timetable, order: CourseOrder) -> Spacing:
    """Return what the rules say of gaps today, for this course."""
    its = index.of(timetable)
    return its.presence.spacing(
        on=its.today,
        site_id=None,
        service_id=order.service_id,
        protocol_id=order.protocol_id,
    )


def weights_of(timetable: Timetable, order: CourseOrder, objective: str) -> Weights:
    """Return what departures cost today under this name, for this course."""
    its = index.of(timetable)
    rule = its.presence.rule(
        f"proposal.{objective}",
        on=its.today,
        service_id=order.service_id,
        protocol_id=order.protocol_id,
    )
    return _weights(tuple(rule.value.items()))


@lru_cache(maxsize=64)
def _weights(value: tuple[tuple[str, int], ...]) -> Weights:
    return Weights(**dict(value))
