"""What the rules about the patient say of the starts of a day: asked once from turning point to turning point."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from planner.scheduling import cells, index, rules
from planner.scheduling.cells import CELL, Frame
from planner.scheduling.rules import turning
from planner.scheduling.rules.case import Case
from planner.scheduling.timetable import (
    Conflict,
    CourseOrder,
    PatientFacts,
    Severity,
    Slot,
    Timetable,
)

# Warnings that a search does not walk into: the desk may, by one click.
NEVER_OFFERED = frozenset(
    {"patient.away", "patient.travel_minutes", "notice.minutes", "gap.below_floor"}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The cells of a day that may be offered, and those against which nothing at all speaks.

    ``warned`` holds the number of warnings with the cells that have so many.
    """

    offered: int
    clear: int = 0
    warned: tuple[tuple[int, int], ...] = ()

    def is_free_of_concern(self, starts: int) -> bool:
        """Whether all of the starts may be offered without a warning."""
        return not self.warned and not starts & ~self.offered


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be judged, wherever and whenever it may start."""

    service_id: int
    minutes: int
    patient_id: int | None = None
    number: int | None = None
    order: CourseOrder | None = None
    purpose: str = "book"
    ignoring: frozenset[int] = frozenset()
    with_distances: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    is_offered: bool
    is_clear: bool
    warnings: int


def is_offered(conflict: Conflict) -> bool:
    """Whether a search may offer what this speaks against: a warning it can cost, or less."""
    return (
        conflict.severity in (Severity.INFO, Severity.WARN) and conflict.code not in NEVER_OFFERED
    )


def is_costed_warning(conflict: Conflict) -> bool:
    """Whether it is a warning that costs points of its own; the gap has its own costs."""
    return conflict.severity is Severity.WARN and not conflict.code.startswith("gap.")


class Verdicts:
    """The verdicts on one question, day by day and site by site, each asked once."""

    def __init__(self, timetable: Timetable, question: Question) -> None:
        self._timetable = timetable
        self._question = question
        self._length = timedelta(minutes=question.minutes)
        self._turns: dict[int, tuple[datetime, ...] | None] = {}
        self._asked: dict[tuple[int, object], _Answer] = {}
        self._days: dict[tuple[int, date], Verdict] = {}

    def on(self, site_id: int, frame: Frame) -> Verdict:
        """Return the verdict on the starts of the site's day."""
        key = (site_id, frame.day)
        if key not in self._days:
            self._days[key] = self._judged(site_id, frame)
        return self._days[key]

    def _judged(self, site_id: int, frame: Frame) -> Verdict:
        inside = self._inside(frame)
        if not inside:
            return Verdict(0)
        offered = clear = 0
        warned: dict[int, int] = {}
        for part, its_key in self._parts(site_id, frame):
            left = part & inside
            if not left:
                continue
            key = (site_id, its_key)
            if key not in self._asked:
                self._asked[key] = self._ask(site_id, frame.instant(cells.first(left)))
            answer = self._asked[key]
            if answer.is_clear:
                clear |= left
            if answer.is_offered:
                offered |= left
                if answer.warnings:
                    warned[answer.warnings] = warned.get(answer.warnings, 0) | left
        return Verdict(offered, clear, tuple(sorted(warned.items())))

    def _inside(self, frame: Frame) -> int:
        """The starts of which all lies within the horizon."""
        horizon = self._timetable.horizon
        inside = frame.full
        if horizon.starts_at > frame.starts_at:
            inside = frame.from_on(horizon.starts_at)
        if horizon.ends_at < frame.ends_at + self._length:
            last = (horizon.ends_at - self._length - frame.starts_at) // CELL
            inside &= cells.between(0, max(0, last + 1))
        return inside

    def _parts(self, site_id: int, frame: Frame) -> Iterator[tuple[int, object]]:
        """Yield the day in parts of one verdict each, with what the verdict is remembered by."""
        if site_id not in self._turns:
            self._turns[site_id] = self._turning_points(site_id)
        turns = self._turns[site_id]
        if turns is None:
            for cell in range(frame.size):
                yield 1 << cell, frame.instant(cell)
            return
        position = bisect_right(turns, frame.starts_at)
        begins = 0
        while position < len(turns) and turns[position] < frame.ends_at:
            # The cell of the turning point itself is asked about alone: it may belong to either side.
            turn = (turns[position] - frame.starts_at) // CELL
            if turn > begins:
                yield cells.between(begins, turn), self._piece(position, frame)
            if turn >= begins:
                yield 1 << turn, frame.instant(turn)
                begins = turn + 1
            position += 1
        if begins < frame.size:
            yield cells.between(begins, frame.size), self._piece(position, frame)

    def _piece(self, position: int, frame: Frame) -> object:
        return (position, frame.day) if self._question.with_distances else position

    def _turning_points(self, site_id: int) -> tuple[datetime, ...] | None:
        question, timetable = self._question, self._timetable
        facts = timetable.patients.get(question.patient_id or 0, PatientFacts())
        scene = turning.Scene(
            timetable=timetable,
            index=index.of(timetable),
            patient_id=question.patient_id,
            facts=facts,
            zone=timetable.sites[site_id].zone,
            length=self._length,
            walk=timedelta(minutes=timetable.services[question.service_id].walk_minutes),
        )
        slot = self._slot(site_id, timetable.horizon.starts_at)
        case = Case(slot, timetable, question.order, question.purpose, question.ignoring)
        found = set(turning.of_records(scene))
        for rule in rules.asked_of_patient(case, with_distances=False):
            points = turning.points(rule, scene)
            if points is None:
                return None
            found.update(points)
        return tuple(sorted(found))

    def _ask(self, site_id: int, starts_at: datetime) -> _Answer:
        question = self._question
        found = rules.of_patient(
            self._slot(site_id, starts_at),
            self._timetable,
            order=question.order,
            purpose=question.purpose,
            ignoring=question.ignoring,
            with_distances=question.with_distances,
        )
        return _Answer(
            is_offered=all(map(is_offered, found)),
            is_clear=all(conflict.severity is Severity.INFO for conflict in found),
            warnings=sum(map(is_costed_warning, found)),
        )

    def _slot(self, site_id: int, starts_at: datetime) -> Slot:
        """A start, judged for the patient alone: by no provider, in no room."""
        question, timetable = self._question, self._timetable
        ends_at = starts_at + self._length
        walk = timetable.services[question.service_id].walk_minutes
        return Slot(
            service_id=question.service_id,
            site_id=site_id,
            provider_id=0,
            room_id=0,
            starts_at=starts_at,
            ends_at=ends_at,
            room_from=starts_at,
            room_until=ends_at,
            patient_until=ends_at + timedelta(minutes=walk),
            patient_id=question.patient_id,
            number=question.number,
        )
