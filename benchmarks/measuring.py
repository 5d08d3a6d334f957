"""Two ways of doing the same thing, timed in turns, so that a noisy machine disturbs both alike."""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any, NamedTuple

WARM_UP = 5
FEWEST = 9
MOST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: medians and 95th percentiles in milliseconds; ``goal`` is the largest ratio wanted."""

    name: str
    size: str
    ours_ms: float
    floor_ms: float | None = None
    ratio: float | None = None
    ours_p95_ms: float | None = None
    floor_p95_ms: float | None = None
    goal: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_missed(self) -> bool:
        """Whether the ratio is larger than wanted, or it takes longer or does less than the facts want."""
        if self.goal is not None and self.ratio is not None and self.ratio > self.goal:
            return True
        enough = self.facts.get("per_second", 0) >= self.facts.get("wanted_per_second", 0)
        return not enough or self.ours_ms > self.facts.get("wanted_ms", math.inf)


class Taken(NamedTuple):
    """Milliseconds of the clock, and of this process's processor: those a busy machine leaves as they are."""

    clock: float
    processor: float


def alone(
    name: str,
    size: str,
    ours: Callable[[], object],
    *,
    seconds: float,
    times: int | None = None,
    **facts: Any,
) -> Row:
    """Time what has nothing to stand beside: for so long, or, where each takes long, so many times."""
    taken = _timed([ours], seconds)[0] if times is None else [_taken(ours) for _ in range(times)]
    return _row(name, size, taken, None, goal=None, facts=facts)


def beside(
    name: str,
    size: str,
    ours: Callable[[], object],
    floor: Callable[[], object],
    *,
    seconds: float,
    goal: float | None = None,
    **facts: Any,
) -> Row:
    """Time both in turns for about as many seconds."""
    taken = _timed([ours, floor], seconds)
    return _row(name, size, taken[0], taken[1], goal=goal, facts=facts)


def growth(milliseconds: Mapping[int, float]) -> dict[str, float]:
    """Return the exponent with which the time has grown from the smallest size to the largest, as a fact."""
    least, most = min(milliseconds), max(milliseconds)
    if least == most:
        return {}
    grown = math.log(milliseconds[most] / milliseconds[least]) / math.log(most / least)
    return {"exponent": round(grown, 2)}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that is not below ``percent`` per cent of them."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _row(
    name: str,
    size: str,
    ours: Sequence[Taken],
    floor: Sequence[Taken] | None,
    *,
    goal: float | None,
    facts: dict[str, Any],
) -> Row:
    clock = [one.clock for one in ours]
    middle = statistics.median(clock)
    below = statistics.median(one.clock for one in floor) if floor else None
    if floor:
        spent, least = (statistics.median(one.processor for one in each) for each in (ours, floor))
        facts = {
            **facts,
            "processor_ms": round(spent, 2),
            "processor_ratio": round(spent / least, 2),
        }
    return Row(
        name=name,
        size=size,
        ours_ms=middle,
        floor_ms=below,
        ratio=middle / below if below else None,
        ours_p95_ms=percentile(clock, 95),
        floor_p95_ms=percentile([one.clock for one in floor], 95) if floor else None,
        goal=goal,
        facts={**facts, "runs": len(ours)},
    )


def _timed(works: Sequence[Callable[[], object]], seconds: float) -> list[list[Taken]]:
    """Return for each work what each time took."""
    for work in works:
        for _ in range(WARM_UP):
            work()
    gc.collect()
    taken: list[list[Taken]] = [[] for _ in works]
    ends_at = perf_counter() + seconds
    while len(taken[0]) < FEWEST or (perf_counter() < ends_at and len(taken[0]) < MOST):
        for work, times in zip(works, taken, strict=True):
            times.append(_taken(work))
    return taken


def _taken(work: Callable[[], object]) -> Taken:
    started, spent = perf_counter(), process_time()
    work()
    return Taken((perf_counter() - started) * 1000, (process_time() - spent) * 1000)
