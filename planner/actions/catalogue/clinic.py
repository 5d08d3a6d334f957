"""Who the clinic is, and the words it uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from planner.actions.catalogue import checks
from planner.db import catalogue
from planner.db.engine import Tx, transaction
from planner.db.models import Clinic, ClinicText
from planner.errors import Invalid
from planner.who import Who
from planner.wording import messages, visits

LANGUAGES = ("en", "es", "pt", "ht")
LONGEST_MESSAGE = 1000
LONGEST_TEXT_MESSAGE = 320  # two parts: the link needs the third


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicValues:
    """The clinic as it is typed; ``neutral_name`` stands in calendars in place of the name."""

    name: str
    neutral_name: str
    phone: str
    email: str
    colour: str
    languages: tuple[str, ...]


def save(values: ClinicValues, *, version: int, by: Who, now: datetime) -> None:
    """Store who the clinic is. Raises Invalid or Stale."""
    _judge(values)

    def work(tx: Tx) -> None:
        stored = catalogue.clinic(tx.session)
        typed = {**checks.fields(values), "languages": list(values.languages)}
        catalogue.write(tx.session, Clinic, stored.id if stored else None, version, typed)

    transaction(work, by=by, now=now, action="clinic.save")


def save_text(
    code: str,
    language: str,
    text: str,
    *,
    is_placeholder: bool,
    version: int,
    by: Who,
    now: datetime,
) -> None:
    """Store a text in one language. While it is marked as a placeholder no patient sees it."""
    checks.raise_if({"text": checks.text(text, 4000, required=not is_placeholder, lines=True)})
    if language not in LANGUAGES:
        raise Invalid({"text": "choice"})

    def work(tx: Tx) -> None:
        stored = catalogue.text(tx.session, code, language)
        typed = {"code": code, "language": language, "text": text, "is_placeholder": is_placeholder}
        catalogue.write(tx.session, ClinicText, stored.id if stored else None, version, typed)

    transaction(work, by=by, now=now, action="clinic.save_text")


def save_message_text(
    channel: str, kind: str, language: str, text: str, *, version: int, by: Who, now: datetime
) -> None:
    """Store the clinic's own words of a message; empty: ours again. Raises Invalid or Stale.

    What they leave open in braces has to be something that can be filled in. A text message lies open on
    the phone: words that tell of the treatment are refused.
    """
    is_text = channel == "sms"
    problem = checks.text(text, LONGEST_TEXT_MESSAGE if is_text else LONGEST_MESSAGE, lines=True)
    if not problem and messages.unknown_placeholder(text, messages.placeholders(channel, kind)):
        problem = "placeholder_text" if is_text else "placeholder"
    if not problem and is_text and not visits.is_discreet(text):
        problem = "telling"
    checks.raise_if({"text": problem})

    def work(tx: Tx) -> None:
        code = f"{channel}.{kind}"
        stored = catalogue.text(tx.session, code, language)
        typed = {"code": code, "language": language, "text": text, "is_placeholder": not text}
        catalogue.write(tx.session, ClinicText, stored.id if stored else None, version, typed)

    transaction(work, by=by, now=now, action="clinic.save_message_text")


def _judge(values: ClinicValues) -> None:
    checks.raise_if(
        {
            "name": checks.text(values.name, 120, required=True),
            "neutral_name": checks.text(values.neutral_name, 60),
            "phone": checks.phone(values.phone),
            "email": checks.mail(values.email),
            "colour": checks.colour(values.colour),
            "languages": None
            if values.languages and set(values.languages) <= set(LANGUAGES)
            else "languages",
        }
    )
