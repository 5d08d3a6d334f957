"""When the clocks change, as blocks that every calendar understands.

One yearly rule a half-year and nothing else (RFC 5545, 3.6.5): lists of dates and comments, which a
library would generate, are read an hour wrong by Thunderbird and not at all by Outlook. The blocks
hold from 2007 on, since the Energy Policy Act of 2005 (15 U.S.C. 260a); a test compares each with
the zone's own data, hour by hour. A zone without a block gets its times in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from planner.scheduling import hours


def block(zone: str) -> bytes:
    """Return the VTIMEZONE of a zone that has one. Raises KeyError."""
    return _BLOCKS[zone]


def find_info(zone: str) -> ZoneInfo | None:
    """Return the zone when there is a block for it, else None."""
    return hours.zone_info(zone) if zone in _BLOCKS else None


def _with_summer_time(zone: str, standard: tuple[str, str], summer: tuple[str, str]) -> bytes:
    """A zone that changes on the second Sunday in March and the first in November, at two."""
    return _lines(
        "BEGIN:VTIMEZONE",
        f"TZID:{zone}",
        "BEGIN:DAYLIGHT",
        "DTSTART:20070311T020000",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
        f"TZOFFSETFROM:{standard[1]}",
        f"TZOFFSETTO:{summer[1]}",
        f"TZNAME:{summer[0]}",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20071104T020000",
        "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        f"TZOFFSETFROM:{summer[1]}",
        f"TZOFFSETTO:{standard[1]}",
        f"TZNAME:{standard[0]}",
        "END:STANDARD",
        "END:VTIMEZONE",
    )


def _all_year(zone: str, name: str, offset: str) -> bytes:
    return _lines(
        "BEGIN:VTIMEZONE",
        f"TZID:{zone}",
        "BEGIN:STANDARD",
        "DTSTART:20070101T000000",
        f"TZOFFSETFROM:{offset}",
        f"TZOFFSETTO:{offset}",
        f"TZNAME:{name}",
        "END:STANDARD",
        "END:VTIMEZONE",
    )


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


_BLOCKS: Mapping[str, bytes] = {
    "America/New_York": _with_summer_time("America/New_York", ("EST", "-0500"), ("EDT", "-0400")),
    "America/Chicago": _with_summer_time("America/Chicago", ("CST", "-0600"), ("CDT", "-0500")),
    "America/Denver": _with_summer_time("America/Denver", ("MST", "-0700"), ("MDT", "-0600")),
    "America/Phoenix": _all_year("America/Phoenix", "MST", "-0700"),
    "America/Los_Angeles": _with_summer_time(
        "America/Los_Angeles", ("PST", "-0800"), ("PDT", "-0700")
    ),
    "America/Anchorage": _with_summer_time(
        "America/Anchorage", ("AKST", "-0900"), ("AKDT", "-0800")
    ),
    "Pacific/Honolulu": _all_year("Pacific/Honolulu", "HST", "-1000"),
}

ZONES = tuple(_BLOCKS)
"""The zones that have a block."""
