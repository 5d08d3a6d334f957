"""Queries run as in the application: on a database of either kind, in an application context."""

from __future__ import annotations

from tests.db.conftest import bound, clinic, given, stocked

__all__ = ["bound", "clinic", "given", "stocked"]
