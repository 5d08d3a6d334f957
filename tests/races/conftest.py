"""A clinic with a provider, a room and a patient for each rival."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.db.conftest import bound, clinic, given, stocked
from tests.factories import SmallClinic
from tests.races import arena
from tests.races.arena import Arena

__all__ = ["bound", "clinic", "given", "stocked"]


@pytest.fixture
def ring(bound: sa.Engine, clinic: SmallClinic) -> Arena:
    """The arena, stored beside the small clinic."""
    return arena.build(bound, clinic)
