"""Writers to the same actors queue; settings wait for bookings, and bookings for settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flask
import pytest
import sqlalchemy as sa

from planner.db import engine, locks
from planner.db.engine import Tx
from planner.db.models import Site
from tests.db.conftest import DESK, NOW
from tests.factories import SmallClinic

Work = Callable[[Tx], None]


def order_of(first: Work, second: Work) -> list[str]:
    """Run the second while the first is open; return in which order they got through."""
    app: Any = flask.current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy's own
    is_inside = threading.Event()
    seen: list[str] = []

    def run(work: Work, name: str) -> None:
        def whole(tx: Tx) -> None:
            work(tx)
            if name == "first":
                is_inside.set()
                threading.Event().wait(0.4)
            seen.append(name)

        with app.app_context():
            engine.transaction(whole, by=DESK, now=NOW, action="test.lock")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(run, first, "first")
        is_inside.wait(5)
        other = pool.submit(run, second, "second")
        for run_ in (one, other):
            run_.result()
    return seen


def locking(**actors: list[int]) -> Work:
    """Lock actors."""
    return lambda tx: locks.lock(tx, **actors)


def rename(site_id: int) -> Work:
    """Change a row of the catalogue."""

    def work(tx: Tx) -> None:
        tx.session.get_one(Site, site_id).phone = "305-555-0100"
        tx.session.flush()

    return work


def test_the_same_provider_is_waited_for(clinic: SmallClinic) -> None:
    mine = locking(provider_ids=[clinic.md], room_ids=[clinic.miami_1])
    theirs = locking(provider_ids=[clinic.md], room_ids=[clinic.miami_2])
    assert order_of(mine, theirs) == ["first", "second"]


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_different_actors_do_not_wait_for_each_other(clinic: SmallClinic) -> None:
    mine = locking(provider_ids=[clinic.md], room_ids=[clinic.miami_1])
    theirs = locking(provider_ids=[clinic.pa], room_ids=[clinic.miami_2])
    assert order_of(mine, theirs) == ["second", "first"]


def test_settings_wait_for_a_booking_and_a_booking_for_settings(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    booking = locking(provider_ids=[clinic.md])
    assert order_of(booking, rename(clinic.miami)) == ["first", "second"]
    assert order_of(rename(clinic.aventura), booking) == ["first", "second"]
