"""The end of a site, room, provider or service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from planner.db import catalogue, engine
from planner.db.models import Room, Site
from planner.queries.settings import shared
from planner.queries.settings.shared import RetirementView


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingPage:
    """Something that can be retired or removed, and what is still booked with it."""

    kind: str
    id: int
    version: int
    name: str
    retired_from: date | None
    retirement: RetirementView


def page(kind: str, row_id: int, *, locale: str, now: datetime) -> EndingPage:
    """Return from when it is retired, and the appointments from then on. Raises NotFound."""
    with engine.reading() as session:
        row = catalogue.get_owned(session, kind, row_id)
        zone = catalogue.first_zone(session)
        if isinstance(row, Site):
            zone = row.zone
        elif isinstance(row, Room):
            zone = catalogue.get(session, Site, row.site_id).zone
        view = shared.retirement(
            session, row, column=f"{kind}_id", zone=zone, now=now, locale=locale
        )
        return EndingPage(
            kind=kind,
            id=row.id,
            version=row.version,
            name=row.name,
            retired_from=view.retired_from,
            retirement=view,
        )
