"""How long a text message is for the networks: its alphabet, and into how many parts it is cut.

3GPP TS 23.038: 160 characters of the GSM alphabet, or 153 in each of several parts; when one character is not
in it, all are sent as UCS-2, 70, or 67 in each. Each part is paid for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = frozenset("\f^{}\\[~]|€")
"""Characters of the extension table: each takes the room of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long a text is. ``odd`` are the characters that the GSM alphabet lacks."""

    alphabet: str  # GSM-7 | UCS-2
    units: int
    parts: int
    odd: tuple[str, ...] = ()


def length(text: str) -> Length:
    """Return how long a text message is."""
    odd = tuple(dict.fromkeys(sign for sign in text if sign not in GSM and sign not in TWICE))
    if odd:
        sizes, alone, each = [1 + (ord(sign) > 0xFFFF) for sign in text], 70, 67
    else:
        sizes, alone, each = [1 + (sign in TWICE) for sign in text], 160, 153
    units = sum(sizes)
    return Length(
        alphabet="UCS-2" if odd else "GSM-7",
        units=units,
        parts=min(units, 1) if units <= alone else _cut(sizes, each),
        odd=odd,
    )


def _cut(sizes: Iterable[int], room: int) -> int:
    """Return into how many parts they are cut; no character is torn in two."""
    parts, used = 1, 0
    for size in sizes:
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts
