"""What the page of one patient shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import appointments, catalogue, decisions, engine, patients, phones, timetables
from planner.db.models import (
    Appointment,
    Consent,
    Consult,
    Course,
    CourseSession,
    DateToAvoid,
    Patient,
    Provider,
    Service,
    Site,
)
from planner.queries import names
from planner.queries import patients as lists
from planner.queries.course_view import Named, Sentence
from planner.queries.patient_view import (
    ConsentLine,
    CourseLine,
    DateLine,
    Dot,
    PatientPage,
    Visit,
)
from planner.scheduling import hours, rules
from planner.scheduling.interval import Interval
from planner.scheduling.timetable import (
    HARD,
    Conflict,
    CourseOrder,
    Gap,
    SessionOrder,
    Severity,
    Timetable,
)
from planner.who import Who

MARGIN = timedelta(days=1)
PROVISIONAL = ("held", "reserved")
TO_BE_JUDGED = (*PROVISIONAL, "booked")
SPOKEN = ("flight.", "event.", "patient.")
"""Warnings that belong on this page; others were read when it was booked."""


def page(key: str, *, locale: str, now: datetime, by: Who) -> PatientPage:
    """Return the page of a patient; of one merged away, that of the patient kept. Raises NotFound."""
    with engine.reading() as session:
        row = patients.get(session, key)
        return _Reader(session, row, locale, now, by).page()


class _Reader:
    """Reads one patient within one snapshot."""

    def __init__(self, session: Session, row: Patient, locale: str, now: datetime, by: Who) -> None:
        self.session, self.row, self.locale, self.now, self.by = session, row, locale, now, by
        self.today = hours.day_of(now, catalogue.first_zone(session))
        self.visits = _visits(session, row.id)
        self.sessions = _sessions(session, row.id)
        self.totals = _totals(self.sessions)

    def page(self) -> PatientPage:
        """Return the whole page."""
        row, locale = self.row, self.locale
        coming = [found for found in self.visits if self._is_coming(found.Appointment)]
        judged = self._judged([found.Appointment for found in coming])
        past = [found for found in reversed(self.visits) if found not in coming]
        consents = patients.consents_of(self.session, row.id)
        signed = {consent.kind for consent in consents}
        since = row.plain_words_since
        zone = catalogue.first_zone(self.session)
        return PatientPage(
            id=row.id,
            key=row.key,
            version=row.version,
            name=lists.name_of(row),
            initials=wording.initials(lists.name_of(row)),
            birth_label=wording.format_birth_date(row.birth_date, locale) if row.birth_date else "",
            age_label=lists.age_label(row.birth_date, self.today),
            language=row.language,
            language_label=wording.language(row.language, locale),
            phone_label=wording.format_phone(row.phone),
            phone_link=row.phone if phones.is_number(row.phone) else "",
            is_phone_number=not row.phone or phones.is_number(row.phone),
            email=row.email,
            contact_by=row.contact_by,
            note=row.note,
            stay_from=row.stay_from,
            stay_until=row.stay_until,
            stay_label=wording.stay(row.stay_from, row.stay_until, locale),
            eligible_label=self._eligible_label(),
            needs_review=any(
                found.Appointment.health_state == "review"
                and found.Appointment.health_reviewed_at is None
                for found in coming
            ),
            plain_words_label=(
                wording.format_date(hours.day_of(since, zone), locale) if since else ""
            ),
            link_count=patients.live_links(self.session, row.id, now=self.now),
            consult_service_id=lists.first_consult(self.session),
            coming=tuple(self._visit(found, judged) for found in coming),
            history=tuple(self._visit(found, judged) for found in past),
            courses=tuple(self._courses(judged)),
            dates=tuple(map(self._date, patients.dates_of(self.session, row.id))),
            consents=tuple(map(self._consent, consents)),
            missing_consents=tuple(kind for kind in ("treatment", "photo") if kind not in signed),
            today=self.today,
            may_read_consults=self.by.role in ("provider", "manager"),
        )

    def _eligible_label(self) -> str:
        day = self.row.eligible_from
        return wording.format_date(day, self.locale) if day and day > self.today else ""

    def _is_coming(self, row: Appointment) -> bool:
        is_live = row.status in ("booked", "arrived", "started") or (
            row.status in PROVISIONAL and (row.expires_at is None or row.expires_at > self.now)
        )
        return is_live and row.ends_at > self.now

    def _judged(self, rows: Sequence[Appointment]) -> dict[int, tuple[Sentence, ...]]:
        """Judge again what is still to come: a flight may have been added since."""
        rows = [row for row in rows if row.status in TO_BE_JUDGED and row.starts_at > self.now]
        if not rows:
            return {}
        known = names.load(self.session)
        timetable = timetables.load(
            self.session,
            horizon=Interval(self.now - MARGIN, max(row.ends_at for row in rows) + MARGIN),
            now=self.now,
            patient_ids=(self.row.id,),
            provider_ids=sorted({row.provider_id for row in rows}),
            room_ids=sorted({row.room_id for row in rows}),
        )
        orders = {
            course_id: timetables.order(self.session, course_id, now=self.now)
            for course_id in {s.Course.id for s in self.sessions}
        }
        return {
            row.id: tuple(
                Sentence(
                    code=conflict.code,
                    severity=conflict.severity.value,
                    text=wording.conflict(conflict, locale=self.locale, names=known),
                )
                for conflict in self._standing(row, timetable, orders)
            )
            for row in rows
        }

    def _standing(
        self, row: Appointment, timetable: Timetable, orders: dict[int, CourseOrder]
    ) -> Iterable[Conflict]:
        served = next(
            (s for s in self.sessions if s.CourseSession.id == row.course_session_id), None
        )
        found = rules.conflicts(
            appointments.slot_of(row, served.CourseSession.number if served else None),
            timetable,
            order=orders[served.Course.id] if served else None,
            purpose="audit_provisional" if row.status in PROVISIONAL else "audit",
            ignoring=frozenset({row.id}),
        )
        decided = decisions.codes_answering(self.session, row.id, found)
        if served is not None:
            decided |= decisions.codes_given(
                self.session, appointment_id=None, course_id=served.Course.id
            )
        return [c for c in found if c.code not in decided and _belongs_here(c)]

    def _visit(self, found: Any, judged: dict[int, tuple[Sentence, ...]]) -> Visit:
        row, site = found.Appointment, found.Site
        local = hours.local(row.starts_at, site.zone)
        when = f"{wording.format_date(local.date(), self.locale)}, "
        is_consult = found.kind == "consult"
        is_recorded = found.consult_id is not None
        is_due = local.date() <= hours.day_of(self.now, site.zone)
        return Visit(
            key=row.key,
            status=self._status(row),
            when_label=when + wording.format_time(local, self.locale),
            service_name=found.service_name,
            number=found.number,
            total=self.totals.get(found.course_id),
            site=Named(id=site.id, name=site.name, colour=site.colour),
            provider=Named(
                id=found.Provider.id,
                name=found.Provider.name,
                colour=found.Provider.colour,
                initials=wording.initials(found.Provider.name),
            ),
            until_label=self._until_label(row, site.zone),
            conflicts=judged.get(row.id, ()),
            is_consult=is_consult,
            is_recorded=is_recorded,
            is_due=is_consult
            and not is_recorded
            and is_due
            and row.status in ("booked", "arrived", "started", "fulfilled"),
            course_key=found.course_key or "",
        )

    def _status(self, row: Appointment) -> str:
        is_over = row.expires_at is not None and row.expires_at <= self.now
        if row.status in PROVISIONAL and is_over:
            return "released"
        is_confirmed = row.status == "booked" and row.confirmed_at is not None
        return "confirmed" if is_confirmed else row.status

    def _until_label(self, row: Appointment, zone: str) -> str:
        if row.status not in PROVISIONAL or row.expires_at is None or row.expires_at <= self.now:
            return ""
        return wording.format_day_time(hours.local(row.expires_at, zone), self.locale)

    def _courses(self, judged: dict[int, tuple[Sentence, ...]]) -> Iterable[CourseLine]:
        grouped: dict[int, list[Any]] = defaultdict(list)
        for found in self.sessions:
            grouped[found.Course.id].append(found)
        visits: dict[int, list[Appointment]] = defaultdict(list)
        for found in self.visits:
            if found.Appointment.course_session_id is not None:
                visits[found.Appointment.course_session_id].append(found.Appointment)
        for members in reversed(grouped.values()):
            course: Course = members[0].Course
            states = [self._state(visits[s.CourseSession.id]) for s in members]
            done = states.count("fulfilled")
            yield CourseLine(
                key=course.key,
                status=course.status,
                is_decided=course.is_decided,
                order_label=wording.order(_order(course, members), self.locale),
                dots=tuple(
                    Dot(status=state, label=wording.status(state, self.locale)) for state in states
                ),
                dots_label=wording.progress(done, len(states), self.locale),
                package=course.package,
                needs_attention=any(
                    judged.get(row.id) for s in members for row in visits[s.CourseSession.id]
                ),
            )

    def _state(self, rows: Sequence[Appointment]) -> str:
        """The status a session is shown with: that of its live appointment, else how it was missed."""
        states = [self._status(row) for row in rows]
        for state in states:
            if state not in ("released", "cancelled", "no_show"):
                return "booked" if state == "confirmed" else state
        return "no_show" if states and states[-1] == "no_show" else "open"

    def _date(self, row: DateToAvoid) -> DateLine:
        label = wording.date_to_avoid(
            row.kind, row.from_date, row.until_date, at=row.at, note=row.note, locale=self.locale
        )
        return DateLine(id=row.id, kind=row.kind, label=label, is_past=row.until_date < self.today)

    def _consent(self, row: Consent) -> ConsentLine:
        return ConsentLine(
            id=row.id,
            kind=row.kind,
            text_version=row.text_version,
            language_label=wording.language(row.language, self.locale),
            signed_label=wording.format_date(row.signed_on, self.locale),
        )


def _visits(session: Session, patient_id: int) -> list[Any]:
    statement = (
        sa.select(
            Appointment,
            Site,
            Provider,
            Service.name.label("service_name"),
            Service.kind.label("kind"),
            CourseSession.number.label("number"),
            Course.id.label("course_id"),
            Course.key.label("course_key"),
            Consult.id.label("consult_id"),
        )
        .join(Site, Site.id == Appointment.site_id)
        .join(Provider, Provider.id == Appointment.provider_id)
        .join(Service, Service.id == Appointment.service_id)
        .outerjoin(CourseSession, CourseSession.id == Appointment.course_session_id)
        .outerjoin(Course, Course.id == CourseSession.course_id)
        .outerjoin(Consult, Consult.appointment_id == Appointment.id)
        .where(Appointment.patient_id == patient_id)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return list(session.execute(statement))


def _sessions(session: Session, patient_id: int) -> list[Any]:
    statement = (
        sa.select(Course, CourseSession)
        .join(CourseSession, CourseSession.course_id == Course.id)
        .where(Course.patient_id == patient_id)
        .order_by(Course.id, CourseSession.number)
    )
    return list(session.execute(statement))


def _totals(sessions: Iterable[Any]) -> dict[int, int]:
    totals: dict[int, int] = defaultdict(int)
    for found in sessions:
        totals[found.Course.id] += 1
    return totals


def _order(course: Course, members: Iterable[Any]) -> CourseOrder:
    return CourseOrder(
        service_id=course.service_id,
        sessions=tuple(
            SessionOrder(
                number=row.number,
                minutes=row.minutes,
                gap=Gap(floor=row.gap_floor, target=row.gap_target, soft_max=row.gap_soft_max),
                zones=frozenset(row.zones),
                is_custom_gap=row.gap_is_custom,
            )
            for row in (found.CourseSession for found in members)
        ),
        same_zone_gap=Gap(
            floor=course.same_floor, target=course.same_target, soft_max=course.same_soft_max
        ),
        is_decided=course.is_decided,
    )


def _belongs_here(conflict: Conflict) -> bool:
    is_grave = conflict.severity in HARD
    return is_grave or (conflict.severity is Severity.WARN and conflict.code.startswith(SPOKEN))
