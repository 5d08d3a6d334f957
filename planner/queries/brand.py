"""Who the clinic is, for the frame of every page."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from planner.db.engine import reading
from planner.db.models import Clinic, Provider, Service, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicView:
    """The clinic's name and how to reach it; empty while they are placeholders."""

    name: str
    phone: str
    email: str
    colour: str


def clinic() -> ClinicView:
    """Return the clinic's row, or empty words before ``planner init``."""
    with reading() as session:
        row = session.scalar(sa.select(Clinic).limit(1))
    if row is None:
        return ClinicView(name="", phone="", email="", colour="#0f766e")
    return ClinicView(name=row.name, phone=row.phone, email=row.email, colour=row.colour)


def colours() -> tuple[str, ...]:
    """Return every colour that sites, providers, services and the clinic were given, each once."""
    with reading() as session:
        found = set(session.scalars(sa.select(Site.colour)))
        found |= set(session.scalars(sa.select(Provider.colour)))
        found |= set(session.scalars(sa.select(Service.colour)))
        found |= set(session.scalars(sa.select(Clinic.colour)))
    return tuple(sorted(found))
