"""A small demo clinic, made by the command once for all tests that only look at it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import commands

TODAY = "2027-03-01"


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``planner`` as a person would, in a process of its own."""
    environment = {**os.environ, "PLANNER_DATABASE_URL": url, "PLANNER_SECRET_KEY": "k" * 40}
    return commands.run(*arguments, environment=environment)


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo clinic of size S, made by the command."""
    path = tmp_path_factory.mktemp("demo") / "planner.sqlite3"
    run(f"sqlite:///{path}", "init")
    made = run(f"sqlite:///{path}", "demo", "--size", "S", "--seed", "7", "--today", TODAY)
    assert made.returncode == 0, made.stderr
    return path


@pytest.fixture
def demo(demo_file: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    copy = tmp_path / "planner.sqlite3"
    shutil.copyfile(demo_file, copy)
    return copy
