"""What the rules about the patient say of the starts of a day, as cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from planner.scheduling import cells, hours, index, rules
from planner.scheduling.cells import CELL, Frame
from planner.scheduling.rules import spells
from planner.scheduling.rules.case import Case, Rule
from planner.scheduling.rules.spells import BEGINNING, END, Scene
from planner.scheduling.timetable import (
    Busy,
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
    """The cells of a day that may be offered, those with nothing graver than a note, and those without that.

    ``warned`` holds the number of warnings with the cells that have so many.
    """

    offered: int
    clear: int = 0
    silent: int = 0
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


def is_offered(conflict: Conflict) -> bool:
    """Whether a search may offer what this speaks against: a warning it can cost, or less."""
    return _is_offered(conflict.code, conflict.severity)


def is_costed_warning(conflict: Conflict) -> bool:
    """Whether it is a warning that costs points of its own; the gap has its own costs."""
    return _is_costed(conflict.code, conflict.severity)


class Verdicts:
    """The verdicts on one question, day by day and site by site."""

    def __init__(self, timetable: Timetable, question: Question) -> None:
        self._timetable, self._question = timetable, question
        self._length = timedelta(minutes=question.minutes)
        self._sites: dict[int, _AtSite] = {}
        self._days: dict[tuple[int, date], Verdict] = {}

    def on(self, site_id: int, frame: Frame) -> Verdict:
        """Return the verdict on the starts of the site's day."""
        its = self._at(site_id)
        if its.is_usual(frame.day.toordinal()):
            return its.usual(frame.full)
        key = (site_id, frame.day)
        if key not in self._days:
            self._days[key] = self._judged(its, site_id, frame)
        return self._days[key]

    def is_usual(self, site_id: int, day: int) -> bool:
        """Whether nothing at all is said of the day, given as its ordinal."""
        its = self._at(site_id)
        return not its.always and its.is_usual(day)

    def _judged(self, its: _AtSite, site_id: int, frame: Frame) -> Verdict:
        inside = self._inside(frame)
        if not inside:
            return Verdict(0)
        said: dict[_Said, int] = dict.fromkeys(its.always, inside)
        for spell in its.sometimes:
            if spell.first < frame.ends_at and spell.until > frame.starts_at:
                cells_of = frame.from_on(spell.first) & ~frame.from_on(spell.until) & inside
                if cells_of:
                    said[spell.said] = said.get(spell.said, 0) | cells_of
        if its.of_days:
            case = self._case(site_id, frame.instant(cells.first(inside)))
            for conflict in rules.of_days(case, with_distances=self._question.with_distances):
                said[_Said(conflict.code, conflict.severity)] = inside
        return _verdict(inside, said)

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

    def _at(self, site_id: int) -> _AtSite:
        its = self._sites.get(site_id)
        if its is None:
            its = self._sites[site_id] = self._asked(site_id)
        return its

    def _asked(self, site_id: int) -> _AtSite:
        """Ask every rule for its spells, while the records that hold are the same."""
        horizon = self._timetable.horizon
        zone = self._timetable.sites[site_id].zone
        case = self._case(site_id, horizon.starts_at)
        asked = rules.asked_of_patient(case)
        its = _AtSite(asked.of_distances if self._question.with_distances else asked.of_days)
        booked: Sequence[Busy] = ()
        if self._question.patient_id is not None:
            booked = [
                busy
                for busy in case.index.busy_of_patient(self._question.patient_id)
                if busy.appointment_id not in self._question.ignoring
            ]
        for first, until, on in self._eras(case.index, zone):
            scene = Scene(
                timetable=self._timetable,
                index=case.index,
                facts=case.patient or PatientFacts(),
                patient_id=self._question.patient_id,
                site_id=site_id,
                zone=zone,
                service_id=self._question.service_id,
                length=self._length,
                order=self._question.order,
                number=self._question.number,
                purpose=self._question.purpose,
                ignoring=self._question.ignoring,
                on=on,
                booked=tuple(booked),
            )
            for rule in asked.of_starts:
                for spell in spells.of(rule, scene):
                    self._heard(its, scene, spell, first, until)
        its.first = hours.day_of(horizon.starts_at, zone).toordinal()
        its.last = hours.day_of(horizon.ends_at - self._length, zone).toordinal()
        for part in its.sometimes:
            begins = hours.day_of(max(part.first, horizon.starts_at), zone)
            ends = hours.day_of(min(part.until, horizon.ends_at), zone)
            its.days.update(range(begins.toordinal(), ends.toordinal() + 1))
        return its

    def _heard(
        self, its: _AtSite, scene: Scene, spell: spells.Spell, first: datetime, until: datetime
    ) -> None:
        """Note a spell of an era, as far as the horizon goes."""
        horizon, order = self._timetable.horizon, self._question.order
        said = _Said(spell.code, scene.rule(spell.code).severity)
        if order is not None and said.severity is Severity.DECIDE and said.code in order.decided:
            return
        first, until = max(first, spell.first), min(until, spell.until)
        if first <= horizon.starts_at and until >= horizon.ends_at:
            its.always.append(said)
        elif max(first, horizon.starts_at) < min(until, horizon.ends_at):
            its.sometimes.append(_Spell(first, until, said))

    def _eras(self, its: index.Index, zone: str) -> Iterator[tuple[datetime, datetime, date]]:
        """Yield the times in which no record of a rule takes effect, with a day in each."""
        horizon = self._timetable.horizon
        first_day = hours.day_of(horizon.starts_at, zone)
        last_day = hours.day_of(horizon.ends_at, zone)
        begins = [day for day in its.presence.effective if first_day < day <= last_day]
        first: datetime = BEGINNING
        on = first_day
        for day in begins:
            until = hours.moment(day, time(), zone)
            yield first, until, on
            first, on = until, day
        yield first, END, on

    def _case(self, site_id: int, starts_at: datetime) -> Case:
        """A start, judged for the patient alone: by no provider, in no room."""
        question, timetable = self._question, self._timetable
        ends_at = starts_at + self._length
        walk = timetable.services[question.service_id].walk_minutes
        slot = Slot(
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
        return Case(slot, timetable, question.order, question.purpose, question.ignoring)


class _Said(NamedTuple):
    code: str
    severity: Severity


class _Spell(NamedTuple):
    first: datetime
    until: datetime
    said: _Said


class _AtSite:
    """What is said of the starts at a site: always, sometimes, and by day."""

    def __init__(self, of_days: tuple[Rule, ...]) -> None:
        self.of_days = of_days
        self.always: list[_Said] = []
        self.sometimes: list[_Spell] = []
        self.days: set[int] = set()  # those touched by what is said sometimes
        self.first = self.last = 0  # the days with which the horizon begins and ends
        self._usual: dict[int, Verdict] = {}

    def is_usual(self, day: int) -> bool:
        """Whether nothing is said of the day but what is said always."""
        return self.first < day < self.last and day not in self.days and not self.of_days

    def usual(self, full: int) -> Verdict:
        """Return the verdict on a day of these cells of which nothing is said but what is said always."""
        if full not in self._usual:
            self._usual[full] = _verdict(full, dict.fromkeys(self.always, full))
        return self._usual[full]


def _verdict(inside: int, said: Mapping[_Said, int]) -> Verdict:
    offered = clear = silent = inside
    counts: list[int] = []
    for (code, severity), where in said.items():
        silent &= ~where
        if severity is not Severity.INFO:
            clear &= ~where
        if not _is_offered(code, severity):
            offered &= ~where
        elif _is_costed(code, severity):
            # counts[n] are the cells with more than n warnings.
            for number, more in enumerate(counts):
                counts[number], where = more | where, more & where  # noqa: PLW2901
            if where:
                counts.append(where)
    warned = [
        (number, exactly)
        for number, (cells_of, more) in enumerate(pairwise((*counts, 0)), start=1)
        if (exactly := cells_of & ~more & offered)
    ]
    return Verdict(offered, clear, silent, tuple(warned))


def _is_offered(code: str, severity: Severity) -> bool:
    return severity in (Severity.INFO, Severity.WARN) and code not in NEVER_OFFERED


def _is_costed(code: str, severity: Severity) -> bool:
    return severity is Severity.WARN and not code.startswith("gap.")
