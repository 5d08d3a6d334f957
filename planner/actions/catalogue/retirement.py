"""The end of a site, room, provider or service: retired from a date, removed only when unused."""

from __future__ import annotations

from datetime import date, datetime

from planner.actions.catalogue import checks
from planner.db import catalogue
from planner.db.engine import Tx, transaction
from planner.errors import NotFound
from planner.who import Who

RETIRING = ("site", "room", "provider", "service")


def retire(
    kind: str, row_id: int, *, from_date: date | None, version: int, by: Who, now: datetime
) -> None:
    """Retire from a date, or keep in use (``None``). What is already booked stays as it is."""
    checks.raise_if({"retired_from": checks.day(from_date)})
    if kind not in RETIRING:
        raise NotFound(kind)

    def work(tx: Tx) -> None:
        row = catalogue.get_owned(tx.session, kind, row_id)
        catalogue.expect(row, version, {"retired_from": from_date})
        catalogue.retire(row, from_date)

    transaction(work, by=by, now=now, action=f"{kind}.retire")


def remove(kind: str, row_id: int, *, by: Who, now: datetime) -> None:
    """Remove what nothing refers to. Raises Invalid ("in_use") otherwise."""

    def work(tx: Tx) -> None:
        catalogue.remove(tx.session, catalogue.get_owned(tx.session, kind, row_id))

    transaction(work, by=by, now=now, action=f"{kind}.remove")
