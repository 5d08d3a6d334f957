"""What was typed into a form that could not be taken now: carried on, so that it is never typed twice."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import request

from planner.web import security

UNKEPT = frozenset({"csrf_token", "kept", "old", "new", "again"})  # the last are passwords too
LONGEST = 200_000  # characters
MOST_FIELDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A form as it was sent: where to, and its fields without token and passwords."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def without(self, signs: tuple[str, ...]) -> Kept:
        """Return it with these signs taken out of names and values."""
        fields = tuple((_freed(name, signs), _freed(value, signs)) for name, value in self.fields)
        return Kept(path=self.path, fields=fields)

    def packed(self) -> str:
        """Return it as the text of one hidden field."""
        return json.dumps({"path": self.path, "fields": self.fields})


def typed() -> Kept | None:
    """Return the form that this request sent, or None when it sent nothing worth keeping."""
    fields = tuple(
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name not in UNKEPT and "password" not in name
    )
    return Kept(path=request.full_path.rstrip("?"), fields=fields) if fields else None


def unpacked(text: str) -> Kept | None:
    """Return what ``packed`` made; None for anything else."""
    if not text or len(text) > LONGEST:
        return None
    try:
        found = json.loads(text)
        fields = tuple((str(name), str(value)) for name, value in found["fields"])
        path = security.own_path(str(found["path"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return Kept(path=path, fields=fields) if 0 < len(fields) <= MOST_FIELDS else None


def _freed(text: str, signs: tuple[str, ...]) -> str:
    for sign in signs:
        text = text.replace(sign, "")
    return text
