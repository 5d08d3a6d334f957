"""What a search works out from the free starts of a day, kept for all who wish the same.

It is kept by what the rules say of the patient on that day: of most days nothing. A booking takes away what
is kept of its own days alone.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

MOST_SAID = 16
"""Kinds of what is said of a patient that a shelf keeps days for."""


class Kept:
    """By day, as an ordinal, what its cheapest place costs, and its places.

    ``whole`` is what is kept of the same free starts, but for some days that are ``gone``: both learn.
    """

    __slots__ = ("_gone", "_whole", "leasts", "places")

    def __init__(self, whole: Kept | None = None, gone: frozenset[int] = frozenset()) -> None:
        self._whole, self._gone = whole, gone
        self.leasts: dict[int, int] = {} if whole is None else _left(whole.leasts, gone)
        self.places: dict[int, Any] = {} if whole is None else _left(whole.places, gone)

    def keep_least(self, day: int, least: int) -> None:
        """Keep what the cheapest place of the day costs."""
        self.leasts[day] = least
        if self._whole is not None and day not in self._gone:
            self._whole.keep_least(day, least)

    def keep_places(self, day: int, places: Any) -> None:
        """Keep the places of the day."""
        self.places[day] = places
        if self._whole is not None and day not in self._gone:
            self._whole.keep_places(day, places)

    def after(self, days: frozenset[int]) -> Kept:
        """Return what is left when what is free on these days has changed."""
        left = Kept()
        left.leasts, left.places = _left(self.leasts, days), _left(self.places, days)
        return left


class Shelf:
    """What is kept, by what is said of the patient; ``whole`` and ``gone`` as in ``Kept``."""

    __slots__ = ("_gone", "_kept", "_whole")

    def __init__(self, whole: Shelf | None = None, gone: frozenset[int] = frozenset()) -> None:
        self._whole, self._gone = whole, gone
        self._kept: dict[Hashable, Kept] = {}

    def of(self, said: Hashable) -> Kept:
        """Return what is kept of the days of which this is said."""
        found = self._kept.get(said)
        if found is None:
            while len(self._kept) >= MOST_SAID:
                self._kept.pop(next(iter(self._kept)), None)
            whole = self._whole.of(said) if self._whole is not None else None
            found = self._kept[said] = Kept(whole, self._gone)
        return found

    def after(self, days: frozenset[int]) -> Shelf:
        """Return the shelf that follows when what is free on these days has changed."""
        following = Shelf()
        following._kept = {said: kept.after(days) for said, kept in list(self._kept.items())}
        return following


def _left(found: dict[int, Any], gone: frozenset[int]) -> dict[int, Any]:
    left = found.copy()
    for day in gone:
        left.pop(day, None)
    return left
