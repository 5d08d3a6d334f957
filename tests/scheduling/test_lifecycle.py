"""The lifecycle of an appointment, pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from planner.scheduling import lifecycle
from planner.scheduling.lifecycle import Verb
from planner.scheduling.timetable import Status

ALLOWED = {
    (Status.HELD, Status.BOOKED): Verb.BOOK,
    (Status.HELD, Status.RELEASED): Verb.RELEASE,
    (Status.RESERVED, Status.BOOKED): Verb.BOOK,
    (Status.RESERVED, Status.RELEASED): Verb.RELEASE,
    (Status.BOOKED, Status.ARRIVED): Verb.CHECK_IN,
    (Status.BOOKED, Status.NO_SHOW): Verb.NO_SHOW,
    (Status.BOOKED, Status.CANCELLED): Verb.CANCEL,
    (Status.ARRIVED, Status.STARTED): Verb.START,
    (Status.ARRIVED, Status.NO_SHOW): Verb.NO_SHOW,
    (Status.ARRIVED, Status.CANCELLED): Verb.CANCEL,
    (Status.STARTED, Status.FULFILLED): Verb.COMPLETE,
}


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_a_status_follows_another_only_by_the_verb_of_the_table(
    before: Status, after: Status
) -> None:
    leading = [verb for verb in Verb if lifecycle.find_target(before, verb) == after]
    assert leading == ([ALLOWED[before, after]] if (before, after) in ALLOWED else [])


def test_nothing_follows_what_has_ended() -> None:
    ended = (Status.FULFILLED, Status.NO_SHOW, Status.CANCELLED, Status.RELEASED)
    assert [lifecycle.verbs(status) for status in ended] == [(), (), (), ()]


def test_verbs_come_in_the_order_of_a_visit() -> None:
    assert lifecycle.verbs(Status.ARRIVED) == (Verb.START, Verb.NO_SHOW, Verb.CANCEL)


def test_a_calendar_hears_of_what_becomes_firm_or_falls_away_and_of_nothing_else() -> None:
    heard = {pair for pair in ALLOWED if lifecycle.is_revision(*pair)}
    assert heard == {pair for pair in ALLOWED if pair[1] in _FIRM_OR_GONE}


_FIRM_OR_GONE = {Status.BOOKED, Status.NO_SHOW, Status.CANCELLED, Status.RELEASED}
