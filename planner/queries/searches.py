"""Free starts and course proposals for the command line: names in, plain values out."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import engine, timetables
from planner.db.models import Course, Patient, Protocol, Provider, Room, Service, Site
from planner.errors import NotFound
from planner.scheduling import availability, explaining, hours, obstacles, reading
from planner.scheduling import course as planning
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Conflict, CourseOrder, Gap, SessionOrder, Severity, Slot

SLACK = 45  # days a search may reach beyond the soft maxima
LONGEST = 400  # days: no search looks further
LONGEST_NAME = 60  # characters of a name that nobody has, said back
MOST_NAMED = 12  # names offered instead


@dataclass(frozen=True, slots=True)
class _Names:
    sites: dict[int, Site]
    providers: dict[int, str]
    rooms: dict[int, str]
    spoken: wording.Names


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseAsked:
    """Which course is to be placed, and what is wished for; names, numbers or keys as typed, "" for any."""

    patient: str
    protocol: str
    site: str = ""
    provider: str = ""
    weekdays: frozenset[int] = frozenset()
    from_day: date | None = None
    until_day: date | None = None
    sessions: int | None = None  # another number than the protocol's
    gap: Gap | None = None  # another gap than the protocol's
    objective: str = "order"
    top: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAsked:
    """Which day, start, site or provider it is asked about; names, numbers or keys as typed, "" for any.

    ``at`` is a start on the site's clock, as 14:30. With a protocol it is about session ``number`` of the
    patient's course of it, else about the service alone.
    """

    day: date
    service: str = ""
    protocol: str = ""
    number: int | None = None
    site: str = ""
    provider: str = ""
    patient: str = ""
    at: str = ""
    minutes: int | None = None


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
    Raises NotFound for a name that nobody has, ValueError for days that are over.
    """
    with engine.reading() as session:
        names = _names(session)
        service_id = _find(session, Service, service, Service.code, Service.name)
        site_ids = _ids(session, Site, site, Site.name)
        provider_ids = _ids(session, Provider, provider, Provider.name)
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


def course(asked: CourseAsked, *, now: datetime) -> dict[str, Any]:
    """Return the best ways to place a course for a patient; without any, what is in the way and would help.

    ``proposals``, ``obstacles`` and ``relaxations``, as plain values. The patient's own running course of the
    protocol, if there is one, is what is placed, and what has taken place counts; with other sessions or
    another gap it is a course that nobody has ordered. Raises NotFound and ValueError.
    """
    with engine.reading() as session:
        names = _names(session)
        who = _patient(session, asked.patient)
        chosen = session.get_one(Protocol, _find(session, Protocol, asked.protocol, Protocol.name))
        order = _order(session, who, chosen, asked, now)
        wishes = planning.Wishes(
            site_ids=_ids(session, Site, asked.site, Site.name),
            provider_ids=_ids(session, Provider, asked.provider, Provider.name),
            weekdays=asked.weekdays,
            not_before=asked.from_day,
            not_after=asked.until_day,
        )
        today = _interval(names, None, 1, now)
        _check_days(asked, _today(names, now))
        first = max(asked.from_day or date.min, who.eligible_from or date.min, _today(names, now))
        reach = min(sum(s.gap.soft_max for s in order.sessions) + SLACK, LONGEST)
        wished = _interval(names, first, reach, now)
        # From today on: what is booked before the wished days is judged with the rest.
        horizon = Interval(min(today.starts_at, wished.starts_at), wished.ends_at)
        timetable = timetables.load(session, horizon=horizon, now=now, patient_ids=(who.id,))
    found = planning.propose(
        order, timetable, wishes, objective=asked.objective, k=asked.top, purpose="reserve"
    )
    hindered = () if found else obstacles.of(order, timetable, wishes, purpose="reserve")
    relaxations = (
        ()
        if found
        else explaining.relaxations(
            order, timetable, wishes, objective=asked.objective, purpose="reserve"
        )
    )
    return {
        "proposals": [_proposal(names, proposal) for proposal in found],
        "obstacles": [_reason(names, conflict) for conflict in hindered],
        "relaxations": [_relaxation(names, one) for one in relaxations],
    }


