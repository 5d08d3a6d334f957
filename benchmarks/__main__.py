"""``python -m benchmarks``: measure, print, and write ``build/bench.json``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks import availability, booking, course, feeds, pages, questions, starting
from benchmarks.measuring import Row

GROUPS: dict[str, Callable[[float], Iterator[Row]]] = {
    "day": pages.day,
    "search": pages.search,
    "course": pages.course,
    "availability": availability.free,
    "stored": availability.stored,
    "proposals": course.proposals,
    "questions": questions.both,
    "feed": feeds.feed,
    "booking": booking.both,
    "start": starting.second,
}
ANSWER = Path(__file__).resolve().parent.parent / "build" / "bench.json"
SECONDS = 6.0


def main() -> int:
    """Measure what was asked for. Returns 0 whatever the figures are: they are read, not passed."""
    asked = _arguments()
    rows: list[Row] = []
    print(_HEAD)
    for name in asked.only or GROUPS:
        for row in GROUPS[name](asked.seconds):
            rows.append(row)
            print(_line(row), flush=True)
    ANSWER.parent.mkdir(exist_ok=True)
    ANSWER.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    missed = [f"{row.name} ({row.size})" for row in rows if row.is_missed]
    print(f"\nMissed: {'; '.join(missed)}" if missed else "\nAll goals are met.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=tuple(GROUPS), help="measure this alone")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="for each figure, about (%(default)s)"
    )
    return parser.parse_args()


_HEAD = f"{'':42}{'ours ms':>9}{'p95':>9}{'floor ms':>10}{'p95':>9}{'ratio':>8}{'goal':>7}"


def _line(row: Row) -> str:
    sign = " " if row.goal is None else "✗" if row.is_missed else "✓"
    figures = (
        f"{_figure(row.ours_ms):>9}{_figure(row.ours_p95_ms):>9}{_figure(row.floor_ms):>10}"
        f"{_figure(row.floor_p95_ms):>9}{_figure(row.ratio):>8}{_figure(row.goal):>7} {sign} "
    )
    facts = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in row.facts.items())
    return f"{row.name + ' (' + row.size + ')':42}{figures}{facts}"


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 0.01:
        return f"{value:.5f}"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
