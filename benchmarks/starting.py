"""The second start: from the command until a browser has its first page."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator

from benchmarks import clinics, measuring, serving
from benchmarks.measuring import Row


def second(seconds: float) -> Iterator[Row]:
    """What ``make run`` does when everything is there: see that it is, and serve."""
    with clinics.copy("M") as url:
        _once(url)  # what Python and the templates are compiled to is there then
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        row = measuring.alone("second start", "M", lambda: _once(url), seconds=seconds, times=3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
        row.facts["processor_ms"] = round(spent * 1000 / row.facts["runs"])
        row.facts["wanted_ms"] = 3000
        yield row


def _once(url: str) -> None:
    environment = serving.setting(url)
    subprocess.run(
        [sys.executable, "-m", "tools.setup", "run"],
        cwd=clinics.ROOT,
        env=environment,
        check=True,
    )
    with serving.server(url, "--prepare"):
        pass
