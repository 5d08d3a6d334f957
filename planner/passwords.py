"""Passwords: how they are hashed, and which ones are too easy to guess.

No composition rules: length and not being obvious is what counts (NIST SP 800-63B, 5.1.1.2; OWASP ASVS 5.0, 6.2).
"""

from __future__ import annotations

import itertools

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 15  # characters, as long as there is no second factor
LONGEST = 200
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Of a random password that nobody wrote down: checking it takes as long as checking a stored one.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$JKehEV47Xvoft2++tfEe/Q$1Fbhi0KDdFc5Xtnvg98QkQBjWB1CvgV9uofvdbaYz2w"
)
_SEPARATORS = str.maketrans("", "", " .@-_")
_OBVIOUS = (
    "password",
    "passwort",
    "contrasena",
    "contraseña",
    "qwerty",
    "letmein",
    "welcome",
    "iloveyou",
    "abc123",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "admin",
    "planner",
    "clinic",
    "miami",
    "aventura",
    "glamour",
    "medical",
    "aesthetics",
    "sclero",
)


def hashed(password: str) -> str:
    """Return the argon2id hash (19 MiB, two passes)."""
    return _HASHER.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. Takes as long when there is none stored."""
    try:
        return _HASHER.verify(stored or _NOBODY, password[:LONGEST]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def find_weakness(password: str, *, email: str = "") -> str | None:
    """Return why a new password is refused, as a message code, or None."""
    if len(password) < SHORTEST:
        return "password_short"
    if len(password) > LONGEST:
        return "password_long"
    folded = password.casefold()
    if len(set(folded)) < 5 or _is_run(folded) or folded.isdigit():
        return "password_simple"
    if len(_without_obvious(folded, email)) < 6:
        return "password_common"
    return None


def _is_run(text: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in itertools.pairwise(text)}
    return len(steps) == 1


def _without_obvious(folded: str, email: str) -> str:
    """Return what is left once well-known words, the address's parts and digits at the end are gone."""
    parts = [part for part in email.casefold().replace("@", ".").split(".") if len(part) > 3]
    for word in (*parts, *_OBVIOUS):
        folded = folded.replace(word, "")
    return folded.rstrip("0123456789!?#").translate(_SEPARATORS)
