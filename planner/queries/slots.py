"""Choosing a start: what is free for a patient, and what the chosen one asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from planner import wording
from planner.db import appointments, engine
from planner.db import patients as patient_rows
from planner.errors import NotFound
from planner.queries import ground as grounds
from planner.queries import starts as starts_of
from planner.queries.course_view import Choice, DayStarts, Pick
from planner.queries.ground import Ground
from planner.queries.slot_view import Asked, Chosen, Picker, SlotDay, SlotView
from planner.scheduling import availability, explaining, hours, rules
from planner.scheduling.hours import NoSuchTime
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import Conflict, Kind, Severity, Slot

DAYS = 28
PER_HALF = 4  # starts shown of a morning or an afternoon, until the whole day is asked for
PER_LATER_HALF = 2
NEAR_DAYS = 4  # days shown with more starts than those after them
NOON = time(13)
FARTHEST = timedelta(days=730)
ONE_DAY = timedelta(days=1)


def patient_id(key: str) -> int:
    """Return the id of the patient of an address. Raises NotFound."""
    with engine.reading() as session:
        return patient_rows.get(session, key).id


def for_patient(key: str, asked: Asked, *, locale: str, now: datetime) -> Picker:
    """Return the page on which a start is chosen for a new appointment. Raises NotFound."""
    with engine.reading() as session:
        ground = grounds.of_patient(session, key, _horizon(asked, now), locale=locale, now=now)
        return _page(ground, asked)


def for_move(key: str, asked: Asked, *, locale: str, now: datetime) -> Picker:
    """Return the page on which another start is chosen for an appointment. Raises NotFound."""
    with engine.reading() as session:
        ground = grounds.of_appointment(session, key, _horizon(asked, now), locale=locale, now=now)
        row = ground.appointment
        if row is None:
            raise NotFound("appointment")
        length = int((row.ends_at - row.starts_at).total_seconds() // 60)
        return _page(
            ground, replace(asked, service_id=row.service_id, minutes=asked.minutes or length)
        )


def _page(ground: Ground, asked: Asked) -> Picker:
    service_id = service_of(ground, asked)
    minutes = minutes_of(ground, asked, service_id)
    purpose = grounds.purpose_of(ground, service_id)
    search = _Search(ground, asked, service_id, minutes, purpose)
    typed, errors = search.typed()
    pick = asked.pick or typed
    slot = grounds.slot_of(ground, pick, service_id=service_id, minutes=minutes) if pick else None
    days = () if slot is not None or asked.is_one_day else search.days()
    first = search.first_day
    return Picker(
        patient=grounds.patient_head(ground),
        moving=grounds.moving(ground) if ground.appointment else None,
        service_name=ground.services[service_id].name,
        services=services_of(ground, service_id),
        sites=sites_of(ground, asked.site_id),
        providers=_providers(ground, service_id, asked),
        minutes=_minutes_choices(ground, service_id, minutes),
        days=days,
        day=search.whole_day() if asked.is_one_day and slot is None else None,
        chosen=chosen(ground, slot, purpose) if slot else None,
        nearest=search.nearest(slot) if slot else (),
        deciders=grounds.deciders(ground, slot) if slot else (),
        purpose=purpose,
        from_date=first,
        until_date=search.last_day,
        next_from=search.last_day + ONE_DAY,
        previous_from=max(ground.today, first - search.length) if first > ground.today else None,
        range_label=wording.format_range(first, search.last_day, ground.locale),
        reasons=() if days or slot or asked.is_one_day else search.reasons(),
        errors=errors,
        is_one_day=asked.is_one_day,
    )


def chosen(ground: Ground, slot: Slot, purpose: str) -> Chosen:
    """Return the chosen start, read back in the patient's language, with all that it asks for."""
    found = grounds.judged(ground, slot, purpose)
    site = ground.sites[slot.site_id]
    local = hours.local(slot.starts_at, site.zone)
    room = ground.rooms[slot.room_id]
    language = ground.patient.language
    return Chosen(
        pick=grounds.pick_of(slot).text,
        read_back=grounds.read_back(ground, slot, language),
        read_back_locale=wording.spoken(language),
        date_label=wording.format_date(local.date(), ground.locale),
        time_label=wording.format_time(local, ground.locale),
        site=grounds.site_chip(ground, slot.site_id),
        provider=grounds.provider_chip(ground, slot.provider_id),
        room_name=room.name,
        zone_label=local.tzname() or "",
        blocks=grounds.sentences(ground, found, Severity.BLOCK),
        decisions=grounds.sentences(ground, found, Severity.DECIDE),
        warnings=grounds.sentences(ground, found, Severity.WARN),
        notes=grounds.sentences(ground, found, Severity.INFO),
        gap=grounds.own_gap(ground, slot),
        effects=grounds.effects(ground, slot) if ground.appointment else (),
    )


