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
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from planner.db import changes, keys, snapshots
from planner.db.models import Appointment, CourseSession, Message, Patient, Service, Site
from planner.db.prepared import Insertion, Prepared
from planner.db.traces import Trace
from planner.scheduling import telling
from planner.scheduling.telling import Known, News, Quiet
from planner.scheduling.timetable import Status
from planner.who import Who

NEWS = ("confirmation", "course", "change", "cancellation")
"""Kinds that tell of a change; at most one of them waits for each course or single appointment."""
COME = ("arrived", "started", "fulfilled")
"""Whoever is here, or was, is told nothing of that visit, neither that it stands nor that it is off."""

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
        if not _is_attendance(trace) and telling.news(before, after) is not None:
            subjects.setdefault(writer.subject(trace), {})[str(trace.id)] = before
        elif before and after and trace.changed & {"ends_at"} and trace.id:
            revised.append(trace.id)
        writer.follow(trace)
    for subject, facts in subjects.items():
        writer.tell(subject, facts)
    for appointment_id in revised:
        writer.invite((appointment_id,))
    session.flush()  # what was withdrawn is written before the trail, where other writers queue


def _is_attendance(trace: Trace) -> bool:
    """Whether somebody only came, was treated, or had not come after all."""
    steps = {(image or {}).get("status") for image in (trace.before, trace.after)}
    return bool(steps & set(COME)) and steps <= {*COME, *telling.PROMISED}


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
        **_columns(
            kind=kind,
            channel=channel or _way(patient.reminders_by),
            patient_id=patient.id,
            facts=facts or {},
            not_before=not_before,
            expires_at=expires_at,
            now=now,
            by=by,
        ),
        **about,
    )
    session.add(row)
    return row


