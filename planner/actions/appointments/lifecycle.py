"""Carrying an appointment through its day: confirm, check in, start, complete, cancel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from planner.actions.appointments import visits
from planner.db import appointments, decisions
from planner.db.decisions import GivenDecision
from planner.db.engine import Tx, transaction
from planner.db.models import Appointment
from planner.errors import Invalid, Refused, Stale
from planner.scheduling import rules
from planner.scheduling.lifecycle import Verb
from planner.scheduling.timetable import Status
from planner.who import Who

ENDED_BY = ("patient", "clinic")
HEALTH_STATES = ("complete", "review")
LONGEST_REASON = 300
MOST_INJECTIONS = 999
MOST_MILLILITRES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """What the desk records when the patient arrives; the answer itself is for providers only."""

    health_state: str = ""  # "" (not asked) | complete | review
    health_answer: str = ""
    has_stockings: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """What took place: recorded facts, which no rule refuses; a warning about them is clicked through."""

    starts_at: datetime
    ends_at: datetime
    zones: tuple[str, ...] = ()
    note: str = ""
    injections: int | None = None
    volume_ml: float | None = None
    acknowledged: frozenset[str] = frozenset()


def confirm(key: str, *, version: int, by: Who, now: datetime) -> str:
    """Note that the patient has confirmed. Every function here returns the key that undoes it.

    All raise ``Denied`` for whoever has not the right (``planner/rights.py``), and ``Stale`` when the
    appointment has changed since the form was made, or when its status does not allow the step.
    """

    def work(tx: Tx, row: Appointment) -> None:
        if Status(row.status) is not Status.BOOKED:
            raise Stale({"status": (None, row.status)})
        row.confirmed_at, row.confirmed_by = tx.now, "clinic"

    return _changed(key, version, work, "confirm", by=by, now=now)


def check_in(key: str, seen: CheckIn, *, version: int, by: Who, now: datetime) -> str:
    """Note that the patient is here, and what became of the health question.

    Raises ``Refused`` on any day but the visit's own.
    """
    if seen.health_state not in ("", *HEALTH_STATES):
        raise Invalid({"health_state": "choice"})

    def work(tx: Tx, row: Appointment) -> None:
        visits.arrive(tx, row)
        _answer(row, seen)

    return _changed(key, version, work, "check_in", by=by, now=now)


def answer_health(key: str, seen: CheckIn, *, version: int, by: Who, now: datetime) -> str:
    """Record the health question of somebody who is already here."""
    if seen.health_state not in HEALTH_STATES:
        raise Invalid({"health_state": "choice"})

    def work(tx: Tx, row: Appointment) -> None:
        if Status(row.status) is not Status.ARRIVED:
            raise Stale({"status": (None, row.status)})
        row.health_reviewed_at = None
        _answer(row, seen)

    return _changed(key, version, work, "health", by=by, now=now)


def review_health(key: str, *, version: int, by: Who, now: datetime) -> str:
    """Note that a provider has read the patient's answer and sees nothing against it."""

    def work(tx: Tx, row: Appointment) -> None:
        if row.health_state != "review":
            raise Stale({"health_state": (None, row.health_state)})
        row.health_reviewed_at = tx.now

    return _changed(key, version, work, "review", by=by, now=now, action="review_health")


def start(
    key: str,
    *,
    version: int,
    decided: Sequence[GivenDecision] = (),
    by: Who,
    now: datetime,
) -> str:
    """Start the visit.

    Raises ``Refused`` with all that is missing: its own day, decisions, consent, the answer to the
    health question and its review.
    """

    def work(tx: Tx, row: Appointment) -> None:
        visits.allowed(row, Verb.START)
        found = visits.missing(tx, row)
        codes = frozenset(given.rule_code for given in decided)
        standing = rules.standing(found, acknowledged=frozenset(), decided=codes)
        if standing:
            raise Refused(standing)
        decisions.add_all(tx, decided, found, row)
        visits.begin(tx, row)

    return _changed(key, version, work, "start", by=by, now=now)


