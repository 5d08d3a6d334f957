"""Independent judges of the core: plain, slow, and written from what is documented, not from how it is done.

``Minutes`` answers availability minute by minute with wall clocks alone, without spans or an index.
``Placements`` tries every way to place a course and adds up its cost by the formula of ``docs/scheduling.md``.
Both leave to ``rules.conflicts`` only what it alone can know.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from planner.scheduling import rulebook, rules
from planner.scheduling.interval import Interval
from planner.scheduling.preferences import OBJECTIVES, Weights, Wishes
from planner.scheduling.timetable import (
    AbsentDays,
    Busy,
    Conflict,
    CourseOrder,
    Gap,
    Kind,
    PastSession,
    PatientFacts,
    SessionOrder,
    Severity,
    Slot,
    Status,
    Timetable,
    WeeklyHours,
)

MINUTE = timedelta(minutes=1)
LIVE = {"held", "reserved", "booked", "arrived", "started", "fulfilled"}
REFUSED = {Severity.DECIDE, Severity.BLOCK}
NEVER_OFFERED = {"patient.away", "patient.travel_minutes", "notice.minutes", "gap.below_floor"}
TOO_NEAR = frozenset({"gap.below_floor"})

Start = tuple[datetime, int, int]  # when, site, provider


class TooMany(Exception):
    """More placements than anybody wants to try."""


class Minutes:
    """What can be told of single minutes, by looking at every fact each time."""

    def __init__(self, timetable: Timetable, ignoring: frozenset[int] = frozenset()) -> None:
        self.timetable = timetable
        self.busy = [
            busy
            for busy in timetable.busy
            if busy.status in LIVE
            and busy.appointment_id not in ignoring
            and not (
                busy.status in ("held", "reserved")
                and busy.expires_at is not None
                and busy.expires_at <= timetable.now
            )
        ]

    def local(self, at: datetime, site_id: int) -> datetime:
        """The instant as the clocks of the site show it."""
        return local(at, self.timetable.sites[site_id].zone)

    def is_open(self, site_id: int, wall: datetime) -> bool:
        """Whether the site is open in the minute that its clocks show."""
        site = self.timetable.sites[site_id]
        return (
            _is_on(site.hours, wall)
            and not _is_absent(site.closures, wall)
            and not _is_past(site.retired_from, wall)
        )

    def is_there(self, provider_id: int, site_id: int, wall: datetime) -> bool:
        provider = self.timetable.providers[provider_id]
        return (
            _is_on(provider.hours.get(site_id, ()), wall)
            and not _is_on(provider.breaks.get(site_id, ()), wall)
            and not _is_absent(provider.absences, wall)
            and not _is_past(provider.retired_from, wall)
        )

    def is_in_service(self, room_id: int, at: datetime) -> bool:
        room = self.timetable.rooms[room_id]
        return not _is_absent(room.outages, self.local(at, room.site_id))

    def has_provider(self, provider_id: int, at: datetime) -> bool:
        """Whether nobody else has the provider in that minute."""
        return not any(
            busy.slot.provider_id == provider_id and busy.slot.starts_at <= at < busy.slot.ends_at
            for busy in self.busy
        )

    def has_room(self, room_id: int, at: datetime) -> bool:
        return not any(
            busy.slot.room_id == room_id and busy.slot.room_from <= at < busy.slot.room_until
            for busy in self.busy
        )

    def has_patient(self, patient_id: int | None, at: datetime) -> bool:
        return patient_id is None or not any(
            busy.slot.patient_id == patient_id
            and busy.slot.starts_at <= at < busy.slot.patient_until
            for busy in self.busy
        )

    def may(self, provider_id: int, service_id: int, site_id: int) -> bool:
        provider, key = self.timetable.providers[provider_id], (service_id, site_id)
        kind = self.timetable.services[service_id].kind
        if kind is Kind.CONSULT:
            return key in provider.examines
        return key in provider.treats or (kind is Kind.REVIEW and key in provider.examines)

    def slot(
        self, service_id: int, start: Start, room_id: int, minutes: int, patient_id: int | None
    ) -> Slot:
        """The slot with its three clocks: the service's own minutes, else those of the clinic's records."""
        starts_at, site_id, provider_id = start
        service, day = self.timetable.services[service_id], self.local(starts_at, site_id).date()

        def clock(own: int | None, code: str) -> timedelta:
            found = rulebook.resolve(
                self.timetable.rules, code, on=day, site_id=site_id, service_id=service_id
            )
            return timedelta(minutes=found.value if own is None else own)

        ends_at = starts_at + timedelta(minutes=minutes)
        return Slot(
            service_id=service_id,
            site_id=site_id,
            provider_id=provider_id,
            room_id=room_id,
            patient_id=patient_id,
            starts_at=starts_at,
            ends_at=ends_at,
            room_from=starts_at - clock(service.preparation_minutes, "room.preparation_minutes"),
            room_until=ends_at + clock(service.turnover_minutes, "room.turnover_minutes"),
            patient_until=ends_at + timedelta(minutes=service.walk_minutes),
        )

    def fits(self, slot: Slot) -> bool:
        """Whether in every minute of the slot all that it takes is there and free."""
        room = self.timetable.rooms[slot.room_id]
        return (
            self.timetable.horizon.starts_at <= slot.starts_at
            and slot.ends_at <= self.timetable.horizon.ends_at
            and room.site_id == slot.site_id
            and slot.service_id in room.service_ids
            and not _is_past(room.retired_from, self.local(slot.starts_at, slot.site_id))
            and self.may(slot.provider_id, slot.service_id, slot.site_id)
            and all(
                self.is_open(slot.site_id, self.local(at, slot.site_id))
                and self.is_there(slot.provider_id, slot.site_id, self.local(at, slot.site_id))
                and self.has_provider(slot.provider_id, at)
                for at in _minutes(slot.starts_at, slot.ends_at)
            )
            and all(
                self.is_in_service(slot.room_id, at) and self.has_room(slot.room_id, at)
                for at in _minutes(slot.room_from, slot.room_until)
            )
            and all(
                self.has_patient(slot.patient_id, at)
                for at in _minutes(slot.starts_at, slot.patient_until)
            )
        )

    def starts(self, within: Interval) -> list[Start]:
        """Return every start on the grid of an open site with every provider who is there in that minute."""
        return sorted(
            (at, site_id, provider_id)
            for site_id in self.timetable.sites
            for at, wall in self._opening(site_id, within)
            for provider_id in self.timetable.providers
            if self.is_there(provider_id, site_id, wall)
        )

    def _opening(self, site_id: int, within: Interval) -> Iterator[tuple[datetime, datetime]]:
        """Yield the times on the site's grid at which it is open, as instants and as its clocks show them."""
        site = self.timetable.sites[site_id]
        day, last = (self.local(at, site_id).date() for at in (within.starts_at, within.ends_at))
        while day <= last:
            for minute in range(0, 24 * 60, site.grid_minutes):
                wall = datetime.combine(day, time(minute // 60, minute % 60))
                if not self.is_open(site_id, wall):
                    continue
                # An hour that comes twice in autumn is two; one that spring leaves out is none.
                both = {
                    wall.replace(tzinfo=ZoneInfo(site.zone), fold=fold).astimezone(UTC)
                    for fold in (0, 1)
                }
                for at in both:
                    is_real = self.local(at, site_id).replace(tzinfo=None) == wall
                    if is_real and within.starts_at <= at < within.ends_at:
                        yield at, wall
            day += timedelta(days=1)

    def tightest_first(self) -> list[int]:
        """The rooms, those that can host the fewest services first."""
        found = self.timetable.rooms
        return sorted(found, key=lambda room_id: (len(found[room_id].service_ids), room_id))


def free_starts(
    timetable: Timetable,
    *,
    service_id: int,
    interval: Interval,
    minutes: int,
    patient_id: int | None = None,
    number: int | None = None,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> dict[Start, set[int]]:
    """Return every free start with all the rooms that could be taken, by looking at every minute."""
    judge = Minutes(timetable, ignoring)
    found: dict[Start, set[int]] = {}
    for start in judge.starts(interval):
        for room_id in timetable.rooms:
            slot = judge.slot(service_id, start, room_id, minutes, patient_id)
            if slot.ends_at > interval.ends_at or not judge.fits(slot):
                continue
            against = rules.conflicts(
                slot._replace(number=number),
                timetable,
                order=order,
                purpose=purpose,
                ignoring=ignoring,
            )
            if all(conflict.severity is Severity.INFO for conflict in against):
                found.setdefault(start, set()).add(room_id)
    return found


@dataclass(frozen=True, kw_only=True)
class Question:
    """What ``course.propose`` is asked."""

    order: CourseOrder
    timetable: Timetable
    wishes: Wishes = field(default_factory=Wishes)
    purpose: str = "book"
    ignoring: frozenset[int] = frozenset()


class Candidate(NamedTuple):
    """A slot that nothing but the other sessions can speak against, and how many warnings it has."""

    slot: Slot
    day: date
    warnings: int


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One complete way to place the open sessions."""

    cost: int
    days: tuple[date, ...]  # of the open sessions, by number
    slots: Mapping[int, Slot]  # with the fixed ones


Placed = Mapping[int, Slot]


class Placements:
    """Every allowed way to place the open sessions of an order, by cost.

    A way is allowed when no open session meets a conflict that is not offered, all the others being where they
    are placed, and no fixed session is brought below a floor that it has kept before.
    """

    def __init__(self, question: Question, *, most: int = 20_000) -> None:
        self.question, self.most = question, most
        order, moved = question.order, question.ignoring
        rows = [_opened(row) if row.appointment_id in moved else row for row in order.sessions]
        self.order = replace(order, sessions=tuple(sorted(rows, key=lambda row: row.number)))
        self.rows = {row.number: row for row in self.order.sessions}
        self.open = tuple(
            n for n, row in self.rows.items() if row.fixed is None and row.done_on is None
        )
        self.done = {n: row.done_on for n, row in self.rows.items() if row.done_on is not None}
        self.fixed = {
            n: row.fixed._replace(number=n)
            for n, row in self.rows.items()
            if row.fixed is not None and row.done_on is None
        }
        self.formula = Formula(self.order, question.timetable, question.wishes, moved)
        self._distances: dict[object, bool] = {}
        self._judged: dict[object, dict[int, tuple[Conflict, ...]]] = {}

    def best(self, weights: Weights, k: int) -> list[Placement]:
        """Return the ``k`` cheapest, each the cheapest on its days; equal costs by the days."""
        return self._cheapest(weights, k, self._all)

    def cheapest_on(self, weights: Weights, days: tuple[date, ...]) -> Placement | None:
        """Return the cheapest on these days."""
        same = [placed for placed in self._all if self.days(placed) == days]
        return next(iter(self._cheapest(weights, 1, same)), None)

    def every(self, weights: Weights) -> list[Placement]:
        """Return all, each of them judged: the oracle of the oracle, for very small worlds alone."""
        lists = [[one.slot for one in self._candidates(n)] for n in self.open]
        ways = [
            {**self.fixed, **dict(zip(self.open, slots, strict=True))}
            for slots in itertools.product(*lists)
        ]
        if len(ways) > self.most:
            raise TooMany
        return sorted(
            (
                Placement(cost=self.cost(weights, placed), days=self.days(placed), slots=placed)
                for placed in ways
                if self.is_allowed(placed)
            ),
            key=lambda placement: placement.cost,
        )

    def days(self, placed: Placed) -> tuple[date, ...]:
        return tuple(self.formula.day(placed[n]) for n in self.open)

    def cost(self, weights: Weights, placed: Placed) -> int:
        """Return the points of a placement by the formula, its warnings as the rules give them."""
        return self.formula.points(weights, placed) + weights.warning * self.warnings(placed)

    def warnings(self, placed: Placed) -> int:
        return sum(count_warnings(against) for against in self.judged(placed).values())

    def is_allowed(self, placed: Placed) -> bool:
        """Whether nothing stands against an open session, and no fixed one is newly below its floor."""
        for number, against in self.judged(placed).items():
            refused = hard(self._own(placed, number, against))
            if number in self.fixed:
                refused = (refused - self._before[number]) & TOO_NEAR
            if refused:
                return False
        return True

    def judged(self, placed: Placed) -> dict[int, tuple[Conflict, ...]]:
        """Return what the rules say of each session, all the others being where they are placed."""
        key = tuple(
            sorted(
                (n, slot.starts_at, slot.site_id, slot.provider_id, slot.room_id)
                for n, slot in placed.items()
            )
        )
        if key not in self._judged:
            self._judged[key] = self._judge(placed)
        return self._judged[key]

    def _judge(self, placed: Placed) -> dict[int, tuple[Conflict, ...]]:
        laid = self._laid_over(placed)
        order = self._order_with(placed)
        return {
            number: rules.conflicts(
                slot._replace(number=number),
                laid,
                order=order,
                purpose=self.question.purpose,
                ignoring=self.question.ignoring | {-number} | _own_appointment(self.rows[number]),
            )
            for number, slot in placed.items()
        }

    @cached_property
    def _before(self) -> dict[int, frozenset[str]]:
        return {n: hard(against) for n, against in self.judged(self.fixed).items()}

    def _own(self, placed: Placed, number: int, against: Iterable[Conflict]) -> Iterator[Conflict]:
        """Leave out of a distance between two open sessions what the later one says itself."""
        for conflict in against:
            later = conflict.params.get("number")
            if not (conflict.params.get("is_next") and later != number and later in self.open):
                yield conflict

    def _cheapest(self, weights: Weights, k: int, ways: Iterable[Placed]) -> list[Placement]:
        """Judge the ways in the order of the least they can cost, until nothing better can follow.

        What is known before judging is that least: others laid beside a session can only add warnings.
        """
        found: dict[tuple[date, ...], Placement] = {}
        least = sorted((self._least(weights, placed), i, placed) for i, placed in enumerate(ways))
        for points, _, placed in least:
            if len(found) >= k and points > sorted(one.cost for one in found.values())[k - 1]:
                break
            days = self.days(placed)
            if days in found and found[days].cost <= points:
                continue
            if self.is_allowed(placed):
                cost = self.cost(weights, placed)
                if days not in found or cost < found[days].cost:
                    found[days] = Placement(cost=cost, days=days, slots=placed)
        return sorted(found.values(), key=lambda one: (one.cost, one.days))[:k]

    def _least(self, weights: Weights, placed: Placed) -> int:
        warnings = sum(self._known_warnings[n, placed[n]] for n in placed)
        return self.formula.points(weights, placed) + weights.warning * warnings

    @cached_property
    def _known_warnings(self) -> dict[tuple[int, Slot], int]:
        fixed = self.judged(self.fixed)
        known = {(n, slot): count_warnings(fixed[n]) for n, slot in self.fixed.items()}
        known |= {(n, one.slot): one.warnings for n in self.open for one in self._candidates(n)}
        return known

    @cached_property
    def _all(self) -> list[Placed]:
        """Every way in which days rise with the numbers and no distance is refused."""
        found: list[Placed] = []
        for placed in self._extended({}, list(self.rows)):
            found.append(placed)
            if len(found) > self.most:
                raise TooMany
        return found

    def _extended(self, placed: dict[int, Slot], numbers: list[int]) -> Iterator[Placed]:
        if not numbers:
            yield placed
            return
        number, rest = numbers[0], numbers[1:]
        if number in self.done:
            yield from self._extended(placed, rest)
        elif number in self.fixed:
            yield from self._extended({**placed, number: self.fixed[number]}, rest)
        else:
            for one in self._candidates(number):
                if self._keeps_distance(placed, number, one):
                    yield from self._extended({**placed, number: one.slot}, rest)

    def _keeps_distance(self, placed: Placed, number: int, one: Candidate) -> bool:
        """Whether the rules let the session be on this day, those before it being where they are.

        Distances are of days, so that all starts of a day at a site are asked about once.
        """
        key = (
            number,
            one.day,
            one.slot.site_id,
            tuple((n, self.formula.day(slot), slot.site_id) for n, slot in placed.items()),
        )
        if key not in self._distances:
            against = rules.conflicts(
                one.slot,
                self._with_fixed,
                order=self._order_with({**self.fixed, **placed}),
                purpose=self.question.purpose,
                ignoring=self.question.ignoring,
            )
            own = self._own(placed, number, against)
            self._distances[key] = not any(
                code.startswith(("gap.", "order.")) for code in hard(own)
            )
        return self._distances[key]

    def _candidates(self, number: int) -> list[Candidate]:
        return self._every_candidate[number]

    @cached_property
    def _every_candidate(self) -> dict[int, list[Candidate]]:
        return {number: list(self._find(self.rows[number])) for number in self.open}

    def _find(self, row: SessionOrder) -> Iterator[Candidate]:
        """Yield what nothing but a distance speaks against while only the fixed sessions are placed.

        What is refused while less is booked is refused when more is.
        """
        timetable, wishes = self.question.timetable, self.question.wishes
        minutes = Minutes(self._with_fixed, self.question.ignoring)
        order = self._order_with(self.fixed)
        for start in self._starts:
            if not _is_wished_for(wishes, start, minutes.local(start[0], start[1]).date()):
                continue
            for room_id in minutes.tightest_first():
                slot = minutes.slot(
                    self.order.service_id, start, room_id, row.minutes, self.order.patient_id
                )
                slot = slot._replace(number=row.number)
                room = timetable.rooms[room_id]
                if room.site_id != slot.site_id or slot.service_id not in room.service_ids:
                    continue
                against = rules.conflicts(
                    slot,
                    self._with_fixed,
                    order=order,
                    purpose=self.question.purpose,
                    ignoring=self.question.ignoring,
                )
                if all(code.startswith(("gap.", "order.sequence")) for code in hard(against)):
                    yield Candidate(slot, self.formula.day(slot), count_warnings(against))
                    break

    @cached_property
    def _starts(self) -> list[Start]:
        timetable = self.question.timetable
        starts_at = max(timetable.now, timetable.horizon.starts_at)
        return Minutes(timetable).starts(Interval(starts_at, timetable.horizon.ends_at))

    @cached_property
    def _with_fixed(self) -> Timetable:
        return self._laid_over(self.fixed)

    def _laid_over(self, placed: Placed) -> Timetable:
        """The timetable with these sessions booked, save those that are in it already."""
        added = [
            Busy(
                appointment_id=-number,
                status=Status.BOOKED,
                slot=slot._replace(number=number),
                course_id=self.order.course_id,
                zones=self.rows[number].zones,
            )
            for number, slot in placed.items()
            if self.rows[number].appointment_id is None
        ]
        timetable = self.question.timetable
        return replace(timetable, busy=(*timetable.busy, *added))

    def _order_with(self, placed: Placed) -> CourseOrder:
        return replace(
            self.order,
            sessions=tuple(
                replace(row, fixed=placed[n]) if n in placed else row
                for n, row in self.rows.items()
            ),
        )


class Formula:
    """The objective of ``docs/scheduling.md``, added up term by term."""

    def __init__(
        self,
        order: CourseOrder,
        timetable: Timetable,
        wishes: Wishes,
        ignoring: frozenset[int] = frozenset(),
    ) -> None:
        self.order, self.timetable, self.wishes = order, timetable, wishes
        self.rows = {row.number: row for row in order.sessions}
        facts = timetable.patients.get(order.patient_id or 0, PatientFacts())
        self.past = [row for row in facts.past_sessions if row.appointment_id not in ignoring]
        self.done = {n: row.done_on for n, row in self.rows.items() if row.done_on is not None}
        self.starts_at = max(timetable.now, timetable.horizon.starts_at)
        self.day_of_search = local(
            self.starts_at, timetable.sites[min(timetable.sites)].zone
        ).date()
        self.window = cache(self._window)
        self.wall = cache(self._wall)

    def points(self, weights: Weights, placed: Placed) -> int:
        """Return what a placement costs, its warnings left out."""
        numbers = sorted(placed)
        days = {n: self.day(placed[n]) for n in numbers}
        is_open = [n for n in numbers if self.rows[n].fixed is None]
        total = weights.elapsed * (max(days.values()) - min(days.values())).days
        if is_open and is_open[0] == numbers[0]:
            first = placed[numbers[0]]
            today = local(self.starts_at, self.timetable.sites[first.site_id].zone).date()
            total += weights.wait * (days[numbers[0]] - today).days
        before: Slot | None = None
        for n in numbers:
            earlier = {**self.done, **days}
            total += self._of_day(weights, n, days[n], tuple(
                (other, day) for other, day in sorted(earlier.items()) if other < n
            ))  # fmt: skip
            total += self.of_start(weights, placed[n])
            total += self._of_change(weights, before, placed[n]) if before else 0
            before = placed[n]
        return total

    def day(self, slot: Slot) -> date:
        return self.wall(slot.starts_at, slot.site_id).date()

    def _wall(self, at: datetime, site_id: int) -> datetime:
        return local(at, self.timetable.sites[site_id].zone)

    def _of_day(
        self, weights: Weights, number: int, day: date, earlier: tuple[tuple[int, date], ...]
    ) -> int:
        target, soft_max = self.window(number, earlier)
        if target is None:
            return 0
        if day < target:
            return weights.early * (target - day).days
        if soft_max is None:
            return 0
        return weights.late * (day - target).days + weights.too_late * max(0, (day - soft_max).days)

    def of_start(self, weights: Weights, slot: Slot) -> int:
        wishes, starts = self.wishes, self.wall(slot.starts_at, slot.site_id)
        total = 0
        if wishes.weekdays and starts.weekday() not in wishes.weekdays:
            total += weights.weekday
        begins = _of_day(starts.time())
        ends = begins + (slot.ends_at - slot.starts_at) // MINUTE
        too_early = max(0, _of_day(wishes.earliest) - begins) if wishes.earliest else 0
        too_late = max(0, ends - _of_day(wishes.latest)) if wishes.latest else 0
        if outside := too_early + too_late:
            total += weights.outside + outside // 15
        return total

    def _of_change(self, weights: Weights, before: Slot, slot: Slot) -> int:
        was, starts = (self.wall(one.starts_at, one.site_id) for one in (before, slot))
        apart = abs(_of_day(was.time()) - _of_day(starts.time()))
        return (
            weights.site * (before.site_id != slot.site_id)
            + weights.provider * (before.provider_id != slot.provider_id)
            + weights.weekday_change * (was.weekday() != starts.weekday())
            + weights.quarters * (apart // 15)
        )

    def _window(
        self, number: int, earlier: tuple[tuple[int, date], ...]
    ) -> tuple[date | None, date | None]:
        """Return target and soft max: the latest day that any of the rows asks for."""
        row, days = self.rows[number], dict(earlier)
        asked: list[tuple[date, Gap, bool]] = []  # since, gap, and whether one can be late by it
        same_zone = self._as_ruled(self.order.same_zone_gap)
        treated = {
            one.number: one.zones
            for one in self.past
            if _is_own(one, self.order) and one.zones and one.number is not None
        }
        zones = treated.get(number) or row.zones
        direct = max(days, default=None)
        for other, day in days.items():
            if other == direct:
                gap = row.gap if row.is_custom_gap else self._as_ruled(row.gap)
                asked.append((day, gap, direct == number - 1))
                if row.is_custom_gap:
                    continue  # ordered for this gap alone
            if zones & (treated.get(other) or self.rows[other].zones):
                asked.append((day, same_zone, direct == number - 1))
        asked += self.elsewhere(zones)
        target = max((since + timedelta(days=gap.target) for since, gap, _ in asked), default=None)
        soft_max = max(
            (since + timedelta(days=gap.soft_max) for since, gap, is_late in asked if is_late),
            default=None,
        )
        return target, soft_max

    def elsewhere(self, zones: frozenset[str]) -> Iterator[tuple[date, Gap, bool]]:
        """Sessions of other courses keep their distance, and make nothing late."""
        others = [
            one for one in self.past if not (_is_own(one, self.order) and one.number in self.rows)
        ]
        if others:
            yield max(one.on for one in others), self._new_zones, False
        for one in others:
            if one.zones & zones:
                yield one.on, self._as_ruled(self.order.same_zone_gap), False

    @cached_property
    def _new_zones(self) -> Gap:
        return self._as_ruled(Gap(**self._rule("gap.new_zones")))

    def _as_ruled(self, gap: Gap) -> Gap:
        if self._rule("course.gap_mode") != "strict":
            return gap
        return Gap(
            floor=max(1, gap.target - 3), target=gap.target, soft_max=min(365, gap.target + 3)
        )

    def _rule(self, code: str) -> Any:
        return rulebook.resolve(
            self.timetable.rules,
            code,
            on=self.timetable.now.astimezone(UTC).date(),
            service_id=self.order.service_id,
            protocol_id=self.order.protocol_id,
        ).value


def weights_of(objective: str) -> Weights:
    """The points of a named objective."""
    return OBJECTIVES[objective]


def local(at: datetime, zone: str) -> datetime:
    """The instant as the clocks of the zone show it."""
    return at.astimezone(ZoneInfo(zone))


def _is_on(rows: Iterable[WeeklyHours], wall: datetime) -> bool:
    return any(
        row.weekday == wall.weekday()
        and (row.valid_from is None or row.valid_from <= wall.date())
        and (row.valid_until is None or wall.date() <= row.valid_until)
        and row.starts <= wall.time() < row.ends
        for row in rows
    )


def _is_absent(rows: Iterable[AbsentDays], wall: datetime) -> bool:
    return any(
        row.from_date <= wall.date() <= row.until_date
        and (row.starts is None or row.ends is None or row.starts <= wall.time() < row.ends)
        for row in rows
    )


def _is_past(retired_from: date | None, wall: datetime) -> bool:
    return retired_from is not None and wall.date() >= retired_from


def _minutes(starts_at: datetime, ends_at: datetime) -> Iterator[datetime]:
    at = starts_at
    while at < ends_at:
        yield at
        at += MINUTE


def _of_day(at: time) -> int:
    return at.hour * 60 + at.minute


def _is_own(one: PastSession, order: CourseOrder) -> bool:
    return one.course_id is not None and one.course_id == order.course_id


def _is_wished_for(wishes: Wishes, start: Start, day: date) -> bool:
    _, site_id, provider_id = start
    return (
        (wishes.site_ids is None or site_id in wishes.site_ids)
        and (wishes.provider_ids is None or provider_id in wishes.provider_ids)
        and (wishes.not_before is None or wishes.not_before <= day)
        and (wishes.not_after is None or day <= wishes.not_after)
    )


def _opened(row: SessionOrder) -> SessionOrder:
    return row if row.done_on is not None else replace(row, fixed=None, appointment_id=None)


def _own_appointment(row: SessionOrder) -> frozenset[int]:
    return frozenset() if row.appointment_id is None else frozenset({row.appointment_id})


def hard(against: Iterable[Conflict]) -> frozenset[str]:
    """The codes of what is not offered: what needs a decision or blocks, and what no search walks into."""
    return frozenset(
        conflict.code
        for conflict in against
        if conflict.severity in REFUSED or conflict.code in NEVER_OFFERED
    )


def count_warnings(against: Iterable[Conflict]) -> int:
    return sum(
        conflict.severity is Severity.WARN and not conflict.code.startswith("gap.")
        for conflict in against
    )
