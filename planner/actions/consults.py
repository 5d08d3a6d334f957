"""What a provider records at a consult: answers, findings, the outcome, and the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from planner.actions import placing
from planner.actions.appointments import visits
from planner.db import (
    appointments,
    consults,
    courses,
    decisions,
    locks,
    snapshots,
    timetables,
)
from planner.db.consults import Finding
from planner.db.courses import SessionPlan
from planner.db.decisions import GivenDecision
from planner.db.engine import Idempotency, Tx, transaction
from planner.db.models import Appointment, Course, Patient, Protocol, Service, Site
from planner.errors import Denied, Invalid, NotFound, Refused, Stale
from planner.scheduling import candidacy, hours, rulebook, rules
from planner.scheduling import zones as body
from planner.scheduling.candidacy import Answers
from planner.scheduling.timetable import Conflict, Gap, Severity, Status
from planner.who import Who

__all__ = ["Answers", "Finding", "OrderGiven", "Recorded", "SessionPlan", "record"]

OUTCOMES = ("candidate", "not_now", "no", "refer")
RECORDABLE = frozenset({Status.BOOKED, Status.ARRIVED, Status.STARTED, Status.FULFILLED})
MOST_SESSIONS = 12
LONGEST_REASON = 500
LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGiven:
    """The provider's order: the protocol chosen and why, and each session as it is to be.

    ``decisions``: a reason per rule that needs the provider's decision.
    """

    protocol_id: int
    reason: str
    sessions: Sequence[SessionPlan]
    decisions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The keys of the patient and of the course ordered, "" when none was; how many were released;
    the change that undoes it."""

    patient_key: str
    course_key: str
    released: int
    change_key: str


