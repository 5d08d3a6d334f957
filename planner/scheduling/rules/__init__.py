"""Every booking rule, written once: search, booking, moving, day pages and audit all ask ``conflicts``."""

from __future__ import annotations

from collections.abc import Iterable

from planner.scheduling.rules import patient, spacing, structure
from planner.scheduling.rules.case import Case, Rule
from planner.scheduling.timetable import Conflict, CourseOrder, Kind, Severity, Slot, Timetable

PLACES: frozenset[Rule] = frozenset(
    {
        structure.starts_on_the_grid,
        structure.lasts_whole_steps,
        structure.site_is_open,
        structure.service_is_offered,
        structure.provider_may,
        structure.provider_is_there,
        structure.provider_is_free,
        structure.provider_can_travel,
        structure.room_is_of_the_site,
        structure.room_can_host,
        structure.room_is_in_service,
        structure.room_is_free,
    }
)
"""What ``supply`` knows in its own form."""

DISTANCES: frozenset[Rule] = frozenset(
    {spacing.numbers_come_in_order, spacing.gap_is_kept, spacing.next_gap_is_kept}
)
"""What depends on the days of the other sessions, and on nothing of the day but its date."""

PURPOSES = frozenset({"book", "reserve", "hold", "here_now", "start", "audit", "audit_provisional"})

RULES: tuple[Rule, ...] = (
    structure.is_known,
    *structure.RULES,
    *patient.ANY_KIND,
    *patient.CONSULT,
    *patient.SESSION,
    *spacing.RULES,
    spacing.review_is_in_window,
    patient.screening_was_done,
    patient.consent_is_signed,
)

_NOT_ASKED: dict[str, frozenset[Rule]] = {
    "here_now": frozenset({structure.lies_in_the_future, structure.starts_on_the_grid}),
    "audit": frozenset({structure.lies_in_the_future, structure.starts_on_the_grid}),
    "audit_provisional": frozenset({structure.lies_in_the_future, structure.starts_on_the_grid}),
}


def conflicts(
    slot: Slot,
    timetable: Timetable,
    *,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> tuple[Conflict, ...]:
    """Return every reason at once why the slot should not be taken, the gravest first.

    ``purpose``: ``book``; ``reserve`` and ``hold`` (provisional: no consult and no decided order due yet);
    ``here_now`` (a walk-in: grid, notice and past are not asked); ``start`` (only what is asked of the
    patient when the session starts, with consent and screening); ``audit`` and ``audit_provisional`` (of
    what is stored). ``ignoring`` names the appointments that this change moves away. A slot without a
    patient is judged by site, provider and room alone.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"no purpose: {purpose}")
    case = Case(slot, timetable, order, purpose, ignoring)
    unknown = tuple(structure.is_known(case))
    if unknown:
        return unknown
    found = [conflict for rule in _asked(case) for conflict in rule(case)]
    if order is not None and order.decided:
        found = [conflict for conflict in found if not _is_settled(conflict, order)]
    return tuple(sorted(found, key=_gravity)) if len(found) > 1 else tuple(found)


def of_patient(
    slot: Slot,
    timetable: Timetable,
    *,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
    with_distances: bool = False,
) -> tuple[Conflict, ...]:
    """Return of ``conflicts`` what does not depend on provider and room, nor, unless asked, on other sessions."""
    case = Case(slot, timetable, order, purpose, ignoring)
    found = [conflict for rule in asked_of_patient(case, with_distances) for conflict in rule(case)]
    if order is not None and order.decided:
        found = [conflict for conflict in found if not _is_settled(conflict, order)]
    return tuple(found)


def of_place(
    slot: Slot,
    timetable: Timetable,
    *,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
) -> tuple[Conflict, ...]:
    """Return the rest of ``conflicts``: what depends on site, provider and room."""
    case = Case(slot, timetable, order, purpose, ignoring)
    unknown = tuple(structure.is_known(case))
    if unknown:
        return unknown
    found = [conflict for rule in _asked(case) if rule in PLACES for conflict in rule(case)]
    if order is not None and order.decided:
        found = [conflict for conflict in found if not _is_settled(conflict, order)]
    return tuple(found)


def asked_of_patient(case: Case, with_distances: bool) -> tuple[Rule, ...]:
    """Return the rules that ``of_patient`` asks."""
    key = (
        case.purpose,
        case.kind,
        case.patient is not None,
        case.order is not None,
        with_distances,
    )
    if key not in _OF_PATIENT:
        left = PLACES if with_distances else PLACES | DISTANCES
        _OF_PATIENT[key] = tuple(rule for rule in _asked(case) if rule not in left)
    return _OF_PATIENT[key]


def standing(
    conflicts: Iterable[Conflict], *, acknowledged: frozenset[str], decided: frozenset[str]
) -> tuple[Conflict, ...]:
    """Return what still stands: what blocks, what nobody has decided, and warnings not clicked through."""
    return tuple(
        conflict
        for conflict in conflicts
        if conflict.severity is Severity.BLOCK
        or (conflict.severity is Severity.DECIDE and conflict.code not in decided)
        or (
            conflict.severity is Severity.WARN
            and conflict.code not in acknowledged
            and conflict.code not in decided
        )
    )


def added(conflicts: Iterable[Conflict], before: Iterable[Conflict]) -> tuple[Conflict, ...]:
    """Return what a change brings: what blocks, and what did not stand against it before.

    The same code with the same parameters was there to be seen when the appointment was made.
    """
    known = tuple(before)
    return tuple(
        conflict
        for conflict in conflicts
        if conflict.severity is Severity.BLOCK or conflict not in known
    )


def worst(conflicts: Iterable[Conflict]) -> Severity:
    """Return the gravest severity, ``info`` when there is nothing."""
    return max(
        (conflict.severity for conflict in conflicts), key=RANK.__getitem__, default=Severity.INFO
    )


RANK = {Severity.INFO: 0, Severity.WARN: 1, Severity.DECIDE: 2, Severity.BLOCK: 3}


def _asked(case: Case) -> tuple[Rule, ...]:
    key = (case.purpose, case.kind, case.patient is not None, case.order is not None)
    if key not in _GROUPS:
        _GROUPS[key] = _group(*key)
    return _GROUPS[key]


def _group(purpose: str, kind: Kind, has_patient: bool, has_order: bool) -> tuple[Rule, ...]:
    if purpose == "start":
        return (*patient.AT_START, *spacing.RULES[3:4]) if kind is Kind.SESSION else ()
    rules: list[Rule] = [*structure.RULES]
    if has_patient:
        rules += patient.ANY_KIND
        rules += {Kind.CONSULT: patient.CONSULT, Kind.SESSION: patient.SESSION}.get(kind, ())
    if kind is Kind.SESSION and (has_patient or has_order):
        rules += spacing.RULES
    if kind is Kind.REVIEW and has_patient:
        rules.append(spacing.review_is_in_window)
    return tuple(rule for rule in rules if rule not in _NOT_ASKED.get(purpose, frozenset()))


def _is_settled(conflict: Conflict, order: CourseOrder) -> bool:
    return conflict.severity is Severity.DECIDE and conflict.code in order.decided


def _gravity(conflict: Conflict) -> int:
    return -RANK[conflict.severity]


_GROUPS: dict[tuple[str, Kind, bool, bool], tuple[Rule, ...]] = {}
_OF_PATIENT: dict[tuple[str, Kind, bool, bool, bool], tuple[Rule, ...]] = {}
