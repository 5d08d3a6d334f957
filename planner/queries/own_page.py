"""What a patient sees on their own page: when and where always, what for only in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, feeds, links, notices, patients, phones
from planner.db.models import Appointment, AuditRow, Clinic, Notice, Patient, PatientLink
from planner.ical.add_links import AddLinks
from planner.ical.events import Days, Span
from planner.queries import calendar_events, calendar_rows
from planner.queries.calendar_events import CANCELLED, Shown
from planner.queries.calendar_rows import Diary, Visit
from planner.scheduling import hours
from planner.scheduling.zones import FACE
from planner.wording import notices as notice_words
from planner.wording import visits as words

STILL_HEEDED = timedelta(days=28)
"""How long after a session its notes are shown: stockings as needed end within it."""

LATELY = timedelta(days=30)
OF_STOCKINGS = ("aftercare", "why_stockings")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnVisit:
    """One coming visit. ``seen`` is the start the page shows: a form that names another is out of date."""

    key: str
    seen: str
    title: str  # empty while words are neutral
    day: str
    time: str
    site: str
    address: str
    arrival: tuple[str, ...]
    bring: str  # empty while words are neutral
    provider: str  # empty while words are neutral
    is_tentative: bool
    may_confirm: bool
    confirmed: str  # when the patient or the desk has confirmed it
    is_today: bool
    has_begun: bool
    health_state: str
    asks_health: bool
    told: frozenset[str]  # kinds of what the patient has told of it and nobody has handled
    add: AddLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class CareLine:
    """Something to heed after a session: its title, the days it holds where it has some, its text."""

    title: str
    when: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """All that is to be heeded around one session."""

    day: str
    bring: str
    lines: tuple[CareLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNotice:
    """What the patient has told the clinic: never the words about health."""

    title: str
    detail: str
    on: str
    is_handled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPage:
    """A patient's own page, in the language they are written to in."""

    patient_key: str
    locale: str
    given_name: str
    clinic_name: str  # of whom it is: neutral while words are
    phone: str
    phone_link: str
    email: str  # of the clinic; empty while words are neutral and it is not
    is_plain: bool
    plain_since: str
    reminders_by: str
    wants_invitations: bool
    has_mail: bool
    has_phone: bool
    is_followed: bool  # a calendar subscribes to the visits
    visits: tuple[OwnVisit, ...]
    care: tuple[Care, ...]
    aftercare: str  # for paper, in the clinic's own words; stockings are spoken of for legs only
    about_care: tuple[str, ...]  # likewise: why, and what to expect
    warning_signs: str
    notices: tuple[OwnNotice, ...]
    today: date
    made_on: str
    replaces: str  # the day of the last sheet that the desk printed before today

    def visit(self, key: str) -> OwnVisit | None:
        """Return the coming visit of that key, or None."""
        return next((visit for visit in self.visits if visit.key == key), None)


def link_state(token: str, *, now: datetime) -> tuple[str, int]:
    """Return what the token of a page is worth, and its link: unknown | open | revoked | over."""
    with engine.reading() as session:
        row = links.find(session, token)
        return (_state(row, now), row.id) if row else ("unknown", 0)


def state_of(link_id: int, *, now: datetime) -> str:
    """Return what has become of a link: unknown | open | revoked | over."""
    with engine.reading() as session:
        row = session.get(PatientLink, link_id)
        return _state(row, now) if row else "unknown"


def page(link_id: int, *, now: datetime) -> OwnPage | None:
    """Return the page of whoever holds the link, or None when it opens nothing any more."""
    with engine.reading() as session:
        patient_id = links.holder(session, link_id, now=now)
        if patient_id is None:
            return None
        return _page(session, patient_id, now)


def for_desk(patient_key: str, *, now: datetime) -> OwnPage:
    """Return what the patient would see, for the desk: its sheet, its texts. Raises NotFound."""
    with engine.reading() as session:
        return _page(session, links.kept_patient(session, patient_key), now)


def language_of(link_id: int) -> str:
    """Return the language the holder of a link is written to in, also once it has ended."""
    with engine.reading() as session:
        patient_id = links.last_holder(session, link_id)
        if patient_id is None:
            return ""
        return calendar_rows.spoken(session.get_one(Patient, patient_id).language)


def clinic_phone() -> str:
    """Return the clinic's phone number as it is read."""
    with engine.reading() as session:
        clinic = catalogue.clinic(session)
        return wording.format_phone(clinic.phone) if clinic else ""


