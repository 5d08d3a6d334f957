"""What the rules about the patient say of the starts of a day, as cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from planner.scheduling import cells, hours, rules
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

    def warnings(self, starts: int) -> int | None:
        """Return the number of warnings, -1 for what is not offered; None where the starts differ in that."""
        if not self.offered & starts:
            return -1
        if starts & ~self.offered:
            return None
        for count, warned in self.warned:
            if warned & starts:
                return None if starts & ~warned else count
        return 0


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


class _Said(NamedTuple):
    code: str
    severity: Severity


class _Part(NamedTuple):
    first: datetime
    until: datetime
    said: _Said


class _Spoken:
    """What some rules say: always, between some starts, and which days, as ordinals, that touches."""

    __slots__ = ("always", "days", "sometimes", "verdicts")

    def __init__(self, always: list[_Said], sometimes: list[_Part], days: set[int]) -> None:
        self.always, self.sometimes, self.days = always, sometimes, days
        self.verdicts: dict[int, Verdict] = {}  # on the days of which nobody else says anything


Heard = dict[object, _Spoken]
"""What has been heard of one patient: some rules say the same of every session, or at every site."""


class Verdicts:
    """The verdicts on one question, day by day and site by site."""

    def __init__(
        self, timetable: Timetable, question: Question, heard: Heard | None = None
    ) -> None:
        """``heard`` is shared by questions that differ in the number of the session and in its minutes."""
        self._timetable, self._question = timetable, question
        self._heard = {} if heard is None else heard
        self._length = timedelta(minutes=question.minutes)
        self._sites: dict[int, _AtSite] = {}
        self._days: dict[tuple[int, int], Verdict] = {}

    def on(self, site_id: int, frame: Frame) -> Verdict:
        """Return the verdict on the starts of the site's day."""
        its, day = self._at(site_id), frame.day.toordinal()
        known = its.verdicts_of(day)
        if day not in known:
            known[day] = self._judged(its, site_id, frame)
        return known[day]

    def told(self, site_ids: Iterable[int]) -> frozenset[int]:
        """Return the days, as ordinals, of which something is said at a site that is not said of all days."""
        return frozenset().union(*(self._at(site_id).told for site_id in site_ids))

    def is_usually_clear(self, site_id: int) -> bool:
        """Whether nothing graver than a note is said of any day but those told."""
        its = self._at(site_id)
        return not its.of_days and all(said.severity is Severity.INFO for said in its.always)

    def usual_warnings(self, site_id: int) -> int:
        """Return the number of warnings on any day but those told; -1 when it is not offered."""
        return self._at(site_id).usual_warnings

    def _judged(self, its: _AtSite, site_id: int, frame: Frame) -> Verdict:
        inside = self._inside(frame)
        if not inside:
            return Verdict(0)
        said: dict[_Said, int] = dict.fromkeys(its.always, inside)
        for part in its.sometimes:
            if part.first < frame.ends_at and part.until > frame.starts_at:
                cells_of = frame.from_on(part.first) & ~frame.from_on(part.until) & inside
                if cells_of:
                    said[part.said] = said.get(part.said, 0) | cells_of
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
        """Ask every rule for its spells, unless it has said the same already."""
        question, horizon = self._question, self._timetable.horizon
        zone = self._timetable.sites[site_id].zone
        case = self._case(site_id, horizon.starts_at)
        asked = rules.asked_of_patient(case)
        # Rules have a site of their own where the clinic has made records for one.
        place = site_id if case.index.presence.has_site_rules else zone
        spoken = []
        for its_rules, key in (
            (asked.of_patients, ("patients", place, question.minutes)),
            (asked.of_sites, ("sites", site_id, question.minutes)),
            (asked.of_numbers, ("numbers", place, question.minutes, question.number)),
        ):
            if its_rules:
                if key not in self._heard:
                    self._heard[key] = self._spoken(its_rules, case, zone)
                spoken.append(self._heard[key])
        return _AtSite(
            spoken,
            asked.of_distances if question.with_distances else asked.of_days,
            hours.day_of(horizon.starts_at, zone).toordinal(),
            hours.day_of(horizon.ends_at - self._length, zone).toordinal(),
        )

    def _spoken(self, asked: tuple[Rule, ...], case: Case, zone: str) -> _Spoken:
        horizon = self._timetable.horizon
        order = self._question.order
        always: list[_Said] = []
        sometimes: list[_Part] = []
        days: set[int] = set()
        for first, until, scene in self._scenes(case, zone):
            for rule in asked:
                for spell in spells.of(rule, scene):
                    said = _Said(spell.code, scene.rule(spell.code).severity)
                    if order is not None and rules.is_settled(said, order):
                        continue
                    begins, ends = max(first, spell.first), min(until, spell.until)
                    if begins <= horizon.starts_at and ends >= horizon.ends_at:
                        always.append(said)
                    elif max(begins, horizon.starts_at) < min(ends, horizon.ends_at):
                        sometimes.append(_Part(begins, ends, said))
                        from_day = hours.day_of(max(begins, horizon.starts_at), zone)
                        until_day = hours.day_of(min(ends, horizon.ends_at), zone)
                        days.update(range(from_day.toordinal(), until_day.toordinal() + 1))
        return _Spoken(always, sometimes, days)

    def _scenes(self, case: Case, zone: str) -> Iterator[tuple[datetime, datetime, Scene]]:
        """Yield the times in which the same records of the rules hold, with all that spells depend on."""
        question, horizon = self._question, self._timetable.horizon
        first_day = hours.day_of(horizon.starts_at, zone)
        last_day = hours.day_of(horizon.ends_at, zone)
        days = [day for day in case.index.presence.effective if first_day < day <= last_day]
        begins = [BEGINNING, *(hours.moment(day, time(), zone) for day in days)]
        for first, until, on in zip(begins, (*begins[1:], END), (first_day, *days), strict=True):
            yield (
                first,
                until,
                Scene(
                    timetable=self._timetable,
                    index=case.index,
                    facts=case.patient or PatientFacts(),
                    site_id=case.slot.site_id,
                    zone=zone,
                    service_id=question.service_id,
                    length=self._length,
                    order=question.order,
                    number=question.number,
                    purpose=question.purpose,
                    ignoring=question.ignoring,
                    on=on,
                    booked=self._booked(case),
                ),
            )

    def _booked(self, case: Case) -> tuple[Busy, ...]:
        question = self._question
        if question.patient_id is None:
            return ()
        return tuple(
            busy
            for busy in case.index.busy_of_patient(question.patient_id)
            if busy.appointment_id not in question.ignoring
        )

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


class _AtSite:
    """What is said of the starts at a site; ``first`` and ``last`` are the days at the horizon's ends."""

    def __init__(
        self, spoken: list[_Spoken], of_days: tuple[Rule, ...], first: int, last: int
    ) -> None:
        self.always = [said for one in spoken for said in one.always]
        self.sometimes = [part for one in spoken for part in one.sometimes]
        self.of_days = of_days
        self.told = {first, last}.union(*(one.days for one in spoken))
        self.usual_warnings = _verdict(1, dict.fromkeys(self.always, 1)).warnings(1) or 0
        self._spoken = [one for one in spoken if one.always or one.days]
        self._verdicts: dict[int, Verdict] = {}

    def verdicts_of(self, day: int) -> dict[int, Verdict]:
        """Return where the verdict of a day is kept: with those who alone say something, for all sites."""
        if not self.of_days:
            speaking = [one for one in self._spoken if one.always or day in one.days]
            if len(speaking) == 1:
                return speaking[0].verdicts
        return self._verdicts


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