class _Search:
    """The free starts of some weeks.

    Structure first; then each that is shown is judged for the patient.
    """

    def __init__(
        self, ground: Ground, asked: Asked, service_id: int, minutes: int, purpose: str
    ) -> None:
        self.ground, self.asked, self.purpose = ground, asked, purpose
        self.service_id, self.minutes = service_id, minutes
        self.length = ONE_DAY if asked.is_one_day else timedelta(days=DAYS)
        latest = ground.today + FARTHEST
        self.first_day = min(max(ground.today, asked.from_date or ground.today), latest)
        self.last_day = self.first_day + self.length - ONE_DAY
        self._against: dict[str, Conflict] = {}

    def days(self) -> tuple[SlotDay, ...]:
        """Return the days with their first free starts; nothing when no day has one."""
        found, shown_days = [], 0
        for number in range(self.length.days):
            day = self.first_day + timedelta(days=number)
            most = PER_HALF if shown_days < NEAR_DAYS else PER_LATER_HALF
            starts = [start for half in self._halves(day, most) for start in half]
            slots = sorted((slot for slot, _ in starts), key=lambda s: (s.starts_at, s.site_id))
            shown = tuple(view for slot in slots if (view := self._shown(slot)) is not None)
            shown_days += bool(shown)
            found.append(
                SlotDay(
                    on=day,
                    label=wording.format_short_date(day, self.ground.locale),
                    slots=shown,
                    has_more=any(has_more for _, has_more in starts),
                )
            )
        return tuple(found) if shown_days else ()

    def whole_day(self) -> DayStarts:
        """Return every start of the first day, and why the greyed ones cannot be had."""
        ground, asked = self.ground, self.asked
        looks = [
            explaining.day(
                ground.timetable,
                self.first_day,
                service_id=self.service_id,
                site_id=site_id,
                provider_id=asked.provider_id,
                minutes=self.minutes,
                patient_id=ground.patient.id,
                number=ground.number,
                order=ground.order,
                purpose=self.purpose,
                ignoring=ground.ignoring,
            )
            for site_id in ground.sites
            if asked.site_id in (None, site_id)
        ]
        return starts_of.of_day(
            self.first_day,
            [self._of_part(starts_of.answered(look, self._unanswered)) for look in looks],
            starts_of.Words(
                sites=ground.sites,
                providers=ground.providers,
                names=ground.names,
                locale=ground.locale,
            ),
            pick=lambda slot: grounds.pick_of(slot).text,
        )

    def typed(self) -> tuple[Pick | None, dict[str, str]]:
        """Return the pick for a time that somebody typed, or what is wrong with it."""
        asked, sites = self.asked, self.ground.sites
        if asked.on is None or asked.at is None:
            return None, {}
        site_id = asked.site_id or (next(iter(sites)) if len(sites) == 1 else None)
        if site_id is None or site_id not in sites:
            return None, {"site": "required"}
        try:
            starts_at = hours.instant(asked.on, asked.at, sites[site_id].zone)
        except NoSuchTime:
            return None, {"at": "no_such_time"}
        if not self.ground.timetable.horizon.contains(Interval(starts_at, starts_at + ONE_DAY)):
            return None, {"on": "out_of_range"}
        minute = Interval(starts_at, starts_at + timedelta(minutes=1))
        slot = next(iter(self._free(site_id, minute, 1)), None)
        if slot is None:
            return self._somebody(site_id, starts_at), {}
        return grounds.pick_of(slot), {}

    def nearest(self, slot: Slot) -> tuple[SlotView, ...]:
        """Return what is free close to a start that cannot be had; nothing when it can."""
        found = grounds.judged(self.ground, slot, self.purpose)
        if not any(conflict.severity is Severity.BLOCK for conflict in found):
            return ()
        close = availability.nearest(
            self.ground.timetable,
            slot._replace(patient_id=None, number=None),
            limit=12,
            purpose=self.purpose,
            ignoring=self.ground.ignoring,
            site_ids=[self.asked.site_id] if self.asked.site_id else None,
        )
        shown = [view for other in close if (view := self._shown(other, with_day=True)) is not None]
        return tuple(shown[:6])

    def reasons(self) -> tuple[str, ...]:
        """Return why nothing is offered, as far as it lies with the patient."""
        return tuple(
            sentence.text for sentence in grounds.sentences(self.ground, self._against.values())
        )

    def _unanswered(self, found: Sequence[Conflict]) -> Sequence[Conflict]:
        return grounds.unanswered(self.ground, tuple(found), self.purpose)

    def _of_part(self, look: explaining.Day) -> explaining.Day:
        """Return of a day the half that is asked for."""
        if not self.asked.part:
            return look

        def is_wanted(slot: Slot) -> bool:
            zone = self.ground.sites[slot.site_id].zone
            is_morning = hours.local(slot.starts_at, zone).time() < NOON
            return is_morning == (self.asked.part == "morning")

        halves = (
            group
            if group.is_all_day
            else replace(group, slots=tuple(filter(is_wanted, group.slots)))
            for group in look.blocked
        )
        return replace(
            look,
            free=tuple(start for start in look.free if is_wanted(start.slot)),
            blocked=tuple(half for half in halves if half.slots),
        )

    def _halves(self, day: date, most: int) -> Iterator[list[tuple[Slot, bool]]]:
        for site_id, site in self.ground.sites.items():
            if self.asked.site_id not in (None, site_id):
                continue
            bounds = hours.day_bounds(day, site.zone)
            noon = hours.instant(day, NOON, site.zone)
            halves = {
                "morning": Interval(bounds.starts_at, noon),
                "afternoon": Interval(noon, bounds.ends_at),
            }
            for part, half in halves.items():
                if self.asked.part in ("", part):
                    yield self._half(site_id, half, most)

    def _half(self, site_id: int, half: Interval, most: int) -> list[tuple[Slot, bool]]:
        """Return the first starts of a half day, and with each whether there are more."""
        found: dict[datetime, Slot] = {}
        # Enough for one start more than is shown, which says that there are more.
        limit = (most + 1) * self._able(site_id)
        for slot in self._free(site_id, half, limit):
            found.setdefault(slot.starts_at, slot)
            if len(found) > most:
                break
        starts = list(found.values())
        has_more = len(starts) > most
        return [(slot, has_more) for slot in starts[:most]]

    def _able(self, site_id: int) -> int:
        """Return how many providers give the service there: so many may be free at one start."""
        if self.asked.provider_id is not None:
            return 1
        providers = self.ground.timetable.providers.values()
        return sum((self.service_id, site_id) in facts.treats for facts in providers)

    def _free(self, site_id: int, span: Interval, limit: int | None) -> tuple[Slot, ...]:
        return availability.free_slots(
            self.ground.timetable,
            service_id=self.service_id,
            interval=span,
            site_ids=[site_id],
            provider_ids=[self.asked.provider_id] if self.asked.provider_id else None,
            minutes=self.minutes,
            purpose=self.purpose,
            ignoring=self.ground.ignoring,
            limit=limit,
        )

    def _shown(self, slot: Slot, *, with_day: bool = False) -> SlotView | None:
        whole = slot._replace(patient_id=self.ground.patient.id, number=self.ground.number)
        found = grounds.judged(self.ground, whole, self.purpose)
        worst = rules.worst(found)
        if worst is Severity.BLOCK:
            for conflict in found:
                if conflict.severity is Severity.BLOCK:
                    self._against.setdefault(conflict.code, conflict)
            return None
        local = hours.local(slot.starts_at, self.ground.sites[slot.site_id].zone)
        locale = self.ground.locale
        at = wording.format_time(local, locale)
        return SlotView(
            pick=grounds.pick_of(slot).text,
            time_label=f"{wording.format_short_date(local.date(), locale)}, {at}"
            if with_day
            else at,
            site=grounds.site_chip(self.ground, slot.site_id),
            provider=grounds.provider_chip(self.ground, slot.provider_id),
            severity="" if worst is Severity.INFO else worst.value,
            is_chosen=False,
        )

    def _somebody(self, site_id: int, starts_at: datetime) -> Pick | None:
        """Return a pick for a time at which nobody is free, so that the page can say why."""
        timetable, wanted = self.ground.timetable, self.asked.provider_id
        provider_id = wanted or next(
            (
                its_id
                for its_id, p in timetable.providers.items()
                if (self.service_id, site_id) in p.treats
            ),
            None,
        )
        room_id = next(
            (
                its_id
                for its_id, room in timetable.rooms.items()
                if room.site_id == site_id and self.service_id in room.service_ids
            ),
            None,
        )
        if provider_id is None or room_id is None:
            return None
        return Pick(site_id=site_id, provider_id=provider_id, room_id=room_id, starts_at=starts_at)


