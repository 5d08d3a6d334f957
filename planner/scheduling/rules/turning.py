"""When the answer of a rule may change: between two such instants one start speaks for all.

A rule about the patient has, beside its judging form, the instants (of starts) at which it may begin or
cease to hold. They may be too many, never too few: a property test compares every start with the judge.
A rule that is not in ``TURNS`` is asked about each start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from planner.scheduling import hours, rulebook
from planner.scheduling.index import Index
from planner.scheduling.interval import Interval
from planner.scheduling.rules import patient, spacing, structure
from planner.scheduling.rules.case import Rule
from planner.scheduling.timetable import Kind, PatientFacts, Timetable

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """For whom, where and how long: all that turning points depend on."""

    timetable: Timetable
    index: Index
    patient_id: int | None
    facts: PatientFacts
    zone: str
    length: timedelta
    walk: timedelta

    @property
    def ahead(self) -> timedelta:
        """From the start until the patient is free again."""
        return self.length + self.walk

    def values(self, code: str) -> set[Any]:
        """Return every value that the rule has or may come to have."""
        stored = self.index.presence.rule_records.get(code, ())
        found = [rulebook.SHIPPED[code].value, *(rule.value for rule in stored)]
        return {value for value in found if value is not None}

    def midnight(self, day: date | None) -> Iterator[datetime]:
        """Yield the day's first instant."""
        if day is not None and date.min < day < date.max:
            yield hours.day_bounds(day, self.zone).starts_at


def points(rule: Rule, scene: Scene) -> Iterable[datetime] | None:
    """Return the turning points of a rule, or None when each start has to be asked about."""
    turns = TURNS.get(rule)
    return None if turns is None else turns(scene)


def of_records(scene: Scene) -> Iterator[datetime]:
    """Yield the days on which some record of a rule takes effect."""
    for record in scene.timetable.rules:
        yield from scene.midnight(record.effective_from)


def _never(scene: Scene) -> Iterator[datetime]:
    yield from ()


def _notice(scene: Scene) -> Iterator[datetime]:
    yield scene.timetable.now
    for minutes in scene.values("notice.minutes"):
        yield scene.timetable.now + timedelta(minutes=minutes)


def _own(scene: Scene) -> Iterator[datetime]:
    for busy in _booked(scene):
        yield busy.slot.starts_at - scene.ahead
        yield busy.slot.patient_until


def _own_travel(scene: Scene) -> Iterator[datetime]:
    for minutes in scene.values("patient.travel_minutes"):
        margin = timedelta(minutes=minutes)
        for busy in _booked(scene):
            yield busy.slot.starts_at - scene.ahead - margin
            yield busy.slot.patient_until + margin


def _age(scene: Scene) -> Iterator[datetime]:
    if scene.facts.birth_date is not None:
        for years in scene.values("patient.age"):
            yield from scene.midnight(hours.birthday(scene.facts.birth_date, years))


def _eligible(scene: Scene) -> Iterator[datetime]:
    yield from scene.midnight(scene.facts.eligible_from)


def _valid_consult(scene: Scene) -> Iterator[datetime]:
    for consult in scene.facts.consults[-1:]:
        for days in scene.values("consult.valid_days"):
            yield from scene.midnight(consult.on + timedelta(days=days + 1))


def _planned_consult(scene: Scene) -> Iterator[datetime]:
    services = scene.timetable.services
    for busy in _booked(scene):
        if services[busy.slot.service_id].kind is Kind.CONSULT:
            day = hours.day_of(busy.slot.starts_at, scene.zone)
            for near in (day - ONE_DAY, day, day + ONE_DAY, day + 2 * ONE_DAY):
                yield from scene.midnight(near)
            yield busy.slot.ends_at


def _flights(scene: Scene) -> Iterator[datetime]:
    limits = scene.values("flight.within_48h") | scene.values("flight.within_72h")
    for flight in scene.facts.flights:
        leaves = {*scene.midnight(flight.on), *scene.midnight(flight.on + ONE_DAY)}
        yield from leaves
        if flight.at is not None:
            midnight = min(leaves)
            leaves.add(patient.departure(flight, midnight, midnight, scene.zone))
        for at in leaves:
            yield at - scene.length
            for limit in limits:
                yield at - scene.length - timedelta(hours=limit)


def _events(scene: Scene) -> Iterator[datetime]:
    limits = {value for code in patient.AFTERCARE for value in scene.values(code)}
    for span in _spans(scene, scene.facts.events, max(limits, default=0)):
        yield span.ends_at - scene.length
        for limit in limits:
            yield span.starts_at - scene.length - timedelta(hours=limit)


def _away(scene: Scene) -> Iterator[datetime]:
    for span in _spans(scene, scene.facts.away, 0):
        yield span.starts_at - scene.ahead
        yield span.ends_at


def _season(scene: Scene) -> Iterator[datetime]:
    yield from scene.midnight(scene.facts.stay_from)
    if scene.facts.stay_until is not None:
        yield from scene.midnight(scene.facts.stay_until + ONE_DAY)


TURNS: Mapping[Rule, Callable[[Scene], Iterator[datetime]]] = {
    structure.lies_in_the_future: _notice,
    structure.patient_is_free: _own,
    structure.patient_can_travel: _own_travel,
    patient.patient_can_come: _away,
    patient.patient_is_in_season: _season,
    patient.guardian_comes_along: _age,
    patient.is_of_age: _age,
    patient.is_eligible: _eligible,
    patient.screening_is_clear: _never,
    patient.face_is_decided: _never,
    patient.consult_was_held: _never,
    patient.consult_still_holds: _valid_consult,
    patient.reservation_follows_the_consult: _planned_consult,
    patient.length_is_usual: _never,
    patient.no_flight_follows: _flights,
    patient.no_event_follows: _events,
    spacing.order_is_decided: _never,
    spacing.session_is_open: _never,
}


def _booked(scene: Scene) -> Iterable[Any]:
    return () if scene.patient_id is None else scene.index.busy_of_patient(scene.patient_id)


def _spans(scene: Scene, rows: Any, reach: int) -> tuple[Interval, ...]:
    """The instants of these days, as far as the horizon and the hours before it go."""
    horizon = scene.timetable.horizon
    around = Interval(horizon.starts_at, horizon.ends_at + timedelta(hours=reach) + ONE_DAY)
    return tuple(span for row in rows for span in hours.absent((row,), around, scene.zone))
