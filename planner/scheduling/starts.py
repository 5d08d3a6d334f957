"""The starts a search may use, day by day: found when asked for, confirmed by the rules, remembered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from planner.scheduling import bounds, fitting, hours, index, preferences, rulebook, rules
from planner.scheduling.fitting import Fitting, Wanted
from planner.scheduling.gaps import Spacing
from planner.scheduling.interval import Interval
from planner.scheduling.preferences import Weights, Wishes
from planner.scheduling.timetable import (
    Conflict,
    CourseOrder,
    PastSession,
    PatientFacts,
    SessionOrder,
    Severity,
    Slot,
    Timetable,
)

# Warnings that a search does not walk into: the desk may, by one click.
NEVER_OFFERED = frozenset({"patient.away", "patient.travel_minutes", "notice.minutes"})

# What holds for every start of the day alike: no use in asking for the next one.
_DAY_LONG = ("order.", "consult.", "screening.", "zone.", "gap.")
_DAY_LONG_CODES = frozenset(
    {
        "patient.age",
        "patient.birth_date_missing",
        "patient.paused",
        "patient.eligible_from",
        "slot.unknown",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is searched for."""

    order: CourseOrder
    timetable: Timetable
    wishes: Wishes
    weights: Weights
    purpose: str = "book"
    ignoring: frozenset[int] = frozenset()
    k: int = 1  # how many placements are wanted


class Start(NamedTuple):
    """A start with the points of its weekday and hour."""

    points: int
    starts_at: datetime
    site_id: int
    provider_id: int
    weekday: int
    minute: int  # of the site's day


class Starts:
    """All starts of a task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._site_ids = _kept(task.wishes.site_ids, task.timetable.sites)
        self._fittings: dict[int, Fitting] = {}
        self._found: dict[tuple[int, date], dict[int, tuple[Start, ...]]] = {}
        self._least: dict[tuple[int, date], int] = {}
        self._confirmed: dict[tuple[int, datetime, int, int], tuple[Slot | None, int]] = {}
        self._dead: set[tuple[int, date]] = set()

    def of(self, session: SessionOrder, day: date) -> dict[int, tuple[Start, ...]]:
        """Return by provider the starts of the day, cheapest first; none on a day known to be refused."""
        if (session.number, day) in self._dead:
            return {}
        key = (session.minutes, day)
        if key not in self._found:
            self._found[key] = self._find(session, day)
        return self._found[key]

    def least(self, session: SessionOrder, day: date) -> int:
        """Return the points of the day's cheapest start, bounds.NEVER when there is none."""
        key = (session.minutes, day)
        if key not in self._least:
            starts = self.of(session, day).values()
            self._least[key] = min((row[0].points for row in starts), default=bounds.NEVER)
        return self._least[key]

    def confirmed(self, session: SessionOrder, day: date, start: Start) -> tuple[Slot | None, int]:
        """Return the slot in the tightest room that the rules allow, and its number of warnings."""
        if (session.number, day) in self._dead:
            return None, 0
        key = (session.number, start.starts_at, start.site_id, start.provider_id)
        if key not in self._confirmed:
            self._confirmed[key] = self._judge(session, day, start)
        return self._confirmed[key]

    def _find(self, session: SessionOrder, day: date) -> dict[int, tuple[Start, ...]]:
        task, fit = self._task, self._fitting(session)
        wishes = task.wishes
        found: defaultdict[int, list[Start]] = defaultdict(list)
        if (wishes.not_before or day) <= day <= (wishes.not_after or day):
            for site_id in self._site_ids:
                zone = task.timetable.sites[site_id].zone
                for starts_at, provider_id in fit.starts(site_id, day):
                    local = hours.local(starts_at, zone)
                    points = preferences.start_points(task.weights, wishes, local, session.minutes)
                    found[provider_id].append(
                        Start(
                            points,
                            starts_at,
                            site_id,
                            provider_id,
                            local.weekday(),
                            local.hour * 60 + local.minute,
                        )
                    )
        return {provider_id: tuple(sorted(found[provider_id])) for provider_id in sorted(found)}

    def _judge(self, session: SessionOrder, day: date, start: Start) -> tuple[Slot | None, int]:
        task = self._task
        slots = self._fitting(session).slots(start.site_id, start.starts_at, start.provider_id)
        for unnumbered in slots:
            slot = replace(unnumbered, number=session.number)
            against = rules.conflicts(
                slot, task.timetable, order=task.order, purpose=task.purpose, ignoring=task.ignoring
            )
            hard = [conflict for conflict in against if not is_offered(conflict)]
            if not hard:
                return slot, sum(map(is_costed_warning, against))
            if any(map(_is_day_long, hard)):
                self._dead.add((session.number, day))
                return None, 0
            if not all(conflict.code.startswith("room.") for conflict in hard):
                return None, 0
        return None, 0

    def _fitting(self, session: SessionOrder) -> Fitting:
        if session.minutes not in self._fittings:
            task = self._task
            wanted = Wanted(
                service_id=task.order.service_id,
                minutes=session.minutes,
                within=_from_now(task.timetable),
                site_ids=self._site_ids,
                provider_ids=_kept(task.wishes.provider_ids, task.timetable.providers),
                patient_id=task.order.patient_id,
                ignoring=task.ignoring,
            )
            self._fittings[session.minutes] = fitting.of(task.timetable, wanted)
        return self._fittings[session.minutes]


def is_offered(conflict: Conflict) -> bool:
    """Whether a search may offer what this speaks against: a warning it can cost, or less."""
    return (
        conflict.severity in (Severity.INFO, Severity.WARN) and conflict.code not in NEVER_OFFERED
    )


def is_costed_warning(conflict: Conflict) -> bool:
    """Whether it is a warning that costs points of its own; the gap has its own costs."""
    return conflict.severity is Severity.WARN and not conflict.code.startswith("gap.")


def any_zone(timetable: Timetable) -> str:
    """Return the zone of the first site: in what zone days of a search are counted."""
    return timetable.sites[min(timetable.sites)].zone


def first_day(timetable: Timetable) -> date:
    """Return the first day a search may use."""
    starts_at = max(timetable.now, timetable.horizon.starts_at)
    return hours.day_of(starts_at, any_zone(timetable))


def past_of(task: Task) -> tuple[PastSession, ...]:
    """Return the patient's past sessions, less those that this change moves away."""
    facts = task.timetable.patients.get(task.order.patient_id or 0, PatientFacts())
    return tuple(row for row in facts.past_sessions if row.appointment_id not in task.ignoring)


def spacing_of(timetable: Timetable, order: CourseOrder) -> Spacing:
    """Return what the rules say of gaps today, for this course."""
    resolve = partial(
        index.of(timetable).rule,
        on=hours.day_of(timetable.now, "UTC"),
        service_id=order.service_id,
        protocol_id=order.protocol_id,
    )
    return Spacing(
        new_zones=rulebook.gap(resolve("gap.new_zones").value),
        is_strict=resolve("course.gap_mode").value == "strict",
    )


def _is_day_long(conflict: Conflict) -> bool:
    if conflict.code == "consult.same_day_reservation":
        return False
    return conflict.code.startswith(_DAY_LONG) or conflict.code in _DAY_LONG_CODES


def _kept(wanted: frozenset[int] | None, known: Collection[int]) -> tuple[int, ...]:
    return tuple(sorted(known if wanted is None else set(wanted) & set(known)))


def _from_now(timetable: Timetable) -> Interval:
    starts_at = max(timetable.now, timetable.horizon.starts_at)
    return Interval(starts_at, timetable.horizon.ends_at)
