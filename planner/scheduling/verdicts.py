"""What the rules about the patient say of the starts of a day, as cells."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from planner.scheduling import cells, hours, index, rules
from planner.scheduling.cells import CELL, Frame
from planner.scheduling.index import Index
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

MOST_HEARD = 64
"""Questions about patients that a timetable remembers what was said of."""
MOST_REMEMBERED = 32
"""What is made of one of them, for so many kinds of wishes."""
T = TypeVar("T")


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


class Question(NamedTuple):
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
    """What some rules say: always; of whole days; and between some starts of others, days as ordinals."""

    __slots__ = ("always", "parts", "split", "whole")

    def __init__(self) -> None:
        self.always: list[_Said] = []
        self.whole: dict[int, list[_Said]] = {}
        self.parts: list[_Part] = []
        self.split: set[int] = set()  # the days within which the parts begin or end

    def add(self, said: _Said, first: datetime, until: datetime, zone: str) -> None:
        """Add what is said between two instants within the horizon."""
        self.parts.append(_Part(first, until, said))
        begins, ends = hours.day_of(first, zone).toordinal(), hours.day_of(until, zone).toordinal()
        self.split.update((begins, ends))
        for day in range(begins + 1, ends):
            self.whole.setdefault(day, []).append(said)


class _Heard:
    """What has been heard of a patient: some rules say the same of every session, or at every site."""

    __slots__ = ("alike", "at_sites", "remembered", "spoken")

    def __init__(self) -> None:
        self.remembered: dict[object, Any] = {}
        self.spoken: dict[object, _Spoken] = {}
        self.alike: dict[object, _AtSite] = {}
        self.at_sites: dict[object, _AtSite] = {}


def _heard(its: Index, question: Question) -> _Heard:
    """What was heard of the patient, whoever asked; it depends on which session is meant as ``spells`` says."""
    order = question.order
    key = (
        *(question.patient_id, question.service_id, question.purpose, question.ignoring),
        order and (order.protocol_id, order.is_decided, order.decided),
    )
    found: _Heard | None = its.heard.get(key)
    if found is None:
        while len(its.heard) >= MOST_HEARD:
            its.heard.pop(next(iter(its.heard)), None)
        found = its.heard[key] = _Heard()
    return found


class Verdicts:
    """The verdicts on one question, day by day and site by site."""

    def __init__(
        self, timetable: Timetable, question: Question, numbered: tuple[object, ...] | None = None
    ) -> None:
        """``numbered`` is what ``spells.of_session`` says of the question, when that is known."""
        self._timetable, self._question = timetable, question
        self._heard = _heard(index.of(timetable), question)
        order, number = question.order, question.number
        if numbered is None and order is not None:
            numbered = spells.of_session(order, number, question.ignoring)
        self._numbered = (number,) if numbered is None else numbered
        self._length = timedelta(minutes=question.minutes)
        self._sites: dict[int, _AtSite] = {}

    def on(self, site_id: int, frame: Frame) -> Verdict:
        """Return the verdict on the starts of the site's day."""
        its, day = self._at(site_id), frame.day.toordinal()
        found = its.verdicts.get(day)
        if found is None:
            found = its.verdicts[day] = self._judged(its, site_id, frame)
        return found

    def told(self, site_ids: Iterable[int]) -> frozenset[int]:
        """Return the days, as ordinals, of which something is said at a site that is not said of all days."""
        return frozenset().union(*(self._at(site_id).warnings for site_id in site_ids))

    def warnings(self, site_ids: Sequence[int]) -> dict[int, tuple[int, ...] | None]:
        """Return by day told the number of warnings at each site, -1 where it is not offered.

        None for a day of which not the same is said from morning to evening.
        """
        all_its = [self._at(site_id) for site_id in site_ids]
        found: dict[int, tuple[int, ...] | None] = {}
        if len(set(map(id, all_its))) == 1:
            for day, number in all_its[0].warnings.items():
                found[day] = None if number is None else (number,) * len(all_its)
            return found
        for day in frozenset().union(*(its.warnings for its in all_its)):
            numbers = [its.warnings.get(day, its.usual_warnings) for its in all_its]
            found[day] = None if None in numbers else tuple(numbers)  # type: ignore[arg-type]
        return found

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made before by who asked the same, under a key of its own, or make it."""
        remembered = self._heard.remembered
        whole_key = (key, self._question.minutes, self._question.with_distances, self._numbered)
        found: T | None = remembered.get(whole_key)
        if found is None:
            found = make()
            # Where the days are asked of one by one, it is of this order alone.
            if not any(its.of_days for its in self._sites.values()):
                while len(remembered) >= MOST_REMEMBERED:
                    remembered.pop(next(iter(remembered)), None)
                remembered[whole_key] = found
        return found

    def is_silent(self, site_id: int, frame: Frame, cell: int, day: int) -> bool:
        """Whether nothing is said of the start; ``day`` is that of the frame, as an ordinal."""
        its = self._sites.get(site_id) or self._at(site_id)
        if not its.of_days and day not in its.warnings:
            return not its.always
        return bool(self.on(site_id, frame).silent >> cell & 1)

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
        for part in its.parts:
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
        heard, question = self._heard, self._question
        key = (site_id, question.minutes, question.with_distances, *self._numbered)
        found = heard.at_sites.get(key)
        if found is None:
            found = self._found(site_id)
            # Where the days are asked of one by one, it is of this order alone.
            if not found.of_days:
                heard.at_sites[key] = found
        return found

    def _found(self, site_id: int) -> _AtSite:
        """Ask every rule for its spells, unless it has said the same already."""
        question, horizon, heard = self._question, self._timetable.horizon, self._heard
        zone = self._timetable.sites[site_id].zone
        case = self._case(site_id, horizon.starts_at)
        asked = rules.asked_of_patient(case)
        # Rules have a site of their own where the clinic has made records for one.
        place = site_id if case.index.presence.has_site_rules else zone
        scenes: list[_While] = []
        speaking = []
        for its_rules, key in (
            (asked.of_patients, ("patients", place, question.minutes)),
            (asked.of_sites, ("sites", site_id, question.minutes)),
            (asked.of_numbers, ("numbers", place, question.minutes, *self._numbered)),
        ):
            if its_rules:
                spoken = heard.spoken.get(key)
                if spoken is None:
                    scenes = scenes or list(self._scenes(case, zone))
                    spoken = heard.spoken[key] = self._spoken(its_rules, scenes, zone)
                if spoken.always or spoken.parts:
                    speaking.append(spoken)
        of_days = asked.of_distances if question.with_distances else asked.of_days
        alike = (zone, question.minutes, *map(id, speaking))
        found = None if of_days else heard.alike.get(alike)
        if found is None:
            found = _AtSite(
                speaking,
                of_days,
                hours.day_of(horizon.starts_at, zone).toordinal(),
                hours.day_of(horizon.ends_at - self._length, zone).toordinal(),
            )
            if not of_days:
                heard.alike[alike] = found
        return found

    def _spoken(self, asked: tuple[Rule, ...], scenes: Iterable[_While], zone: str) -> _Spoken:
        horizon, order = self._timetable.horizon, self._question.order
        found = _Spoken()
        for first, until, scene in scenes:
            for rule in asked:
                for code, from_on, up_to in spells.of(rule, scene):
                    begins, ends = max(first, from_on), min(until, up_to)
                    if begins >= horizon.ends_at or ends <= horizon.starts_at:
                        continue
                    said = _Said(code, scene.rule(code).severity)
                    if order is not None and rules.is_settled(said, order):
                        continue
                    begins, ends = max(begins, horizon.starts_at), min(ends, horizon.ends_at)
                    if begins == horizon.starts_at and ends == horizon.ends_at:
                        found.always.append(said)
                    elif begins < ends:
                        found.add(said, begins, ends, zone)
        return found

    def _scenes(self, case: Case, zone: str) -> Iterator[_While]:
        """Yield the times in which the same records of the rules hold, with all that spells depend on."""
        question, horizon = self._question, self._timetable.horizon
        first_day = hours.day_of(horizon.starts_at, zone)
        last_day = hours.day_of(horizon.ends_at, zone)
        days = [day for day in case.index.presence.effective if first_day < day <= last_day]
        begins = [BEGINNING, *(hours.moment(day, time(), zone) for day in days)]
        for first, until, on in zip(begins, (*begins[1:], END), (first_day, *days), strict=True):
            yield _While(
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


class _While(NamedTuple):
    """All that spells depend on, from an instant up to, not including, another."""

    first: datetime
    until: datetime
    scene: Scene


class _AtSite:
    """What is said of the starts at a site; ``first`` and ``last`` are the days at the horizon's ends.

    ``warnings`` has their number by day told, None for a day that is not the same from morning to evening.
    """

    def __init__(
        self, spoken: list[_Spoken], of_days: tuple[Rule, ...], first: int, last: int
    ) -> None:
        self.spoken = spoken  # held, so that nothing else can come to have their ids
        self.always = [said for one in spoken for said in one.always]
        self.parts = [part for one in spoken for part in one.parts]
        self.of_days = of_days
        self.usual_warnings = _warnings(frozenset(self.always))
        self.warnings: dict[int, int | None] = {}
        for one in spoken:
            for day in one.whole:
                if day not in self.warnings:
                    said = (said for other in spoken for said in other.whole.get(day, ()))
                    self.warnings[day] = _warnings(frozenset((*self.always, *said)))
        for day in {first, last}.union(*(one.split for one in spoken)):
            self.warnings[day] = None
        self.verdicts: dict[int, Verdict] = {}


@lru_cache(maxsize=1024)
def _warnings(said: frozenset[_Said]) -> int:
    """The number of warnings among what is said, -1 when it is not offered."""
    if not all(_is_offered(*one) for one in said):
        return -1
    return sum(_is_costed(*one) for one in said)


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
