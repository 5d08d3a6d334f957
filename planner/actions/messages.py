"""What the worker does with a message, and what a manager does in the queue.

The steps of one message are transactions of their own, because nothing leaves the house inside one:
claimed, prepared (what will be sent is written down first), then sent, and marked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.actions.links import LIFETIME
from planner.db import catalogue, keys, links, messages, outbox, patients, phones
from planner.db.engine import Tx, transaction
from planner.db.messages import LEASE
from planner.db.models import Appointment, Message, Patient, Site, User
from planner.errors import Invalid, NotFound, Stale
from planner.scheduling import telling
from planner.who import SYSTEM, Who
from planner.wording import messages as words
from planner.wording import speech

__all__ = [
    "LEASE",
    "Claimed",
    "Prepared",
    "claim",
    "drop",
    "plan",
    "prepare",
    "retry",
    "send_again",
]

NOT_BOOKED_AFTER = timedelta(days=3)
NOT_BOOKED_FOR = timedelta(days=14)
TEST_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message lent to one worker."""

    id: int
    key: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What has been written down of a message that is about to be sent."""

    message_id: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What will be sent: to be written down before it is. ``body`` is without the link."""

    recipient: str
    locale: str
    subject: str
    body: str
    domain: str  # right of the @ in the Message-ID


def claim(owner: str, channels: tuple[str, ...], *, now: datetime) -> Claimed | None:
    """Take the next message that is due for ten minutes, or return None."""

    def work(tx: Tx) -> Claimed | None:
        row = messages.claim(tx, owner=owner, channels=channels)
        return None if row is None else Claimed(id=row.id, key=row.key, channel=row.channel)

    return transaction(work, by=SYSTEM, now=now, action="message.claim")


def prepare(
    claimed: Claimed, owner: str, outgoing: Outgoing, *, secret: str, now: datetime
) -> Prepared | None:
    """Write down what will be sent, and make the link in it work; None when it is another's now.

    Message-ID and link are the same in every attempt: the link's token follows from the secret and
    the message's key, so that none has to be stored.
    """

    def work(tx: Tx) -> Prepared | None:
        row = messages.held(tx, claimed.id, owner)
        if row is None:
            return None
        row.message_id = row.message_id or f"<{row.key}@{outgoing.domain}>"
        row.recipient, row.locale = outgoing.recipient, outgoing.locale
        row.subject, row.body = outgoing.subject, outgoing.body
        token = _linked(tx, row, secret)
        return Prepared(message_id=row.message_id, token=token)

    return transaction(work, by=SYSTEM, now=now, action="message.prepare")


def sent(claimed: Claimed, owner: str, *, receipt: str = "", now: datetime) -> bool:
    """Mark a message as sent. False when it was no longer this worker's to mark."""

    def work(tx: Tx, row: Message) -> None:
        row.status, row.sent_at, row.lease_until = "sent", tx.now, None
        row.reason, row.last_error, row.receipt = "", "", receipt[:64]
        facts = {"kind": row.kind, "channel": row.channel, "patient_id": row.patient_id}
        tx.note("message", row.id, facts)

    return _marked(claimed, owner, work, "message.sent", now)


def deferred(claimed: Claimed, owner: str, *, reason: str, error: str, now: datetime) -> bool:
    """Let a message try again later, after a refusal for now or an answer that never came."""

    def work(tx: Tx, row: Message) -> None:
        messages.wait_again(row, tx.now, reason=reason, error=error)

    return _marked(claimed, owner, work, "message.deferred", now)


def refused(claimed: Claimed, owner: str, *, reason: str, error: str, now: datetime) -> bool:
    """Give a message up: another attempt would be refused as well."""

    def work(tx: Tx, row: Message) -> None:
        row.status, row.reason, row.lease_until = "failed", reason, None
        row.last_error = error[:300]

    return _marked(claimed, owner, work, "message.refused", now)


def given_back(claimed: Claimed, owner: str, until: datetime, *, error: str, now: datetime) -> bool:
    """Let a message wait that was never tried."""

    def work(tx: Tx, row: Message) -> None:
        messages.give_back(row, until, error=error)

    return _marked(claimed, owner, work, "message.given_back", now)


