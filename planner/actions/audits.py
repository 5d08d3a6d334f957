"""Writing down that the whole clinic was read."""

from __future__ import annotations

from datetime import datetime

from planner.db.engine import record
from planner.who import Who


def note_export(*, by: Who, now: datetime) -> None:
    """Write down that everything was exported."""
    record("export", by=by, now=now, object_kind="clinic")
