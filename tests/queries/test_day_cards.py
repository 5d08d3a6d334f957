"""Minutes of a day on its board, whatever its clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from planner.queries import day_board
from planner.queries.day_cards import Cards
from planner.queries.day_facts import DayFacts
from planner.queries.day_rows import Fact
from planner.scheduling import hours
from tests import factories

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)
SITE = Fact("site", 1, 1, None, None, "Miami", factories.ZONE, "teal", 0, None, None)


@pytest.mark.parametrize(
    "day",
    [
        date(2027, 3, 3),
        date(2027, 3, 14),  # clocks go forward
        date(2027, 11, 7),  # and back
    ],
)
def test_minutes_are_those_of_the_clocks_at_the_site(day: date) -> None:
    cards = Cards(DayFacts([SITE]), day, NOW, "en", {}, is_all=False)
    noon = datetime(day.year, day.month, day.day, 17, 4, tzinfo=UTC)
    instants = [noon + timedelta(minutes=7 * step) for step in range(-300, 301)]

    def of_clocks(at: datetime) -> int:
        local = hours.local(at, factories.ZONE)
        return (local.date() - day).days * 1440 + day_board.minute(local.time())

    assert [cards.clock(at) for at in instants] == [of_clocks(at) for at in instants]
