"""Placing appointments: what booking, holding, moving and booking a whole course have in common.

Not a use case: it runs inside the transaction of one, which hands it ``tx``. In this order, so that
two desks queue instead of colliding: lock the actors, let expired holds go, load a narrow
timetable, judge every slot with the others laid over it, release all that moves, place all, store
the decisions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from planner.db import appointments, decisions, locks, timetables
from planner.db.decisions import GivenDecision
from planner.db.engine import Tx
from planner.db.models import Appointment
from planner.errors import Refused, Stale
from planner.scheduling import availability, course, hours, lifecycle, rulebook, rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    Conflict,
    CourseOrder,
    SessionOrder,
    Severity,
    Slot,
    Status,
    Timetable,
)

MARGIN = timedelta(days=1)
STEP_MINUTES = 5
PROVISIONAL = frozenset({Status.HELD, Status.RESERVED})
PURPOSES: Mapping[Status, str] = {Status.HELD: "hold", Status.RESERVED: "reserve"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when one appointment is wanted: untrusted until it has been judged.

    With ``appointment_id`` it moves that one, whose form was rendered from ``version``; without, it
    adds one. ``number`` and ``course_session_id`` name the session of a course that it serves.
    """

    service_id: int
    site_id: int
    provider_id: int
    room_id: int
    starts_at: datetime
    minutes: int
    course_session_id: int | None = None
    number: int | None = None
    appointment_id: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How appointments are placed: as what, with which warnings and decisions dealt with.

    ``status`` is ``booked``, ``held`` (until the site closes today) or ``reserved`` (for
    ``reservation.days``); what is moved keeps its own. ``purpose`` as in ``rules.conflicts``, by
    default that of the status.
    """

    status: Status = Status.BOOKED
    purpose: str = ""
    acknowledged: frozenset[str] = frozenset()
    decisions: tuple[GivenDecision, ...] = ()
    call_back_note: str = ""


def place(
    tx: Tx,
    patient_id: int,
    places: Sequence[Place],
    terms: Terms,
    *,
    course_id: int | None = None,
) -> list[Appointment]:
    """Place all of them or none, and return the rows in the order asked for.

    Raises ``Refused`` with every reason that still stands, ``Stale`` when a moved appointment has
    changed since its form was rendered, ``NotFound`` when it is gone.
    """
    moving = [place.appointment_id for place in places if place.appointment_id is not None]
    _lock(tx, patient_id, places, appointments.actors(tx.session, moving))
    rows = [_row(tx, place) for place in places]
    ground = _ground(tx, patient_id, places, course_id, rows)
    slots = [slot_of(ground.timetable, place, patient_id) for place in places]
    found = _added(ground, rows, slots, _purpose(terms, rows))
    _refuse(tx, ground, rows, found, terms)
    placed = _written(tx, ground, list(zip(places, slots, rows, strict=True)), terms)
    _decide(tx, ground, placed, found, terms)
    return placed


def settle(
    tx: Tx, rows: Sequence[Appointment], terms: Terms, *, course_id: int | None = None
) -> list[Appointment]:
    """Make firm what is held or reserved, judged again where it stands.

    Raises ``Refused`` or ``Stale``.
    """
    places = [as_it_stands(row) for row in rows]
    _lock(tx, rows[0].patient_id, places, ())
    fresh = [_provisional(tx, row) for row in rows]
    ground = _ground(tx, rows[0].patient_id, places, course_id, fresh)
    numbers = {s.appointment_id: s.number for s in ground.sessions}
    slots = [appointments.slot_of(row, numbers.get(row.id)) for row in fresh]
    found = _judged(ground, slots, terms.purpose or "book", moving=appointments.ids(fresh))
    # Its warnings were clicked through when it was held; a decision may have become due since.
    warned = frozenset(c.code for cs in found for c in cs if c.severity is Severity.WARN)
    seen = replace(terms, acknowledged=terms.acknowledged | warned)
    _refuse(tx, ground, fresh, found, seen)
    for row in fresh:
        appointments.enter(row, Status.BOOKED, now=tx.now)
    tx.session.flush()
    _decide(tx, ground, fresh, found, terms)
    return fresh


def slot_of(timetable: Timetable, place: Place, patient_id: int) -> Slot:
    """Return the slot that the ids mean, with its three clocks.

    Raises ``Refused`` when one is unknown.
    """
    named = (
        ("site", place.site_id, timetable.sites),
        ("room", place.room_id, timetable.rooms),
        ("provider", place.provider_id, timetable.providers),
        ("service", place.service_id, timetable.services),
    )
    unknown = [
        Conflict(code="slot.unknown", severity=Severity.BLOCK, params={"what": what, "id": its_id})
        for what, its_id, known in named
        if its_id not in known
    ]
    if unknown:
        raise Refused(unknown)
    if not 0 < place.minutes <= availability.MAXIMUM_MINUTES:
        step = {"minutes": STEP_MINUTES}
        raise Refused([Conflict(code="slot.minutes_step", severity=Severity.BLOCK, params=step)])
    return availability.slot_at(
        timetable,
        service_id=place.service_id,
        site_id=place.site_id,
        provider_id=place.provider_id,
        room_id=place.room_id,
        starts_at=place.starts_at,
        minutes=place.minutes,
        patient_id=patient_id,
        number=place.number,
    )


def as_it_stands(row: Appointment) -> Place:
    """Return where and when the appointment is now."""
    minutes = (row.ends_at - row.starts_at).total_seconds() // 60
    return Place(
        service_id=row.service_id,
        site_id=row.site_id,
        provider_id=row.provider_id,
        room_id=row.room_id,
        starts_at=row.starts_at,
        minutes=int(minutes),
        course_session_id=row.course_session_id,
        appointment_id=row.id,
    )


def closing_time(timetable: Timetable, site_id: int) -> datetime:
    """Return when a hold made now runs out: when the site closes today, or else next closes."""
    soon = Interval(timetable.now - MARGIN, timetable.now + timedelta(days=14))
    spans = hours.open_at_site(replace(timetable, horizon=soon), site_id)
    zone = timetable.sites[site_id].zone
    ends = [span.ends_at for span in spans if span.ends_at > timetable.now]
    if not ends:
        return timetable.now + MARGIN
    first = hours.day_of(ends[0], zone)
    return max(end for end in ends if hours.day_of(end, zone) == first)


def reserved_until(timetable: Timetable, slot: Slot) -> datetime:
    """Return when a reservation runs out: after ``reservation.days``, or when it starts."""
    today = hours.day_of(timetable.now, timetable.sites[slot.site_id].zone)
    rule = rulebook.resolve(
        timetable.rules,
        "reservation.days",
        on=today,
        site_id=slot.site_id,
        service_id=slot.service_id,
    )
    return min(timetable.now + timedelta(days=rule.value), slot.starts_at)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the slots are judged on."""

    timetable: Timetable
    order: CourseOrder | None
    patient_id: int
    course_id: int | None

    @property
    def sessions(self) -> tuple[SessionOrder, ...]:
        return self.order.sessions if self.order else ()


