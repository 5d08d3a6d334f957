"""The course screen: proposals for the open sessions of one course, judged and put into words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import courses, engine, timetables
from planner.db.models import (
    Appointment,
    Consult,
    Course,
    CourseSession,
    DateToAvoid,
    Patient,
    Protocol,
    Provider,
    Room,
    Site,
)
from planner.errors import NotFound
from planner.queries import outlooks, remarks, starts
from planner.queries.course_view import (
    AlternativeView,
    Bar,
    Choice,
    CostLine,
    CourseHead,
    CoursePage,
    DayStarts,
    GapView,
    Outlook,
    Pick,
    PlanRequest,
    ProposalCard,
    ProposedDate,
    Ruler,
    Sentence,
    SessionRow,
    WishesView,
)
from planner.queries.outlooks import ProtocolFacts
from planner.scheduling import availability, candidacy, explaining, hours, task
from planner.scheduling import course as planning
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    Conflict,
    CourseOrder,
    SessionOrder,
    Severity,
    Slot,
    Timetable,
)

OBJECTIVES = ("order", "soonest", "same_time")
PLANNABLE = ("draft", "active")
HORIZON_LIMIT = 400  # days: twelve sessions may reach over a year, a search never further
SLACK = 45  # days beyond the soft maxima, for a course that has to start late
MORE = 6
MINUTE = timedelta(minutes=1)
STEP_REACH = timedelta(days=28)
STEP_TRIES = 60
EVENING = 16  # the hour from which a wish counts as "evening"


@dataclass(frozen=True, slots=True)
class _Loaded:
    """All that one page needs from the database, read in one snapshot."""

    course: Course
    patient: Patient
    protocol: Protocol | None
    orderer: str
    rows: tuple[CourseSession, ...]
    live: Mapping[int, Appointment]
    done: Mapping[int, Appointment]
    sites: Mapping[int, Site]
    providers: Mapping[int, Provider]
    rooms: Mapping[int, Room]
    dates: tuple[DateToAvoid, ...]
    consult: Consult | None
    protocols: tuple[ProtocolFacts, ...]  # to be compared, while the interval is undecided
    timetable: Timetable
    order: CourseOrder
    names: wording.Names


def page(key: str, request: PlanRequest, *, locale: str, now: datetime) -> CoursePage:
    """Return the course screen for what its form asks.

    Raises ``NotFound`` when there is no such course. A start that can no longer be had is judged and
    shown with its reasons, never dropped silently.
    """
    with engine.reading() as session:
        loaded = _load(session, key, request, now)
        return _page(loaded, request, locale)


def _page(loaded: _Loaded, request: PlanRequest, locale: str) -> CoursePage:
    purpose = purpose_of(loaded.course, loaded.consult)
    picked = _picked(loaded, request)
    kept = _kept(loaded, request, picked, purpose)
    found = _best(loaded, request, kept, purpose)
    placed = _chosen(request, picked, kept, found, _open_numbers(loaded))
    verdicts = planning.judge(loaded.order, placed, loaded.timetable, purpose=purpose)
    costs = _costs_of(placed, found)
    rows = _rows(loaded, request, placed, costs=costs, verdicts=verdicts, locale=locale)
    return CoursePage(
        head=_head(loaded, locale),
        wishes=_wishes(loaded, request, locale),
        proposals=_cards(loaded, found, placed, locale),
        rows=rows,
        bar=_bar(loaded, placed, verdicts, locale),
        deciders=_deciders(loaded),
        end_label=_end_label(rows),
        nothing_found=_nothing(loaded, placed, locale),
        obstacles=_obstacles(loaded, request, placed, purpose, locale),
        relaxations=_relaxations(loaded, request, placed, purpose, locale),
        is_proven=all(p.is_proven for proposals in found.values() for p in proposals),
        objective=request.objective,
        comparison=_comparison(loaded, request, locale),
        has_more=not request.more and bool(found.get("order")),
        open_count=len(_open_numbers(loaded)),
        conflicts=verdicts,
    )


def purpose_of(course: Course, consult: Consult | None) -> str:
    """Return what the open sessions can be at best: booked, or reserved until consult and order."""
    return "book" if course.is_decided and is_candidate(consult) else "reserve"


def is_candidate(consult: Consult | None) -> bool:
    """Whether the latest consult found the patient to be a candidate."""
    return consult is not None and consult.outcome == "candidate"


def _load(session: Session, key: str, request: PlanRequest, now: datetime) -> _Loaded:
    found = session.execute(
        sa.select(Course, Patient, Protocol, Provider.name)
        .join(Patient, Patient.id == Course.patient_id)
        .outerjoin(Protocol, Protocol.id == Course.protocol_id)
        .outerjoin(Provider, Provider.id == Course.ordered_by)
        .where(Course.key == key)
    ).first()
    if found is None:
        raise NotFound("course")
    course, patient, protocol, orderer = found
    rows = tuple(courses.sessions_of(session, course.id))
    live, done = _appointments(session, course.id)
    compared = () if course.is_decided else outlooks.protocols(session, now)
    reaches = [sum(row.gap_soft_max for row in rows)]
    reaches += [one.sessions * one.gap.soft_max for one in compared]
    timetable = timetables.load(
        session,
        horizon=_horizon(max(reaches), request.wishes.not_before, now),
        now=now,
        patient_ids=(patient.id,),
    )
    sites = {
        row.id: row for row in session.scalars(sa.select(Site).order_by(Site.position, Site.id))
    }
    people = {
        row.id: row for row in session.scalars(sa.select(Provider).order_by(Provider.position))
    }
    rooms = {row.id: row for row in session.scalars(sa.select(Room))}
    return _Loaded(
        course=course,
        patient=patient,
        protocol=protocol,
        orderer=orderer or "",
        rows=rows,
        live=live,
        done=done,
        sites=sites,
        providers=people,
        rooms=rooms,
        dates=tuple(
            session.scalars(
                sa.select(DateToAvoid)
                .where(DateToAvoid.patient_id == patient.id, DateToAvoid.until_date >= now.date())
                .order_by(DateToAvoid.from_date)
            )
        ),
        consult=session.scalar(
            sa.select(Consult)
            .where(Consult.patient_id == patient.id)
            .order_by(Consult.recorded_at.desc())
            .limit(1)
        ),
        protocols=compared,
        timetable=timetable,
        order=timetables.order(session, course.id, now=now),
        names=names_of(sites, people, rooms),
    )


def names_of(
    sites: Mapping[int, Site], providers: Mapping[int, Provider], rooms: Mapping[int, Room]
) -> wording.Names:
    """Return the names that sentences about conflicts need."""
    return wording.Names(
        sites={row.id: row.name for row in sites.values()},
        providers={row.id: row.name for row in providers.values()},
        rooms={row.id: row.name for row in rooms.values()},
        zones={row.id: row.zone for row in sites.values()},
    )


def _appointments(
    session: Session, course_id: int
) -> tuple[dict[int, Appointment], dict[int, Appointment]]:
    live: dict[int, Appointment] = {}
    done: dict[int, Appointment] = {}
    statement = (
        sa.select(CourseSession.number, Appointment)
        .join(Appointment, Appointment.course_session_id == CourseSession.id)
        .where(CourseSession.course_id == course_id)
    )
    for number, row in session.execute(statement):
        if row.status == "fulfilled":
            done[number] = row
        elif row.status in ("held", "reserved", "booked", "arrived", "started"):
            live[number] = row
    return live, done


def _horizon(reach: int, not_before: date | None, now: datetime) -> Interval:
    """Return the days that are looked at: as far as the soft maxima reach, and some."""
    days = reach + SLACK
    if not_before is not None:
        days += max(0, (not_before - now.date()).days)
    starts_at = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    return Interval(starts_at, starts_at + timedelta(days=min(days, HORIZON_LIMIT)))


def _open_numbers(loaded: _Loaded) -> tuple[int, ...]:
    """Return the sessions to be placed; none while the course is paused or over."""
    if loaded.course.status not in PLANNABLE:
        return ()
    order = loaded.order
    return tuple(s.number for s in order.sessions if s.fixed is None and s.done_on is None)


def _picked(loaded: _Loaded, request: PlanRequest) -> dict[int, Slot]:
    """Return what the form holds for the open sessions."""
    opens = _open_numbers(loaded)
    return {n: slot for n, slot in _slots(loaded, request.picks).items() if n in opens}


def _kept(
    loaded: _Loaded, request: PlanRequest, picked: Mapping[int, Slot], purpose: str
) -> dict[int, Slot]:
    """Return what must not move: the pinned sessions; after a step, that session and those before it."""
    kept = {n: slot for n, slot in picked.items() if n in request.pins}
    if not request.step or request.number not in picked:
        return kept
    before = {n: slot for n, slot in picked.items() if n < request.number}
    moved = _stepped(loaded, request, picked, purpose) or picked[request.number]
    return {**kept, **before, request.number: moved}


def _best(
    loaded: _Loaded, request: PlanRequest, kept: Mapping[int, Slot], purpose: str
) -> dict[str, tuple[planning.Proposal, ...]]:
    if not _open_numbers(loaded):
        return {}
    return {
        objective: planning.propose(
            _with_fixed(loaded.order, kept),
            loaded.timetable,
            request.wishes,
            objective=objective,
            k=MORE if request.more and objective == "order" else 1,
            purpose=purpose,
        )
        for objective in OBJECTIVES
    }


def _chosen(
    request: PlanRequest,
    picked: Mapping[int, Slot],
    kept: Mapping[int, Slot],
    found: Mapping[str, tuple[planning.Proposal, ...]],
    opens: tuple[int, ...],
) -> dict[int, Slot]:
    """Return the plan on the timeline: what the form holds, else the best of the chosen objective."""
    is_complete = set(picked) == set(opens)
    if is_complete and not request.step and not request.renew:
        return dict(picked)
    best = found.get(request.objective, ())
    if not best:
        return {**(picked if request.step else {}), **kept}
    return {**_free_slots(best[0], opens), **kept}


def _free_slots(proposal: planning.Proposal, opens: tuple[int, ...]) -> dict[int, Slot]:
    return {s.number: s.slot for s in proposal.sessions if s.number in opens and s.slot is not None}


def _costs_of(
    placed: Mapping[int, Slot], found: Mapping[str, tuple[planning.Proposal, ...]]
) -> dict[int, tuple[planning.Cost, ...]]:
    """Return the costs of the sessions that stand as some proposal has them."""
    return {
        session.number: session.costs
        for proposals in found.values()
        for proposal in proposals
        for session in proposal.sessions
        if placed.get(session.number) == session.slot
    }


def _slots(loaded: _Loaded, picks: Mapping[int, Pick]) -> dict[int, Slot]:
    """Return the picks as slots; one that names what is not there is left out."""
    by_number = {row.number: row for row in loaded.rows}
    return {
        number: slot_of(loaded.timetable, loaded.course, by_number[number], pick)
        for number, pick in picks.items()
        if number in by_number
        and pick.site_id in loaded.sites
        and pick.provider_id in loaded.providers
        and pick.room_id in loaded.rooms
    }


def slot_of(timetable: Timetable, course: Course, row: CourseSession, pick: Pick) -> Slot:
    """Return the slot a pick stands for, with the three clocks of the course's service."""
    return availability.slot_at(
        timetable,
        service_id=course.service_id,
        site_id=pick.site_id,
        provider_id=pick.provider_id,
        room_id=pick.room_id,
        starts_at=pick.starts_at,
        minutes=row.minutes,
        patient_id=course.patient_id,
        number=row.number,
    )


