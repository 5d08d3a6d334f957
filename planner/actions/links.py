"""Links that open a patient's own page: made, revoked, opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.db import feeds, keys, links, locks
from planner.db.engine import Tx, record, transaction
from planner.db.models import PatientLink
from planner.errors import Invalid, NotFound
from planner.who import Who

LIFETIME = timedelta(days=180)
SHORTEST_TOKEN = 43  # characters of URL-safe base64: 256 bits
USE_NOTED_EVERY = timedelta(hours=1)
PAGE, FILE = "page", "file"
"""What was opened with a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A link that was made, and how many older ones it put an end to."""

    expires_at: datetime
    revoked: int


def create(patient_key: str, token: str, *, replaces_others: bool, by: Who, now: datetime) -> Made:
    """Let a token open the patient's own page for 180 days; only its hash is stored.

    The same token again is the same link, so that a form sent twice makes one. With
    ``replaces_others`` the patient's older links end, and the subscriptions made by them. Raises
    NotFound; Invalid for a short token.
    """
    if len(token) < SHORTEST_TOKEN:
        raise Invalid({"token": "short"})

    def work(tx: Tx) -> Made:
        patient_id = links.kept_patient(tx.session, patient_key)
        locks.lock(tx, patient_ids=[patient_id])  # of two copies of one form the second waits
        present = links.find(tx.session, token)
        if present is not None:
            return Made(expires_at=present.expires_at, revoked=0)
        revoked = _revoke_all(tx, patient_id) if replaces_others else 0
        row = links.add(
            tx,
            patient_id=patient_id,
            token_hash=keys.digest(token),
            expires_at=now + LIFETIME,
        )
        return Made(expires_at=row.expires_at, revoked=revoked)

    return transaction(work, by=by, now=now, action="link.create")


def revoke(patient_key: str, link_id: int, *, by: Who, now: datetime) -> None:
    """End a link of the patient now, and the subscriptions that were made by it.

    One that has ended stays as it is. Raises NotFound.
    """

    def work(tx: Tx) -> None:
        owners = links.merged_ids(tx.session, links.kept_patient(tx.session, patient_key))
        found = [row for row in links.of_patients(tx.session, owners) if row.id == link_id]
        if not found:
            raise NotFound("link")
        if links.is_open(found[0], now):
            _end(tx, found)

    transaction(work, by=by, now=now, action="link.revoke")


def opened(link_id: int, *, what: str, by: Who, now: datetime) -> None:
    """Write down that a link was opened (``what``: page | file), and at most hourly when last.

    Opening never uses a link up: mail scanners open links unasked.
    """

    def work(tx: Tx) -> None:
        row = tx.session.get_one(PatientLink, link_id)
        tx.note("patient_link", row.id, {"opened": what})
        if _is_due(row.last_used_at, now):
            row.last_used_at = now
        if what == FILE and _is_due(row.file_taken_at, now):
            row.file_taken_at = now

    transaction(work, by=by, now=now, action="link.open")


def downloaded(object_kind: str, object_id: int, *, by: Who, now: datetime) -> None:
    """Write down that somebody of the clinic took out a calendar file."""
    record("calendar.download", by=by, now=now, object_kind=object_kind, object_id=object_id)


def _is_due(noted_at: datetime | None, now: datetime) -> bool:
    return noted_at is None or now - noted_at >= USE_NOTED_EVERY


def _revoke_all(tx: Tx, patient_id: int) -> int:
    owners = links.merged_ids(tx.session, patient_id)
    ending = [row for row in links.of_patients(tx.session, owners) if links.is_open(row, tx.now)]
    _end(tx, ending)
    return len(ending)


def _end(tx: Tx, rows: Sequence[PatientLink]) -> None:
    for row in rows:
        row.revoked_at = tx.now
    feeds.revoke_of_links(tx, [row.id for row in rows])