def needless(claimed: Claimed, owner: str, *, reason: str, now: datetime) -> bool:
    """Drop a message that has nothing to say or nobody to say it to."""

    def work(tx: Tx, row: Message) -> None:
        outbox.drop(row, reason)

    return _marked(claimed, owner, work, "message.needless", now)


def plan(*, now: datetime) -> int:
    """Write the reminders that are due, and word of sessions nobody has booked; return how many.

    Each is planned once, however many workers there are. Made from what is booked just now, so that
    a visit that moves takes its reminders with it.
    """

    def work(tx: Tx) -> int:
        messages.lock_planning(tx)
        return _add_reminders(tx) + _add_unfinished(tx)

    return transaction(work, by=SYSTEM, now=now, action="message.plan")


def retry(key: str, *, by: Who, now: datetime) -> None:
    """Let a failed or dropped message try again at once. Raises NotFound, Stale, or Invalid when late."""

    def work(tx: Tx) -> None:
        row = _get(tx, key)
        if row.status not in ("failed", "waiting", "dropped"):
            raise Stale({"status": (None, row.status)})
        if row.reason in ("superseded", "undone"):
            raise Invalid({"": "superseded"})
        if row.expires_at <= tx.now:
            raise Invalid({"": "too_late"})
        row.status, row.attempts, row.reason = "waiting", 0, ""
        row.next_attempt_at = max(tx.now, row.not_before)
        tx.note("message", row.id, {"queue": "retry"})

    transaction(work, by=by, now=now, action="message.retry")


def drop(key: str, *, by: Who, now: datetime) -> None:
    """Withdraw a message that has not been sent. Raises NotFound or Stale."""

    def work(tx: Tx) -> None:
        row = _get(tx, key)
        if row.status not in ("failed", "waiting"):
            raise Stale({"status": (None, row.status)})
        outbox.drop(row, "by_hand")
        tx.note("message", row.id, {"queue": "drop"})

    transaction(work, by=by, now=now, action="message.drop")


def send_again(key: str, *, by: Who, now: datetime) -> None:
    """Tell a patient once more what a message told, as it stands now.

    Raises NotFound; Invalid when it would say nothing any more.
    """

    def work(tx: Tx) -> None:
        old = _get(tx, key)
        if old.patient_id is None:
            raise NotFound("message")
        if old.expires_at <= tx.now or old.reason in ("superseded", "undone"):
            raise Invalid({"": "too_late"})
        row = outbox.add(
            tx.session,
            kind=old.kind,
            patient=tx.session.get_one(Patient, old.patient_id),
            channel="mail" if old.kind == "invitation" else "",
            facts={str(id_): known for id_, known in outbox.facts_of(old).items()},
            not_before=tx.now,
            expires_at=old.expires_at,
            now=tx.now,
            by=tx.by,
            course_id=old.course_id,
            appointment_id=old.appointment_id,
            site_id=old.site_id,
        )
        tx.session.flush()
        tx.note("message", row.id, {"queue": "again", "of": old.id})

    transaction(work, by=by, now=now, action="message.again")


def send_test(kind: str, language: str, *, number: str = "", by: Who, now: datetime) -> None:
    """Send a message with made-up data, by the way of all messages.

    As mail to the signed-in user; as a text message to the phone number, where one is given. Raises
    NotFound; Invalid for what is no number.
    """
    if kind not in words.EDITABLE or language not in speech.SPOKEN:
        raise NotFound("text")
    if number and not phones.is_number(number):
        raise Invalid({"number": "phone"})

    def work(tx: Tx) -> None:
        user = tx.session.get(User, by.user_id) if by.user_id else None
        if user is None:
            raise NotFound("user")
        tx.session.add(
            Message(
                key=keys.new(),
                kind="test",
                channel="sms" if number else "mail",
                status="waiting",
                recipient=phones.normalised(number) if number else user.email,
                locale=language,
                facts={"of": kind},
                not_before=now,
                next_attempt_at=now,
                expires_at=now + TEST_FOR,
                created_at=now,
                created_by=user.id,
            )
        )
        tx.note("message", None, {"test": kind, "language": language})

    transaction(work, by=by, now=now, action="message.test")


