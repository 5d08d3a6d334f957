"""The mask form of the rules about a patient: between which starts each of them speaks.

A search asks about thousands of starts. So each rule about the patient has, beside its judging form, its
spells: it speaks against every start from an instant up to, not including, another. A property test compares
every start of random clinics with the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from planner.scheduling import hours, rulebook
from planner.scheduling.index import Index
from planner.scheduling.interval import Interval
from planner.scheduling.rules import patient, spacing, structure
from planner.scheduling.rules.case import Rule
from planner.scheduling.timetable import (
    AbsentDays,
    Busy,
    CourseOrder,
    Flight,
    Kind,
    PatientFacts,
    RuleSetting,
    SessionOrder,
    Status,
    Timetable,
)
from planner.scheduling.zones import FACE

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
ONE_DAY = timedelta(days=1)


class Spell(NamedTuple):
    """A rule speaks against the starts from ``first`` up to, not including, ``until``."""

    code: str
    first: datetime = BEGINNING
    until: datetime = END


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """For whom, where, how long, and while which records of the rules hold: all that spells depend on."""

    timetable: Timetable
    index: Index
    facts: PatientFacts
    site_id: int
    zone: str
    service_id: int
    length: timedelta
    order: CourseOrder | None
    number: int | None
    purpose: str
    ignoring: frozenset[int]
    on: date  # the records of this day hold
    booked: tuple[Busy, ...]  # what the patient has, less what is moved away

    @property
    def session(self) -> SessionOrder | None:
        """The session of the order that is asked about."""
        sessions = self.order.sessions if self.order is not None else ()
        return next((row for row in sessions if row.number == self.number), None)

    @property
    def ahead(self) -> timedelta:
        """From the start until the patient is free again."""
        return self.length + timedelta(
            minutes=self.timetable.services[self.service_id].walk_minutes
        )

    def rule(self, code: str) -> RuleSetting:
        """Return the record of the rule that holds."""
        return self.index.rule(
            code,
            on=self.on,
            site_id=self.site_id,
            service_id=self.service_id,
            protocol_id=self.order.protocol_id if self.order is not None else None,
        )

    def midnight(self, day: date) -> datetime:
        """Return the day's first instant at the site."""
        if day <= date.min + ONE_DAY:
            return BEGINNING
        return END if day >= date.max - ONE_DAY else hours.moment(day, time(), self.zone)

    def spans(self, rows: tuple[AbsentDays, ...], reach: int = 0) -> tuple[Interval, ...]:
        """Return the instants of these days, as far as the horizon and so many hours after it go."""
        horizon = self.timetable.horizon
        around = Interval(horizon.starts_at, horizon.ends_at + timedelta(hours=reach) + ONE_DAY)
        return tuple(span for row in rows for span in hours.absent((row,), around, self.zone))


def of_session(
    order: CourseOrder, number: int | None, ignoring: frozenset[int]
) -> tuple[object, ...]:
    """Return all that the rules of ``rules.OF_NUMBERS`` look at of an order and a session of it."""
    session = first = None
    for row in order.sessions:
        if first is None or row.number < first:
            first = row.number
        if row.number == number:
            session = row
    is_first = number is None or first is None or number == first
    if session is None:
        return is_first, number is None
    return is_first, _has_face(session), _is_served(session, ignoring)


def of(rule: Rule, scene: Scene) -> Iterator[Spell]:
    """Yield the spells of a rule; those of one code may overlap. Raises KeyError for one that has none."""
    return SPELLS[rule](scene)


def _future(scene: Scene) -> Iterator[Spell]:
    now = scene.timetable.now
    yield Spell("slot.past", until=now)
    notice = scene.rule("notice.minutes").value
    if notice:
        yield Spell("notice.minutes", now, now + timedelta(minutes=notice))


def _own(scene: Scene) -> Iterator[Spell]:
    for busy in scene.booked:
        yield Spell(
            "patient.busy",
            busy.slot.starts_at - scene.ahead + INSTANT,
            busy.slot.patient_until,
        )


