"""The words of a message, made when it is sent from what is true then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import catalogue, engine, links, messages, outbox, phones
from planner.db.models import Appointment, Message, Patient, Site
from planner.ical.events import Event
from planner.mail.letters import Letter, Line
from planner.queries import calendar_events, calendar_rows, letter_frame, letter_samples
from planner.queries.calendar_rows import Diary, Visit
from planner.queries.letter_frame import Said, Voice
from planner.scheduling import hours, telling
from planner.scheduling.telling import Known, News
from planner.wording import messages as words
from planner.wording import visits


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Why a message has nothing to say, or nobody to say it to."""

    reason: str


def letter(message_id: int, *, now: datetime) -> Letter | Nothing:
    """Return what a message says just now, without its link; or why it says nothing."""
    with engine.reading() as session:
        row = session.get_one(Message, message_id)
        if row.kind == "test":
            return letter_samples.sample(
                session, row.facts["of"], row.locale, row.recipient, now=now
            )
        patient = session.get_one(Patient, links.kept(session, row.patient_id or 0))
        diary = calendar_rows.diary(session, patient.id)
        recipient = _recipient(patient, row.channel)
        if not recipient:
            return Nothing(reason="no_address")
        said = _Reader(session, row, patient, diary, now).said()
        if isinstance(said, Nothing):
            return said
        return letter_frame.framed(said, _voice(session, row, patient, diary, recipient))


