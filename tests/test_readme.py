"""The README says what is."""

from __future__ import annotations

import re
from pathlib import Path

from planner.cli import COMMANDS
from planner.config import TABLE

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_that_of_the_program() -> None:
    shown = re.findall(r"^\| `(PLANNER_\w+)` \| (.+?) \| (.+) \|$", README, re.MULTILINE)
    assert shown == [(row.variable, row.default, row.meaning) for row in TABLE]


def test_every_command_has_its_line() -> None:
    shown = set(re.findall(r"^\| `planner ([\w-]+)", README, re.MULTILINE))
    assert shown == {command.name for command in COMMANDS}


def test_every_link_between_our_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)} → {target}"
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