def _stepped(
    loaded: _Loaded, request: PlanRequest, picked: Mapping[int, Slot], purpose: str
) -> Slot | None:
    """Return the next legal start before or after the one shown, or None at the edge."""
    if request.step not in ("earlier", "later"):
        return None
    present = picked[request.number]
    before = {n: slot for n, slot in picked.items() if n < request.number}
    found = availability.free_slots(
        loaded.timetable,
        service_id=present.service_id,
        site_ids=(present.site_id,),  # another site is chosen, never slipped into
        provider_ids=request.wishes.provider_ids,
        minutes=_minutes(present),
        patient_id=present.patient_id,
        interval=_around(present, request.step),
        purpose=purpose,
    )
    ordered = found if request.step == "later" else tuple(reversed(found))
    for slot in ordered[:STEP_TRIES]:
        wanted = replace(slot, number=request.number)
        verdict = planning.judge(
            loaded.order, {**before, request.number: wanted}, loaded.timetable, purpose=purpose
        )
        if not any(_stops(conflict) for conflict in verdict[request.number]):
            return wanted
    return None


def _around(slot: Slot, step: str) -> Interval:
    """Return the weeks after the slot's start, or before it."""
    if step == "later":
        return Interval(slot.starts_at + MINUTE, slot.starts_at + STEP_REACH)
    return Interval(slot.starts_at - STEP_REACH, slot.ends_at - MINUTE)


