"""Everything as plain values, so that anyone can leave, or check us: a list per kind.

``docs/export.md`` describes the kinds. Secrets (password hashes, token hashes, browser sessions) are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import engine
from planner.db.base import Base
from planner.db.models import Course, CourseSession, Site

KINDS = {
    "clinic": "clinic",
    "texts": "clinic_text",
    "sites": "site",
    "site_hours": "site_hours",
    "rooms": "room",
    "room_services": "room_service",
    "providers": "provider",
    "provider_hours": "provider_hours",
    "provider_services": "provider_service",
    "absences": "absence",
    "services": "service",
    "protocols": "protocol",
    "rules": "rule_record",
    "users": "user",
    "patients": "patient",
    "dates_to_avoid": "date_to_avoid",
    "screenings": "screening",
    "consents": "consent",
    "consults": "consult",
    "courses": "course",
    "course_sessions": "course_session",
    "appointments": "appointment",
    "decisions": "decision",
    "messages": "message",
    "notices": "notice",
}
SECRET = frozenset({"password_hash", "token_hash"})
DERIVED = frozenset({"search_text"})


def everything() -> dict[str, Any]:
    """Return the whole clinic: per kind a list of rows in the order they were made.

    Instants are RFC 3339 in UTC, days and times of day as ISO 8601; every row with a site carries its zone.
    An appointment carries the names FHIR and people look for beside the ids: patient, provider, room, site,
    service, course and number.
    """
    with engine.reading() as session:
        zones = dict(session.execute(sa.select(Site.id, Site.zone)).all())
        served = _served(session)
        found: dict[str, Any] = {
            kind: list(_rows(session, table, zones)) for kind, table in KINDS.items()
        }
    for row in found["appointments"]:
        row.update(_named(row, served))
    return found


def _rows(session: Session, table: str, zones: dict[int, str]) -> Iterator[dict[str, Any]]:
    source = Base.metadata.tables[table]
    for row in session.execute(sa.select(source).order_by(*source.primary_key.columns)).mappings():
        shown = {
            name: _plain(value)
            for name, value in row.items()
            if name not in SECRET and name not in DERIVED
        }
        if row.get("site_id") in zones and "zone" not in shown:
            shown["zone"] = zones[row["site_id"]]
        yield shown


def _named(row: dict[str, Any], served: dict[int, tuple[int, int]]) -> dict[str, Any]:
    course, number = served.get(row["course_session_id"] or 0, (None, None))
    return {
        "patient": row["patient_id"],
        "provider": row["provider_id"],
        "room": row["room_id"],
        "site": row["site_id"],
        "service": row["service_id"],
        "course": course,
        "number": number,
    }


def _served(session: Session) -> dict[int, tuple[int, int]]:
    rows = session.execute(
        sa.select(CourseSession.id, Course.id, CourseSession.number).join(
            Course, Course.id == CourseSession.course_id
        )
    )
    return {session_id: (course_id, number) for session_id, course_id, number in rows}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}{_fraction(value)}Z"
    if isinstance(value, date | time):
        return value.isoformat()
    return value


def _fraction(value: datetime) -> str:
    return f".{value.microsecond:06d}" if value.microsecond else ""
