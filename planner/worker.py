"""Sends what waits in the outbox. Any number of workers may run, on any number of hosts."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic, sleep

import structlog

from planner import clock
from planner.actions import messages, tidying
from planner.actions.messages import Claimed, Outgoing
from planner.config import Settings
from planner.errors import Unavailable
from planner.ical.events import BrokenEvent
from planner.mail import letters, sms, transports
from planner.mail.letters import BadAddress, Letter, Sender
from planner.mail.sms import TextWay
from planner.mail.transports import MailWay, RefusedForGood, SendingError, Unreachable
from planner.queries import letters as queries
from planner.queries.letters import Nothing

PAUSE = 5.0  # seconds between two looks at an empty queue
PLAN_EVERY = 60.0
TIDY_EVERY = 3600.0
OUT_OF_REACH = timedelta(minutes=1)
"""How long a way out is left alone that could not be reached."""
MARKING_PAUSES = (0.5, 2.0, 5.0, 10.0, 20.0)  # seconds

log = structlog.get_logger("planner.worker")


def _own_name() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@dataclass(slots=True, kw_only=True)
class Worker:
    """One worker: its ways out, and what it remembers between two messages.

    A way that is None leaves its messages waiting. ``now`` is asked before every step.
    """

    secret: str
    address: str  # that patients' links begin with
    sender: Sender
    mail: MailWay | None = None
    texts: TextWay | None = None
    now: Callable[[], datetime] = clock.now
    owner: str = field(default_factory=_own_name)
    _closed_until: dict[str, datetime] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; the message under way is finished first."""
        log.info("worker_started", ways=self._ways())
        while not stop.is_set():
            try:
                self._chores()
                is_idle = not self.send_next()
            except Unavailable:
                log.warning("database_unavailable")
                is_idle = True
            if is_idle:
                self.rest()
                stop.wait(PAUSE)
        self.rest()
        log.info("worker_stopped")

    def once(self) -> int:
        """Do what is due just now, and return how many messages were dealt with."""
        self._chores()
        count = 0
        while self.send_next():
            count += 1
        self.rest()
        return count

    def rest(self) -> None:
        """Let go of the connection while there is nothing to send."""
        if self.mail is not None:
            self.mail.rest()

    def send_next(self) -> bool:
        """Deal with the next message that is due. False when there is none."""
        claimed = messages.claim(self.owner, self._ways(), now=self.now())
        if claimed is None:
            return False
        try:
            self._send(claimed)
        except Unreachable as error:
            self._close(claimed, error)
        except SendingError as error:
            self._fail(claimed, error)
        except Unavailable:
            raise
        except Exception as error:  # one message that cannot be written must not stop the others
            log.error("message_broken", message=claimed.key, error=type(error).__name__)
            self._fail(claimed, RefusedForGood(type(error).__name__, "broken"))
        return True

    def _send(self, claimed: Claimed) -> None:
        letter = queries.letter(claimed.id, now=self.now())
        if isinstance(letter, Nothing):
            messages.needless(claimed, self.owner, reason=letter.reason, now=self.now())
            return
        prepared = messages.prepare(
            claimed, self.owner, self._outgoing(claimed, letter), secret=self.secret, now=self.now()
        )
        if prepared is None:
            log.warning("message_lost_to_another", message=claimed.key)
            return
        link = f"{self.address}/p/{prepared.token}" if prepared.token else ""
        receipt = self._hand_over(claimed, letter.with_link(link), prepared.message_id)
        self._mark_sent(claimed, receipt)
        log.info("message_sent", message=claimed.key, channel=claimed.channel)

    def _mark_sent(self, claimed: Claimed, receipt: str) -> None:
        """Mark what has left, and keep trying: unmarked it would be sent once more."""
        for wait in MARKING_PAUSES:
            try:
                messages.sent(claimed, self.owner, receipt=receipt, now=self.now())
            except Unavailable:
                sleep(wait)
            else:
                return
        messages.sent(claimed, self.owner, receipt=receipt, now=self.now())

    def _hand_over(self, claimed: Claimed, letter: Letter, message_id: str) -> str:
        if claimed.channel == "sms":
            return (
                self.texts.send(letter.recipient, letters.text_message(letter))
                if self.texts
                else ""
            )
        try:
            message = letters.mail(letter, self.sender, message_id=message_id, at=self.now())
        except BadAddress as error:
            raise RefusedForGood(str(error), "address") from error
        except BrokenEvent as error:
            raise RefusedForGood(str(error), "broken") from error
        if self.mail is not None:
            self.mail.send(message, claimed.key)
        return ""

    def _outgoing(self, claimed: Claimed, letter: Letter) -> Outgoing:
        is_text = claimed.channel == "sms"
        return Outgoing(
            recipient=letter.recipient,
            locale=letter.locale,
            subject="" if is_text else letter.subject,
            body=letters.text_message(letter) if is_text else letters.plain(letter),
            domain=self.sender.domain,
        )

    def _fail(self, claimed: Claimed, error: SendingError) -> None:
        mark = messages.refused if isinstance(error, RefusedForGood) else messages.deferred
        mark(claimed, self.owner, reason=error.reason, error=error.said, now=self.now())
        log.warning("message_not_sent", message=claimed.key, reason=error.reason)

    def _close(self, claimed: Claimed, error: Unreachable) -> None:
        until = self.now() + OUT_OF_REACH
        self._closed_until[claimed.channel] = until
        messages.given_back(claimed, self.owner, until, error=error.said, now=self.now())
        log.warning(
            "way_out_of_reach", channel=claimed.channel, error=type(error.__cause__).__name__
        )

    def _ways(self) -> tuple[str, ...]:
        found = {"mail": self.mail, "sms": self.texts}
        now = self.now()
        return tuple(
            channel
            for channel, way in found.items()
            if way is not None and self._closed_until.get(channel, now) <= now
        )

    def _chores(self) -> None:
        for name, every, chore in (("plan", PLAN_EVERY, plan), ("tidy", TIDY_EVERY, tidy)):
            if not self._is_due(name, every):
                continue
            try:
                chore(self.now())
            except Unavailable:
                raise
            except Exception as error:  # what else there is to do must not stop what is to be sent
                log.error("chore_failed", chore=name, error=type(error).__name__)

    def _is_due(self, chore: str, every: float) -> bool:
        if monotonic() < self._due.get(chore, 0.0):
            return False
        self._due[chore] = monotonic() + every
        return True


def of(settings: Settings, *, is_demo: bool = False) -> Worker:
    """Return a worker with the ways out that are set; from a demo nothing leaves this machine."""
    if is_demo:
        mail = "none" if settings.mail == "smtp" else settings.mail
        settings = replace(settings, mail=mail, sms="none")
    return Worker(
        secret=settings.secret_key,
        address=settings.address,
        sender=Sender(address=settings.mail_from, reply_to=settings.mail_reply_to),
        mail=transports.of(settings),
        texts=sms.of(settings),
    )


def plan(now: datetime) -> None:
    """Write the reminders that are due."""
    count = messages.plan(now=now)
    if count:
        log.info("messages_planned", count=count)


def tidy(now: datetime) -> None:
    """Remove what nobody can need any more."""
    tidying.tidy(now=now)