def reasons(asked: DayAsked, *, now: datetime) -> list[dict[str, Any]]:
    """Return what keeps the starts of a day from being offered, by site and provider, as plain values.

    Names as in ``slots``. Of a site that is closed all day, or where nobody gives the service, the day as a
    whole, without a provider.
    Raises NotFound and ValueError.
    """
    with engine.reading() as session:
        names = _names(session)
        if not names.sites:
            raise ValueError("there is no site yet")
        who = _patient(session, asked.patient) if asked.patient else None
        service_id, order = _asked_service(session, asked, who, now)
        number = _open_number(order, asked.number)
        order, own = _opened(order, number)
        site_ids = _ids(session, Site, asked.site, Site.name) or frozenset(names.sites)
        provider_id = (
            _find(session, Provider, asked.provider, Provider.name) if asked.provider else None
        )
        first = min(asked.day, *(hours.day_of(now, names.sites[i].zone) for i in site_ids))
        timetable = timetables.load(
            session,
            horizon=_interval(names, first, (asked.day - first).days + 2, now, is_past_fine=True),
            now=now,
            patient_ids=(who.id,) if who is not None else (),
        )
    minutes = asked.minutes or _minutes(order, number)
    wall = _clock(asked.at) if asked.at else None
    looks = {
        site_id: explaining.day(
            timetable,
            asked.day,
            service_id=service_id,
            site_id=site_id,
            at=hours.instant(asked.day, wall, names.sites[site_id].zone) if wall else None,
            provider_id=provider_id,
            minutes=minutes,
            patient_id=who.id if who is not None else None,
            number=number,
            order=order,
            purpose="book" if order is None else "reserve",
            ignoring=own,
        )
        for site_id in sorted(site_ids)
    }
    return [
        one
        for site_id, look in looks.items()
        for one in (
            map(partial(_blocked, names), look.blocked)
            if look.blocked or look.free
            else [_all_day(names, site_id, asked.day, look.closed or (_nobody(site_id),))]
        )
    ]


def _asked_service(
    session: Session, asked: DayAsked, who: Patient | None, now: datetime
) -> tuple[int, CourseOrder | None]:
    """Return the service that is asked about, and with a protocol the patient's course of it."""
    if not asked.protocol:
        return _find(session, Service, asked.service, Service.code, Service.name), None
    if who is None:
        raise ValueError("a protocol is asked about for a patient")
    chosen = session.get_one(Protocol, _find(session, Protocol, asked.protocol, Protocol.name))
    order = _order(session, who, chosen, CourseAsked(patient="", protocol=""), now)
    return order.service_id, order


def _open_number(order: CourseOrder | None, wanted: int | None) -> int | None:
    """Return the session that is asked about: the one wanted, else the first that is still to be placed."""
    if order is None:
        return None
    if wanted is not None and wanted not in [row.number for row in order.sessions]:
        raise ValueError(f"the course has no session {wanted}")
    coming = [row for row in order.sessions if row.done_on is None]
    opens = [row.number for row in coming if row.fixed is None]
    return wanted or next(iter([*opens, *(row.number for row in coming)]), None)


def _opened(
    order: CourseOrder | None, number: int | None
) -> tuple[CourseOrder | None, frozenset[int]]:
    """Return the order with the session open, and the appointment that then stands in nobody's way."""
    if order is None:
        return None, frozenset()
    own = frozenset(
        row.appointment_id
        for row in order.sessions
        if row.number == number and row.done_on is None and row.appointment_id is not None
    )
    rows = (
        replace(row, fixed=None, appointment_id=None) if row.appointment_id in own else row
        for row in order.sessions
    )
    return replace(order, sessions=tuple(rows)), own


