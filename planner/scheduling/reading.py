"""How names, phone numbers and dates are read as people type them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = frozenset("'’‘ʼ`´")
_JOINERS = _APOSTROPHES | frozenset("-‐‑.")
"""Signs inside a name that some people type and others leave out."""

_MONTHS = (
    ("jan", "ene"), ("feb",), ("mar",), ("apr", "abr"), ("may",), ("jun",),
    ("jul",), ("aug", "ago"), ("sep", "set"), ("oct",), ("nov",), ("dec", "dic"),
)  # fmt: skip
_NUMERIC = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})")
_SPELLED = re.compile(r"(\d{1,2})(?: de)? ([a-z]{3,12})\.?(?: de)?,? (\d{4})")
_SPELLED_US = re.compile(r"([a-z]{3,12})\.? (\d{1,2}),? (\d{4})")
_SOLID = re.compile(r"\d{8}")
_PHONE = re.compile(r"[+(]*\d[\d\s().+/-]*")
_ABROAD = re.compile(r"^\(*\+1|^1(?=[\s(.-])")  # the country's 1, before the number is complete
_TIME = re.compile(r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::00)?)?(?:(?P<half>[ap])\.?m\.?)?")
_LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Sought:
    """What somebody looks for: every word begins a word of the name, and so on."""

    words: tuple[str, ...] = ()
    digits: tuple[str, ...] = ()  # each occurs in the phone number
    birth_dates: tuple[date, ...] = ()  # each is the birth date
    digits_or_dates: tuple[tuple[str, date], ...] = ()  # eight digits that could be either

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return not (self.words or self.digits or self.birth_dates or self.digits_or_dates)


def fold(text: str) -> str:
    """Return the text without case and accents, its words apart by single spaces.

    Letters of any script, digits and pictures stay; every other sign parts words.
    """
    bare = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(_kept(sign) for sign in bare if not unicodedata.combining(sign))
    return " ".join(kept.translate(_LETTERS).split())


def words(text: str) -> tuple[str, ...]:
    """Return the words a name is found by: "O'Brien-Paz" gives obrienpaz, o, brien, paz, obrien."""
    found: dict[str, None] = {}
    for part in text.split():
        for reading in (_without(part, _JOINERS), part, _without(part, _APOSTROPHES)):
            found.update(dict.fromkeys(fold(reading).split()))
    return tuple(found)


def digits(text: str) -> str:
    """Return the digits of a phone number as typed, of whatever script, without the country's 1."""
    bare = "".join(str(unicodedata.digit(sign)) for sign in text if sign.isdecimal())
    return bare[1:] if len(bare) == 11 and bare.startswith("1") else bare


def search_text(given_name: str, family_name: str, phone: str, birth_date: date | None) -> str:
    """Return what a patient is found by, each after a space: words, phone digits, birth date."""
    day = birth_date.isoformat() if birth_date else ""
    parts = (*words(f"{given_name} {family_name}"), digits(phone), day)
    return "".join(f" {part}" for part in parts if part)


def find_day(text: str, *, today: date) -> date | None:
    """Return the day meant by "1985-03-02", "3/2/1985" (month first), "3/2/85" or "2 Mar 1985".

    Also in Spanish ("2 de marzo de 1985"). A year of two digits is the latest that is not to come.
    None when it is no day.
    """
    bare = fold_keeping_signs(text)
    for pattern, reader in _READERS:
        match = pattern.fullmatch(bare)
        if match is not None:
            return reader(match.groups(), today)
    return _solid(bare) if _SOLID.fullmatch(bare) else None


def find_time(text: str) -> time | None:
    """Return the time of day meant by "14:30", "2:30 PM" or "2pm"; None when it is none."""
    match = _TIME.fullmatch(text.casefold().replace(" ", ""))
    if match is None or not (match["minute"] or match["half"]):
        return None
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def sought(text: str, *, today: date) -> Sought:
    """Return what a search box asks for: names, phone digits and a birth date, in any order."""
    rest = fold_keeping_signs(text)
    dates = []
    for pattern, reader in _READERS:
        for match in pattern.finditer(rest):
            day = reader(match.groups(), today)
            if day is not None:
                dates.append(day)
                rest = rest.replace(match[0], " ", 1)
    numbers, either = [], []
    for run in _PHONE.findall(rest):
        number = digits(_ABROAD.sub("", run))
        if len(number) < _LEAST_DIGITS:
            continue
        day = _solid(number)
        rest = rest.replace(run, " ", 1)
        if day is not None:
            either.append((number, day))
        else:
            numbers.append(number)
    return Sought(tuple(_name_words(rest)), tuple(numbers), tuple(dates), tuple(either))


def fold_keeping_signs(text: str) -> str:
    """Return the text without case and accents but with its signs, single spaces between."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(s for s in bare if not unicodedata.combining(s)).split())


def _name_words(text: str) -> Iterator[str]:
    for part in text.split():
        # A hyphen may part two names or join them; an apostrophe never parts what is typed.
        yield from fold(_without(part, _APOSTROPHES)).split()


def _without(text: str, signs: frozenset[str]) -> str:
    return "".join(sign for sign in text if sign not in signs)


def _kept(sign: str) -> str:
    category = unicodedata.category(sign)
    return sign if category[0] in "LN" or category == "So" else " "


def _numeric(parts: tuple[str, ...], today: date) -> date | None:
    first, second, third = parts
    if len(first) == 4:
        return _day(int(first), int(second), int(third))
    if len(first) > 2 or len(third) not in (2, 4):
        return None
    year = _full_year(third, today)
    return _day(year, int(first), int(second)) or _day(year, int(second), int(first))


def _spelled(parts: tuple[str, ...], today: date) -> date | None:
    month = _month(parts[1])
    return _day(int(parts[2]), month, int(parts[0])) if month else None


def _spelled_us(parts: tuple[str, ...], today: date) -> date | None:
    return _spelled((parts[1], parts[0], parts[2]), today)


def _solid(text: str) -> date | None:
    """Eight digits: 03021985 or 19850302."""
    if len(text) != 8:
        return None
    for year, month, day in ((text[:4], text[4:6], text[6:]), (text[4:], text[:2], text[2:4])):
        if 1900 <= int(year) < 2100:
            found = _day(int(year), int(month), int(day))
            if found is not None:
                return found
    return None


def _full_year(text: str, today: date) -> int:
    if len(text) == 4:
        return int(text)
    year = today.year - today.year % 100 + int(text)
    return year if year <= today.year else year - 100


def _month(name: str) -> int | None:
    for number, starts in enumerate(_MONTHS, start=1):
        if name.startswith(starts):
            return number
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_READERS = ((_NUMERIC, _numeric), (_SPELLED, _spelled), (_SPELLED_US, _spelled_us))
