"""What the page of one appointment shows, as frozen values; everything ready to print."""

from __future__ import annotations

from dataclasses import dataclass

from planner.queries.course_view import Choice, Sentence
from planner.queries.day_view import Chip, GapView
from planner.queries.health_notes import HealthNotes
from planner.queries.slot_view import Effect, Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """A decision that was given for this appointment or its course."""

    title: str
    reason: str
    provider_name: str
    when_label: str
    is_waiting: bool  # taken down by phone, not yet signed


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """What happened to the appointment."""

    text: str
    when_label: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What became of the health question; the answer itself only where a provider reads the page."""

    state: str  # "" | complete | review
    is_reviewed: bool
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What the form for completing starts with, or what was recorded."""

    starts: str  # HH:MM
    ends: str
    zones: tuple[Choice, ...]
    zones_label: str
    minutes_label: str
    injections_label: str
    volume_label: str
    dose: str  # what is to be said of the volume, "" for nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDue:
    """The review that is due between this session and the next; ``booked_key`` once it has a date."""

    from_label: str
    best_label: str
    until_label: str
    from_date: str  # ISO
    service_id: int
    booked_key: str
    booked_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentPage:
    """Everything about one appointment."""

    key: str
    version: int
    patient: Patient
    patient_note: str
    status: str  # the stored one
    shown_status: str  # or confirmed, or late
    status_note: str
    verbs: tuple[
        str, ...
    ]  # possible now for whoever asks; a start also when something is missing for it
    waits_for_provider: bool  # it could be started or completed, by somebody else
    may_confirm: bool
    may_move: bool
    may_swap: bool
    service_name: str
    service_kind: str
    service_colour: str
    site: Chip
    provider: Chip
    room_name: str
    date_label: str
    time_label: str
    end_label: str
    minutes_label: str
    zone_label: str
    day: str  # ISO, of the site
    zone: str
    site_id: int
    course_key: str
    course_label: str  # "session 2 of 3"
    package: str
    gap: GapView | None
    effects: tuple[Effect, ...]  # of ending it
    expires_label: str
    expires_iso: str
    call_back_note: str
    note: str
    confirmed_label: str
    is_confirmed_by_patient: bool
    arrived_label: str
    has_stockings: bool | None
    health: Health
    health_notes: HealthNotes
    treatment: Treatment
    ended_by: str
    ended_label: str
    ended_reason: str
    missing: tuple[Sentence, ...]  # what stands against starting
    to_book: tuple[Sentence, ...]  # what stands against making a hold or reservation firm
    deciders: tuple[Choice, ...]
    decisions: tuple[DecisionLine, ...]
    log: tuple[LogLine, ...]
    is_provider: bool
    may_record: bool  # the consult, as a provider who may examine here
    review: ReviewDue | None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLine:
    """An open hold or reservation, for the list of those to call back."""

    key: str
    status: str
    patient_key: str
    patient_name: str
    patient_phone: str
    language_label: str
    when_label: str
    until_label: str
    until_iso: str
    call_back_note: str
