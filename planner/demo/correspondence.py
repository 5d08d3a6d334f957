"""What passed between the made-up clinic and its patients: messages, links, subscriptions, notices.

Nothing is sent: rows are written as a worker and the patients' own pages would have left them, with the
words that messages have. Addresses end in @example.com, which takes no mail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from planner.db import outbox, users
from planner.db.engine import Tx, transaction
from planner.db.models import (
    Appointment,
    CalendarFeed,
    FeedFetch,
    Message,
    Notice,
    Patient,
    PatientLink,
)
from planner.demo import names
from planner.mail import letters
from planner.mail.letters import Letter
from planner.queries import letters as queries
from planner.scheduling.timetable import Status
from planner.who import Who

if TYPE_CHECKING:
    from planner.demo.simulation import Visit, World

BY = Who(user_id=None, role="system", origin="demo", request_id="demo")
DESK, PROVIDER = "reception@example.com", "provider@example.com"
DOMAIN = "example.com"
MOST_OF_A_KIND = 14
LATELY, SOON = timedelta(days=21), timedelta(days=21)
OPEN_FOR = timedelta(days=180)
IPHONE = "iOS/17.6 dataaccessd/1.0"
GOOGLE = "Google-Calendar-Importer"
SAID = {
    "es": "¿Podría ser por la tarde? Gracias.",
    "en": "Could it be in the afternoon? Thank you.",
}
HEALTH = {
    "es": "Empecé a tomar un anticoagulante la semana pasada.",
    "en": "I have started to take a blood thinner last week.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a message."""

    status: str
    reason: str = ""
    error: str = ""
    attempts: int = 1


STOPPED = Fate(
    status="failed",
    reason="unsubscribed",
    error="400 21610 Attempt to send to unsubscribed recipient",
)
SENT, WAITING = Fate(status="sent"), Fate(status="waiting", attempts=0)
FAILURES = (
    Fate(status="failed", reason="refused", error="RCPT: 550 5.1.1 no such user"),
    Fate(status="failed", reason="deferred", error="RCPT: 452 4.2.2 mailbox full", attempts=10),
    Fate(status="dropped", reason="undone", attempts=0),
)


def write(world: World) -> None:
    """Write all of it."""
    chance = Random(f"{world.seed} correspondence")  # noqa: S311  the same clinic for the same seed
    own = [visit for visit in world.visits if not _is_planted(visit)]
    coming = _one_each(
        visit
        for visit in own
        if visit.status is Status.BOOKED and world.now < visit.slot.starts_at < world.now + SOON
    )
    lately = _one_each(
        visit
        for visit in reversed(own)
        if visit.status is Status.FULFILLED
        and visit.course
        and world.now - LATELY < visit.slot.ends_at < world.now
    )

    def work(tx: Tx) -> list[tuple[int, Fate]]:
        _let_some_be_called(tx, coming)
        drafted = [*_told(tx, world, coming, chance), *_after(tx, world, lately, chance)]
        tx.session.flush()
        _subscribe(tx, world, coming, chance)
        _tell(tx, world, coming, lately)
        return [(row.id, fate) for row, fate in drafted]

    drafted = transaction(work, by=BY, now=world.now, action="demo.told", is_silent=True)
    _send(world, drafted, chance)


def _is_planted(visit: Visit) -> bool:
    return visit.person.email.startswith("planted")


def _one_each(visits: Iterator[Visit]) -> list[Visit]:
    """Return the first visit of each patient, the earliest first."""
    found: dict[str, Visit] = {}
    for visit in visits:
        found.setdefault(visit.person.key, visit)
    return sorted(found.values(), key=lambda visit: visit.slot.starts_at)


def _let_some_be_called(tx: Tx, coming: Sequence[Visit]) -> None:
    """Of those who come next some have no mail, some want text messages, some want nothing."""
    wishes: Sequence[dict[str, str]] = (
        {"email": ""},
        {},
        {"reminders_by": "sms"},
        {},
        {"reminders_by": "none"},
        {},
    )
    for number, visit in enumerate(coming):
        row = tx.session.get_one(Patient, visit.person.row_id)
        for column, value in wishes[number % len(wishes)].items():
            setattr(row, column, value)


