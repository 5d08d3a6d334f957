"""Patients' links as the desk sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, links
from planner.db.models import PatientLink
from planner.scheduling import hours


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link as the desk sees it: its token is not known any more."""

    id: int
    is_open: bool
    is_revoked: bool
    made_label: str
    made_by: str
    ends_label: str
    used_label: str  # empty: never
    taken_label: str  # when a calendar file was taken from its page; empty: never


def labelled(
    session: Session, rows: Sequence[PatientLink], locale: str, now: datetime
) -> tuple[LinkView, ...]:
    """Return links as the desk sees them."""
    makers, zone = links.makers(session, rows), catalogue.first_zone(session)

    def label(at: datetime | None) -> str:
        return wording.format_date(hours.day_of(at, zone), locale) if at else ""

    return tuple(
        LinkView(
            id=row.id,
            is_open=links.is_open(row, now),
            is_revoked=row.revoked_at is not None,
            made_label=label(row.created_at),
            made_by=makers.get(row.created_by or 0, ""),
            ends_label=label(links.closes_at(row)),
            used_label=label(row.last_used_at),
            taken_label=label(row.file_taken_at),
        )
        for row in rows
    )
