"""Whether the site, the provider, the room and the patient's own time allow it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from planner.scheduling import hours, presence
from planner.scheduling.interval import Interval
from planner.scheduling.rules.case import Case
from planner.scheduling.timetable import (
    AbsentDays,
    Conflict,
    Severity,
    WeeklyHours,
)

STEP_MINUTES = 5


def is_known(case: Case) -> Iterator[Conflict]:
    """Site, room, provider, service and patient are in the timetable, and the time is in its horizon."""
    slot, timetable = case.slot, case.timetable
    named = (
        ("site", slot.site_id, timetable.sites),
        ("room", slot.room_id, timetable.rooms),
        ("provider", slot.provider_id, timetable.providers),
        ("service", slot.service_id, timetable.services),
        ("patient", slot.patient_id, timetable.patients),
    )
    for what, its_id, known in named:
        if its_id is not None and its_id not in known:
            yield Conflict(
                code="slot.unknown", severity=Severity.BLOCK, params={"what": what, "id": its_id}
            )
    horizon = timetable.horizon
    if slot.starts_at < horizon.starts_at or slot.ends_at > horizon.ends_at:
        yield Conflict(code="slot.outside_horizon", severity=Severity.BLOCK)


def lies_in_the_future(case: Case) -> Iterator[Conflict]:
    """It starts neither in the past nor with less notice than asked for."""
    until = case.slot.starts_at - case.timetable.now
    if until < timedelta(0):
        yield case.conflict("slot.past")
        return
    notice = case.rule("notice.minutes")
    if notice.value and until < timedelta(minutes=notice.value):
        yield case.conflict("notice.minutes", minutes=notice.value)


def starts_on_the_grid(case: Case) -> Iterator[Conflict]:
    """It starts on the site's grid, counted from local midnight."""
    grid, starts = case.site.grid_minutes, case.starts
    if (starts.hour * 60 + starts.minute) % grid or starts.second or starts.microsecond:
        yield case.conflict("slot.off_grid", minutes=grid)


def lasts_whole_steps(case: Case) -> Iterator[Conflict]:
    """It starts on a multiple of five minutes, and lasts one."""
    starts = case.starts
    if case.minutes % STEP_MINUTES or starts.minute % STEP_MINUTES or starts.second:
        yield case.conflict("slot.minutes_step", minutes=STEP_MINUTES)


def site_is_open(case: Case) -> Iterator[Conflict]:
    """The site is open all the time, and has not been given up."""
    site, slot = case.site, case.slot
    if case.index.presence.is_open(slot.site_id, slot.starts_at, slot.ends_at):
        return
    if site.retired_from is not None and case.day >= site.retired_from:
        yield case.conflict("site.retired", on=site.retired_from, site_id=slot.site_id)
        return
    closure = _absence(site.closures, case)
    if closure is not None:
        yield case.conflict(
            "site.closed",
            site_id=slot.site_id,
            from_date=closure.from_date,
            until_date=closure.until_date,
            reason=closure.reason,
        )
        return
    yield case.conflict(
        "site.outside_hours", site_id=slot.site_id, on=case.day, hours=_hours(site.hours, case.day)
    )


def service_is_offered(case: Case) -> Iterator[Conflict]:
    """The service has not been given up."""
    retired_from = case.service.retired_from
    if retired_from is not None and case.day >= retired_from:
        yield case.conflict("service.retired", on=retired_from, service_id=case.slot.service_id)


def provider_may(case: Case) -> Iterator[Conflict]:
    """The provider may treat (a consult: examine; a review: either) with this service at this site."""
    may = presence.may(case.provider, case.slot.service_id, case.slot.site_id, case.kind)
    if not may:
        yield case.conflict(
            "provider.not_capable",
            provider_id=case.slot.provider_id,
            service_id=case.slot.service_id,
            site_id=case.slot.site_id,
        )


def provider_is_there(case: Case) -> Iterator[Conflict]:
    """The provider works at the site all the time: no break, no absence."""
    slot, provider = case.slot, case.provider
    if case.index.presence.is_there(slot.provider_id, slot.site_id, slot.starts_at, slot.ends_at):
        return
    who = {"provider_id": slot.provider_id}
    if provider.retired_from is not None and case.day >= provider.retired_from:
        yield case.conflict("provider.retired", on=provider.retired_from, **who)
        return
    absence = _absence(provider.absences, case)
    if absence is not None:
        yield case.conflict(
            "provider.absent", from_date=absence.from_date, until_date=absence.until_date, **who
        )
        return
    yield case.conflict(
        "provider.outside_hours",
        on=case.day,
        site_id=slot.site_id,
        is_break=_is_break(case),
        hours=_hours(provider.hours.get(slot.site_id, ()), case.day),
        **who,
    )


