"""Set-up does what is missing, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.steps import Step, carry_out


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def step(tmp_path: Path, done: list[str]) -> Step:
    source = tmp_path / "source"
    source.write_text("one")
    return Step(
        title="A step",
        stamp=tmp_path / "product" / "stamp",
        key=source.read_text,
        run=lambda: done.append(source.read_text()),
    )


def test_a_step_is_carried_out_once(step: Step, done: list[str]) -> None:
    carry_out([step])
    carry_out([step])
    assert done == ["one"]


def test_a_step_is_carried_out_again_when_its_source_has_changed(
    step: Step, done: list[str], tmp_path: Path
) -> None:
    carry_out([step])
    (tmp_path / "source").write_text("two")
    carry_out([step])
    assert done == ["one", "two"]


def test_a_step_is_carried_out_again_when_its_product_was_removed(
    step: Step, done: list[str]
) -> None:
    carry_out([step])
    step.stamp.unlink()
    carry_out([step])
    assert done == ["one", "one"]


def test_a_step_that_failed_is_tried_again(tmp_path: Path, done: list[str]) -> None:
    def fail_once() -> None:
        done.append("tried")
        if len(done) == 1:
            raise OSError

    step = Step(title="A step", stamp=tmp_path / "stamp", key=lambda: "", run=fail_once)
    with pytest.raises(OSError):
        carry_out([step])
    carry_out([step])
    assert done == ["tried", "tried"]
