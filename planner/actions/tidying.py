"""Letting go of what nobody can need any more, so that the database does not grow by it for ever."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from planner.db import leftovers
from planner.db.engine import transaction
from planner.who import SYSTEM

MOST = 500
"""Rows of each table in one go: few enough that nobody waits for it."""


def tidy(*, now: datetime, most: int = MOST) -> Mapping[str, int]:
    """Remove answers of old forms, undo records, sign-ins that are over and counters of failures.

    Returns how many of each table have gone, at most ``most``: call it again while one of them is that.
    Nothing of the clinic's record is touched. Safe to run at any time, and by several at once.
    """
    return transaction(
        lambda tx: leftovers.remove(tx, most=most), by=SYSTEM, now=now, action="tidy"
    )
