"""Whether the distances between sessions let a session be on a day: the mask form of ``rules.DISTANCES``.

Usually the floor alone forbids, and the search keeps to it by itself. What is asked here is the rest: rules
of a gap that the clinic has made graver, records that take effect on a later day, sessions of the patient's
other courses, and sessions of this course that already stand where they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from planner.scheduling import distances, gaps, hours, index
from planner.scheduling.distances import Rows, Window
from planner.scheduling.gaps import Spacing, State
from planner.scheduling.rules.case import Case
from planner.scheduling.task import Task
from planner.scheduling.timetable import PastSession, SessionOrder, Severity, Slot

BELOW_TARGET, BELOW_FLOOR = 1, 2
_EARLY = {State.BELOW_TARGET: BELOW_TARGET, State.BELOW_FLOOR: BELOW_FLOOR}
RECORDS = ("gap.new_zones", "course.gap_mode", "gap.below_target", "gap.above_soft_max")


class Permits:
    """What the distances of one task allow."""

    def __init__(
        self,
        asked: Task,
        sessions: Sequence[SessionOrder],
        rows: Sequence[Rows],
        past: tuple[PastSession, ...],
        spacing: Spacing,
    ) -> None:
        self._task, self._sessions, self._rows = asked, sessions, rows
        self._presence = index.of(asked.timetable).presence
        self._past = self._everything_past(past)
        records = self._presence.rule_records
        self.is_usual = len(self._past) == len(past) and not any(
            records.get(code) for code in RECORDS
        )
        self._ends = sorted({row.on.toordinal() for row in self._past})
        self._ruled: dict[tuple[int, int], tuple[Rows, ...]] = {}
        self._early: tuple[int | None, ...] = (None,) * len(sessions)
        if any(row.fixed is not None for row in sessions):
            self._ruler = gaps.Ruler(asked.order, self._past, spacing)
            self._standing = self._days_as_they_stand()
            self._early = tuple(
                None if row.fixed is None else self._earliness(row, self._standing)
                for row in sessions
            )

    def barred(self, position: int, days: Sequence[int], site_ids: Iterable[int]) -> Iterator[int]:
        """Yield those of the sites at which the distances forbid the last of the days."""
        if not self.is_usual:
            yield from (its for its in site_ids if not self._may(position, days, its))

    def keeps_fixed(self, position: int, days: Sequence[int]) -> bool:
        """Whether a session that stands is not brought nearer to one before it than may be offered.

        What it was already, it may stay.
        """
        before = self._early[position]
        if before is None:
            return True
        session = self._sessions[position]
        placed = zip(self._sessions, map(date.fromordinal, days), strict=False)
        known = {**self._standing, **{row.number: day for row, day in placed}}
        early = self._earliness(session, known)
        if early <= before:
            return True
        assert session.fixed is not None  # noqa: S101  only what is fixed was early before
        is_mild = self._is_mild("gap.below_target", known[session.number], session.fixed.site_id)
        return early == BELOW_TARGET and is_mild

    def _may(self, position: int, days: Sequence[int], site_id: int) -> bool:
        day = days[-1]
        on = date.fromordinal(day)
        order = self._task.order
        spacing = self._presence.spacing(
            on=on, site_id=site_id, service_id=order.service_id, protocol_id=order.protocol_id
        )
        window = self._ruled_rows(spacing, day)[position].window(days[:-1])
        if day < window.floor:
            return False
        code = _state(window, day)
        if code and not self._is_mild(code, on, site_id):
            return False
        return self._keeps_others(position, day, spacing)

    def _ruled_rows(self, spacing: Spacing, day: int) -> tuple[Rows, ...]:
        known = bisect_right(self._ends, day)
        key = (id(spacing), known)
        if key not in self._ruled:
            past = [row for row in self._past if row.on.toordinal() <= day]
            self._ruled[key] = distances.rows_of(self._task.order, self._sessions, past, spacing)
        return self._ruled[key]

    def _is_mild(self, code: str, on: date, site_id: int) -> bool:
        order = self._task.order
        severity = self._presence.rule(
            code,
            on=on,
            site_id=site_id,
            service_id=order.service_id,
            protocol_id=order.protocol_id,
        ).severity
        if severity is Severity.DECIDE:
            return code in order.decided
        return severity is not Severity.BLOCK

    def _keeps_others(self, position: int, day: int, spacing: Spacing) -> bool:
        """Whether the sessions of other courses that are planned for later stay far enough."""
        order, zones = self._task.order, self._sessions[position].zones
        for row in self._past:
            ahead = row.on.toordinal() - day
            is_own = row.course_id is not None and row.course_id == order.course_id
            if ahead <= 0 or is_own:
                continue
            gap = order.same_zone_gap if zones & row.zones else spacing.new_zones
            if ahead < gap.floor:
                return False
        return True

    def _everything_past(self, past: tuple[PastSession, ...]) -> tuple[PastSession, ...]:
        """The patient's sessions that took place, and those of other courses that are to."""
        task = self._task
        patient_id, timetable = task.order.patient_id, task.timetable
        if patient_id is None or not index.of(timetable).occupancy.of_patient(patient_id):
            return past
        at = timetable.horizon.starts_at
        nowhere = Slot(
            service_id=task.order.service_id,
            site_id=min(timetable.sites),
            provider_id=0,
            room_id=0,
            starts_at=at,
            ends_at=at,
            room_from=at,
            room_until=at,
            patient_until=at,
            patient_id=patient_id,
        )
        return Case(nowhere, timetable, task.order, task.purpose, task.ignoring).past

    def _earliness(self, session: SessionOrder, days: Mapping[int, date]) -> int:
        """How much too early a session is on its day, given those of the others."""
        measure = self._ruler.measured(session.number, days)
        return _EARLY.get(measure.state, 0) if measure is not None else 0

    def _days_as_they_stand(self) -> dict[int, date]:
        """The days of the sessions that are done or stand, without those that are yet to be placed."""
        rows = self._task.order.sessions
        days = {row.number: row.done_on for row in rows if row.done_on is not None}
        for row in rows:
            if row.fixed is not None and row.number not in days:
                days[row.number] = date.fromordinal(_ordinal(row.fixed, self._task))
        return days


def _state(window: Window, day: int) -> str:
    if window.target is not None and day < window.target:
        return "gap.below_target"
    return "gap.above_soft_max" if window.soft_max is not None and day > window.soft_max else ""


def _ordinal(slot: Slot, task: Task) -> int:
    return hours.day_of(slot.starts_at, task.timetable.sites[slot.site_id].zone).toordinal()
