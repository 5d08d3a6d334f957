"""Booking one appointment: what is stored, what is refused, and who wins a race."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import flask
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions import Idempotency
from planner.actions.appointments import booking
from planner.actions.placing import Place, Terms
from planner.db import engine
from planner.db.decisions import GivenDecision
from planner.db.models import Appointment, Decision
from planner.errors import KeyReused, Refused, Stale
from planner.scheduling.timetable import Status
from planner.who import Who
from tests import factories
from tests.factories import SmallClinic, at

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)  # Monday, 9:00 at the sites
WEDNESDAY = date(2027, 3, 3)
DESK = Who(user_id=None, role="receptionist", origin="127.0.0.1", request_id="r-1")


@pytest.fixture
def patient_id(given: Callable[..., int], clinic: SmallClinic) -> int:
    return given(factories.patient)


def consult(clinic: SmallClinic, *, hour: int = 10, minute: int = 0, **changes: Any) -> Place:
    place = Place(
        service_id=clinic.consult,
        site_id=clinic.miami,
        provider_id=clinic.md,
        room_id=clinic.miami_consult,
        starts_at=at(WEDNESDAY, hour, minute),
        minutes=30,
    )
    return replace(place, **changes)


def stored(bound: sa.Engine) -> list[Appointment]:
    with Session(bound) as session:
        return list(session.scalars(sa.select(Appointment).order_by(Appointment.id)))


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [conflict.code for conflict in refusal.value.conflicts]


def test_a_booked_consult_occupies_provider_room_and_patient_by_their_own_clocks(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    booking.book(patient_id, consult(clinic), Terms(), by=DESK, now=NOW)
    [row] = stored(bound)
    assert (
        row.status, row.sequence, row.starts_at, row.ends_at, row.room_from, row.room_until,
        row.patient_until, row.expires_at,
    ) == (
        "booked", 0, at(WEDNESDAY, 10), at(WEDNESDAY, 10, 30), at(WEDNESDAY, 10),
        at(WEDNESDAY, 10, 30), at(WEDNESDAY, 10, 30), None,
    )  # fmt: skip


def test_a_booking_that_is_told_takes_thirteen_statements(
    clinic: SmallClinic,
    patient_id: int,
    given: Callable[..., int],
    count_statements: Callable[[Callable[[], object]], int],
) -> None:
    other, later = given(factories.patient, given_name="Ana"), consult(clinic, hour=11)
    booking.book(patient_id, consult(clinic), Terms(), by=DESK, now=NOW)
    count = count_statements(lambda: booking.book(other, later, Terms(), by=DESK, now=NOW))
    assert count == 13


def test_a_taken_start_is_refused_with_every_reason_and_nothing_is_saved(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    booking.book(patient_id, consult(clinic), Terms(), by=DESK, now=NOW)
    other = given(factories.patient, given_name="Ana")
    with pytest.raises(Refused) as refusal:
        booking.book(other, consult(clinic, minute=15), Terms(), by=DESK, now=NOW)
    assert (codes(refusal), len(stored(bound))) == (["provider.busy", "room.busy"], 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"room_id": "aventura_1"}, "room.other_site"),
        ({"room_id": "miami_1"}, "room.not_capable"),
        ({"provider_id": "rn_miami"}, "provider.not_capable"),
        ({"provider_id": "np_aventura"}, "provider.not_capable"),
        ({"hour": 12, "minute": 30}, "provider.outside_hours"),
        ({"hour": 10, "minute": 10}, "slot.off_grid"),
        ({"hour": 20}, "site.outside_hours"),
        ({"minutes": 33}, "slot.minutes_step"),
        ({"room_id": 999_999}, "slot.unknown"),
        ({"site_id": 999_999}, "slot.unknown"),
        ({"service_id": -1}, "slot.unknown"),
    ],
)
def test_a_slot_that_cannot_be_is_refused_in_words_never_by_a_fault(
    clinic: SmallClinic, patient_id: int, changes: dict[str, object], code: str
) -> None:
    named: dict[str, Any] = {
        name: getattr(clinic, value) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    with pytest.raises(Refused) as refusal:
        booking.book(patient_id, consult(clinic, **named), Terms(), by=DESK, now=NOW)
    assert code in codes(refusal)


def test_a_retired_provider_cannot_be_booked_from_that_day(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    with Session(bound) as session:
        session.execute(sa.text(f"UPDATE provider SET retired_from = '{WEDNESDAY}'"))
        factories.bump(session)
        session.commit()
    with pytest.raises(Refused) as refusal:
        booking.book(patient_id, consult(clinic), Terms(), by=DESK, now=NOW)
    assert "provider.retired" in codes(refusal)


def test_a_hold_lasts_until_the_site_closes_today(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    terms = Terms(status=Status.HELD, call_back_note="asks her sister")
    booking.book(patient_id, consult(clinic), terms, by=DESK, now=NOW)
    [row] = stored(bound)
    assert (row.status, row.expires_at, row.call_back_note) == (
        "held", at(date(2027, 3, 1), 18), "asks her sister",
    )  # fmt: skip


def test_a_hold_made_after_closing_lasts_until_the_next_closing(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    evening = at(date(2027, 3, 1), 19)
    booking.book(patient_id, consult(clinic), Terms(status=Status.HELD), by=DESK, now=evening)
    assert stored(bound)[0].expires_at == at(date(2027, 3, 2), 18)


def test_a_reservation_falls_away_after_seven_days(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    later = replace(consult(clinic), starts_at=at(date(2027, 3, 24), 10))
    booking.book(patient_id, later, Terms(status=Status.RESERVED), by=DESK, now=NOW)
    assert stored(bound)[0].expires_at == NOW + timedelta(days=7)


def test_an_expired_hold_gives_way_to_the_next_booking(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    booking.book(patient_id, consult(clinic), Terms(status=Status.HELD), by=DESK, now=NOW)
    other = given(factories.patient, given_name="Ana")
    booking.book(other, consult(clinic), Terms(), by=DESK, now=NOW + timedelta(days=1))
    assert [(row.status, row.sequence) for row in stored(bound)] == [("released", 1), ("booked", 0)]


def test_an_expired_hold_of_others_is_left_to_them(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    booking.book(patient_id, consult(clinic), Terms(status=Status.HELD), by=DESK, now=NOW)
    other = given(factories.patient, given_name="Ana")
    elsewhere = consult(clinic, provider_id=clinic.pa, room_id=clinic.miami_flex)
    booking.book(other, elsewhere, Terms(), by=DESK, now=NOW + timedelta(days=1))
    assert [row.status for row in stored(bound)] == ["held", "booked"]


def test_a_provider_is_not_booked_at_two_sites_without_the_time_to_get_there(
    clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    booking.book(patient_id, consult(clinic), Terms(), by=DESK, now=NOW)
    other = given(factories.patient, given_name="Ana")
    away = consult(clinic, minute=45, site_id=clinic.aventura, room_id=clinic.aventura_consult)
    with pytest.raises(Refused) as refusal:
        booking.book(other, away, Terms(), by=DESK, now=NOW)
    assert "provider.travel_minutes" in codes(refusal)


def test_a_held_appointment_is_booked_with_the_same_uid_and_the_next_sequence(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    held = booking.book(patient_id, consult(clinic), Terms(status=Status.HELD), by=DESK, now=NOW)
    [before] = stored(bound)
    booking.settle(held.key, Terms(), version=before.version, by=DESK, now=NOW)
    [after] = stored(bound)
    assert (after.status, after.uid, after.sequence, after.expires_at) == (
        "booked", before.uid, 1, None,
    )  # fmt: skip


def test_a_form_made_from_an_older_version_is_stale_and_says_what_changed(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    held = booking.book(patient_id, consult(clinic), Terms(status=Status.HELD), by=DESK, now=NOW)
    [row] = stored(bound)
    booking.settle(held.key, Terms(), version=row.version, by=DESK, now=NOW)
    with pytest.raises(Stale) as stale:
        booking.settle(held.key, Terms(), version=row.version, by=DESK, now=NOW)
    assert stale.value.changed == {"status": ("held", "booked")}


def test_the_back_button_gets_the_first_answer_and_books_nothing_twice(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    key = Idempotency("form-1", {"start": "10:00"})
    answers = [
        booking.book(patient_id, consult(clinic), Terms(), by=DESK, now=NOW, idempotency=key)
        for _ in range(2)
    ]
    assert (answers[0], len(stored(bound))) == (answers[1], 1)


def test_a_form_key_does_not_book_something_else(clinic: SmallClinic, patient_id: int) -> None:
    booking.book(
        patient_id, consult(clinic), Terms(), by=DESK, now=NOW, idempotency=Idempotency("k", "a")
    )
    with pytest.raises(KeyReused):
        booking.book(
            patient_id,
            consult(clinic, hour=14),
            Terms(),
            by=DESK,
            now=NOW,
            idempotency=Idempotency("k", "b"),
        )


def test_a_minors_consult_goes_on_after_one_click(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    minor = given(factories.patient, birth_date=date(2011, 6, 1))
    with pytest.raises(Refused) as refusal:
        booking.book(minor, consult(clinic), Terms(), by=DESK, now=NOW)
    seen = frozenset(codes(refusal))
    booking.book(minor, consult(clinic), Terms(acknowledged=seen), by=DESK, now=NOW)
    assert (set(seen), len(stored(bound))) == ({"patient.age_at_consult"}, 1)


def session_of(clinic: SmallClinic, day: date = WEDNESDAY) -> Place:
    return Place(
        service_id=clinic.sclerotherapy,
        site_id=clinic.miami,
        provider_id=clinic.pa,
        room_id=clinic.miami_1,
        starts_at=at(day, 14),
        minutes=45,
    )


def test_what_needs_a_decision_waits_for_one_and_keeps_it(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 20))
    given(factories.date_to_avoid, patient_id, kind="flight", on=date(2027, 3, 4))
    with pytest.raises(Refused) as refusal:
        booking.book(patient_id, session_of(clinic), Terms(), by=DESK, now=NOW)
    yes = GivenDecision(
        rule_code="flight.within_48h", provider_id=clinic.pa, reason="short flight", by_phone=True
    )
    booking.book(patient_id, session_of(clinic), Terms(decisions=(yes,)), by=DESK, now=NOW)
    with Session(bound) as session:
        kept = session.scalars(sa.select(Decision)).one()
    assert (codes(refusal), kept.rule_code, kept.by_phone, kept.signed_at, kept.appointment_id) == (
        ["flight.within_48h"], "flight.within_48h", True, None, stored(bound)[0].id,
    )  # fmt: skip


def test_a_nurse_who_may_not_examine_decides_nothing(
    clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 20))
    given(factories.date_to_avoid, patient_id, kind="flight", on=date(2027, 3, 4))
    yes = GivenDecision(
        rule_code="flight.within_48h", provider_id=clinic.rn_miami, reason="why not", by_phone=True
    )
    with pytest.raises(Refused) as refusal:
        booking.book(patient_id, session_of(clinic), Terms(decisions=(yes,)), by=DESK, now=NOW)
    assert codes(refusal) == ["flight.within_48h"]


def test_a_session_is_not_booked_before_the_consult_but_can_be_reserved(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    with pytest.raises(Refused) as refusal:
        booking.book(patient_id, session_of(clinic), Terms(), by=DESK, now=NOW)
    booking.book(patient_id, session_of(clinic), Terms(status=Status.RESERVED), by=DESK, now=NOW)
    assert (codes(refusal), stored(bound)[0].status) == (["consult.required"], "reserved")


def test_a_walk_in_for_a_consult_starts_at_once_off_the_grid(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int
) -> None:
    now = at(date(2027, 3, 1), 9, 40)
    place = replace(consult(clinic), starts_at=now)
    booking.see_now(patient_id, place, Terms(), by=DESK, now=now)
    [row] = stored(bound)
    assert (row.status, row.arrived_at, row.actual_starts_at) == ("started", now, now)


def test_a_walk_in_for_a_session_waits_for_what_is_missing(
    bound: sa.Engine, clinic: SmallClinic, patient_id: int, given: Callable[..., int]
) -> None:
    given(factories.consult_done, clinic, patient_id, on=date(2027, 2, 20))
    now = at(date(2027, 3, 1), 9, 40)
    place = replace(session_of(clinic), starts_at=now)
    seen = booking.see_now(patient_id, place, Terms(), by=DESK, now=now)
    assert (seen.status, stored(bound)[0].status) == (Status.ARRIVED, "arrived")


@pytest.mark.parametrize("shared", ["provider", "room", "patient"])
def test_of_two_desks_that_book_the_same_actor_one_wins(
    bound: sa.Engine,
    clinic: SmallClinic,
    patient_id: int,
    given: Callable[..., int],
    shared: str,
) -> None:
    other = given(factories.patient, given_name="Ana")
    first = (patient_id, consult(clinic))
    second = {
        "provider": (other, consult(clinic, room_id=clinic.miami_flex)),
        "room": (other, consult(clinic, provider_id=clinic.pa)),
        "patient": (
            patient_id,
            consult(clinic, provider_id=clinic.pa, room_id=clinic.miami_flex),
        ),
    }[shared]
    outcomes = at_once(
        flask.current_app._get_current_object(),  # type: ignore[attr-defined]  # the app behind the proxy
        [
            partial(booking.book, patient, place, Terms(), by=DESK, now=NOW)
            for patient, place in (first, second)
        ],
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert ([c.code for c in refused[0].conflicts], len(stored(bound))) == ([f"{shared}.busy"], 1)


def at_once(app: flask.Flask, jobs: list[Callable[[], object]]) -> list[object]:
    """Run the jobs in threads that begin together; return what each returned or raised."""
    outcomes: list[object] = [None] * len(jobs)
    barrier = threading.Barrier(len(jobs))

    def run(number: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                outcomes[number] = jobs[number]()
            except Exception as error:
                outcomes[number] = error
            finally:
                engine.db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
