"""Who waits for whom: actors are locked in one fixed order, so that no two desks wait crosswise.

Settings first, then providers, rooms, patients, each by id; the audit chain and the schedule
version come last of all (``engine``). SQLite lets in one writer at a time: nothing is to be done.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from planner.db import engine
from planner.db.engine import Tx
from planner.db.models import Patient, Provider, Room


def lock(
    tx: Tx,
    *,
    provider_ids: Collection[int] = (),
    room_ids: Collection[int] = (),
    patient_ids: Collection[int] = (),
) -> None:
    """Keep other writers off these actors until the transaction ends. Call it before loading.

    Whoever locks actors also keeps the settings as they are; others who book are not kept waiting.
    """
    if not _is_needed(tx):
        return
    tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(engine.SETTINGS_LOCK)))
    for model, ids in ((Provider, provider_ids), (Room, room_ids), (Patient, patient_ids)):
        if ids:
            rows = sa.select(model.id).where(model.id.in_(sorted(ids))).order_by(model.id)
            tx.session.execute(rows.with_for_update(key_share=True)).all()


def lock_settings(tx: Tx) -> None:
    """Wait for bookings under way, and keep new ones waiting, while hours or rules change.

    The engine does so by itself before the first row of the catalogue is written. Call it where
    what is written depends on what was read before.
    """
    engine.lock_settings(tx.session)


def _is_needed(tx: Tx) -> bool:
    return tx.session.get_bind().dialect.name == "postgresql"
