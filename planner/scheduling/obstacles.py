"""What speaks against placing a course whatever is booked: the patient, the clinic, or its own gaps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta

from planner.scheduling import availability, cells, hours, index, rules, task
from planner.scheduling.preferences import Wishes
from planner.scheduling.timetable import (
    HARD,
    Conflict,
    CourseOrder,
    ProviderFacts,
    RoomFacts,
    ServiceFacts,
    SessionOrder,
    Severity,
    SiteFacts,
    Slot,
    Timetable,
)

ONE_DAY = timedelta(days=1)
MOST_DAYS = 400


def of(
    order: CourseOrder,
    timetable: Timetable,
    wishes: Wishes | None = None,
    *,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> tuple[Conflict, ...]:
    """Return what speaks against placing the open sessions whatever is booked, each rule once, gravest first.

    Of the patient what needs a decision or blocks, on any day of the horizon; of the clinic that no wished
    site could ever give the service (``site.no_hours``, ``service.nobody``, ``service.no_room``,
    ``provider.not_capable``), or not for as long as the course takes (``….retired``); of the order that its
    gaps do not fit (``order.too_long``).
    """
    wishes = wishes or Wishes()
    found: dict[str, Conflict] = {}
    of_clinic = [*_lacks(order, timetable, wishes), *_too_long(order, timetable, wishes)]
    opens = (row for row in order.sessions if row.fixed is None and row.done_on is None)
    # The same rules speak about sessions of a kind; only the first of a course has one of its own.
    kinds: dict[object, SessionOrder] = {}
    for row in opens:
        kinds.setdefault(
            (row.number == order.sessions[0].number, row.minutes, row.zones, row.gap), row
        )
    for session in kinds.values():
        for slot in _samples(order, session.number, session.minutes, timetable, wishes):
            for conflict in rules.of_patient(
                slot,
                timetable,
                order=order,
                purpose=purpose,
                ignoring=ignoring,
                with_distances=True,
            ):
                if conflict.severity in HARD and not conflict.code.startswith("slot."):
                    found.setdefault(conflict.code, conflict)
    return rules.gravest_first((*of_clinic, *found.values()))


def _lacks(order: CourseOrder, timetable: Timetable, wishes: Wishes) -> list[Conflict]:
    """What each wished site lacks; nothing as soon as one of them lacks nothing."""
    found: list[Conflict] = []
    for site_id in _wished(timetable.sites, wishes.site_ids):
        # The last session is then at the earliest; who or what is gone by that day cannot give it.
        lasts = task.first_day(timetable, site_id) + timedelta(days=_needed(order))
        if wishes.not_before is not None:
            lasts = max(lasts, wishes.not_before + timedelta(days=_needed(order)))
        lacking = list(_lacking(order, timetable, site_id, wishes.provider_ids, lasts))
        if not lacking:
            return []
        found += [conflict for conflict in lacking if conflict not in found]
    return found


def _lacking(
    order: CourseOrder,
    timetable: Timetable,
    site_id: int,
    provider_ids: Collection[int] | None,
    lasts: date,
) -> Iterator[Conflict]:
    presence, service = index.of(timetable).presence, timetable.services[order.service_id]
    site, providers, rooms = timetable.sites[site_id], timetable.providers, timetable.rooms
    givers = [
        its_id
        for its_id in presence.providers_of(order.service_id, site_id, service.kind)
        if providers[its_id].hours.get(site_id)
    ]
    hosts = presence.rooms_of(order.service_id, site_id)
    wished = _wished(givers, provider_ids)

    def lacks(code: str, **params: object) -> Conflict:
        return Conflict(code=code, severity=Severity.BLOCK, params=params)

    def is_gone(facts: SiteFacts | ServiceFacts | ProviderFacts | RoomFacts) -> bool:
        return facts.retired_from is not None and facts.retired_from <= lasts

    if is_gone(service):
        yield lacks("service.retired", service_id=order.service_id, on=service.retired_from)
    elif is_gone(site):
        yield lacks("site.retired", site_id=site_id, on=site.retired_from)
    elif not site.hours:
        yield lacks("site.no_hours", site_id=site_id)
    elif not givers:
        yield lacks("service.nobody", site_id=site_id)
    elif not hosts:
        yield lacks("service.no_room", site_id=site_id)
    elif not wished:
        for its_id in _wished(providers, provider_ids):
            yield lacks("provider.not_capable", site_id=site_id, provider_id=its_id)
    elif all(is_gone(providers[its_id]) for its_id in wished):
        for its_id in wished:
            yield lacks("provider.retired", provider_id=its_id, on=providers[its_id].retired_from)
    elif all(is_gone(rooms[its_id]) for its_id in hosts):
        for its_id in hosts:
            yield lacks("room.retired", room_id=its_id, on=rooms[its_id].retired_from)


def _needed(order: CourseOrder) -> int:
    """The days from the first open session to the last, at the least."""
    opens = [row.gap for row in order.sessions if row.fixed is None and row.done_on is None]
    return sum(gap.floor for gap in opens[1:])


def _too_long(order: CourseOrder, timetable: Timetable, wishes: Wishes) -> Iterator[Conflict]:
    """The floors of the open sessions after the first reach past the last day that may be used."""
    needed = _needed(order)
    for site_id in sorted(timetable.sites)[:1]:
        zone = timetable.sites[site_id].zone
        first = max(task.first_day(timetable, site_id), wishes.not_before or date.min)
        last = hours.day_of(timetable.horizon.ends_at - ONE_DAY, zone)
        left = (min(last, wishes.not_after or date.max) - first).days
        if needed > left:
            yield Conflict(
                code="order.too_long",
                severity=Severity.BLOCK,
                params={"needed": needed, "days": max(0, left)},
            )


def _wished(known: Iterable[int], wanted: Collection[int] | None) -> list[int]:
    return [its_id for its_id in sorted(known) if wanted is None or its_id in wanted]


def _samples(
    order: CourseOrder, number: int, minutes: int, timetable: Timetable, wishes: Wishes
) -> Iterator[Slot]:
    """One start a day at noon, at each site that is wished for."""
    for site_id in _wished(timetable.sites, wishes.site_ids):
        zone = timetable.sites[site_id].zone
        day = max(task.first_day(timetable, site_id) + ONE_DAY, wishes.not_before or date.min)
        last = min(hours.day_of(timetable.horizon.ends_at, zone), wishes.not_after or date.max)
        for number_of_day in range(min(MOST_DAYS, (last - day).days)):
            frame = cells.frame(day + timedelta(days=number_of_day), zone)
            if frame is not None:
                at = frame.instant(frame.size // 2)
                yield availability.slot_at(
                    timetable,
                    service_id=order.service_id,
                    site_id=site_id,
                    provider_id=0,
                    room_id=0,
                    starts_at=at,
                    minutes=minutes,
                    patient_id=order.patient_id,
                    number=number,
                )