def _state(row: PatientLink, now: datetime) -> str:
    if links.is_open(row, now):
        return "open"
    return "over" if row.revoked_at is None else "revoked"


def _page(session: Session, patient_id: int, now: datetime) -> OwnPage:
    patient = session.get_one(Patient, patient_id)
    clinic = catalogue.clinic(session)
    diary = calendar_rows.diary(session, patient_id)
    owners = links.merged_ids(session, patient_id)
    told = notices.of_patients(session, owners, since=now - LATELY)
    reader = _Reader(diary, clinic, _rows(session, owners, now), told, now)
    today = hours.day_of(now, catalogue.first_zone(session))
    since = patient.plain_words_since
    locale = diary.language
    return OwnPage(
        patient_key=patient.key,
        locale=locale,
        given_name=patient.given_name or patient.family_name,
        clinic_name=reader.clinic_name(),
        phone=wording.format_phone(diary.clinic_phone),
        phone_link=_link(diary.clinic_phone),
        email=reader.email(),
        is_plain=diary.is_plain,
        plain_since=reader.day(since) if since else "",
        reminders_by=patient.reminders_by,
        wants_invitations=patient.invitations_since is not None,
        has_mail=bool(patient.email),
        has_phone=bool(patient.phone),
        is_followed=bool(feeds.open_of_patient(session, patient_id, now)),
        visits=tuple(reader.visits()),
        care=tuple(reader.care()),
        aftercare="".join(reader.own_words("aftercare")),
        about_care=tuple(reader.own_words("why_stockings", "expectation")),
        warning_signs=diary.texts.get("warning_signs", ""),
        notices=tuple(reader.notice(row) for row in told),
        today=today,
        made_on=wording.format_date(today, locale),
        replaces=_last_sheet(session, owners, today, catalogue.first_zone(session), locale),
    )


