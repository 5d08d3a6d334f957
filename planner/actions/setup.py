"""What ``planner init`` does: tables, and what ships with planner before anybody has typed a word."""

from __future__ import annotations

from datetime import datetime

from planner.db import migrate, seed
from planner.db.engine import transaction
from planner.who import Who


def make_tables(database_url: str) -> None:
    """Create the tables, or bring them to the newest revision; guards are proven on the way."""
    migrate.upgrade(database_url)


def seed_shipped(*, by: Who, now: datetime) -> bool:
    """Add the services, protocols and texts that ship with planner; return whether any was missing."""
    return transaction(seed.add, by=by, now=now, action="setup.seed")
