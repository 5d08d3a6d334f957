"""An application that knows nothing but its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import flask
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.db import engine
from planner.who import Who
from tests.factories import SmallClinic
from tests.support import compiled, databases

TODAY = date(2027, 3, 1)  # a Monday
NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)
DESK = Who(user_id=None, role="receptionist", origin="127.0.0.1", request_id="r-1")


@pytest.fixture
def bound(database_url: str) -> Iterator[sa.Engine]:
    """The engine of an application context on a fresh database of either kind."""
    app = flask.Flask("test")
    engine.configure(app, database_url)
    with app.app_context():
        compiled.share(engine.db.engine)
        yield engine.db.engine
        engine.db.engine.dispose()


@pytest.fixture
def given(bound: sa.Engine) -> Callable[..., int]:
    """Add by a factory, and commit: ``given(factories.patient, given_name="Ana")``."""

    def add(factory: Callable[..., int], *args: object, **columns: object) -> int:
        with Session(bound, expire_on_commit=False) as session:
            result = factory(session, *args, **columns)
            session.commit()
            return result

    return add


@pytest.fixture
def stocked(request: pytest.FixtureRequest) -> date | None:
    """With the small clinic, where a test asks for that."""
    return TODAY if "clinic" in request.fixturenames else None


@pytest.fixture
def clinic(
    bound: sa.Engine, run_folder: Path, database_url: str, stocked: date | None
) -> SmallClinic:
    """The small clinic, stored."""
    return databases.small_clinic(run_folder, database_url, TODAY, stocked=stocked)
