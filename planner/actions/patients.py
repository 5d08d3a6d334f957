"""What the desk does with a patient: register, edit, dates to avoid, consents, plain words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from planner.db import catalogue, engine, locks, patients, phones
from planner.db.engine import Idempotency, Tx, transaction
from planner.db.models import Consent, DateToAvoid, Patient
from planner.db.patients import PatientValues
from planner.errors import Invalid, NotFound, Refused
from planner.scheduling import hours
from planner.scheduling.timetable import Conflict, Severity
from planner.who import Who

__all__ = [
    "Avoided",
    "PatientValues",
    "Registered",
    "Signed",
    "add_consent",
    "add_date",
    "edit",
    "note_opened",
    "note_sheet",
    "register",
    "remove_consent",
    "remove_date",
    "set_plain_words",
    "set_stay",
]

DUPLICATE = "patient.duplicate"
LANGUAGES = ("en", "es", "pt", "ht")
CONTACTS = ("phone", "text", "email")
DATE_KINDS = ("flight", "trip", "event", "absence")
CONSENT_KINDS = ("treatment", "photo")
LIMITS = {"given_name": 80, "family_name": 80, "phone": 40, "email": 254, "note": 1000}
EARLIEST = date(1900, 1, 1)
LONGEST_STAY = 366  # days
LENGTH_AT_HOME = len("+13055550101")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The patient's id and key, and what undoes an edit."""

    id: int
    key: str
    change_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Avoided:
    """A flight, trip, event or absence; ``at`` is a flight's departure when it is known."""

    kind: str
    from_date: date
    until_date: date
    at: time | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed consent."""

    kind: str
    text_version: str
    language: str
    signed_on: date


def register(
    values: PatientValues,
    *,
    acknowledged: frozenset[str] = frozenset(),
    by: Who,
    now: datetime,
    idempotency: Idempotency | None = None,
) -> Registered:
    """Register a patient.

    Raises ``Invalid``; and ``Refused`` with one ``patient.duplicate`` (``keys``: of whom it may be)
    until that is acknowledged. Who only shares a phone is family, and no duplicate.
    """

    def work(tx: Tx) -> dict[str, Any]:
        clean = checked(values, today=_today(tx))
        similar = patients.same_person(tx.session, clean)
        if similar and DUPLICATE not in acknowledged:
            raise Refused([_duplicate(similar)])
        row = patients.add(tx, clean)
        return {"id": row.id, "key": row.key}

    answer = transaction(work, by=by, now=now, action="patient.register", idempotency=idempotency)
    return Registered(id=answer["id"], key=answer["key"])


def edit(key: str, values: PatientValues, *, version: int, by: Who, now: datetime) -> Registered:
    """Change what is written down about a patient. Raises Invalid, NotFound or Stale."""

    def work(tx: Tx) -> Registered:
        row = patients.get(tx.session, key)
        clean = checked(values, today=_today(tx), known_phone=row.phone)
        patients.check_version(row, version, clean)
        patients.change(row, clean)
        return Registered(id=row.id, key=row.key, change_key=tx.change_key)

    return transaction(work, by=by, now=now, action="patient.edit", undoable=True)


def set_stay(
    key: str,
    stay_from: date | None,
    stay_until: date | None,
    *,
    version: int,
    by: Who,
    now: datetime,
) -> str:
    """Set from when to when a seasonal patient is in Florida; both empty: all year round.

    This and the functions below return the key that undoes it.
    """
    _check_stay(stay_from, stay_until)

    def work(tx: Tx, row: Patient) -> None:
        patients.check_version(row, version)
        row.stay_from, row.stay_until = stay_from, stay_until

    return _changed(key, work, "patient.stay", by=by, now=now)


def add_date(key: str, avoided: Avoided, *, by: Who, now: datetime) -> str:
    """Add a date to avoid. Appointments it touches stay: their pages say what is wrong."""
    fields = _wrong_date(avoided)
    if fields:
        raise Invalid(fields)

    def work(tx: Tx, row: Patient) -> None:
        patients.add_date(
            tx,
            row.id,
            kind=avoided.kind,
            from_date=avoided.from_date,
            until_date=avoided.until_date,
            at=avoided.at,
            note=avoided.note,
        )

    return _changed(key, work, "patient.add_date", by=by, now=now)


def remove_date(key: str, date_id: int, *, by: Who, now: datetime) -> str:
    """Remove a date to avoid. Raises NotFound."""

    def work(tx: Tx, row: Patient) -> None:
        tx.session.delete(_own(tx, DateToAvoid, date_id, row))

    return _changed(key, work, "patient.remove_date", by=by, now=now)


def add_consent(key: str, signed: Signed, *, by: Who, now: datetime) -> str:
    """Record a signed consent: which text, in which language, when."""

    def work(tx: Tx, row: Patient) -> None:
        fields = _wrong_consent(signed, _today(tx))
        if fields:
            raise Invalid(fields)
        tx.session.add(
            Consent(
                patient_id=row.id,
                kind=signed.kind,
                text_version=signed.text_version.strip(),
                language=signed.language,
                signed_on=signed.signed_on,
                created_at=tx.now,
                created_by=tx.by.user_id,
            )
        )

    return _changed(key, work, "patient.add_consent", by=by, now=now)


def remove_consent(key: str, consent_id: int, *, by: Who, now: datetime) -> str:
    """Take back a consent: withdrawn, or recorded by mistake. Raises NotFound."""

    def work(tx: Tx, row: Patient) -> None:
        tx.session.delete(_own(tx, Consent, consent_id, row))

    return _changed(key, work, "patient.remove_consent", by=by, now=now)


def set_plain_words(key: str, wanted: bool, *, by: Who, now: datetime) -> str:
    """Let calendar files say plainly what an appointment is, or take that back.

    The patient's coming events are marked as revised, so that files taken anew differ.
    """

    def work(tx: Tx, row: Patient) -> None:
        patients.set_plain_words(tx, row, wanted)

    return _changed(
        key, work, "patient.plain_words" if wanted else "patient.neutral_words", by=by, now=now
    )


def note_opened(patient_id: int, *, by: Who, now: datetime) -> None:
    """Write down that a patient's record was read."""
    engine.record(patients.OPENED, by=by, now=now, object_kind="patient", object_id=patient_id)