def provider_is_free(case: Case) -> Iterator[Conflict]:
    """The provider has no other appointment."""
    slot = case.slot
    for busy in case.busy("provider", slot.provider_id, slot.starts_at, slot.ends_at):
        yield case.conflict(
            "provider.busy",
            provider_id=slot.provider_id,
            site_id=busy.slot.site_id,
            starts_at=busy.slot.starts_at,
            ends_at=busy.slot.ends_at,
        )
        return


def provider_can_travel(case: Case) -> Iterator[Conflict]:
    """The provider has the time to get from one site to the other."""
    yield from _travel(case, "provider", case.slot.provider_id, case.slot.ends_at)


def room_is_of_the_site(case: Case) -> Iterator[Conflict]:
    """The room is at this site, and has not been given up."""
    slot, room = case.slot, case.room
    if room.site_id != slot.site_id:
        yield case.conflict("room.other_site", room_id=slot.room_id, site_id=room.site_id)
    if room.retired_from is not None and case.day >= room.retired_from:
        yield case.conflict("room.retired", room_id=slot.room_id, on=room.retired_from)


def room_can_host(case: Case) -> Iterator[Conflict]:
    """The room can host the service."""
    slot = case.slot
    if slot.service_id not in case.room.service_ids:
        yield case.conflict("room.not_capable", room_id=slot.room_id, service_id=slot.service_id)


def room_is_in_service(case: Case) -> Iterator[Conflict]:
    """The room is not out of service, from preparation to turnover."""
    outages = case.room.outages
    if not outages:
        return
    outage = _absence(outages, case, case.slot.room_from, case.slot.room_until)
    if outage is not None:
        yield case.conflict(
            "room.out_of_service",
            room_id=case.slot.room_id,
            from_date=outage.from_date,
            until_date=outage.until_date,
            reason=outage.reason,
        )


def room_is_free(case: Case) -> Iterator[Conflict]:
    """Nobody else has the room, from preparation to turnover."""
    slot = case.slot
    for busy in case.busy("room", slot.room_id, slot.room_from, slot.room_until):
        yield case.conflict(
            "room.busy",
            room_id=slot.room_id,
            site_id=slot.site_id,
            starts_at=busy.slot.room_from,
            ends_at=busy.slot.room_until,
        )
        return


def patient_is_free(case: Case) -> Iterator[Conflict]:
    """The patient has no other appointment and is not on the walk after one."""
    slot = case.slot
    if slot.patient_id is None:
        return
    for busy in case.busy("patient", slot.patient_id, slot.starts_at, slot.patient_until):
        yield case.conflict(
            "patient.busy",
            site_id=busy.slot.site_id,
            starts_at=busy.slot.starts_at,
            ends_at=busy.slot.patient_until,
        )
        return


def patient_can_travel(case: Case) -> Iterator[Conflict]:
    """The patient has the time to get from one site to the other."""
    if case.slot.patient_id is not None:
        yield from _travel(case, "patient", case.slot.patient_id, case.slot.patient_until)


RULES = (
    lies_in_the_future,
    starts_on_the_grid,
    lasts_whole_steps,
    site_is_open,
    service_is_offered,
    provider_may,
    provider_is_there,
    provider_is_free,
    provider_can_travel,
    room_is_of_the_site,
    room_can_host,
    room_is_in_service,
    room_is_free,
    patient_is_free,
    patient_can_travel,
)


def _travel(case: Case, actor: str, actor_id: int, until: datetime) -> Iterator[Conflict]:
    code = f"{actor}.travel_minutes"
    if len(case.timetable.sites) < 2:
        return
    minutes = case.rule(code).value
    margin = timedelta(minutes=minutes)
    for busy in case.busy(actor, actor_id, case.slot.starts_at - margin, until + margin):
        if busy.slot.site_id != case.slot.site_id:
            yield case.conflict(
                code,
                minutes=minutes,
                site_id=busy.slot.site_id,
                starts_at=busy.slot.starts_at,
                ends_at=busy.slot.ends_at,
                **({"provider_id": actor_id} if actor == "provider" else {}),
            )
            return


def _absence(
    rows: tuple[AbsentDays, ...],
    case: Case,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> AbsentDays | None:
    around = Interval(starts_at or case.slot.starts_at, ends_at or case.slot.ends_at)
    return next((row for row in rows if hours.absent((row,), around, case.zone)), None)


def _is_break(case: Case) -> bool:
    slot = case.slot
    breaks = case.provider.breaks.get(slot.site_id, ())
    around = Interval(slot.starts_at, slot.ends_at)
    return bool(hours.weekly(breaks, around, case.zone))


def _hours(rows: tuple[WeeklyHours, ...], day: date) -> tuple[tuple[str, str], ...]:
    """The ranges of that day as ISO times, for the sentence."""
    return tuple(
        (row.starts.isoformat("minutes"), row.ends.isoformat("minutes"))
        for row in sorted(rows, key=lambda row: row.starts)
        if hours.holds_on(row, day)
    )
