"""docs/seed-coverage.md names every statement of the clinic's page, and only tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs" / "seed-coverage.md").read_text(encoding="utf-8")


def test_every_statement_has_its_row() -> None:
    numbers: set[int] = set()
    for cell in re.findall(r"^\| (S\d\d[^|]*) \|", PAGE, re.MULTILINE):
        first, *others = (int(number) for number in re.findall(r"\d\d", cell))
        numbers |= set(range(first, others[-1] + 1)) if "–" in cell else {first, *others}
    assert numbers == set(range(1, 45))


def test_every_test_that_is_named_exists() -> None:
    there = {
        name
        for file in TESTS.rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))
    }
    assert sorted(set(re.findall(r"`(test_\w+)`", PAGE)) - there) == []
