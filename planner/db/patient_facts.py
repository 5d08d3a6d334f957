"""What of a patient decides when something may be booked. Of a screening only its consequences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db.base import Base
from planner.db.models import Consent, Consult, DateToAvoid, Patient, Screening
from planner.db.prepared import Prepared
from planner.db.snapshots import Catalogue
from planner.scheduling import hours
from planner.scheduling.timetable import (
    AbsentDays,
    ConsultFact,
    Flight,
    Kind,
    PastSession,
    PatientFacts,
)

FLAGS: Mapping[str, str] = {
    "had_clots": "screening.clots",
    "is_nursing": "screening.nursing",
    "has_allergy": "screening.allergy",
    "has_acute_clot": "screening.acute_clot",
    "has_infection": "screening.infection",
    "has_limb_ischaemia": "screening.limb_ischaemia",
}
"""The rule that a yes touches; ``is_healthy`` touches one by a no."""


def load(
    session: Session, patient_ids: Collection[int], appointments: Iterable[Any], known: Catalogue
) -> dict[int, PatientFacts]:
    """Return the facts of these patients in at most three statements.

    ``appointments`` hold all theirs. Dates and consults are asked for only where there are any.
    """
    if not patient_ids:
        return {}
    patients: defaultdict[int, list[Any]] = defaultdict(list)
    for row in _patients().all(session.connection(), {"ids": sorted(patient_ids)}):
        patients[row.id].append(row)  # once for each consent
    with_dates = [its_id for its_id, rows in patients.items() if rows[0].has_dates]
    with_consults = [its_id for its_id, rows in patients.items() if rows[0].has_consults]
    dates = _by_patient(session, DateToAvoid, with_dates, "from_date")
    consults = _by_patient(session, Consult, with_consults, "held_on", "recorded_at")
    past = _past_sessions(appointments, known)
    return {
        patient_id: _facts(rows, dates[patient_id], consults[patient_id], past[patient_id])
        for patient_id, rows in patients.items()
    }


def _facts(
    rows: Sequence[Any],
    dates: Sequence[Any],
    consults: Iterable[Any],
    past: Iterable[PastSession],
) -> PatientFacts:
    patient = rows[0]
    return PatientFacts(
        birth_date=patient.birth_date,
        eligible_from=patient.eligible_from,
        is_pregnant=bool(patient.is_pregnant),
        flags=_flags(patient),
        is_screened=patient.screening_id is not None,
        consults=tuple(
            ConsultFact(on=row.held_on, outcome=row.outcome, not_until=row.not_until)
            for row in consults
        ),
        past_sessions=tuple(past),
        flights=tuple(Flight(on=day.from_date, at=day.at) for day in dates if day.kind == "flight"),
        away=_days(dates, ("trip", "absence")),
        events=_days(dates, ("event",)),
        stay_from=patient.stay_from,
        stay_until=patient.stay_until,
        consents=frozenset(row.consent for row in rows if row.consent is not None),
    )


@lru_cache
def _patients() -> Prepared:
    ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
    newest = sa.func.row_number().over(
        partition_by=Screening.patient_id,
        order_by=(Screening.recorded_at.desc(), Screening.id.desc()),
    )
    screening = (
        sa.select(Screening.metadata.tables["screening"], newest.label("age_rank"))
        .where(Screening.patient_id.in_(ids))
        .subquery()
    )
    answers = [screening.c[name] for name in (*FLAGS, "is_healthy", "is_pregnant")]
    return Prepared(
        sa.select(
            Patient.id, Patient.birth_date, Patient.eligible_from, Patient.stay_from,
            Patient.stay_until, screening.c.id.label("screening_id"),
            Consent.kind.label("consent"), *answers,
            sa.exists().where(DateToAvoid.patient_id == Patient.id).label("has_dates"),
            sa.exists().where(Consult.patient_id == Patient.id).label("has_consults"),
        )
        .outerjoin(
            screening,
            sa.and_(screening.c.patient_id == Patient.id, screening.c.age_rank == 1),
        )
        .outerjoin(Consent, Consent.patient_id == Patient.id)
        .where(Patient.id.in_(ids))
    )  # fmt: skip


def _flags(row: Any) -> frozenset[str]:
    touched = {code for answer, code in FLAGS.items() if getattr(row, answer)}
    if row.screening_id is not None and not row.is_healthy:
        touched.add("screening.health")
    return frozenset(touched)


def _by_patient(
    session: Session, model: type[Any], ids: list[int], *order: str
) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    if not ids:
        return found
    for row in _rows_of(model.__tablename__, order).all(session.connection(), {"ids": ids}):
        found[row.patient_id].append(row)
    return found


@lru_cache
def _rows_of(name: str, order: tuple[str, ...]) -> Prepared:
    table = Base.metadata.tables[name]
    ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
    columns = (*(table.c[name] for name in order), table.c.id)
    return Prepared(sa.select(table).where(table.c.patient_id.in_(ids)).order_by(*columns))


def _days(dates: Iterable[Any], kinds: tuple[str, ...]) -> tuple[AbsentDays, ...]:
    return tuple(
        AbsentDays(from_date=day.from_date, until_date=day.until_date, reason=day.note)
        for day in dates
        if day.kind in kinds
    )


def _past_sessions(
    appointments: Iterable[Any], known: Catalogue
) -> defaultdict[int, list[PastSession]]:
    found: defaultdict[int, list[PastSession]] = defaultdict(list)
    for row in sorted(appointments, key=lambda row: (row.starts_at, row.id)):
        service = known.services[row.service_id]
        if row.status != "fulfilled" or service.kind is not Kind.SESSION:
            continue
        zone = known.sites[row.site_id].zone
        found[row.patient_id].append(
            PastSession(
                on=hours.day_of(row.actual_starts_at or row.starts_at, zone),
                ends_at=row.actual_ends_at or row.ends_at,
                zones=frozenset(row.zones_treated or row.zones or ()),
                course_id=row.course_id,
                number=row.number,
                appointment_id=row.id,
            )
        )
    return found
