"""Links that add one visit to a calendar on the web. What they add is a dead copy.

The words travel in an address, which browsers remember and others may log: so they are neutral, and
there are no notes (Google: RFC 5545 times; Outlook: undocumented, but unchanged for years).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from planner.ical.events import Span, clean, one_line

GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/deeplink/compose"
LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLinks:
    """One visit for each calendar that takes it from an address."""

    google: str
    outlook: str


def of(title: str, when: Span, location: str) -> AddLinks:
    """Return the links for a visit."""
    title, place = one_line(title, LONGEST_TITLE), ", ".join(clean(location).split("\n"))
    google = {
        "action": "TEMPLATE",
        "text": title,
        "dates": f"{_digits(when.starts_at)}/{_digits(when.ends_at)}",
        "location": place,
    }
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "startdt": _iso(when.starts_at),
        "enddt": _iso(when.ends_at),
        "subject": title,
        "location": place,
    }
    return AddLinks(google=_address(GOOGLE, google), outlook=_address(OUTLOOK, outlook))


def _address(base: str, values: dict[str, str]) -> str:
    said = {name: value for name, value in values.items() if value}
    # Outlook shows a plus for a space as a plus.
    return f"{base}?{urlencode(said, quote_via=quote)}"


def _digits(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
