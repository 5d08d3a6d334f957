"""Seeing a walk-in: who it is, what for, and which rooms and providers are free this minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from planner import wording
from planner.db import engine
from planner.db import patients as patient_rows
from planner.db.models import Patient as PatientRow
from planner.queries import ground as grounds
from planner.queries import slot_view, slots
from planner.queries.course_view import Choice, Pick
from planner.queries.ground import Ground
from planner.queries.slot_view import Asked, Chosen
from planner.scheduling import hours, index, reading
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Slot
from planner.who import Who

LISTED = 8
STEP = 5  # minutes
AHEAD = timedelta(days=1)
REST_OF_DAY = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLine:
    """A patient to choose from."""

    key: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomOption:
    """A room or provider, and until when it is free; empty when it is taken now."""

    value: str
    name: str
    free_label: str
    is_long_enough: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HerePage:
    """The page for a walk-in: first who, then what and where."""

    query: str
    lines: tuple[PatientLine, ...]
    patient: slot_view.Patient | None = None
    services: tuple[Choice, ...] = ()
    service_id: int = 0
    minutes: int = 0
    minutes_label: str = ""
    sites: tuple[Choice, ...] = ()
    site_id: int = 0
    rooms: tuple[RoomOption, ...] = ()
    providers: tuple[RoomOption, ...] = ()
    start_label: str = ""
    chosen: Chosen | None = None
    deciders: tuple[Choice, ...] = ()


def find(query: str, *, locale: str, now: datetime, by: Who) -> HerePage:
    """Return the patients whom a search means; without one those opened lately."""
    with engine.reading() as session:
        rows = (
            patient_rows.search(session, reading.sought(query, today=now.date()), limit=LISTED)
            if query.strip()
            else patient_rows.recent(session, by.user_id or 0, now=now, limit=LISTED)
        )
        return HerePage(query=query, lines=tuple(_line(row, locale) for row in rows))


def page(
    key: str, asked: Asked, *, usual_site: int | None, locale: str, now: datetime, by: Who
) -> HerePage:
    """Return what is free for this patient now. Raises NotFound.

    A pick in ``asked`` is judged; without one the provider who asks is chosen, and the first free
    room.
    """
    with engine.reading() as session:
        ground = grounds.of_patient(
            session, key, Interval(now - AHEAD, now + AHEAD), locale=locale, now=now
        )
        service_id = slots.service_of(ground, asked)
        minutes = slots.minutes_of(ground, asked, service_id)
        site_id = _site(ground, asked, usual_site, by, service_id)
        free = _Free(ground, site_id, service_id, minutes)
        room_id = asked.pick.room_id if asked.pick else free.first_room()
        provider_id = asked.pick.provider_id if asked.pick else free.first_provider(by)
        slot = _slot(ground, free, asked.pick)
        return HerePage(
            query="",
            lines=(),
            patient=grounds.patient_head(ground),
            services=slots.services_of(ground, service_id),
            service_id=service_id,
            minutes=minutes,
            minutes_label=wording.minutes(minutes, locale),
            sites=slots.sites_of(ground, site_id),
            site_id=site_id,
            rooms=free.rooms(room_id),
            providers=free.providers(provider_id),
            start_label=free.label(free.starts_at),
            chosen=slots.chosen(ground, slot, "here_now") if slot else None,
            deciders=grounds.deciders(ground, slot) if slot else (),
        )


def start_of(now: datetime) -> datetime:
    """Return the start of a visit that begins now: down to five minutes, as all times are."""
    return now.replace(minute=now.minute // STEP * STEP, second=0, microsecond=0)


class _Free:
    """What is free from now on at one site."""

    def __init__(self, ground: Ground, site_id: int, service_id: int, minutes: int) -> None:
        self.ground, self.site_id = ground, site_id
        self.service_id, self.minutes = service_id, minutes
        self.starts_at = start_of(ground.now)
        self._index = index.of(ground.timetable)

    def rooms(self, chosen: int | None) -> tuple[RoomOption, ...]:
        """Return the rooms of the site that can host the service, those that are free first."""
        able = [
            its_id
            for its_id, room in self.ground.timetable.rooms.items()
            if room.site_id == self.site_id and self.service_id in room.service_ids
        ]
        return self._options("room", able, self.ground.rooms, chosen)

    def providers(self, chosen: int | None) -> tuple[RoomOption, ...]:
        """Return the providers of the site who give the service, those who are free first."""
        able = [
            its_id
            for its_id, facts in self.ground.timetable.providers.items()
            if (self.service_id, self.site_id) in facts.treats
        ]
        return self._options("provider", able, self.ground.providers, chosen)

    def first_room(self) -> int | None:
        """Return the first room that is free now."""
        return self._first(self.rooms(None))

    def first_provider(self, by: Who) -> int | None:
        """Return whoever asks, when they give the service here, else the first who is free."""
        options = self.providers(None)
        if any(option.value == str(by.provider_id) for option in options):
            return by.provider_id
        return self._first(options)

    def label(self, at: datetime) -> str:
        """Return an instant as the site's clocks show it."""
        zone = self.ground.sites[self.site_id].zone
        return wording.format_time(hours.local(at, zone), self.ground.locale)

    def _first(self, options: tuple[RoomOption, ...]) -> int | None:
        return next((int(option.value) for option in options if option.is_long_enough), None)

    def _options(
        self, actor: str, ids: list[int], rows: Mapping[int, Any], chosen: int | None
    ) -> tuple[RoomOption, ...]:
        found = [
            self._option(actor, its_id, rows[its_id].name, is_chosen=its_id == chosen)
            for its_id in ids
            if rows[its_id].retired_from is None
        ]
        return tuple(sorted(found, key=lambda o: (not o.is_long_enough, not o.free_label)))

    def _option(self, actor: str, actor_id: int, name: str, *, is_chosen: bool) -> RoomOption:
        until = self._free_until(actor, actor_id)
        enough = self.starts_at + timedelta(minutes=self.minutes)
        zone = self.ground.sites[self.site_id].zone
        is_today = until and hours.day_of(until, zone) == hours.day_of(self.starts_at, zone)
        free_label = "" if until is None else self.label(until) if is_today else REST_OF_DAY
        return RoomOption(
            value=str(actor_id),
            name=name,
            free_label=free_label,
            is_long_enough=until is not None and until >= enough,
            is_chosen=is_chosen,
        )

    def _free_until(self, actor: str, actor_id: int) -> datetime | None:
        """Return when whoever is free now is next taken, at the latest a day on; None: taken now."""
        starts_at, day = self.starts_at, self.starts_at + AHEAD
        spans = [
            index.clock(actor, busy) for busy in self._index.busy(actor, actor_id, starts_at, day)
        ]
        if any(from_ <= starts_at < until for from_, until in spans):
            return None
        if actor == "provider" and not self._is_working(actor_id):
            return None
        return min((from_ for from_, _ in spans if from_ > starts_at), default=day)

    def _is_working(self, provider_id: int) -> bool:
        spans = hours.working(self.ground.timetable, provider_id, self.site_id)
        return any(span.starts_at <= self.starts_at < span.ends_at for span in spans)


