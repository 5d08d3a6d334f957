"""What may become of an appointment: one table of verbs, each from some statuses to one other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from planner.scheduling.timetable import Status


class Verb(StrEnum):
    """What somebody does to an appointment that changes its status."""

    BOOK = "book"  # a hold or a reservation becomes firm
    RELEASE = "release"
    CHECK_IN = "check_in"
    START = "start"
    COMPLETE = "complete"
    NO_SHOW = "no_show"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Transition:
    """From which statuses a verb leads, and where to."""

    sources: frozenset[Status]
    target: Status


TRANSITIONS: Mapping[Verb, Transition] = {
    Verb.BOOK: Transition(frozenset({Status.HELD, Status.RESERVED}), Status.BOOKED),
    Verb.RELEASE: Transition(frozenset({Status.HELD, Status.RESERVED}), Status.RELEASED),
    Verb.CHECK_IN: Transition(frozenset({Status.BOOKED}), Status.ARRIVED),
    Verb.START: Transition(frozenset({Status.ARRIVED}), Status.STARTED),
    Verb.COMPLETE: Transition(frozenset({Status.STARTED}), Status.FULFILLED),
    Verb.NO_SHOW: Transition(frozenset({Status.BOOKED, Status.ARRIVED}), Status.NO_SHOW),
    Verb.CANCEL: Transition(frozenset({Status.BOOKED, Status.ARRIVED}), Status.CANCELLED),
}

MOVABLE = frozenset({Status.HELD, Status.RESERVED, Status.BOOKED})
"""May be given another start."""

SWAPPABLE = MOVABLE | {Status.ARRIVED, Status.STARTED}
"""May be given another room or provider at the start they have."""

_CALENDAR: Mapping[Status, str] = {
    Status.HELD: "TENTATIVE",
    Status.RESERVED: "TENTATIVE",
    Status.NO_SHOW: "CANCELLED",
    Status.CANCELLED: "CANCELLED",
    Status.RELEASED: "CANCELLED",
}


def find_target(status: Status, verb: Verb) -> Status | None:
    """Return the status the verb leads to from here, or None where it may not be done."""
    transition = TRANSITIONS[verb]
    return transition.target if status in transition.sources else None


def verbs(status: Status) -> tuple[Verb, ...]:
    """Return what may be done from here, in the order of a visit."""
    return tuple(verb for verb in Verb if status in TRANSITIONS[verb].sources)


def calendar_status(status: Status) -> str:
    """Return the STATUS of the event that shows this appointment (RFC 5545, 3.8.1.11)."""
    return _CALENDAR.get(status, "CONFIRMED")


def is_revision(before: Status, after: Status) -> bool:
    """Whether a calendar has to hear of it: only then the sequence grows (RFC 5546, 2.1.4)."""
    return calendar_status(before) != calendar_status(after)
