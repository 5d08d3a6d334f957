"""The real server in a process of its own, on a port of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from benchmarks import clinics

LONGEST = 120.0  # seconds
PAUSE = 0.02


@contextlib.contextmanager
def server(url: str, *options: str, **environment: str) -> Iterator[str]:
    """Run ``planner serve`` on a database; give its address once it answers."""
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "planner", "serve", *options],
        cwd=clinics.ROOT,
        env=setting(url, PLANNER_PORT=str(port), **environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}/sign-in", process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=LONGEST)


def setting(url: str, **more: str) -> dict[str, str]:
    """Return the environment of a process that works on a database."""
    own = {
        "PLANNER_DATABASE_URL": url,
        "PLANNER_SECRET_KEY": clinics.SECRET,
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return {**os.environ, **own, **more}


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until and process.poll() is None:
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
