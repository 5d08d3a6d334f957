"""From a patient's visits to the events of their calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner import wording
from planner.ical.events import Days, Event, Span, one_line
from planner.queries.calendar_rows import Diary, Visit
from planner.scheduling import aftercare, hours, lifecycle
from planner.scheduling.aftercare import Restriction, Treated
from planner.scheduling.timetable import Status
from planner.wording import visits as words

LOOK_BACK = timedelta(days=90)
CANCELLED_FOR = timedelta(days=30)
"""How long a cancelled visit stays, after it was cancelled and after it would have been."""

HANDED_OUT_AFTER = timedelta(days=1)
"""A hold let go sooner was never in a file that a patient took home."""

REMINDERS = (timedelta(days=1), timedelta(hours=2))
LONGEST_TITLE = 60
CANCELLED = "CANCELLED"

WALK, DAY_AND_NIGHT, AS_NEEDED, FLYING, RESTRICTED = range(1, 6)
"""Which note after a visit it is: part of its uid, so never to be renumbered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A visit with what a calendar says of its state just now."""

    visit: Visit
    status: str
    sequence: int
    modified_at: datetime


def shown(visit: Visit, diary: Diary, now: datetime) -> Shown:
    """Return the state of a visit. A hold that has run out is cancelled already, though stored."""
    status = lifecycle.calendar_status(Status(visit.status))
    sequence, modified_at = visit.sequence, visit.ical_modified_at
    if status == "TENTATIVE" and visit.expires_at is not None and visit.expires_at <= now:
        status, sequence, modified_at = CANCELLED, sequence + 1, visit.expires_at
    modified_at = max(modified_at, diary.revised_at or modified_at)
    return Shown(visit=visit, status=status, sequence=sequence, modified_at=modified_at)


def is_current(shown: Shown, now: datetime) -> bool:
    """Whether a file of today still holds the visit."""
    visit = shown.visit
    if shown.status != CANCELLED:
        return visit.starts_at >= now - LOOK_BACK
    ended_at = visit.ended_at or shown.modified_at
    was_firm = visit.status in (Status.CANCELLED, Status.NO_SHOW)
    was_handed_out = was_firm or ended_at - visit.created_at >= HANDED_OUT_AFTER
    return was_handed_out and now < max(ended_at, visit.starts_at) + CANCELLED_FOR


def of(shown: Shown, diary: Diary, others: tuple[Shown, ...]) -> Iterator[Event]:
    """Yield the event of a visit, and of a session what is to be heeded after it.

    ``others`` are all visits of the patient: the next session ends the aftercare of the one before.
    """
    yield _visit(shown, diary)
    if shown.visit.kind == "session" and shown.status != CANCELLED:
        yield from _aftercare(shown, diary, others)


def care(
    states: tuple[Shown, ...], diary: Diary
) -> dict[int, tuple[tuple[Span | Days, str, str], ...]]:
    """Return in plain words what is to be heeded after each session, by the id of its visit.

    Each is when it holds, its title and its text.
    """
    return {
        one.visit.id: tuple(
            (note.when, *note.plain) for note in _notes(one.visit, diary, _next_day(one, states))
        )
        for one in states
        if one.visit.kind == "session" and one.status != CANCELLED
    }


def _visit(shown: Shown, diary: Diary) -> Event:
    visit = shown.visit
    is_off = shown.status == CANCELLED
    is_ahead = visit.status in (Status.HELD, Status.RESERVED, Status.BOOKED)
    return Event(
        uid=visit.uid,
        sequence=shown.sequence,
        created_at=visit.created_at,
        modified_at=shown.modified_at,
        when=Span(starts_at=visit.starts_at, ends_at=visit.ends_at, zone=visit.zone),
        summary=_stated(_title(visit, diary), shown.status, diary.language),
        description=_description(shown, diary),
        location=_location(visit, diary),
        status=shown.status,
        is_busy=not is_off,
        reminders=REMINDERS if is_ahead and not is_off else (),
        reminder_text=one_line(neutral_title(diary), LONGEST_TITLE),
    )


def _title(visit: Visit, diary: Diary) -> str:
    if diary.is_plain:
        return words.visit(visit.service_name, visit.number, visit.total, diary.language)
    return neutral_title(diary)


def neutral_title(diary: Diary) -> str:
    """Return what any visit is called where nothing may tell what it is for."""
    practice = diary.neutral_name if words.is_discreet(diary.neutral_name) else ""
    return words.appointment(practice, diary.language)


def _stated(title: str, status: str, locale: str) -> str:
    title = one_line(title, LONGEST_TITLE)
    if status == CANCELLED:
        return words.cancelled(title, locale)
    return words.tentative(title, locale) if status == "TENTATIVE" else title


def _description(shown: Shown, diary: Diary) -> str:
    visit, locale = shown.visit, diary.language
    phone = words.questions(_phone(visit, diary), locale)
    if shown.status == CANCELLED:
        return _joined(words.no_longer(locale, has_notes=visit.kind == "session"), phone)
    arrival = (visit.arrival_note, diary.texts.get("arrival", ""))
    if not diary.is_plain:
        return _joined(*filter(words.is_discreet, arrival), phone)
    bring = diary.texts.get("bring", "") if visit.kind == "session" else ""
    provider = words.with_provider(visit.provider_name, locale)
    return _joined(provider, *arrival, bring, phone)


def _location(visit: Visit, diary: Diary) -> str:
    if diary.is_plain:
        return _joined(visit.site_name, visit.address)
    name = visit.site_name if words.is_discreet(visit.site_name) else ""
    return _joined(name, words.discreet_parts(visit.address))


def _phone(visit: Visit, diary: Diary) -> str:
    return wording.format_phone(visit.site_phone or diary.clinic_phone)


def _joined(*texts: str) -> str:
    return "\n".join(text.strip() for text in texts if text.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """One entry of aftercare. ``part`` numbers it within its visit, for its uid."""

    part: int
    when: Span | Days
    plain: tuple[str, str]
    is_travel: bool = False


def _aftercare(shown: Shown, diary: Diary, others: tuple[Shown, ...]) -> Iterator[Event]:
    for note in _notes(shown.visit, diary, _next_day(shown, others)):
        is_shared = note.part == AS_NEEDED
        yield _note_event(note, shown, diary, _sessions(shown, others) if is_shared else (shown,))


def _note_event(note: _Note, shown: Shown, diary: Diary, causes: tuple[Shown, ...]) -> Event:
    visit, locale = shown.visit, diary.language
    title, text = note.plain
    if not diary.is_plain:
        title = words.travel_note(locale) if note.is_travel else words.care_reminder(locale)
        text = words.on_your_sheet(locale)
    else:
        text = _joined(text, diary.texts.get("warning_signs", ""))
    local, _, domain = visit.uid.partition("@")
    return Event(
        uid=f"{local}-{note.part}@{domain}",
        sequence=_sequence(shown, causes),
        created_at=visit.created_at,
        modified_at=max(_modified_at(cause) for cause in causes),
        when=note.when,
        summary=_stated(title, shown.status, locale),
        description=_joined(text, words.questions(_phone(visit, diary), locale)),
        status=shown.status,
        belongs_to=visit.uid,
    )


def _notes(visit: Visit, diary: Diary, next_day: datetime | None) -> Iterator[_Note]:
    locale = diary.language
    found = aftercare.after(_treated(visit, diary, next_day), diary.rules)
    if walk := found.walk:
        span = Span(starts_at=walk.starts_at, ends_at=walk.ends_at, zone=visit.zone)
        yield _Note(part=WALK, when=span, plain=words.walk(walk.least, walk.most, locale))
    for part, worn, say in (
        (DAY_AND_NIGHT, found.day_and_night, words.day_and_night),
        (AS_NEEDED, found.as_needed, words.as_needed),
    ):
        if worn:
            days = Days(first=worn.first, last=worn.last)
            yield _Note(part=part, when=days, plain=say(worn.least, worn.most, locale))
    if flying := found.flying:
        plain = words.flying(_end(flying, visit, locale), flying.hours, locale)
        day = _last_day((flying,), visit)
        yield _Note(part=FLYING, when=day, plain=plain, is_travel=True)
    if found.restrictions:
        in_order = sorted(found.restrictions, key=lambda item: item.until)
        items = [words.Until(code=r.code, time=_end(r, visit, locale)) for r in in_order]
        day = _last_day(found.restrictions, visit)
        yield _Note(part=RESTRICTED, when=day, plain=words.restrictions(items, locale))


def _treated(visit: Visit, diary: Diary, next_day: datetime | None) -> Treated:
    return Treated(
        ends_at=visit.actual_ends_at or visit.ends_at,
        kept_free=visit.patient_until - visit.ends_at,
        zone=visit.zone,
        site_id=visit.site_id,
        service_id=visit.service_id,
        protocol_id=visit.protocol_id,
        zones=frozenset(visit.zones_treated or visit.zones or ()),
        is_reticular=visit.course_id in diary.reticular_course_ids,
        next_session_on=hours.day_of(next_day, visit.zone) if next_day else None,
    )


def _last_day(restrictions: tuple[Restriction, ...], visit: Visit) -> Days:
    """Return the one day on which the last of them ends: a bar over all days would be clutter."""
    last = max(aftercare.last_day(item, visit.zone) for item in restrictions)
    return Days(first=last, last=last)


def _end(restriction: Restriction, visit: Visit, locale: str) -> str:
    return wording.format_day_time(hours.local(restriction.until, visit.zone), locale)


def _next_day(shown: Shown, others: tuple[Shown, ...]) -> datetime | None:
    """Return when the patient's next session starts that takes place."""
    starts = (
        other.visit.starts_at
        for other in others
        if other.visit.kind == "session"
        and other.status != CANCELLED
        and other.visit.starts_at > shown.visit.starts_at
    )
    return min(starts, default=None)


def _sessions(shown: Shown, others: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """Return every session the patient ever had: any of them may have ended this one's span."""
    return tuple(other for other in others if other.visit.kind == "session") or (shown,)


def _sequence(shown: Shown, causes: tuple[Shown, ...]) -> int:
    """Return a number that grows whenever one of the causes moves, comes or goes.

    A recorded end moves what follows from it: one revision more than its visit has.
    """
    if causes == (shown,):
        return shown.sequence + (shown.visit.actual_ends_at is not None)
    return sum(_sequence(cause, (cause,)) + 1 for cause in causes)


def _modified_at(shown: Shown) -> datetime:
    return max(shown.modified_at, shown.visit.actual_ends_at or shown.modified_at)
