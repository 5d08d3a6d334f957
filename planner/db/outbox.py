"""What a transaction means to patients, as rows of the outbox: written with the change itself.

Derived from what changed, like the audit trail, so that no use case can forget to tell, and taking
a change back withdraws what nobody has been told yet. A row says what the patient knew before; its
words are made when it is sent. So a later change replaces an unsent earlier message, and whoever is
told, is told how it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import changes, keys
from planner.db.models import Appointment, CourseSession, Message, Patient, Service, Site
from planner.db.traces import Trace
from planner.scheduling import telling
from planner.scheduling.telling import Known, News, Quiet
from planner.scheduling.timetable import Status
from planner.who import Who

NEWS = ("confirmation", "course", "change", "cancellation")
"""Kinds that tell of a change; at most one of them waits for each course or single appointment."""

SKEW = timedelta(seconds=15)
"""How far apart the clocks of two hosts may be."""
AFTERCARE_FOR = timedelta(days=3)

Facts = Mapping[str, Known | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a message is about: a course, or an appointment that serves none."""

    patient_id: int
    course_id: int | None = None
    appointment_id: int | None = None


def write(
    session: Session,
    traces: Sequence[Trace],
    *,
    tell_provider: Collection[int],
    by: Who,
    now: datetime,
) -> None:
    """Add what patients are to be told of these changes, and withdraw what is true no longer.

    Of another provider at the same time patients are told only for the appointments of
    ``tell_provider``.
    """
    _follow_their_patient(session, traces)
    visits = [trace for trace in traces if trace.table == "appointment"]
    if not visits:
        return
    writer = _Writer(session, by, now)
    subjects: dict[Subject, dict[str, Known | None]] = {}
    revised: list[int] = []
    for trace in visits:
        before, after = _state(trace.before), _state(trace.after)
        if trace.id not in tell_provider:
            before = telling.without_provider(before, after)
        if telling.news(before, after) is not None:
            subjects.setdefault(writer.subject(trace), {})[str(trace.id)] = before
        elif before and after and trace.changed & {"ends_at"} and trace.id:
            revised.append(trace.id)
        writer.follow(trace)
    for subject, facts in subjects.items():
        writer.tell(subject, facts)
    for appointment_id in revised:
        writer.invite((appointment_id,))


def _follow_their_patient(session: Session, traces: Sequence[Trace]) -> None:
    """Let messages go where their visit or course goes: to the file it is merged into, or back."""
    columns = {"appointment": Message.appointment_id, "course": Message.course_id}
    for trace in traces:
        if (
            trace.table in columns
            and trace.before
            and trace.after
            and "patient_id" in trace.changed
        ):
            session.execute(
                sa.update(Message)
                .where(columns[trace.table] == trace.id)
                .values(patient_id=trace.after["patient_id"])
            )


def facts_of(row: Message) -> dict[int, Known | None]:
    """Return what the patient knew of each appointment the message is about, by id."""
    return {int(key): _known(facts) for key, facts in row.facts.items()}


def state_of(row: Appointment) -> Known | None:
    """Return what the patient counts on of an appointment as it stands."""
    return telling.known(
        row.status, starts_at=row.starts_at, site_id=row.site_id, provider_id=row.provider_id
    )


def add(
    session: Session,
    *,
    kind: str,
    patient: Patient,
    not_before: datetime,
    expires_at: datetime,
    now: datetime,
    by: Who,
    facts: Facts | None = None,
    channel: str = "",
    **about: Any,
) -> Message:
    """Store a message that waits; not flushed. It goes the way the patient wishes."""
    row = Message(
        key=keys.new(),
        kind=kind,
        channel=channel or ("sms" if patient.reminders_by == "sms" else "mail"),
        status="waiting",
        patient_id=patient.id,
        facts={key: _stored(known) for key, known in (facts or {}).items()},
        not_before=not_before,
        expires_at=expires_at,
        next_attempt_at=not_before,
        created_at=now,
        created_by=by.user_id,
        **about,
    )
    session.add(row)
    return row


