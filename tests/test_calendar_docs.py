"""The table of calendar rules names tests and places that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "calendar.md").read_text(encoding="utf-8")


def test_every_test_that_the_table_names_is_there() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    named = set(re.findall(r"`(test_\w+)(?:…)?`", DOCS))
    assert len(named) > 30
    assert [name for name in sorted(named) if f"def {name}" not in sources] == []


def test_every_place_that_the_table_names_is_there() -> None:
    rows = [row for row in DOCS.splitlines() if row.startswith("| ") and "test_" in row]
    cells = [row.split("|")[2] for row in rows]
    places = {
        place.partition(".")[0] for cell in cells for place in re.findall(r"`(\w+/[\w/]+)", cell)
    }
    found = {place for place in places if list((ROOT / "planner").glob(f"{place}*"))}
    assert places - found == set()
