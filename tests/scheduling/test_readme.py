"""The example of the core's README runs, without a database, and says what the README says it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import planner.scheduling

README = Path(planner.scheduling.__file__).parent / "README.md"


def test_the_example_prints_what_it_promises(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(README), "exec"), {})
    *sessions, sunday = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in sessions] == [
        ["1", "2027-03-01"], ["2", "2027-03-15"], ["3", "2027-03-29"],
    ]  # fmt: skip
    assert sunday == "['site.outside_hours']"