def record(
    appointment_key: str,
    answers: Answers,
    finding: Finding,
    order: OrderGiven | None,
    *,
    version: int,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Recorded:
    """Record a consult, or correct it for as long as nothing of its course has been booked.

    With outcome ``candidate`` the order becomes the patient's course: the undecided one, when there
    is one, so that what is reserved stays; any other outcome lets reservations go. The appointment
    counts as held. ``version`` is the appointment's, as the form was made from.

    Raises ``Denied`` unless the user is a provider who may examine there, ``Invalid``, ``Stale``, and
    ``Refused`` with what still needs a decision.
    """
    _check_texts(finding, order)

    def work(tx: Tx) -> dict[str, Any]:
        return _Visit(tx, appointment_key, version).record(answers, finding, order)

    answer = transaction(
        work, by=by, now=now, action="consult.record", undoable=True, idempotency=idempotency
    )
    return Recorded(**answer)


class _Visit:
    """One consult under way: its rows, locked and checked."""

    def __init__(self, tx: Tx, key: str, version: int) -> None:
        found = appointments.find_actors(tx.session, key)
        if found is None:
            raise NotFound("appointment")
        reserved = consults.provisional_of(tx.session, found.patient_id, None)
        locks.lock(
            tx,
            provider_ids={found.provider_id, *(row.provider_id for row in reserved)},
            room_ids={row.room_id for row in reserved},
            patient_ids={found.patient_id},
        )
        self.released: list[Appointment] = []
        self.tx, self.appointment = tx, appointments.get(tx, found.appointment_id)
        self.patient = tx.session.get_one(Patient, found.patient_id)
        self.site = tx.session.get_one(Site, self.appointment.site_id)
        self.today = hours.day_of(tx.now, self.site.zone)
        self.provider_id = _examiner(tx, self.appointment)
        self.stored = consults.find_of_appointment(tx.session, self.appointment.id)
        self._check(version)

    def record(
        self, answers: Answers, finding: Finding, order: OrderGiven | None
    ) -> dict[str, Any]:
        """Write it all and return the answer."""
        _check_finding(answers, finding, self.today)
        is_candidate = finding.outcome == "candidate"
        if is_candidate and order is None:
            raise Invalid({"protocol": "required"})
        self._screen(answers)
        course = self._order(answers, finding, order) if is_candidate and order else None
        if course is None:
            self._let_go(finding)
        screening = consults.add_screening(self.tx, self.patient.id, self.provider_id, answers)
        consults.write(
            self.tx,
            self.stored,
            self.appointment,
            finding,
            provider_id=self.provider_id,
            screening_id=screening.id,
            held_on=self._held_on(),
            course_id=course.id if course else None,
        )
        self._fulfil()
        return {
            "patient_key": self.patient.key,
            "course_key": course.key if course else "",
            "released": len(self.released),
            "change_key": self.tx.change_key,
        }

    def _check(self, version: int) -> None:
        row = self.appointment
        appointments.check_version(self.tx.session, row, version)
        service = self.tx.session.get_one(Service, row.service_id)
        if service.kind != "consult":
            raise NotFound("consult")
        if Status(row.status) not in RECORDABLE:
            raise Stale({"status": (None, row.status)})
        if hours.day_of(row.starts_at, self.site.zone) > self.today:
            raise Invalid({"": "not_yet"})
        ordered = self.stored.course_id if self.stored else None
        if ordered and consults.is_followed(self.tx.session, ordered):
            raise Invalid({"": "followed"})

    def _screen(self, answers: Answers) -> None:
        rule = rulebook.resolve(
            snapshots.catalogue(self.tx.session).rules,
            "patient.eligible_from",
            on=self.today,
            site_id=self.site.id,
        )
        self.patient.eligible_from = candidacy.eligible_from(answers, rule.value)

    def _order(self, answers: Answers, finding: Finding, order: OrderGiven) -> Course:
        protocol = self._protocol(order.protocol_id)
        conflicts = candidacy.conflicts(
            answers,
            finding.zones,
            snapshots.catalogue(self.tx.session).rules,
            on=self.today,
            site_id=self.site.id,
            service_id=protocol.service_id,
        )
        given = {
            code: GivenDecision(rule_code=code, provider_id=self.provider_id, reason=reason.strip())
            for code, reason in order.decisions.items()
            if reason.strip()
        }
        _refuse_undecided(conflicts, given)
        course = self._write_course(protocol, order)
        for conflict in conflicts:
            if conflict.code in given:
                decisions.add(
                    self.tx,
                    given[conflict.code],
                    conflict,
                    patient_id=self.patient.id,
                    course_id=course.id,
                )
        return course

    def _protocol(self, protocol_id: int) -> Protocol:
        row = self.tx.session.get(Protocol, protocol_id)
        if row is None or not row.is_active:
            raise Invalid({"protocol": "choice"})
        return row

    def _write_course(self, protocol: Protocol, order: OrderGiven) -> Course:
        what: dict[str, Any] = {
            "protocol_id": protocol.id,
            "zones": protocol.zones,
            "sessions": order.sessions,
            "same_zone_gap": _same_zone_gap(self.tx, protocol),
            "order": courses.Order(provider_id=self.provider_id, reason=order.reason.strip()),
        }
        course = self._present_course()
        if course is None:
            return courses.add(
                self.tx, patient_id=self.patient.id, service_id=protocol.service_id, **what
            )
        course.service_id = protocol.service_id
        self._drop_surplus(course, len(order.sessions))
        courses.reorder(self.tx, course, **what)
        self._fit_reserved(course, order.sessions)
        return course

    def _drop_surplus(self, course: Course, count: int) -> None:
        """Let go what was reserved for sessions that the order does not have."""
        for number, row in courses.live_appointments(self.tx.session, course.id):
            if number > count:
                self._release(row)
                row.course_session_id = None

    def _fit_reserved(self, course: Course, sessions: Sequence[SessionPlan]) -> None:
        """Give what is reserved the minutes that are ordered; let go what they do not fit."""
        for number, row in courses.live_appointments(self.tx.session, course.id):
            minutes = sessions[number - 1].minutes
            if row.ends_at - row.starts_at == timedelta(minutes=minutes):
                continue
            timetable, order, _ = visits.around(self.tx, row)
            place = replace(placing.as_it_stands(row), minutes=minutes, number=number)
            slot = placing.slot_of(timetable, place, row.patient_id)
            found = rules.conflicts(
                slot, timetable, order=order, purpose="reserve", ignoring=frozenset({row.id})
            )
            if rules.worst(found) is Severity.BLOCK:
                self._release(row)
            else:
                appointments.move(row, slot, now=self.tx.now)

    def _present_course(self) -> Course | None:
        if self.stored is not None and self.stored.course_id is not None:
            return self.tx.session.get_one(Course, self.stored.course_id)
        return courses.draft_of_patient(self.tx.session, self.patient.id)

    def _let_go(self, finding: Finding) -> None:
        ordered = self.stored.course_id if self.stored else None
        rows = consults.provisional_of(self.tx.session, self.patient.id, ordered)
        for row in rows:
            self._release(row)
        course = self._present_course()
        if course is not None and (ordered or finding.outcome != "not_now"):
            course.status = "ended"

    def _release(self, row: Appointment) -> None:
        appointments.enter(row, Status.RELEASED, now=self.tx.now)
        row.ended_by, row.ended_at = "clinic", self.tx.now
        self.released.append(row)

    def _held_on(self) -> date:
        return hours.day_of(self.appointment.starts_at, self.site.zone)

    def _fulfil(self) -> None:
        row = self.appointment
        if Status(row.status) is Status.FULFILLED:
            return
        is_today = self._held_on() == self.today
        row.actual_starts_at = row.actual_starts_at or min(row.starts_at, self.tx.now)
        row.actual_ends_at = self.tx.now if is_today else row.ends_at
        appointments.enter(row, Status.FULFILLED, now=self.tx.now)


def _examiner(tx: Tx, row: Appointment) -> int:
    provider_id = tx.by.provider_id
    allowed = decisions.entitled(tx.session, service_id=row.service_id, site_id=row.site_id)
    if tx.by.role != "provider" or provider_id is None or provider_id not in allowed:
        raise Denied("only a provider who may examine here records a consult")
    return provider_id


def _same_zone_gap(tx: Tx, protocol: Protocol) -> Gap:
    """A protocol for the same zones is its own row; any other keeps the clinic's."""
    if protocol.zones == "same":
        return Gap(
            floor=protocol.gap_floor, target=protocol.gap_target, soft_max=protocol.gap_soft_max
        )
    return timetables.same_zone_gap(tx.session, now=tx.now)


def _refuse_undecided(conflicts: Sequence[Conflict], given: Mapping[str, GivenDecision]) -> None:
    # A warning is on the page in front of the very provider whom it would be shown to.
    seen = frozenset(c.code for c in conflicts if c.severity is Severity.WARN)
    standing = rules.standing(conflicts, acknowledged=seen, decided=frozenset(given))
    if standing:
        raise Refused(standing)


def _check_texts(finding: Finding, order: OrderGiven | None) -> None:
    wrong = {}
    if len(finding.note) > LONGEST_NOTE:
        wrong["note"] = "too_long"
    if order is not None:
        if not order.reason.strip():
            wrong["reason"] = "required"
        elif len(order.reason) > LONGEST_REASON:
            wrong["reason"] = "too_long"
        if not 1 <= len(order.sessions) <= MOST_SESSIONS:
            wrong["count"] = "sessions"
    if wrong:
        raise Invalid(wrong)


def _check_finding(answers: Answers, finding: Finding, today: date) -> None:
    wrong = _wrong_zones(finding)
    if finding.outcome not in OUTCOMES:
        wrong["outcome"] = "choice"
    elif finding.outcome == "candidate" and answers.is_pregnant:
        wrong["outcome"] = "pregnant"
    elif finding.outcome == "not_now" and not answers.is_pregnant:
        if finding.not_until is None:
            wrong["not_until"] = "required"
        elif finding.not_until <= today:
            wrong["not_until"] = "in_the_past"
    ended = answers.pregnancy_ended_on
    if ended is not None and ended > today:
        wrong["pregnancy_ended_on"] = "in_the_future"
    if wrong:
        raise Invalid(wrong)


def _wrong_zones(finding: Finding) -> dict[str, str]:
    if not all(body.is_known(zone) for zone in finding.zones):
        return {"zones": "choice"}
    if finding.outcome != "candidate":
        return {}
    wrong = {} if finding.zones else {"zones": "required"}
    if not finding.veins:
        wrong["veins"] = "required"
    return wrong
