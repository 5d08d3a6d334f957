"""What is asked of a timetable over and over, worked out once per timetable."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from weakref import WeakKeyDictionary

from planner.scheduling import hours, rulebook
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import LIVE, Busy, RuleSetting, Status, Timetable

PROVISIONAL = frozenset({Status.HELD, Status.RESERVED})


def of(timetable: Timetable) -> Index:
    """Return the index of the timetable, built when first asked for."""
    found = _INDEXES.get(timetable)
    if found is None:
        found = _INDEXES[timetable] = Index(timetable, _Spans(timetable))
    return found


def overlaid(
    timetable: Timetable, added: Iterable[Busy], *, without: frozenset[int] = frozenset()
) -> Timetable:
    """Return the timetable with more appointments, and without those of these ids."""
    kept = tuple(busy for busy in timetable.busy if busy.appointment_id not in without)
    result = replace(timetable, busy=(*kept, *added))
    # Hours do not depend on what is booked: worked out once for the timetable and all laid over it.
    _INDEXES[result] = Index(result, of(timetable).spans)
    return result


class Index:
    """Hours as sorted spans, busy rows by actor and day, rules by code."""

    def __init__(self, timetable: Timetable, spans: _Spans) -> None:
        self.spans = spans
        self._buckets: defaultdict[tuple[str, int, int], list[Busy]] = defaultdict(list)
        self._of_patient: defaultdict[int, list[Busy]] = defaultdict(list)
        for busy in timetable.busy:
            if counts(busy, timetable.now):
                self._add(busy)
        self._rules: defaultdict[str, list[RuleSetting]] = defaultdict(list)
        for rule in timetable.rules:
            self._rules[rule.code].append(rule)

    def busy(
        self, actor: str, actor_id: int, starts_at: datetime, ends_at: datetime
    ) -> Iterator[Busy]:
        """Yield what takes the actor (``provider``, ``room`` or ``patient``) in that time, by its own clock."""
        seen: set[int] = set()
        for day in range(starts_at.toordinal(), ends_at.toordinal() + 1):
            for busy in self._buckets.get((actor, actor_id, day), ()):
                from_, until = clock(actor, busy)
                if from_ < ends_at and starts_at < until and id(busy) not in seen:
                    seen.add(id(busy))
                    yield busy

    def busy_of_patient(self, patient_id: int) -> tuple[Busy, ...]:
        """Return all that is booked for the patient, in whatever course, ordered by start."""
        return tuple(sorted(self._of_patient.get(patient_id, ()), key=_start))

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
        stored = self._rules.get(code)
        if stored is None:
            return rulebook.SHIPPED[code]
        return rulebook.resolve(
            stored, code, on=on, site_id=site_id, service_id=service_id, protocol_id=protocol_id
        )

    def _add(self, busy: Busy) -> None:
        slot = busy.slot
        actors = [("provider", slot.provider_id), ("room", slot.room_id)]
        if slot.patient_id is not None:
            actors.append(("patient", slot.patient_id))
            self._of_patient[slot.patient_id].append(busy)
        for actor, actor_id in actors:
            from_, until = clock(actor, busy)
            for day in range(from_.toordinal(), until.toordinal() + 1):
                self._buckets[actor, actor_id, day].append(busy)


class Spans:
    """Ordered spans that do not touch, and whether a time lies within one of them."""

    def __init__(self, spans: tuple[Interval, ...]) -> None:
        self.spans = spans
        self._starts = [span.starts_at for span in spans]

    def contain(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether one span holds all of the time."""
        position = bisect_right(self._starts, starts_at) - 1
        return position >= 0 and ends_at <= self.spans[position].ends_at

    def around(self, starts_at: datetime, ends_at: datetime) -> Interval | None:
        """Return the span that holds all of the time."""
        position = bisect_right(self._starts, starts_at) - 1
        if position >= 0 and ends_at <= self.spans[position].ends_at:
            return self.spans[position]
        return None

    def within(self, starts_at: datetime, ends_at: datetime) -> Iterator[Interval]:
        """Yield the spans that share an instant with the time."""
        position = max(0, bisect_right(self._starts, starts_at) - 1)
        for span in self.spans[position:]:
            if span.starts_at >= ends_at:
                return
            if span.ends_at > starts_at:
                yield span


def counts(busy: Busy, now: datetime) -> bool:
    """Whether it takes its actors: live, and no hold or reservation that has run out."""
    if busy.status not in LIVE:
        return False
    has_run_out = busy.expires_at is not None and now >= busy.expires_at
    return not (has_run_out and busy.status in PROVISIONAL)


def clock(actor: str, busy: Busy) -> tuple[datetime, datetime]:
    """Return from when until when the appointment takes this kind of actor."""
    slot = busy.slot
    if actor == "provider":
        return slot.starts_at, slot.ends_at
    if actor == "room":
        return slot.room_from, slot.room_until
    return slot.starts_at, slot.patient_until


class _Spans:
    """Hours of sites, providers and rooms: the same for every timetable laid over the first."""

    def __init__(self, timetable: Timetable) -> None:
        # Without its busy rows, so that the first timetable is not kept alive by those laid over it.
        self._timetable = replace(timetable, busy=(), patients={})
        self._found: dict[tuple[str, int, int], Spans] = {}

    def open_at(self, site_id: int) -> Spans:
        return self._get("site", site_id, 0, lambda: hours.open_at_site(self._timetable, site_id))

    def working(self, provider_id: int, site_id: int) -> Spans:
        return self._get(
            "provider",
            provider_id,
            site_id,
            lambda: hours.working(self._timetable, provider_id, site_id),
        )

    def in_service(self, room_id: int) -> Spans:
        return self._get("room", room_id, 0, lambda: hours.in_service(self._timetable, room_id))

    def _get(
        self, kind: str, one: int, other: int, work: Callable[[], tuple[Interval, ...]]
    ) -> Spans:
        key = (kind, one, other)
        if key not in self._found:
            self._found[key] = Spans(work())
        return self._found[key]


def _start(busy: Busy) -> datetime:
    return busy.slot.starts_at


_INDEXES: WeakKeyDictionary[Timetable, Index] = WeakKeyDictionary()
