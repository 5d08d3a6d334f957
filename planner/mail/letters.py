"""A message in words, and the mail or text message made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email import policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path

import jinja2

from planner.ical import invitations
from planner.ical.events import Event, one_line

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
LONGEST_SUBJECT = 120
LONGEST_TEXT = 480  # three parts of a text message
POLICY = policy.SMTP.clone(cte_type="7bit")  # CRLF, and nothing that a relay could alter


class BadAddress(ValueError):
    """An address that no mail can be sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One appointment in a message. ``was`` is what it was before, already in words."""

    when: str
    where: tuple[str, ...] = ()
    title: str = ""
    was: str = ""
    note: str = ""
    is_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What one message says, in the patient's language. ``link`` is empty until it is sent."""

    recipient: str
    locale: str
    practice: str
    subject: str
    greeting: str
    intro: str
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    link_label: str = ""
    link: str = ""
    closing: str = ""
    short: str = ""  # the whole of it as a text message, but for the link
    colour: str = "#0f766e"
    event: Event | None = None  # for the calendar of a patient who has asked for it
    method: str = "REQUEST"

    def with_link(self, link: str) -> Letter:
        """Return the letter with the address of the patient's page."""
        return replace(self, link=link if self.link_label else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whom mail comes from, and who gets the answers."""

    address: str
    reply_to: str = ""

    @property
    def domain(self) -> str:
        """Return what stands right of the @."""
        return self.address.rpartition("@")[2]


def plain(letter: Letter) -> str:
    """Return the letter as plain text."""
    return "\n\n".join(part for part in _parts(letter) if part) + "\n"


def html(letter: Letter) -> str:
    """Return the letter as a page that needs nothing from elsewhere."""
    return _environment().get_template("letter.html").render(letter=letter)


def text_message(letter: Letter) -> str:
    """Return the letter as a text message: on one line, with its link whole."""
    room = LONGEST_TEXT - len(letter.link) - 1
    return f"{one_line(letter.short, room)} {letter.link}".strip()


def mail(letter: Letter, sender: Sender, *, message_id: str, at: datetime) -> EmailMessage:
    """Return the letter as mail: plain text and HTML, and an invitation when it has an event.

    The two come first and together, because Outlook looks for an invitation nowhere else. Raises
    BadAddress.
    """
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(display_name=one_line(letter.practice, 78), addr_spec=sender.address)
    message["To"] = _address(letter.recipient)
    if sender.reply_to and sender.reply_to != sender.address:
        message["Reply-To"] = _address(sender.reply_to)
    message["Subject"] = one_line(letter.subject, LONGEST_SUBJECT)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message.set_content(plain(letter), cte="quoted-printable")
    message.add_alternative(html(letter), subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.locale  # last: setting a content clears it
    if letter.event is not None:
        _invite(message, letter.event, letter, sender, at)
    return message


def _invite(
    message: EmailMessage, event: Event, letter: Letter, sender: Sender, at: datetime
) -> None:
    content = invitations.make(
        event,
        method=letter.method,
        organizer=sender.address,
        organizer_name=letter.practice,
        attendee=letter.recipient,
        at=at,
    )
    message.add_alternative(
        content.decode("utf-8"),
        subtype="calendar",
        charset="utf-8",
        cte="base64",
        params={"method": letter.method},
    )
    # The same once more, for programs that look among the attachments only.
    message.add_attachment(content, maintype="application", subtype="ics", filename="invite.ics")


def _address(text: str) -> Address:
    if _UNSAFE.search(text):
        raise BadAddress("a control character in the address")
    try:
        found = Address(addr_spec=text)
        domain = found.domain.encode("idna").decode("ascii") if found.domain else ""
    except (HeaderParseError, ValueError, IndexError) as error:
        raise BadAddress("no mail address") from error
    if not found.username or not domain:
        raise BadAddress("no mail address")
    return Address(username=found.username, domain=domain)


def _parts(letter: Letter) -> Iterator[str]:
    yield letter.greeting
    yield letter.intro
    for line in letter.lines:
        yield "\n".join(_of_line(line))
    yield from letter.notes
    if letter.link:
        yield f"{letter.link_label}:\n{letter.link}"
    yield letter.closing
    yield letter.practice


def _of_line(line: Line) -> Iterator[str]:
    yield f"* {line.when}" if not line.is_off else f"× {line.when}"
    for part in (line.title, line.was, line.note, *line.where):
        if part:
            yield f"  {part}"


_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
