"""The frozen snapshot the core works on, and the values it is asked about.

Actors and everything else are named by their integer ids; instants are aware and in UTC; days are those of
the site concerned. No names, no mail, no answers about health: of a screening only its consequences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, NamedTuple

from planner.scheduling.interval import Interval


class Status(StrEnum):
    """The status of an appointment."""

    HELD = "held"
    RESERVED = "reserved"
    BOOKED = "booked"
    ARRIVED = "arrived"
    STARTED = "started"
    FULFILLED = "fulfilled"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    RELEASED = "released"


LIVE = frozenset(
    {Status.HELD, Status.RESERVED, Status.BOOKED, Status.ARRIVED, Status.STARTED, Status.FULFILLED}
)


class Severity(StrEnum):
    """What a rule asks of whoever meets it, from least to most."""

    INFO = "info"
    WARN = "warn"
    DECIDE = "decide"
    BLOCK = "block"


HARD = frozenset({Severity.DECIDE, Severity.BLOCK})
"""Graver than a warning: a provider has to decide, or nothing helps."""


class Kind(StrEnum):
    """What a service is for; decides which rules speak."""

    CONSULT = "consult"
    SESSION = "session"
    REVIEW = "review"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Days between two sessions: not before ``floor``, best at ``target``, late after ``soft_max``."""

    floor: int
    target: int
    soft_max: int

    def __post_init__(self) -> None:
        if not 1 <= self.floor <= self.target <= self.soft_max <= 365:
            raise ValueError(f"a gap needs 1 <= floor <= target <= soft max <= 365: {self}")


class Slot(NamedTuple):
    """Interval and actors that could be booked, with the three clocks; never stored.

    The provider is taken from ``starts_at`` to ``ends_at``, the room from ``room_from`` to ``room_until``
    (preparation and turnover), the patient from ``starts_at`` to ``patient_until`` (the walk).
    """

    service_id: int
    site_id: int
    provider_id: int
    room_id: int
    starts_at: datetime
    ends_at: datetime
    room_from: datetime
    room_until: datetime
    patient_until: datetime
    patient_id: int | None = None
    number: int | None = None  # of the course session it would serve


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """A live appointment as the core sees it."""

    appointment_id: int
    status: Status
    slot: Slot
    expires_at: datetime | None = None  # a hold or reservation past this no longer counts
    course_id: int | None = None
    zones: frozenset[str] = frozenset()  # of the course session it serves, when it serves one


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyHours:
    """One weekly wall-clock range, half open; ``valid_until`` is the last day it holds."""

    weekday: int  # 0 = Monday
    starts: time
    ends: time
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentDays:
    """Days, or the same hours on each of these days, on which somebody or something is not there."""

    from_date: date
    until_date: date  # inclusive
    starts: time | None = None
    ends: time | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """A site: its zone, grid, weekly opening and closures."""

    zone: str
    grid_minutes: int
    hours: tuple[WeeklyHours, ...]
    closures: tuple[AbsentDays, ...] = ()
    retired_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFacts:
    """A room: where it is, what it can host, when it is out of service."""

    site_id: int
    service_ids: frozenset[int]
    outages: tuple[AbsentDays, ...] = ()
    retired_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts:
    """A provider: hours and breaks per site, absences, and the matrix service × site."""

    hours: Mapping[int, tuple[WeeklyHours, ...]]  # by site id
    breaks: Mapping[int, tuple[WeeklyHours, ...]]
    treats: frozenset[tuple[int, int]]  # (service id, site id)
    examines: frozenset[tuple[int, int]]
    absences: tuple[AbsentDays, ...] = ()
    retired_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """A service: its kind and clocks in minutes; ``None`` falls back to the rule records."""

    kind: Kind
    minutes: int
    preparation_minutes: int | None = None
    turnover_minutes: int | None = None
    walk_minutes: int = 0
    retired_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetting:
    """A stored rule record: the narrowest scope, then the latest effective on the date, wins."""

    code: str
    scope: str  # clinic | site | service | protocol
    scope_id: int | None
    value: Any
    severity: Severity
    effective_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A departure: its day, and the wall-clock time when known (else the start of the day)."""

    on: date
    at: time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSession:
    """A session of the patient that took place, in whatever course: its day, end, and zones treated."""

    on: date  # the site's day
    ends_at: datetime  # the actual end where recorded
    zones: frozenset[str]
    course_id: int | None
    number: int | None
    appointment_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultFact:
    """A fulfilled consult: its day and outcome (candidate | not_now | no | refer)."""

    on: date
    outcome: str
    not_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFacts:
    """What of a patient decides when something may be booked."""

    birth_date: date | None = None
    eligible_from: date | None = None  # pregnancy end + 3 calendar months, when that is known
    is_pregnant: bool = False
    flags: frozenset[str] = frozenset()  # rules that a screening answer touched
    is_screened: bool = False
    consults: tuple[ConsultFact, ...] = ()  # latest last
    past_sessions: tuple[PastSession, ...] = ()
    flights: tuple[Flight, ...] = ()
    away: tuple[AbsentDays, ...] = ()  # trips and absences: cannot come
    events: tuple[AbsentDays, ...] = ()  # races, beach days: the 72 h list matters
    stay_from: date | None = None
    stay_until: date | None = None
    consents: frozenset[str] = frozenset()  # kinds signed: "treatment", "photo"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrder:
    """One session of a course as ordered. ``gap`` is measured from the session directly before it."""

    number: int
    minutes: int
    gap: Gap
    zones: frozenset[str] = frozenset()
    is_custom_gap: bool = False  # ordered for this gap alone: the same-zone row does not tighten it
    fixed: Slot | None = None  # already placed (live appointment), or pinned by the desk
    done_on: date | None = None  # fulfilled on that site's day
    done_ends_at: datetime | None = None
    done_at: Slot | None = None  # where it took place: the next one would rather be there too
    appointment_id: int | None = None  # of the live or fulfilled appointment


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseOrder:
    """The provider's order: which sessions, how far apart, in which zones."""

    service_id: int
    sessions: tuple[SessionOrder, ...]  # by number
    same_zone_gap: Gap
    patient_id: int | None = None
    course_id: int | None = None
    protocol_id: int | None = None
    is_decided: bool = True
    decided: frozenset[str] = frozenset()  # rules a provider has decided for the course as a whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timetable:
    """Everything known within a horizon, at one instant. A snapshot: equal only to itself.

    ``known`` is where its index is kept; a timetable made from another begins without.
    """

    horizon: Interval
    now: datetime
    sites: Mapping[int, SiteFacts]
    rooms: Mapping[int, RoomFacts]
    providers: Mapping[int, ProviderFacts]
    services: Mapping[int, ServiceFacts]
    rules: tuple[RuleSetting, ...] = ()
    busy: Sequence[Busy] = ()
    patients: Mapping[int, PatientFacts] = field(default_factory=dict)
    known: list[Any] = field(default_factory=list, init=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """How a rule does not hold: its code, severity, and typed parameters for the sentence."""

    code: str
    severity: Severity
    params: Mapping[str, Any] = field(default_factory=dict)
