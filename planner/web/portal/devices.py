"""Adding a visit to the calendar, and finding the way: first as the device at hand does it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from planner.queries.own_page import CalendarEntry, OwnVisit

_APPLE = re.compile(r"iPhone|iPad|iPod|Macintosh")
_ANDROID = re.compile(r"Android")
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Way:
    """One way of taking a visit along."""

    label: str
    url: str
    is_elsewhere: bool = False  # leads to somebody else's site, once it is clicked


def device(agent: str) -> str:
    """Return what kind of device asks: apple | android | other."""
    if _APPLE.search(agent):
        return "apple"
    return "android" if _ANDROID.search(agent) else "other"


def ways(visit: OwnVisit, kind: str) -> Sequence[Way]:
    """Return the ways to add a visit to a calendar, the one of this device first."""
    file = Way(
        _("Add to Apple Calendar") if kind == "apple" else _("Calendar file"),
        url_for("portal.visit_file", key=visit.key),
    )
    google = Way(_("Add to Google Calendar"), _google(visit.calendar), is_elsewhere=True)
    outlook = Way(_("Add to Outlook.com"), _outlook(visit.calendar), is_elsewhere=True)
    return (google, file, outlook) if kind == "android" else (file, google, outlook)


def map_url(address: str, kind: str) -> str:
    """Return what opens the maps of the device at an address; empty without one."""
    if not address:
        return ""
    if kind == "apple":
        return "https://maps.apple.com/?" + urlencode({"q": address})
    if kind == "android":
        return "geo:0,0?" + urlencode({"q": address})
    return "https://www.google.com/maps/search/?" + urlencode({"api": 1, "query": address})


def _google(entry: CalendarEntry) -> str:
    asked = {
        "action": "TEMPLATE",
        "text": entry.title,
        "dates": f"{entry.starts_at:{_STAMP}}/{entry.ends_at:{_STAMP}}",
        "location": entry.location,
    }
    return "https://calendar.google.com/calendar/render?" + urlencode(asked)


def _outlook(entry: CalendarEntry) -> str:
    asked = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": entry.title,
        "startdt": _iso(entry.starts_at),
        "enddt": _iso(entry.ends_at),
        "location": entry.location,
    }
    return "https://outlook.live.com/calendar/deeplink/compose?" + urlencode(asked)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
