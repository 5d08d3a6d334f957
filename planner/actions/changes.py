"""Taking back what was just done."""

from __future__ import annotations

from datetime import datetime

from planner.db import changes, locks
from planner.db.engine import Tx, transaction
from planner.db.models import Change
from planner.errors import NotFound
from planner.who import Who


def undo(change_key: str, *, by: Who, now: datetime) -> str:
    """Put everything back as it was before the change, and return the code of what was undone.

    Appointments keep their uid; their sequence grows. Raises NotFound when there is no such change
    of this user, or more than two minutes have passed, or it was undone already; Stale when a row
    has changed again since; Refused when a slot has gone.
    """

    def work(tx: Tx) -> str:
        change = changes.find(tx.session, change_key)
        if change is None or not _is_open(change, by, now):
            raise NotFound("change")
        actors = changes.actors(change)
        locks.lock(
            tx,
            provider_ids=actors.provider_ids,
            room_ids=actors.room_ids,
            patient_ids=actors.patient_ids,
        )
        changes.take_back(tx.session, change, now=now)
        return change.label

    return transaction(work, by=by, now=now, action="change.undo")


def _is_open(change: Change, by: Who, now: datetime) -> bool:
    is_theirs = by.role == "manager" or change.user_id == by.user_id
    return is_theirs and change.undone_at is None and now - change.at <= changes.UNDO_FOR
