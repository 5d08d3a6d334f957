"""What the course screen shows, as frozen values; dates, names and sentences are ready to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from planner.scheduling import course as planning
from planner.scheduling.timetable import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Where somebody wants one session; untrusted until it has been judged."""

    site_id: int
    provider_id: int
    room_id: int
    starts_at: datetime

    @property
    def text(self) -> str:
        """Return the form ``site.provider.room.start`` that a page carries."""
        start = f"{self.starts_at:%Y%m%dT%H%MZ}"
        return f"{self.site_id}.{self.provider_id}.{self.room_id}.{start}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What the form of the course screen asks: wishes, what it holds now, and the one step taken."""

    wishes: planning.Wishes
    objective: str = "order"
    picks: Mapping[int, Pick] = field(default_factory=dict)
    pins: frozenset[int] = frozenset()
    shown: Mapping[int, Pick] = field(default_factory=dict)  # what the page showed before the step
    step: str = ""  # "earlier" | "later" | "set" | "": what happened to the session ``number``
    number: int = 0
    renew: bool = False  # the wishes changed: what is not pinned is proposed anew
    open_number: int = 0  # whose alternatives are listed
    look_at: date | None = None  # the day whose starts are shown; None: the day the session is on
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An option of a select."""

    value: str
    label: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A site or provider as its chip shows it."""

    id: int
    name: str
    colour: str = ""
    initials: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """The gap of one session: what the ruler draws, and the sentence beside it."""

    days: int | None
    floor: int
    target: int
    soft_max: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A reason in words, with its severity and rule code; ``number`` says which session stands where it is said."""

    code: str
    severity: str
    text: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeView:
    """Another legal start for one session; ``detail`` says where, with whom and at what cost."""

    value: str
    time_label: str
    detail: str
    end_label: str  # when the course ends then
    effects: tuple[str, ...] = ()  # what it makes of the other sessions
    remarks: tuple[Sentence, ...] = ()
    checked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    """The gap as ordered, ready to be edited."""

    floor: int
    target: int
    soft_max: int
    is_custom: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeStart:
    """A start that can be had. ``severity`` says what it asks for, unlike others: "" | warn | decide."""

    value: str
    time_label: str
    severity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyedStarts:
    """Starts that follow each other and cannot be had for the same reasons.

    ``times`` are all of them; where they are many the first and the last, and ``is_range`` is set.
    """

    times: tuple[str, ...]
    is_range: bool
    reasons: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsLine:
    """The day of one provider at one site, its starts in the order of the clock.

    ``away`` says why the provider is not there all day; there are no starts then.
    """

    site: Named
    provider: Named
    starts: tuple[FreeStart | GreyedStarts, ...]
    has_free: bool
    away: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStarts:
    """A day that somebody looks at."""

    on: date
    day_label: str
    closed: tuple[Sentence, ...]  # why a site, or the service, is not to be had all day
    always: tuple[Sentence, ...]  # what stands against every start of the day
    warnings: tuple[
        Sentence, ...
    ]  # what comes with all free starts, or with those that have a severity
    lines: tuple[StartsLine, ...]

    @property
    def previous(self) -> date:
        """The day before."""
        return self.on - timedelta(days=1)

    @property
    def next(self) -> date:
        """The day after."""
        return self.on + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One session on the timeline."""

    number: int
    total: int
    status: str  # open | proposed | an appointment's status
    minutes_label: str
    zones_label: str
    ordered_gap: GapView
    date: date | None = None
    date_label: str = ""
    time_label: str = ""
    window_label: str = ""  # of an open session that is not placed
    site: Named | None = None
    provider: Named | None = None
    room_name: str = ""
    gap: Ruler | None = None
    warnings: tuple[Sentence, ...] = ()
    costs: tuple[str, ...] = ()
    was_label: str = ""
    pick: str = ""
    is_pinned: bool = False
    is_fixed: bool = False
    appointment_key: str = ""
    url: str = ""
    alternatives: tuple[AlternativeView, ...] = ()
    day: DayStarts | None = None  # the day that is looked at
    is_open: bool = False

    @property
    def is_moved(self) -> bool:
        """Whether the last step put it elsewhere."""
        return bool(self.was_label)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedDate:
    """One line of a proposal's card."""

    number: int
    date_label: str
    time_label: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """What a proposal costs in days or changes; ``tone`` is '' or 'plus'."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalCard:
    """One way to place all open sessions."""

    value: str  # the objective and every pick: what the button sends back
    name: str
    is_chosen: bool
    end_label: str
    span_label: str
    sessions: tuple[ProposedDate, ...]
    costs: tuple[CostLine, ...]
    remarks: tuple[Sentence, ...]

    @property
    def plan(self) -> str:
        """Return every pick: cards with the same picks are one plan under several names."""
        return self.value.partition("|")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a protocol means for this patient's end date."""

    value: str
    name: str
    quote: str
    checked: bool
    end_label: str
    span_label: str
    sessions_label: str
    warnings: tuple[Sentence, ...]
    days: tuple[date, ...]
    leaves: date | None  # the last day of a seasonal stay
    dots: tuple[
        float, ...
    ] = ()  # the days on a line from 0 to 1, the same for all that are compared
    leaves_at: float | None = None
    dates: tuple[str, ...] = ()  # of the sessions; none where they are targets only


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseHead:
    """Whose course it is, and the provider's order in one line."""

    key: str
    version: int
    status: str
    status_label: str
    status_reason: str
    is_decided: bool
    is_asked: bool
    order_line: str
    order_reason: str
    order_by: str
    protocol_name: str
    package: str
    patient_key: str
    patient_name: str
    patient_birth: str
    patient_phone: str
    language: str
    language_label: str
    read_back_locale: str  # English where there are no texts in the patient's language
    eligible_from: str
    has_candidacy: bool
    candidacy_text: str
    progress_label: str

    @property
    def line(self) -> str:
        """Return birth date, phone and language, as far as they are known."""
        parts = (self.patient_birth, self.patient_phone, self.language_label)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class WishesView:
    """The wishes as the form shows them."""

    sites: tuple[Choice, ...]
    providers: tuple[Choice, ...]
    weekdays: tuple[Choice, ...]
    times: tuple[Choice, ...]
    not_before: str
    not_after: str
    dates: tuple[str, ...]  # flights, trips and the seasonal stay, in words
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What is about to be booked, read back in the patient's language."""

    read_back: tuple[str, ...]
    count: int
    picks: tuple[tuple[int, str], ...]
    warnings: tuple[Sentence, ...]
    decisions: tuple[Sentence, ...]
    blocks: tuple[Sentence, ...]
    held_until: str
    held_until_iso: str
    held_count: int
    call_back_notes: tuple[str, ...]  # of what is held
    reserved_count: int
    reserved_until: str

    @property
    def found(self) -> tuple[Sentence, ...]:
        """Return all that speaks against the plan, gravest first."""
        return (*self.blocks, *self.decisions, *self.warnings)

    @property
    def can_book(self) -> bool:
        """Whether nothing stands against booking that a click or a reason cannot answer."""
        return self.count > 0 and not self.blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What would help where nothing can be placed: a wish to drop, by the code of the relaxation, or else.

    ``picks`` is the plan that could be had then.
    """

    text: str
    code: str
    picks: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePage:
    """The whole course screen."""

    head: CourseHead
    wishes: WishesView
    proposals: tuple[ProposalCard, ...]
    rows: tuple[SessionRow, ...]
    bar: Bar
    deciders: tuple[Choice, ...]  # providers who may examine, for decisions by phone
    end_label: str
    nothing_found: str
    obstacles: tuple[Sentence, ...]  # what speaks about the patient against placing anything
    ways: tuple[Way, ...]  # what little would have to give
    is_proven: bool  # nothing cheaper than the proposals is possible
    objective: str
    comparison: tuple[Outlook, ...]  # each protocol, while the provider has not decided
    has_more: bool
    open_count: int
    conflicts: Mapping[int, tuple[Conflict, ...]] = field(default_factory=dict)
