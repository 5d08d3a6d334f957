"""Text messages through Twilio's Messages API, or through anything else that speaks it.

POST {url}/2010-04-01/Accounts/{account}/Messages.json with To, Body and From (a number) or
MessagingServiceSid (MG…), signed in by account and token. 201: accepted, with a ``sid``. An error
is JSON with ``code`` and ``message``; 429 and 5xx may be tried again, 401 and 403 mean that no
message gets through, any other 4xx is about this message.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from planner.config import Settings
from planner.mail.transports import Deferred, RefusedForGood, Unclear, Unreachable

TIMEOUT = 30.0
UNSUBSCRIBED = 21610
"""Twilio's code for a recipient who has answered STOP."""
MOST = 100_000  # bytes of an answer that are read
SERVICE = "MG"


class TextWay(Protocol):
    """A way out for text messages."""

    def send(self, recipient: str, text: str) -> str:
        """Send it, and return the provider's id of it. Raises SendingError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """Twilio's interface, at its own address or another."""

    account: str
    token: str = field(repr=False)
    sender: str
    url: str = "https://api.twilio.com"
    timeout: float = TIMEOUT

    def send(self, recipient: str, text: str) -> str:
        """Send one text message."""
        way = "MessagingServiceSid" if self.sender.startswith(SERVICE) else "From"
        form = urlencode({"To": recipient, way: self.sender, "Body": text})
        status, answer = self._post(form)
        if 200 <= status < 300:
            return str(answer.get("sid", ""))
        said = f"{status} {answer.get('code', '')} {answer.get('message', '')}".strip()
        if status in (401, 403):
            raise Unreachable(said)
        if status == 429 or status >= 500:
            raise Deferred(said)
        is_stopped = answer.get("code") == UNSUBSCRIBED
        raise RefusedForGood(said, "unsubscribed" if is_stopped else "refused")

    def _post(self, form: str) -> tuple[int, dict[str, Any]]:
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        try:
            path = f"/2010-04-01/Accounts/{quote(self.account, safe='')}/Messages.json"
            connection.request("POST", path, body=form, headers=self._headers())
            response = connection.getresponse()
            return response.status, _read(response.read(MOST))
        except (OSError, http.client.HTTPException) as error:
            raise Unclear(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self.timeout)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=self.timeout, context=context)

    def _headers(self) -> dict[str, str]:
        signed = base64.b64encode(f"{self.account}:{self.token}".encode()).decode("ascii")
        return {
            "Authorization": f"Basic {signed}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }


def of(settings: Settings) -> TextWay | None:
    """Return the way out that is set, or None when text messages are to wait."""
    if settings.sms != "twilio":
        return None
    return Twilio(
        account=settings.sms_account,
        token=settings.sms_token,
        sender=settings.sms_from,
        url=settings.sms_url,
    )


def _read(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
