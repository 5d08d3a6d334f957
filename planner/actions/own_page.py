"""What patients do on their own page. Each names the link it was opened with: ended, it does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from planner.db import appointments, catalogue, links, locks, notices, patients
from planner.db.engine import Idempotency, Tx, transaction
from planner.db.models import Appointment, Patient, Site
from planner.db.notices import Told
from planner.errors import Invalid, NotFound, Stale
from planner.scheduling import hours
from planner.scheduling.timetable import Status
from planner.who import Who

__all__ = ["Preferences", "Seen", "Told", "answer_health", "confirm", "prefer", "tell"]

LONGEST_TEXT = 1000
MOST_WAITING = 20  # notices of one patient
REMINDERS = ("none", "mail", "sms")
PARTS = ("", "morning", "afternoon", "evening")
OPEN = frozenset({Status.HELD, Status.RESERVED, Status.BOOKED})
FURTHEST = timedelta(days=730)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The visit somebody means, and when it was to begin on the page they looked at."""

    visit_key: str
    starts_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How a patient wants to hear from the clinic, and in which words."""

    plain_words: bool
    reminders_by: str  # none | mail | sms
    invitations: bool  # for the calendar of their mail


def confirm(
    link_id: int, seen: Seen, *, by: Who, now: datetime, idempotency: Idempotency | None = None
) -> None:
    """Note that the patient will come; said twice it stays as it was said first.

    Raises NotFound for a link that has ended or a visit that is somebody else's, and Stale for a
    visit that was moved or does not take place any more. So do all that name a visit.
    """

    def work(tx: Tx, patient: Patient) -> None:
        row = _visit(tx, patient, seen, frozenset({Status.BOOKED}))
        if row.confirmed_at is None:
            row.confirmed_at, row.confirmed_by = tx.now, "patient"

    _done(link_id, work, "own_page.confirm", by=by, now=now, idempotency=idempotency)


def answer_health(
    link_id: int,
    seen: Seen,
    text: str,
    *,
    has_changed: bool,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> None:
    """Answer the question of check-in on the day of the visit; what is written is for a provider.

    That something has changed is never taken back here: what is added to it is read too. Raises
    Invalid.
    """
    _check_text(text)

    def work(tx: Tx, patient: Patient) -> None:
        row = _visit(tx, patient, seen, frozenset({Status.BOOKED, Status.ARRIVED}))
        zone = tx.session.get_one(Site, row.site_id).zone
        if hours.day_of(tx.now, zone) != hours.day_of(row.starts_at, zone):
            raise Stale({"day": (None, hours.day_of(row.starts_at, zone))})
        if row.health_state == "review":
            _add_to_answer(row, text)
        else:
            row.health_state = "review" if has_changed or text else "complete"
            row.health_answer = text

    _done(link_id, work, "own_page.answer_health", by=by, now=now, idempotency=idempotency)


def tell(
    link_id: int,
    told: Told,
    seen: Seen | None = None,
    *,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> None:
    """Leave a notice for the desk, or about health for a provider. It changes nothing by itself.

    Raises Invalid too.
    """
    _check(told)

    def work(tx: Tx, patient: Patient) -> None:
        _check_flight(told, hours.day_of(tx.now, catalogue.first_zone(tx.session)))
        row = _visit(tx, patient, seen, OPEN) if seen else None
        if len(notices.waiting_of(tx.session, patient.id)) >= MOST_WAITING:
            raise Invalid({"text": "too_many"})
        notices.add(tx, told, patient_id=patient.id, appointment_id=row.id if row else None)

    _done(link_id, work, f"own_page.{told.kind}", by=by, now=now, idempotency=idempotency)


def prefer(link_id: int, wanted: Preferences, *, by: Who, now: datetime) -> None:
    """Keep how the patient wants to hear from the clinic; everything can be taken back.

    Since when plain words and invitations are wanted is kept with it. Raises NotFound; Invalid.
    """
    if wanted.reminders_by not in REMINDERS:
        raise Invalid({"reminders_by": "choice"})

    def work(tx: Tx, patient: Patient) -> None:
        patients.set_plain_words(tx, patient, wanted.plain_words)
        patient.reminders_by = wanted.reminders_by
        if wanted.invitations != (patient.invitations_since is not None):
            patient.invitations_since = tx.now if wanted.invitations else None

    _done(link_id, work, "own_page.prefer", by=by, now=now)


def _done(
    link_id: int,
    work: Callable[[Tx, Patient], None],
    action: str,
    *,
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> None:
    def whole(tx: Tx) -> dict[str, Any]:
        patient_id = links.holder(tx.session, link_id, now=tx.now)
        if patient_id is None:
            raise NotFound("link")
        locks.lock(tx, patient_ids=[patient_id])
        work(tx, tx.session.get_one(Patient, patient_id, populate_existing=True))
        return {}

    transaction(whole, by=by, now=now, action=action, idempotency=idempotency)


def _visit(tx: Tx, patient: Patient, seen: Seen, statuses: frozenset[Status]) -> Appointment:
    row = appointments.find_by_key(tx.session, seen.visit_key)
    if row is None or row.patient_id not in links.merged_ids(tx.session, patient.id):
        raise NotFound("appointment")
    is_over = row.expires_at is not None and row.expires_at <= tx.now
    if Status(row.status) not in statuses or is_over:
        raise Stale({"status": (None, row.status)})
    if row.starts_at != seen.starts_at:
        raise Stale({"starts_at": (seen.starts_at, row.starts_at)})
    return row


def _add_to_answer(row: Appointment, text: str) -> None:
    if not text or text in row.health_answer.split("\n\n"):
        return
    whole = "\n\n".join(filter(None, (row.health_answer, text)))
    _check_text(whole)
    row.health_answer, row.health_reviewed_at = whole, None


def _check(told: Told) -> None:
    if told.kind not in notices.KINDS:
        raise Invalid({"kind": "choice"})
    _check_text(told.text)
    if told.kind == notices.HEALTH and not told.text:
        raise Invalid({"text": "required"})
    _check_wishes(told.wishes)
    if told.kind == "flight" and told.flight_on is None:
        raise Invalid({"flight_day": "required"})


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise Invalid({"text": "too_long"})


def _check_wishes(wishes: Mapping[str, Any]) -> None:
    if wishes.get("part", "") not in PARTS:
        raise Invalid({"part": "choice"})
    if any(day not in range(7) for day in wishes.get("weekdays", ())):
        raise Invalid({"weekdays": "choice"})


def _check_flight(told: Told, today: date) -> None:
    if told.flight_on is None:
        return
    if told.flight_on < today:
        raise Invalid({"flight_day": "in_the_past"})
    if told.flight_on - today > FURTHEST:
        raise Invalid({"flight_day": "out_of_range"})
