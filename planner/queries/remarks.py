"""What whoever takes a start should know of its day: a flight, the end of a stay, a race, a holiday close by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from planner import wording
from planner.queries.course_view import Sentence
from planner.queries.starts import Words
from planner.scheduling import holidays, hours
from planner.scheduling.course import ProposedSession
from planner.scheduling.timetable import Conflict, Severity, Slot, Timetable


def of_slot(
    slot: Slot, conflicts: Iterable[Conflict], timetable: Timetable, words: Words
) -> tuple[Sentence, ...]:
    """Return the warnings of a start, but for the gap, which its ruler says; then what is close by."""
    warned = (
        words.sentence(conflict)
        for conflict in conflicts
        if conflict.severity in (Severity.WARN, Severity.DECIDE)
        and not conflict.code.startswith("gap.")
    )
    return (*warned, *nearby(slot, timetable, words))


def of_sessions(
    sessions: Iterable[ProposedSession], timetable: Timetable, words: Words
) -> tuple[Sentence, ...]:
    """Return the same of the sessions of a proposal that are not placed yet, each once with their numbers."""
    numbers: dict[Sentence, list[int]] = {}
    for session in sessions:
        if not session.is_fixed:
            for found in of_slot(session.slot, session.conflicts, timetable, words):
                numbers.setdefault(found, []).append(session.number)
    return tuple(
        replace(found, text=wording.of_sessions(those, found.text, words.locale))
        for found, those in numbers.items()
    )


def nearby(slot: Slot, timetable: Timetable, words: Words) -> Iterator[Sentence]:
    """Yield a sentence for the holiday the day is, and for each closure of the site close to it."""
    site = timetable.sites[slot.site_id]
    for found in holidays.nearby(hours.day_of(slot.starts_at, site.zone), site.closures):
        text = wording.nearby(found, site=words.sites[slot.site_id].name, locale=words.locale)
        yield Sentence(code="holiday", severity=Severity.INFO.value, text=text)
