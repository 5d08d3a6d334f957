"""The page of one patient, as frozen values; dates, names and sentences are ready to print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from planner.queries.course_view import Named, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One appointment on the page."""

    key: str
    status: str
    when_label: str
    service_name: str
    number: int | None
    total: int | None
    site: Named
    provider: Named
    until_label: str  # of a hold or a reservation
    conflicts: tuple[Sentence, ...]
    is_consult: bool
    is_recorded: bool
    is_due: bool  # a consult of today or before that waits to be recorded
    course_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One session of a course as a dot."""

    status: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseLine:
    """One course on the page."""

    key: str
    status: str
    is_decided: bool
    order_label: str
    dots: tuple[Dot, ...]
    dots_label: str
    package: str
    needs_attention: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DateLine:
    """A flight or another date to avoid."""

    id: int
    kind: str
    label: str
    is_past: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLine:
    """A signed consent."""

    id: int
    kind: str
    text_version: str
    language_label: str
    signed_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPage:
    """Everything on a patient's page. Of the screening only what the desk may know."""

    id: int
    key: str
    version: int
    name: str
    initials: str
    birth_label: str
    age_label: str
    language: str
    language_label: str
    phone_label: str
    phone_link: str
    is_phone_number: bool
    email: str
    contact_by: str
    note: str
    stay_from: date | None
    stay_until: date | None
    stay_label: str
    eligible_label: str
    needs_review: bool
    plain_words_label: str
    link_count: int
    consult_service_id: int | None
    coming: tuple[Visit, ...]
    history: tuple[Visit, ...]
    courses: tuple[CourseLine, ...]
    dates: tuple[DateLine, ...]
    consents: tuple[ConsentLine, ...]
    missing_consents: tuple[str, ...]
    today: date
    may_read_consults: bool