def drop(row: Message, reason: str, by_id: int | None = None) -> None:
    """Withdraw a message that has not been sent; ``by_id`` is the one that takes its place."""
    row.status, row.reason, row.lease_until = "dropped", reason, None
    row.superseded_by = by_id


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
        self._wishes: dict[int, Any] = {}
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
        new_id = self._add(subject, facts, news, rows) if news else None
        for row in old:
            drop(row, "superseded" if new_id else "undone", new_id)
        self._drop_about(subject.patient_id, {int(key) for key in facts})
        if new_id is not None and len(news) > 1:
            self.invite(int(key) for key in news)

    def invite(self, appointment_ids: Iterable[int]) -> None:
        """Send each event to the calendar of a patient who has asked for it: one UID a mail."""
        for id_ in appointment_ids:
            row = self.session.get_one(Appointment, id_)
            wishes = self._wishes_of(row.patient_id)
            if wishes.invitations_since is None or row.starts_at <= self.now:
                continue
            self._store(
                kind="invitation",
                channel="mail",
                patient_id=row.patient_id,
                facts={str(id_): None},
                not_before=self._earliest(),
                expires_at=row.starts_at,
                appointment_id=id_,
                site_id=row.site_id,
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
            has_any = self._wishes_of(patient_id).is_waited_for
            found = self.session.scalars(_unsent_of(), {"id": patient_id}) if has_any else ()
            self._waiting[patient_id] = list(found)
        return [row for row in self._waiting[patient_id] if row.status == "waiting"]

    def _wishes_of(self, patient_id: int) -> Any:
        """Return how the patient wishes to be written to, and whether a message waits for them."""
        if patient_id not in self._wishes:
            found = _wishes().first(self.session.connection(), {"id": patient_id})
            self._wishes[patient_id] = found
        return self._wishes[patient_id]

    def _rows(self, facts: Facts) -> dict[str, Appointment]:
        """Return the appointments as they stand: what was written just now is not read again."""
        ids = [int(key) for key in facts]
        loaded = (self.session.identity_map.get(identity_key(Appointment, id_)) for id_ in ids)
        rows = {str(row.id): row for row in loaded if row is not None}
        others = [id_ for id_ in ids if str(id_) not in rows]
        if others:
            found = self.session.scalars(sa.select(Appointment).where(Appointment.id.in_(others)))
            rows |= {str(row.id): row for row in found}
        return rows

    def _news(self, key: str, known: Known | None, rows: dict[str, Appointment]) -> News | None:
        row = rows[key]
        if row.status in COME:
            return None
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
    ) -> int:
        told = [rows[key] for key in news]
        site_id = told[0].site_id
        zone, quiet = _nights(self.session)[site_id]
        first = min(
            at
            for key in news
            for at in (rows[key].starts_at, getattr(facts[key], "starts_at", None))
            if at is not None
        )
        return self._store(
            kind=kind_of(news.values(), is_course=subject.course_id is not None),
            patient_id=subject.patient_id,
            not_before=telling.send_at(self._earliest(), quiet, zone, visit=first),
            expires_at=max(row.starts_at for row in told),
            facts={key: facts[key] for key in news},
            course_id=subject.course_id,
            appointment_id=told[0].id if len(told) == 1 else None,
            site_id=site_id,
        )

    def _store(
        self,
        *,
        kind: str,
        patient_id: int,
        not_before: datetime,
        expires_at: datetime,
        facts: Facts,
        site_id: int,
        appointment_id: int | None,
        course_id: int | None = None,
        channel: str = "",
    ) -> int:
        """Store a message that waits, past the session, which would take longer; return its id."""
        values = _columns(
            kind=kind,
            channel=channel or _way(self._wishes_of(patient_id).reminders_by),
            patient_id=patient_id,
            facts=facts,
            not_before=not_before,
            expires_at=expires_at,
            now=self.now,
            by=self.by,
        )
        about = {"course_id": course_id, "appointment_id": appointment_id, "site_id": site_id}
        return _INSERT.one(self.session.connection(), values | about)

    def _add_aftercare(self, row: Appointment) -> None:
        service = self.session.get_one(Service, row.service_id)
        ended_at = row.actual_ends_at or row.ends_at
        if service.kind != "session" or self._wishes_of(row.patient_id).reminders_by == "none":
            return
        if ended_at + AFTERCARE_FOR <= self.now:
            return
        # What is to be heeded begins at once: it does not wait for the quiet hours to end.
        self._store(
            kind="aftercare",
            patient_id=row.patient_id,
            not_before=self._earliest(),
            expires_at=ended_at + AFTERCARE_FOR,
            facts={},
            appointment_id=row.id,
            site_id=row.site_id,
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


_INSERT = Insertion(Message.metadata.tables["message"])


@lru_cache
def _wishes() -> Prepared:
    """Built once, like what follows: putting a statement together takes longer than running it."""
    waits = sa.exists().where(Message.patient_id == Patient.id, Message.status == "waiting")
    return Prepared(
        sa.select(
            Patient.reminders_by, Patient.invitations_since, waits.label("is_waited_for")
        ).where(Patient.id == sa.bindparam("id"))
    )


@lru_cache
def _unsent_of() -> Any:
    return (
        sa.select(Message)
        .where(Message.patient_id == sa.bindparam("id"), Message.status == "waiting")
        .order_by(Message.id)
        .with_for_update()
    )


def _nights(session: Session) -> Mapping[int, tuple[str, Quiet]]:
    """Return the zone and the quiet hours of each site, as this process knows them."""

    def read() -> dict[int, tuple[str, Quiet]]:
        sites = session.execute(sa.select(Site.id, Site.zone, Site.quiet_from, Site.quiet_until))
        return {row.id: (row.zone, Quiet(row.quiet_from, row.quiet_until)) for row in sites}

    return snapshots.kept(session, "nights", read)


def _columns(
    *,
    kind: str,
    channel: str,
    patient_id: int,
    facts: Facts,
    not_before: datetime,
    expires_at: datetime,
    now: datetime,
    by: Who,
) -> dict[str, Any]:
    """Return the columns of a message that waits, but for what it is about."""
    return {
        "key": keys.new(),
        "kind": kind,
        "channel": channel,
        "status": "waiting",
        "patient_id": patient_id,
        "facts": {key: _stored(known) for key, known in facts.items()},
        "not_before": not_before,
        "expires_at": expires_at,
        "next_attempt_at": not_before,
        "created_at": now,
        "created_by": by.user_id,
    }


def _way(reminders_by: str) -> str:
    return "sms" if reminders_by == "sms" else "mail"


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