def drop(row: Message, reason: str, by: Message | None = None) -> None:
    """Withdraw a message that has not been sent."""
    row.status, row.reason, row.lease_until = "dropped", reason, None
    row.superseded_by = by.id if by else None


def quiet_of(site: Site) -> Quiet:
    """Return the quiet hours of a site."""
    return Quiet(site.quiet_from, site.quiet_until)


def kind_of(news: Iterable[News], *, is_course: bool) -> str:
    """Return the kind of the message that tells all of this."""
    found = set(news)
    if found == {News.NEW}:
        return "course" if is_course else "confirmation"
    return "cancellation" if found == {News.OFF} else "change"


class _Writer:
    """Writes the messages of one transaction."""

    def __init__(self, session: Session, by: Who, now: datetime) -> None:
        self.session, self.by, self.now = session, by, now
        self._waiting: dict[int, list[Message]] = {}

    def subject(self, trace: Trace) -> Subject:
        image = trace.after or trace.before or {}
        session_id = image.get("course_session_id")
        if session_id is None:
            return Subject(patient_id=image["patient_id"], appointment_id=trace.id)
        course_id = self.session.get_one(CourseSession, session_id).course_id
        return Subject(patient_id=image["patient_id"], course_id=course_id)

    def tell(self, subject: Subject, facts: dict[str, Known | None]) -> None:
        """Put the news of a subject into one message, in place of an unsent one."""
        old = [row for row in self.waiting(subject.patient_id) if _is_about(row, subject)]
        for row in old:
            facts |= {str(id_): known for id_, known in facts_of(row).items()}
        rows = self._rows(facts)
        news = {
            key: found
            for key, known in facts.items()
            if (found := self._news(key, known, rows)) is not None
        }
        new = self._add(subject, facts, news, rows) if news else None
        for row in old:
            drop(row, "superseded" if new else "undone", new)
        self._drop_about(subject.patient_id, {int(key) for key in facts})
        if new is not None and len(news) > 1:
            self.invite(int(key) for key in news)

    def invite(self, appointment_ids: Iterable[int]) -> None:
        """Send each event to the calendar of a patient who has asked for it: one UID a mail."""
        for id_ in appointment_ids:
            row = self.session.get_one(Appointment, id_)
            patient = self.session.get_one(Patient, row.patient_id)
            if patient.invitations_since is None or row.starts_at <= self.now:
                continue
            add(
                self.session,
                kind="invitation",
                patient=patient,
                channel="mail",
                facts={str(id_): None},
                not_before=self._earliest(),
                expires_at=row.starts_at,
                appointment_id=id_,
                site_id=row.site_id,
                now=self.now,
                by=self.by,
            )

    def follow(self, trace: Trace) -> None:
        """Write what comes after a session that took place, and end what no longer applies."""
        was, is_ = ((image or {}).get("status") for image in (trace.before, trace.after))
        if was == is_ or trace.id is None or trace.after is None:
            return
        patient_id = trace.after["patient_id"]
        if is_ == "fulfilled":
            self._add_aftercare(self.session.get_one(Appointment, trace.id))
        elif was == "fulfilled":
            self._drop_kinds(patient_id, trace.id, ("aftercare",))
        if is_ in ("arrived", "started", "no_show"):
            self._drop_kinds(patient_id, trace.id, ("reminder", *NEWS))

    def waiting(self, patient_id: int) -> list[Message]:
        """Return the patient's unsent messages; on PostgreSQL no worker takes them meanwhile."""
        if patient_id not in self._waiting:
            statement = (
                sa.select(Message)
                .where(Message.patient_id == patient_id, Message.status == "waiting")
                .order_by(Message.id)
                .with_for_update()
            )
            self._waiting[patient_id] = list(self.session.scalars(statement))
        return [row for row in self._waiting[patient_id] if row.status == "waiting"]

    def _rows(self, facts: Facts) -> dict[str, Appointment]:
        ids = [int(key) for key in facts]
        found = self.session.scalars(sa.select(Appointment).where(Appointment.id.in_(ids)))
        return {str(row.id): row for row in found}

    def _news(self, key: str, known: Known | None, rows: dict[str, Appointment]) -> News | None:
        row = rows[key]
        after = state_of(row)
        if after is not None and after.starts_at <= self.now:
            return None
        found = telling.news(known, after)
        if found is None and after is None and known is None:
            # Booked a while ago and not told yet; but the patient was there, or on the phone.
            return News.OFF if self._was_promised(row) else None
        if found is News.OFF and known is not None and known.starts_at <= self.now:
            return None
        return found

    def _was_promised(self, row: Appointment) -> bool:
        is_old = self.now - row.created_at > changes.UNDO_FOR
        return is_old and row.starts_at > self.now and row.status in ("cancelled", "released")

    def _add(
        self,
        subject: Subject,
        facts: Facts,
        news: Mapping[str, News],
        rows: Mapping[str, Appointment],
    ) -> Message:
        told = [rows[key] for key in news]
        site = self.session.get_one(Site, told[0].site_id)
        first = min(
            at
            for key in news
            for at in (rows[key].starts_at, getattr(facts[key], "starts_at", None))
            if at is not None
        )
        row = add(
            self.session,
            kind=kind_of(news.values(), is_course=subject.course_id is not None),
            patient=self.session.get_one(Patient, subject.patient_id),
            not_before=telling.send_at(self._earliest(), quiet_of(site), site.zone, visit=first),
            expires_at=max(row.starts_at for row in told),
            now=self.now,
            by=self.by,
            facts={key: facts[key] for key in news},
            course_id=subject.course_id,
            appointment_id=told[0].id if len(told) == 1 else None,
            site_id=site.id,
        )
        self.session.flush()
        return row

    def _add_aftercare(self, row: Appointment) -> None:
        patient = self.session.get_one(Patient, row.patient_id)
        service = self.session.get_one(Service, row.service_id)
        ended_at = row.actual_ends_at or row.ends_at
        if service.kind != "session" or patient.reminders_by == "none":
            return
        if ended_at + AFTERCARE_FOR <= self.now:
            return
        site = self.session.get_one(Site, row.site_id)
        # What is to be heeded begins at once: it does not wait for the quiet hours to end.
        add(
            self.session,
            kind="aftercare",
            patient=patient,
            not_before=self._earliest(),
            expires_at=ended_at + AFTERCARE_FOR,
            now=self.now,
            by=self.by,
            appointment_id=row.id,
            site_id=site.id,
        )

    def _drop_about(self, patient_id: int, ids: set[int]) -> None:
        """Withdraw reminders and invitations of appointments that have changed."""
        for row in self.waiting(patient_id):
            if row.kind in ("reminder", "invitation") and row.appointment_id in ids:
                drop(row, "superseded")

    def _drop_kinds(self, patient_id: int, appointment_id: int, kinds: Collection[str]) -> None:
        for row in self.waiting(patient_id):
            if row.kind in kinds and row.appointment_id == appointment_id:
                drop(row, "undone")

    def _earliest(self) -> datetime:
        return self.now + changes.UNDO_FOR + SKEW


def _is_about(row: Message, subject: Subject) -> bool:
    if row.kind not in NEWS or row.course_id != subject.course_id:
        return False
    return subject.course_id is not None or row.appointment_id == subject.appointment_id


def _state(image: Mapping[str, Any] | None) -> Known | None:
    if image is None or Status(image["status"]) not in telling.PROMISED:
        return None
    return telling.known(
        image["status"],
        starts_at=datetime.fromisoformat(image["starts_at"]),
        site_id=image["site_id"],
        provider_id=image["provider_id"],
    )


def _stored(known: Known | None) -> dict[str, Any] | None:
    return None if known is None else asdict(known) | {"starts_at": known.starts_at.isoformat()}


def _known(facts: Mapping[str, Any] | None) -> Known | None:
    if facts is None:
        return None
    return Known(**{**facts, "starts_at": datetime.fromisoformat(facts["starts_at"])})
