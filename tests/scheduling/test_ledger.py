"""Appointments kept as numbers say what the same appointments say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from planner.scheduling import availability, cells, course, index, stretch
from planner.scheduling.occupancy import Occupancy, Overlay
from planner.scheduling.timetable import Busy, Slot, Status, Timetable
from tests.scheduling import worlds, written
from tests.scheduling.oracle import Question
from tests.support.effort import examples

NOBODY: frozenset[int] = frozenset()
NO_WAY = timedelta(0)
NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
DAY = NOON.toordinal()
ZONE = "America/New_York"


def booked(
    number: int = 1,
    starts_at: datetime = NOON,
    minutes: int = 45,
    *,
    site_id: int = 1,
    before: int = 0,
    after: int = 10,
    status: Status = Status.BOOKED,
) -> Busy:
    ends_at = starts_at + timedelta(minutes=minutes)
    return Busy(
        appointment_id=number,
        status=status,
        slot=Slot(
            service_id=3,
            site_id=site_id,
            provider_id=5,
            room_id=6 + site_id,
            starts_at=starts_at,
            ends_at=ends_at,
            room_from=starts_at - timedelta(minutes=before),
            room_until=ends_at + timedelta(minutes=after),
            patient_until=ends_at + timedelta(minutes=20),
            patient_id=11,
            number=2,
        ),
        course_id=13,
        zones=frozenset({"left_calf"}),
    )


@st.composite
def changes(draw: st.DrawFn, rows: Sequence[Busy]) -> tuple[frozenset[int], list[Busy]]:
    """Some of the appointments, and what has become of some of them."""
    gone = draw(st.lists(st.sampled_from(rows), unique_by=id, max_size=4)) if rows else []
    hours = st.integers(-30, 30).map(lambda hours: timedelta(hours=hours))
    again = [_moved(busy, draw(hours)) for busy in gone if draw(st.booleans())]
    return frozenset(busy.appointment_id for busy in gone), again


def _moved(busy: Busy, by: timedelta) -> Busy:
    slot = busy.slot
    moved = slot._replace(
        starts_at=slot.starts_at + by,
        ends_at=slot.ends_at + by,
        room_from=slot.room_from + by,
        room_until=slot.room_until + by,
        patient_until=slot.patient_until + by,
    )
    return replace(busy, slot=moved)


@examples(80, 3_000)
@given(worlds.questions(), st.data())
def test_numbers_answer_as_the_appointments_themselves_whatever_has_changed_since(
    question: Question, data: st.DataObject
) -> None:
    rows = {busy.appointment_id: busy for busy in question.timetable.busy}
    kept = written.occupancy(rows.values())
    for _ in range(data.draw(st.integers(0, 3))):
        gone, again = data.draw(changes(tuple(rows.values())))
        free(replace(question.timetable, busy=kept), question)
        kept = kept.changed(gone, again)
        rows = {its_id: busy for its_id, busy in rows.items() if its_id not in gone}
        rows |= {busy.appointment_id: busy for busy in again}
    plain = replace(question.timetable, busy=tuple(rows.values()))
    numbered = replace(question.timetable, busy=kept)
    assert free(numbered, question) == free(plain, question)
    assert proposed(numbered, question) == proposed(plain, question)
    assert {busy.appointment_id: busy for busy in kept} == rows
    assert len(kept) == len(rows)


@examples(80, 3_000)
@given(worlds.questions())
def test_numbers_find_whom_the_rules_ask_about(question: Question) -> None:
    timetable = question.timetable
    plain = index.of(timetable)
    numbered = index.of(replace(timetable, busy=written.occupancy(timetable.busy)))
    for busy in timetable.busy:
        slot, its_id = busy.slot, busy.appointment_id
        for actor, actor_id in (
            ("provider", slot.provider_id),
            ("room", slot.room_id),
            ("patient", slot.patient_id or 0),
        ):
            asked = (actor, actor_id, slot.room_from, slot.patient_until)
            assert list(numbered.busy(*asked)) == list(plain.busy(*asked))
        named = numbered.occupancy.named([its_id])
        assert named == [one for one in timetable.busy if one.appointment_id == its_id]


def free(timetable: Timetable, question: Question) -> object:
    return availability.free_slots(
        timetable,
        service_id=worlds.SESSION,
        interval=timetable.horizon,
        ignoring=question.ignoring,
    )


def proposed(timetable: Timetable, question: Question) -> object:
    found = course.propose(question.order, timetable, k=5, ignoring=question.ignoring)
    return [(proposal.cost, proposal.sessions) for proposal in found]


def test_an_appointment_is_made_when_it_is_asked_for_and_once() -> None:
    kept = written.occupancy([booked()])
    (made,) = kept.of_provider(5, DAY)
    assert made == booked()
    assert all(one is made for one in (*kept.of_room(7, DAY), *kept.of_patient(11), *kept))


def test_what_has_not_changed_stays_the_same_object() -> None:
    kept = written.occupancy([booked(1), booked(2, NOON + timedelta(hours=1))])
    stays = kept.named([2])[0]
    after = kept.changed([1], [booked(1, NOON + timedelta(hours=3))])
    assert after.named([2])[0] is stays
    assert [one.appointment_id for one in after.of_provider(5, DAY)] == [2, 1]


def test_numbers_need_not_be_read_in_order() -> None:
    rows = [booked(number, NOON - timedelta(hours=number)) for number in range(1, 6)]
    rows = [replace(one, zones=frozenset({f"zone {one.appointment_id}"})) for one in rows]
    assert sorted(written.ledger_of(1, rows), key=lambda one: one.appointment_id) == rows


def test_who_has_no_course_and_no_number_has_none() -> None:
    alone = replace(booked(), course_id=None, slot=booked().slot._replace(number=None))
    assert list(written.occupancy([alone])) == [alone]


def test_what_ends_at_midnight_and_what_passes_it_is_found_on_both_days() -> None:
    midnight = datetime(2027, 3, 3, tzinfo=UTC)
    ends = booked(1, midnight - timedelta(minutes=45), after=0)
    passes = booked(2, midnight - timedelta(minutes=40), before=5)
    plain = Occupancy([ends, passes])
    kept = written.occupancy([ends, passes])
    for day in range(DAY - 1, DAY + 3):
        assert list(kept.of_provider(5, day)) == list(plain.of_provider(5, day))
        assert list(kept.of_room(7, day)) == list(plain.of_room(7, day))


def test_what_began_the_day_before_or_ends_the_day_after_takes_cells_of_the_day() -> None:
    frame = cells.frame(date(2027, 3, 2), ZONE)
    assert frame is not None
    midnight = worlds.at(date(2027, 3, 2), time(), ZONE)
    rows = [
        booked(1, midnight - timedelta(minutes=30)),
        booked(2, midnight + timedelta(hours=23, minutes=45)),
        booked(3, midnight + timedelta(hours=24, minutes=5), before=10),
    ]
    kept, plain = (
        one.taken(1, frame, margin=NO_WAY, without=NOBODY)
        for one in (written.occupancy(rows), Occupancy(rows))
    )
    assert kept.room(7) == plain.room(7) != 0
    assert kept.provider(5, frame.full) == plain.provider(5, frame.full) != (0, 0)


somewhen = st.builds(
    booked,
    st.just(0),
    st.integers(-6_000, 6_000).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    st.integers(1, 300),
    site_id=st.integers(1, 3),
    before=st.sampled_from((0, 5, 13)),
    after=st.sampled_from((0, 10, 12)),
    status=st.sampled_from((Status.BOOKED, Status.HELD)),
)


@examples(200, 10_000)
@given(
    st.lists(somewhen, max_size=8),
    st.lists(somewhen, max_size=2),
    st.integers(1, 4),
    st.sampled_from((0, 5, 45, 62, 480)),
    st.data(),
)
def test_cells_taken_are_known_from_the_numbers_for_days_and_ways_of_any_length(
    rows: list[Busy], later: list[Busy], count: int, way: int, data: st.DataObject
) -> None:
    rows = [replace(one, appointment_id=number) for number, one in enumerate(rows, start=1)]
    later = [replace(one, appointment_id=number) for number, one in enumerate(later, start=20)]
    gone = (
        data.draw(st.sets(st.sampled_from([one.appointment_id for one in rows]), max_size=2))
        if rows
        else set()
    )
    kept = written.occupancy(rows).changed(sorted(gone), later)
    left = [one for one in rows if one.appointment_id not in gone]
    frames = [
        cells.frame(date(2027, 3, 1) + timedelta(days=number), ZONE) for number in range(count)
    ]
    span = stretch.apart([one for one in frames if one is not None]).span
    of_numbers, one_by_one = (
        one.taken(1, span, margin=timedelta(minutes=way), without=NOBODY)
        for one in (kept, Overlay(Occupancy([*left, *later]), (), NOBODY))
    )
    assert [of_numbers.room(one) for one in (7, 1)] == [one_by_one.room(one) for one in (7, 1)]
    assert of_numbers.provider(5, span.full) == one_by_one.provider(5, span.full)
    assert of_numbers.provider(6, span.full) == (0, 0)


def test_a_start_too_near_to_another_site_is_known_from_the_numbers_too() -> None:
    frame = cells.frame(date(2027, 3, 2), ZONE)
    assert frame is not None
    rows = [booked(1), booked(2, NOON + timedelta(hours=2), site_id=2)]
    margin = timedelta(minutes=45)
    kept, plain = (
        one.taken(1, frame, margin=margin, without=NOBODY).provider(5, frame.full)
        for one in (written.occupancy(rows), Occupancy(rows))
    )
    assert kept == plain
    assert kept[1]
