"""Calendar files read by programs that are not ours."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import vobject

ROOT = Path(__file__).resolve().parent.parent.parent
NODE = ROOT / ".venv" / "bin" / "node"
SCRIPT = Path(__file__).with_name("icaljs.mjs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An event as a calendar understood it; days are dates, instants are in UTC."""

    starts: datetime | date
    ends: datetime | date
    summary: str
    description: str
    location: str
    sequence: int
    status: str
    alarms: int


def icaljs(content: bytes) -> dict[str, Read]:
    """Return the events by uid as ical.js reads them."""
    answer = subprocess.run(
        [NODE, SCRIPT], input=content, capture_output=True, check=False, cwd=ROOT
    )
    assert answer.returncode == 0, answer.stderr.decode()
    return {
        event["uid"]: Read(
            starts=_moment(event["starts"]),
            ends=_moment(event["ends"]),
            summary=event["summary"],
            description=event["description"] or "",
            location=event["location"] or "",
            sequence=event["sequence"],
            status=event["status"],
            alarms=event["alarms"],
        )
        for event in json.loads(answer.stdout)
    }


def vobject_reads(content: bytes) -> dict[str, Read]:
    """Return the events by uid as vobject reads them."""
    calendar = vobject.readOne(content.decode())
    return {
        event.uid.value: Read(
            starts=_utc(event.dtstart.value),
            ends=_utc(event.dtend.value),
            summary=event.summary.value,
            description=_value(event, "description"),
            location=_value(event, "location"),
            sequence=int(event.sequence.value),
            status=event.status.value,
            alarms=len(event.contents.get("valarm", [])),
        )
        for event in calendar.contents.get("vevent", [])
    }


def _moment(value: str | int) -> datetime | date:
    return (
        date.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
    )


def _utc(value: datetime | date) -> datetime | date:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _value(event: Any, name: str) -> str:
    found = event.contents.get(name)
    return str(found[0].value) if found else ""
