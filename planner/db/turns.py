"""Whose turn it is to write to a SQLite file: the processes of one machine, in the order they came.

SQLite lets in one writer at a time, and has the others sleep and ask again: whoever has waited
longest sleeps longest, so that under load some wait for seconds while the file lies idle. Here each
draws a number from a file beside the database and waits until the one before has ended.

Only the order rests on this. What keeps writers apart is ``BEGIN IMMEDIATE``: whoever does not queue,
cannot, or has waited for too long goes on to wait there. Nobody has to tidy up after a process that
was killed: the lock that says it is not done yet goes with it.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import threading
from collections.abc import Callable, Iterator

import sqlalchemy as sa

try:
    import fcntl
except ImportError:  # Windows: SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]  # asked for before it is used

SUFFIX = "-turns"
LONGEST = 15.0  # seconds: as long as SQLite itself would wait
WIDTH = 8  # bytes of the number drawn last; after them each number has a byte to be locked
WRAP = 2**40  # whatever the file says, there is a byte for it


@contextlib.contextmanager
def turn(engine: sa.Engine) -> Iterator[Callable[[], None]]:
    """Wait for one's turn to write, and hold it, or until what is given is called.

    PostgreSQL queues by itself.
    """
    with contextlib.ExitStack() as held:
        descriptor = _opened(engine)
        if descriptor is not None:
            held.callback(_let_go, descriptor)
            # No locks there, or no thread to be had.
            with contextlib.suppress(OSError, RuntimeError):
                _wait(descriptor)
        yield held.close


def _let_go(descriptor: int) -> None:
    # Called when all is kept: whatever the system says to it, nothing may fail any more.
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _opened(engine: sa.Engine) -> int | None:
    path = engine.url.database
    if fcntl is None or engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return None
    try:
        return os.open(path + SUFFIX, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None


def _wait(descriptor: int) -> None:
    before = _drawn(descriptor) - 1
    if _is_free(descriptor, before):
        return
    # Only the system's own waiting wakes at once and costs nothing, and it knows no end: so a thread
    # waits in it, and is left behind when that takes too long. A bare one: it is on every writer's way.
    is_over = threading.Lock()
    is_over.acquire()
    _thread.start_new_thread(_wait_for, (descriptor, before, is_over))
    is_over.acquire(timeout=LONGEST)


def _drawn(descriptor: int) -> int:
    """Return the next number; its lock is taken before anybody can draw the one after it."""
    fcntl.lockf(descriptor, fcntl.LOCK_EX, 1)
    number = (int.from_bytes(os.pread(descriptor, WIDTH, 0), "big") + 1) % WRAP
    _is_free(descriptor, number)
    os.pwrite(descriptor, number.to_bytes(WIDTH, "big"), 0)
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1)
    return number


def _is_free(descriptor: int, number: int) -> bool:
    """Return whether nobody holds the number any more, and hold it."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, WIDTH + number)
    except OSError:
        return False
    return True


def _wait_for(descriptor: int, number: int, is_over: threading.Lock) -> None:
    with contextlib.suppress(OSError):
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, WIDTH + number)
    is_over.release()
