"""Calendar files read by libical, the library behind GNOME, KDE and Cyrus, where the system has it."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta


def _present() -> str:
    for name in filter(None, (ctypes.util.find_library("ical"), "libical.so.3")):
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return name
    return ""


NAME = _present()
"""What it is loaded by; empty where it is not installed."""


class _Time(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        ("is_date", ctypes.c_int),
        ("is_daylight", ctypes.c_int),
        ("zone", ctypes.c_void_p),
    )


Bounds = tuple[datetime | date, datetime | date]


def times(content: bytes) -> dict[str, Bounds]:
    """Return the bounds of the events by uid. Raises ValueError for a file with errors in it."""
    library = _library()
    calendar = library.icalparser_parse_string(content)
    try:
        if not calendar or library.icalcomponent_count_errors(calendar):
            raise ValueError("libical finds errors")
        kind = library.icalcomponent_string_to_kind(b"VEVENT")
        return {
            library.icalcomponent_get_uid(event).decode(): (
                _moment(library, library.icalcomponent_get_dtstart(event)),
                _moment(library, library.icalcomponent_get_dtend(event)),
            )
            for event in _events(library, calendar, kind)
        }
    finally:
        library.icalcomponent_free(calendar)


def _events(library: ctypes.CDLL, calendar: int, kind: int) -> Iterator[int]:
    event = library.icalcomponent_get_first_component(calendar, kind)
    while event:
        yield event
        event = library.icalcomponent_get_next_component(calendar, kind)


def _moment(library: ctypes.CDLL, at: _Time) -> datetime | date:
    if at.is_date:
        return date(at.year, at.month, at.day)
    seconds = library.icaltime_as_timet_with_zone(at, at.zone)
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(NAME)
    pointer = ctypes.c_void_p
    for name, result, arguments in (
        ("icalparser_parse_string", pointer, [ctypes.c_char_p]),
        ("icalcomponent_count_errors", ctypes.c_int, [pointer]),
        ("icalcomponent_string_to_kind", ctypes.c_int, [ctypes.c_char_p]),
        ("icalcomponent_get_first_component", pointer, [pointer, ctypes.c_int]),
        ("icalcomponent_get_next_component", pointer, [pointer, ctypes.c_int]),
        ("icalcomponent_get_uid", ctypes.c_char_p, [pointer]),
        ("icalcomponent_get_dtstart", _Time, [pointer]),
        ("icalcomponent_get_dtend", _Time, [pointer]),
        ("icaltime_as_timet_with_zone", ctypes.c_long, [_Time, pointer]),
        ("icalcomponent_free", None, [pointer]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
