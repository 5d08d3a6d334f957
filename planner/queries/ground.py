"""What every page about one appointment needs: the timetable, names, words for conflicts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import appointments, decisions, timetables
from planner.db import patients as patient_rows
from planner.db.models import Appointment, Patient, Provider, Room, Service, Site
from planner.errors import NotFound
from planner.queries import slot_view
from planner.queries.course_view import Choice, Pick, Sentence
from planner.queries.day_view import Chip, GapView
from planner.scheduling import availability, course, hours, rules
from planner.scheduling.gaps import Measure
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    Conflict,
    CourseOrder,
    Kind,
    Severity,
    Slot,
    Timetable,
)

PROVISIONAL: Mapping[str, str] = {"held": "hold", "reserved": "reserve"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All that such a page needs from the database, read in one snapshot."""

    session: Session
    now: datetime
    locale: str
    patient: Patient
    sites: Mapping[int, Site]
    rooms: Mapping[int, Room]
    providers: Mapping[int, Provider]
    services: Mapping[int, Service]
    timetable: Timetable
    names: wording.Names
    order: CourseOrder | None = None
    appointment: Appointment | None = None
    number: int | None = None
    found_before: dict[str, tuple[Conflict, ...]] = field(default_factory=dict)

    @property
    def ignoring(self) -> frozenset[int]:
        """The appointment the page is about: it does not stand in its own way."""
        return frozenset({self.appointment.id}) if self.appointment else frozenset()

    def stood(self, purpose: str) -> tuple[Conflict, ...]:
        """Return what speaks against the appointment where it stands: no change is asked for it."""
        if self.appointment is None:
            return ()
        if purpose not in self.found_before:
            self.found_before[purpose] = rules.conflicts(
                appointments.slot_of(self.appointment, self.number),
                self.timetable,
                order=self.order,
                purpose=purpose,
                ignoring=self.ignoring,
            )
        return self.found_before[purpose]

    @property
    def today(self) -> date:
        """The day it is at the first site."""
        zones = [site.zone for site in self.sites.values()]
        return hours.day_of(self.now, zones[0] if zones else "UTC")


def of_patient(
    session: Session, key: str, horizon: Interval, *, locale: str, now: datetime
) -> Ground:
    """Return the ground for a new appointment of a patient. Raises NotFound."""
    return _loaded(session, patient_rows.get(session, key), horizon, locale=locale, now=now)


def of_appointment(
    session: Session, key: str, horizon: Interval | None = None, *, locale: str, now: datetime
) -> Ground:
    """Return the ground for an appointment: its own day, and the horizon when one is asked for."""
    row = appointments.find_by_key(session, key)
    if row is None:
        raise NotFound("appointment")
    served = appointments.find_served(session, row.id)
    own = Interval(row.starts_at - timetables.MARGIN, row.ends_at + timetables.MARGIN)
    if horizon is not None:
        own = Interval(min(own.starts_at, horizon.starts_at), max(own.ends_at, horizon.ends_at))
    return _loaded(
        session,
        session.get_one(Patient, row.patient_id),
        own,
        locale=locale,
        now=now,
        order=timetables.order(session, served.course_id, now=now) if served else None,
        appointment=row,
        number=served.number if served else None,
    )


def patient_head(ground: Ground) -> slot_view.Patient:
    """Return whom it is for."""
    row = ground.patient
    name = wording.person(row.given_name, row.family_name)
    born = wording.format_birth_date(row.birth_date, ground.locale) if row.birth_date else ""
    return slot_view.Patient(
        id=row.id,
        key=row.key,
        name=name,
        initials=wording.initials(name),
        detail=" · ".join(part for part in (born, wording.format_phone(row.phone)) if part),
        language=row.language,
        language_label=wording.language(row.language, ground.locale),
    )


