"""What a provider decides: which given decisions count, signing one, and disagreeing with one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from planner.db import decisions
from planner.db.decisions import GivenDecision
from planner.db.engine import Tx, transaction
from planner.db.models import Decision
from planner.errors import Denied, Invalid, NotFound, Stale
from planner.scheduling.timetable import Conflict
from planner.who import Who

__all__ = ["GivenDecision", "disagree", "resolve", "sign"]

LONGEST_NOTE = 300


def resolve(
    tx: Tx,
    given: Iterable[GivenDecision],
    conflicts: Sequence[Conflict],
    *,
    site_id: int,
    service_id: int,
) -> frozenset[str]:
    """Return the codes among the conflicts that count as decided.

    A decision counts with a reason, of a provider who may examine at that service and site, and
    either given by that provider in person or taken down by phone.
    """
    asked = {conflict.code for conflict in conflicts}
    return frozenset(
        decision.rule_code
        for decision in given
        if decision.rule_code in asked
        and decisions.counts(tx, decision, service_id=service_id, site_id=site_id)
    )


def sign(decision_id: int, *, by: Who, now: datetime) -> str:
    """Sign a decision that the desk took down by phone: only its own provider can.

    Returns the key that undoes it.

    Raises ``Denied``, ``NotFound``, or ``Stale`` when it has been answered already.
    """

    def work(tx: Tx) -> str:
        _waiting(tx, decision_id).signed_at = tx.now
        return tx.change_key

    return transaction(work, by=by, now=now, action="decision.sign", undoable=True)


def disagree(decision_id: int, note: str, *, by: Who, now: datetime) -> str:
    """Say that a decision was not given like that: it counts no longer, and keeps the note.

    Returns the key that undoes it.
    """
    why = note.strip()
    if not why:
        raise Invalid({"note": "required"})
    if len(why) > LONGEST_NOTE:
        raise Invalid({"note": "too_long"})

    def work(tx: Tx) -> str:
        _waiting(tx, decision_id).disputed_note = why
        return tx.change_key

    return transaction(work, by=by, now=now, action="decision.disagree", reason=why, undoable=True)


def _waiting(tx: Tx, decision_id: int) -> Decision:
    row = tx.session.get(Decision, decision_id)
    if row is None:
        raise NotFound("decision")
    if tx.by.provider_id is None or row.provider_id != tx.by.provider_id:
        raise Denied("only the provider who gave a decision signs it")
    if row.signed_at is not None or row.disputed_note:
        raise Stale({"signed_at": (None, row.signed_at)})
    return row
