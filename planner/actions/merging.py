"""Making one patient of two files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from planner.db import appointments, catalogue, locks, patients
from planner.db.engine import Tx, transaction
from planner.db.models import Patient, Site
from planner.errors import Invalid, Refused
from planner.scheduling import hours, reading
from planner.scheduling.timetable import Conflict, Severity
from planner.who import Who

OVERLAP = "patient.merge_overlap"
LONGEST_NOTE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The key of the file that was kept, and the change that undoes it."""

    key: str
    change_key: str


def merge(
    kept_key: str,
    other_key: str,
    *,
    kept_version: int,
    other_version: int,
    by: Who,
    now: datetime,
) -> Merged:
    """Give all that belongs to one file to another, and lead its address there.

    What the kept file leaves empty is filled from the other. Raises ``Invalid`` for one and the same
    file, ``Stale`` when either has changed, ``Refused`` when both have live appointments that overlap.
    """

    def work(tx: Tx) -> Merged:
        kept, other = _both(tx, kept_key, other_key)
        patients.check_version(kept, kept_version)
        patients.check_version(other, other_version)
        _refuse_overlap(tx, kept, other)
        patients.hand_over(tx.session, other.id, kept.id)
        _fill_blanks(kept, other)
        other.merged_into_id = kept.id
        tx.note("patient", kept.id, {"merged_from": other.id})
        return Merged(key=kept.key, change_key=tx.change_key)

    return transaction(work, by=by, now=now, action="patient.merge", undoable=True)


def _both(tx: Tx, kept_key: str, other_key: str) -> tuple[Patient, Patient]:
    kept, other = patients.get(tx.session, kept_key), patients.get(tx.session, other_key)
    if kept.id == other.id:
        raise Invalid({"other": "same_patient"})
    ids = {kept.id, other.id}
    locks.lock(tx, patient_ids=ids)
    appointments.release_expired(tx, provider_ids=(), room_ids=(), patient_ids=ids)
    return kept, other


def _refuse_overlap(tx: Tx, kept: Patient, other: Patient) -> None:
    found = patients.find_overlap(tx.session, kept.id, other.id)
    if found is None:
        return
    zone = catalogue.get(tx.session, Site, found[0].site_id).zone
    params = {
        "on": hours.day_of(found[0].starts_at, zone),
        "kept_starts_at": found[0].starts_at,
        "other_starts_at": found[1].starts_at,
        "site_id": found[0].site_id,
    }
    raise Refused([Conflict(code=OVERLAP, severity=Severity.BLOCK, params=params)])


def _fill_blanks(kept: Patient, other: Patient) -> None:
    kept.birth_date = kept.birth_date or other.birth_date
    kept.phone = kept.phone or other.phone
    kept.email = kept.email or other.email
    if kept.stay_from is None and kept.stay_until is None:
        kept.stay_from, kept.stay_until = other.stay_from, other.stay_until
    kept.plain_words_since = kept.plain_words_since or other.plain_words_since
    # Of two dates the later is the safe one; the next screening sets it anew.
    kept.eligible_from = max(_dates(kept.eligible_from, other.eligible_from), default=None)
    kept.note = "\n".join(filter(None, (kept.note, other.note)))[:LONGEST_NOTE]
    kept.search_text = reading.search_text(
        kept.given_name, kept.family_name, kept.phone, kept.birth_date
    )


def _dates(*days: date | None) -> list[date]:
    return [day for day in days if day is not None]
