"""Registering, editing and merging patients; dates to avoid, consents, plain words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import Idempotency, merging, patients
from planner.actions.patients import Avoided, PatientValues, Signed
from planner.db import patients as stored
from planner.db.base import Base
from planner.db.models import (
    Appointment,
    AuditRow,
    Consent,
    DateToAvoid,
    Decision,
    Patient,
    PatientLink,
    ScheduleVersion,
)
from planner.errors import Invalid, NotFound, Refused, Stale
from planner.queries import patient_page
from planner.queries import patients as queries
from tests import factories
from tests.db.conftest import DESK, NOW, TODAY
from tests.factories import SmallClinic, at

MARIA = PatientValues(
    given_name="María", family_name="López", birth_date=date(1980, 5, 17), phone="(305) 555-0101"
)


def register(values: PatientValues = MARIA, **more: Any) -> patients.Registered:
    return patients.register(values, by=DESK, now=NOW, **more)


def row_of(bound: sa.Engine, key: str) -> Patient:
    with Session(bound) as session:
        return session.scalars(sa.select(Patient).where(Patient.key == key)).one()


def count(bound: sa.Engine, model: type[Base]) -> int:
    with Session(bound) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def key_of(bound: sa.Engine, patient_id: int) -> str:
    with Session(bound) as session:
        return session.get_one(Patient, patient_id).key


def found(query: str) -> list[str]:
    page = queries.find(query, locale="en", now=NOW, by=DESK)
    return [line.name for line in page.lines]


def test_a_patient_is_stored_with_a_number_that_can_be_called(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    row = row_of(bound, register().key)
    assert (row.given_name, row.phone, row.birth_date) == (
        "María",
        "+13055550101",
        date(1980, 5, 17),
    )


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("305 555 0101", "+13055550101"),
        ("305.555.0101", "+13055550101"),
        ("1-305-555-0101", "+13055550101"),
        ("+1 (305) 555-0101", "+13055550101"),
        ("+52 55 1234 5678", "+525512345678"),
        ("+44 20 7946 0018", "+442079460018"),
        ("+509 34 10 1234", "+50934101234"),
        ("", ""),
    ],
)
def test_numbers_are_read_as_people_type_them(
    bound: sa.Engine, clinic: SmallClinic, typed: str, stored: str
) -> None:
    assert row_of(bound, register(replace(MARIA, phone=typed)).key).phone == stored


@pytest.mark.parametrize(
    "typed",
    [
        "call her sister", "12", "305 555 01 xx", "555-0101", "+999999999999999999",
        "52 55 1234 5678", "305 555 0101 x12", "+", "0", "305 555 01011",
    ],
)  # fmt: skip
def test_what_is_no_phone_number_is_refused(clinic: SmallClinic, typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        register(replace(MARIA, phone=typed))
    assert refused.value.fields == {"phone": "phone"}


def test_a_number_stored_before_may_stay_as_it_is(bound: sa.Engine, clinic: SmallClinic) -> None:
    key = register().key
    with Session(bound) as session:
        session.execute(sa.update(Patient).where(Patient.key == key).values(phone="ask her sister"))
        session.commit()
    version = row_of(bound, key).version
    kept = replace(MARIA, phone="ask her sister", given_name="Eva")
    patients.edit(key, kept, version=version, by=DESK, now=NOW)
    assert (row_of(bound, key).phone, row_of(bound, key).given_name) == ("ask her sister", "Eva")


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ("Siobhán", "O’Brien-Núñez"),
        ("דוד", "כהן"),
        ("محمد", "الأحمد"),
        ("🌸 Ana", "de la Cruz y García"),
        ("X" * 60, "Y" * 60),
        ("Cher", ""),
        ("Robert'); DROP TABLE patient;--", "<b>Tables</b>"),
    ],
)
def test_names_of_all_the_world_are_kept_and_found(
    bound: sa.Engine, clinic: SmallClinic, given: str, family: str
) -> None:
    row = row_of(bound, register(replace(MARIA, given_name=given, family_name=family)).key)
    assert (row.given_name, row.family_name, found(given)) == (
        given,
        family,
        [f"{given} {family}".strip()],
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"given_name": "  ", "family_name": ""}, {"given_name": "required"}),
        ({"given_name": "A\x00na"}, {"given_name": "unprintable"}),
        ({"family_name": "Line\nbreak"}, {"family_name": "unprintable"}),
        ({"given_name": "A" * 10_000}, {"given_name": "too_long"}),
        ({"phone": "5" * 41}, {"phone": "too_long"}),
        ({"birth_date": TODAY + timedelta(days=1)}, {"birth_date": "in_the_future"}),
        ({"birth_date": date(1899, 12, 31)}, {"birth_date": "too_long_ago"}),
        ({"language": "tlh"}, {"language": "choice"}),
        ({"contact_by": "owl"}, {"contact_by": "choice"}),
        ({"email": "nobody"}, {"email": "mail"}),
        ({"email": "a@b@example.com"}, {"email": "mail"}),
        ({"email": "a b@example.com"}, {"email": "mail"}),
        (
            {"stay_from": date(2027, 3, 2), "stay_until": date(2027, 3, 1)},
            {"stay_until": "until_before_from"},
        ),
        (
            {"stay_from": date(2027, 3, 2), "stay_until": date(2029, 3, 1)},
            {"stay_until": "too_far"},
        ),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    bound: sa.Engine, clinic: SmallClinic, changes: dict[str, Any], fields: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refusal:
        register(replace(MARIA, **changes))
    assert (refusal.value.fields, count(bound, Patient)) == (fields, 0)


@pytest.mark.parametrize(
    "second",
    [
        replace(MARIA, given_name="maria", family_name="LOPEZ", phone=""),
        replace(MARIA, given_name="López", family_name="María", birth_date=None, phone=""),
        replace(MARIA, birth_date=date(1999, 1, 1), phone="+1 305 555 0101"),
    ],
)
def test_a_second_file_of_one_person_is_warned_of_before_it_is_saved(
    bound: sa.Engine, clinic: SmallClinic, second: PatientValues
) -> None:
    first = register()
    with pytest.raises(Refused) as refusal:
        register(second)
    conflict = refusal.value.conflicts[0]
    assert (conflict.code, conflict.params["keys"], count(bound, Patient)) == (
        "patient.duplicate",
        [first.key],
        1,
    )


def test_it_is_someone_else_lets_the_second_one_in(bound: sa.Engine, clinic: SmallClinic) -> None:
    register()
    register(acknowledged=frozenset({"patient.duplicate"}))
    assert count(bound, Patient) == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(MARIA, given_name="José"),  # a family shares phone and mail
        replace(MARIA, phone="", birth_date=date(1999, 1, 1)),  # two patients with one name
        replace(MARIA, given_name="Mariana"),
    ],
)
def test_family_and_namesakes_are_no_duplicates(
    bound: sa.Engine, clinic: SmallClinic, other: PatientValues
) -> None:
    register()
    register(other)
    assert count(bound, Patient) == 2


def test_a_double_click_registers_once(bound: sa.Engine, clinic: SmallClinic) -> None:
    key = Idempotency("a-key", {"name": "María"})
    assert register(idempotency=key).key == register(idempotency=key).key


@pytest.mark.parametrize(
    "query",
    ["lopez", "LÓP mar", "mar lop", "3055550101", "(305) 555-01", "0101", "5/17/1980", "1980-05-17",
     "lopez 5/17/80", "+1 305 555"],
)  # fmt: skip
def test_a_patient_is_found_by_name_phone_or_birth_date(
    bound: sa.Engine, clinic: SmallClinic, query: str
) -> None:
    register()
    register(replace(MARIA, given_name="Ana", family_name="Ruiz", birth_date=None, phone=""))
    assert found(query) == ["María López"]


@pytest.mark.parametrize("query", ["opez", "lopez ana", "5/18/1980", "%", "_", "' OR 1=1 --", "zz"])
def test_a_search_finds_nobody_else(bound: sa.Engine, clinic: SmallClinic, query: str) -> None:
    register()
    assert found(query) == []


def test_an_empty_search_offers_whom_one_has_opened_lately(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    desk = replace(DESK, user_id=clinic.receptionist)
    ids = [register(replace(MARIA, given_name=name)).id for name in ("Ana", "Bea", "Cleo")]
    for patient_id in (ids[0], ids[1], ids[0]):
        patients.note_opened(patient_id, by=desk, now=NOW)
    page = queries.find("", locale="en", now=NOW, by=desk)
    assert [line.name for line in page.lines] == ["Ana López", "Bea López"]


def test_the_search_asks_the_database_as_often_for_one_as_for_three(
    bound: sa.Engine, clinic: SmallClinic, count_statements: Callable[..., int]
) -> None:
    def of(query: str) -> int:
        return count_statements(lambda: queries.find(query, locale="en", now=NOW, by=DESK))

    for name in ("Ana", "Anabel", "Anais"):
        register(replace(MARIA, given_name=name))
    assert of("anabel") == of("ana")


def test_the_opening_of_a_record_is_in_the_audit_trail(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    done = register()
    patients.note_opened(done.id, by=DESK, now=NOW)
    with Session(bound) as session:
        last = session.scalars(sa.select(AuditRow).order_by(AuditRow.id.desc())).first()
        assert last is not None
        assert (last.action, last.object_kind, last.object_id) == (
            "patient.open",
            "patient",
            done.id,
        )


def test_an_edit_is_found_under_the_new_name_and_no_longer_under_the_old(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    key = register().key
    patients.edit(key, replace(MARIA, family_name="Ruiz"), version=1, by=DESK, now=NOW)
    assert (found("ruiz"), found("lopez")) == (["María Ruiz"], [])


def test_an_edit_from_an_old_form_says_what_has_changed(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    key = register().key
    patients.edit(key, replace(MARIA, note="first"), version=1, by=DESK, now=NOW)
    with pytest.raises(Stale) as stale:
        patients.edit(key, replace(MARIA, note="second"), version=1, by=DESK, now=NOW)
    assert stale.value.changed == {"note": ("second", "first")}


def test_dates_to_avoid_come_and_go_and_make_schedules_stale(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    key = register().key

    def version() -> int:
        with Session(bound) as session:
            return session.get_one(ScheduleVersion, 1).version

    before = version()
    flight = Avoided(
        kind="flight", from_date=date(2027, 3, 5), until_date=date(2027, 3, 5), at=time(14, 30)
    )
    patients.add_date(key, flight, by=DESK, now=NOW)
    with Session(bound) as session:
        row = session.scalars(sa.select(DateToAvoid)).one()
    patients.remove_date(key, row.id, by=DESK, now=NOW)
    assert (row.kind, row.at, count(bound, DateToAvoid), version()) == (
        "flight",
        time(14, 30),
        0,
        before + 2,
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"kind": "ship"}, {"kind": "choice"}),
        ({"until_date": date(2027, 3, 4)}, {"until_date": "until_before_from"}),
        ({"until_date": date(2029, 3, 4)}, {"until_date": "too_far"}),
        ({"note": "x" * 201}, {"note": "too_long"}),
    ],
)
def test_a_date_that_cannot_be_is_refused(
    bound: sa.Engine, clinic: SmallClinic, changes: dict[str, Any], fields: dict[str, str]
) -> None:
    flight = Avoided(kind="flight", from_date=date(2027, 3, 5), until_date=date(2027, 3, 5))
    key = register().key
    with pytest.raises(Invalid) as refusal:
        patients.add_date(key, replace(flight, **changes), by=DESK, now=NOW)
    assert refusal.value.fields == fields


def test_nobody_removes_the_dates_of_somebody_else(bound: sa.Engine, clinic: SmallClinic) -> None:
    one, other = register().key, register(replace(MARIA, given_name="Ana")).key
    day = date(2027, 3, 5)
    patients.add_date(one, Avoided(kind="trip", from_date=day, until_date=day), by=DESK, now=NOW)
    with Session(bound) as session:
        date_id = session.scalars(sa.select(DateToAvoid.id)).one()
    with pytest.raises(NotFound):
        patients.remove_date(other, date_id, by=DESK, now=NOW)


def test_a_consent_keeps_its_version_language_and_day(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    signed = Signed(kind="treatment", text_version="2027-01", language="es", signed_on=TODAY)
    patients.add_consent(register().key, signed, by=DESK, now=NOW)
    with Session(bound) as session:
        row = session.scalars(sa.select(Consent)).one()
    assert (row.kind, row.text_version, row.language, row.signed_on) == (
        "treatment",
        "2027-01",
        "es",
        TODAY,
    )


def test_a_consent_of_tomorrow_is_refused(bound: sa.Engine, clinic: SmallClinic) -> None:
    signed = Signed(
        kind="photo", text_version="", language="xx", signed_on=TODAY + timedelta(days=1)
    )
    key = register().key
    with pytest.raises(Invalid) as refusal:
        patients.add_consent(key, signed, by=DESK, now=NOW)
    assert refusal.value.fields == {
        "text_version": "required",
        "language": "choice",
        "signed_on": "in_the_future",
    }


def test_plain_words_are_dated_can_be_taken_back_and_refresh_what_is_to_come(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    coming = given(factories.appointment, clinic, patient_id, day=TODAY + timedelta(days=2))
    past = given(
        factories.appointment, clinic, patient_id, day=TODAY - timedelta(days=7), status="fulfilled"
    )
    key = key_of(bound, patient_id)
    patients.set_plain_words(key, True, by=DESK, now=NOW)
    since = row_of(bound, key).plain_words_since
    with Session(bound) as session:
        touched = [session.get_one(Appointment, i).ical_modified_at == NOW for i in (coming, past)]
        sequence = session.get_one(Appointment, coming).sequence
    patients.set_plain_words(key, False, by=DESK, now=NOW)
    assert (since, touched, sequence, row_of(bound, key).plain_words_since) == (
        NOW,
        [True, False],
        0,
        None,
    )


def test_s29_a_flight_added_later_flags_the_appointment_it_touches(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    given(factories.consult_done, clinic, patient_id, on=TODAY - timedelta(days=3))
    course_id = given(factories.course, clinic, patient_id)
    with Session(bound) as session:
        first = factories.course_sessions(session, course_id)[1]
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3), course_session_id=first)
    key = key_of(bound, patient_id)

    def flags() -> list[str]:
        page = patient_page.page(key, locale="en", now=NOW, by=DESK)
        return [conflict.code for visit in page.coming for conflict in visit.conflicts]

    before = flags()
    day = date(2027, 3, 4)
    patients.add_date(key, Avoided(kind="flight", from_date=day, until_date=day), by=DESK, now=NOW)
    assert (before, flags()) == ([], ["flight.within_48h"])


def test_merging_keeps_everything_and_leads_the_old_address_to_the_kept_file(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    kept = given(factories.patient, phone="", family_name="Lopez")
    other = given(factories.patient, phone="+13055550101", family_name="López", note="two files")
    everything(given, clinic, kept, TODAY - timedelta(days=30))
    everything(given, clinic, other, TODAY - timedelta(days=60))
    before = {model: count(bound, model) for model in stored.THEIRS}
    kept_key, other_key = key_of(bound, kept), key_of(bound, other)
    merging.merge(kept_key, other_key, kept_version=1, other_version=1, by=DESK, now=NOW)
    with Session(bound) as session:
        after = {
            model: session.scalar(
                sa.select(sa.func.count()).select_from(model).where(model.patient_id == kept)
            )
            for model in stored.THEIRS
        }
        reached = stored.get(session, other_key).key
    row = row_of(bound, kept_key)
    assert (after, reached, row.phone, row.note, found("0101")) == (
        before,
        kept_key,
        "+13055550101",
        "two files",
        ["Maria Lopez"],
    )


def test_every_table_that_has_a_patient_is_handed_over() -> None:
    having = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name == "patient" for key in table.foreign_keys)
    }
    assert having == {model.__tablename__ for model in stored.THEIRS} | {"patient"}


def test_files_whose_appointments_overlap_are_not_merged(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    one, other = given(factories.patient), given(factories.patient)
    day = TODAY + timedelta(days=2)
    given(factories.appointment, clinic, one, day=day, hour=10)
    given(
        factories.appointment, clinic, other, day=day, hour=10, minute=15,
        provider_id=clinic.np_aventura, room_id=clinic.aventura_consult, site_id=clinic.aventura,
    )  # fmt: skip
    keys = key_of(bound, one), key_of(bound, other)
    with pytest.raises(Refused) as refusal:
        merging.merge(*keys, kept_version=1, other_version=1, by=DESK, now=NOW)
    conflict = refusal.value.conflicts[0]
    assert (conflict.code, conflict.params["on"], conflict.params["other_starts_at"]) == (
        "patient.merge_overlap",
        day,
        at(day, 10, 15),
    )


def test_a_file_is_not_merged_with_itself_nor_from_an_old_page(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    one, other = register().key, register(replace(MARIA, given_name="Ana")).key
    with pytest.raises(Invalid):
        merging.merge(one, one, kept_version=1, other_version=1, by=DESK, now=NOW)
    with pytest.raises(Stale):
        merging.merge(one, other, kept_version=1, other_version=7, by=DESK, now=NOW)


def test_a_file_merged_twice_still_leads_to_the_one_that_is_left(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    a, b, c = (register(replace(MARIA, given_name=name)).key for name in ("Ana", "Bea", "Cleo"))
    merging.merge(b, a, kept_version=1, other_version=1, by=DESK, now=NOW)
    version = row_of(bound, b).version
    merging.merge(c, b, kept_version=1, other_version=version, by=DESK, now=NOW)
    with Session(bound) as session:
        assert [stored.get(session, key).key for key in (a, b, c)] == [c, c, c]


def everything(given: Callable[..., int], clinic: SmallClinic, patient_id: int, day: date) -> None:
    visit = given(factories.appointment, clinic, patient_id, day=day, status="fulfilled")
    course_id = given(factories.course, clinic, patient_id)
    given(factories.consult_done, clinic, patient_id, on=day, course_id=course_id)
    given(factories.date_to_avoid, patient_id, kind="flight", on=day)
    given(factories.consent, patient_id, on=day)
    given(_add, Decision(
        rule_code="zone.face", patient_id=patient_id, course_id=course_id, provider_id=clinic.md,
        reason="seen", params={}, given_at=at(day, 10), appointment_id=visit,
    ))  # fmt: skip
    given(_add, PatientLink(
        patient_id=patient_id, token_hash=f"hash {patient_id}",
        created_at=at(day, 10), expires_at=at(day, 10) + timedelta(days=400),
    ))  # fmt: skip


def _add(session: Session, row: Any) -> int:
    session.add(row)
    session.flush()
    return int(row.id)
