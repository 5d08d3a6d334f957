"""Two ways of doing the same thing, timed in turns, so that a noisy machine disturbs both alike."""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

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


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that is not below ``percent`` per cent of them."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _row(
    name: str,
    size: str,
    ours: Sequence[float],
    floor: Sequence[float] | None,
    *,
    goal: float | None,
    facts: dict[str, Any],
) -> Row:
    middle = statistics.median(ours)
    below = statistics.median(floor) if floor else None
    return Row(
        name=name,
        size=size,
        ours_ms=middle,
        floor_ms=below,
        ratio=middle / below if below else None,
        ours_p95_ms=percentile(ours, 95),
        floor_p95_ms=percentile(floor, 95) if floor else None,
        goal=goal,
        facts={**facts, "runs": len(ours)},
    )


def _timed(works: Sequence[Callable[[], object]], seconds: float) -> list[list[float]]:
    """Return for each work its times in milliseconds."""
    for work in works:
        for _ in range(WARM_UP):
            work()
    gc.collect()
    taken: list[list[float]] = [[] for _ in works]
    ends_at = perf_counter() + seconds
    while len(taken[0]) < FEWEST or (perf_counter() < ends_at and len(taken[0]) < MOST):
        for work, times in zip(works, taken, strict=True):
            times.append(_taken(work))
    return taken


def _taken(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000