def moving(ground: Ground) -> slot_view.Moving:
    """Return the appointment as it stands, for a page that is about to change it."""
    row = _appointment(ground)
    return slot_view.Moving(
        key=row.key,
        version=row.version,
        status=row.status,
        service_id=row.service_id,
        minutes=int((row.ends_at - row.starts_at).total_seconds() // 60),
        service_name=ground.services[row.service_id].name,
        number=ground.number,
        total=len(ground.order.sessions) if ground.order else None,
        was_label=read_back(ground, appointments.slot_of(row), ground.locale),
    )


def slot_of(ground: Ground, pick: Pick, *, service_id: int, minutes: int) -> Slot | None:
    """Return the slot that a pick means, unjudged; None when it names what is not there."""
    known = (
        pick.site_id in ground.timetable.sites
        and pick.room_id in ground.timetable.rooms
        and pick.provider_id in ground.timetable.providers
        and service_id in ground.timetable.services
    )
    if not known or not 0 < minutes <= availability.MAXIMUM_MINUTES:
        return None
    return availability.slot_at(
        ground.timetable,
        service_id=service_id,
        site_id=pick.site_id,
        provider_id=pick.provider_id,
        room_id=pick.room_id,
        starts_at=pick.starts_at,
        minutes=minutes,
        patient_id=ground.patient.id,
        number=ground.number,
    )


def pick_of(slot: Slot) -> Pick:
    """Return the pick that means the slot."""
    return Pick(
        site_id=slot.site_id,
        provider_id=slot.provider_id,
        room_id=slot.room_id,
        starts_at=slot.starts_at.astimezone(UTC),
    )


def purpose_of(ground: Ground, service_id: int) -> str:
    """Return as what it can be had: only reserved while no consult has found a candidate."""
    if ground.appointment is not None and ground.appointment.status in PROVISIONAL:
        return PROVISIONAL[ground.appointment.status]
    service = ground.timetable.services.get(service_id)
    consults = ground.timetable.patients[ground.patient.id].consults
    is_candidate = bool(consults) and consults[-1].outcome == "candidate"
    is_session = service is not None and service.kind is Kind.SESSION
    return "reserve" if is_session and not is_candidate else "book"


def judged(ground: Ground, slot: Slot, purpose: str) -> tuple[Conflict, ...]:
    """Return what speaks against the slot for this patient, less what has been decided before."""
    found = rules.conflicts(
        slot, ground.timetable, order=ground.order, purpose=purpose, ignoring=ground.ignoring
    )
    return unanswered(ground, found, purpose)


def unanswered(ground: Ground, found: tuple[Conflict, ...], purpose: str) -> tuple[Conflict, ...]:
    """Return the conflicts less what stood before a change, and what has been decided."""
    if ground.appointment is not None:
        found = rules.added(found, ground.stood(purpose))
    course_id = ground.order.course_id if ground.order else None
    if not any(conflict.severity is Severity.DECIDE for conflict in found):
        return found
    given = decisions.codes_given(ground.session, appointment_id=None, course_id=course_id)
    if ground.appointment is not None:
        given |= decisions.codes_answering(ground.session, ground.appointment.id, found)
    return tuple(conflict for conflict in found if conflict.code not in given)


def sentences(
    ground: Ground, conflicts: Iterable[Conflict], *severities: Severity
) -> tuple[Sentence, ...]:
    """Return the conflicts of these severities in words."""
    return tuple(
        Sentence(
            code=conflict.code,
            severity=conflict.severity.value,
            text=wording.conflict(conflict, locale=ground.locale, names=ground.names),
        )
        for conflict in conflicts
        if not severities or conflict.severity in severities
    )


def read_back(ground: Ground, slot: Slot, locale: str) -> str:
    """Return "Aventura, Wed 3 Mar 2027, 10:00, with …" in a language."""
    site = ground.sites[slot.site_id]
    return wording.read_back(
        slot.starts_at,
        zone=site.zone,
        site=site.name,
        provider=ground.providers[slot.provider_id].name,
        locale=locale,
    )


def site_chip(ground: Ground, site_id: int) -> Chip:
    """Return the site as its chip shows it."""
    site = ground.sites[site_id]
    return Chip(name=site.name, colour=site.colour)


def provider_chip(ground: Ground, provider_id: int) -> Chip:
    """Return the provider as the chip shows it."""
    row = ground.providers[provider_id]
    return Chip(name=row.name, colour=row.colour, initials=wording.initials(row.name))


def deciders(ground: Ground, slot: Slot) -> tuple[Choice, ...]:
    """Return the providers who may decide at this service and site."""
    on = hours.day_of(slot.starts_at, ground.sites[slot.site_id].zone)
    entitled = decisions.entitled_by_name(
        ground.session, service_id=slot.service_id, site_id=slot.site_id, on=on
    )
    return tuple(Choice(value=str(its_id), label=name) for its_id, name in entitled)


def gap_view(measure: Measure | None, locale: str) -> GapView | None:
    """Return the measure as the ruler draws it, with its sentence."""
    if measure is None:
        return None
    return GapView(
        days=measure.days,
        floor=measure.gap.floor,
        target=measure.gap.target,
        soft_max=measure.gap.soft_max,
        text=wording.measure(measure, locale),
    )


def placed(ground: Ground) -> dict[int, Slot]:
    """Return where the sessions of the course that are yet to come are placed, by number."""
    sessions = ground.order.sessions if ground.order else ()
    return {row.number: row.fixed for row in sessions if row.fixed is not None}


def own_gap(ground: Ground, at: Slot | None) -> GapView | None:
    """Return the gap the session has at this slot;

    None outside a course or with nothing before it.
    """
    if ground.order is None or ground.number is None or at is None:
        return None
    days = {row.number: row.done_on for row in ground.order.sessions if row.done_on is not None}
    slots = placed(ground) | {ground.number: at}
    for number, slot in slots.items():
        days.setdefault(number, hours.day_of(slot.starts_at, ground.sites[slot.site_id].zone))
    past = ground.timetable.patients[ground.patient.id].past_sessions
    spacing = course.spacing(ground.timetable, ground.order)
    found = course.measure(ground.order, days, past=past, spacing=spacing)
    return gap_view(found.get(ground.number), ground.locale)


def effects(ground: Ground, after: Slot | None) -> tuple[slot_view.Effect, ...]:
    """Return what moving the session there, or with None ending it, does to the others."""
    if ground.order is None or ground.number is None:
        return ()
    before = placed(ground)
    then = {number: slot for number, slot in before.items() if number != ground.number}
    if after is not None:
        then[ground.number] = after
    return tuple(
        slot_view.Effect(
            number=effect.number,
            code=effect.code,
            text=wording.effect(effect, ground.locale),
            before=gap_view(effect.before, ground.locale),
            after=gap_view(effect.after, ground.locale),
        )
        for effect in course.effects(ground.order, before, then, ground.timetable)
        if effect.number != ground.number
    )


def choices(rows: Mapping[int, str], chosen: int | None) -> tuple[Choice, ...]:
    """Return the options of a select."""
    return tuple(
        Choice(value=str(its_id), label=label, is_chosen=its_id == chosen)
        for its_id, label in rows.items()
    )


def _loaded(
    session: Session,
    patient: Patient,
    horizon: Interval,
    *,
    locale: str,
    now: datetime,
    order: CourseOrder | None = None,
    appointment: Appointment | None = None,
    number: int | None = None,
) -> Ground:
    sites = _by_id(session, Site, (Site.position, Site.id))
    rooms = _by_id(session, Room, (Room.position, Room.id))
    providers = _by_id(session, Provider, (Provider.position, Provider.id))
    return Ground(
        session=session,
        now=now,
        locale=locale,
        patient=patient,
        sites=sites,
        rooms=rooms,
        providers=providers,
        services=_by_id(session, Service, (Service.position, Service.id)),
        timetable=timetables.load(session, horizon=horizon, now=now, patient_ids=(patient.id,)),
        names=wording.Names(
            sites={row.id: row.name for row in sites.values()},
            providers={row.id: row.name for row in providers.values()},
            rooms={row.id: row.name for row in rooms.values()},
            zones={row.id: row.zone for row in sites.values()},
        ),
        order=order,
        appointment=appointment,
        number=number,
    )


def _by_id(session: Session, model: Any, order: Collection[Any]) -> dict[int, Any]:
    rows = session.scalars(sa.select(model).order_by(*order))
    return {row.id: row for row in rows}


def _appointment(ground: Ground) -> Appointment:
    if ground.appointment is None:
        raise LookupError("this page is about no appointment")
    return ground.appointment
