"""Calendar files given to Radicale, a CalDAV server, and asked back from it."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

PATH = "/clinic/feed/"
ANYBODY = "Basic " + base64.b64encode(b"clinic:any").decode()
UID = re.compile(r"^UID:(.+?)\r?$", re.MULTILINE)
A_SECOND = timedelta(seconds=1)
QUERY = """<?xml version="1.0"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
{condition}
</C:comp-filter></C:comp-filter></C:filter>
</C:calendar-query>"""
RANGE = '<C:time-range start="{:%Y%m%dT%H%M%SZ}" end="{:%Y%m%dT%H%M%SZ}"/>'


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int

    def put(self, content: bytes) -> int:
        """Give it a whole calendar, in place of the one before; return the status."""
        self._ask("DELETE", PATH)
        return self._ask("PUT", PATH, content, "text/calendar")[0]

    def uids(self) -> frozenset[str]:
        """Return the uids of all events it holds."""
        return self._found("")

    def uids_between(self, starts: datetime, ends: datetime) -> frozenset[str]:
        """Return the uids of the events that it finds to take place at some time between."""
        return self._found(RANGE.format(starts.astimezone(UTC), ends.astimezone(UTC)))

    def _found(self, condition: str) -> frozenset[str]:
        status, body = self._ask(
            "REPORT", PATH, QUERY.format(condition=condition).encode(), "text/xml"
        )
        if status != http.client.MULTI_STATUS:
            raise ValueError(f"Radicale answers {status}")
        return frozenset(UID.findall(body))

    def _ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = "text/plain"
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {
            "Authorization": ANYBODY, "Content-Type": f"{content_type}; charset=utf-8", "Depth": "1",
        }  # fmt: skip
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Run a server on a free port, its files in a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    settings = folder / "settings"
    settings.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = none\n"
        f"[storage]\nfilesystem_folder = {folder / 'collections'}\n[logging]\nlevel = error\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", settings], stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield Server(port)
    finally:
        process.terminate()
        process.wait(10)


def as_meant(
    server: Server, content: bytes, meant: Mapping[str, tuple[datetime | date, datetime | date]]
) -> Mapping[str, bool]:
    """Return for each event whether the server has it from its start to its end, to the second."""
    if server.put(content) != http.client.CREATED or server.uids() != meant.keys():
        return dict.fromkeys(meant, False)
    return {uid: _is_meant(server, uid, *map(_instant, bounds)) for uid, bounds in meant.items()}


def _is_meant(server: Server, uid: str, starts: datetime, ends: datetime) -> bool:
    inside = ((starts, starts + A_SECOND), (ends - A_SECOND, ends))
    outside = ((starts - A_SECOND, starts), (ends, ends + A_SECOND))
    return all(uid in server.uids_between(*span) for span in inside) and not any(
        uid in server.uids_between(*span) for span in outside
    )


def _instant(at: datetime | date) -> datetime:
    # Whole days have no zone: the server takes its own, which is UTC.
    return at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("Radicale does not start")
