"""From a patient's visits to the events of their calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol

from planner import wording
from planner.ical import add_links as add
from planner.ical import files
from planner.ical.add_links import AddLinks
from planner.ical.events import Days, Event, Span, one_line
from planner.ical.files import Block
from planner.queries.calendar_revisions import OF_ALL
from planner.queries.calendar_rows import Diary, Visit
from planner.scheduling import aftercare, hours, lifecycle
from planner.scheduling.aftercare import Aftercare, Restriction, Treated
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

WALK, DAY_AND_NIGHT, AS_NEEDED, FLYING, RESTRICTED, FOR_PROVIDER = range(1, 7)
"""Which note after a visit it is, or its provider's view: part of a uid, so never to be renumbered."""

SHARED = (DAY_AND_NIGHT, AS_NEEDED)
"""What other sessions shorten or prolong: every session is a cause of it."""

_CALENDAR_STATUS = {status.value: lifecycle.calendar_status(status) for status in Status}

KEPT = 2048
"""Patients whose sessions, and other visits that, a process keeps written."""


class Stored(Protocol):
    """What tells the state of an appointment."""

    @property
    def status(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def ical_modified_at(self) -> datetime: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def ended_at(self) -> datetime | None: ...


class Shown(
    NamedTuple
):  # the quickest of all that is compared: there is one for each visit of a feed
    """A visit with what a calendar says of its state just now."""

    visit: Visit
    status: str
    sequence: int
    modified_at: datetime
    moved: int = 0  # how often what follows it has moved, though it stayed where it was


def shown(visit: Visit, diary: Diary, now: datetime) -> Shown:
    """Return the state of a visit. A hold that has run out is cancelled already, though stored."""
    status, sequence, modified_at = state(visit, now)
    concerns = (
        OF_ALL, ("site", visit.site_id), ("service", visit.service_id),
        ("provider", visit.provider_id),
    )  # fmt: skip
    return Shown(
        visit=visit,
        status=status,
        sequence=sequence,
        modified_at=diary.revisions.latest(modified_at, *concerns),
        moved=diary.revisions.spans_since(visit.created_at),
    )


def state(row: Stored, now: datetime) -> tuple[str, int, datetime]:
    """Return status, sequence and last change of an appointment as a calendar sees it now."""
    status = _CALENDAR_STATUS[row.status]
    if status == "TENTATIVE" and row.expires_at is not None and row.expires_at <= now:
        return CANCELLED, row.sequence + 1, row.expires_at
    return status, row.sequence, row.ical_modified_at


def is_current(shown: Shown, now: datetime) -> bool:
    """Whether a file of today still holds the visit."""
    if shown.status != CANCELLED:
        return shown.visit.starts_at >= now - LOOK_BACK
    return is_still_told(shown.visit, shown.modified_at, now)


def is_still_told(row: Stored, modified_at: datetime, now: datetime) -> bool:
    """Whether it is worth saying that a cancelled appointment does not take place."""
    ended_at = row.ended_at or modified_at
    was_firm = row.status in (Status.CANCELLED, Status.NO_SHOW)
    was_handed_out = was_firm or ended_at - row.created_at >= HANDED_OUT_AFTER
    return was_handed_out and now < max(ended_at, row.starts_at) + CANCELLED_FOR


def of(shown: Shown, diary: Diary, others: tuple[Shown, ...]) -> Iterator[Event]:
    """Yield the event of a visit, and of a session what is to be heeded after it.

    ``others`` are all visits of the patient: spans after several sessions merge.
    """
    yield _visit(shown, diary)
    sessions = tuple(other for other in others if other.visit.kind == "session")
    if found := _aftercare(sessions, diary).get(shown.visit.id):
        yield from _notes(shown, found, sessions, diary)


def add_links(visit: Visit, diary: Diary) -> AddLinks:
    """Return the links that add a visit to a calendar on the web: neutral whatever was chosen."""
    neutral = replace(diary, is_plain=False)
    when = Span(starts_at=visit.starts_at, ends_at=visit.ends_at, zone=visit.zone)
    return add.of(neutral_title(neutral), when, _location(visit, neutral))


def blocks(wanted: Iterable[Shown], states: tuple[Shown, ...], diary: Diary) -> Iterator[Block]:
    """Yield the events of the visits that are wanted, written; ``states`` are all of the patient's.

    Written once per change: what is asked for again is the bytes of before.
    """
    said = _Said(diary)
    sessions = tuple(state for state in states if state.visit.kind == "session")
    of_sessions = _blocks_of_sessions(sessions, said)
    for state in wanted:
        found = of_sessions.get(state.visit.id)
        yield _block_of_one(state, said) if found is None else found


class _Said:
    """A diary as far as its words and rules go: equal to another by which events read the same."""

    __slots__ = ("_facts", "_hash", "diary")

    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self._facts = (
            diary.language, diary.is_plain, diary.clinic_phone, diary.neutral_name,
            tuple(diary.texts.items()), diary.reticular_course_ids,
        )  # fmt: skip
        # A process keeps one tuple of rules for as long as they hold: there is no need to read it.
        self._hash = hash((self._facts, id(diary.rules)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Said)
            and self.diary.rules is other.diary.rules
            and self._facts == other._facts
        )


@lru_cache(maxsize=KEPT)
def _block_of_one(shown: Shown, said: _Said) -> Block:
    return files.block([_visit(shown, said.diary)])


@lru_cache(maxsize=KEPT)
def _blocks_of_sessions(sessions: tuple[Shown, ...], said: _Said) -> dict[int, Block]:
    found = _aftercare(sessions, said.diary)
    return {
        one.visit.id: files.block(_with_notes(one, found, sessions, said.diary)) for one in sessions
    }


def _with_notes(
    shown: Shown, found: Mapping[int, Aftercare], sessions: tuple[Shown, ...], diary: Diary
) -> Iterator[Event]:
    yield _visit(shown, diary)
    if shown.visit.id in found:
        yield from _notes(shown, found[shown.visit.id], sessions, diary)


def care(
    states: tuple[Shown, ...], diary: Diary
) -> dict[int, tuple[tuple[Span | Days, str, str], ...]]:
    """Return in plain words what is to be heeded after each session, by the id of its visit.

    Each is when it holds, its title and its text.
    """
    sessions = tuple(state for state in states if state.visit.kind == "session")
    visits = {one.visit.id: one.visit for one in sessions}
    return {
        visit_id: tuple(
            (note.when, *note.plain) for note in _entries(found, visits[visit_id], diary)
        )
        for visit_id, found in _aftercare(sessions, diary).items()
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
        summary=words.stated(_short(_title(visit, diary)), shown.status, diary.language),
        description=_description(shown, diary),
        location=_location(visit, diary),
        status=shown.status,
        is_busy=not is_off,
        reminders=REMINDERS if is_ahead and not is_off else (),
        reminder_text=_short(neutral_title(diary)),
    )


def _title(visit: Visit, diary: Diary) -> str:
    if diary.is_plain:
        return words.visit(visit.service_name, visit.number, visit.total, diary.language)
    return neutral_title(diary)


def neutral_title(diary: Diary) -> str:
    """Return what any visit is called where nothing may tell what it is for."""
    practice = diary.neutral_name if words.is_discreet(diary.neutral_name) else ""
    return words.appointment(practice, diary.language)


def _short(title: str) -> str:
    return one_line(title, LONGEST_TITLE)


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


def _aftercare(sessions: tuple[Shown, ...], diary: Diary) -> dict[int, Aftercare]:
    """Return what follows each session that takes place, by the id of its visit."""
    taking_place = [one.visit for one in sessions if one.status != CANCELLED]
    in_order = sorted(taking_place, key=lambda visit: (visit.starts_at, visit.id))
    found = aftercare.after_all([_treated(visit, diary) for visit in in_order], diary.rules)
    return {visit.id: one for visit, one in zip(in_order, found, strict=True)}


def _notes(
    shown: Shown, found: Aftercare, sessions: tuple[Shown, ...], diary: Diary
) -> Iterator[Event]:
    for note in _entries(found, shown.visit, diary):
        is_shared = note.part in SHARED
        yield _note_event(note, shown, diary, sessions if is_shared else (shown,))


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
        summary=words.stated(_short(title), shown.status, locale),
        description=_joined(text, words.questions(_phone(visit, diary), locale)),
        status=shown.status,
        belongs_to=visit.uid,
    )


