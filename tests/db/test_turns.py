"""Writers to a SQLite file come in the order they asked, and nobody waits for the dead or for ever."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import sqlalchemy as sa

from planner.db import turns
from tests.support import processes

PATIENCE = 60  # seconds


def write(url: str, number: int, told: Queue[int]) -> None:
    """Be a writer who says when it is its turn."""
    with turns.turn(sa.create_engine(url)):
        told.put(number)
        time.sleep(0.02)  # whoever came after would be quicker, were it let in


def die_in_turn(url: str, told: Queue[int]) -> None:
    """Be a writer who is killed in the middle."""
    with turns.turn(sa.create_engine(url)):
        told.put(0)
        os.kill(os.getpid(), signal.SIGKILL)


def keep_turn(url: str, told: Queue[int]) -> None:
    """Be a writer who does not end."""
    with turns.turn(sa.create_engine(url)):
        told.put(0)
        time.sleep(3 * PATIENCE)


def end_turn_and_stay(url: str, told: Queue[int], may_end: Event) -> None:
    """Be a writer who ends the turn when told, and puts away for ever."""
    with turns.turn(sa.create_engine(url)) as end:
        told.put(0)
        may_end.wait()
        end()
        time.sleep(3 * PATIENCE)


def drawn(path: Path) -> int:
    """Return how many have asked for a turn."""
    return int.from_bytes(Path(f"{path}{turns.SUFFIX}").read_bytes()[: turns.WIDTH], "big")


def until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "planner.sqlite3"


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for(path: Path) -> None:
    context, url = processes.context(), f"sqlite:///{path}"
    told: Queue[int] = context.Queue()
    writers = [context.Process(target=write, args=(url, number, told)) for number in range(6)]
    with turns.turn(sa.create_engine(url)):
        for number, writer in enumerate(writers):
            writer.start()
            until(lambda number=number: drawn(path) == number + 2)  # type: ignore[misc]  # bound
    assert [told.get(timeout=PATIENCE) for _ in writers] == list(range(6))
    for writer in writers:
        writer.join(PATIENCE)


def test_a_turn_can_be_ended_before_all_is_put_away(path: Path) -> None:
    context, url = processes.context(), f"sqlite:///{path}"
    told: Queue[int] = context.Queue()
    may_end = context.Event()
    first = context.Process(target=end_turn_and_stay, args=(url, told, may_end))
    first.start()
    told.get(timeout=PATIENCE)
    second = context.Process(target=write, args=(url, 7, told))
    second.start()
    until(lambda: drawn(path) == 2)
    was_kept_waiting = told.empty()
    may_end.set()
    assert (was_kept_waiting, told.get(timeout=PATIENCE)) == (True, 7)
    second.join(PATIENCE)
    first.kill()
    first.join()


def test_nobody_waits_for_one_who_was_killed(path: Path) -> None:
    context, url = processes.context(), f"sqlite:///{path}"
    told: Queue[int] = context.Queue()
    victim = context.Process(target=die_in_turn, args=(url, told))
    victim.start()
    victim.join(PATIENCE)
    started = time.monotonic()
    with turns.turn(sa.create_engine(url)):
        assert (victim.exitcode, time.monotonic() - started < turns.LONGEST) == (-9, True)


def test_who_has_waited_for_long_goes_on_to_ask_the_database(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST", 0.1)
    context, url = processes.context(), f"sqlite:///{path}"
    told: Queue[int] = context.Queue()
    other = context.Process(target=keep_turn, args=(url, told))
    other.start()
    told.get(timeout=PATIENCE)
    started = time.monotonic()
    with turns.turn(sa.create_engine(url)):
        waited = time.monotonic() - started
    other.kill()
    other.join()
    assert 0.1 <= waited < PATIENCE
