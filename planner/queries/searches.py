"""Free starts and course proposals for the command line: names in, plain values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import engine, timetables
from planner.db.models import Course, Patient, Protocol, Provider, Room, Service, Site
from planner.errors import NotFound
from planner.scheduling import availability, explaining, hours
from planner.scheduling import course as planning
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import CourseOrder, Gap, SessionOrder, Slot

SLACK = 45  # days a search may reach beyond the soft maxima


@dataclass(frozen=True, slots=True)
class _Names:
    sites: dict[int, Site]
    providers: dict[int, str]
    rooms: dict[int, str]


def slots(
    *,
    service: str,
    site: str,
    provider: str,
    from_day: date | None,
    days: int,
    minutes: int | None,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return the free starts of a service, earliest first, as plain values.

    Service, site and provider are given by number, code or name; an empty site or provider means any.
    Raises NotFound for a name that nobody has.
    """
    with engine.reading() as session:
        names = _names(session)
        service_id = _find(session, Service, service, Service.code, Service.name)
        site_ids = [_find(session, Site, site, Site.name)] if site else None
        provider_ids = [_find(session, Provider, provider, Provider.name)] if provider else None
        interval = _interval(names, from_day, days, now)
        timetable = timetables.load(session, horizon=interval, now=now)
    found = availability.free_slots(
        timetable,
        service_id=service_id,
        site_ids=site_ids,
        provider_ids=provider_ids,
        minutes=minutes,
        interval=interval,
    )
    return [_slot(names, slot) for slot in found]


def proposals(
    *, patient: str, protocol: str, from_day: date | None, top: int, objective: str, now: datetime
) -> list[dict[str, Any]]:
    """Return the best ways to place a course of the protocol for the patient, as plain values.

    The patient's own running course of that protocol, if there is one, is what is placed: what has taken
    place counts. The patient is given by number or key. Raises NotFound and ValueError.
    """
    with engine.reading() as session:
        names = _names(session)
        who = _patient(session, patient)
        chosen = session.get_one(Protocol, _find(session, Protocol, protocol, Protocol.name))
        order = _order(session, who, chosen, now)
        reach = sum(s.gap.soft_max for s in order.sessions) + SLACK
        interval = _interval(names, from_day, reach, now)
        timetable = timetables.load(session, horizon=interval, now=now, patient_ids=(who.id,))
    found = planning.propose(
        order,
        timetable,
        planning.Wishes(not_before=from_day),
        objective=objective,
        k=top,
        purpose="reserve",
    )
    return [_proposal(names, proposal) for proposal in found]


