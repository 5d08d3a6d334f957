"""How hard the random tests try: a bounded, repeatable sample usually, thousands under ``PLANNER_LONG``.

Only the long run looks for a smaller example of what has failed, which may take minutes.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

IS_LONG = bool(os.environ.get("PLANNER_LONG"))


def examples(usual: int, long: int) -> settings:
    """Return the settings of a random test: the same examples on every usual run, others on every long one."""
    return settings(
        max_examples=long if IS_LONG else usual,
        derandomize=not IS_LONG,
        database=None,
        deadline=None,
        phases=tuple(Phase) if IS_LONG else (Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