def _horizon(asked: Asked, now: datetime) -> Interval:
    days = [now]
    wanted = [asked.from_date, asked.on]
    latest = now + FARTHEST
    for day in wanted:
        if day is not None and now.date() < day <= latest.date():
            days += [datetime.combine(day, time(), now.tzinfo)]
    if asked.pick is not None and now - FARTHEST < asked.pick.starts_at < latest:
        days.append(asked.pick.starts_at)
    return Interval(min(days) - ONE_DAY, max(days) + timedelta(days=DAYS + 2))


def service_of(ground: Ground, asked: Asked) -> int:
    """Return the service asked for when it is offered, else the consult, else the first."""
    offered = [
        its_id
        for its_id, row in ground.services.items()
        if row.retired_from is None or row.retired_from > ground.today
    ]
    wanted = asked.service_id
    if wanted in ground.services and (ground.appointment or wanted in offered):
        return wanted or 0
    consult = next((i for i in offered if ground.services[i].kind == Kind.CONSULT), None)
    if consult is None and not offered:
        raise NotFound("service")
    return consult or offered[0]


def minutes_of(ground: Ground, asked: Asked, service_id: int) -> int:
    """Return the minutes asked for, else of a session those the last one really took."""
    if asked.minutes is not None and 0 < asked.minutes <= availability.MAXIMUM_MINUTES:
        return asked.minutes
    row = ground.services[service_id]
    if row.kind == Kind.SESSION:
        last = appointments.last_actual_minutes(ground.session, ground.patient.id, service_id)
        return last or row.minutes
    return row.minutes


