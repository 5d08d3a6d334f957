"""Passwords: hashed as reliability asks, judged by length and by what is easy to guess."""

from __future__ import annotations

import argon2
import pytest

from planner import passwords

GOOD = (
    "purple tractors never whisper",
    "three sessions make a course",
    "ñandú cortés 47 sobre el muelle",
    "пятнадцать символов достаточно",
    "Tr0ub4dor&3 and then some",
    "   leading spaces count too   ",
)
BAD = {
    "": "password_short",
    "fourteen chars": "password_short",
    "a" * 201: "password_long",
    "aaaaaaaaaaaaaaaa": "password_simple",
    "abababababababab": "password_simple",
    "abcdefghijklmnop": "password_simple",
    "0123456789012345": "password_simple",
    "9876543210987654": "password_simple",
    "passwordpassword1": "password_common",
    "PasswordPassword!": "password_common",
    "glamourmedicalaesthetics": "password_common",
    "planner2026planner": "password_common",
    "welcome-welcome-1": "password_common",
    "maria.lopez@example.com": "password_common",
    "qwertyqwerty12345": "password_common",
}


@pytest.mark.parametrize("password", GOOD)
def test_a_few_words_are_a_good_password(password: str) -> None:
    assert passwords.find_weakness(password, email="maria.lopez@example.com") is None


@pytest.mark.parametrize(("password", "code"), BAD.items())
def test_what_is_easy_to_guess_is_refused_and_says_why(password: str, code: str) -> None:
    assert passwords.find_weakness(password, email="maria.lopez@example.com") == code


def test_a_hash_costs_what_the_guideline_asks() -> None:
    found = argon2.extract_parameters(passwords.hashed(GOOD[0]))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (
        argon2.Type.ID, 19_456, 2, 1,
    )  # fmt: skip


def test_a_password_matches_its_own_hash_and_no_other() -> None:
    stored = passwords.hashed(GOOD[0])
    tried = (GOOD[0], GOOD[1], GOOD[0] + " ", "", GOOD[0].upper())
    assert [passwords.matches(stored, text) for text in tried] == [True, False, False, False, False]


@pytest.mark.parametrize("stored", [None, "", "x", "$argon2id$broken", "$2b$12$abcdef"])
def test_what_is_no_hash_matches_nothing(stored: str | None) -> None:
    assert passwords.matches(stored, GOOD[0]) is False


def test_an_unknown_user_is_checked_at_the_same_cost() -> None:
    # The account that nobody has is hashed with the parameters of all others.
    nobody = argon2.extract_parameters(passwords._NOBODY)
    assert nobody == argon2.extract_parameters(passwords.hashed(GOOD[0]))