def _lock(
    tx: Tx, patient_id: int, places: Sequence[Place], present: Sequence[appointments.Actors]
) -> None:
    providers = {p.provider_id for p in places} | {a.provider_id for a in present}
    rooms = {p.room_id for p in places} | {a.room_id for a in present}
    locks.lock(tx, provider_ids=providers, room_ids=rooms, patient_ids={patient_id})
    appointments.release_expired(
        tx, provider_ids=providers, room_ids=rooms, patient_ids={patient_id}
    )


def _row(tx: Tx, place: Place) -> Appointment | None:
    """Return the row to be moved, as it is now that its actors are locked."""
    if place.appointment_id is None:
        return None
    row = appointments.get(tx, place.appointment_id)
    appointments.check_version(tx.session, row, place.version)
    is_swap = row.starts_at == place.starts_at
    if Status(row.status) not in (lifecycle.SWAPPABLE if is_swap else lifecycle.MOVABLE):
        raise Stale({"status": (None, row.status)})
    return row


def _provisional(tx: Tx, row: Appointment) -> Appointment:
    fresh = appointments.get(tx, row.id)
    if Status(fresh.status) not in PROVISIONAL:
        raise Stale({"status": (None, fresh.status)})
    return fresh


def _ground(
    tx: Tx,
    patient_id: int,
    places: Sequence[Place],
    course_id: int | None,
    rows: Sequence[Appointment | None],
) -> _Ground:
    times = [_time_of(place) for place in places]
    times += [Interval(row.starts_at, row.ends_at) for row in rows if row]
    # No more than what is judged: what is booked a day before and after it is read as well.
    horizon = Interval(min(at.starts_at for at in times), max(at.ends_at for at in times))
    timetable = timetables.load(
        tx.session,
        horizon=horizon,
        now=tx.now,
        patient_ids=(patient_id,),
        provider_ids=sorted({place.provider_id for place in places}),
        room_ids=sorted({place.room_id for place in places}),
    )
    order = None if course_id is None else timetables.order(tx.session, course_id, now=tx.now)
    return _Ground(timetable, order, patient_id, course_id)


