"""Who waits for whom: actors are locked in one fixed order, so that no two desks wait crosswise.

Settings first, then providers, rooms, patients, each by id; the audit chain and the schedule
version come last of all (``engine``). SQLite lets in one writer at a time: nothing is to be done.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from planner.db import connections, engine
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
    actors = {"provider": provider_ids, "room": room_ids, "patient": patient_ids}
    wanted = {name: sorted(ids) for name, ids in actors.items() if ids}
    tx.session.flush()
    tx.session.connection().execute(_statement(*wanted), wanted)
    tx.session.info[connections.HOLDS_SETTINGS] = True


def lock_settings(tx: Tx) -> None:
    """Wait for bookings under way, and keep new ones waiting, while hours or rules change.

    The engine does so by itself before the first row of the catalogue is written. Call it where
    what is written depends on what was read before.
    """
    engine.lock_settings(tx.session)


@lru_cache
def _statement(*names: str) -> Any:
    """All in one journey to the server, which takes one part after the other, in the order given."""
    settings = sa.select(
        sa.func.pg_advisory_xact_lock_shared(engine.SETTINGS_LOCK),
        # What comes after this finds rows by their numbers: to plan that anew takes longer than to do it.
        sa.func.set_config("plan_cache_mode", "force_generic_plan", sa.true()),
    ).cte("settings")
    parts = [sa.select(sa.literal(0)).select_from(settings)]
    for name in names:
        model = _MODELS[name]
        ids: sa.BindParameter[Any] = sa.bindparam(name, expanding=True)
        rows = sa.select(model.id).where(model.id.in_(ids)).order_by(model.id)
        parts.append(sa.select(rows.with_for_update(key_share=True).cte(f"its_{name}").c.id))
    return sa.union_all(*parts)


_MODELS: dict[str, Any] = {"provider": Provider, "room": Room, "patient": Patient}


def _is_needed(tx: Tx) -> bool:
    return tx.session.get_bind().dialect.name == "postgresql"
