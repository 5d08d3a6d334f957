"""The page of one appointment, what it could be swapped with, and the list of open holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from planner import rights, wording
from planner.db import appointments, decisions, engine
from planner.db.models import (
    LIVE_STATUSES,
    Appointment,
    AuditRow,
    Course,
    Decision,
    Service,
    User,
)
from planner.errors import NotFound
from planner.queries import ground as grounds
from planner.queries import health_notes, names, slots
from planner.queries.appointment_view import (
    AppointmentPage,
    DecisionLine,
    Health,
    LogLine,
    ReviewDue,
    Treatment,
)
from planner.queries.course_view import Choice, Pick, Sentence
from planner.queries.day_cards import LATE_AFTER
from planner.queries.ground import Ground
from planner.queries.slot_view import Swap, SwapOption
from planner.scheduling import attendance, hours, lifecycle, rulebook, rules
from planner.scheduling import zones as body
from planner.scheduling.attendance import Visit
from planner.scheduling.lifecycle import Verb
from planner.scheduling.timetable import Conflict, RuleSetting, Severity, Slot, Status
from planner.who import Who
from planner.wording import desk

LOG_LINES = 40


def show(key: str, *, locale: str, now: datetime, by: Who) -> AppointmentPage:
    """Return everything about an appointment. Raises NotFound.

    The answer to the health question is there only when a provider asks.
    """
    with engine.reading() as session:
        ground = grounds.of_appointment(session, key, locale=locale, now=now)
        row = _row(ground)
        return _page(ground, row, _Clock(ground, row), by)


def swap(key: str, pick: Pick | None, *, locale: str, now: datetime) -> Swap:
    """Return who and what else is free at the time the appointment has. Raises NotFound."""
    with engine.reading() as session:
        ground = grounds.of_appointment(session, key, locale=locale, now=now)
        row = _row(ground)
        slot = appointments.slot_of(row, ground.number)
        purpose = grounds.PROVISIONAL.get(row.status, "here_now")
        wanted = _swapped(ground, slot, pick) if pick else None
        return Swap(
            patient=grounds.patient_head(ground),
            moving=grounds.moving(ground),
            room_name=ground.rooms[row.room_id].name,
            provider_name=ground.providers[row.provider_id].name,
            rooms=tuple(_rooms(ground, slot, purpose)),
            providers=tuple(_providers(ground, slot, purpose)),
            chosen=slots.chosen(ground, wanted, purpose) if wanted else None,
            deciders=grounds.deciders(ground, slot),
        )


def missing(key: str, *, locale: str, now: datetime) -> tuple[Sentence, ...]:
    """Return what stands against starting, in words. Raises NotFound."""
    with engine.reading() as session:
        ground = grounds.of_appointment(session, key, locale=locale, now=now)
        return _missing(ground, _row(ground))


def sentences(conflicts: Sequence[Conflict], *, locale: str) -> tuple[Sentence, ...]:
    """Return a refusal's conflicts in words, for a page that has nothing else to read."""
    known = names.all_names()
    return tuple(
        Sentence(
            code=conflict.code,
            severity=conflict.severity.value,
            text=wording.conflict(conflict, locale=locale, names=known),
        )
        for conflict in conflicts
    )


def changes_in_words(
    changed: Mapping[str, tuple[Any, Any]], *, locale: str
) -> tuple[tuple[str, str, str], ...]:
    """Return (column, as the form had it, as it is now) of a stale form, ready to print."""
    known = names.all_names()
    zone = next(iter(known.zones.values()), "UTC")
    kinds: Mapping[str, Mapping[int, str]] = {
        "site_id": known.sites,
        "provider_id": known.providers,
        "room_id": known.rooms,
    }

    def said(column: str, value: Any) -> str:
        if value is None:
            return ""
        if column in kinds:
            return kinds[column].get(value, "")
        if column == "status":
            return wording.status(str(value), locale)
        if column.endswith("_at"):
            local = hours.local(datetime.fromisoformat(str(value)), zone)
            return wording.format_day_time(local, locale)
        return str(value)

    return tuple(
        (column, said(column, before), said(column, after))
        for column, (before, after) in changed.items()
        if column != "ends_at"
    )