def complete(key: str, treated: Treated, *, version: int, by: Who, now: datetime) -> str:
    """Record what took place.

    Late, early or long are facts. An end before the start is ``Invalid``; times ahead of now, or on
    another day than the visit's, are ``Refused``.
    """
    if treated.ends_at <= treated.starts_at:
        raise Invalid({"ends": "before_start"})
    _check_amounts(treated)

    def work(tx: Tx, row: Appointment) -> None:
        visits.hold(tx, row, treated.starts_at, treated.ends_at)
        row.zones_treated = list(treated.zones)
        row.note = treated.note
        found = visits.injected(tx, row, treated.injections, treated.volume_ml)
        standing = rules.standing(found, acknowledged=treated.acknowledged, decided=frozenset())
        if standing:
            raise Refused(standing)
        appointments.complete_course(tx, row)

    return _changed(key, version, work, "complete", by=by, now=now)


def cancel(key: str, *, ended_by: str, reason: str, version: int, by: Who, now: datetime) -> str:
    """Cancel: by whom and why. A session of a course stays open for another date."""
    if ended_by not in ENDED_BY:
        raise Invalid({"ended_by": "choice"})
    return _ended(key, version, Verb.CANCEL, ended_by, reason, by=by, now=now)


def miss(key: str, *, reason: str = "", version: int, by: Who, now: datetime) -> str:
    """Note that the patient did not come. A session of a course stays open for another date.

    Raises ``Refused`` before the visit was to start.
    """
    return _ended(key, version, Verb.NO_SHOW, "patient", reason, by=by, now=now)


def release(key: str, *, reason: str = "", version: int, by: Who, now: datetime) -> str:
    """Let a hold or a reservation go."""
    return _ended(key, version, Verb.RELEASE, "clinic", reason, by=by, now=now)


def annotate(key: str, note: str, *, version: int, by: Who, now: datetime) -> str:
    """Change the note that providers and desk read before the visit."""

    def work(tx: Tx, row: Appointment) -> None:
        row.note = note

    return _changed(key, version, work, "note", by=by, now=now, action="annotate")


def _ended(
    key: str, version: int, verb: Verb, ended_by: str, reason: str, *, by: Who, now: datetime
) -> str:
    if len(reason) > LONGEST_REASON:
        raise Invalid({"reason": "too_long"})

    def work(tx: Tx, row: Appointment) -> None:
        visits.go(tx, row, verb)
        row.ended_by, row.ended_reason, row.ended_at = ended_by, reason, tx.now

    return _changed(key, version, work, verb.value, by=by, now=now, reason=reason)


def _changed(
    key: str,
    version: int,
    work: Callable[[Tx, Appointment], None],
    verb: str,
    *,
    by: Who,
    now: datetime,
    reason: str = "",
    action: str = "",
) -> str:
    def whole(tx: Tx) -> str:
        work(tx, visits.opened(tx, key, version, verb=verb))
        return tx.change_key or ""

    return transaction(
        whole, by=by, now=now, action=f"appointment.{action or verb}", reason=reason, undoable=True
    )


def _check_amounts(treated: Treated) -> None:
    most = {"injections": MOST_INJECTIONS, "volume_ml": MOST_MILLILITRES}
    wrong = {
        name: "number"
        for name, limit in most.items()
        if (value := getattr(treated, name)) is not None and not 0 <= value <= limit
    }
    if wrong:
        raise Invalid(wrong)


def _answer(row: Appointment, seen: CheckIn) -> None:
    # What the patient has sent from the own phone stays: the desk need not ask again, and cannot
    # answer away what a provider is to read.
    is_kept = row.health_state == "review" and row.health_reviewed_at is None
    if seen.health_state and not (is_kept and seen.health_state == "complete"):
        row.health_state = seen.health_state
        row.health_answer = seen.health_answer
    if seen.has_stockings is not None:
        row.has_stockings = seen.has_stockings
