"""One transaction: audited, versioned, idempotent, retried whole; refused, it leaves nothing."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import flask
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import planner
from planner.db import appointments, connections, engine, keys, traces, turns
from planner.db.engine import Idempotency, Tx
from planner.db.models import Appointment, AuditRow, Patient, ScheduleVersion, Site, User
from planner.errors import Invalid, KeyReused, NotFound, Refused, Stale, Unavailable
from planner.scheduling.timetable import Slot, Status
from planner.who import Who
from tests import factories
from tests.db.conftest import DESK, NOW, TODAY
from tests.factories import SmallClinic

Given = Callable[..., int]


def new_patient(tx: Tx, name: str = "Ana") -> int:
    """Add a patient the way an action does."""
    row = Patient(
        key=keys.new(), given_name=name, family_name="Ruiz", search_text="", created_at=tx.now
    )
    tx.session.add(row)
    tx.session.flush()
    return row.id


def run(work: Callable[[Tx], object], **options: object) -> object:
    """Run one transaction as the desk."""
    return engine.transaction(work, by=DESK, now=NOW, action="test.act", **options)  # type: ignore[arg-type]


def slot(clinic: SmallClinic, patient_id: int, hour: int = 10) -> Slot:
    """A consult of md in Miami."""
    starts_at = factories.at(TODAY, hour)
    ends_at = starts_at + timedelta(minutes=30)
    return Slot(
        service_id=clinic.consult, site_id=clinic.miami, provider_id=clinic.md,
        room_id=clinic.miami_consult, starts_at=starts_at, ends_at=ends_at, room_from=starts_at,
        room_until=ends_at, patient_until=ends_at, patient_id=patient_id,
    )  # fmt: skip


def trail() -> list[AuditRow]:
    """Return the audit trail, oldest first."""
    with engine.reading() as session:
        return list(session.scalars(sa.select(AuditRow).order_by(AuditRow.id)))


def version() -> tuple[int, int]:
    """Return the schedule version, and the one at which the catalogue last changed."""
    with engine.reading() as session:
        row = session.get_one(ScheduleVersion, 1)
        return row.version, row.catalogue


def test_the_next_is_let_in_once_all_is_kept_and_only_then(
    bound: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    def names() -> list[str]:
        with bound.connect() as connection:
            return list(connection.scalars(sa.select(Patient.given_name)))

    @contextlib.contextmanager
    def turn(_engine: sa.Engine) -> Iterator[Callable[[], None]]:
        yield lambda: told.append(names())
        told.append("put away")

    monkeypatch.setattr(turns, "turn", turn)
    run(new_patient)
    assert told == [["Ana"], "put away"]


def test_commit_is_written_once_in_the_code_base() -> None:
    sources = Path(planner.__file__).parent.rglob("*.py")
    found = [
        path.name for path in sources for _ in re.findall(r"commit\(", path.read_text("utf-8"))
    ]
    assert found == ["engine.py"]


def test_a_changed_row_is_audited_with_what_differs(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient, phone="305-555-0101")

    def work(tx: Tx) -> None:
        tx.session.get_one(Patient, patient_id).phone = "305-555-0102"
        tx.session.flush()
        tx.session.get_one(Patient, patient_id).phone = "305-555-0103"

    run(work, reason="she called")
    (row,) = trail()
    assert (row.action, row.object_kind, row.object_id, row.before, row.after, row.reason) == (
        "test.act",
        "patient",
        patient_id,
        {"phone": "305-555-0101"},
        {"phone": "305-555-0103"},
        "she called",
    )
    assert (row.at, row.origin, row.request_id) == (NOW, DESK.origin, DESK.request_id)


def test_an_added_and_a_deleted_row_are_audited_whole(bound: sa.Engine) -> None:
    patient_id = run(new_patient)
    run(lambda tx: tx.session.delete(tx.session.get_one(Patient, patient_id)))
    added, deleted = trail()
    assert (added.before, deleted.after) == (None, None)
    assert added.after == deleted.before
    assert added.after is not None
    assert added.after["given_name"] == "Ana"


def test_what_is_added_and_deleted_at_once_leaves_no_trace(bound: sa.Engine) -> None:
    def work(tx: Tx) -> None:
        tx.session.delete(tx.session.get_one(Patient, new_patient(tx)))

    run(work)
    assert trail() == []


def test_of_secrets_only_the_change_is_told(bound: sa.Engine) -> None:
    def work(tx: Tx) -> None:
        tx.session.add(
            User(
                email="x@example.com", name="X", role="manager", password_hash="$argon2id$secret",
                created_at=NOW,
            )
        )  # fmt: skip

    run(work)
    assert [row.after["password_hash"] for row in trail() if row.after] == ["changed"]


def test_a_row_stored_without_a_flush_is_as_the_database_has_it_and_traced_as_it_ends(
    clinic: SmallClinic, given: Given
) -> None:
    patient_id = given(factories.patient)

    def work(tx: Tx) -> tuple[bool, int]:
        row = appointments.add(tx, slot(clinic, patient_id), status=Status.BOOKED)
        known = traces.image(row)
        tx.session.refresh(row)
        is_same = known == traces.image(row)
        row.note = "rang twice"
        tx.session.flush()
        return is_same, row.version

    assert run(work) == (True, 2)
    (row,) = trail()
    assert row.after is not None
    assert (row.before, row.after["note"]) == (None, "rang twice")


def test_rows_of_the_catalogue_are_not_stored_without_a_flush(clinic: SmallClinic) -> None:
    site = {"name": "Doral", "colour": "#000000", "zone": factories.ZONE}
    with pytest.raises(ValueError, match="site"):
        run(lambda tx: traces.insert(tx.session, Site, site))


def test_a_write_past_the_session_is_refused(clinic: SmallClinic, given: Given) -> None:
    given(factories.patient)
    with pytest.raises(RuntimeError, match="patient"):
        run(lambda tx: tx.session.execute(sa.update(Patient).values(note="unseen")))


def test_a_read_is_recorded_in_a_transaction_of_its_own(bound: sa.Engine) -> None:
    before = version()
    engine.record(
        "patient.read", by=DESK, now=NOW, object_kind="patient", object_id=7, facts={"page": "show"}
    )
    (row,) = trail()
    assert (row.action, row.object_kind, row.object_id, row.after) == (
        "patient.read",
        "patient",
        7,
        {"page": "show"},
    )
    assert version() == before


def test_transactions_do_not_nest(bound: sa.Engine) -> None:
    with pytest.raises(RuntimeError, match="nest"):
        run(lambda tx: run(new_patient))


def test_what_raises_leaves_nothing(bound: sa.Engine) -> None:
    def work(tx: Tx) -> None:
        new_patient(tx)
        raise NotFound("something")

    with pytest.raises(NotFound):
        run(work)
    with engine.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Patient)) == 0
    assert trail() == []


@pytest.mark.parametrize(
    ("change", "bumped"),
    [
        (lambda tx, c: new_patient(tx), (False, False)),
        (lambda tx, c: setattr(tx.session.get_one(Patient, 1), "phone", "1"), (False, False)),
        (lambda tx, c: setattr(tx.session.get_one(Patient, 1), "stay_until", TODAY), (True, False)),
        (lambda tx, c: setattr(tx.session.get_one(Patient, 1), "given_name", "A"), (True, False)),
        (lambda tx, c: appointments.add(tx, slot(c, 1), status=Status.BOOKED), (True, False)),
        (lambda tx, c: setattr(tx.session.get_one(Site, c.miami), "grid_minutes", 5), (True, True)),
    ],
    ids=["new patient", "phone", "stay", "name", "appointment", "site"],
)
def test_the_version_grows_with_what_a_timetable_depends_on(
    clinic: SmallClinic,
    given: Given,
    change: Callable[[Tx, SmallClinic], object],
    bumped: tuple[bool, bool],
) -> None:
    given(factories.patient)
    before = version()
    run(lambda tx: change(tx, clinic) and None)
    after = version()
    assert (after[0] > before[0], after[1] > before[1]) == bumped


@pytest.mark.parametrize("clash", ["provider", "room", "patient"])
def test_a_guard_that_refuses_names_the_busy_actor_and_is_recorded(
    clinic: SmallClinic, given: Given, clash: str
) -> None:
    one, other = given(factories.patient), given(factories.patient)
    taken = {
        "provider": {"room_id": clinic.miami_flex},
        "room": {"provider_id": clinic.np_miami},
        "patient": {"provider_id": clinic.np_miami, "room_id": clinic.miami_flex},
    }[clash]
    patient_id = other if clash == "patient" else one
    given(factories.appointment, clinic, patient_id, day=TODAY, **taken)
    with pytest.raises(Refused) as refusal:
        run(lambda tx: appointments.add(tx, slot(clinic, other), status=Status.BOOKED) and None)
    assert [conflict.code for conflict in refusal.value.conflicts] == [f"{clash}.busy"]
    assert [(row.action, row.after) for row in trail()] == [
        ("test.act.refused", {"codes": [f"{clash}.busy"]})
    ]


def test_a_row_changed_meanwhile_is_stale(bound: sa.Engine, given: Given) -> None:
    patient_id = given(factories.patient)

    def changed_behind(tx: Tx) -> None:
        row = tx.session.get_one(Patient, patient_id)
        tx.session.connection().execute(
            sa.text("UPDATE patient SET version = version + 1 WHERE id = :id"), {"id": patient_id}
        )
        row.note = "mine"

    with pytest.raises(Stale):
        run(changed_behind)


def test_a_value_that_is_taken_names_its_field(clinic: SmallClinic) -> None:
    def work(tx: Tx) -> None:
        tx.session.add(Site(name="Miami", colour="#000000", zone=factories.ZONE))

    with pytest.raises(Invalid) as refusal:
        run(work)
    assert refusal.value.fields == {"name": "taken"}


def test_a_reference_to_nothing_is_not_found(clinic: SmallClinic) -> None:
    with pytest.raises(NotFound):
        run(lambda tx: appointments.add(tx, slot(clinic, 4711), status=Status.BOOKED) and None)


def test_a_repeat_gets_the_first_answer_and_has_no_effect(bound: sa.Engine) -> None:
    once = Idempotency("form-1", {"name": "Ana"})

    def work(tx: Tx) -> dict[str, int]:
        return {"id": new_patient(tx)}

    answers = [run(work, idempotency=once) for _ in range(3)]
    assert answers == [{"id": 1}] * 3
    assert len(trail()) == 1


def test_the_same_key_with_another_body_is_refused(bound: sa.Engine) -> None:
    run(lambda tx: {"id": new_patient(tx)}, idempotency=Idempotency("form-1", "a"))
    with pytest.raises(KeyReused):
        run(lambda tx: {"id": new_patient(tx)}, idempotency=Idempotency("form-1", "b"))


def test_a_key_belongs_to_its_user(bound: sa.Engine) -> None:
    once = Idempotency("form-1", "a")
    for user_id in (1, 2):
        by = Who(user_id=user_id, role="receptionist")
        engine.transaction(
            lambda tx: {"id": new_patient(tx)}, by=by, now=NOW, action="a", idempotency=once
        )
    assert len(trail()) == 2


def test_a_refusal_keeps_no_answer(bound: sa.Engine) -> None:
    once = Idempotency("form-1", "a")

    def refuse(tx: Tx) -> dict[str, int]:
        raise NotFound("not yet")

    with pytest.raises(NotFound):
        run(refuse, idempotency=once)
    assert run(lambda tx: {"id": new_patient(tx)}, idempotency=once) == {"id": 1}


def test_twenty_copies_at_once_have_one_effect_and_equal_answers(bound: sa.Engine) -> None:
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy's own
    start = threading.Barrier(20)

    def send(number: int) -> object:
        with app.app_context():
            start.wait()
            return run(
                lambda tx: {"id": new_patient(tx), "key": keys.new()},
                idempotency=Idempotency("form-1", {"name": "Ana"}),
            )

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    with engine.reading() as session:
        stored = session.scalar(sa.select(sa.func.count()).select_from(Patient))
    assert (stored, len(trail()), [answer == answers[0] for answer in answers]) == (
        1,
        1,
        [True] * 20,
    )


def test_rivals_that_deadlock_are_done_again(
    bound: sa.Engine, clinic: SmallClinic, given: Given
) -> None:
    """Two change two rows crosswise: on PostgreSQL one is thrown out, and tries again."""
    app = flask.current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy's own
    ids = [given(factories.patient), given(factories.patient)]
    both_hold_one = threading.Barrier(2)

    def send(order: list[int]) -> None:
        first_try = iter([True])

        def work(tx: Tx) -> None:
            for patient_id in order:
                tx.session.get_one(Patient, patient_id, with_for_update=True).note += "x"
                tx.session.flush()
                if bound.dialect.name == "postgresql" and next(first_try, False):
                    both_hold_one.wait()

        with app.app_context():
            run(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, [ids, ids[::-1]]))
    with engine.reading() as session:
        assert list(session.scalars(sa.select(Patient.note))) == ["xx", "xx"]


def test_a_reader_sees_one_snapshot(bound: sa.Engine) -> None:
    count = sa.select(sa.func.count()).select_from(Patient)
    with engine.reading() as session:
        before = session.scalar(count)
        run(new_patient)
        assert (before, session.scalar(count)) == (0, 0)


@pytest.mark.parametrize("engine_kind", ["postgresql"])  # SQLite's driver keeps it in any case
@pytest.mark.parametrize("ends", [contextlib.nullcontext, lambda: pytest.raises(NotFound)])
def test_what_the_driver_has_prepared_outlives_a_reader(
    bound: sa.Engine, ends: Callable[[], contextlib.AbstractContextManager[object]]
) -> None:
    kept = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE :that")
    for _ in range(6):  # the driver prepares what it is asked for again and again
        with ends() as refused, engine.reading() as session:
            session.scalar(sa.select(sa.func.max(Patient.id)))
            if refused is not None:
                raise NotFound("patient")
    with engine.reading() as session:
        assert session.scalar(kept, {"that": "SELECT max(patient.id)%"}) == 1


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_a_server_that_goes_while_it_is_read_is_unavailable(bound: sa.Engine) -> None:
    for asks_again in (True, False):
        with pytest.raises(Unavailable), engine.reading() as session:
            number = session.scalar(sa.text("SELECT pg_backend_pid()"))
            with bound.connect() as other:
                other.execute(
                    sa.text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number}
                )
            if asks_again:
                session.scalar(sa.select(Patient.id))
    with engine.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Patient)) == 0


def test_a_reader_keeps_nothing_that_it_has_changed(bound: sa.Engine, given: Given) -> None:
    patient_id = given(factories.patient, given_name="Ana")
    with engine.reading() as session:
        session.get_one(Patient, patient_id).given_name = "Eva"
    with engine.reading() as session:
        assert session.get_one(Patient, patient_id).given_name == "Ana"


def test_a_database_that_is_gone_is_unavailable(tmp_path: Path, engine_kind: str) -> None:
    urls = {
        "sqlite": f"sqlite:///{tmp_path}/missing/planner.sqlite3",
        "postgresql": f"postgresql://nobody@/none?host={tmp_path}",
    }
    app = flask.Flask("test")
    engine.configure(app, urls[engine_kind])
    with app.app_context():
        with pytest.raises(Unavailable), engine.reading() as session:
            session.scalar(sa.select(sa.literal(1)))
        with pytest.raises(Unavailable):
            run(new_patient)


def test_a_locked_sqlite_file_is_unavailable_after_waiting(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.db.connections.SQLITE_BUSY_MS", 50)
    app = flask.Flask("test")
    engine.configure(app, sqlite_url)
    with app.app_context():
        with engine.db.engine.connect().execution_options(planner_writing=True) as other:
            other.exec_driver_sql("SELECT 1")
            with pytest.raises(Unavailable):
                run(new_patient)
        assert run(new_patient) == 1
        engine.db.engine.dispose()


def test_sqlite_keeps_its_promises_on_every_connection(sqlite_url: str) -> None:
    app = flask.Flask("test")
    engine.configure(app, sqlite_url)
    names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
    with app.app_context(), engine.reading() as session:
        found = [session.scalar(sa.text(f"PRAGMA {name}")) for name in names]
    assert found == ["wal", 2, 1, 0, connections.SQLITE_BUSY_MS]


def test_sessions_hand_out_values_that_outlive_them(bound: sa.Engine) -> None:
    with engine.reading() as session:
        row = session.get_one(ScheduleVersion, 1)
    assert (row.version, isinstance(session, Session)) == (1, True)


def test_an_appointment_is_stored_with_its_three_clocks(clinic: SmallClinic, given: Given) -> None:
    patient_id = given(factories.patient)
    wanted = slot(clinic, patient_id)

    def work(tx: Tx) -> int:
        row = appointments.add(tx, wanted, status=Status.BOOKED)
        tx.session.flush()
        return row.id

    appointment_id = run(work)
    with engine.reading() as session:
        assert appointments.slot_of(session.get_one(Appointment, appointment_id)) == wanted
