"""Adding a visit to the calendar, and finding the way: first as the device at hand does it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from planner.queries.own_page import OwnVisit

_APPLE = re.compile(r"iPhone|iPad|iPod|Macintosh")
_ANDROID = re.compile(r"Android")


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
    google = Way(_("Add to Google Calendar"), visit.add.google, is_elsewhere=True)
    outlook = Way(_("Add to Outlook.com"), visit.add.outlook, is_elsewhere=True)
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
