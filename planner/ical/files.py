"""A whole calendar file: a snapshot of visits, without METHOD (RFC 5545, 3.7.2: no invitation).

Events are written once per change, as blocks; a file is blocks joined. Most files cost no more than
that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import icalendar
import structlog

from planner.ical import events, zones
from planner.ical.events import BrokenEvent, Event

PRODID = "-//planner//planner 1//EN"
"""The same in every file: under another name it looks like another program's calendar."""
FALLBACK_ZONE = "America/New_York"
LONGEST_NAME = 60
ASK_AGAIN_AFTER = "PT6H"
"""How often a subscription is asked for at most; some calendars take it as the rule."""

log = structlog.get_logger("planner.ical")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An event that could not be served, and why. Names nobody."""

    uid: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Events that belong together, written and looked through: a visit and what follows it."""

    content: bytes
    digest: bytes
    uids: frozenset[str]
    zones: frozenset[str]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The bytes of a calendar file, and their strong entity tag without quotes."""

    content: bytes
    etag: str
    left_out: tuple[LeftOut, ...] = ()


def make(name: str, wanted: Iterable[Event]) -> File:
    """Return the file of these events, in their order, under a calendar name."""
    return join(name, [block(wanted)])


def block(wanted: Iterable[Event]) -> Block:
    """Return the events written in their order.

    An event that some calendar could not read is left out and logged: one such line would cost the
    patient all the others.
    """
    lines: list[bytes] = []
    left_out: list[LeftOut] = []
    uids: set[str] = set()
    in_zones: set[str] = set()
    for event in wanted:
        try:
            if event.uid in uids:
                raise BrokenEvent("its uid is there already")
            lines.append(events.rendered(event))
            uids.add(event.uid)
            in_zones.update(filter(None, [events.zone_of(event)]))
        except BrokenEvent as reason:
            left_out.append(_left_out(event.uid, str(reason)))
    content = b"".join(lines)
    return Block(
        content=content,
        digest=hashlib.sha256(content).digest(),
        uids=frozenset(uids),
        zones=frozenset(in_zones),
        left_out=tuple(left_out),
    )


def join(name: str, blocks: Iterable[Block], *, is_feed: bool = False) -> File:
    """Return the file of these blocks, in their order, each uid once.

    A feed also says how often it is worth asking for.
    """
    whole, left_out = _each_once(list(blocks))
    in_zones = set().union(*(one.zones for one in whole))
    head, tail = _frame(name, is_feed=is_feed)
    # An object needs a component (RFC 5545, 3.6); without events it is the zone.
    if not any(one.uids for one in whole):
        in_zones.add(FALLBACK_ZONE)
    head = b"".join((head, *map(zones.block, sorted(in_zones))))
    # Equal bytes have equal tags, and others have others, without reading them all again.
    tag = hashlib.sha256(b"".join((hashlib.sha256(head).digest(), *(one.digest for one in whole))))
    return File(
        content=b"".join((head, *(one.content for one in whole), tail)),
        etag=tag.hexdigest()[:32],
        left_out=tuple(left_out),
    )


def _each_once(blocks: list[Block]) -> tuple[list[Block], list[LeftOut]]:
    """Return the blocks without those of which a uid is there already, and what is left out."""
    left_out = [event for one in blocks for event in one.left_out]
    count = sum(len(one.uids) for one in blocks)
    if len(set().union(*(one.uids for one in blocks))) == count:
        return blocks, left_out
    whole: list[Block] = []
    uids: set[str] = set()
    for one in blocks:
        if uids.isdisjoint(one.uids):
            whole.append(one)
            uids |= one.uids
        else:
            left_out += [_left_out(uid, "its uid is there already") for uid in uids & one.uids]
    return whole, left_out


def _left_out(uid: str, reason: str) -> LeftOut:
    log.error("calendar_event_left_out", uid=uid, reason=reason)
    return LeftOut(uid=uid, reason=reason)


@lru_cache(maxsize=32)
def _frame(name: str, *, is_feed: bool) -> tuple[bytes, bytes]:
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODID)
    calendar.add("calscale", "GREGORIAN")
    # Each is read by calendars that do not know the other: RFC 7986's name, and the older one.
    calendar.add("name", events.one_line(name, LONGEST_NAME))
    calendar.add("x-wr-calname", events.one_line(name, LONGEST_NAME))
    if is_feed:
        # RFC 7986, 5.7 wants VALUE, which the library leaves out; the second is Outlook's.
        interval = icalendar.vText(ASK_AGAIN_AFTER)
        calendar.add("refresh-interval", interval, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", icalendar.vText(ASK_AGAIN_AFTER))
    end = b"END:VCALENDAR\r\n"
    return calendar.to_ical().removesuffix(end), end