def _own_travel(scene: Scene) -> Iterator[Spell]:
    elsewhere = [busy.slot for busy in scene.booked if busy.slot.site_id != scene.site_id]
    if not elsewhere or len(scene.timetable.sites) < 2:
        return
    margin = timedelta(minutes=scene.rule("patient.travel_minutes").value)
    for slot in elsewhere:
        yield Spell(
            "patient.travel_minutes",
            slot.starts_at - scene.ahead - margin + INSTANT,
            slot.patient_until + margin,
        )


def _away(scene: Scene) -> Iterator[Spell]:
    for span in scene.spans(scene.facts.away):
        yield Spell("patient.away", span.starts_at - scene.ahead + INSTANT, span.ends_at)


def _season(scene: Scene) -> Iterator[Spell]:
    facts = scene.facts
    if facts.stay_from is not None:
        yield Spell("patient.stay", until=scene.midnight(facts.stay_from))
    if facts.stay_until is not None:
        yield Spell("patient.stay", scene.midnight(facts.stay_until + ONE_DAY))


def _minor(scene: Scene) -> Iterator[Spell]:
    if scene.facts.birth_date is not None:
        yield Spell("patient.age_at_consult", until=_of_age_from(scene, scene.facts.birth_date))


def _age(scene: Scene) -> Iterator[Spell]:
    if scene.facts.birth_date is None:
        yield Spell("patient.birth_date_missing")
    else:
        yield Spell("patient.age", until=_of_age_from(scene, scene.facts.birth_date))


def _of_age_from(scene: Scene, birth_date: date) -> datetime:
    return scene.midnight(hours.birthday(birth_date, scene.rule("patient.age").value))


def _eligible(scene: Scene) -> Iterator[Spell]:
    if scene.facts.is_pregnant:
        yield Spell("patient.paused")
    elif scene.facts.eligible_from is not None:
        yield Spell("patient.eligible_from", until=scene.midnight(scene.facts.eligible_from))


def _screening(scene: Scene) -> Iterator[Spell]:
    for code in scene.facts.flags:
        if code in rulebook.BY_CODE and scene.rule(code).value is not False:
            yield Spell(code)


def _face(scene: Scene) -> Iterator[Spell]:
    session = scene.session
    if session is not None and _has_face(session):
        yield Spell("zone.face")


def _consult(scene: Scene) -> Iterator[Spell]:
    if scene.purpose in patient.FIRM and not _is_candidate(scene):
        yield Spell("consult.required")


def _valid_consult(scene: Scene) -> Iterator[Spell]:
    numbers = [row.number for row in scene.order.sessions] if scene.order is not None else []
    is_first = not numbers or scene.number in (None, min(numbers))
    if is_first and _is_candidate(scene):
        last = scene.facts.consults[-1].on + timedelta(days=scene.rule("consult.valid_days").value)
        yield Spell("consult.valid_days", scene.midnight(last + ONE_DAY))


def _planned_consult(scene: Scene) -> Iterator[Spell]:
    services = scene.timetable.services
    planned = [
        busy.slot
        for busy in scene.booked
        if services[busy.slot.service_id].kind is Kind.CONSULT
        and busy.status is not Status.FULFILLED
        and busy.slot.ends_at > scene.timetable.now
    ]
    if not planned or _is_candidate(scene):
        return
    code, ends_at = "consult.same_day_reservation", planned[0].ends_at
    day = hours.day_of(planned[0].starts_at, scene.timetable.sites[planned[0].site_id].zone)
    begins, over = scene.midnight(day), scene.midnight(day + ONE_DAY)
    yield Spell(code, until=begins)
    yield Spell(code, begins, min(ends_at, over))
    if not scene.rule(code).value:
        yield Spell(code, max(ends_at, begins), over)


