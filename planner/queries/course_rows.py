"""The sessions of the course screen, one by one: where they are, their distance, and where else they could be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from planner import wording
from planner.db.models import (
    CourseSession,
)
from planner.queries import course_choice, remarks, starts
from planner.queries.course_ground import (
    Loaded,
    days_of,
    pick_of,
    purpose_of,
    stored_pick,
    with_fixed,
)
from planner.queries.course_view import (
    AlternativeView,
    DayStarts,
    GapView,
    Pick,
    PlanRequest,
    Ruler,
    Sentence,
    SessionRow,
)
from planner.scheduling import course as planning
from planner.scheduling import explaining, hours
from planner.scheduling.timetable import (
    Conflict,
    SessionOrder,
    Slot,
)


def session_rows(
    loaded: Loaded,
    request: PlanRequest,
    placed: Mapping[int, Slot],
    *,
    costs: Mapping[int, tuple[planning.Cost, ...]],
    verdicts: Mapping[int, tuple[Conflict, ...]],
    locale: str,
) -> tuple[SessionRow, ...]:
    """Return every session of the course as a row of the timeline."""
    days = days_of(loaded, placed)
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
    loaded: Loaded,
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
        is_pinned=row.number in request.pins or row.number == course_choice.pinned_by_step(request),
        is_fixed=stored is not None,
        appointment_key=stored.key if stored else "",
        is_open=row.number == request.open_number,
    )
    if stored is not None:
        return _at(shown, loaded, stored_pick(stored), locale)
    if where is None:
        return shown
    pick = pick_of(where)
    was = request.shown.get(row.number)
    return replace(
        _at(shown, loaded, pick, locale),
        pick=pick.text,
        was_label=_was(loaded, was, pick, locale) if was is not None and was != pick else "",
        alternatives=_alternatives(loaded, request, row.number, placed, locale),
        day=_day(loaded, request, row, placed, locale),
    )


def _said(
    loaded: Loaded, conflicts: Collection[Conflict], where: Slot | None, locale: str
) -> tuple[Sentence, ...]:
    """Return the conflicts in words, and what is close to a start that is still to be taken."""
    words = words_of_starts(loaded, locale)
    close = remarks.nearby(where, loaded.timetable, words) if where is not None else ()
    return (*map(words.sentence, conflicts), *close)


def _at(row: SessionRow, loaded: Loaded, pick: Pick, locale: str) -> SessionRow:
    zone = loaded.sites[pick.site_id].zone
    local = hours.local(pick.starts_at, zone)
    words = words_of_starts(loaded, locale)
    return replace(
        row,
        date=local.date(),
        date_label=wording.format_date(local.date(), locale),
        time_label=wording.format_time(local.time(), locale),
        site=words.site(pick.site_id),
        provider=words.provider(pick.provider_id),
        room_name=loaded.rooms[pick.room_id].name,
    )


def _was(loaded: Loaded, was: Pick, pick: Pick, locale: str) -> str:
    """Return what is no longer so: with the same start at the same site, only room and provider."""
    if (was.starts_at, was.site_id) != (pick.starts_at, pick.site_id):
        return _when(loaded, was, locale)
    gone = []
    if was.provider_id != pick.provider_id and was.provider_id in loaded.providers:
        gone.append(loaded.providers[was.provider_id].name)
    if was.room_id != pick.room_id and was.room_id in loaded.rooms:
        gone.append(loaded.rooms[was.room_id].name)
    return ", ".join(gone)


def _when(loaded: Loaded, pick: Pick, locale: str) -> str:
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


def _alternatives(
    loaded: Loaded, request: PlanRequest, number: int, placed: Mapping[int, Slot], locale: str
) -> tuple[AlternativeView, ...]:
    if number != request.open_number:
        return ()
    kept = course_choice.staying(request, placed, number)
    purpose = purpose_of(loaded.course, loaded.consult)
    options = planning.alternatives(
        loaded.order,
        number,
        {**kept, number: placed[number]},
        loaded.timetable,
        request.wishes,
        k=12,
        purpose=purpose,
    )
    plans = (
        (
            option,
            course_choice.following(loaded, request, {**kept, number: option.slot}, purpose),
        )
        for option in sorted(options, key=lambda option: option.slot.starts_at)
    )
    return tuple(
        _alternative(loaded, option, placed, after, locale)
        for option, after in plans
        if after is not None
    )


def _day(
    loaded: Loaded,
    request: PlanRequest,
    row: CourseSession,
    placed: Mapping[int, Slot],
    locale: str,
) -> DayStarts | None:
    """Return the starts of the day that is looked at, else of the day the open session is on."""
    if row.number != request.open_number:
        return None
    wishes = request.wishes
    on = request.look_at or days_of(loaded, placed)[row.number]
    order = with_fixed(loaded.order, course_choice.staying(request, placed, row.number))
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
        words_of_starts(loaded, locale),
        pick=lambda slot: pick_of(slot).text,
        only=wishes.provider_ids,
    )


def words_of_starts(loaded: Loaded, locale: str) -> starts.Words:
    """Return the words in which starts are told."""
    return starts.Words(
        sites=loaded.sites, providers=loaded.providers, names=loaded.names, locale=locale
    )


def _alternative(
    loaded: Loaded,
    option: planning.ProposedSession,
    placed: Mapping[int, Slot],
    after: Mapping[int, Slot],
    locale: str,
) -> AlternativeView:
    """Return another time with its cost, and what becomes of the course when it is taken."""
    pick = pick_of(option.slot)
    site = loaded.sites[pick.site_id]
    local = hours.local(pick.starts_at, site.zone)
    words = [site.name, loaded.providers[pick.provider_id].name]
    words += [
        wording.cost(cost, locale=locale, names=loaded.names)
        for cost in option.costs
        if cost.amount and cost.code != "warning"
    ]
    fixed = {row.number: row.fixed for row in loaded.order.sessions if row.fixed is not None}
    effects = planning.effects(
        loaded.order, {**fixed, **placed}, {**fixed, **after}, loaded.timetable
    )
    return AlternativeView(
        value=pick.text,
        time_label=wording.format_day_time(local, locale),
        detail=" · ".join(words),
        end_label=wording.format_date(max(days_of(loaded, after).values()), locale),
        effects=tuple(
            wording.effect(effect, locale)
            for effect in effects
            if effect.code != "stays" and effect.number != option.number
        ),
        remarks=remarks.of_slot(
            option.slot, option.conflicts, loaded.timetable, words_of_starts(loaded, locale)
        ),
    )
