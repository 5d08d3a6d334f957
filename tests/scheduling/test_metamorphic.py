"""What must not change, or only one way, when the question does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner.scheduling import availability, course
from planner.scheduling.course import Proposal
from planner.scheduling.occupancy import Occupancy
from planner.scheduling.preferences import OBJECTIVES, Weights
from planner.scheduling.timetable import Busy, Slot, Status
from tests.scheduling import worlds
from tests.scheduling.oracle import Minutes, Question
from tests.support.effort import examples

YEAR = timedelta(weeks=52)
NOBODY: frozenset[int] = frozenset()
ROOT = Path(__file__).resolve().parent.parent.parent
T = TypeVar("T")


@examples(25, 1_500)
@given(worlds.questions(), st.sampled_from(sorted(OBJECTIVES)), st.data())
def test_an_appointment_of_somebody_else_never_makes_it_cheaper(
    question: Question, objective: str, data: st.DataObject
) -> None:
    timetable = question.timetable
    starts = Minutes(timetable).starts(timetable.horizon)
    assume(starts)
    start = data.draw(st.sampled_from(starts))
    room_id = data.draw(st.sampled_from(sorted(timetable.rooms)))
    slot = Minutes(timetable).slot(worlds.SESSION, start, room_id, 45, worlds.STRANGER)
    more = Busy(appointment_id=800, status=Status.BOOKED, slot=slot)
    fuller = replace(question, timetable=replace(timetable, busy=(*timetable.busy, more)))
    before, after = (_costs(one, objective) for one in (question, fuller))
    assert len(after) <= len(before)
    assert all(then >= was for was, then in zip(before, after, strict=False))


@examples(25, 1_500)
@given(worlds.questions(), st.sampled_from(sorted(OBJECTIVES)), st.data())
def test_whoever_is_content_with_more_never_pays_more(
    question: Question, objective: str, data: st.DataObject
) -> None:
    wider = data.draw(st.sampled_from(WIDER))(question)
    before, after = (_costs(one, objective) for one in (question, wider))
    assert len(after) >= len(before)
    assert all(then <= was for was, then in zip(before, after, strict=False))


@examples(20, 1_000)
@given(worlds.questions(), st.sampled_from(sorted(OBJECTIVES)), st.randoms(use_true_random=False))
def test_who_is_called_what_makes_no_difference(
    question: Question, objective: str, chance: Any
) -> None:
    renamed = _renamed(
        question, lambda ids: dict(zip(ids, chance.sample(ids, len(ids)), strict=True))
    )
    assert _costs(renamed, objective) == _costs(question, objective)


@examples(20, 1_000)
@given(worlds.questions(is_plain=True), st.sampled_from(sorted(OBJECTIVES)))
def test_a_year_of_weeks_later_all_is_the_same_but_the_dates(
    question: Question, objective: str
) -> None:
    """From June to July, clear of clock changes; nothing in it speaks of age, months or holidays."""
    found = _propose(question, objective)
    assert _propose(_moved(question, YEAR), objective) == _moved(found, YEAR)


@examples(12, 500)
@given(worlds.questions(), st.sampled_from(sorted(OBJECTIVES)))
def test_rows_in_another_order_are_the_same_clinic(question: Question, objective: str) -> None:
    timetable = question.timetable
    turned = replace(
        timetable,
        busy=timetable.busy[::-1],
        sites=dict(sorted(timetable.sites.items(), reverse=True)),
        rooms=dict(sorted(timetable.rooms.items(), reverse=True)),
        providers=dict(sorted(timetable.providers.items(), reverse=True)),
    )
    assert _propose(replace(question, timetable=turned), objective) == _propose(question, objective)


@st.composite
def other_questions(draw: st.DrawFn, question: Question) -> Question:
    """What somebody else may have asked of the same clinic: one thing of it is another."""
    timetable, order, wishes = question.timetable, question.order, question.wishes
    days = draw(st.integers(2, 20)) * timedelta(days=1)
    shorter = min(timetable.horizon.ends_at, timetable.horizon.starts_at + days)
    return draw(
        st.sampled_from(
            [
                replace(
                    question,
                    timetable=replace(
                        timetable, horizon=replace(timetable.horizon, ends_at=shorter)
                    ),
                ),
                replace(
                    question, order=replace(order, patient_id=worlds.STRANGER), purpose="reserve"
                ),
                replace(question, wishes=replace(wishes, weekdays=frozenset({0, 2}))),
                replace(question, wishes=replace(wishes, provider_ids=frozenset({1}))),
                replace(question, ignoring=NOBODY),
            ]
        )
    )


@examples(60, 2_000)
@given(worlds.questions(), st.sampled_from(sorted(OBJECTIVES)), st.data())
def test_what_was_asked_before_changes_nothing(
    question: Question, objective: str, data: st.DataObject
) -> None:
    """A process keeps what it has worked out of what is booked: whoever asks next must not be told it wrongly."""
    booked = Occupancy(question.timetable.busy)
    warm = replace(question, timetable=replace(question.timetable, busy=booked))
    for _ in range(data.draw(st.integers(1, 3))):
        _propose(data.draw(other_questions(warm)), objective, k=20)
    asked, alone = (replace(one, timetable=replace(one.timetable)) for one in (warm, question))
    assert _propose(asked, objective, k=20) == _propose(alone, objective, k=20)
    assert _free(asked) == _free(alone)


def test_another_process_gives_the_same_answers() -> None:
    """With other hashes, so that nothing depends on the order of a set."""
    environment = {**os.environ, "PYTHONHASHSEED": "17"}
    said = subprocess.run(
        [sys.executable, "-c", "from tests.scheduling import test_metamorphic as m; m.tell()"],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert said.stdout == _told()


def tell() -> None:
    """Print what is proposed in a few worlds."""
    sys.stdout.write(_told())


def _told() -> str:
    told: list[str] = []

    @settings(examples(8, 8), derandomize=True)
    @given(worlds.questions())
    def ask(question: Question) -> None:
        for objective in OBJECTIVES:
            told.extend(_line(proposal) for proposal in _propose(question, objective))

    ask()
    return "\n".join(told)


def _line(proposal: Proposal) -> str:
    slots = [
        (number, slot.starts_at.isoformat(), slot.site_id, slot.provider_id, slot.room_id)
        for number, slot in sorted(proposal.slots.items())
    ]
    return f"{proposal.name} {proposal.cost} {slots}"


def _propose(question: Question, objective: str, k: int = 4) -> tuple[Proposal, ...]:
    return course.propose(
        question.order,
        question.timetable,
        question.wishes,
        objective=objective,
        k=k,
        purpose=question.purpose,
        ignoring=question.ignoring,
    )


def _free(question: Question) -> tuple[Slot, ...]:
    return availability.free_slots(
        question.timetable,
        service_id=worlds.SESSION,
        interval=question.timetable.horizon,
        patient_id=worlds.PATIENT,
        ignoring=question.ignoring,
    )


def _costs(question: Question, objective: str) -> list[int]:
    return [proposal.cost for proposal in _propose(question, objective)]


def _later_end(question: Question) -> Question:
    horizon = question.timetable.horizon
    longer = replace(horizon, ends_at=horizon.ends_at + timedelta(days=9))
    return replace(question, timetable=replace(question.timetable, horizon=longer))


def _wishing(**less: Any) -> Callable[[Question], Question]:
    return lambda question: replace(question, wishes=replace(question.wishes, **less))


def _longer_hours(question: Question) -> Question:
    """Every site and every provider half an hour longer on every day."""
    timetable = question.timetable

    def longer(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            replace(row, ends=(datetime.combine(date(2026, 1, 1), row.ends) + timedelta(minutes=30)).time())
            for row in rows
        )  # fmt: skip

    sites = {n: replace(site, hours=longer(site.hours)) for n, site in timetable.sites.items()}
    providers = {
        n: replace(one, hours={site: longer(rows) for site, rows in one.hours.items()})
        for n, one in timetable.providers.items()
    }
    return replace(question, timetable=replace(timetable, sites=sites, providers=providers))


def _without_closures(question: Question) -> Question:
    timetable = question.timetable
    return replace(
        question,
        timetable=replace(
            timetable,
            sites={n: replace(site, closures=()) for n, site in timetable.sites.items()},
            rooms={n: replace(room, outages=()) for n, room in timetable.rooms.items()},
            providers={
                n: replace(one, absences=(), breaks={}) for n, one in timetable.providers.items()
            },
        ),
    )


def _less_busy(question: Question) -> Question:
    """What strangers have booked is gone."""
    timetable = question.timetable
    kept = tuple(one for one in timetable.busy if one.slot.patient_id == worlds.PATIENT)
    return replace(question, timetable=replace(timetable, busy=kept))


WIDER: list[Callable[[Question], Question]] = [
    _later_end,
    _longer_hours,
    _without_closures,
    _less_busy,
    _wishing(site_ids=None),
    _wishing(provider_ids=None),
    _wishing(not_before=None),
    _wishing(not_after=None),
    _wishing(weekdays=frozenset()),
    _wishing(earliest=None),
    _wishing(latest=None),
]

_NAMES = {
    "site_id": "sites",
    "room_id": "rooms",
    "provider_id": "providers",
    "site_ids": "sites",
    "provider_ids": "providers",
}


def _renamed(question: Question, shuffled: Callable[[list[int]], dict[int, int]]) -> Question:
    """The same world, sites, rooms and providers having exchanged their numbers."""
    timetable = question.timetable
    names = {
        kind: shuffled(sorted(getattr(timetable, kind))) for kind in ("sites", "rooms", "providers")
    }

    def walk(value: Any, key: str = "") -> Any:
        if key in _NAMES and isinstance(value, int):
            return names[_NAMES[key]][value]
        if key in _NAMES and isinstance(value, frozenset):
            return frozenset(names[_NAMES[key]].get(one, one) for one in value)
        if key == "scope_id" and value is not None:
            return names["sites"][value]
        if key in ("treats", "examines"):
            return frozenset((service, names["sites"][site]) for service, site in value)
        if isinstance(value, Mapping):
            kind = "sites" if key in ("hours", "breaks") else key
            return {names.get(kind, {}).get(n, n): walk(one) for n, one in value.items()}
        if names_of := _fields(value):
            return type(value)(**{name: walk(getattr(value, name), name) for name in names_of})
        if isinstance(value, tuple):
            return tuple(map(walk, value))
        return value

    result: Question = walk(question)
    return result


def _moved(value: T, by: timedelta) -> T:
    """The value with every date and instant in it so much later."""
    moved: Any = value
    if isinstance(value, datetime | date):
        moved = value + by
    elif isinstance(value, Mapping):
        moved = {key: _moved(one, by) for key, one in value.items()}
    elif isinstance(value, Weights):
        moved = value
    elif names := _fields(value):
        moved = type(value)(**{name: _moved(getattr(value, name), by) for name in names})
    elif isinstance(value, tuple):
        moved = tuple(_moved(one, by) for one in value)
    result: T = moved
    return result


def _fields(value: object) -> Sequence[str]:
    """The names of what a value of ours is made of; empty for any other."""
    if is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in fields(value) if field.init]
    names: Sequence[str] = getattr(value, "_fields", ())
    return names
