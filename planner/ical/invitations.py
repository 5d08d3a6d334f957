"""An event as an invitation in a mail (RFC 5546, RFC 6047): one event, one method, one mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import icalendar

from planner.ical import events, files, zones
from planner.ical.events import BrokenEvent, Event

METHODS = frozenset({"REQUEST", "CANCEL"})
PERSON = {
    "CUTYPE": "INDIVIDUAL",
    "ROLE": "REQ-PARTICIPANT",
    "PARTSTAT": "ACCEPTED",  # it was made with the patient
    "RSVP": "FALSE",
}


def make(
    event: Event,
    *,
    method: str,
    organizer: str,
    organizer_name: str,
    attendee: str,
    at: datetime,
) -> bytes:
    """Return the calendar object that asks a calendar to enter, change or remove the event.

    ``at`` is when the mail was made: of two with one sequence the later counts. Nobody is asked to
    answer; an answer changes nothing. Raises BrokenEvent.
    """
    if method not in METHODS or (event.status == "CANCELLED") != (method == "CANCEL"):
        raise BrokenEvent("a method that does not fit its status")
    component = cast(icalendar.Event, icalendar.Event.from_ical(events.rendered(event)))
    component.pop("dtstamp")
    component.add("dtstamp", at.astimezone(UTC))
    component.add("organizer", _person(organizer, name=organizer_name))
    component.add("attendee", _person(attendee, **PERSON))
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", files.PRODID)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    end = b"END:VCALENDAR\r\n"
    head = calendar.to_ical().removesuffix(end)
    zone = events.zone_of(event)
    blocks = () if zone is None else (zones.block(zone),)
    return b"".join((head, *blocks, component.to_ical(), end))


def _person(address: str, *, name: str = "", **parameters: str) -> icalendar.vCalAddress:
    if not address.isprintable() or any(sign.isspace() or sign in '<>";,' for sign in address):
        raise BrokenEvent("an address that cannot be written")
    person = icalendar.vCalAddress(f"mailto:{address}")
    spoken = events.one_line(name, 60).replace('"', "'")
    for key, value in ({"CN": spoken, **parameters} if spoken else parameters).items():
        person.params[key] = value
    return person