class _Clock:
    """The appointment's instants on its site's clocks."""

    def __init__(self, ground: Ground, row: Appointment) -> None:
        self.zone, self.locale = ground.sites[row.site_id].zone, ground.locale

    def local(self, at: datetime) -> datetime:
        return hours.local(at, self.zone)

    def time(self, at: datetime | None) -> str:
        return wording.format_time(self.local(at), self.locale) if at else ""

    def when(self, at: datetime | None) -> str:
        return wording.format_day_time(self.local(at), self.locale) if at else ""

    def field(self, at: datetime) -> str:
        return f"{self.local(at):%H:%M}"


def _page(ground: Ground, row: Appointment, clock: _Clock, by: Who) -> AppointmentPage:
    status, locale = Status(row.status), ground.locale
    service = ground.services[row.service_id]
    slot = appointments.slot_of(row, ground.number)
    shown, note = _shown_status(row, ground.now, locale)
    course = _course(ground)
    minutes = int((row.ends_at - row.starts_at).total_seconds() // 60)
    local = clock.local(row.starts_at)
    possible = _verbs(ground, row)
    verbs = tuple(verb for verb in possible if _may(ground, row, verb, by))
    is_provider = by.provider_id is not None
    may_start, may_book = "start" in verbs, Verb.BOOK in lifecycle.verbs(status)
    return AppointmentPage(
        key=row.key,
        version=row.version,
        patient=grounds.patient_head(ground),
        patient_note=ground.patient.note,
        status=row.status,
        shown_status=shown,
        status_note=note,
        verbs=verbs,
        waits_for_provider=bool({"start", "complete"} & (set(possible) - set(verbs))),
        may_confirm=status is Status.BOOKED and row.confirmed_at is None,
        may_move=status in lifecycle.MOVABLE,
        may_swap=status in lifecycle.SWAPPABLE,
        service_name=service.name,
        service_kind=service.kind,
        service_colour=service.colour,
        site=grounds.site_chip(ground, row.site_id),
        provider=grounds.provider_chip(ground, row.provider_id),
        room_name=ground.rooms[row.room_id].name,
        date_label=wording.format_full_date(local.date(), locale),
        time_label=clock.time(row.starts_at),
        end_label=clock.time(row.ends_at),
        minutes_label=wording.minutes(minutes, locale),
        zone_label=local.tzname() or "",
        day=local.date().isoformat(),
        zone=clock.zone,
        site_id=row.site_id,
        course_key=course.key if course else "",
        course_label=_course_label(ground),
        package=course.package if course else "",
        gap=_own_gap(ground, row, slot),
        effects=grounds.effects(ground, None) if _may_end(status) else (),
        expires_label=clock.when(row.expires_at) if row.status in appointments.PROVISIONAL else "",
        expires_iso=row.expires_at.isoformat() if row.expires_at else "",
        call_back_note=row.call_back_note,
        note=row.note,
        confirmed_label=clock.when(row.confirmed_at),
        is_confirmed_by_patient=row.confirmed_by == "patient",
        arrived_label=clock.time(row.arrived_at),
        has_stockings=row.has_stockings,
        health=Health(
            state=row.health_state,
            is_reviewed=row.health_reviewed_at is not None,
            answer=row.health_answer if is_provider else "",
        ),
        health_notes=health_notes.of_visit(
            ground.session, row, by=by, when=clock.when, locale=locale, today=ground.today
        ),
        treatment=_treatment(ground, row, clock),
        ended_by=row.ended_by,
        ended_label=clock.when(row.ended_at),
        ended_reason=row.ended_reason,
        missing=_missing(ground, row) if may_start else (),
        to_book=_to_book(ground, row) if may_book else (),
        deciders=grounds.deciders(ground, slot) if may_start or may_book else (),
        decisions=_decisions(ground, row, clock),
        log=_log(ground, row, clock),
        is_provider=is_provider,
        may_record=_may_record(ground, row, by),
        review=_review(ground, row, clock),
    )


def _shown_status(row: Appointment, now: datetime, locale: str) -> tuple[str, str]:
    if row.status == "booked" and now - row.starts_at >= LATE_AFTER:
        return "late", ""
    if row.status == "booked" and row.confirmed_at is not None:
        return "confirmed", ""
    if row.status == "arrived" and row.arrived_at is not None:
        return "arrived", desk.waits(int((now - row.arrived_at).total_seconds() // 60), locale)
    return row.status, ""


def _may_end(status: Status) -> bool:
    return bool({Verb.CANCEL, Verb.NO_SHOW, Verb.RELEASE} & set(lifecycle.verbs(status)))


def _course(ground: Ground) -> Course | None:
    if ground.order is None:
        return None
    return ground.session.get(Course, ground.order.course_id)


def _course_label(ground: Ground) -> str:
    if ground.order is None or ground.number is None:
        return ""
    return wording.session_of(ground.number, len(ground.order.sessions), ground.locale)


def _own_gap(ground: Ground, row: Appointment, slot: Slot) -> Any:
    is_counted = Status(row.status) in lifecycle.SWAPPABLE or row.status == "fulfilled"
    return grounds.own_gap(ground, slot) if is_counted else None


def _treatment(ground: Ground, row: Appointment, clock: _Clock) -> Treatment:
    starts = row.actual_starts_at or row.arrived_at or row.starts_at
    is_today = clock.local(ground.now).date() == clock.local(row.starts_at).date()
    ends = row.actual_ends_at or max(ground.now if is_today else row.ends_at, starts)
    planned = _planned_zones(ground)
    treated = row.zones_treated or planned
    actual = ""
    if row.actual_starts_at and row.actual_ends_at:
        length = row.actual_ends_at - row.actual_starts_at
        actual = wording.minutes(int(length.total_seconds() // 60), ground.locale)
    return Treatment(
        starts=clock.field(starts),
        ends=clock.field(ends),
        zones=tuple(
            Choice(value=code, label=wording.zone(code, ground.locale), is_chosen=code in treated)
            for code in body.ZONES
        ),
        zones_label=wording.zones(row.zones_treated, ground.locale) if row.zones_treated else "",
        minutes_label=actual,
        injections_label=str(row.injections) if row.injections is not None else "",
        volume_label=f"{row.volume_ml:g}" if row.volume_ml is not None else "",
        dose=" ".join(
            wording.conflict(conflict, locale=ground.locale, names=ground.names)
            for conflict in attendance.against_dose(
                _visit(ground, row), row.volume_ml, _rule(ground, row, "dose.max_ml")
            )
        ),
    )


def _review(ground: Ground, row: Appointment, clock: _Clock) -> ReviewDue | None:
    """Return the review between six-week sessions, where the clinic has switched it on (S38)."""
    value = _rule(ground, row, "review.window_days").value
    sessions = (
        {session.number: session for session in ground.order.sessions} if ground.order else {}
    )
    following = sessions.get((ground.number or 0) + 1)
    is_over = row.status in ("cancelled", "no_show", "released")
    if value is None or following is None or is_over:
        return None
    window = rulebook.gap(value)
    service = next((s for s in ground.services.values() if s.kind == "review"), None)
    if service is None or following.gap.target <= window.soft_max:
        return None
    day = clock.local(row.actual_starts_at or row.starts_at).date()
    first, best, last = (
        day + timedelta(days=n) for n in (window.floor, window.target, window.soft_max)
    )
    booked = _review_booked(
        ground,
        row,
        hours.day_bounds(first, clock.zone).starts_at,
        hours.day_bounds(last, clock.zone).ends_at,
    )
    said = (wording.format_date(on, ground.locale) for on in (first, best, last))
    labels = dict(zip(("from_label", "best_label", "until_label"), said, strict=True))
    return ReviewDue(
        **labels,
        from_date=max(first, ground.today).isoformat(),
        service_id=service.id,
        booked_key=booked.key if booked else "",
        booked_label=clock.when(booked.starts_at) if booked else "",
    )


def _review_booked(
    ground: Ground, row: Appointment, starts_at: datetime, ends_at: datetime
) -> Appointment | None:
    statement = (
        sa.select(Appointment)
        .join(Service, Service.id == Appointment.service_id)
        .where(
            Appointment.patient_id == row.patient_id,
            Appointment.status.in_(LIVE_STATUSES),
            Service.kind == "review",
            Appointment.starts_at >= starts_at,
            Appointment.starts_at < ends_at,
        )
        .order_by(Appointment.starts_at)
        .limit(1)
    )
    return ground.session.scalar(statement)


def _planned_zones(ground: Ground) -> frozenset[str]:
    sessions = ground.order.sessions if ground.order else ()
    return next((s.zones for s in sessions if s.number == ground.number), frozenset())


def _missing(ground: Ground, row: Appointment) -> tuple[Sentence, ...]:
    slot = appointments.slot_of(row, ground.number)
    found = rules.conflicts(
        slot, ground.timetable, order=ground.order, purpose="start", ignoring=ground.ignoring
    )
    decided = decisions.codes_given(
        ground.session,
        appointment_id=row.id,
        course_id=ground.order.course_id if ground.order else None,
    )
    warned = frozenset(c.code for c in found if c.severity is Severity.WARN)
    standing = rules.standing(found, acknowledged=warned, decided=decided)
    at_once = attendance.against(_visit(ground, row), Verb.START, now=ground.now)
    return grounds.sentences(ground, (*at_once, *standing))


def _visit(ground: Ground, row: Appointment) -> Visit:
    return Visit(
        starts_at=row.starts_at,
        site_id=row.site_id,
        zone=ground.sites[row.site_id].zone,
        kind=ground.services[row.service_id].kind,
        health_state=row.health_state,
        is_reviewed=row.health_reviewed_at is not None,
    )


def _verbs(ground: Ground, row: Appointment) -> tuple[str, ...]:
    """Return what may be done from the status; a start stays, for its page says what it waits for."""
    visit = _visit(ground, row)
    return tuple(
        verb.value
        for verb in lifecycle.verbs(Status(row.status))
        if verb is Verb.START or not attendance.against(visit, verb, now=ground.now)
    )


def _may(ground: Ground, row: Appointment, verb: str, by: Who) -> bool:
    rule = _rule(ground, row, "session.desk_treats")
    kind = ground.services[row.service_id].kind
    return rights.may(by, verb, kind=kind, desk_treats=rule.value)


def _rule(ground: Ground, row: Appointment, code: str) -> RuleSetting:
    return rulebook.resolve(
        ground.timetable.rules,
        code,
        on=_visit(ground, row).day,
        site_id=row.site_id,
        service_id=row.service_id,
    )


def _may_record(ground: Ground, row: Appointment, by: Who) -> bool:
    if by.role != "provider" or ground.services[row.service_id].kind != "consult":
        return False
    return by.provider_id in decisions.entitled(
        ground.session, service_id=row.service_id, site_id=row.site_id
    )


def _to_book(ground: Ground, row: Appointment) -> tuple[Sentence, ...]:
    slot = appointments.slot_of(row, ground.number)
    found = rules.conflicts(
        slot, ground.timetable, order=ground.order, purpose="book", ignoring=ground.ignoring
    )
    course_id = ground.order.course_id if ground.order else None
    decided = decisions.codes_given(ground.session, appointment_id=None, course_id=course_id)
    decided |= decisions.codes_answering(ground.session, row.id, found)
    warned = frozenset(c.code for c in found if c.severity is Severity.WARN)
    return grounds.sentences(ground, rules.standing(found, acknowledged=warned, decided=decided))


def _decisions(ground: Ground, row: Appointment, clock: _Clock) -> tuple[DecisionLine, ...]:
    bound = [Decision.appointment_id == row.id]
    if ground.order is not None:
        own_course = Decision.course_id == ground.order.course_id
        bound.append(sa.and_(own_course, Decision.appointment_id.is_(None)))
    statement = sa.select(Decision).where(sa.or_(*bound)).order_by(Decision.given_at, Decision.id)
    return tuple(
        DecisionLine(
            title=wording.conflict(
                Conflict(code=given.rule_code, severity=Severity.DECIDE, params=given.params),
                locale=ground.locale,
                names=ground.names,
            ),
            reason=given.reason,
            provider_name=ground.providers[given.provider_id].name,
            when_label=clock.when(given.given_at),
            is_waiting=given.by_phone and given.signed_at is None,
        )
        for given in ground.session.scalars(statement)
    )


def _log(ground: Ground, row: Appointment, clock: _Clock) -> tuple[LogLine, ...]:
    statement = (
        sa.select(AuditRow.action, AuditRow.at, AuditRow.before, AuditRow.after, User.name)
        .outerjoin(User, User.id == AuditRow.user_id)
        .where(AuditRow.object_kind == "appointment", AuditRow.object_id == row.id)
        .order_by(AuditRow.id.desc())
        .limit(LOG_LINES)
    )
    return tuple(
        LogLine(text=text, when_label=clock.when(at), who=who or "")
        for action, at, before, after, who in ground.session.execute(statement)
        if (text := _happened(action, before or {}, after or {}, clock))
    )


def _happened(
    action: str, before: Mapping[str, Any], after: Mapping[str, Any], clock: _Clock
) -> str:
    if "starts_at" in before and before["starts_at"] != after.get("starts_at"):
        was, now = (
            clock.when(datetime.fromisoformat(values["starts_at"])) for values in (before, after)
        )
        return desk.moved(was, now, clock.locale)
    return desk.happened(action, clock.locale)


def _rooms(ground: Ground, slot: Slot, purpose: str) -> list[SwapOption]:
    options = []
    for room_id, room in ground.rooms.items():
        if room.site_id != slot.site_id or room_id == slot.room_id:
            continue
        other = slot._replace(room_id=room_id)
        options.append(_option(ground, other, purpose, name=room.name, chip_of=None))
    return [option for option in options if option.severity != "block"]


def _providers(ground: Ground, slot: Slot, purpose: str) -> list[SwapOption]:
    options = []
    for provider_id, provider in ground.providers.items():
        if provider_id == slot.provider_id:
            continue
        other = slot._replace(provider_id=provider_id)
        options.append(_option(ground, other, purpose, name=provider.name, chip_of=provider_id))
    return [option for option in options if option.severity != "block"]


def _option(
    ground: Ground, slot: Slot, purpose: str, *, name: str, chip_of: int | None
) -> SwapOption:
    found = grounds.judged(ground, slot, purpose)
    worst = rules.worst(found)
    return SwapOption(
        pick=grounds.pick_of(slot).text,
        name=name,
        detail="",
        chip=grounds.provider_chip(ground, chip_of) if chip_of else None,
        severity="" if worst is Severity.INFO else worst.value,
    )


def _swapped(ground: Ground, slot: Slot, pick: Pick) -> Slot | None:
    """Return the appointment's slot with the room and provider of the pick."""
    if pick.room_id not in ground.rooms or pick.provider_id not in ground.providers:
        return None
    return slot._replace(room_id=pick.room_id, provider_id=pick.provider_id)


def _row(ground: Ground) -> Appointment:
    if ground.appointment is None:
        raise NotFound("appointment")
    return ground.appointment
