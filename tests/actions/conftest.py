"""Use cases run as in the application: on a database of either kind, in an application context."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.db.conftest import bound, clinic, given, stocked

__all__ = ["bound", "clinic", "count_statements", "given", "stocked"]


@pytest.fixture
def count_statements(bound: sa.Engine) -> Callable[[Callable[[], object]], int]:
    """Return how many statements a call sends to the database."""

    def of(call: Callable[[], object]) -> int:
        sent: list[str] = []

        def listen(*arguments: object) -> None:
            sent.append(str(arguments[2]))

        sa.event.listen(bound, "before_cursor_execute", listen)
        call()
        sa.event.remove(bound, "before_cursor_execute", listen)
        return len(sent)

    return of
