"""What the pages that choose a start show: booking, moving, swapping, seeing a walk-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from planner.queries.course_view import Choice, DayStarts, Pick, Sentence
from planner.queries.day_view import Chip, GapView

__all__ = [
    "Asked",
    "Choice",
    "Chosen",
    "Effect",
    "Moving",
    "Patient",
    "Picker",
    "SlotDay",
    "SlotView",
    "Swap",
    "SwapOption",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the form of the picker asks; untrusted. None: any, or as usual."""

    service_id: int | None = None
    site_id: int | None = None
    provider_id: int | None = None
    minutes: int | None = None
    part: str = ""  # "" | morning | afternoon
    from_date: date | None = None
    is_one_day: bool = False  # all starts of from_date alone
    on: date | None = None  # an exact time, typed
    at: time | None = None
    pick: Pick | None = None
    decided: frozenset[str] = frozenset()  # rules a typed decision answers: not asked again
    acknowledged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whom it is for."""

    id: int
    key: str
    name: str
    initials: str
    detail: str
    language: str
    language_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """A free start. ``severity`` says what it asks for: "" | warn | decide."""

    pick: str
    time_label: str
    site: Chip
    provider: Chip
    severity: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDay:
    """The free starts of a day, or the first of them; without any, a day to ask why not."""

    on: date
    label: str
    slots: tuple[SlotView, ...]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the change does to another session of the course: stays | now_late | now_early."""

    number: int
    code: str
    text: str
    before: GapView | None
    after: GapView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The start chosen, read back, with everything that speaks against it."""

    pick: str
    read_back: str
    read_back_locale: str
    date_label: str
    time_label: str
    site: Chip
    provider: Chip
    room_name: str
    zone_label: str
    blocks: tuple[Sentence, ...]
    decisions: tuple[Sentence, ...]
    warnings: tuple[Sentence, ...]
    notes: tuple[Sentence, ...]
    gap: GapView | None = None
    effects: tuple[Effect, ...] = ()

    @property
    def can_be_had(self) -> bool:
        """Whether nothing stands against it that a click or a reason cannot answer."""
        return not self.blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """The appointment that is being moved, and where it is now."""

    key: str
    version: int
    status: str
    service_id: int
    minutes: int
    service_name: str
    number: int | None
    total: int | None
    was_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """A page on which a start is chosen."""

    patient: Patient
    moving: Moving | None
    service_name: str
    services: tuple[Choice, ...]
    sites: tuple[Choice, ...]
    providers: tuple[Choice, ...]
    minutes: tuple[Choice, ...]
    days: tuple[SlotDay, ...]
    day: DayStarts | None  # all starts of the one day that is asked for
    chosen: Chosen | None
    nearest: tuple[SlotView, ...]
    deciders: tuple[Choice, ...]
    purpose: str  # book | reserve
    from_date: date
    until_date: date
    next_from: date
    previous_from: date | None
    range_label: str
    reasons: tuple[str, ...]  # why nothing is offered
    errors: Mapping[str, str]  # message codes of typed fields
    is_one_day: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOption:
    """Another room or provider at the same time."""

    pick: str
    name: str
    detail: str
    chip: Chip | None
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """The rooms and providers that are free at the time an appointment has."""

    patient: Patient
    moving: Moving
    room_name: str
    provider_name: str
    rooms: tuple[SwapOption, ...]
    providers: tuple[SwapOption, ...]
    chosen: Chosen | None
    deciders: tuple[Choice, ...]
