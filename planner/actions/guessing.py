"""Slowing down whoever guesses passwords, without locking anybody out.

Not a use case: it runs inside the transactions of one. Failures are counted for an account from one
address, for an address, and for an account from anywhere. Each further failure doubles the wait up to
a limit. The count for an account from anywhere does not hold at an address from which the account
was opened before: a stranger cannot keep the front desk waiting.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from planner.db import keys, throttles
from planner.db.engine import Tx


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures are free, and the longest wait in seconds."""

    free: int
    longest: int


PAIR, ADDRESS, ACCOUNT = Limit(5, 300), Limit(40, 60), Limit(40, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """The subjects an attempt is counted under; digests, so that no table tells who was tried."""

    pair: str
    address: str
    account: str
    known: str


def of(email: str, origin: str) -> Guess:
    """Return what an attempt for an account from an address is counted under."""
    account, network = email.strip().lower(), _network(origin)
    return Guess(
        pair=_subject("pair", account, network),
        address=_subject("address", network),
        account=_subject("account", account),
        known=_subject(throttles.KNOWN, account, network),
    )


def wait_seconds(tx: Tx, guess: Guess) -> int:
    """Return how long to wait before the next attempt; 0 when it may be made now."""
    limits = {guess.pair: PAIR, guess.address: ADDRESS}
    if not throttles.is_known(tx, guess.known):
        limits[guess.account] = ACCOUNT
    found = throttles.failures(tx, limits.keys())
    return max(
        (_left(limits[subject], count, last, tx.now) for subject, (count, last) in found.items()),
        default=0,
    )


def failed(tx: Tx, guess: Guess) -> None:
    """Count one more failure."""
    throttles.count(tx, (guess.pair, guess.address, guess.account))


def succeeded(tx: Tx, guess: Guess) -> None:
    """Forget the failures of this account from this address, and know the address from now on."""
    throttles.clear(tx, guess.pair)
    throttles.forgive(tx, (guess.address, guess.account))
    throttles.set_known(tx, guess.known)


def _left(limit: Limit, count: int, last: datetime, now: datetime) -> int:
    if count < limit.free:
        return 0
    pause = min(limit.longest, 1 << min(count - limit.free, 20))
    return max(0, ceil(pause - (now - last).total_seconds()))


def _subject(kind: str, *parts: str) -> str:
    return f"{kind}:{keys.digest(' '.join(parts))}"


def _network(origin: str) -> str:
    """Return the address; of IPv6 the /64 that one household has, or it could change at will."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
