"""One event of a calendar, its bytes, and the guard that keeps a broken one out of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import icalendar
from icalendar.parser import Contentline

from planner.ical import zones

STATUSES = frozenset({"CONFIRMED", "TENTATIVE", "CANCELLED"})
MOST_REMINDERS = 2
LONGEST_UID = 255  # octets, RFC 7986, 5.3
LONGEST_LINE = 75  # octets, RFC 5545, 3.1
ONE_DAY = timedelta(days=1)
KEPT = 8192
"""Events whose bytes a process keeps: about a kilobyte each."""


class BrokenEvent(ValueError):
    """An event that some calendar would stumble over; the message says why, and names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From one instant to another, shown in the wall-clock time of a zone."""

    starts_at: datetime
    ends_at: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Whole days, the last one included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a calendar shows of one visit, or of one thing to heed after it.

    ``modified_at`` is the last change of anything in it; ``sequence`` grows with every change of
    its time or status (RFC 5546, 2.1.4). Equal events have equal bytes.
    """

    uid: str
    sequence: int
    created_at: datetime
    modified_at: datetime
    when: Span | Days
    summary: str
    description: str = ""
    location: str = ""
    status: str = "CONFIRMED"
    is_busy: bool = False
    reminders: tuple[timedelta, ...] = ()  # how long before the start
    reminder_text: str = ""  # shown on lock screens; the summary when empty
    belongs_to: str = ""  # the uid of the visit it follows


@lru_cache(maxsize=KEPT)
def rendered(event: Event) -> bytes:
    """Return the event's lines as UTF-8, each ended by CRLF. Raises BrokenEvent."""
    try:
        _check_values(event)
        content = _written(event)
        _check_lines(content)
        _check_reading(event, content)
    except BrokenEvent:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise BrokenEvent(f"cannot be written: {type(error).__name__}") from error
    return content


def zone_of(event: Event) -> str | None:
    """Return the zone whose block the event's file has to hold, or None."""
    when = event.when
    if not isinstance(when, Span) or not _is_wall_clock(when):
        return None
    return when.zone


