"""The ways a message leaves: a mail server, the terminal, a folder. What went wrong is one of four."""

from __future__ import annotations

import os
import smtplib
import ssl
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from planner.config import Settings

TIMEOUT = 30.0  # seconds a server may take for one answer: all of them together fit into a lease
REFUSED_SINCE = 500  # SMTP's permanent answers
LONGEST_ERROR = 300


class SendingError(Exception):
    """A message was not sent, or it is not known whether it was."""

    reason = "broken"

    @property
    def said(self) -> str:
        """What the server said, on one line and not too long."""
        return " ".join(str(self).split())[:LONGEST_ERROR]


class RefusedForGood(SendingError):
    """The server will never take this message."""

    def __init__(self, said: str, reason: str = "refused") -> None:
        super().__init__(said)
        self.reason = reason


class Deferred(SendingError):
    """The server does not take this message now."""

    reason = "deferred"


class Unclear(SendingError):
    """The message was handed over, and no answer came: it may have arrived."""

    reason = "unclear"


class Unreachable(SendingError):
    """The server could not be reached or would not let us in: no message is to blame."""

    reason = "unreachable"


class MailWay(Protocol):
    """A way out for mail."""

    def send(self, message: EmailMessage, key: str) -> None:
        """Send it. Raises SendingError."""

    def rest(self) -> None:
        """Let go of what is kept open between messages."""


@dataclass(slots=True)
class Smtp:
    """A mail server; the connection is kept for the messages that follow."""

    host: str
    port: int
    security: str = "starttls"
    user: str = ""
    password: str = ""
    timeout: float = TIMEOUT
    _client: smtplib.SMTP | None = field(default=None, repr=False)

    def send(self, message: EmailMessage, key: str) -> None:
        """Send to the one recipient of its To line."""
        client = self._connected()
        try:
            self._hand_over(client, message)
        except Unreachable:
            self._drop()
            raise
        except SendingError:
            self._reset()
            raise
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            # Until the message itself is handed over, a lost connection harms nothing.
            raise Deferred(_said(error)) from error

    def rest(self) -> None:
        """End the conversation politely."""
        client, self._client = self._client, None
        if client is not None:
            _quietly(client.quit)

    def _connected(self) -> smtplib.SMTP:
        if self._client is not None:
            if _is_alive(self._client):
                return self._client
            self._drop()
        try:
            self._client = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(_said(error)) from error
        return self._client

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.timeout, context=context
            )
        else:
            client = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                client.starttls(context=context)
            if self.user:
                client.login(self.user, self.password)
            client.ehlo_or_helo_if_needed()
        except BaseException:
            client.close()
            raise
        return client

    def _hand_over(self, client: smtplib.SMTP, message: EmailMessage) -> None:
        recipient = message["To"].addresses[0].addr_spec
        sender = message["From"].addresses[0].addr_spec
        is_ascii = recipient.isascii()
        if not is_ascii and not client.has_extn("smtputf8"):
            raise RefusedForGood("the server cannot write to this address", "address")
        content = message.as_bytes(policy=None if is_ascii else policy.SMTPUTF8)
        answer = client.mail(sender, () if is_ascii else ("SMTPUTF8",))
        if answer[0] >= REFUSED_SINCE:
            raise Unreachable(_answer("MAIL", answer))  # it takes nothing from us
        _expect(answer, "MAIL")
        _expect(client.rcpt(recipient), "RCPT")
        _expect(_data(client, content), "DATA")

    def _reset(self) -> None:
        if self._client is not None and not _quietly(self._client.rset):
            self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


@dataclass(slots=True)
class Console:
    """The terminal: for trying out."""

    def send(self, message: EmailMessage, key: str) -> None:
        """Write the mail to standard output."""
        sys.stdout.write(message.as_bytes().decode("utf-8", "replace").replace("\r\n", "\n"))
        sys.stdout.write("\n" + "-" * 78 + "\n")
        sys.stdout.flush()

    def rest(self) -> None:
        """Nothing is kept open."""


@dataclass(slots=True)
class Folder:
    """A folder of ``.eml`` files, one a message however often it is tried."""

    path: Path

    def send(self, message: EmailMessage, key: str) -> None:
        """Write the mail as a whole or not at all."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self.path, suffix=".part")
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.as_bytes())
            Path(name).replace(self.path / f"{key}.eml")
        except OSError as error:
            raise Unreachable(_said(error)) from error

    def rest(self) -> None:
        """Nothing is kept open."""


def of(settings: Settings) -> MailWay | None:
    """Return the way out that is set, or None when mail is to wait."""
    ways: dict[str, Callable[[], MailWay]] = {
        "smtp": lambda: Smtp(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=settings.smtp_password,
        ),
        "console": Console,
        "file": lambda: Folder(Path(settings.mail_folder)),
    }
    return ways[settings.mail]() if settings.mail in ways else None


def _data(client: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    """Hand the message over. Once it is, only the server's answer says whether it arrived."""
    code, answer = client.docmd("DATA")
    if code != 354:
        return code, answer
    try:
        client.send(_dotted(content))
        return client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        client.close()
        raise Unclear(_said(error)) from error


def _dotted(content: bytes) -> bytes:
    """Return the message as DATA wants it: lines that begin with a dot get another (RFC 5321)."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    whole = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return whole + b"\r\n.\r\n"


def _expect(answer: tuple[int, bytes], step: str) -> None:
    code = answer[0]
    if 200 <= code < 300:
        return
    said = _answer(step, answer)
    if code == 421:  # it closes the connection: not about this message
        raise Deferred(said)
    raise RefusedForGood(said) if code >= REFUSED_SINCE else Deferred(said)


def _answer(step: str, answer: tuple[int, bytes]) -> str:
    return f"{step}: {answer[0]} {answer[1].decode('utf-8', 'replace')}"


def _is_alive(client: smtplib.SMTP) -> bool:
    try:
        return client.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def _quietly(step: Callable[[], object]) -> bool:
    try:
        step()
    except (OSError, smtplib.SMTPException):
        return False
    return True


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
