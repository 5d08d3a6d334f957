"""How sessions of a course stand to each other where they are placed: measured, judged, changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from planner.scheduling import gaps, hours, index, rules, task, verdicts
from planner.scheduling.gaps import Measure, Spacing, State
from planner.scheduling.timetable import (
    Busy,
    Conflict,
    CourseOrder,
    PastSession,
    SessionOrder,
    Slot,
    Status,
    Timetable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What changing one session does to another: it stays, is now late, or is now too early."""

    number: int
    code: str  # stays | now_late | now_early
    before: Measure | None
    after: Measure | None

    @property
    def is_below_floor(self) -> bool:
        """Whether the change needs a provider's decision for this session."""
        return (
            self.code == "now_early"
            and self.after is not None
            and self.after.state is State.BELOW_FLOOR
        )


def measure(
    order: CourseOrder,
    days: Mapping[int, date],
    *,
    past: Iterable[PastSession] = (),
    spacing: Spacing | None = None,
) -> Mapping[int, Measure]:
    """Return by session number what it is measured by on its day: the strictest row (clinic.md 2).

    A session with nothing before it has no measure. ``spacing`` is what the rule records say (see
    ``spacing``); without it the rules as shipped.
    """
    return gaps.measures(order, days, past=past, spacing=spacing)


def spacing(timetable: Timetable, order: CourseOrder) -> Spacing:
    """Return what the clinic's rule records say of gaps for this course: pass it to ``measure``."""
    return task.spacing_of(timetable, order)


def judge(
    order: CourseOrder,
    placed: Mapping[int, Slot],
    timetable: Timetable,
    *,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
    pinned: frozenset[int] = frozenset(),
) -> Mapping[int, tuple[Conflict, ...]]:
    """Return by session number what stands against its slot, all the others being where they are placed.

    Sessions of the order that are not in ``placed`` count where they are fixed. ``ignoring`` names the
    appointments that the change moves away; an appointment that stays where it is need not be named.
    ``pinned`` are placed to stay: see ``once``.
    """
    kept = staying(order, placed)
    laid_over = overlaid_order(order, placed, kept)
    slots = {number: slot._replace(number=number) for number, slot in placed.items()}
    overlaid = index.overlaid(
        timetable, [_as_busy(order, slot) for slot in slots.values()], without=ignoring
    )
    moved = frozenset(placed) - frozenset(kept)
    return {
        number: once(
            rules.conflicts(
                slot,
                overlaid,
                order=laid_over,
                purpose=purpose,
                ignoring=ignoring | {-number} | ({kept[number]} if number in kept else set()),
            ),
            moved,
            frozenset() if number in pinned else pinned,
        )
        for number, slot in sorted(slots.items())
    }


def effects(
    order: CourseOrder,
    placed_before: Mapping[int, Slot],
    placed_after: Mapping[int, Slot],
    timetable: Timetable,
) -> tuple[Effect, ...]:
    """Return what a change does to each session that it does not itself move, by number.

    A number missing from ``placed_after`` is cancelled. ``now_early``: below its floor, or below a target
    that it met before; ``now_late``: past a soft max that it met before.
    """
    before, after = (
        _measures_of(order, placed, timetable) for placed in (placed_before, placed_after)
    )
    return tuple(
        Effect(
            number=number,
            code=_effect(before.get(number), after.get(number)),
            before=before.get(number),
            after=after.get(number),
        )
        for number in sorted(placed_after)
        if placed_before.get(number) == placed_after[number]
    )


def overlaid_order(
    order: CourseOrder,
    placed: Mapping[int, Slot],
    kept: Mapping[int, int],
    opened: int | None = None,
) -> CourseOrder:
    """Return the order with these sessions fixed where they are placed; ``opened`` is open again."""

    def row_of(row: SessionOrder) -> SessionOrder:
        if row.number == opened and row.done_on is None:
            return replace(row, fixed=None, appointment_id=None)
        if row.number in placed and row.number not in kept and row.done_on is None:
            return replace(row, fixed=placed[row.number], appointment_id=None)
        return row

    return replace(order, sessions=tuple(map(row_of, order.sessions)))


def staying(order: CourseOrder, placed: Mapping[int, Slot]) -> dict[int, int]:
    """The appointments of the order that the placement leaves where they are, by number."""
    return {
        row.number: row.appointment_id
        for row in order.sessions
        if row.appointment_id is not None
        and row.fixed is not None
        and row.number in placed
        and is_same(row.fixed, placed[row.number])
    }


def days(order: CourseOrder, placed: Mapping[int, Slot], timetable: Timetable) -> dict[int, date]:
    """Return the day of every session that is done, placed or fixed."""
    found = {row.number: row.done_on for row in order.sessions if row.done_on is not None}
    for row in order.sessions:
        slot = placed.get(row.number, row.fixed)
        if slot is not None and row.number not in found:
            found[row.number] = hours.day_of(slot.starts_at, timetable.sites[slot.site_id].zone)
    return found


def is_same(one: Slot, other: Slot | None) -> bool:
    """Whether both are the same place, whatever number they serve."""
    return other is not None and one._replace(number=None) == other._replace(number=None)


def once(
    conflicts: tuple[Conflict, ...], moved: frozenset[int], pinned: frozenset[int] = frozenset()
) -> tuple[Conflict, ...]:
    """Leave out of a gap between two sessions that both move what the later one says itself.

    A later one that is ``pinned`` says it, but is not asked whether it may be proposed: what may not be
    offered is said here too.
    """
    return tuple(
        conflict
        for conflict in conflicts
        if not (conflict.params.get("is_next") and conflict.params.get("number") in moved)
        or (conflict.params["number"] in pinned and not verdicts.is_offered(conflict))
    )


def _as_busy(order: CourseOrder, slot: Slot) -> Busy:
    zones = next((row.zones for row in order.sessions if row.number == slot.number), frozenset())
    return Busy(
        appointment_id=-(slot.number or 0),
        status=Status.BOOKED,
        slot=slot,
        course_id=order.course_id,
        zones=zones,
    )


def _measures_of(
    order: CourseOrder, placed: Mapping[int, Slot], timetable: Timetable
) -> Mapping[int, Measure]:
    facts = timetable.patients.get(order.patient_id) if order.patient_id is not None else None
    bare = replace(order, sessions=tuple(replace(row, fixed=None) for row in order.sessions))
    return gaps.measures(
        order,
        days(bare, placed, timetable),
        past=facts.past_sessions if facts else (),
        spacing=spacing(timetable, order),
    )


def _effect(before: Measure | None, after: Measure | None) -> str:
    if after is None:
        return "stays"
    was = before.state if before is not None else State.IN_WINDOW
    if after.state is State.BELOW_FLOOR:
        return "now_early"
    if after.state is State.BELOW_TARGET and was is not State.BELOW_TARGET:
        return "now_early"
    return "now_late" if after.state is State.LATE and was is not State.LATE else "stays"