def clean(text: str) -> str:
    """Return the text without what spoils lines: control characters, line ends of other sorts."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", _LINE_ENDS.sub(" ", text)).strip()


def one_line(text: str, longest: int) -> str:
    """Return the text cleaned, on one line, and cut at a word with an ellipsis when too long."""
    line = " ".join(clean(text).split())
    if len(line) <= longest:
        return line
    head = line[:longest]  # one more than is kept, to see whether a word ends there
    at_word = head.rfind(" ", longest // 2)
    return head[: at_word if at_word > 0 else longest - 1].rstrip(" ,;–-") + "…"


_LINE_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")


def _written(event: Event) -> bytes:
    """Return the lines as the library writes its components, without making one of each event."""
    return b"".join(line + b"\r\n" for line in _content_lines(event))


def _content_lines(event: Event) -> Iterator[bytes]:
    starts, ends = _bounds(event.when)
    modified = icalendar.vDatetime(event.modified_at.astimezone(UTC))
    texts = {name: icalendar.vText(text) for name, text in _texts(event)}
    yield b"BEGIN:VEVENT"
    yield _line("SUMMARY", texts["SUMMARY"])
    yield _line("DTSTART", icalendar.vDDDTypes(starts))
    yield _line("DTEND", icalendar.vDDDTypes(ends))
    yield _line("DTSTAMP", modified)
    yield _line("UID", icalendar.vText(event.uid))
    yield _line("SEQUENCE", icalendar.vInt(event.sequence))
    yield b"CLASS:PRIVATE"
    yield _line("CREATED", icalendar.vDatetime(event.created_at.astimezone(UTC)))
    if "DESCRIPTION" in texts:
        yield _line("DESCRIPTION", texts["DESCRIPTION"])
    yield _line("LAST-MODIFIED", modified)
    for name in ("LOCATION", "RELATED-TO"):
        if name in texts:
            yield _line(name, texts[name])
    yield _line("STATUS", icalendar.vText(event.status))
    yield b"TRANSP:OPAQUE" if event.is_busy else b"TRANSP:TRANSPARENT"
    for before in event.reminders:
        yield b"BEGIN:VALARM"
        yield b"ACTION:DISPLAY"
        yield _line("DESCRIPTION", icalendar.vText(_reminder_text(event)))
        yield _line("TRIGGER", icalendar.vDuration(-before))
        yield b"END:VALARM"
    yield b"END:VEVENT"


def _line(name: str, value: Any) -> bytes:
    line: bytes = Contentline.from_parts(name, value.params, value).to_ical()
    return line


def _texts(event: Event) -> Iterator[tuple[str, str]]:
    """Yield names and texts of what is there to be said."""
    for name, text in (
        ("SUMMARY", event.summary),
        ("DESCRIPTION", event.description),
        ("LOCATION", event.location),
        ("RELATED-TO", event.belongs_to),
    ):
        if cleaned := clean(text):
            yield name, cleaned


def _reminder_text(event: Event) -> str:
    return clean(event.reminder_text) or clean(event.summary)


def _bounds(when: Span | Days) -> tuple[datetime, datetime] | tuple[date, date]:
    if isinstance(when, Days):
        return when.first, when.last + ONE_DAY
    info = zones.find_info(when.zone) if _is_wall_clock(when) else None
    zone = info or UTC
    return when.starts_at.astimezone(zone), when.ends_at.astimezone(zone)


def _is_wall_clock(when: Span) -> bool:
    """Whether wall-clock times say both instants.

    In the hour that comes twice they do not: ical.js takes the second, vobject the first.
    """
    info = zones.find_info(when.zone)
    if info is None:
        return False
    return not any(_comes_twice(at.astimezone(info)) for at in (when.starts_at, when.ends_at))


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _check_values(event: Event) -> None:
    when = event.when
    if isinstance(when, Span):
        bounds = (when.starts_at, when.ends_at)
        _expect(all(at.tzinfo is not None for at in bounds), "a time without a zone")
        _expect(when.starts_at < when.ends_at, "it ends before it starts")
    else:
        _expect(when.first <= when.last, "it ends before it starts")
    stamps = (event.created_at, event.modified_at)
    _expect(all(at.tzinfo is not None for at in stamps), "a stamp without a zone")
    _expect(event.sequence >= 0, "a negative sequence")
    _expect(event.status in STATUSES, "an unknown status")
    _expect(_UID.fullmatch(event.uid) is not None, "an unusable uid")
    _expect(len(event.uid.encode()) <= LONGEST_UID, "too long a uid")
    _expect(clean(event.summary) != "", "no summary")
    _expect(len(event.reminders) <= MOST_REMINDERS, "too many reminders")
    if event.status == "CANCELLED":
        _expect(not event.reminders and not event.is_busy, "a cancelled event that takes time")


def _check_lines(content: bytes) -> None:
    lines = content.split(b"\r\n")
    _expect(lines.pop() == b"", "a last line without its end")
    _expect(all(0 < len(line) <= LONGEST_LINE for line in lines), "a line of the wrong length")
    _expect(not _CONTROL.search(b"".join(lines)), "a control character")


def _check_reading(event: Event, content: bytes) -> None:
    """Compare the lines with those the event has to have, worked out apart from the library."""
    try:
        whole = content.replace(b"\r\n ", b"").decode()
    except UnicodeDecodeError as error:
        raise BrokenEvent("a character cut in two") from error
    _expect(sorted(whole.split("\r\n")[:-1]) == sorted(_lines(event)), "it reads differently")
    _expect(whole.startswith("BEGIN:VEVENT") and whole.endswith("END:VEVENT\r\n"), "no whole event")


def _lines(event: Event) -> Iterator[str]:
    yield from ("BEGIN:VEVENT", f"UID:{event.uid}", f"SEQUENCE:{event.sequence}")
    yield from (f"STATUS:{event.status}", "CLASS:PRIVATE")
    yield "TRANSP:OPAQUE" if event.is_busy else "TRANSP:TRANSPARENT"
    modified = _utc_digits(event.modified_at)
    yield from (f"DTSTAMP:{modified}", f"LAST-MODIFIED:{modified}")
    yield f"CREATED:{_utc_digits(event.created_at)}"
    for name, at in zip(("DTSTART", "DTEND"), _bounds(event.when), strict=True):
        yield name + _moment(at)
    for name, text in _texts(event):
        yield f"{name}:{text.translate(_ESCAPED)}"
    for before in event.reminders:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", "END:VALARM")
        yield f"DESCRIPTION:{_reminder_text(event).translate(_ESCAPED)}"
        yield f"TRIGGER:-P{_length(before)}"
    yield "END:VEVENT"


def _moment(at: datetime | date) -> str:
    if not isinstance(at, datetime):
        return f";VALUE=DATE:{at:%Y%m%d}"
    if at.tzinfo is UTC:
        return f":{_utc_digits(at)}"
    return f";TZID={at.tzinfo}:{_digits(at)}"


def _utc_digits(at: datetime) -> str:
    return f"{_digits(at.astimezone(UTC))}Z"


def _digits(at: datetime) -> str:
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}"


def _length(before: timedelta) -> str:
    hours, rest = divmod(before.seconds, 3600)
    _expect(rest == 0, "a reminder between hours")
    days = f"{before.days}D" if before.days else ""
    return days + (f"T{hours}H" if hours else "")


def _expect(holds: bool, reason: str) -> None:
    if not holds:
        raise BrokenEvent(reason)


_UID = re.compile(r"[A-Za-z0-9._\-]+@[A-Za-z0-9.\-]+")
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
