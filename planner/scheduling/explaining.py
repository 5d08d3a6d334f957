"""Why something cannot be had, and what little would have to give for it to be had."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from planner.scheduling import (
    availability,
    cells,
    course,
    hours,
    index,
    obstacles,
    rules,
    verdicts,
)
from planner.scheduling.cells import Frame
from planner.scheduling.course import Proposal
from planner.scheduling.interval import Interval
from planner.scheduling.preferences import Wishes
from planner.scheduling.timetable import (
    Conflict,
    CourseOrder,
    Severity,
    Slot,
    Timetable,
)

ONE_DAY = timedelta(days=1)
NO_ROOM = 0  # where a site has none: the rules say so
_AWAY = frozenset(
    {"provider.not_capable", "provider.retired", "provider.absent", "provider.outside_hours"}
)
_ALONE = frozenset({"slot.unknown", "slot.outside_horizon"})  # nothing else can be said then


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A start that may be offered, and the warnings that come with it."""

    slot: Slot
    warnings: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Starts of one provider, one after the other, that the same reasons keep from being offered.

    ``span`` reaches from the first start to the end of the grid step of the last. With ``is_all_day`` the
    provider is not there at all on that day: it is the whole day, and nothing else is said.
    """

    site_id: int
    provider_id: int
    span: Interval
    slots: tuple[Slot, ...]
    conflicts: tuple[Conflict, ...]
    is_all_day: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What may be offered on a day at a site, and what keeps the rest from being offered.

    ``closed`` says why nothing can be had there all day, whoever would give it: nobody is asked then.
    """

    free: tuple[Start, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    closed: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """What would have to give, and the proposal that could be had then.

    ``code``: ``sites``, ``providers``, ``later`` (``days`` more), ``earlier``, ``wishes`` (all of them),
    ``away`` (a trip), ``decision`` (of a provider, on ``rule``).
    """

    code: str
    proposal: Proposal
    params: Mapping[str, Any]


def day(
    timetable: Timetable,
    on: date,
    *,
    service_id: int,
    site_id: int,
    at: datetime | None = None,
    provider_id: int | None = None,
    minutes: int | None = None,
    patient_id: int | None = None,
    number: int | None = None,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> Day:
    """Return what may be offered on a day at a site, and by provider what keeps the rest from it.

    ``at`` asks about one start of that day, on the grid or not, while the site is open or not, and has every
    reason against it. Without a provider all who may give the service there are looked at. Of the rooms the one
    with the fewest reasons speaks. Raises NoSuchService.
    """
    if service_id not in timetable.services or site_id not in timetable.sites:
        raise availability.NoSuchService(f"service {service_id} at site {site_id}")
    presence = index.of(timetable).presence
    frame = presence.frame(site_id, on)
    if frame is None:
        return Day()
    service = timetable.services[service_id]
    look = _Look(
        timetable,
        _At(service_id, site_id, minutes or service.minutes, patient_id, number),
        order,
        purpose,
        ignoring,
    )
    asked = (
        presence.providers_of(service_id, site_id, service.kind)
        if provider_id is None
        else (provider_id,)
    )
    fitting = _starts(timetable, site_id, frame, look.at.minutes)
    is_given_up = service.retired_from is not None and service.retired_from <= on
    is_open = fitting and presence.open_cells(site_id, frame) and not is_given_up
    starts = [at] if at is not None else fitting or [frame.instant(frame.size // 2)]
    if asked and at is None and not is_open and (closed := look.closed(asked[0], starts)):
        return Day(closed=closed)
    whole = Interval(frame.starts_at, frame.ends_at)
    step = timedelta(minutes=timetable.sites[site_id].grid_minutes)
    free: list[Start] = []
    blocked: list[Blocked] = []
    for provider in asked:
        facts = timetable.providers.get(provider)
        if at is None and facts is not None and not presence.there_cells(provider, site_id, frame):
            usual = hours.weekly(facts.hours.get(site_id, ()), whole, frame.zone)
            away = look.away(provider, starts, usual)
            found = _grouped(away, step)
            blocked += [replace(one, span=whole, is_all_day=True) for one in found]
            continue
        judged = [look.judged(provider, start) for start in starts]
        free += [Start(slot=one.slot, warnings=one.warnings) for one in judged if not one.conflicts]
        blocked += _grouped(judged, step)
    return Day(free=tuple(free), blocked=tuple(blocked))


def relaxations(
    order: CourseOrder,
    timetable: Timetable,
    wishes: Wishes | None = None,
    *,
    objective: str = "order",
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
    most: int = 4,
) -> tuple[Relaxation, ...]:
    """Return what would help when ``course.propose`` finds nothing, each alone enough, the smallest first.

    Wishes first, then a trip of the patient, then a provider's decision. Empty when nothing tried helps.
    """
    wishes = wishes or Wishes()
    asked = _Asked(order, timetable, objective, purpose, ignoring)
    found = []
    for code, params, relaxed in _tries(asked, wishes):
        proposal = relaxed.proposal()
        if proposal is None:
            continue
        more: Mapping[str, Any] = {}
        if code == "later" and wishes.not_after is not None:
            more = {"days": (max(_days(proposal, timetable)) - wishes.not_after).days}
        found.append(Relaxation(code=code, proposal=proposal, params={**params, **more}))
        if len(found) == most:
            break
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    order: CourseOrder
    timetable: Timetable
    objective: str
    purpose: str
    ignoring: frozenset[int]
    wishes: Wishes = Wishes()  # noqa: RUF009  frozen

    def proposal(self) -> Proposal | None:
        found = course.propose(
            self.order,
            self.timetable,
            self.wishes,
            objective=self.objective,
            purpose=self.purpose,
            ignoring=self.ignoring,
        )
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Judged:
    slot: Slot
    conflicts: tuple[Conflict, ...]  # that keep it from being offered
    warnings: tuple[Conflict, ...]


class _At(NamedTuple):
    service_id: int
    site_id: int
    minutes: int
    patient_id: int | None
    number: int | None


class _Look:
    """Judges the starts of a day as ``rules.conflicts`` does, without asking anything twice.

    What speaks of the patient is asked once a start and not of each provider, and a room is looked for once a
    start: which one has the fewest reasons does not depend on who works in it.
    """

    def __init__(
        self,
        timetable: Timetable,
        at: _At,
        order: CourseOrder | None,
        purpose: str,
        ignoring: frozenset[int],
    ) -> None:
        self.at, self._timetable = at, timetable
        self._order, self._purpose, self._ignoring = order, purpose, ignoring
        rooms = index.of(timetable).presence.rooms_of(at.service_id, at.site_id)
        others = (its for its, room in timetable.rooms.items() if room.site_id == at.site_id)
        self._rooms = rooms or (next(others, NO_ROOM),)
        self._of_start: dict[datetime, tuple[int, tuple[Conflict, ...]]] = {}

    def judged(self, provider_id: int, starts_at: datetime) -> _Judged:
        """Judge a start in the room with the fewest reasons, the first of equals."""
        if starts_at not in self._of_start:
            self._of_start[starts_at] = self._judged_for_all(provider_id, starts_at)
        room_id, of_patient = self._of_start[starts_at]
        slot = self._slot(provider_id, room_id, starts_at)
        found = self._of_place(slot)
        if not any(conflict.code in _ALONE for conflict in found):
            found = rules.gravest_first((*found, *of_patient))
        return _Judged(
            slot,
            tuple(one for one in found if not verdicts.is_offered(one)),
            tuple(
                one for one in found if one.severity is Severity.WARN and verdicts.is_offered(one)
            ),
        )

    def closed(self, provider_id: int, starts: Iterable[datetime]) -> tuple[Conflict, ...]:
        """Return each reason once that lies with the site, or the service itself, and with nobody in it."""
        found: list[Conflict] = []
        for at in starts:
            for one in self._of_place(self._slot(provider_id, self._rooms[0], at)):
                is_of_all = one.code.startswith("site.") or one.code == "service.retired"
                if is_of_all and one not in found:
                    found.append(one)
        return tuple(found)

    def away(
        self, provider_id: int, starts: Sequence[datetime], usual: Iterable[Interval]
    ) -> list[_Judged]:
        """Judge the starts of one who is not there at all: why, whatever else would stand against each.

        It is asked about a start at which the provider usually works there; at others that would be the reason.
        """
        spans = list(usual)
        asked = next(
            (at for at in starts if any(span.starts_at <= at < span.ends_at for span in spans)),
            starts[0],
        )
        one = self.judged(provider_id, asked)
        left = tuple(c for c in one.conflicts if c.code in _AWAY) or one.conflicts
        return [_Judged(self._slot(provider_id, one.slot.room_id, at), left, ()) for at in starts]

    def _judged_for_all(
        self, provider_id: int, starts_at: datetime
    ) -> tuple[int, tuple[Conflict, ...]]:
        """Return the room, and what speaks about the patient, whoever works there."""

        def reasons(room_id: int) -> int:
            found = self._of_place(self._slot(provider_id, room_id, starts_at))
            return sum(conflict.code.startswith("room.") for conflict in found)

        room_id = next((its for its in self._rooms if not reasons(its)), None)
        if room_id is None:
            room_id = min(self._rooms, key=reasons)
        of_patient = rules.of_patient(
            self._slot(provider_id, room_id, starts_at),
            self._timetable,
            order=self._order,
            purpose=self._purpose,
            ignoring=self._ignoring,
            with_distances=True,
        )
        return room_id, of_patient

    def _of_place(self, slot: Slot) -> tuple[Conflict, ...]:
        return rules.of_place(
            slot,
            self._timetable,
            order=self._order,
            purpose=self._purpose,
            ignoring=self._ignoring,
        )

    def _slot(self, provider_id: int, room_id: int, starts_at: datetime) -> Slot:
        return availability.slot_at(
            self._timetable,
            service_id=self.at.service_id,
            site_id=self.at.site_id,
            provider_id=provider_id,
            room_id=room_id,
            starts_at=starts_at,
            minutes=self.at.minutes,
            patient_id=self.at.patient_id,
            number=self.at.number,
        )


def _grouped(found: Iterable[_Judged], step: timedelta) -> Iterator[Blocked]:
    """Put starts together that follow each other and have the same reasons."""
    for told, group in groupby(found, key=lambda one: _told(one.conflicts)):
        members = list(group)
        if told:
            first, last = members[0].slot, members[-1].slot
            yield Blocked(
                site_id=first.site_id,
                provider_id=first.provider_id,
                span=Interval(first.starts_at, last.starts_at + step),
                slots=tuple(member.slot for member in members),
                conflicts=members[0].conflicts,
            )


def _tries(asked: _Asked, wishes: Wishes) -> Iterator[tuple[str, Mapping[str, Any], _Asked]]:
    given = [
        (code, relaxed)
        for code, relaxed in (
            ("sites", replace(wishes, site_ids=None)),
            ("providers", replace(wishes, provider_ids=None)),
            ("later", replace(wishes, not_after=None)),
            ("earlier", replace(wishes, not_before=None)),
        )
        if relaxed != wishes
    ]
    for code, relaxed in given:
        yield code, {}, replace(asked, wishes=relaxed)
    if len(given) > 1:
        yield "wishes", {}, replace(asked, wishes=Wishes())
    patient_id = asked.order.patient_id
    facts = asked.timetable.patients.get(patient_id) if patient_id is not None else None
    if patient_id is not None and facts is not None and facts.away:
        without = {**asked.timetable.patients, patient_id: replace(facts, away=())}
        yield (
            "away",
            {"from_date": facts.away[0].from_date, "until_date": facts.away[-1].until_date},
            replace(asked, wishes=wishes, timetable=replace(asked.timetable, patients=without)),
        )
    for conflict in obstacles.of(
        asked.order, asked.timetable, wishes, purpose=asked.purpose, ignoring=asked.ignoring
    ):
        if conflict.severity is Severity.DECIDE and not conflict.code.startswith("gap."):
            decided = asked.order.decided | {conflict.code}
            yield (
                "decision",
                {"rule": conflict.code},
                replace(asked, wishes=wishes, order=replace(asked.order, decided=decided)),
            )


def _starts(timetable: Timetable, site_id: int, frame: Frame, minutes: int) -> list[datetime]:
    """The starts of the grid that end before the site closes by its weekly hours."""
    site = timetable.sites[site_id]
    opening = hours.weekly(site.hours, Interval(frame.starts_at, frame.ends_at), frame.zone)
    fits = cells.runs(frame.inside(opening), cells.spread(minutes))
    grid = cells.grid(frame, site.grid_minutes)
    return [frame.instant(cell) for cell in cells.numbers(fits & grid)]


def _told(conflicts: Collection[Conflict]) -> tuple[tuple[str, str], ...]:
    """What makes reasons the same: rule and what they name, not the minutes counted for one start."""
    return tuple(
        (conflict.code, str(sorted((key, str(value)) for key, value in conflict.params.items())))
        for conflict in conflicts
    )


def _days(proposal: Proposal, timetable: Timetable) -> Iterator[date]:
    for session in proposal.sessions:
        zone = timetable.sites[session.slot.site_id].zone
        yield hours.day_of(session.slot.starts_at, zone)