def _minutes(order: CourseOrder | None, number: int | None) -> int | None:
    rows = order.sessions if order is not None else ()
    return next((row.minutes for row in rows if row.number == number), None)


def _clock(text: str) -> time:
    with contextlib.suppress(ValueError):
        wall = time.fromisoformat(text)
        if wall.tzinfo is None:
            return wall
    raise ValueError(f"{text!r} is not a time such as 14:30")


def _reason(names: _Names, conflict: Conflict) -> dict[str, Any]:
    return {
        "code": conflict.code,
        "severity": conflict.severity.value,
        "params": dict(conflict.params),
        "text": wording.conflict(conflict, locale="en", names=names.spoken),
    }


def _relaxation(names: _Names, relaxation: explaining.Relaxation) -> dict[str, Any]:
    days = [
        hours.day_of(one.slot.starts_at, names.sites[one.slot.site_id].zone)
        for one in relaxation.proposal.sessions
        if not one.is_fixed
    ]
    text = wording.relaxation(
        relaxation, first=min(days), last=max(days), locale="en", names=names.spoken
    )
    return {
        "code": relaxation.code,
        "params": dict(relaxation.params),
        "text": text,
        "proposal": _proposal(names, relaxation.proposal),
    }


def _blocked(names: _Names, blocked: explaining.Blocked) -> dict[str, Any]:
    return {
        "site": names.sites[blocked.site_id].name,
        "site_id": blocked.site_id,
        "zone": names.sites[blocked.site_id].zone,
        "provider": names.providers[blocked.provider_id],
        "provider_id": blocked.provider_id,
        "starts_at": blocked.span.starts_at,
        "ends_at": blocked.span.ends_at,
        "reasons": [_reason(names, conflict) for conflict in blocked.conflicts],
    }


def _nobody(site_id: int) -> Conflict:
    return Conflict(code="service.nobody", severity=Severity.BLOCK, params={"site_id": site_id})


def _all_day(names: _Names, site_id: int, day: date, reasons: Sequence[Conflict]) -> dict[str, Any]:
    """Return what is to be said of the whole day of a site, whoever would work there."""
    site = names.sites[site_id]
    whole = hours.day_bounds(day, site.zone)
    return {
        "site": site.name,
        "site_id": site_id,
        "zone": site.zone,
        "provider": None,
        "provider_id": None,
        "starts_at": whole.starts_at,
        "ends_at": whole.ends_at,
        "reasons": [_reason(names, conflict) for conflict in reasons],
    }


def _check_days(asked: CourseAsked, today: date) -> None:
    """Raise ValueError where the wished days are over, or end before they begin."""
    for day in (asked.until_day, asked.from_day):
        if day is not None and day < today:
            raise ValueError(f"{day} is in the past: nothing can be planned there")
    if asked.from_day and asked.until_day and asked.until_day < asked.from_day:
        raise ValueError(f"{asked.until_day} is before {asked.from_day}: no day lies between them")


def _order(
    session: Session, patient: Patient, protocol: Protocol, asked: CourseAsked, now: datetime
) -> CourseOrder:
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
    if course_id is not None and asked.sessions is None and asked.gap is None:
        return timetables.order(session, course_id, now=now)
    gap = asked.gap or Gap(
        floor=protocol.gap_floor, target=protocol.gap_target, soft_max=protocol.gap_soft_max
    )
    return CourseOrder(
        service_id=protocol.service_id,
        sessions=tuple(
            SessionOrder(number=number, minutes=protocol.minutes, gap=gap)
            for number in range(1, (asked.sessions or protocol.sessions) + 1)
        ),
        same_zone_gap=timetables.same_zone_gap(session, now=now),
        patient_id=patient.id,
        protocol_id=protocol.id,
    )