def _told(
    tx: Tx, world: World, coming: Sequence[Visit], chance: Random
) -> Iterator[tuple[Message, Fate]]:
    """Confirmations and reminders of what is to come; the last are not out yet, or never will be."""
    cut = min(MOST_OF_A_KIND, max(len(coming) - 2, 0))
    for number, visit in enumerate(coming[:cut]):
        failure = FAILURES[number // 3 % len(FAILURES)] if number % 3 == 0 else None
        at = max(visit.made_at, world.now - LATELY) + timedelta(minutes=3)
        yield _draft(tx, visit, "confirmation", min(at, world.now), chance), failure or SENT
    for visit in coming:
        days = (visit.slot.starts_at.date() - world.now.date()).days
        count = 2 if days <= 2 else 7
        at = visit.slot.starts_at - timedelta(days=count)
        if days <= 7 and at <= world.now and visit.made_at < at - timedelta(days=1):
            row = _draft(tx, visit, "reminder", at, chance)
            row.planned_as = f"reminder:{visit.row_id}:{visit.slot.starts_at:%Y%m%dT%H%M}:{count}"
            yield row, SENT
    for visit in coming[cut : cut + 3]:
        at = world.now + timedelta(minutes=2, seconds=15)
        yield _draft(tx, visit, "confirmation", at, chance), WAITING


def _after(
    tx: Tx, world: World, lately: Sequence[Visit], chance: Random
) -> Iterator[tuple[Message, Fate]]:
    for visit in lately[-MOST_OF_A_KIND:]:
        at = visit.slot.ends_at + timedelta(minutes=3)
        yield _draft(tx, visit, "aftercare", at, chance), SENT


def _draft(tx: Tx, visit: Visit, kind: str, at: datetime, chance: Random) -> Message:
    row = tx.session.get_one(Appointment, visit.row_id)
    patient = tx.session.get_one(Patient, row.patient_id)
    found = outbox.add(
        tx.session,
        kind=kind,
        patient=patient,
        not_before=at,
        expires_at=row.ends_at + timedelta(days=3),
        now=at - timedelta(minutes=2),
        by=BY,
        facts={str(row.id): outbox.state_of(row) if kind == "reminder" else None},
        appointment_id=row.id,
        site_id=row.site_id,
    )
    found.key = names.key(chance)
    return found


def _send(world: World, drafted: Sequence[tuple[int, Fate]], chance: Random) -> None:
    """Write down what each message said, and what became of it."""
    said = {
        id_: queries.letter(id_, now=world.now)
        for id_, fate in drafted
        if fate.status in ("sent", "failed")
    }

    def work(tx: Tx) -> None:
        for number, (id_, fate) in enumerate(drafted):
            row = tx.session.get_one(Message, id_)
            letter = said.get(id_)
            if isinstance(letter, Letter):
                _say(row, letter)
                is_text = fate.status == "failed" and row.channel == "sms"
                _end(row, STOPPED if is_text else fate)
                if fate is SENT:
                    row.link_id = _link(tx, world, row, chance, is_opened=number % 2 == 0)
            elif letter is not None:
                _end(row, Fate(status="dropped", reason=letter.reason))
            else:
                _end(row, fate)

    transaction(work, by=BY, now=world.now, action="demo.sent", is_silent=True)


def _say(row: Message, letter: Letter) -> None:
    is_text = row.channel == "sms"
    row.recipient, row.locale = letter.recipient, letter.locale
    row.subject = "" if is_text else letter.subject
    row.body = letters.text_message(letter) if is_text else letters.plain(letter)
    row.message_id = f"<{row.key}@{DOMAIN}>"


def _end(row: Message, fate: Fate) -> None:
    row.status, row.attempts = fate.status, fate.attempts
    row.reason, row.last_error = fate.reason, fate.error
    row.sent_at = row.not_before if fate is SENT else None


def _link(tx: Tx, world: World, row: Message, chance: Random, *, is_opened: bool) -> int:
    """Return the link of a message; nobody knows a token that opens it."""
    link = PatientLink(
        patient_id=row.patient_id,
        token_hash=f"{chance.getrandbits(256):064x}",
        created_at=row.not_before,
        expires_at=row.not_before + OPEN_FOR,
        last_used_at=min(row.not_before + timedelta(hours=3), world.now) if is_opened else None,
    )
    tx.session.add(link)
    tx.session.flush()
    return link.id


def _subscribe(tx: Tx, world: World, coming: Sequence[Visit], chance: Random) -> None:
    """Subscriptions of patients and of the doctor: followed, never fetched, and ended."""
    desk, doctor = (users.find_by_email(tx.session, address) for address in (DESK, PROVIDER))
    owners: list[dict[str, Any]] = [{"patient_id": visit.person.row_id} for visit in coming[1:6]]
    if doctor is not None:
        owners.append({"provider_id": doctor.provider_id, "created_by": doctor.id})
    for number, owner in enumerate(owners):
        made_at = world.now - timedelta(days=20 - number)
        feed = CalendarFeed(
            token_hash=f"{chance.getrandbits(256):064x}",
            created_at=made_at,
            revoked_at=world.now - timedelta(days=4) if number == 2 else None,  # the third
            **{"created_by": desk.id if desk else None} | owner,
        )
        tx.session.add(feed)
        tx.session.flush()
        if number % 4 != 3:  # the fourth was made and never used
            tx.session.add(
                FeedFetch(
                    feed_id=feed.id,
                    fetched_at=world.now - timedelta(hours=number + 1),
                    agent=GOOGLE if number % 2 else IPHONE,
                    etag=f"{chance.getrandbits(64):016x}",
                    changed_at=made_at,
                )
            )


def _tell(tx: Tx, world: World, coming: Sequence[Visit], lately: Sequence[Visit]) -> None:
    """Notices of each kind that wait, and some that somebody has seen to."""
    desk = users.find_by_email(tx.session, DESK)
    kinds: Sequence[dict[str, Any]] = (
        {"kind": "another_time", "text": SAID, "wishes": {"weekdays": [1, 3], "part": "afternoon"}},
        {"kind": "health", "health_text": HEALTH},
        {"kind": "cannot_come"},
        {
            "kind": "flight",
            "flight_on": world.today + timedelta(days=10),
            "flight_at": time(14, 30),
        },
    )
    for number, (visit, told) in enumerate(zip(coming[1:], kinds, strict=False)):
        tx.session.add(_notice(world, visit, told, hours=number + 1))
    for visit, told, how in zip(lately, kinds[2:], ("done", "taken"), strict=False):
        row = _notice(world, visit, told, hours=72)
        row.handled_at, row.handled_how = world.now - timedelta(hours=70), how
        row.handled_by = desk.id if desk else None
        tx.session.add(row)


def _notice(world: World, visit: Visit, told: dict[str, Any], *, hours: int) -> Notice:
    language = "es" if visit.person.language == "es" else "en"
    words = {
        column: value[language]
        for column, value in told.items()
        if column in ("text", "health_text")
    }
    is_of_none = told["kind"] == "flight"
    return Notice(
        patient_id=visit.person.row_id,
        appointment_id=None if is_of_none else visit.row_id,
        created_at=world.now - timedelta(hours=hours),
        **{"wishes": {}} | told | words,
    )