def _time_of(place: Place) -> Interval:
    """Return when it would be; what lasts impossibly long, or no time, is refused by ``slot_of``."""
    minutes = min(max(place.minutes, STEP_MINUTES), availability.MAXIMUM_MINUTES)
    return Interval(place.starts_at, place.starts_at + timedelta(minutes=minutes))


def _purpose(terms: Terms, rows: Sequence[Appointment | None]) -> str:
    if terms.purpose:
        return terms.purpose
    status = next((Status(row.status) for row in rows if row is not None), terms.status)
    return PURPOSES.get(status, "book")


def _added(
    ground: _Ground, rows: Sequence[Appointment | None], slots: Sequence[Slot], purpose: str
) -> list[tuple[Conflict, ...]]:
    """Return what stands against each slot; of a moved one only what the move itself brings."""
    moving = appointments.ids(row for row in rows if row is not None)
    found = _judged(ground, slots, purpose, moving=moving)
    stood = [
        appointments.slot_of(row, slot.number) if row else slot
        for row, slot in zip(rows, slots, strict=True)
    ]
    before = _judged(ground, stood, purpose, moving=moving) if moving else found
    return [
        rules.added(now, then) if row else now
        for row, now, then in zip(rows, found, before, strict=True)
    ]


def _judged(
    ground: _Ground, slots: Sequence[Slot], purpose: str, *, moving: frozenset[int]
) -> list[tuple[Conflict, ...]]:
    """Judge each slot with the others laid over the timetable; one tuple per slot."""
    if ground.order is None or any(slot.number is None for slot in slots):
        return [
            rules.conflicts(
                slot, ground.timetable, order=ground.order, purpose=purpose, ignoring=moving
            )
            for slot in slots
        ]
    placed = {slot.number: slot for slot in slots if slot.number is not None}
    found = course.judge(ground.order, placed, ground.timetable, purpose=purpose, ignoring=moving)
    return [found.get(slot.number or 0, ()) for slot in slots]


def _refuse(
    tx: Tx,
    ground: _Ground,
    rows: Sequence[Appointment | None],
    found: Sequence[tuple[Conflict, ...]],
    terms: Terms,
) -> None:
    decided = frozenset(given.rule_code for given in terms.decisions)
    if any(conflict.severity is Severity.DECIDE for conflicts in found for conflict in conflicts):
        decided |= decisions.codes_given(
            tx.session, appointment_id=None, course_id=ground.course_id
        )
    standing: list[Conflict] = []
    for row, conflicts in zip(rows, found, strict=True):
        before = decisions.codes_answering(tx.session, row.id, conflicts) if row else frozenset()
        standing += rules.standing(
            conflicts, acknowledged=terms.acknowledged, decided=decided | before
        )
    if standing:
        raise Refused(standing)


def _written(
    tx: Tx,
    ground: _Ground,
    wanted: Sequence[tuple[Place, Slot, Appointment | None]],
    terms: Terms,
) -> list[Appointment]:
    moved = [row for _, _, row in wanted if row is not None]
    statuses = {row.id: row.status for row in moved}
    if len(moved) > 1:
        # The guards judge row by row: what moves into the place of another must find it empty.
        for row in moved:
            row.status = Status.RELEASED.value
        tx.session.flush()
    for _, slot, present in wanted:
        if present is not None:
            present.status = statuses[present.id]
            appointments.move(present, slot, now=tx.now)
    tx.session.flush()
    return [
        present or _new(tx, ground.timetable, place_, slot, terms)
        for place_, slot, present in wanted
    ]


def _new(tx: Tx, timetable: Timetable, place_: Place, slot: Slot, terms: Terms) -> Appointment:
    expires_at = None
    if terms.status is Status.HELD:
        expires_at = min(closing_time(timetable, slot.site_id), slot.starts_at)
    elif terms.status is Status.RESERVED:
        expires_at = reserved_until(timetable, slot)
    return appointments.add(
        tx,
        slot,
        status=terms.status,
        course_session_id=place_.course_session_id,
        expires_at=expires_at,
        call_back_note=terms.call_back_note,
    )


def _decide(
    tx: Tx,
    ground: _Ground,
    placed: Sequence[Appointment],
    found: Sequence[tuple[Conflict, ...]],
    terms: Terms,
) -> None:
    """Store each decision with the conflict it answers, bound to the appointment it is for."""
    for given in terms.decisions:
        for row, conflicts in zip(placed, found, strict=True):
            for conflict in conflicts:
                if conflict.code == given.rule_code:
                    decisions.add(
                        tx,
                        given,
                        conflict,
                        patient_id=ground.patient_id,
                        course_id=ground.course_id,
                        appointment_id=row.id,
                    )