def _is_candidate(scene: Scene) -> bool:
    consults = scene.facts.consults
    return bool(consults) and consults[-1].outcome == "candidate"


def _length(scene: Scene) -> Iterator[Spell]:
    usual = scene.rule("session.minutes_range").value
    if not usual["from"] <= scene.length / timedelta(minutes=1) <= usual["to"]:
        yield Spell("session.minutes_range")


def _flights(scene: Scene) -> Iterator[Spell]:
    if not scene.facts.flights:
        return
    near, far = (scene.rule(code) for code in ("flight.within_48h", "flight.within_72h"))
    # Within 72 hours speaks where within 48 does not.
    close = [span for flight in scene.facts.flights for span in _before(scene, flight, near.value)]
    yield from (Spell(near.code, *span) for span in close)
    for flight in scene.facts.flights:
        for first, until in _before(scene, flight, far.value):
            yield from (Spell(far.code, *left) for left in _without(first, until, close))


def _before(scene: Scene, flight: Flight, limit: int) -> Iterator[tuple[datetime, datetime]]:
    """The starts of which the flight leaves less than ``limit`` hours after the end."""
    if limit <= 0:
        return
    reach = timedelta(hours=limit)
    midnight = scene.midnight(flight.on)
    if flight.at is None:
        # It leaves when its day begins; of a session on that day, right after it.
        yield midnight, scene.midnight(flight.on + ONE_DAY)
    leaves_at = patient.departure(flight, midnight, midnight, scene.zone)
    yield (
        leaves_at - reach - scene.length + INSTANT,
        leaves_at - scene.length + INSTANT,
    )


def _without(
    first: datetime, until: datetime, gone: list[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    for begins, ends in sorted(gone):
        if first < begins < until:
            yield first, begins
        if begins < until and ends > first:
            first = ends
    if first < until:
        yield first, until


def _events(scene: Scene) -> Iterator[Spell]:
    if not scene.facts.events:
        return
    longest = max(scene.rule(code).value for code in patient.AFTERCARE)
    if longest > 0:
        ahead = scene.length + timedelta(hours=longest)
        for span in scene.spans(scene.facts.events, longest):
            yield Spell(
                "event.within_72h",
                span.starts_at - ahead + INSTANT,
                span.ends_at - scene.length,
            )


def _undecided(scene: Scene) -> Iterator[Spell]:
    order = scene.order
    if order is not None and not order.is_decided and scene.purpose in spacing.DECIDED:
        yield Spell("order.undecided")


def _taken(scene: Scene) -> Iterator[Spell]:
    if scene.order is None or scene.number is None:
        return
    session = scene.session
    if session is None:
        yield Spell("order.unknown_session")
        return
    if _is_served(session, scene.ignoring):
        yield Spell("order.already_placed")


def _has_face(session: SessionOrder) -> bool:
    return any(zone.startswith(FACE) for zone in session.zones)


def _is_served(session: SessionOrder, ignoring: frozenset[int]) -> bool:
    is_served = session.appointment_id is not None or session.done_on is not None
    return is_served and session.appointment_id not in ignoring


SPELLS: Mapping[Rule, Callable[[Scene], Iterator[Spell]]] = {
    structure.lies_in_the_future: _future,
    structure.patient_is_free: _own,
    structure.patient_can_travel: _own_travel,
    patient.patient_can_come: _away,
    patient.patient_is_in_season: _season,
    patient.guardian_comes_along: _minor,
    patient.is_of_age: _age,
    patient.is_eligible: _eligible,
    patient.screening_is_clear: _screening,
    patient.face_is_decided: _face,
    patient.consult_was_held: _consult,
    patient.consult_still_holds: _valid_consult,
    patient.reservation_follows_the_consult: _planned_consult,
    patient.length_is_usual: _length,
    patient.no_flight_follows: _flights,
    patient.no_event_follows: _events,
    spacing.order_is_decided: _undecided,
    spacing.session_is_open: _taken,
}
