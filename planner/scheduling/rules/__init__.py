"""Every booking rule, written once: search, booking, moving, day pages and audit all ask ``conflicts``."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, Protocol

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

OF_SITES: frozenset[Rule] = frozenset({structure.patient_can_travel})
"""What depends on the site, beside the records that hold there."""

OF_NUMBERS: frozenset[Rule] = frozenset(
    {patient.face_is_decided, patient.consult_still_holds, spacing.session_is_open}
)
"""What depends on which session of the order it is, and not on its minutes."""

OF_DAYS: frozenset[Rule] = frozenset({spacing.review_is_in_window})
"""What depends on nothing of the day but its date, and on no other session of the order."""

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


class About(Enum):
    """Which of the rules are asked, where not all are: those of ``DISTANCES``, or the others."""

    DISTANCES = True
    ALL_BUT_DISTANCES = False


def conflicts(
    slot: Slot,
    timetable: Timetable,
    *,
    order: CourseOrder | None = None,
    purpose: str = "book",
    ignoring: frozenset[int] = frozenset(),
    about: About | None = None,
) -> tuple[Conflict, ...]:
    """Return every reason at once why the slot should not be taken, the gravest first.

    ``purpose``: ``book``; ``reserve`` and ``hold`` (provisional: no consult and no decided order due yet);
    ``here_now`` (a walk-in: grid, notice and past are not asked); ``start`` (only what is asked of the
    patient when the session starts, with consent and screening); ``audit`` and ``audit_provisional`` (of
    what is stored). ``ignoring`` names the appointments that this change moves away. A slot without a
    patient is judged by site, provider and room alone. ``about`` asks some of the rules only; what nothing
    else can be said of has no distances.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"no purpose: {purpose}")
    case = Case(slot, timetable, order, purpose, ignoring)
    unknown = tuple(structure.is_known(case))
    if unknown:
        return unknown if about is not About.DISTANCES else ()
    return gravest_first(_unsettled(case, _asked(case) if about is None else _about(case, about)))


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
    asked = asked_of_patient(case)
    of_days = asked.of_distances if with_distances else asked.of_days
    return _unsettled(case, (*asked.of_patients, *asked.of_sites, *asked.of_numbers, *of_days))


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
    return unknown or _unsettled(case, (rule for rule in _asked(case) if rule in PLACES))


def of_days(case: Case, *, with_distances: bool) -> tuple[Conflict, ...]:
    """Return of ``conflicts`` what depends on nothing of the slot but its day and its site."""
    asked = asked_of_patient(case)
    return _unsettled(case, asked.of_distances if with_distances else asked.of_days)


class Asked(NamedTuple):
    """The rules about a patient, by what of a slot they look at.

    ``of_patients`` look at its time alone, ``of_sites`` at its site too, ``of_numbers`` at the session it is
    for, ``of_days`` at nothing but the day, and ``of_distances`` beside it at other sessions.
    """

    of_patients: tuple[Rule, ...]
    of_sites: tuple[Rule, ...]
    of_numbers: tuple[Rule, ...]
    of_days: tuple[Rule, ...]
    of_distances: tuple[Rule, ...]


def asked_of_patient(case: Case) -> Asked:
    """Return the rules asked of such a slot that depend on neither its provider nor its room."""
    key = (case.purpose, case.kind, case.patient is not None, case.order is not None)
    if key not in _OF_PATIENT:
        left = tuple(rule for rule in _asked(case) if rule not in PLACES)
        _OF_PATIENT[key] = Asked(
            tuple(rule for rule in left if rule not in DISTANCES | OF_DAYS | OF_SITES | OF_NUMBERS),
            tuple(rule for rule in left if rule in OF_SITES),
            tuple(rule for rule in left if rule in OF_NUMBERS),
            tuple(rule for rule in left if rule in OF_DAYS),
            tuple(rule for rule in left if rule in DISTANCES | OF_DAYS),
        )
    return _OF_PATIENT[key]


def _unsettled(case: Case, asked: Iterable[Rule]) -> tuple[Conflict, ...]:
    found = [conflict for rule in asked for conflict in rule(case)]
    order = case.order
    if order is not None and order.decided:
        found = [conflict for conflict in found if not is_settled(conflict, order)]
    return tuple(found)


def gravest_first(conflicts: tuple[Conflict, ...]) -> tuple[Conflict, ...]:
    """Return the conflicts, the gravest first; those equally grave stay as they are."""
    return tuple(sorted(conflicts, key=_gravity)) if len(conflicts) > 1 else conflicts


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


def _about(case: Case, about: About) -> tuple[Rule, ...]:
    key = (about, _asked(case))
    if key not in _ABOUT:
        _ABOUT[key] = tuple(rule for rule in key[1] if (rule in DISTANCES) is about.value)
    return _ABOUT[key]


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


class Said(Protocol):
    """What a rule says: enough to know whether it stands."""

    @property
    def code(self) -> str:
        """What is said."""

    @property
    def severity(self) -> Severity:
        """How grave it is."""


def is_settled(conflict: Said, order: CourseOrder) -> bool:
    """Whether a provider has decided what is asked to be decided."""
    return conflict.severity is Severity.DECIDE and conflict.code in order.decided


def _gravity(conflict: Conflict) -> int:
    return -RANK[conflict.severity]


_GROUPS: dict[tuple[str, Kind, bool, bool], tuple[Rule, ...]] = {}
_OF_PATIENT: dict[tuple[str, Kind, bool, bool], Asked] = {}
_ABOUT: dict[tuple[About, tuple[Rule, ...]], tuple[Rule, ...]] = {}
