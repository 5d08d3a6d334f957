"""What a patient's calendar says: nothing a stranger could read a treatment from, or plain words.

Plain words are for patients who have asked for them. The figures of aftercare come from the rule
records; the sentences are those of the clinic's page (S24, S26, S27, S29 to S34).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from planner.wording import speech
from planner.wording.speech import N_

SHIPPED_SERVICES = (
    N_("Consult"),
    N_("Sclerotherapy session"),
    N_("Sclerotherapy"),
    N_("Review"),
)
"""Names of services as planner ships them: said in the patient's language until they are renamed."""

PAGE_HOURS = 72

_ITEMS = {
    "aftercare.exercise": N_("no heavy exercise"),
    "aftercare.sun": N_("no sunbathing"),
    "aftercare.hot_bath": N_("no hot baths"),
    "aftercare.hot_tub": N_("no hot tubs"),
    "aftercare.sauna": N_("no sauna"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Something not to be done, and the wall-clock end of it, already in words."""

    code: str
    time: str


def calendar_name(locale: str) -> str:
    """Return the name of a patient's calendar."""
    return speech.of(locale).say(N_("My visits"))


def schedule_name(locale: str) -> str:
    """Return the name of a provider's calendar."""
    return speech.of(locale).say(N_("My schedule"))


def booked(initials: str, code: str) -> str:
    """Return what a provider's calendar says of an appointment: "ML · CONSULT"."""
    return f"{initials or '–'} · {code}"


def stated(title: str, status: str, locale: str) -> str:
    """Return the title with what is to be known of it before all else."""
    if status == "CANCELLED":
        return cancelled(title, locale)
    return tentative(title, locale) if status == "TENTATIVE" else title


def appointment(practice: str, locale: str) -> str:
    """Return the neutral title of any visit, with the practice's short name when it has one."""
    spoken = speech.of(locale)
    if practice:
        return spoken.say(N_("Appointment – %(practice)s"), practice=practice)
    return spoken.say(N_("Appointment"))


def visit(service: str, number: int | None, total: int, locale: str) -> str:
    """Return the plain title of a visit: "Sclerotherapy session, 2 of 3"."""
    spoken = speech.of(locale)
    name = spoken.translations.gettext(service) if service else spoken.say(N_("Appointment"))
    if number is None:
        return name
    return spoken.say(
        N_("%(service)s, %(number)s of %(total)s"), service=name, number=number, total=total
    )


def cancelled(title: str, locale: str) -> str:
    """Return the title of a visit that does not take place."""
    return speech.of(locale).say(N_("Cancelled: %(title)s"), title=title)


def tentative(title: str, locale: str) -> str:
    """Return the title of a visit that is not firm yet."""
    return speech.of(locale).say(N_("Not confirmed yet: %(title)s"), title=title)


def no_longer(locale: str, *, has_notes: bool) -> str:
    """Return what a cancelled visit says of itself, and of the notes that hung on it."""
    spoken = speech.of(locale)
    if has_notes:
        return spoken.say(
            N_("This visit does not take place. Notes for the days after it no longer hold.")
        )
    return spoken.say(N_("This visit does not take place."))


def with_provider(name: str, locale: str) -> str:
    """Return with whom the visit is."""
    return speech.of(locale).say(N_("With %(provider)s."), provider=name)


def questions(phone: str, locale: str) -> str:
    """Return how to reach the clinic, or nothing without a phone."""
    if not phone:
        return ""
    return speech.of(locale).say(N_("Questions, or another day? Call %(phone)s."), phone=phone)


def care_reminder(locale: str) -> str:
    """Return the neutral title of what to heed after a visit."""
    return speech.of(locale).say(N_("Care reminder"))


def travel_note(locale: str) -> str:
    """Return the neutral title of when travelling is free again."""
    return speech.of(locale).say(N_("Travel note"))


def on_your_sheet(locale: str) -> str:
    """Return where the details are that a calendar does not tell."""
    return speech.of(locale).say(N_("The details are on the sheet you were given."))


def walk(least: int, most: int, locale: str) -> tuple[str, str]:
    """Return title and text of the walk right after a session (S24)."""
    spoken = speech.of(locale)
    return spoken.say(N_("Walk")), spoken.say(
        N_("Walk for %(least)s to %(most)s minutes right after your visit."), least=least, most=most
    )


def day_and_night(least: int, most: int, locale: str) -> tuple[str, str]:
    """Return title and text of compression without a break (S26)."""
    spoken = speech.of(locale)
    return spoken.say(N_("Stockings day and night")), spoken.say(
        N_("Wear the compression stockings day and night for %(least)s to %(most)s days."),
        least=least,
        most=most,
    )


def as_needed(least: int, most: int, locale: str) -> tuple[str, str]:
    """Return title and text of compression as needed (S27)."""
    spoken = speech.of(locale)
    return spoken.say(N_("Stockings as needed")), spoken.say(
        N_("Wear the compression stockings as needed for %(least)s to %(most)s weeks."),
        least=least,
        most=most,
    )


def flying(until: str, hours: int, locale: str) -> tuple[str, str]:
    """Return title and text of the end of not flying; the page's 72 hours keep its range (S29)."""
    spoken = speech.of(locale)
    if hours == PAGE_HOURS:
        text = spoken.say(N_("Do not fly for 2 to 3 days: not before %(time)s."), time=until)
    else:
        text = spoken.say(N_("Do not fly before %(time)s."), time=until)
    return spoken.say(N_("No flying until %(time)s"), time=until), text


def restrictions(items: Iterable[Until], locale: str) -> tuple[str, str]:
    """Return title and text of the end of what is not to be done (S30 to S34), the last end last."""
    spoken, given = speech.of(locale), tuple(items)
    ends = tuple(dict.fromkeys(item.time for item in given))
    lines = (
        spoken.say(
            N_("Until %(time)s: %(items)s."),
            time=end,
            items=spoken.listed(_item(item.code, locale) for item in given if item.time == end),
        )
        for end in ends
    )
    return spoken.say(N_("Take it easy until %(time)s"), time=ends[-1]), "\n".join(lines)


def left_out(reason: str, locale: str) -> str:
    """Return what managers are told of an event that could not be served; the log says it exactly."""
    return speech.of(locale).say(_REASONS.get(reason, N_("Some calendars would read it wrongly.")))


def program(agent: str) -> str:
    """Return the calendar that a program of this name belongs to, or the name as it is."""
    lower = agent.lower()
    return next((name for name, signs in _PROGRAMS if any(s in lower for s in signs)), agent)


def is_discreet(text: str) -> bool:
    """Whether somebody who looks at the phone learns nothing of the treatment from the text."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return not _TELLING.search("".join(c for c in plain if not unicodedata.combining(c)))


def discreet_parts(address: str) -> str:
    """Return the address without the parts between commas that tell of a treatment."""
    parts = (part.strip() for part in re.split(r"[,\n]", address))
    return ", ".join(part for part in parts if part and is_discreet(part))


def _item(code: str, locale: str) -> str:
    return speech.of(locale).say(_ITEMS[code])


_REASONS = {
    "a time without a zone": N_("Its times cannot be."),
    "it ends before it starts": N_("Its times cannot be."),
    "no summary": N_("It has no title."),
    "its uid is there already": N_("It is there twice."),
}

_PROGRAMS = (
    ("Google Calendar", ("google-calendar", "googlecalendar")),
    ("Apple", ("dataaccessd", "calendaragent", "icalendaragent", "ical/")),
    ("Outlook", ("outlook", "microsoft", "exchange")),
    ("Thunderbird", ("thunderbird", "lightning")),
    ("ICSx⁵", ("icsx5", "icsdroid")),
)
"""Names as their makers write them, and what their programs call themselves when they ask."""

_TELLING = re.compile(
    r"(?<![a-z])(?:e?scler|skler|veins?(?![a-z])|venas?(?![a-z])|veias?(?![a-z])|venous|venos|vascul|"
    r"varic|varik|varice|varizes|phleb|fleb|stocking|compress|compres|meias? elastic|polidocanol|"
    r"asclera|varithena|sotradecol|ultraso|ecograf|duplex|doppler|dvt(?![a-z])|tvp(?![a-z])|thromb|"
    r"tromb|inject|inyec|injec|legs?(?![a-z])|piernas?(?![a-z])|pernas?(?![a-z])|sessions?(?![a-z])|"
    r"sesion|sessao|treatment|tratam|botox|filler|dermat|laser)"
)