def _proposal(names: _Names, proposal: planning.Proposal) -> dict[str, Any]:
    return {
        "name": proposal.name,
        "cost": proposal.cost,
        "ends_on": max(
            hours.day_of(one.slot.starts_at, names.sites[one.slot.site_id].zone)
            for one in proposal.sessions
        ),
        "is_proven": proposal.is_proven,
        "sessions": [
            {
                "number": session.number,
                **_slot(names, session.slot),
                "gap_days": session.gap_days,
                "costs": [_cost(names, cost) for cost in session.costs],
                "reasons": [_reason(names, conflict) for conflict in session.conflicts],
            }
            for session in proposal.sessions
        ],
    }


def _cost(names: _Names, cost: planning.Cost) -> dict[str, Any]:
    return {
        "code": cost.code,
        "amount": cost.amount,
        "params": dict(cost.params),
        "text": wording.cost(cost, locale="en", names=names.spoken),
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
    sites = {row.id: row for row in session.scalars(sa.select(Site))}
    providers = dict(session.execute(sa.select(Provider.id, Provider.name)).all())
    rooms = dict(session.execute(sa.select(Room.id, Room.name)).all())
    return _Names(
        sites=sites,
        providers=providers,
        rooms=rooms,
        spoken=wording.Names(
            sites={row.id: row.name for row in sites.values()},
            providers=providers,
            rooms=rooms,
            zones={row.id: row.zone for row in sites.values()},
        ),
    )


def _interval(
    names: _Names, from_day: date | None, days: int, now: datetime, *, is_past_fine: bool = False
) -> Interval:
    """Return whole days of the westernmost site, from today or the given day on.

    Raises ValueError when they are over, unless that is just what is asked about.
    """
    today = _today(names, now)
    first = from_day or today
    last = first + timedelta(days=days - 1)
    if last < today and not is_past_fine:
        raise ValueError(f"{first} is in the past: nothing can be planned there")
    zones = _zones(names)
    starts_at = min(hours.day_bounds(first, zone).starts_at for zone in zones)
    ends_at = max(hours.day_bounds(last, zone).ends_at for zone in zones)
    return Interval(starts_at, ends_at)


def _today(names: _Names, now: datetime) -> date:
    return min(hours.day_of(now, zone) for zone in _zones(names))


def _zones(names: _Names) -> set[str]:
    return {site.zone for site in names.sites.values()} or {"UTC"}


def _ids(session: Session, kind: Any, text: str, *columns: Any) -> frozenset[int] | None:
    """Return the one that is named, None for any."""
    return frozenset({_find(session, kind, text, *columns)}) if text else None


def _patient(session: Session, text: str) -> Patient:
    where = Patient.id == int(text) if _is_number(text) else Patient.key == text
    found = session.scalar(sa.select(Patient).where(where))
    if found is None:
        raise NotFound(f"patient {_quoted(text)}")
    return found


def _find(session: Session, kind: Any, text: str, *columns: Any) -> int:
    """Return the one of that number, code or name, however it is spelled. Raises NotFound, which names them all."""
    rows = session.execute(sa.select(kind.id, *columns).order_by(kind.id)).all()
    for spelled in (str.strip, _spelled):
        for its_id, *names in rows:
            is_it = its_id == int(text) if _is_number(text) else False
            if is_it or spelled(text) in map(spelled, names):
                return int(its_id)
    known = ", ".join(sorted({row[-1] for row in rows})[:MOST_NAMED])
    raise NotFound(
        f"{kind.__tablename__} {_quoted(text)}" + (f": there are {known}" if known else "")
    )


def _spelled(name: str) -> str:
    """Return a name as people type it: without case and accents, and x for ×."""
    return reading.fold(name.replace("×", "x")) or name


def _quoted(text: str) -> str:
    """Return what was typed, short enough for one line."""
    return text if 0 < len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]!r}"


def _is_number(text: str) -> bool:
    # The database reads no number of more than nine digits.
    return text.isascii() and text.isdigit() and len(text) <= 9
