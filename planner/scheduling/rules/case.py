"""One slot before the rules: what they ask about it, looked up once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from planner.scheduling import gaps, hours, index, rulebook
from planner.scheduling.timetable import (
    Busy,
    Conflict,
    CourseOrder,
    Kind,
    PastSession,
    PatientFacts,
    ProviderFacts,
    RoomFacts,
    RuleSetting,
    ServiceFacts,
    SessionOrder,
    SiteFacts,
    Slot,
    Timetable,
)

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801  it is written like a decorator, because it is one
    """A property worked out when first asked for; without the lock of the library's own."""

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __get__(self, case: Any, owner: object = None) -> T:
        found = case.__dict__[self._work.__name__] = self._work(case)
        return found


@dataclass(frozen=True)
class Case:
    """A slot, and everything it is judged by."""

    slot: Slot
    timetable: Timetable
    order: CourseOrder | None
    purpose: str
    ignoring: frozenset[int]

    def conflict(self, code: str, **params: Any) -> Conflict:
        """Return the conflict, of the severity the rule has on the slot's day at its site."""
        return Conflict(code=code, severity=self.rule(code).severity, params=params)

    def rule(self, code: str) -> RuleSetting:
        """Return the record of the rule that holds on the slot's day at its site."""
        return self.index.rule(
            code,
            on=self.day,
            site_id=self.slot.site_id,
            service_id=self.slot.service_id,
            protocol_id=self.order.protocol_id if self.order else None,
        )

    def busy(self, actor: str, actor_id: int, starts_at: datetime, ends_at: datetime) -> list[Busy]:
        """Return what takes the actor in that time, less what this change moves away."""
        found = self.index.busy(actor, actor_id, starts_at, ends_at)
        return [busy for busy in found if busy.appointment_id not in self.ignoring]

    @once
    def index(self) -> index.Index:
        return index.of(self.timetable)

    @once
    def site(self) -> SiteFacts:
        return self.timetable.sites[self.slot.site_id]

    @once
    def room(self) -> RoomFacts:
        return self.timetable.rooms[self.slot.room_id]

    @once
    def provider(self) -> ProviderFacts:
        return self.timetable.providers[self.slot.provider_id]

    @once
    def service(self) -> ServiceFacts:
        return self.timetable.services[self.slot.service_id]

    @once
    def kind(self) -> Kind:
        return self.service.kind

    @once
    def zone(self) -> str:
        return self.site.zone

    @once
    def starts(self) -> datetime:
        """When it starts, as the site's clocks show it."""
        return hours.local(self.slot.starts_at, self.zone)

    @once
    def day(self) -> date:
        return self.starts.date()

    @once
    def minutes(self) -> float:
        return (self.slot.ends_at - self.slot.starts_at).total_seconds() / 60

    @once
    def patient(self) -> PatientFacts | None:
        if self.slot.patient_id is None:
            return None
        return self.timetable.patients.get(self.slot.patient_id)

    @once
    def session(self) -> SessionOrder | None:
        """The session of the order that the slot would serve."""
        sessions = self.order.sessions if self.order else ()
        return next((row for row in sessions if row.number == self.slot.number), None)

    @once
    def placed(self) -> dict[int, date]:
        """The days of the other sessions of the order: done, booked or pinned."""
        days: dict[int, date] = {}
        for row in self.order.sessions if self.order else ():
            if row.number == self.slot.number or row.appointment_id in self.ignoring:
                continue
            if row.done_on is not None:
                days[row.number] = row.done_on
            elif row.fixed is not None:
                days[row.number] = day_of_slot(row.fixed, self.timetable)
        return days

    @once
    def spacing(self) -> gaps.Spacing:
        return self.index.presence.spacing(
            on=self.day,
            site_id=self.slot.site_id,
            service_id=self.slot.service_id,
            protocol_id=self.order.protocol_id if self.order else None,
        )

    @once
    def measured_order(self) -> CourseOrder:
        """The order, or for a session outside any course an order of that one session."""
        if self.order is not None:
            return self.order
        alone = SessionOrder(number=1, minutes=int(self.minutes), gap=self.spacing.new_zones)
        return CourseOrder(
            service_id=self.slot.service_id,
            sessions=(alone,),
            same_zone_gap=rulebook.gap(self.rule("gap.same_zone").value),
            patient_id=self.slot.patient_id,
        )

    @once
    def ruler(self) -> gaps.Ruler:
        """What the sessions of the measured order are measured against."""
        return gaps.Ruler(self.measured_order, self.past, self.spacing)

    @once
    def past(self) -> tuple[PastSession, ...]:
        """The patient's sessions that took place, and those of other courses that are to."""
        done = self.patient.past_sessions if self.patient else ()
        return (
            *(row for row in done if row.appointment_id is None or row.appointment_id not in self.ignoring),
            *self._planned_elsewhere(),
        )  # fmt: skip

    def _planned_elsewhere(self) -> Iterable[PastSession]:
        if self.slot.patient_id is None:
            return
        own = self.order.course_id if self.order else None
        for busy in self.index.busy_of_patient(self.slot.patient_id):
            is_own = own is not None and busy.course_id == own
            if is_own or busy.appointment_id in self.ignoring or busy.status == "fulfilled":
                continue
            service = self.timetable.services.get(busy.slot.service_id)
            if service is not None and service.kind is Kind.SESSION and not self._is_this(busy):
                yield PastSession(
                    on=day_of_slot(busy.slot, self.timetable),
                    ends_at=busy.slot.ends_at,
                    zones=busy.zones,
                    course_id=busy.course_id,
                    number=busy.slot.number,
                    appointment_id=busy.appointment_id,
                )

    def _is_this(self, busy: Busy) -> bool:
        """Whether it is a session of the order laid over the timetable, before it has a course."""
        return self.order is not None and busy.course_id is None and busy.appointment_id < 0


Rule = Callable[[Case], Iterable[Conflict]]


def day_of_slot(slot: Slot, timetable: Timetable) -> date:
    """Return the day of the slot at its site."""
    site = timetable.sites.get(slot.site_id)
    return hours.day_of(slot.starts_at, site.zone if site else "UTC")