def services_of(ground: Ground, chosen_id: int) -> tuple[Choice, ...]:
    """Return the services on offer as options."""
    there = {
        its_id: row.name
        for its_id, row in ground.services.items()
        if row.retired_from is None or row.retired_from > ground.today or its_id == chosen_id
    }
    return grounds.choices(there, chosen_id)


def sites_of(ground: Ground, chosen_id: int | None) -> tuple[Choice, ...]:
    """Return the sites as options."""
    return grounds.choices(_there(ground, ground.sites), chosen_id)


def _providers(ground: Ground, service_id: int, asked: Asked) -> tuple[Choice, ...]:
    able = {
        its_id
        for its_id, facts in ground.timetable.providers.items()
        if any(
            service == service_id and asked.site_id in (None, site)
            for service, site in facts.treats
        )
    }
    named = {i: name for i, name in _there(ground, ground.providers).items() if i in able}
    return grounds.choices(named, asked.provider_id)


def _minutes_choices(ground: Ground, service_id: int, chosen_minutes: int) -> tuple[Choice, ...]:
    row = ground.services[service_id]
    offered = sorted({row.minutes, chosen_minutes, *map(int, row.minutes_choices)})
    return tuple(
        Choice(value=str(m), label=wording.minutes(m, ground.locale), is_chosen=m == chosen_minutes)
        for m in offered
    )


def _there(ground: Ground, rows: Any) -> dict[int, str]:
    return {
        its_id: row.name
        for its_id, row in rows.items()
        if row.retired_from is None or row.retired_from > ground.today
    }
