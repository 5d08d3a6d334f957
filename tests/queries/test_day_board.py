"""The arithmetic of the board: lanes, bands, and from which hour to which it reaches."""

from __future__ import annotations

import pytest

from planner.queries import day_board
from planner.queries.day_view import Band, Chip, Column, Item


def item(start: int, end: int) -> Item:
    return Item(
        id=start, key="", start_minute=start, end_minute=end, start_label="", end_label="",
        time_label="", minutes_label="", state="booked", status="booked", status_note="", version=1,
        patient_name="", patient_key="", service_name="", service_colour="", service_kind="other",
        number=None, total=None, gap=None, room_name="", provider_name="",
        provider=Chip(name="", colour=""), site=None, icons=(), note="",
    )  # fmt: skip


def lanes(*spans: tuple[int, int]) -> list[tuple[int, int]]:
    return [(i.lane, i.lanes) for i in day_board.in_lanes([item(*span) for span in spans])]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(540, 600), (600, 660)], [(1, 1), (1, 1)]),  # one after the other
        ([(540, 600), (570, 660)], [(1, 2), (2, 2)]),  # side by side
        ([(540, 600), (570, 660), (600, 630)], [(1, 2), (2, 2), (1, 2)]),  # a lane is used again
        ([(540, 545), (550, 580)], [(1, 2), (2, 2)]),  # a card is drawn 15 minutes tall
        ([(540, 700), (550, 560), (600, 660)], [(1, 2), (2, 2), (2, 2)]),  # all within a long one
    ],
)
def test_cards_that_overlap_stand_side_by_side(
    spans: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert lanes(*spans) == expected


def test_five_at_once_share_four_lanes() -> None:
    assert lanes(*[(540, 600)] * 5) == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]


@pytest.mark.parametrize(
    ("whole", "holes", "left"),
    [
        ([(0, 10)], [], [(0, 10)]),
        ([(0, 10)], [(2, 4)], [(0, 2), (4, 10)]),
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10)], [(8, 12), (3, 5)], [(0, 3), (5, 8)]),
        ([(0, 4), (4, 8)], [(3, 5)], [(0, 3), (5, 8)]),
        ([], [(1, 2)], []),
    ],
)
def test_what_is_left_of_spans(
    whole: list[tuple[int, int]], holes: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    assert day_board.without(whole, holes) == left


def column(*items: Item, closed: tuple[Band, ...] = ()) -> Column:
    return Column(
        id="", name="", detail="", initials="", colour="", closed=closed, appointments=items
    )


def bounds(columns: list[Column], opens: list[tuple[int, int]]) -> tuple[int, int]:
    board = day_board.board(
        columns, opens, now_minute=None, now_label="", hour_label=lambda minute: f"{minute // 60}"
    )
    return board.start_minute, board.end_minute


@pytest.mark.parametrize(
    ("spans", "opens", "expected"),
    [
        ([], [], (540, 1080)),
        ([], [(550, 1065)], (540, 1080)),
        ([(480, 510)], [(540, 1080)], (480, 1080)),  # an early visit is drawn
        ([(1070, 1100)], [(540, 1080)], (540, 1140)),  # a late one too
        ([(0, 30)], [(540, 1440)], (0, 960)),  # never more than sixteen hours
    ],
)
def test_the_board_reaches_over_full_hours_that_matter(
    spans: list[tuple[int, int]], opens: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    assert bounds([column(*(item(*span) for span in spans))], opens) == expected


def test_bands_that_touch_and_say_the_same_are_one() -> None:
    closed = (
        Band(start_minute=0, end_minute=570, kind="closed", label="Closed"),
        Band(start_minute=570, end_minute=600, kind="closed", label="Closed"),
        Band(start_minute=600, end_minute=630, kind="break", label="Break"),
    )
    board = day_board.board(
        [column(closed=closed)], [(540, 1080)], now_minute=None, now_label="", hour_label=str
    )
    assert [(b.start_minute, b.end_minute, b.kind) for b in board.columns[0].closed] == [
        (540, 600, "closed"),
        (600, 630, "break"),
    ]
