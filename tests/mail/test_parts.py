"""How many parts a text message is sent in, and by which alphabet."""

from __future__ import annotations

import pytest

from planner.mail.parts import Length, length


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "parts"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("¿Mañana? él también" .replace("á", "a"), "GSM-7", 19, 1),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 152 + "€" + "a" * 10, "GSM-7", 164, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # 152, then the sign and 151, then 1
        ("í" * 70, "UCS-2", 70, 1),
        ("í" * 71, "UCS-2", 71, 2),
        ("í" * 134, "UCS-2", 134, 2),
        ("💉" * 35, "UCS-2", 70, 1),
        ("💉" * 67, "UCS-2", 134, 3),  # 33 in each part: none is torn in two
    ],
)  # fmt: skip
def test_a_text_is_cut_as_networks_cut_it(text: str, alphabet: str, units: int, parts: int) -> None:
    found = length(text)
    assert (found.alphabet, found.units, found.parts) == (alphabet, units, parts)


def test_the_characters_that_make_it_long_are_named_once() -> None:
    assert length("día, mié y día…") == Length(alphabet="UCS-2", units=15, parts=1, odd=("í", "…"))
