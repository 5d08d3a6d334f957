"""Who may do what with an appointment: one row a verb, beside the table of pages in ``web/permissions.py``.

Who may examine, decide and treat where is no role: it is the clinic's own matrix of providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from planner.who import Who

STAFF = frozenset({"receptionist", "provider", "manager"})
TREATMENTS = frozenset({"session", "review"})
"""Kinds of service in which something is done to the patient that a provider answers for."""


class Right(StrEnum):
    """Whom a verb is for."""

    STAFF = "staff"  # everybody who signs in: the desk, providers, managers
    TREATING = "treating"  # of a treatment a provider, and the desk where the clinic lets it
    PROVIDER = "provider"  # a user who is linked to a provider, whatever the role


VERBS: Mapping[str, Right] = {
    "confirm": Right.STAFF,
    "check_in": Right.STAFF,
    "health": Right.STAFF,
    "review": Right.PROVIDER,
    "read_health": Right.PROVIDER,  # of which patient, the clinic's matrix says: db/notices.py
    "start": Right.TREATING,
    "complete": Right.TREATING,
    "cancel": Right.STAFF,
    "no_show": Right.STAFF,
    "release": Right.STAFF,
    "book": Right.STAFF,
    "note": Right.STAFF,
}


def may(by: Who, verb: str, *, kind: str = "", desk_treats: bool = False) -> bool:
    """Whether somebody may do it to an appointment of that kind of service; nobody what has no row.

    ``desk_treats``: what the clinic's rule says where and when the appointment is.
    """
    right = VERBS.get(verb)
    if right is None or by.role not in STAFF:
        return False
    is_provider = by.provider_id is not None
    if right is Right.PROVIDER:
        return is_provider
    return right is Right.STAFF or is_provider or desk_treats or kind not in TREATMENTS
