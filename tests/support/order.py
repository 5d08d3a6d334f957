"""Which tests are begun first: a long one that is begun last would leave the other worker idle.

A worker gets one half of the list each, in order, and whoever has done takes over from the end of what the
other has left. So each half begins with tests that take seconds, and ends with short ones of no matter whom.
The hostile ones, for which a process makes a world and keeps it, are not torn apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
FIRST = ("hostile",)
SECOND = ("browser", "races", "mail", "cli", "scheduling")


def arranged(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests, each half beginning with the folders of long ones."""
    first, second = ([one for one in items if _folder(one) in part] for part in (FIRST, SECOND))
    short = [one for one in items if _folder(one) not in (*FIRST, *SECOND)]
    middle = max(0, len(items) // 2 - len(first))
    return [*first, *short[:middle], *second, *short[middle:]]


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]
