"""docs/export.md describes what ``planner export`` writes: every kind and every field, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from planner.db.base import Base
from planner.queries.exports import DERIVED, KINDS, SECRET

PAGE = Path(__file__).resolve().parent.parent / "docs" / "export.md"
NAMED = {"patient", "provider", "room", "site", "service", "course", "number"}


def test_every_kind_has_its_paragraph() -> None:
    assert list(_paragraphs()) == list(KINDS)


def test_every_field_is_described_and_no_other() -> None:
    told = {kind: set(re.findall(r"`([a-z_]+)`", text)) for kind, text in _paragraphs().items()}
    assert {kind: told[kind] ^ _fields(kind) for kind in KINDS} == {kind: set() for kind in KINDS}


def _paragraphs() -> dict[str, str]:
    parts = re.split(r"^### (\w+)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _fields(kind: str) -> set[str]:
    columns = set(Base.metadata.tables[KINDS[kind]].columns.keys())
    with_zone = {"zone"} if "site_id" in columns else set()
    return columns - SECRET - DERIVED | with_zone | (NAMED if kind == "appointments" else set())