def _minutes(slot: Slot) -> int:
    return int((slot.ends_at - slot.starts_at).total_seconds() // 60)


def _stops(conflict: Conflict) -> bool:
    return conflict.severity in (Severity.DECIDE, Severity.BLOCK)


def _with_fixed(order: CourseOrder, pinned: Mapping[int, Slot]) -> CourseOrder:
    return replace(
        order,
        sessions=tuple(
            replace(s, fixed=pinned[s.number]) if s.number in pinned else s for s in order.sessions
        ),
    )


def _rows(
    loaded: _Loaded,
    request: PlanRequest,
    placed: Mapping[int, Slot],
    *,
    costs: Mapping[int, tuple[planning.Cost, ...]],
    verdicts: Mapping[int, tuple[Conflict, ...]],
    locale: str,
) -> tuple[SessionRow, ...]:
    days = _days(loaded, placed)
    past = loaded.timetable.patients[loaded.patient.id].past_sessions
    spacing = planning.spacing(loaded.timetable, loaded.order)
    measures = planning.measure(loaded.order, days, past=past, spacing=spacing)
    by_number = {s.number: s for s in loaded.order.sessions}
    return tuple(
        _row(
            loaded,
            row,
            by_number[row.number],
            request,
            slot=placed.get(row.number),
            measure=measures.get(row.number),
            costs=costs.get(row.number, ()),
            conflicts=verdicts.get(row.number, ()),
            placed=placed,
            locale=locale,
        )
        for row in loaded.rows
    )


def _row(
    loaded: _Loaded,
    row: CourseSession,
    session: SessionOrder,
    request: PlanRequest,
    *,
    slot: Slot | None,
    measure: planning.Measure | None,
    costs: tuple[planning.Cost, ...],
    conflicts: tuple[Conflict, ...],
    placed: Mapping[int, Slot],
    locale: str,
) -> SessionRow:
    stored = loaded.done.get(row.number) or loaded.live.get(row.number)
    where = slot or session.fixed
    shown = SessionRow(
        number=row.number,
        total=len(loaded.rows),
        status=stored.status if stored else "proposed" if where else "open",
        minutes_label=wording.minutes(row.minutes, locale),
        zones_label=wording.zones(row.zones, locale),
        ordered_gap=GapView(
            floor=row.gap_floor,
            target=row.gap_target,
            soft_max=row.gap_soft_max,
            is_custom=row.gap_is_custom,
            reason=row.gap_reason,
        ),
        gap=_ruler(measure, locale),
        warnings=_said(loaded, conflicts, where if stored is None else None, locale),
        costs=tuple(wording.cost(c, locale=locale, names=loaded.names) for c in costs if c.amount),
        is_pinned=row.number in request.pins or row.number == _pinned_by_step(request),
        is_fixed=stored is not None,
        appointment_key=stored.key if stored else "",
        is_open=row.number == request.open_number,
    )
    if stored is not None:
        return _at(shown, loaded, _stored_pick(stored), locale)
    if where is None:
        return shown
    pick = _pick(where)
    was = request.shown.get(row.number)
    return replace(
        _at(shown, loaded, pick, locale),
        pick=pick.text,
        was_label=_was(loaded, was, pick, locale) if was is not None and was != pick else "",
        alternatives=_alternatives(loaded, request, row.number, placed, locale),
        day=_day(loaded, request, row, placed, locale),
    )


def _said(
    loaded: _Loaded, conflicts: Collection[Conflict], where: Slot | None, locale: str
) -> tuple[Sentence, ...]:
    """Return the conflicts in words, and what is close to a start that is still to be taken."""
    words = _words(loaded, locale)
    close = remarks.nearby(where, loaded.timetable, words) if where is not None else ()
    return (*map(words.sentence, conflicts), *close)


def _pinned_by_step(request: PlanRequest) -> int:
    return request.number if request.step else 0


def _at(row: SessionRow, loaded: _Loaded, pick: Pick, locale: str) -> SessionRow:
    zone = loaded.sites[pick.site_id].zone
    local = hours.local(pick.starts_at, zone)
    words = _words(loaded, locale)
    return replace(
        row,
        date=local.date(),
        date_label=wording.format_date(local.date(), locale),
        time_label=wording.format_time(local.time(), locale),
        site=words.site(pick.site_id),
        provider=words.provider(pick.provider_id),
        room_name=loaded.rooms[pick.room_id].name,
    )


def _pick(slot: Slot) -> Pick:
    return Pick(
        site_id=slot.site_id,
        provider_id=slot.provider_id,
        room_id=slot.room_id,
        starts_at=slot.starts_at,
    )


def _stored_pick(row: Appointment) -> Pick:
    return Pick(
        site_id=row.site_id,
        provider_id=row.provider_id,
        room_id=row.room_id,
        starts_at=row.actual_starts_at or row.starts_at,
    )


def _was(loaded: _Loaded, was: Pick, pick: Pick, locale: str) -> str:
    """Return what is no longer so: with the same start at the same site, only room and provider."""
    if (was.starts_at, was.site_id) != (pick.starts_at, pick.site_id):
        return _when(loaded, was, locale)
    gone = []
    if was.provider_id != pick.provider_id and was.provider_id in loaded.providers:
        gone.append(loaded.providers[was.provider_id].name)
    if was.room_id != pick.room_id and was.room_id in loaded.rooms:
        gone.append(loaded.rooms[was.room_id].name)
    return ", ".join(gone)


def _when(loaded: _Loaded, pick: Pick, locale: str) -> str:
    site = loaded.sites.get(pick.site_id)
    if site is None:
        return ""
    local = hours.local(pick.starts_at, site.zone)
    when = (
        f"{wording.format_date(local.date(), locale)}, {wording.format_time(local.time(), locale)}"
    )
    return f"{when}, {site.name}"


def _ruler(measure: planning.Measure | None, locale: str) -> Ruler | None:
    if measure is None:
        return None
    return Ruler(
        days=measure.days,
        floor=measure.gap.floor,
        target=measure.gap.target,
        soft_max=measure.gap.soft_max,
        text=wording.measure(measure, locale),
    )


def _days(loaded: _Loaded, placed: Mapping[int, Slot]) -> dict[int, date]:
    """Return the site's day of every session that has one: done, stored or proposed."""
    days = {}
    for session in loaded.order.sessions:
        where = placed.get(session.number) or session.fixed
        if session.done_on is not None:
            days[session.number] = session.done_on
        elif where is not None:
            days[session.number] = hours.day_of(where.starts_at, loaded.sites[where.site_id].zone)
    return days


def _alternatives(
    loaded: _Loaded, request: PlanRequest, number: int, placed: Mapping[int, Slot], locale: str
) -> tuple[AlternativeView, ...]:
    if number != request.open_number:
        return ()
    others = {n: slot for n, slot in placed.items() if n != number}
    options = planning.alternatives(
        loaded.order,
        number,
        others,
        loaded.timetable,
        request.wishes,
        k=12,
        purpose=purpose_of(loaded.course, loaded.consult),
    )
    in_time = sorted(options, key=lambda option: option.slot.starts_at)
    return tuple(_alternative(loaded, option, placed, locale) for option in in_time)


def _day(
    loaded: _Loaded,
    request: PlanRequest,
    row: CourseSession,
    placed: Mapping[int, Slot],
    locale: str,
) -> DayStarts | None:
    """Return the starts of the day that is looked at, else of the day the open session is on."""
    if row.number != request.open_number:
        return None
    wishes = request.wishes
    on = request.look_at or _days(loaded, placed)[row.number]
    order = _with_fixed(loaded.order, {n: s for n, s in placed.items() if n != row.number})
    looks = [
        explaining.day(
            loaded.timetable,
            on,
            service_id=loaded.course.service_id,
            site_id=site_id,
            minutes=row.minutes,
            patient_id=loaded.patient.id,
            number=row.number,
            order=order,
            purpose=purpose_of(loaded.course, loaded.consult),
        )
        for site_id in loaded.sites
        if wishes.site_ids is None or site_id in wishes.site_ids
    ]
    return starts.of_day(
        on,
        looks,
        _words(loaded, locale),
        pick=lambda slot: _pick(slot).text,
        only=wishes.provider_ids,
    )


def _words(loaded: _Loaded, locale: str) -> starts.Words:
    return starts.Words(
        sites=loaded.sites, providers=loaded.providers, names=loaded.names, locale=locale
    )


def _alternative(
    loaded: _Loaded,
    option: planning.ProposedSession,
    placed: Mapping[int, Slot],
    locale: str,
) -> AlternativeView:
    pick = _pick(option.slot)
    site = loaded.sites[pick.site_id]
    local = hours.local(pick.starts_at, site.zone)
    words = [site.name, loaded.providers[pick.provider_id].name]
    words += [
        wording.cost(cost, locale=locale, names=loaded.names)
        for cost in option.costs
        if cost.amount and cost.code != "warning"
    ]
    after = {**placed, option.number: option.slot}
    fixed = {row.number: row.fixed for row in loaded.order.sessions if row.fixed is not None}
    effects = planning.effects(
        loaded.order, {**fixed, **placed}, {**fixed, **after}, loaded.timetable
    )
    return AlternativeView(
        value=pick.text,
        time_label=wording.format_day_time(local, locale),
        detail=" · ".join(words),
        end_label=wording.format_date(max(_days(loaded, after).values()), locale),
        effects=tuple(
            wording.effect(effect, locale)
            for effect in effects
            if effect.code != "stays" and effect.number != option.number
        ),
        remarks=remarks.of_slot(
            option.slot, option.conflicts, loaded.timetable, _words(loaded, locale)
        ),
    )


def _comparison(loaded: _Loaded, request: PlanRequest, locale: str) -> tuple[Outlook, ...]:
    """Return the best course under each protocol of the service, as far as the provider has yet to choose."""
    if loaded.course.is_decided or loaded.course.status not in PLANNABLE:
        return ()
    return tuple(
        _compared(loaded, protocol, request, locale)
        for protocol in loaded.protocols
        if protocol.service_id == loaded.course.service_id
    )


def _compared(
    loaded: _Loaded, protocol: ProtocolFacts, request: PlanRequest, locale: str
) -> Outlook:
    is_own = protocol.id == loaded.course.protocol_id
    order = loaded.order if is_own else _under(loaded.order, protocol)
    words, timetable = _words(loaded, locale), loaded.timetable
    slots: Mapping[int, Slot] | None = {}
    warnings: tuple[Sentence, ...] = ()
    if any(row.fixed is None and row.done_on is None for row in order.sessions):
        best = planning.propose(
            order,
            timetable,
            request.wishes,
            purpose="reserve",
            ignoring=frozenset() if is_own else _movable(loaded.order),
        )
        slots = best[0].slots if best else None
        warnings = remarks.of_sessions(best[0].sessions, timetable, words) if best else ()
    if slots is not None:
        found = _days(replace(loaded, order=order), slots)
        days = [found[number] for number in sorted(found)]
    else:
        first = task.first_day(timetable, min(loaded.sites))
        first = max(first, request.wishes.not_before or first)
        days = list(candidacy.forecast(order.sessions, protocol.same_zone_gap, first=first))
        text = wording.nothing_found(locale)
        warnings = (Sentence(code="", severity=Severity.BLOCK.value, text=text),)
    return outlooks.outlook(
        protocol,
        order.sessions,
        days,
        is_chosen=is_own,
        leaves=loaded.patient.stay_until,
        warnings=warnings,
        has_dates=slots is not None,
        locale=locale,
    )


def _movable(order: CourseOrder) -> frozenset[int]:
    """Return the appointments of all sessions but the first that are yet to come."""
    return frozenset(
        row.appointment_id
        for row in order.sessions[1:]
        if row.appointment_id is not None and row.done_on is None
    )


def _under(order: CourseOrder, protocol: ProtocolFacts) -> CourseOrder:
    """Return the order as the protocol would have it, in the same zones.

    The first session stays where it is, and what took place stays done.
    """
    zones = sorted({zone for row in order.sessions for zone in row.zones})
    first = order.sessions[0].number
    standing = {
        row.number: row for row in order.sessions if row.number == first or row.done_on is not None
    }
    return replace(
        order,
        sessions=tuple(
            replace(standing.get(row.number, row), gap=row.gap, zones=row.zones)
            for row in outlooks.usual(protocol, None, zones)
        ),
        same_zone_gap=protocol.same_zone_gap,
        protocol_id=protocol.id,
    )


def _cards(
    loaded: _Loaded,
    found: Mapping[str, tuple[planning.Proposal, ...]],
    placed: Mapping[int, Slot],
    locale: str,
) -> tuple[ProposalCard, ...]:
    ranked = [(name, found[name][0]) for name in OBJECTIVES if found.get(name)]
    ranked += [("order", proposal) for proposal in list(found.get("order", ()))[1:]]
    return tuple(_card(loaded, name, p, placed, locale) for name, p in ranked)


def _card(
    loaded: _Loaded,
    objective: str,
    proposal: planning.Proposal,
    placed: Mapping[int, Slot],
    locale: str,
) -> ProposalCard:
    free = dict(sorted(_free_slots(proposal, _open_numbers(loaded)).items()))
    days = _days(loaded, free)
    return ProposalCard(
        value="|".join([objective, *(f"{n}={_pick(slot).text}" for n, slot in free.items())]),
        name=wording.objective(objective, locale),
        is_chosen=free == dict(placed),
        end_label=wording.format_date(max(days.values()), locale),
        span_label=wording.span((max(days.values()) - min(days.values())).days, locale),
        sessions=tuple(_date_line(loaded, n, slot, locale) for n, slot in free.items()),
        costs=_costs(loaded, proposal, locale),
        remarks=remarks.of_sessions(proposal.sessions, loaded.timetable, _words(loaded, locale)),
    )


def _date_line(loaded: _Loaded, number: int, slot: Slot, locale: str) -> ProposedDate:
    site = loaded.sites[slot.site_id]
    local = hours.local(slot.starts_at, site.zone)
    return ProposedDate(
        number=number,
        date_label=wording.format_short_date(local.date(), locale),
        time_label=wording.format_time(local.time(), locale),
        detail=f"{site.name} · {wording.initials(loaded.providers[slot.provider_id].name)}",
    )


def _costs(loaded: _Loaded, proposal: planning.Proposal, locale: str) -> tuple[CostLine, ...]:
    """Return what the proposal costs in days or changes, each once; or that it costs nothing."""
    words = [
        wording.cost(cost, locale=locale, names=loaded.names)
        for session in proposal.sessions
        for cost in session.costs
        if cost.amount and cost.code != "warning"
    ]
    if not words:
        return (CostLine(text=wording.no_cost(locale), tone="plus"),)
    return tuple(CostLine(text=text) for text in dict.fromkeys(words))[:4]


def _head(loaded: _Loaded, locale: str) -> CourseHead:
    course, patient, consult = loaded.course, loaded.patient, loaded.consult
    eligible = patient.eligible_from
    return CourseHead(
        key=course.key,
        version=course.version,
        status=course.status,
        status_label=wording.course_status(course.status, locale),
        status_reason=course.status_reason,
        is_decided=course.is_decided,
        is_asked=course.asked_at is not None,
        order_line=wording.order(loaded.order, locale),
        order_reason=course.interval_reason,
        order_by=loaded.orderer,
        protocol_name=loaded.protocol.name if loaded.protocol else "",
        package=course.package,
        patient_key=patient.key,
        patient_name=f"{patient.given_name} {patient.family_name}",
        patient_birth=wording.format_birth_date(patient.birth_date, locale)
        if patient.birth_date
        else "",
        patient_phone=wording.format_phone(patient.phone),
        language=patient.language,
        language_label=wording.language(patient.language, locale),
        eligible_from=wording.format_date(eligible, locale) if eligible else "",
        has_candidacy=is_candidate(consult),
        candidacy_text=wording.outcome(consult.outcome if consult else "", locale),
        progress_label=wording.progress(len(loaded.done), len(loaded.rows), locale),
    )


def _wishes(loaded: _Loaded, request: PlanRequest, locale: str) -> WishesView:
    wishes = request.wishes
    sites = tuple(
        Choice(value=str(row.id), label=row.name, is_chosen=row.id in (wishes.site_ids or ()))
        for row in loaded.sites.values()
        if row.retired_from is None
    )
    providers = tuple(
        Choice(value=str(row.id), label=row.name, is_chosen=row.id in (wishes.provider_ids or ()))
        for row in loaded.providers.values()
        if row.retired_from is None and _treats(loaded, row.id)
    )
    return WishesView(
        sites=sites,
        providers=providers,
        weekdays=tuple(
            Choice(
                value=str(day),
                label=wording.weekday(day, locale),
                is_chosen=day in (wishes.weekdays or ()),
            )
            for day in range(6)
        ),
        times=_times(wishes, locale),
        not_before=wishes.not_before.isoformat() if wishes.not_before else "",
        not_after=wishes.not_after.isoformat() if wishes.not_after else "",
        dates=_dates(loaded, locale),
        is_empty=wishes == planning.Wishes(),
    )


def _times(wishes: planning.Wishes, locale: str) -> tuple[Choice, ...]:
    present = day_part(wishes)
    return tuple(
        Choice(value=part, label=wording.day_part(part, locale), is_chosen=part == present)
        for part in ("", "morning", "afternoon", "evening")
    )


def day_part(wishes: planning.Wishes) -> str:
    """Return the name of the wished part of the day: morning, afternoon, evening, or any ("")."""
    if wishes.latest is not None:
        return "morning"
    if wishes.earliest is None:
        return ""
    return "evening" if wishes.earliest.hour >= EVENING else "afternoon"


def _dates(loaded: _Loaded, locale: str) -> tuple[str, ...]:
    words = [
        wording.date_to_avoid(
            row.kind, row.from_date, row.until_date, at=row.at, note=row.note, locale=locale
        )
        for row in loaded.dates
    ]
    patient = loaded.patient
    if patient.stay_from or patient.stay_until:
        words.append(wording.stay(patient.stay_from, patient.stay_until, locale))
    return tuple(words)


def _treats(loaded: _Loaded, provider_id: int) -> bool:
    facts = loaded.timetable.providers.get(provider_id)
    return facts is not None and any(
        service_id == loaded.course.service_id for service_id, _ in facts.treats
    )


def _bar(
    loaded: _Loaded,
    placed: Mapping[int, Slot],
    verdicts: Mapping[int, tuple[Conflict, ...]],
    locale: str,
) -> Bar:
    language = loaded.patient.language
    words = _words(loaded, locale)
    found = [words.sentence(c) for n in sorted(verdicts) for c in verdicts[n]]
    held = [row for row in loaded.live.values() if row.status == "held"]
    until = min((row.expires_at for row in held if row.expires_at), default=None)
    return Bar(
        read_back=tuple(_read_back(loaded, placed[n], language) for n in sorted(placed)),
        count=len(placed),
        picks=tuple((n, _pick(placed[n]).text) for n in sorted(placed)),
        warnings=tuple(s for s in found if s.severity == Severity.WARN),
        decisions=tuple(s for s in found if s.severity == Severity.DECIDE),
        blocks=tuple(s for s in found if s.severity == Severity.BLOCK),
        held_until=_clock(loaded, held[0].site_id, until, locale) if until else "",
        held_until_iso=until.astimezone(UTC).isoformat() if until else "",
        held_count=len(held),
        reserved_count=sum(row.status == "reserved" for row in loaded.live.values()),
        reserved_until=_first_end(loaded, "reserved", locale),
    )


def _first_end(loaded: _Loaded, status: str, locale: str) -> str:
    """Return the day on which the first of these falls away; empty when there is none."""
    ends = [
        hours.day_of(row.expires_at, loaded.sites[row.site_id].zone)
        for row in loaded.live.values()
        if row.status == status and row.expires_at is not None
    ]
    return wording.format_date(min(ends), locale) if ends else ""


def _read_back(loaded: _Loaded, slot: Slot, language: str) -> str:
    site = loaded.sites[slot.site_id]
    return wording.read_back(
        slot.starts_at,
        zone=site.zone,
        site=site.name,
        provider=loaded.providers[slot.provider_id].name,
        locale=language,
    )


def _clock(loaded: _Loaded, site_id: int, at: datetime, locale: str) -> str:
    return wording.format_time(hours.local(at, loaded.sites[site_id].zone).time(), locale)


def _deciders(loaded: _Loaded) -> tuple[Choice, ...]:
    return tuple(
        Choice(value=str(row.id), label=row.name)
        for row in loaded.providers.values()
        if row.retired_from is None
        and (facts := loaded.timetable.providers.get(row.id))
        and any(service_id == loaded.course.service_id for service_id, _ in facts.examines)
    )


def _end_label(rows: tuple[SessionRow, ...]) -> str:
    return rows[-1].date_label if rows else ""


def _nothing(loaded: _Loaded, placed: Mapping[int, Slot], locale: str) -> str:
    if placed or not _open_numbers(loaded):
        return ""
    return wording.nothing_found(locale)


def _obstacles(
    loaded: _Loaded, request: PlanRequest, placed: Mapping[int, Slot], purpose: str, locale: str
) -> tuple[Sentence, ...]:
    if placed or not _open_numbers(loaded):
        return ()
    found = explaining.obstacles(loaded.order, loaded.timetable, request.wishes, purpose=purpose)
    return tuple(map(_words(loaded, locale).sentence, found))


def _relaxations(
    loaded: _Loaded, request: PlanRequest, placed: Mapping[int, Slot], purpose: str, locale: str
) -> tuple[str, ...]:
    if placed or not _open_numbers(loaded):
        return ()
    found = explaining.relaxations(loaded.order, loaded.timetable, request.wishes, purpose=purpose)
    return tuple(_relaxation(loaded, one, locale) for one in found)


def _relaxation(loaded: _Loaded, relaxation: explaining.Relaxation, locale: str) -> str:
    days = _days(loaded, _free_slots(relaxation.proposal, _open_numbers(loaded)))
    days = {number: days[number] for number in _open_numbers(loaded)}
    return wording.relaxation(
        relaxation,
        first=min(days.values()),
        last=max(days.values()),
        locale=locale,
        names=loaded.names,
    )
