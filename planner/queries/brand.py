"""Who the clinic is and which colours it uses, for the frame of every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from planner.db import snapshots
from planner.db.engine import db, glance, reading
from planner.db.models import Clinic, Provider, ScheduleVersion, Service, Site
from planner.db.prepared import Prepared


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


def clinic(edition: str = "") -> ClinicView:
    """Return the clinic; without asking the database when this process knows the edition given."""
    engine = db.engine
    known = _KNOWN.get(engine)
    if known is None or not edition or known.edition != edition:
        known = _KNOWN[engine] = _read()
    return known


def colours() -> tuple[str, ...]:
    """Return every colour given to the clinic, a site, a provider or a service, each once."""
    columns = (Clinic.colour, Site.colour, Provider.colour, Service.colour)
    with reading() as session:
        return tuple(sorted(session.scalars(sa.union(*map(sa.select, columns)))))


_KNOWN: WeakKeyDictionary[Any, ClinicView] = WeakKeyDictionary()
_CLINIC = Prepared(
    sa.select(
        Clinic.name, Clinic.phone, Clinic.email, Clinic.colour, Clinic.version,
        sa.select(ScheduleVersion.catalogue).limit(1).scalar_subquery().label("catalogue"),
    ).limit(1)
)  # fmt: skip


def _read() -> ClinicView:
    row = glance(_CLINIC, {})
    if row is None:
        return UNKNOWN
    return ClinicView(
        name=row.name,
        phone=row.phone,
        email=row.email,
        colour=row.colour,
        edition=snapshots.edition(row.version, row.catalogue),
    )
