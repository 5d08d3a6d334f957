"""Running ``planner`` in a process of its own, forked from one that has loaded it already.

A command's own work takes milliseconds, starting Python and loading everything more than a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support import processes

LONGEST = 120  # seconds


def run(
    *words: str, environment: Mapping[str, str], folder: Path | None = None, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``planner`` with these words as a person would, in a folder, typing something."""
    with tempfile.TemporaryDirectory() as kept:
        streams = [Path(kept) / name for name in ("in", "out", "err")]
        streams[0].write_text(typed)
        given = (words, dict(environment), str(folder or Path.cwd()), [*map(str, streams)])
        process = processes.context().Process(target=_be_planner, args=given)
        process.start()
        process.join(LONGEST)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["planner", *words], LONGEST)
        out, err = (stream.read_text() for stream in streams[1:])
        return subprocess.CompletedProcess(["planner", *words], process.exitcode, out, err)


def _be_planner(
    words: tuple[str, ...], environment: dict[str, str], folder: str, streams: list[str]
) -> None:
    from planner.__main__ import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate(("r", "w", "w"))
    )
    sys.argv = ["planner", *words]
    main()
