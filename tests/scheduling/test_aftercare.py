"""S24, S26, S27, S29 to S34: what holds after a session, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from planner.scheduling import aftercare
from planner.scheduling.aftercare import Treated
from planner.scheduling.timetable import RuleSetting, Severity

ENDS_AT = datetime(2027, 3, 3, 15, 45, tzinfo=UTC)  # Wed 10:45 in New York
SESSION = Treated(
    ends_at=ENDS_AT,
    kept_free=timedelta(minutes=20),
    zone="America/New_York",
    site_id=1,
    service_id=2,
    zones=frozenset({"left_calf"}),
)


def rule(code: str, value: Any) -> RuleSetting:
    return RuleSetting(
        code=code, scope="clinic", scope_id=None, value=value, severity=Severity.INFO,
        effective_from=date(2027, 1, 1),
    )  # fmt: skip


def days(found: aftercare.Compression | None) -> tuple[date, date] | None:
    return (found.first, found.last) if found else None


def test_s24_the_walk_takes_the_minutes_the_patient_is_kept_free() -> None:
    walk = aftercare.after(SESSION, ()).walk
    assert walk == aftercare.Walk(
        starts_at=ENDS_AT, ends_at=ENDS_AT + timedelta(minutes=20), least=15, most=30
    )


def test_without_a_walk_there_is_none() -> None:
    assert aftercare.after(replace(SESSION, kept_free=timedelta()), ()).walk is None


def test_s26_day_and_night_lasts_to_the_far_end_of_two_to_three_days() -> None:
    assert days(aftercare.after(SESSION, ()).day_and_night) == (date(2027, 3, 3), date(2027, 3, 6))


@pytest.mark.parametrize(
    ("next_session_on", "span"),
    [
        (None, (date(2027, 3, 7), date(2027, 3, 27))),
        (date(2027, 4, 14), (date(2027, 3, 7), date(2027, 3, 27))),
        (date(2027, 3, 17), (date(2027, 3, 7), date(2027, 3, 16))),
        (date(2027, 3, 8), (date(2027, 3, 7), date(2027, 3, 7))),
        (date(2027, 3, 7), None),
        (date(2027, 3, 5), None),
    ],
)
def test_s27_as_needed_ends_where_the_next_session_begins(
    next_session_on: date | None, span: tuple[date, date] | None
) -> None:
    treated = replace(SESSION, next_session_on=next_session_on)
    assert days(aftercare.after(treated, ()).as_needed) == span


@pytest.mark.parametrize(
    ("treated", "has_stockings"),
    [({"face"}, False), ({"face", "left_calf"}, True), (set(), True)],
)
def test_s07_a_face_alone_wears_no_stockings(treated: set[str], has_stockings: bool) -> None:
    found = aftercare.after(replace(SESSION, zones=frozenset(treated)), ())
    assert [found.day_and_night is not None, found.as_needed is not None] == [has_stockings] * 2


@pytest.mark.parametrize(
    ("is_reticular", "most"), [(True, 7), (False, 3)], ids=["reticular", "spider"]
)
def test_s11_the_longer_compression_holds_for_reticular_veins(
    is_reticular: bool, most: int
) -> None:
    rules = (rule("compression.reticular_days", {"from": 5, "to": 7}),)
    found = aftercare.after(replace(SESSION, is_reticular=is_reticular), rules).day_and_night
    assert found is not None and found.most == most


def test_s29_s30_to_s34_seventy_two_hours_are_elapsed_hours() -> None:
    saturday = datetime(2026, 3, 7, 19, tzinfo=UTC)  # 14:00; the clocks change that night
    found = aftercare.after(replace(SESSION, ends_at=saturday), ())
    ends = {r.until for r in (*found.restrictions, found.flying) if r}
    assert ends == {datetime(2026, 3, 10, 19, tzinfo=UTC)}  # Tue 15:00


def test_each_restriction_has_its_own_hours_and_none_is_none() -> None:
    rules = (rule("aftercare.flying", 48), rule("aftercare.sauna", 0), rule("aftercare.sun", 24))
    found = aftercare.after(SESSION, rules)
    given = {r.code.removeprefix("aftercare."): r.hours for r in found.restrictions}
    assert found.flying is not None and found.flying.hours == 48
    assert given == {"exercise": 72, "sun": 24, "hot_bath": 72, "hot_tub": 72}


def test_a_restriction_that_ends_at_midnight_does_not_touch_the_new_day() -> None:
    midnight = datetime(2027, 3, 3, 5, tzinfo=UTC)
    flying = aftercare.after(replace(SESSION, ends_at=midnight), ()).flying
    assert flying and aftercare.last_day(flying, SESSION.zone) == date(2027, 3, 5)


PLAIN: dict[str, Any] = {}
FACE, RETICULAR = {"zones": frozenset({"face"})}, {"is_reticular": True}
LONGER = rule("compression.reticular_days", {"from": 7, "to": 7})


@pytest.mark.parametrize(
    ("sessions", "day_and_night", "as_needed"),
    [
        # two weeks apart: as needed ends where the next begins
        (((0, PLAIN), (14, PLAIN)), ["3-6", "17-20"], ["7-16", "21-41"]),
        # within the day and night of the one before
        (((0, PLAIN), (2, PLAIN)), ["3-4", "5-8"], [None, "9-29"]),
        # on one day: worn once
        (((0, PLAIN), (0, PLAIN)), [None, "3-6"], [None, "7-27"]),
        # the longer one goes on through the shorter
        (((0, RETICULAR), (2, PLAIN)), ["3-4", "5-10"], [None, "11-31"]),
        # a face wears none, and ends nothing
        (((0, PLAIN), (5, FACE), (14, PLAIN)), ["3-6", None, "17-20"], ["7-16", None, "21-41"]),
        ((), [], []),
    ],
)
def test_s27_spans_of_several_sessions_merge_and_none_is_cut_short(
    sessions: tuple[tuple[int, dict[str, Any]], ...],
    day_and_night: list[str | None],
    as_needed: list[str | None],
) -> None:
    treated = [
        replace(SESSION, ends_at=ENDS_AT + timedelta(days=day), **facts) for day, facts in sessions
    ]
    found = aftercare.after_all(treated, [LONGER])
    assert [in_march(one.day_and_night) for one in found] == day_and_night
    assert [in_march(one.as_needed) for one in found] == as_needed


def in_march(span: aftercare.Compression | None) -> str | None:
    """Return the span in days counted from the last of February: "3-6", and "41" is 10 April."""
    if span is None:
        return None
    return "-".join(str((day - date(2027, 2, 28)).days) for day in (span.first, span.last))