def reasons(
    *,
    service: str,
    site: str,
    day: date,
    at: str = "",
    provider: str = "",
    patient: str = "",
    minutes: int | None = None,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return what keeps the starts of a day at a site from being offered, by provider, as plain values.

    With ``at`` (``14:30`` on the site's clock) of that start alone. Names as in ``slots``. Raises NotFound
    and ValueError.
    """
    with engine.reading() as session:
        names = _names(session)
        service_id = _find(session, Service, service, Service.code, Service.name)
        site_id = _find(session, Site, site, Site.name)
        provider_id = _find(session, Provider, provider, Provider.name) if provider else None
        who = _patient(session, patient) if patient else None
        first = min(day, hours.day_of(now, names.sites[site_id].zone))
        timetable = timetables.load(
            session,
            horizon=_interval(names, first, (day - first).days + 2, now),
            now=now,
            patient_ids=(who.id,) if who is not None else (),
        )
    found = explaining.day(
        timetable,
        day,
        service_id=service_id,
        site_id=site_id,
        provider_id=provider_id,
        minutes=minutes,
        patient_id=who.id if who is not None else None,
    )
    wanted = hours.instant(day, _clock(at), names.sites[site_id].zone) if at else None
    return [
        _blocked(names, blocked)
        for blocked in found.blocked
        if wanted is None or blocked.span.starts_at <= wanted < blocked.span.ends_at
    ]


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 14:30") from None


def _blocked(names: _Names, blocked: explaining.Blocked) -> dict[str, Any]:
    known = wording.Names(
        sites={row.id: row.name for row in names.sites.values()},
        providers=names.providers,
        rooms=names.rooms,
        zones={row.id: row.zone for row in names.sites.values()},
    )
    return {
        "site": names.sites[blocked.site_id].name,
        "site_id": blocked.site_id,
        "zone": names.sites[blocked.site_id].zone,
        "provider": names.providers[blocked.provider_id],
        "provider_id": blocked.provider_id,
        "starts_at": blocked.span.starts_at,
        "ends_at": blocked.span.ends_at,
        "reasons": [
            {
                "code": conflict.code,
                "severity": conflict.severity.value,
                "params": dict(conflict.params),
                "text": wording.conflict(conflict, locale="en", names=known),
            }
            for conflict in blocked.conflicts
        ],
    }


def _order(session: Session, patient: Patient, protocol: Protocol, now: datetime) -> CourseOrder:
    course_id = session.scalar(
        sa.select(Course.id)
        .where(
            Course.patient_id == patient.id,
            Course.protocol_id == protocol.id,
            Course.status.in_(("draft", "active")),
        )
        .order_by(Course.id.desc())
        .limit(1)
    )
    if course_id is not None:
        return timetables.order(session, course_id, now=now)
    gap = Gap(floor=protocol.gap_floor, target=protocol.gap_target, soft_max=protocol.gap_soft_max)
    return CourseOrder(
        service_id=protocol.service_id,
        sessions=tuple(
            SessionOrder(number=number, minutes=protocol.minutes, gap=gap)
            for number in range(1, protocol.sessions + 1)
        ),
        same_zone_gap=timetables.same_zone_gap(session, now=now),
        patient_id=patient.id,
        protocol_id=protocol.id,
    )


def _proposal(names: _Names, proposal: planning.Proposal) -> dict[str, Any]:
    return {
        "name": proposal.name,
        "cost": proposal.cost,
        "is_proven": proposal.is_proven,
        "sessions": [
            {
                "number": session.number,
                **_slot(names, session.slot),
                "gap_days": session.gap_days,
                "costs": [
                    {"code": c.code, "amount": c.amount, "params": dict(c.params)}
                    for c in session.costs
                ],
            }
            for session in proposal.sessions
        ],
    }


def _slot(names: _Names, slot: Slot) -> dict[str, Any]:
    return {
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "zone": names.sites[slot.site_id].zone,
        "site": names.sites[slot.site_id].name,
        "site_id": slot.site_id,
        "provider": names.providers[slot.provider_id],
        "provider_id": slot.provider_id,
        "room": names.rooms[slot.room_id],
        "room_id": slot.room_id,
    }


def _names(session: Session) -> _Names:
    return _Names(
        sites={row.id: row for row in session.scalars(sa.select(Site))},
        providers=dict(session.execute(sa.select(Provider.id, Provider.name)).all()),
        rooms=dict(session.execute(sa.select(Room.id, Room.name)).all()),
    )


def _interval(names: _Names, from_day: date | None, days: int, now: datetime) -> Interval:
    """Return whole days of the westernmost site, from today or the given day on."""
    zones = {site.zone for site in names.sites.values()} or {"UTC"}
    first = from_day or min(hours.day_of(now, zone) for zone in zones)
    starts_at = min(hours.day_bounds(first, zone).starts_at for zone in zones)
    last = first + timedelta(days=days - 1)
    ends_at = max(hours.day_bounds(last, zone).ends_at for zone in zones)
    return Interval(starts_at, ends_at)


def _patient(session: Session, text: str) -> Patient:
    where = Patient.id == int(text) if text.isascii() and text.isdigit() else Patient.key == text
    found = session.scalar(sa.select(Patient).where(where))
    if found is None:
        raise NotFound(f"patient {text}")
    return found


def _find(session: Session, kind: Any, text: str, *columns: Any) -> int:
    if text.isascii() and text.isdigit():
        where = kind.id == int(text)
    else:
        where = sa.or_(*(sa.func.lower(column) == text.strip().lower() for column in columns))
    found = session.scalar(sa.select(kind.id).where(where).limit(1))
    if found is None:
        raise NotFound(f"{kind.__tablename__} {text}")
    return int(found)
