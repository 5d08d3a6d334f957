"""Locks name versions and hashes, and no place that only one machine or office knows."""

from __future__ import annotations

import json

import pytest

from tools.install import DEV_LOCK, LOCK, entry
from tools.lock import NPM_LOCK, PLACES, without_funding


@pytest.mark.parametrize("name", [LOCK.name, DEV_LOCK.name, NPM_LOCK.name])
def test_a_lock_names_no_place(name: str) -> None:
    assert PLACES.findall((LOCK.parent / name).read_text()) == []


@pytest.mark.parametrize("name", [LOCK.name, DEV_LOCK.name])
def test_everything_locked_has_a_hash(name: str) -> None:
    text = (LOCK.parent / name).read_text()
    names = [line.split("==")[0] for line in text.splitlines() if line[:1].isalnum()]
    assert [package for package in names if "--hash=sha256:" not in entry(text, package)] == []


def test_one_package_is_read_out_of_a_lock() -> None:
    lock = "a==1 \\\n    --hash=sha256:00\nuv==2 \\\n    --hash=sha256:01\nz==3 \\\n    --hash=sha256:02\n"
    assert entry(lock, "uv") == "uv==2 \\\n    --hash=sha256:01\n"


def test_collecting_addresses_are_left_out_of_the_lock() -> None:
    lock = json.dumps({"packages": {"node_modules/a": {"version": "1", "funding": {"url": "x"}}}})
    assert json.loads(without_funding(lock)) == {"packages": {"node_modules/a": {"version": "1"}}}
