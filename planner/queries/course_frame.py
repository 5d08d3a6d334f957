"""What stands around the sessions of the course screen: the course, the wishes, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

from planner import wording
from planner.queries.course_ground import Loaded, clock_label, is_candidate, pick_of, treats_here
from planner.queries.course_rows import words_of_starts
from planner.queries.course_view import (
    Bar,
    Choice,
    CourseHead,
    PlanRequest,
    Sentence,
    SessionRow,
    WishesView,
)
from planner.scheduling import course as planning
from planner.scheduling import hours
from planner.scheduling.timetable import (
    Conflict,
    Severity,
    Slot,
)

EVENING = 16  # the hour from which a wish counts as "evening"


def course_head(loaded: Loaded, locale: str) -> CourseHead:
    """Return what is said of the course above its sessions."""
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
        read_back_locale=wording.spoken(patient.language),
        eligible_from=wording.format_date(eligible, locale) if eligible else "",
        has_candidacy=is_candidate(consult),
        candidacy_text=wording.outcome(consult.outcome if consult else "", locale),
        progress_label=wording.progress(len(loaded.done), len(loaded.rows), locale),
    )


def wishes_view(loaded: Loaded, request: PlanRequest, locale: str) -> WishesView:
    """Return the form of wishes as it was filled in, with what there is to choose from."""
    wishes = request.wishes
    sites = tuple(
        Choice(value=str(row.id), label=row.name, is_chosen=row.id in (wishes.site_ids or ()))
        for row in loaded.sites.values()
        if row.retired_from is None
    )
    providers = tuple(
        Choice(value=str(row.id), label=row.name, is_chosen=row.id in (wishes.provider_ids or ()))
        for row in loaded.providers.values()
        if row.retired_from is None and treats_here(loaded, row.id)
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
            for day in _open_weekdays(loaded, wishes)
        ),
        times=_times(wishes, locale),
        not_before=wishes.not_before.isoformat() if wishes.not_before else "",
        not_after=wishes.not_after.isoformat() if wishes.not_after else "",
        dates=_dates(loaded, locale),
        is_empty=wishes == planning.Wishes(),
    )


def _open_weekdays(loaded: Loaded, wishes: planning.Wishes) -> list[int]:
    """Return the weekdays on which some site is ever open, and those that are wished for all the same."""
    sites = loaded.timetable.sites.values()
    return sorted({row.weekday for site in sites for row in site.hours} | set(wishes.weekdays))


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


def _dates(loaded: Loaded, locale: str) -> tuple[str, ...]:
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


def bar_of(
    loaded: Loaded,
    placed: Mapping[int, Slot],
    verdicts: Mapping[int, tuple[Conflict, ...]],
    locale: str,
) -> Bar:
    """Return what can be done with the plan as it stands, and what speaks against it."""
    language = loaded.patient.language
    found = _found(loaded, verdicts, locale)
    held = [row for row in loaded.live.values() if row.status == "held"]
    until = min((row.expires_at for row in held if row.expires_at), default=None)
    return Bar(
        read_back=tuple(_read_back(loaded, placed[n], language) for n in sorted(placed)),
        count=len(placed),
        picks=tuple((n, pick_of(placed[n]).text) for n in sorted(placed)),
        warnings=tuple(s for s in found if s.severity == Severity.WARN),
        decisions=tuple(s for s in found if s.severity == Severity.DECIDE),
        blocks=tuple(s for s in found if s.severity == Severity.BLOCK),
        held_until=clock_label(loaded, held[0].site_id, until, locale) if until else "",
        held_until_iso=until.astimezone(UTC).isoformat() if until else "",
        held_count=len(held),
        call_back_notes=tuple(
            dict.fromkeys(row.call_back_note for row in held if row.call_back_note)
        ),
        reserved_count=sum(row.status == "reserved" for row in loaded.live.values()),
        reserved_until=_first_end(loaded, "reserved", locale),
    )


def _found(
    loaded: Loaded, verdicts: Mapping[int, tuple[Conflict, ...]], locale: str
) -> list[Sentence]:
    """Return what speaks against the plan, each reason with the session at which it is said."""
    words = words_of_starts(loaded, locale)
    return [
        replace(words.sentence(conflict), number=number)
        for number in sorted(verdicts)
        for conflict in verdicts[number]
    ]


def _first_end(loaded: Loaded, status: str, locale: str) -> str:
    """Return the day on which the first of these falls away; empty when there is none."""
    ends = [
        hours.day_of(row.expires_at, loaded.sites[row.site_id].zone)
        for row in loaded.live.values()
        if row.status == status and row.expires_at is not None
    ]
    return wording.format_date(min(ends), locale) if ends else ""


def _read_back(loaded: Loaded, slot: Slot, language: str) -> str:
    site = loaded.sites[slot.site_id]
    return wording.read_back(
        slot.starts_at,
        zone=site.zone,
        site=site.name,
        provider=loaded.providers[slot.provider_id].name,
        locale=language,
    )


def deciders_of(loaded: Loaded) -> tuple[Choice, ...]:
    """Return the providers who may decide for this course."""
    return tuple(
        Choice(value=str(row.id), label=row.name)
        for row in loaded.providers.values()
        if row.retired_from is None
        and (facts := loaded.timetable.providers.get(row.id))
        and any(service_id == loaded.course.service_id for service_id, _ in facts.examines)
    )


def end_label_of(rows: tuple[SessionRow, ...]) -> str:
    """Return the day of the last session, empty while one has no place."""
    return rows[-1].date_label if rows else ""