def _slot(ground: Ground, free: _Free, pick: Pick | None) -> Slot | None:
    if pick is None:
        return None
    now = Pick(
        site_id=free.site_id,
        provider_id=pick.provider_id,
        room_id=pick.room_id,
        starts_at=free.starts_at,
    )
    return grounds.slot_of(ground, now, service_id=free.service_id, minutes=free.minutes)


def _site(ground: Ground, asked: Asked, usual: int | None, by: Who, service_id: int) -> int:
    """Return the site asked for, else where the provider works now, else the user's usual one."""
    offered = [int(choice.value) for choice in slots.sites_of(ground, None)]
    if asked.site_id in offered:
        return asked.site_id or 0
    start = start_of(ground.now)
    for site_id in offered:
        if by.provider_id in ground.timetable.providers and any(
            span.starts_at <= start < span.ends_at
            for span in hours.working(ground.timetable, by.provider_id or 0, site_id)
        ):
            return site_id
    return usual if usual in offered and usual else next(iter(offered), 0)


def _line(row: PatientRow, locale: str) -> PatientLine:
    born = wording.format_birth_date(row.birth_date, locale) if row.birth_date else ""
    parts = (born, wording.format_phone(row.phone))
    return PatientLine(
        key=row.key,
        name=wording.person(row.given_name, row.family_name),
        detail=" · ".join(part for part in parts if part),
    )
