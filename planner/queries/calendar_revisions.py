"""When what calendars say last changed, apart from the appointments themselves: asked of the audit trail.

An event's LAST-MODIFIED is the last change of anything in it: of a site's address and the clinic's
phone as much as of its time. Nothing of that is stored with each appointment, for the trail knows it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.models import AuditRow, Consult, Course, CourseSession, RuleRecord

SAID: Mapping[str, tuple[str, ...]] = {
    "clinic": ("phone", "neutral_name"),
    "clinic_text": ("text", "is_placeholder"),
    "site": ("name", "address", "zone", "arrival_note", "phone"),
    "service": ("name", "code", "kind"),
    "provider": ("name",),
}
"""The columns that some event shows, of tables that belong to no patient."""

SIDES: tuple[Any, ...] = (AuditRow.before, AuditRow.after)
OF_EVERY_EVENT = ("clinic", "clinic_text")
OF_ALL = ("", 0)
RULES = ("aftercare.%", "compression.%", "session.walk_range")
"""Codes of the rules by which what follows a session is worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """Instants at which what events say has changed.

    ``words``: the last, by table and row; under OF_ALL the last of what every event says.
    """

    words: Mapping[tuple[str, int], datetime]
    spans: tuple[
        datetime, ...
    ] = ()  # in order: each at which what follows a session may have moved

    def latest(self, at: datetime, *keys: tuple[str, int]) -> datetime:
        """Return the last of an instant and those that concern an event, by table and row."""
        for key in keys:
            found = self.words.get(key)
            if found is not None and found > at:
                at = found
        return at

    def spans_since(self, at: datetime) -> int:
        """Return how often what follows a session may have moved since an instant."""
        return len(self.spans) - bisect_right(self.spans, at)


def of_patients(session: Session, patient_ids: Collection[int]) -> Revisions:
    """Return the revisions of the events of a patient, under whichever ids they are kept."""
    asked = {"patient_ids": sorted(patient_ids)}
    words = _by_row(session.execute(_LAST_OF_PATIENTS, asked))
    spans = tuple(sorted(set(session.scalars(_SPANS, asked))))
    if spans:  # what moves a note also numbers the sessions anew
        words[OF_ALL] = max(words.get(OF_ALL, spans[-1]), spans[-1])
    return Revisions(words=words, spans=spans)


def of_schedule(session: Session, patient_ids: Collection[int]) -> Revisions:
    """Return the revisions of what a provider sees of visits of these patients, by patient."""
    asked = {"patient_ids": sorted(patient_ids)}
    return Revisions(words=_by_row(session.execute(_LAST_OF_SCHEDULE, asked), by_patient=True))


def _by_row(found: Iterable[Any], *, by_patient: bool = False) -> dict[tuple[str, int], datetime]:
    instants: defaultdict[tuple[str, int], list[datetime]] = defaultdict(list)
    for kind, row_id, last in found:
        is_shared = kind in OF_EVERY_EVENT or (kind == "patient" and not by_patient)
        instants[OF_ALL if is_shared else (kind, row_id or 0)].append(last)
    return {key: max(several) for key, several in instants.items()}


def _is_aftercare() -> sa.ColumnElement[bool]:
    kept = sa.select(RuleRecord.id).where(sa.or_(*map(RuleRecord.code.like, RULES)))
    told = [side["code"].as_string() for side in SIDES]  # of a rule that is new, or gone
    return sa.or_(AuditRow.object_id.in_(kept), *(t.like(code) for t in told for code in RULES))


def _of(kind: str, which: sa.ColumnElement[bool], *columns: str) -> sa.ColumnElement[bool]:
    changed = (side[column].as_string().is_not(None) for side in SIDES for column in columns)
    return sa.and_(AuditRow.object_kind == kind, which, sa.or_(*changed))


# Put together once: that takes longer than the database takes to answer.
_PATIENT_IDS: sa.BindParameter[Any] = sa.bindparam("patient_ids", expanding=True)


def _last(*columns_of_patients: str) -> sa.Select[*tuple[Any, ...]]:
    at = sa.func.max(AuditRow.at, type_=AuditRow.at.type)
    owned = _of("patient", AuditRow.object_id.in_(_PATIENT_IDS), *columns_of_patients)
    shared = (_of(kind, sa.true(), *columns) for kind, columns in SAID.items())
    return (
        sa.select(AuditRow.object_kind, AuditRow.object_id, at)
        .where(sa.or_(*shared, owned))
        .group_by(AuditRow.object_kind, AuditRow.object_id)
    )


def _spans() -> sa.Select[datetime]:
    courses = sa.select(Course.id).where(Course.patient_id.in_(_PATIENT_IDS))
    numbers = sa.select(CourseSession.id).where(CourseSession.course_id.in_(courses))
    consults = sa.select(Consult.id).where(Consult.patient_id.in_(_PATIENT_IDS))
    return sa.select(AuditRow.at).where(
        sa.or_(
            _of("course", AuditRow.object_id.in_(courses), "ordered_at"),
            _of("course_session", AuditRow.object_id.in_(numbers), "zones"),
            _of("consult", AuditRow.object_id.in_(consults), "veins", "course_id"),
            sa.and_(AuditRow.object_kind == "rule_record", _is_aftercare()),
        )
    )


_LAST_OF_PATIENTS = _last("language", "plain_words_since", "merged_into_id")
_LAST_OF_SCHEDULE = _last("given_name", "family_name")
_SPANS = _spans()