def note_sheet(key: str, *, by: Who, now: datetime) -> None:
    """Write down that a patient's sheet was printed at the desk: the next one replaces it."""

    def work(tx: Tx) -> None:
        tx.note("patient", patients.get(tx.session, key).id)

    transaction(work, by=by, now=now, action=patients.SHEET_OPENED)


def checked(values: PatientValues, *, today: date, known_phone: str = "") -> PatientValues:
    """Return the values with clean text. Raises Invalid with a code per field.

    ``known_phone`` is what is stored: it may stay, also when it is no number that can be called.
    """
    clean = replace(
        values,
        given_name=_clean(values.given_name),
        family_name=_clean(values.family_name),
        phone=_clean(values.phone),
        email=_clean(values.email),
        note=_clean(values.note),
    )
    wrong = _wrong_texts(clean)
    if not clean.given_name and not clean.family_name:
        wrong["given_name"] = "required"
    if clean.birth_date is not None and not EARLIEST <= clean.birth_date <= today:
        wrong["birth_date"] = "in_the_future" if clean.birth_date > today else "too_long_ago"
    if clean.language not in LANGUAGES:
        wrong["language"] = "choice"
    if clean.contact_by not in CONTACTS:
        wrong["contact_by"] = "choice"
    if clean.email and not _is_mail(clean.email):
        wrong["email"] = "mail"
    if clean.phone and clean.phone != known_phone and not _is_callable(clean.phone):
        wrong.setdefault("phone", "phone")
    wrong |= _wrong_stay(clean.stay_from, clean.stay_until)
    if wrong:
        raise Invalid(wrong)
    return clean


def _changed(
    key: str, work: Callable[[Tx, Patient], None], action: str, *, by: Who, now: datetime
) -> str:
    def whole(tx: Tx) -> str:
        row = patients.get(tx.session, key)
        locks.lock(tx, patient_ids={row.id})
        work(tx, row)
        return tx.change_key

    return transaction(whole, by=by, now=now, action=action, undoable=True)


def _today(tx: Tx) -> date:
    return hours.day_of(tx.now, catalogue.first_zone(tx.session))


def _is_callable(phone: str) -> bool:
    # Seven digits are possible within an area, and nobody says which: E.164 would make another number of them.
    number = phones.normalised(phone)
    return phones.is_number(phone) and (number[:2] != "+1" or len(number) == LENGTH_AT_HOME)


def _own(tx: Tx, model: type[Any], row_id: int, patient: Patient) -> Any:
    row = tx.session.get(model, row_id)
    if row is None or row.patient_id != patient.id:
        raise NotFound(model.__tablename__)
    return row


def _duplicate(similar: list[Patient]) -> Conflict:
    return Conflict(
        code=DUPLICATE, severity=Severity.WARN, params={"keys": [row.key for row in similar]}
    )


def _wrong_texts(values: PatientValues) -> dict[str, str]:
    wrong = {}
    for name, limit in LIMITS.items():
        text = getattr(values, name)
        if len(text) > limit:
            wrong[name] = "too_long"
        elif any(_is_control(sign) for sign in text) and name != "note":
            wrong[name] = "unprintable"
    return wrong


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cs")


def _is_mail(text: str) -> bool:
    name, at, domain = text.rpartition("@")
    is_split = bool(name and at and "." in domain.strip("."))
    return is_split and not any(sign.isspace() or sign in "<>,;@" for sign in name + domain)


def _check_stay(stay_from: date | None, stay_until: date | None) -> None:
    wrong = _wrong_stay(stay_from, stay_until)
    if wrong:
        raise Invalid(wrong)


def _wrong_stay(stay_from: date | None, stay_until: date | None) -> dict[str, str]:
    if stay_from is None or stay_until is None:
        return {}
    if stay_until < stay_from:
        return {"stay_until": "until_before_from"}
    return {"stay_until": "too_far"} if (stay_until - stay_from).days > LONGEST_STAY else {}


def _wrong_date(avoided: Avoided) -> dict[str, str]:
    if avoided.kind not in DATE_KINDS:
        return {"kind": "choice"}
    if avoided.until_date < avoided.from_date:
        return {"until_date": "until_before_from"}
    if (avoided.until_date - avoided.from_date).days > LONGEST_STAY:
        return {"until_date": "too_far"}
    return {"note": "too_long"} if len(avoided.note) > 200 else {}


def _wrong_consent(signed: Signed, today: date) -> dict[str, str]:
    wrong = {}
    if signed.kind not in CONSENT_KINDS:
        wrong["kind"] = "choice"
    if signed.language not in LANGUAGES:
        wrong["language"] = "choice"
    if not signed.text_version.strip():
        wrong["text_version"] = "required"
    elif len(signed.text_version) > 40:
        wrong["text_version"] = "too_long"
    if signed.signed_on > today:
        wrong["signed_on"] = "in_the_future"
    elif signed.signed_on < EARLIEST:
        wrong["signed_on"] = "too_long_ago"
    return wrong
