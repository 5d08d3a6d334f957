"""What the clinic does with what patients told it on their own page."""

from __future__ import annotations

from datetime import datetime

from planner import rights
from planner.db import locks, notices, patients
from planner.db.engine import Tx, record, transaction
from planner.errors import Denied, Invalid
from planner.who import Who

LONGEST_NOTE = 300
LONGEST_WORDS = 200  # of a date to avoid


def handle(notice_id: int, *, note: str = "", by: Who, now: datetime) -> None:
    """Take a notice off the list. Of health only a provider may who may read it.

    Raises NotFound; Stale when somebody was faster; Denied; Invalid for a note that is too long.
    """
    if len(note) > LONGEST_NOTE:
        raise Invalid({"note": "too_long"})

    def work(tx: Tx) -> None:
        row = notices.get_waiting(tx, notice_id)
        is_health = row.kind == notices.HEALTH
        if is_health and not _may_read(tx, notice_id):
            raise Denied("only a provider answers for what was said of health")
        notices.handle(tx, row, how="read" if is_health else "done", note=note)

    transaction(work, by=by, now=now, action="notice.handle")


def take_over_flight(notice_id: int, *, by: Who, now: datetime) -> None:
    """Write the flight of a notice down among the patient's dates to avoid, and take the notice off.

    What is booked stays: the pages of the appointments it touches say what is wrong. Raises NotFound
    or Stale; Invalid for a notice of another kind.
    """

    def work(tx: Tx) -> None:
        row = notices.get_waiting(tx, notice_id)
        if row.flight_on is None:
            raise Invalid({"kind": "choice"})
        locks.lock(tx, patient_ids=[row.patient_id])
        patients.add_date(
            tx,
            row.patient_id,
            kind="flight",
            from_date=row.flight_on,
            until_date=row.flight_on,
            at=row.flight_at,
            note=row.text[:LONGEST_WORDS],
        )
        notices.handle(tx, row, how="taken")

    transaction(work, by=by, now=now, action="notice.take_over")


def note_read(notice_ids: tuple[int, ...], *, by: Who, now: datetime) -> None:
    """Write down that a provider was shown what patients said of their health."""
    if notice_ids:
        record(notices.READ, by=by, now=now, object_kind="notice", facts={"ids": notice_ids})


def _may_read(tx: Tx, notice_id: int) -> bool:
    provider_id = tx.by.provider_id
    if provider_id is None or not rights.may(tx.by, "read_health"):
        return False
    return notices.may_read(tx.session, notice_id, provider_id)
