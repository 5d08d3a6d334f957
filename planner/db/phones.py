"""Phone numbers: stored as E.164 when they are numbers, as typed when they are not."""

from __future__ import annotations

import phonenumbers

HOME = "US"
"""Where a number without a country code is."""

LONGEST = 40


def normalised(text: str) -> str:
    """Return "+13055550101" for "(305) 555-0101"; what is no number stays as typed."""
    number = _parsed(text)
    if number is None:
        return text.strip()[:LONGEST]
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_number(text: str) -> bool:
    """Whether somebody could be called under it."""
    return _parsed(text) is not None


def _parsed(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        return None
    # Valid would ask whether the exchange is assigned: numbers for demonstrations never are.
    is_callable = phonenumbers.is_possible_number(number) and not number.extension
    return number if is_callable else None
