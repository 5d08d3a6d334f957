"""A real mail server that behaves as servers do: by what stands left of the @ in the recipient.

``refuse`` 550, ``defer`` 451, ``defer-once``, ``hang-up`` before the message, ``swallow-once``:
takes the message and drops the connection instead of answering, ``slow``; everything else is taken.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

SLOW = 0.6  # seconds


@dataclass(slots=True)
class PostOffice:
    """What has been handed in, in order; and how often each recipient was asked for."""

    taken: list[tuple[str, bytes]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    senders: set[str] = field(default_factory=set)
    refuses_sender: bool = False
    asks_who: bool = False
    port: int = 0
    passwords: int = 0  # how many were offered
    is_encrypted: bool = False  # the last conversation that got as far as MAIL

    @property
    def recipients(self) -> list[str]:
        """Who was written to, in order."""
        return [recipient for recipient, _ in self.taken]

    @property
    def mails(self) -> list[EmailMessage]:
        """What was handed in, read."""
        return [parsed(content) for _, content in self.taken]

    def of(self, recipient: str) -> list[EmailMessage]:
        """What one recipient got."""
        return [parsed(content) for whom, content in self.taken if whom == recipient]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Note who writes."""
        assert server.transport is not None
        self.is_encrypted = server.transport.get_extra_info("ssl_object") is not None
        if self.refuses_sender:
            return "550 5.7.1 sender not allowed"
        if self.asks_who and not session.authenticated:
            return "530 5.7.0 authentication required"
        self.senders.add(address)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Behave as the address says."""
        self.asked[address] += 1
        name = address.partition("@")[0].partition("+")[0]
        if name == "refuse":
            return "550 5.1.1 no such user"
        if name == "defer" or (name == "defer-once" and self.asked[address] == 1):
            return "451 4.3.0 try again later"
        if name == "hang-up" and self.asked[address] == 1:
            _hang_up(server)
            return "250 OK"
        if name == "slow":
            await asyncio.sleep(SLOW)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the message; and perhaps never say so."""
        recipient = envelope.rcpt_tos[0]
        content: Any = envelope.content
        self.taken.append((recipient, content))
        if recipient.startswith("swallow-once") and self.asked[recipient] == 1:
            _hang_up(server)
        return "250 OK"


@contextmanager
def opened(office: PostOffice | None = None, **how: Any) -> Iterator[PostOffice]:
    """Run a mail server on a free port of this machine."""
    office = office or PostOffice()
    # aiosmtpd looks at every member of its handler at each connection: with the office itself that
    # would read all mail taken so far, and after hundreds nobody waits that long for a greeting.
    handler = SimpleNamespace(
        handle_MAIL=office.handle_MAIL,
        handle_RCPT=office.handle_RCPT,
        handle_DATA=office.handle_DATA,
    )
    controller = _Server(handler, hostname="127.0.0.1", port=0, server_hostname="localhost", **how)
    controller.start()
    try:
        office.port = controller.port
        yield office
    finally:
        controller.stop()


def parsed(content: bytes) -> EmailMessage:
    """Read a mail as its bytes came."""
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def only(user: str, password: str, office: PostOffice | None = None) -> Any:
    """Return an authenticator that lets one user in, and counts at the office who tries."""

    def judge(
        server: SMTP, session: Session, envelope: Envelope, way: str, data: Any
    ) -> AuthResult:
        if office is not None:
            office.passwords += 1
        is_right = isinstance(data, LoginPassword) and (
            (data.login, data.password) == (user.encode(), password.encode())
        )
        return AuthResult(success=is_right, handled=False)

    return judge


class _Server(Controller):
    """aiosmtpd's own way to wait until it listens, on the port that the system has chosen."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # as aiosmtpd has it


def _hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
