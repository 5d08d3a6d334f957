"""What a process has compiled for one test, used by the next.

Each test has a database of its own, so an engine of its own, and an engine keeps the SQL of the statements
it has seen. To compile them anew for every test is a fifth to a third of what the tests do. In production
one engine lives as long as its process, as it does here in effect.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.util import LRUCache

STATEMENTS = 5_000  # more than there are
_FIRST: dict[str, sa.Engine] = {}


def share(engine: sa.Engine) -> None:
    """Let an engine use what all of its kind in this process have compiled: the key is the dialect's own."""
    if engine.name not in _FIRST:
        with engine.connect():  # a dialect is complete when it has seen a server
            engine._compiled_cache = LRUCache(STATEMENTS)
        _FIRST[engine.name] = engine
    first = _FIRST[engine.name]
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
