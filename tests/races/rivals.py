"""Processes that want something at the same time, each in an application of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import flask

from planner.db import engine
from planner.errors import Refused
from tests.support import processes

Attempt = Callable[[], object]
PATIENCE = 60  # seconds


def race(url: str, contests: Mapping[str, Sequence[Attempt]]) -> Counter[str]:
    """Run each contest, one attempt a process and all at once; count how the attempts ended.

    An ending is named after its contest: "provider won", "provider refused", and by its kind whatever else was
    raised. What is handed over is pickled: use ``functools.partial``.
    """
    context = processes.context()
    parts = [
        dict(zip(contests, turn, strict=True)) for turn in zip(*contests.values(), strict=True)
    ]
    start, told = context.Barrier(len(parts), timeout=PATIENCE), context.Queue()
    competing = [context.Process(target=_rival, args=(url, part, start, told)) for part in parts]
    for process in competing:
        process.start()
    count = sum(map(len, contests.values()))
    endings = Counter(told.get(timeout=PATIENCE) for _ in range(count))
    for process in competing:
        process.join(timeout=PATIENCE)
    return endings


def endings(winners: Mapping[str, int], rivals: int) -> Counter[str]:
    """Return the endings of contests that are won by so many and in which all others are refused."""
    told = Counter({f"{name} won": count for name, count in winners.items()})
    told.update({f"{name} refused": rivals - count for name, count in winners.items()})
    return +told


def _rival(url: str, part: Mapping[str, Attempt], start: Barrier, told: Queue[str]) -> None:
    app = flask.Flask("rival")
    engine.configure(app, url)
    with app.app_context():
        for name, attempt in part.items():
            start.wait()
            told.put(f"{name} {_ending(attempt)}")
        engine.db.engine.dispose()


def _ending(attempt: Attempt) -> str:
    try:
        attempt()
    except Refused:
        return "refused"
    except Exception as error:  # whatever it is, the test says so
        return f"{type(error).__name__}: {error}"
    return "won"
