"""Dates, times and lengths as people say them."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache

from babel import dates

from planner.scheduling import hours
from planner.wording import speech
from planner.wording.speech import N_, ngettext

_CLOCK = {"en": "h:mm a", "es": "H:mm"}
_HOUR = {"en": "h a", "es": "H:mm"}
_FULL = {"en": "EEEE d MMMM y", "es": "EEEE d 'de' MMMM 'de' y"}

KEPT = 4096
"""How many days a process keeps in words: a time of day is not kept, as equal instants may differ in it."""


@lru_cache(maxsize=KEPT)
def format_date(day: date, locale: str) -> str:
    """Return "Tue 3 Mar 2026"."""
    return dates.format_date(day, "EEE d MMM y", locale=speech.of(locale).babel)


@lru_cache(maxsize=KEPT)
def format_short_date(day: date, locale: str) -> str:
    """Return "Tue 3 Mar"."""
    return dates.format_date(day, "EEE d MMM", locale=speech.of(locale).babel)


@lru_cache(maxsize=KEPT)
def format_birth_date(day: date, locale: str) -> str:
    """Return "17 May 1980"."""
    return dates.format_date(day, "d MMM y", locale=speech.of(locale).babel)


@lru_cache(maxsize=KEPT)
def format_full_date(day: date, locale: str) -> str:
    """Return "Tuesday 3 March 2026", to be read aloud."""
    spoken = speech.of(locale)
    return dates.format_date(day, _FULL[spoken.code], locale=spoken.babel)


def format_time(at: time | datetime, locale: str) -> str:
    """Return "2:30 PM", in Spanish "14:30". What is given is wall-clock already."""
    spoken = speech.of(locale)
    bare = (at.time() if isinstance(at, datetime) else at).replace(tzinfo=None)
    return dates.format_time(bare, _CLOCK[spoken.code], locale=spoken.babel)


def format_clock(at: datetime, locale: str) -> str:
    """Return "2:30", in Spanish "14:30": for where the half of the day is said beside it."""
    spoken = speech.of(locale)
    pattern = _CLOCK[spoken.code].removesuffix(" a")
    return str(dates.format_time(at.time(), pattern, locale=spoken.babel))


@lru_cache(maxsize=KEPT)
def format_hour(hour: int, locale: str) -> str:
    """Return a full hour, short enough for a margin: "2 PM", in Spanish "14:00"."""
    spoken = speech.of(locale)
    pattern = _HOUR[spoken.code]
    return str(dates.format_time(time(hour % 24), pattern, locale=spoken.babel))


def format_day_time(local: datetime, locale: str) -> str:
    """Return "Tue 3 Mar, 2:30 PM" of a wall-clock time."""
    return f"{format_short_date(local.date(), locale)}, {format_time(local, locale)}"


def format_clock_range(starts: time | datetime, ends: time | datetime, locale: str) -> str:
    """Return "9:00 AM – 11:30 AM" of wall-clock times."""
    return f"{format_time(starts, locale)} – {format_time(ends, locale)}"


def format_slot(at: datetime, zone: str, site_name: str, locale: str) -> str:
    """Return "Tue 3 Mar 2026, 2:30 PM EST, Miami" of an instant: whose clock it is stays clear."""
    local = hours.local(at, zone)
    when = f"{format_date(local.date(), locale)}, {format_time(local, locale)} {local.tzname()}"
    return f"{when}, {site_name}"


def read_back(starts_at: datetime, *, zone: str, site: str, provider: str, locale: str) -> str:
    """Return what is read to the patient: "Aventura, Wednesday 3 March 2027, 10:00 AM, with …"."""
    local = hours.local(starts_at, zone)
    return speech.of(locale).say(
        N_("%(site)s, %(day)s, %(time)s, with %(provider)s"),
        site=site,
        day=format_full_date(local.date(), locale),
        time=format_time(local, locale),
        provider=provider,
    )


def days_range(first: date, last: date, locale: str) -> str:
    """Return "on Tue 3 Mar 2026", or "from … to …" for more than one day."""
    spoken = speech.of(locale)
    if first == last:
        return spoken.say(N_("on %(day)s"), day=format_date(first, locale))
    return spoken.say(
        N_("from %(first)s to %(last)s"),
        first=format_date(first, locale),
        last=format_date(last, locale),
    )


def format_range(first: date, last: date, locale: str) -> str:
    """Return "Tue 3 Mar – Wed 1 Apr 2026"."""
    if first == last:
        return format_date(first, locale)
    begins = format_short_date if first.year == last.year else format_date
    return f"{begins(first, locale)} – {format_date(last, locale)}"


def weekday(number: int, locale: str) -> str:
    """Return the name of a weekday, 0 being Monday, as it stands alone."""
    name = weekday_within(number, locale)
    return name[:1].upper() + name[1:]


def weekday_within(number: int, locale: str) -> str:
    """Return the name of a weekday as it stands within a sentence: "Monday", "lunes"."""
    return str(dates.get_day_names("wide", locale=speech.of(locale).babel)[number])


def minutes(number: int, locale: str) -> str:
    """Return "45 min"."""
    return speech.of(locale).say(N_("%(number)s min"), number=number)


def length(number: int, locale: str) -> str:
    """Return "45 min", "2 h" or "2 h 15 min"."""
    whole, rest = divmod(number, 60)
    parts = [speech.of(locale).say(N_("%(number)s h"), number=whole)] if whole else []
    return " ".join([*parts, minutes(rest, locale)] if rest or not whole else parts)


def span(days: int, locale: str) -> str:
    """Return how long a course takes: "4 weeks", or "30 days" where the weeks are not whole."""
    spoken = speech.of(locale)
    if days and days % 7 == 0:
        return spoken.count(*ngettext("%(number)s week", "%(number)s weeks"), days // 7)
    return count_days(days, locale)


def count_days(number: int, locale: str) -> str:
    """Return "1 day", "14 days"."""
    return speech.of(locale).count(*ngettext("%(number)s day", "%(number)s days"), number)
