"""Random names for rows seen in addresses and calendars, and digests of what is not stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from typing import Any

UID_DOMAIN = "planner.invalid"
"""Right of the @ in a calendar uid: a name that can never be somebody's (RFC 2606)."""


def new() -> str:
    """Return 16 random characters that fit into an address, tell nothing and cannot be guessed."""
    return secrets.token_urlsafe(12)


def uid() -> str:
    """Return a new globally unique calendar uid (RFC 7986, 5.3)."""
    return f"{uuid.uuid4().hex}@{UID_DOMAIN}"


def derived(secret: str, *parts: str) -> str:
    """Return 256 bits that follow from a secret and the parts: the same each time, guessed by nobody.

    URL-safe, 43 characters, as ``secrets.token_urlsafe(32)`` gives.
    """
    told = canonical(parts).encode()
    made = hmac.digest(secret.encode(), told, "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: the same value always gives the same text."""
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
