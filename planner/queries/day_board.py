"""The board of a day: columns, what is closed in them, lanes and tails.

Plain arithmetic on minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import time
from itertools import groupby

from planner.queries.day_view import Band, Board, Column, Hour, Item

Span = tuple[int, int]
DAY: Span = (0, 24 * 60)
FINGER = 15  # minutes: a shorter card is drawn this tall
LONGEST = 16 * 60  # minutes the board can draw
DEFAULT: Span = (9 * 60, 18 * 60)  # of a day on which nothing is open


def minute(at: time) -> int:
    """Return the minutes since midnight, down to five."""
    return (at.hour * 60 + at.minute) // 5 * 5


def board(
    columns: Sequence[Column],
    open_spans: Iterable[Span],
    *,
    now_minute: int | None,
    now_label: str,
    hour_label: Callable[[int], str],
) -> Board:
    """Return the board from the first full hour that matters to the last."""
    start, end = _bounds(columns, open_spans)
    return Board(
        start_minute=start,
        end_minute=end,
        now_minute=now_minute,
        now_label=now_label,
        hours=tuple(Hour(minute=m, label=hour_label(m)) for m in range(start, end, 60)),
        columns=tuple(
            replace(column, closed=_within(column.closed, start, end)) for column in columns
        ),
    )


def without(whole: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Return the parts of ``whole`` in none of ``holes``, in order."""
    result = merged(whole)
    for start, end in merged(holes):
        result = [
            part
            for a, b in result
            for part in ((a, min(b, start)), (max(a, end), b))
            if part[0] < part[1]
        ]
    return sorted(set(result))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the union, in order, of spans that neither overlap nor touch."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def bands(spans: Iterable[Span], kind: str, label: str) -> list[Band]:
    """Return the spans as bands of one kind."""
    return [Band(start_minute=a, end_minute=b, kind=kind, label=label) for a, b in spans if a < b]


def in_lanes(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items side by side where they overlap, in at most four lanes."""
    clusters: list[list[Item]] = []
    until = -1
    for item in sorted(items, key=lambda item: (item.start_minute, item.end_minute)):
        if item.start_minute >= until:
            clusters.append([])
        clusters[-1].append(item)
        until = max(until if len(clusters[-1]) > 1 else -1, _drawn_until(item))
    return tuple(item for cluster in clusters for item in _laned(cluster))


def _laned(cluster: list[Item]) -> list[Item]:
    ends: list[int] = []
    lanes: list[int] = []
    for item in cluster:
        free = next((n for n, end in enumerate(ends) if end <= item.start_minute), len(ends))
        if free == len(ends):
            ends.append(0)
        ends[free] = _drawn_until(item)
        lanes.append(free)
    if len(ends) == 1:
        return cluster
    count = min(len(ends), 4)
    return [
        replace(item, lane=min(lane + 1, 4), lanes=count)
        for item, lane in zip(cluster, lanes, strict=True)
    ]


def _drawn_until(item: Item) -> int:
    return max(item.end_minute, item.start_minute + FINGER)


def _bounds(columns: Sequence[Column], open_spans: Iterable[Span]) -> Span:
    spans = [
        *open_spans,
        *((i.start_minute, i.end_minute) for c in columns for i in c.appointments),
    ]
    start, end = (min(a for a, _ in spans), max(b for _, b in spans)) if spans else DEFAULT
    first, last = start // 60 * 60, -(-end // 60) * 60
    return first, min(last, first + LONGEST, DAY[1])


def _within(closed: Iterable[Band], start: int, end: int) -> tuple[Band, ...]:
    """Cut the bands to the board; neighbours of one kind and label become one."""
    cut = sorted(
        (max(b.start_minute, start), min(b.end_minute, end), b.kind, b.label)
        for b in closed
        if b.start_minute < end and b.end_minute > start
    )
    result: list[Band] = []
    for (kind, label), group in groupby(cut, key=lambda row: (row[2], row[3])):
        result += bands(merged((a, b) for a, b, *_ in group), kind, label)
    return tuple(sorted(result, key=lambda band: band.start_minute))
