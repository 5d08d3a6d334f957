"""Whole courses, five proposals each, beside CP-SAT's first answer and beside a plain search without rules.

The clinic is that of ``tests.scheduling.workload``, with every rule on and a patient who flies, travels, swims and
was treated before. Cold is a timetable about which nothing is known yet; warm is one that has been asked before, for
the same patients among others, and for the same wishes. Between them are a timetable read anew, as each request has
one, of which only what is booked was asked about before; and wishes that nobody has had before. CP-SAT and the plain
search are given their starts for nothing: only their own search is counted.
"""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import time
from functools import partial

from benchmarks import measuring, plain
from benchmarks.measuring import Row
from planner.scheduling import course, index
from planner.scheduling.course import Proposal
from planner.scheduling.preferences import OBJECTIVES
from planner.scheduling.timetable import Gap, Timetable
from tests.scheduling import cpsat, workload
from tests.scheduling.oracle import Question
from tests.scheduling.workload import SIX_WEEKS, TWO_WEEKS, WISHES

PATIENTS = 24
WANTED = 5
HISTORY = 9 * 90  # days before the first, as busy as those to come
PROVEN = 16  # providers up to which the solver is given the time to prove its answer
PATIENCE = 120.0  # seconds for that
GOAL = 1 / 300  # of the time to the solver's first answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a question is, and how many milliseconds its answer may take when warm."""

    providers: int
    days: int
    gap: Gap
    sessions: int = 3
    goal_ms: float | None = None

    def __str__(self) -> str:
        """Return it as a row names it."""
        weeks = "14±3" if self.gap is TWO_WEEKS else "42±7"
        return f"P={self.providers}, {self.days} d, {self.sessions} × {weeks}"


SIZES = (
    *(Size(providers=count, days=28, gap=TWO_WEEKS, sessions=2) for count in (4, 16, 64)),
    Size(providers=4, days=90, gap=TWO_WEEKS),
    Size(providers=16, days=90, gap=TWO_WEEKS, goal_ms=0.5),
    Size(providers=64, days=90, gap=TWO_WEEKS, goal_ms=1.5),
    Size(providers=4, days=180, gap=SIX_WEEKS),
    Size(providers=16, days=180, gap=SIX_WEEKS),
    Size(providers=64, days=180, gap=SIX_WEEKS, goal_ms=4),
    Size(providers=16, days=180, gap=TWO_WEEKS, sessions=6, goal_ms=20),
)


def proposals(seconds: float) -> Iterator[Row]:
    """Five proposals by the order of the provider, from cold to warm, and all three objectives at once."""
    warm: defaultdict[tuple[object, ...], dict[int, float]] = defaultdict(dict)
    for size in SIZES:
        timetable = workload.clinic(size.providers, days=size.days, patients=PATIENTS)
        rival = _rival(size, timetable)
        asked = _Asked(size)
        # What is booked is shared by the timetables of all requests.
        booked = replace(timetable, busy=index.of(timetable).occupancy)
        works: dict[str, Callable[[], object]] = {
            "cold": partial(_anew, asked, timetable),
            "new wishes": partial(asked, timetable, is_new=True),
            "new timetable": partial(_anew, asked, booked),
            "warm": partial(asked, timetable),
            "three objectives, warm": partial(asked, timetable, *OBJECTIVES),
        }
        for name, work in works.items():
            row = measuring.alone(f"proposals, {name}", str(size), work, seconds=seconds)
            if name == "warm":
                times = warm[size.days, size.gap, size.sessions]
                times[size.providers] = row.ours_ms
                row.facts.update(measuring.growth(times))
            yield _beside(row, rival, size.goal_ms if name == "warm" else None)
        yield _beside_plain(size, timetable, works["warm"], seconds)
    yield _with_history(seconds)


