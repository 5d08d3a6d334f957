"""A whole calendar file: a snapshot of visits, without METHOD (RFC 5545, 3.7.2: no invitation)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import icalendar
import structlog

from planner.ical import events, zones
from planner.ical.events import BrokenEvent, Event

PRODID = "-//planner//planner 1//EN"
"""The same in every file: under another name it looks like another program's calendar."""
FALLBACK_ZONE = "America/New_York"

log = structlog.get_logger("planner.ical")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The bytes of a calendar file and their strong entity tag, without quotes."""

    content: bytes
    etag: str


def make(name: str, wanted: Iterable[Event]) -> File:
    """Return the file of these events, by start, under a calendar name.

    An event that some calendar could not read is left out and logged: one such line would cost the
    patient all the others.
    """
    whole = tuple(_whole(wanted))
    head, tail = _frame(name)
    # An object needs a component (RFC 5545, 3.6); without events it is the zone.
    blocks = events.zones_of(event for event, _ in whole) or (() if whole else (FALLBACK_ZONE,))
    content = b"".join(
        (head, *map(zones.block, blocks), *(lines for _, lines in whole), tail),
    )
    return File(content=content, etag=hashlib.sha256(content).hexdigest()[:32])


def _whole(wanted: Iterable[Event]) -> Iterator[tuple[Event, bytes]]:
    seen: set[str] = set()
    for event in wanted:
        try:
            if event.uid in seen:
                raise BrokenEvent("its uid is there already")
            yield event, events.rendered(event)
            seen.add(event.uid)
        except BrokenEvent as reason:
            log.error("calendar_event_left_out", uid=event.uid, reason=str(reason))


@lru_cache(maxsize=32)
def _frame(name: str) -> tuple[bytes, bytes]:
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODID)
    calendar.add("calscale", "GREGORIAN")
    # Each is read by calendars that do not know the other: RFC 7986's name, and the older one.
    calendar.add("name", events.one_line(name, 60))
    calendar.add("x-wr-calname", events.one_line(name, 60))
    end = b"END:VCALENDAR\r\n"
    return calendar.to_ical().removesuffix(end), end
