"""Who the clinic is and which colours it uses, for the frame of every page."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from planner.db.engine import reading
from planner.db.models import Clinic, Provider, ScheduleVersion, Service, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicView:
    """The clinic's name and how to reach it; ``edition`` changes when any colour may have."""

    name: str = ""
    phone: str = ""
    email: str = ""
    colour: str = ""
    edition: str = ""


UNKNOWN = ClinicView()
"""The clinic before ``planner init``, or while the database does not answer."""


def clinic() -> ClinicView:
    """Return the clinic."""
    with reading() as session:
        found = session.execute(_CLINIC).first()
    if found is None:
        return UNKNOWN
    row, edition = found
    return ClinicView(
        name=row.name,
        phone=row.phone,
        email=row.email,
        colour=row.colour,
        edition=f"{row.version}-{edition}",
    )


def colours() -> tuple[str, ...]:
    """Return every colour given to the clinic, a site, a provider or a service, each once."""
    columns = (Clinic.colour, Site.colour, Provider.colour, Service.colour)
    with reading() as session:
        return tuple(sorted(session.scalars(sa.union(*map(sa.select, columns)))))


_CLINIC = sa.select(  # built once: every page asks it
    Clinic, sa.select(ScheduleVersion.catalogue).limit(1).scalar_subquery()
).limit(1)