def _entries(found: Aftercare, visit: Visit, diary: Diary) -> Iterator[_Note]:
    locale = diary.language
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


def _treated(visit: Visit, diary: Diary) -> Treated:
    return Treated(
        ends_at=visit.actual_ends_at or visit.ends_at,
        kept_free=visit.patient_until - visit.ends_at,
        zone=visit.zone,
        site_id=visit.site_id,
        service_id=visit.service_id,
        protocol_id=visit.protocol_id,
        zones=frozenset(visit.zones_treated or visit.zones),
        is_reticular=visit.course_id in diary.reticular_course_ids,
    )


def _last_day(restrictions: tuple[Restriction, ...], visit: Visit) -> Days:
    """Return the one day on which the last of them ends: a bar over all days would be clutter."""
    last = max(aftercare.last_day(item, visit.zone) for item in restrictions)
    return Days(first=last, last=last)


def _end(restriction: Restriction, visit: Visit, locale: str) -> str:
    return wording.format_day_time(hours.local(restriction.until, visit.zone), locale)


def _sequence(shown: Shown, causes: tuple[Shown, ...]) -> int:
    """Return a number that grows whenever one of the causes moves, comes or goes.

    A recorded end moves what follows from it: one revision more than its visit has.
    """
    if causes == (shown,):
        return shown.sequence + shown.moved + (shown.visit.actual_ends_at is not None)
    return sum(_sequence(cause, (cause,)) + 1 for cause in causes)


def _modified_at(shown: Shown) -> datetime:
    return max(shown.modified_at, shown.visit.actual_ends_at or shown.modified_at)
