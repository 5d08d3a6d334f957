"""What the rules ask of a timetable over and over: hours, what is booked, which record of a rule holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from planner.scheduling import hours, occupancy, presence
from planner.scheduling.occupancy import Overlay, clock, counts
from planner.scheduling.taken import days_of
from planner.scheduling.timetable import Busy, RuleSetting, Timetable

__all__ = ["Index", "clock", "counts", "of", "overlaid"]


def of(timetable: Timetable) -> Index:
    """Return the index of the timetable, built when first asked for."""
    known = timetable.known
    if not known:
        known.append(Index(timetable))
    found: Index = known[0]
    return found


def overlaid(
    timetable: Timetable, added: Iterable[Busy], *, without: frozenset[int] = frozenset()
) -> Timetable:
    """Return the timetable with more appointments, and without those of these ids."""
    return replace(timetable, busy=Overlay(of(timetable).occupancy, added, without))


class Index:
    """Presence by catalogue, occupancy by actor and day; both may be shared with other timetables."""

    def __init__(self, timetable: Timetable) -> None:
        self.presence = presence.of(timetable)
        self.occupancy = occupancy.of(timetable.busy)
        self._sites, self._now = timetable.sites, timetable.now
        self._begins = max(timetable.now, timetable.horizon.starts_at)
        self._first_days: dict[int, date] = {}
        self.today = hours.day_of(timetable.now, "UTC")
        self.heard: dict[Any, Any] = {}  # what the rules say of a patient: see verdicts
        self.bearings: dict[Any, Any] = {}  # what is known of a course: see bearings

    def first_day(self, site_id: int) -> date:
        """Return the site's day on which the horizon, or what is left of it, begins."""
        found = self._first_days.get(site_id)
        if found is None:
            zone = self._sites[site_id].zone
            found = self._first_days[site_id] = hours.day_of(self._begins, zone)
        return found

    def busy(
        self, actor: str, actor_id: int, starts_at: datetime, ends_at: datetime
    ) -> Sequence[Busy]:
        """Return what takes the actor (``provider``, ``room`` or ``patient``) in that time, by its own clock.

        Ordered by start, then by number: the first is what a reason names, in whatever order rows were read.
        """
        near = self._near(actor, actor_id, starts_at, ends_at)
        found = [
            busy
            for busy in near
            if _takes(actor, busy, starts_at, ends_at) and counts(busy, self._now)
        ]
        return sorted(found, key=_in_order) if len(found) > 1 else found

    def busy_of_patient(self, patient_id: int) -> Sequence[Busy]:
        """Return all that is booked for the patient, in whatever course, ordered by start."""
        rows = self.occupancy.of_patient(patient_id)
        return tuple(busy for busy in rows if counts(busy, self._now))

    def rule(
        self,
        code: str,
        *,
        on: date,
        site_id: int | None = None,
        service_id: int | None = None,
        protocol_id: int | None = None,
    ) -> RuleSetting:
        """Return the record that holds, as ``rulebook.resolve`` does."""
        return self.presence.rule(
            code, on=on, site_id=site_id, service_id=service_id, protocol_id=protocol_id
        )

    def _near(
        self, actor: str, actor_id: int, starts_at: datetime, ends_at: datetime
    ) -> Iterable[Busy]:
        if actor == "patient":
            return self.occupancy.of_patient(actor_id)
        of_actor = self.occupancy.of_provider if actor == "provider" else self.occupancy.of_room
        days = days_of(starts_at, ends_at)
        if len(days) == 1:
            return of_actor(actor_id, days[0])
        # What touches two of the days is found on both.
        return {id(busy): busy for day in days for busy in of_actor(actor_id, day)}.values()


def _in_order(busy: Busy) -> tuple[datetime, int]:
    return busy.slot.starts_at, busy.appointment_id


def _takes(actor: str, busy: Busy, starts_at: datetime, ends_at: datetime) -> bool:
    from_, until = clock(actor, busy)
    return from_ < ends_at and starts_at < until
