"""What the day page and My day show. Minutes are those since the site's midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A site or a provider as its chip shows it."""

    name: str
    colour: str
    initials: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of a column in which nothing can be booked: closed | break | absence."""

    start_minute: int
    end_minute: int
    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What an appointment still occupies before or after its card: turnover | walk."""

    kind: str
    start_minute: int
    end_minute: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A small icon with its word, or a short text with its meaning."""

    label: str
    name: str = ""
    text: str = ""
    is_alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    """Days since the session this one is measured against, for the small ruler."""

    days: int | None
    floor: int
    target: int
    soft_max: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One appointment: a card on the board, a line of the agenda."""

    id: int
    key: str
    start_minute: int
    end_minute: int
    start_label: str
    end_label: str
    time_label: str  # of the start, with the half of the day
    minutes_label: str
    state: str  # the stored status
    status: str  # as shown: the stored one, or confirmed, or late
    status_note: str
    version: int
    patient_name: str
    patient_key: str
    service_name: str
    service_colour: str
    service_kind: str
    number: int | None
    total: int | None
    gap: GapView | None
    room_name: str
    provider_name: str
    provider: Chip
    site: Chip | None
    icons: tuple[Sign, ...]
    note: str
    lane: int = 1
    lanes: int = 1
    tails: tuple[Tail, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A provider at a site, or a room."""

    id: str
    name: str
    detail: str
    initials: str
    colour: str
    closed: tuple[Band, ...]
    appointments: tuple[Item, ...]
    free: tuple[()] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """A line of the gutter."""

    minute: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The columns of a day between two full hours."""

    start_minute: int
    end_minute: int
    now_minute: int | None
    now_label: str
    hours: tuple[Hour, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTab:
    """A site to choose, or all of them (id None)."""

    id: int | None
    name: str
    colour: str
    is_chosen: bool
    hours_label: str  # "9:00–18:00", or that it is closed


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """A day at one site, or at all of them."""

    on: date
    title: str
    sites: tuple[SiteTab, ...]
    by: str  # provider | room
    board: Board | None
    items: tuple[Item, ...]  # by time, for the agenda
    legend: tuple[Chip, ...]
    counts: tuple[tuple[str, int], ...]  # (status, how many), in the order of a visit
    is_open: bool
    zone_label: str

    @property
    def previous(self) -> date:
        """The day before."""
        return self.on - ONE_DAY

    @property
    def next(self) -> date:
        """The day after."""
        return self.on + ONE_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class MyDay:
    """A provider's day over all sites."""

    on: date
    title: str
    provider_name: str
    items: tuple[Item, ...]
    hours: tuple[tuple[Chip, str], ...]  # where, and from when to when
    now_minute: int | None
    now_label: str
    to_sign: int

    @property
    def previous(self) -> date:
        """The day before."""
        return self.on - ONE_DAY

    @property
    def next(self) -> date:
        """The day after."""
        return self.on + ONE_DAY
