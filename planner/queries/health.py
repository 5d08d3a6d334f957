"""Whether the database answers."""

from __future__ import annotations

import sqlalchemy as sa

from planner.db.engine import reading
from planner.errors import Unavailable


def answers() -> bool:
    """Whether one statement comes back."""
    try:
        with reading() as session:
            return bool(session.scalar(sa.text("SELECT 1")))
    except Unavailable:
        return False
