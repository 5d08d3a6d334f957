"""The names of everything that sentences about conflicts speak of."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db.engine import reading
from planner.db.models import Provider, Room, Site


def all_names() -> wording.Names:
    """Return the names of all sites, providers and rooms."""
    with reading() as session:
        return load(session)


def load(session: Session) -> wording.Names:
    """Return the same within a snapshot that is already open."""
    sites = session.execute(sa.select(Site.id, Site.name, Site.zone)).all()
    return wording.Names(
        sites={row.id: row.name for row in sites},
        providers=dict(session.execute(sa.select(Provider.id, Provider.name)).all()),
        rooms=dict(session.execute(sa.select(Room.id, Room.name)).all()),
        zones={row.id: row.zone for row in sites},
    )
