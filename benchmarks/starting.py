"""The second start: from the command until a browser has its first page."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from benchmarks import clinics, measuring
from benchmarks.measuring import Row

LONGEST = 120.0  # seconds
PAUSE = 0.02


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
    port = _free_port()
    environment = {
        **os.environ,
        "PLANNER_DATABASE_URL": url,
        "PLANNER_SECRET_KEY": clinics.SECRET,
        "PLANNER_PORT": str(port),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    subprocess.run([sys.executable, "-m", "tools.setup", "run"], cwd=clinics.ROOT, check=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "planner", "serve", "--prepare"],
        cwd=clinics.ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/sign-in", server)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=LONGEST)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=LONGEST):  # noqa: S310  our own address
                return
        except OSError:
            time.sleep(PAUSE)
    raise RuntimeError("planner did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
