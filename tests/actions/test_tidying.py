"""What is let go of, what stays, and how much at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from planner.actions import tidying
from planner.db.base import Base
from tests.db.conftest import NOW

MINUTE = timedelta(minutes=1)


def fill(bound: sa.Engine, name: str, **values: Any) -> None:
    with bound.begin() as connection:
        connection.execute(sa.insert(Base.metadata.tables[name]).values(**values))


def answer(bound: sa.Engine, key: str, age: timedelta) -> None:
    fill(
        bound, "idempotency_key", key=key, user_id=None, action="a", body_hash="", answer={},
        created_at=NOW - age,
    )  # fmt: skip


def left(bound: sa.Engine) -> Mapping[str, list[Any]]:
    """Return the first text of what each table still holds."""
    first = {"idempotency_key": "key", "change": "key", "sign_in": "id_hash", "throttle": "subject"}
    with bound.connect() as connection:
        return {
            name: sorted(connection.scalars(sa.select(Base.metadata.tables[name].c[column])))
            for name, column in first.items()
        }


def test_what_is_over_goes_and_what_may_be_needed_stays(bound: sa.Engine) -> None:
    answer(bound, "old", timedelta(days=2) + MINUTE)
    answer(bound, "young", timedelta(days=2) - MINUTE)
    for key, age in (("old", timedelta(days=1) + MINUTE), ("young", timedelta(days=1) - MINUTE)):
        fill(bound, "change", key=key, at=NOW - age, user_id=None, label="", rows=[])
    for key, ends in (("over", -MINUTE), ("open", MINUTE)):
        fill(
            bound, "sign_in", id_hash=key, contents={}, created_at=NOW, seen_at=NOW,
            expires_at=NOW + ends,
        )  # fmt: skip
    for subject, age in (
        ("pair:old", timedelta(minutes=31)),
        ("pair:young", timedelta(minutes=29)),
        ("known:old", timedelta(days=91)),
        ("known:young", timedelta(days=89)),
    ):
        fill(bound, "throttle", subject=subject, failures=1, last_failed_at=NOW - age)
    removed = tidying.tidy(now=NOW)
    assert (removed, left(bound)) == (
        {"idempotency_key": 1, "change": 1, "sign_in": 1, "throttle": 2},
        {
            "idempotency_key": ["young"],
            "change": ["young"],
            "sign_in": ["open"],
            "throttle": ["known:young", "pair:young"],
        },
    )


def test_no_more_go_at_once_than_is_said_and_the_oldest_first(bound: sa.Engine) -> None:
    for number in range(5):
        answer(bound, f"{number}", timedelta(days=10 - number))
    assert tidying.tidy(now=NOW, most=2)["idempotency_key"] == 2
    assert left(bound)["idempotency_key"] == ["2", "3", "4"]


@pytest.mark.parametrize("table", ["audit", "schedule_version"])
def test_it_leaves_no_trace_in_the_record_and_bumps_nothing(bound: sa.Engine, table: str) -> None:
    answer(bound, "old", timedelta(days=3))
    rows = sa.select(Base.metadata.tables[table])
    with bound.connect() as connection:
        before = connection.execute(rows).all()
    tidying.tidy(now=NOW)
    with bound.connect() as connection:
        assert connection.execute(rows).all() == before