class _Asked:
    """A question of a size, asked for one patient after the other."""

    def __init__(self, size: Size) -> None:
        self._turn = itertools.count()
        self._orders = [
            workload.course(size.sessions, size.gap, -number) for number in range(1, PATIENTS + 1)
        ]

    def __call__(
        self, timetable: Timetable, *names: str, is_new: bool = False
    ) -> list[tuple[Proposal, ...]]:
        """Answer it by the order, or by the objectives of these names; ``is_new``: with wishes of its own."""
        turn = next(self._turn)
        order = self._orders[turn % PATIENTS]
        wishes = WISHES
        if is_new:
            latest = time(16 + turn % 2, turn // 2 % 60)
            weekdays = frozenset({turn // 120 % 5, turn // 600 % 5})
            wishes = replace(WISHES, latest=latest, weekdays=weekdays)
        return [
            course.propose(order, timetable, wishes, objective=name, k=WANTED)
            for name in names or ("order",)
        ]


def _anew(asked: _Asked, timetable: Timetable) -> object:
    return asked(workload.again(timetable))


def _beside_plain(
    size: Size, timetable: Timetable, ours: Callable[[], object], seconds: float
) -> Row:
    """All rules and all explanations beside a search that knows of neither."""
    order = workload.course(size.sessions, size.gap)
    healthy = plain.without_patients(timetable)
    bare = plain.Plain(healthy, order, WISHES)
    best = [points for points, _ in bare.best(WANTED)]
    proposed = [one.cost for one in course.propose(order, healthy, WISHES, k=WANTED)]
    if best != proposed:
        raise RuntimeError(f"{size}: a plain search finds {best}, ours {proposed}")
    return measuring.beside(
        "proposals beside a plain search, warm",
        str(size),
        ours,
        lambda: bare.best(WANTED),
        seconds=seconds,
        plain="no rules, no reasons",
    )


def _with_history(seconds: float) -> Row:
    """The same question with ten times as many appointments, most of them long over."""
    order = workload.course(3, TWO_WEEKS)
    old = workload.clinic(16, days=90, history_days=HISTORY, patients=1)
    begins = old.horizon.starts_at
    young = replace(old, busy=tuple(one for one in old.busy if one.slot.ends_at > begins))

    def ask(table: Timetable) -> tuple[Proposal, ...]:
        return course.propose(order, table, WISHES, k=WANTED)

    if ask(young) != ask(old):
        raise RuntimeError("what is long over changes what is proposed")
    return measuring.beside(
        "proposals with history, warm",
        "P=16, 90 d",
        lambda: ask(old),
        lambda: ask(young),
        seconds=seconds,
        bookings=len(old.busy),
    )


@dataclass(frozen=True, slots=True)
class _Rival:
    """How long the solver takes to a first answer, and to the proof of the best one where that is waited for."""

    first_ms: float
    proven_ms: float | None


def _rival(size: Size, timetable: Timetable) -> _Rival:
    question = Question(
        order=workload.course(size.sessions, size.gap), timetable=timetable, wishes=WISHES
    )
    starts, weights = cpsat.Starts(question), OBJECTIVES["order"]
    firsts = [cpsat.solve(starts, weights, is_first_enough=True).milliseconds for _ in range(3)]
    if size.providers > PROVEN:
        return _Rival(statistics.median(firsts), None)
    proven = cpsat.solve(starts, weights, seconds=PATIENCE)
    ours = course.propose(question.order, timetable, WISHES)
    if [one.cost for one in ours] != [proven.cost]:
        raise RuntimeError(f"{size}: the solver proves {proven.cost}, ours is {ours}")
    return _Rival(statistics.median(firsts), proven.milliseconds)


def _beside(row: Row, rival: _Rival, goal_ms: float | None) -> Row:
    facts = {"floor": "CP-SAT's first answer"} | row.facts
    if rival.proven_ms is not None:
        facts["cpsat_proven_ms"] = round(rival.proven_ms)
    if goal_ms is not None:
        facts["wanted_ms"] = goal_ms
    return replace(
        row,
        floor_ms=rival.first_ms,
        ratio=row.ours_ms / rival.first_ms,
        goal=GOAL if goal_ms is not None else None,
        facts=facts,
    )