def set_wishes(key: str, reminders_by: str, *, invitations: bool, by: Who, now: datetime) -> None:
    """Set how a patient wants to be reminded, and whether invitations go to their mail's calendar.

    Raises NotFound; Invalid for a way that there is not.
    """
    if reminders_by not in ("none", "mail", "sms"):
        raise Invalid({"reminders_by": "choice"})

    def work(tx: Tx) -> None:
        row = patients.get(tx.session, key)
        row.reminders_by = reminders_by
        if invitations != (row.invitations_since is not None):
            row.invitations_since = tx.now if invitations else None

    transaction(work, by=by, now=now, action="patient.message_wishes")


def _get(tx: Tx, key: str) -> Message:
    row = messages.find(tx, key)
    if row is None:
        raise NotFound("message")
    return row


def _marked(
    claimed: Claimed, owner: str, work: Callable[[Tx, Message], None], action: str, now: datetime
) -> bool:
    def whole(tx: Tx) -> bool:
        row = messages.held(tx, claimed.id, owner)
        if row is not None:
            work(tx, row)
        return row is not None

    return transaction(whole, by=SYSTEM, now=now, action=action)


def _linked(tx: Tx, row: Message, secret: str) -> str:
    """Return the token of the message's link; one that has been ended is not opened again."""
    if row.patient_id is None:
        return ""
    for number in range(10):
        token = keys.derived(secret, "message link", row.key, str(number))
        found = links.find(tx.session, token)
        if found is None:
            found = links.add(
                tx,
                patient_id=links.kept(tx.session, row.patient_id),
                token_hash=keys.digest(token),
                expires_at=tx.now + LIFETIME,
            )
            tx.session.flush()
        if links.is_open(found, tx.now):
            row.link_id = found.id
            return token
    return ""


def _add_reminders(tx: Tx) -> int:
    due = {}
    for visit, days, site, patient, told_at in messages.to_be_reminded(tx.session, tx.now):
        if not _can_be_reached(patient):
            continue
        count = telling.reminder_due(
            visit.starts_at,
            days,
            outbox.quiet_of(site),
            site.zone,
            told_at=told_at or visit.created_at,
            now=tx.now,
        )
        if count is not None:
            due[f"reminder:{visit.id}:{visit.starts_at:%Y%m%dT%H%M}:{count}"] = (
                visit, site, patient,
            )  # fmt: skip
    wanted = due.keys() - messages.planned(tx.session, due.keys())
    for name in sorted(wanted):
        visit, site, patient = due[name]
        _add_reminder(tx, name, visit, site, patient)
    return len(wanted)


def _add_reminder(tx: Tx, name: str, visit: Appointment, site: Site, patient: Patient) -> None:
    outbox.add(
        tx.session,
        kind="reminder",
        patient=patient,
        planned_as=name,
        facts={str(visit.id): outbox.state_of(visit)},
        not_before=telling.send_at(tx.now, outbox.quiet_of(site), site.zone),
        expires_at=visit.starts_at - telling.TOO_LATE,
        appointment_id=visit.id,
        site_id=site.id,
        now=tx.now,
        by=tx.by,
    )


def _add_unfinished(tx: Tx) -> int:
    found = {
        f"next:{row.id}:{row.done}": row
        for row in messages.unfinished(tx.session, tx.now, NOT_BOOKED_AFTER)
    }
    wanted = found.keys() - messages.planned(tx.session, found.keys())
    for name in sorted(wanted):
        row = found[name]
        site = catalogue.get(tx.session, Site, row.site_id)
        patient = tx.session.get_one(Patient, row.patient_id)
        if patient.reminders_by == "none" or not _can_be_reached(patient):
            continue
        outbox.add(
            tx.session,
            kind="next_session",
            patient=patient,
            planned_as=name,
            not_before=telling.send_at(tx.now, outbox.quiet_of(site), site.zone),
            expires_at=tx.now + NOT_BOOKED_FOR,
            course_id=row.id,
            site_id=site.id,
            now=tx.now,
            by=tx.by,
        )
    return len(wanted)


def _can_be_reached(patient: Patient) -> bool:
    return bool(patient.phone if patient.reminders_by == "sms" else patient.email)