class _Reader:
    """Puts a patient's rows into the words of their page."""

    def __init__(
        self,
        diary: Diary,
        clinic: Clinic | None,
        rows: Mapping[int, Appointment],
        told: Sequence[Notice],
        now: datetime,
    ) -> None:
        self.diary, self.clinic, self.rows, self.now = diary, clinic, rows, now
        self.locale = diary.language
        self.states = tuple(calendar_events.shown(visit, diary, now) for visit in diary.visits)
        self.notes = calendar_events.care(self.states, diary)
        self.zone = diary.visits[-1].zone if diary.visits else "UTC"
        self.waiting = [row for row in told if row.handled_at is None]
        self.days = {visit.id: self._day_time(visit) for visit in diary.visits}

    def clinic_name(self) -> str:
        """Return the clinic's name, or while words are neutral its neutral one."""
        if self.clinic is None:
            return ""
        if self.diary.is_plain:
            return self.clinic.name
        name = self.clinic.neutral_name
        return name if words.is_discreet(name) else ""

    def email(self) -> str:
        """Return the clinic's address for mail, unless it tells what words may not tell."""
        email = self.diary.clinic_email
        return email if self._may_say(email) else ""

    def day(self, at: datetime) -> str:
        """Return the day of an instant."""
        return wording.format_date(hours.day_of(at, self.zone), self.locale)

    def visits(self) -> Iterator[OwnVisit]:
        """Yield what is still to come, by start."""
        for state in self.states:
            if state.status != CANCELLED and state.visit.ends_at > self.now:
                yield self._visit(state, self.rows[state.visit.id])

    def care(self) -> Iterator[Care]:
        """Yield what is to be heeded after the sessions to come, and after those just over."""
        for visit in self._heeded():
            yield self._care(visit, self.notes[visit.id])

    def own_words(self, *codes: str) -> Iterator[str]:
        """Yield what the clinic says of its sessions; what speaks of stockings where legs are treated."""
        sessions = list(self._heeded())
        is_leg = any(set(visit.zones_treated or visit.zones) != {FACE} for visit in sessions)
        for code in codes:
            if sessions and (is_leg or code not in OF_STOCKINGS) and code in self.diary.texts:
                yield self.diary.texts[code]

    def notice(self, row: Notice) -> OwnNotice:
        """Return what was told, and whether somebody has seen to it."""
        detail = (
            self.days.get(row.appointment_id or 0, ""),
            notice_words.flight(row.flight_on, row.flight_at, self.locale),
            notice_words.wishes(row.wishes, self.locale),
            row.text,
        )
        return OwnNotice(
            title=notice_words.own(row.kind, self.locale),
            detail=" · ".join(part for part in detail if part),
            on=self.day(row.created_at),
            is_handled=row.handled_at is not None,
        )

    def _heeded(self) -> Iterator[Visit]:
        for state in self.states:
            if state.visit.ends_at > self.now - STILL_HEEDED and state.visit.id in self.notes:
                yield state.visit

    def _visit(self, state: Shown, row: Appointment) -> OwnVisit:
        visit, diary, locale = state.visit, self.diary, self.locale
        local = hours.local(visit.starts_at, visit.zone)
        is_today = local.date() == hours.day_of(self.now, visit.zone)
        is_firm = row.status in ("booked", "arrived")
        return OwnVisit(
            key=visit.key,
            seen=seen(visit.starts_at),
            title=self._title(visit),
            day=wording.format_full_date(local.date(), locale),
            time=wording.format_time(local, locale),
            site=visit.site_name if self._may_say(visit.site_name) else "",
            address=visit.address if diary.is_plain else words.discreet_parts(visit.address),
            arrival=tuple(filter(self._may_say, self._arrival(visit))),
            bring=self._bring(visit) if diary.is_plain else "",
            provider=words.with_provider(visit.provider_name, locale) if diary.is_plain else "",
            is_tentative=state.status == "TENTATIVE",
            may_confirm=row.status == "booked" and row.confirmed_at is None,
            confirmed=self.day(row.confirmed_at) if row.confirmed_at else "",
            is_today=is_today,
            has_begun=row.status in ("arrived", "started") or visit.starts_at <= self.now,
            health_state=row.health_state,
            asks_health=is_today and is_firm and row.health_state != "review",
            told=frozenset(one.kind for one in self.waiting if one.appointment_id == visit.id),
            add=calendar_events.add_links(visit, diary),
        )

    def _title(self, visit: Visit) -> str:
        if not self.diary.is_plain:
            return ""
        return words.visit(visit.service_name, visit.number, visit.total, self.locale)

    def _may_say(self, text: str) -> bool:
        return bool(text.strip()) and (self.diary.is_plain or words.is_discreet(text))

    def _arrival(self, visit: Visit) -> tuple[str, str]:
        return visit.arrival_note, self.diary.texts.get("arrival", "")

    def _bring(self, visit: Visit) -> str:
        return self.diary.texts.get("bring", "") if visit.kind == "session" else ""

    def _care(self, visit: Visit, notes: Iterable[tuple[Span | Days, str, str]]) -> Care:
        is_ahead = visit.ends_at > self.now
        return Care(
            day=self.days[visit.id],
            bring=self._bring(visit) if is_ahead else "",
            lines=tuple(
                CareLine(title=title, when=self._when(when), text=text)
                for when, title, text in notes
            ),
        )

    def _when(self, when: Span | Days) -> str:
        if isinstance(when, Span) or when.first == when.last:
            return ""  # the title says until when
        return wording.format_range(when.first, when.last, self.locale)

    def _day_time(self, visit: Visit) -> str:
        return wording.format_day_time(hours.local(visit.starts_at, visit.zone), self.locale)


def seen(starts_at: datetime) -> str:
    """Return the start of a visit as a page's forms carry it."""
    return f"{starts_at:%Y%m%dT%H%MZ}"


def _link(phone: str) -> str:
    number = phones.normalised(phone)
    return number if phones.is_number(number) else ""


def _rows(session: Session, patient_ids: frozenset[int], now: datetime) -> dict[int, Appointment]:
    statement = sa.select(Appointment).where(
        Appointment.patient_id.in_(patient_ids), Appointment.ends_at > now
    )
    return {row.id: row for row in session.scalars(statement)}


def _last_sheet(
    session: Session, patient_ids: frozenset[int], today: date, zone: str, locale: str
) -> str:
    """Return the day before today on which the desk last printed the sheet; empty for none."""
    statement = (
        sa.select(AuditRow.at)
        .where(
            AuditRow.object_kind == "patient",
            AuditRow.object_id.in_(patient_ids),
            AuditRow.action == patients.SHEET_OPENED,
            AuditRow.at < hours.day_bounds(today, zone).starts_at,
        )
        .order_by(AuditRow.id.desc())
        .limit(1)
    )
    at = session.scalar(statement)
    return wording.format_date(hours.day_of(at, zone), locale) if at else ""
