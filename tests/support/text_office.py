"""A local server that behaves like Twilio's Messages API, by what the recipient's number ends with.

…01 is refused (400, 21211), …02 has answered STOP (400, 21610), …03 meets a limit the first time
(429), …04 a broken server the first time (503), …05 a connection that ends without an answer, once.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ACCOUNT, TOKEN = "ACtest", "token"
ERRORS = {
    "01": (400, 21211, "The 'To' number is not a valid phone number."),
    "02": (400, 21610, "Attempt to send to unsubscribed recipient"),
}
ONCE = {"03": (429, 20429, "Too Many Requests"), "04": (503, 20503, "Service unavailable")}


@dataclass(slots=True)
class TextOffice:
    """What has been taken, and how often each number was asked for."""

    taken: list[dict[str, str]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""


@contextmanager
def opened() -> Iterator[TextOffice]:
    """Run the server on a free port of this machine."""
    office = TextOffice()

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self._form()
            number = form.get("To", "")
            office.asked[number] += 1
            if not self._is_signed_in():
                return self._answer(401, {"code": 20003, "message": "Authenticate"})
            if self.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
                return self._answer(404, {"code": 20404, "message": "not found"})
            is_first = office.asked[number] == 1
            error = ERRORS.get(number[-2:]) or (ONCE.get(number[-2:]) if is_first else None)
            if error:
                status, code, text = error
                return self._answer(status, {"code": code, "message": text, "status": status})
            office.taken.append(form)
            if number.endswith("05") and is_first:
                self.connection.close()
                return None
            return self._answer(201, {"sid": f"SM{len(office.taken):032d}", "status": "queued"})

        def _form(self) -> dict[str, str]:
            length = int(self.headers.get("Content-Length", "0"))
            fields = parse_qs(self.rfile.read(length).decode("utf-8"))
            return {name: values[0] for name, values in fields.items()}

        def _is_signed_in(self) -> bool:
            wanted = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
            return self.headers.get("Authorization") == f"Basic {wanted}"

        def _answer(self, status: int, content: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    office.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