class _Reader:
    """Reads what one message says, within one snapshot."""

    def __init__(
        self, session: Session, row: Message, patient: Patient, diary: Diary, now: datetime
    ) -> None:
        self.session, self.row, self.patient, self.diary = session, row, patient, diary
        self.now, self.locale = now, diary.language
        self.visits = {visit.id: visit for visit in diary.visits}
        self.facts = outbox.facts_of(row)
        wanted = sa.select(Appointment).where(Appointment.id.in_(self.facts))
        found = session.scalars(wanted).all()
        self.states = {its.id: outbox.state_of(its) for its in found}
        self.come = {its.id for its in found if its.status in outbox.COME}

    def said(self) -> Said | Nothing:
        """Return what the message says, or why it says nothing."""
        if self.row.kind in outbox.NEWS:
            return self._news()
        if self.row.kind in ("reminder", "invitation"):
            return self._one()
        return self._aftercare() if self.row.kind == "aftercare" else self._unfinished()

    def _news(self) -> Said | Nothing:
        news = {id_: found for id_ in self.facts if (found := self._what(id_)) is not None}
        if not news:
            return Nothing(reason="undone")
        kind = outbox.kind_of(news.values(), is_course=self.row.course_id is not None)
        told = sorted((self.visits[id_] for id_ in news), key=lambda visit: visit.starts_at)
        shown = self._whole_course(told) if kind == "course" else told
        lines = tuple(self._line(visit, news.get(visit.id), kind) for visit in shown)
        first = told[0] if len(told) == 1 else shown[0]
        event, method = self._event(told, news)
        return Said(
            kind="confirmation" if kind == "course" and len(shown) == 1 else kind,
            lines=lines,
            notes=self._notes(first) if len(shown) == 1 and kind != "cancellation" else (),
            subject=_subject(kind, len(shown), set(news.values())),
            day=self._day(first),
            event=event,
            method=method,
        )

    def _what(self, id_: int) -> News | None:
        known, state = self.facts[id_], self.states.get(id_)
        if id_ in self.come:
            return None
        if state is not None and state.starts_at <= self.now:
            return None
        if state is None and known is None:
            return News.OFF if self.row.kind in ("cancellation", "change") else None
        return telling.news(known, state)

    def _whole_course(self, told: Sequence[Visit]) -> list[Visit]:
        """Return all sessions of the course still to come: what is booked is read as a whole."""
        course_id = told[0].course_id
        return [
            visit
            for visit in self.diary.visits
            if visit.course_id == course_id
            and visit.status in telling.PROMISED
            and visit.starts_at > self.now
        ]

    def _one(self) -> Said | Nothing:
        """Return a reminder or an invitation: of one appointment, while it stands as it stood."""
        id_ = self.row.appointment_id or 0
        state, visit = self.states.get(id_), self.visits.get(id_)
        if visit is None or visit.starts_at <= self.now or id_ in self.come:
            return Nothing(reason="superseded")
        if self.row.kind == "invitation":
            return self._invitation(visit, is_off=state is None)
        if state is None or telling.news(self.facts[id_], state) in (News.NEW, News.MOVED):
            return Nothing(reason="superseded")
        return Said(
            kind="reminder",
            lines=(self._line(visit, None, "reminder"),),
            notes=self._notes(visit),
            day=self._day(visit),
        )

    def _invitation(self, visit: Visit, *, is_off: bool) -> Said | Nothing:
        """Return the mail that enters, changes or removes one event in the patient's calendar."""
        news = News.OFF if is_off else News.NEW
        event, method = self._event([visit], {visit.id: news})
        if event is None:
            return Nothing(reason="undone")
        kind = "cancellation" if is_off else "invitation"
        return Said(
            kind=kind,
            lines=(self._line(visit, news, kind),),
            day=self._day(visit),
            event=event,
            method=method,
        )

    def _aftercare(self) -> Said | Nothing:
        visit = self.visits.get(self.row.appointment_id or 0)
        if visit is None or visit.status != "fulfilled":
            return Nothing(reason="undone")
        return Said(kind="aftercare", notes=self._care(visit), day=self._day(visit))

    def _unfinished(self) -> Said | Nothing:
        is_booked = any(
            visit.course_id == self.row.course_id and visit.starts_at > self.now
            for visit in self.diary.visits
            if visit.status in ("held", *telling.PROMISED)
        )
        return Nothing(reason="undone") if is_booked else Said(kind="next_session")

    def _line(self, visit: Visit, news: News | None, kind: str) -> Line:
        known = self.facts.get(visit.id)
        is_off = news is News.OFF
        title = ""
        if self.diary.is_plain:
            title = visits.visit(visit.service_name, visit.number, visit.total, self.locale)
        return Line(
            when=self._when(known if is_off and known else None, visit),
            where=() if is_off else self._where(visit),
            title=title,
            was=self._was(known, visit) if news is News.MOVED and known else "",
            note=self._note(visit, news, kind),
            is_off=is_off,
        )

    def _when(self, known: Known | None, visit: Visit) -> str:
        at = known.starts_at if known else visit.starts_at
        local = hours.local(at, visit.zone)
        day = wording.format_full_date(local.date(), self.locale)
        text = f"{day}, {wording.format_time(local, self.locale)}"
        return text[:1].upper() + text[1:]

    def _where(self, visit: Visit) -> tuple[str, ...]:
        is_plain = self.diary.is_plain
        name = visit.site_name if is_plain or visits.is_discreet(visit.site_name) else ""
        address = visit.address if is_plain else visits.discreet_parts(visit.address)
        return tuple(part.strip() for part in (name, *address.split("\n")) if part.strip())

    def _was(self, known: Known, visit: Visit) -> str:
        site = self.session.get_one(Site, known.site_id)
        before = wording.format_day_time(hours.local(known.starts_at, site.zone), self.locale)
        if known.site_id != visit.site_id and visits.is_discreet(site.name):
            before = f"{before}, {site.name}"
        return words.was(before, self.locale)

    def _note(self, visit: Visit, news: News | None, kind: str) -> str:
        if news is News.OFF:
            return words.is_off(self.locale) if kind == "change" else ""
        if news is News.PROVIDER:
            name = visit.provider_name if self.diary.is_plain else ""
            return words.other_provider(name, self.locale)
        if visit.status == "reserved":
            return words.tentative(self.locale)
        return words.is_new(self.locale) if news is News.NEW and kind == "change" else ""

    def _notes(self, visit: Visit) -> tuple[str, ...]:
        """Return how to arrive and what to bring, as far as a stranger may read it."""
        texts = self.diary.texts
        bring = texts.get("bring", "") if visit.kind == "session" else ""
        wanted = (visit.arrival_note, texts.get("arrival", ""), bring)
        return tuple(
            text.strip()
            for text in wanted
            if text.strip() and (self.diary.is_plain or visits.is_discreet(text))
        )

    def _care(self, visit: Visit) -> tuple[str, ...]:
        if not self.diary.is_plain:
            return (visits.on_your_sheet(self.locale),)
        states = self._states()
        mine = next(state for state in states if state.visit.id == visit.id)
        _, *notes = calendar_events.of(mine, self.diary, states)
        signs = self.diary.texts.get("warning_signs", "")
        said = (note.description.splitlines()[0] for note in notes)
        return tuple(text for text in (*said, signs) if text)

    def _event(self, told: Sequence[Visit], news: Mapping[int, News]) -> tuple[Event | None, str]:
        """Return the event for a patient who has asked for it, when the mail is about one alone."""
        is_wanted = self.patient.invitations_since is not None and self.row.channel == "mail"
        if len(told) != 1 or not is_wanted:
            return None, "REQUEST"
        states = self._states()
        mine = next(state for state in states if state.visit.id == told[0].id)
        event = next(calendar_events.of(mine, self.diary, states))
        is_off = news[told[0].id] is News.OFF
        if is_off != (event.status == calendar_events.CANCELLED):
            return None, "REQUEST"
        return event, "CANCEL" if is_off else "REQUEST"

    def _states(self) -> tuple[calendar_events.Shown, ...]:
        found = self.diary.visits
        return tuple(calendar_events.shown(visit, self.diary, self.now) for visit in found)

    def _day(self, visit: Visit) -> str:
        known = self.facts.get(visit.id)
        at = visit.starts_at
        if known is not None and self.states.get(visit.id) is None:
            at = known.starts_at
        return wording.format_short_date(hours.day_of(at, visit.zone), self.locale)


def _subject(kind: str, count: int, news: set[News]) -> str:
    if kind == "course":
        return "course" if count > 1 else "confirmation"
    if count > 1:
        return f"{kind}s"
    return "provider" if news == {News.PROVIDER} else kind


def _recipient(patient: Patient, channel: str) -> str:
    if channel == "mail":
        return patient.email
    return patient.phone if phones.is_number(patient.phone) else ""


def _voice(session: Session, row: Message, patient: Patient, diary: Diary, recipient: str) -> Voice:
    site = session.get(Site, row.site_id) if row.site_id is not None else None
    phone = (site.phone if site else "") or diary.clinic_phone
    clinic = catalogue.clinic(session)
    return Voice(
        recipient=recipient,
        locale=diary.language,
        name=patient.given_name,
        phone=wording.format_phone(phone),
        is_plain=diary.is_plain,
        texts=messages.texts(session, diary.language),
        practice=letter_frame.practice(clinic),
        colour=letter_frame.colour(clinic),
    )
