"""The bytes of calendar files: what two other programs read, and what never gets in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import hypothesis
import icalendar
import pytest
import structlog.testing
from hypothesis import strategies as st

from planner.ical import add_links, events, files, zones
from planner.ical.events import BrokenEvent, Days, Event, Span
from tests.support import calendars
from tests.support.effort import IS_LONG

NEW_YORK = "America/New_York"
STAMP = datetime(2026, 10, 1, 12, tzinfo=UTC)
YEARS = 10 if IS_LONG else 3  # nothing can be booked further ahead than one


def visit(uid: str = "a1@planner.invalid", **changes: Any) -> Event:
    starts_at = datetime(2026, 11, 3, 15, tzinfo=UTC)
    event = Event(
        uid=uid,
        sequence=0,
        created_at=STAMP,
        modified_at=STAMP,
        when=Span(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=45), zone=NEW_YORK),
        summary="Appointment",
        is_busy=True,
    )
    return replace(event, **changes)


def on(day: date, at: time, *, minutes: int = 45, zone: str = NEW_YORK) -> Span:
    starts_at = datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
    return Span(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), zone=zone)


def around_the_clock_changes(zone: str) -> list[Event]:
    clock = NEW_YORK if zone == "no zone" else zone
    days = [date(2026, 10, 31) + timedelta(days=n) for n in range(4)]
    days += [date(2027, 3, 12) + timedelta(days=n) for n in range(5)]
    hours = (0, 1, 3, 9, 18, 23)
    spans = [replace(on(d, time(h), zone=clock), zone=zone) for d in days for h in hours]
    return [visit(f"{n}@planner.invalid", when=span) for n, span in enumerate(spans)]


def as_meant(wanted: list[Event]) -> dict[str, tuple[datetime | date, datetime | date]]:
    return {
        event.uid: (event.when.starts_at, event.when.ends_at)
        for event in wanted
        if isinstance(event.when, Span)
    }


def times(read: dict[str, calendars.Read]) -> dict[str, tuple[datetime | date, datetime | date]]:
    return {uid: (event.starts, event.ends) for uid, event in read.items()}


@pytest.mark.parametrize("zone", [*zones.ZONES, "Europe/Vienna", "no zone"])
def test_two_parsers_read_the_instants_of_visits_across_both_clock_changes(zone: str) -> None:
    wanted = around_the_clock_changes(zone)
    content = files.make("My visits", wanted).content
    meant = as_meant(wanted)
    assert (times(calendars.icaljs(content)), times(calendars.vobject_reads(content))) == (
        meant,
        meant,
    )


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    spans = [
        Span(starts_at=at, ends_at=at + timedelta(minutes=20), zone=NEW_YORK)
        for at in (first, first + timedelta(hours=1), first + timedelta(minutes=20))
    ]
    wanted = [visit(f"{n}@planner.invalid", when=span) for n, span in enumerate(spans)]
    content = files.make("My visits", wanted).content
    meant = as_meant(wanted)
    assert (times(calendars.icaljs(content)), times(calendars.vobject_reads(content))) == (
        meant,
        meant,
    )


@pytest.mark.parametrize("zone", zones.ZONES)
def test_each_block_agrees_with_the_zone_every_hour_for_years(zone: str) -> None:
    import vobject

    read = vobject.readOne(
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{zones.block(zone).decode()}END:VCALENDAR\r\n"
    )
    own, real = read.vtimezone.tzinfo, ZoneInfo(zone)
    hour, wrong = datetime(2026, 1, 1), []  # noqa: DTZ001  wall-clock hours
    while hour.year < 2026 + YEARS:
        there = real.utcoffset(hour)
        # An hour left out has no offset; the one that comes twice means its first.
        exists = hour == hour.replace(tzinfo=real).astimezone(UTC).astimezone(real).replace(
            tzinfo=None
        )
        if exists and own.utcoffset(hour) != there and not _comes_twice(hour, real):
            wrong.append(hour)
        hour += timedelta(hours=1)
    assert wrong == []


def _comes_twice(hour: datetime, zone: ZoneInfo) -> bool:
    return zone.utcoffset(hour) != zone.utcoffset(hour.replace(fold=1))


def test_no_zone_block_holds_what_outlook_or_thunderbird_cannot_read() -> None:
    text = b"".join(map(zones.block, zones.ZONES))
    assert [word for word in (b"RDATE", b"COMMENT", b"EXDATE", b"UNTIL") if word in text] == []


def test_a_file_is_a_snapshot_with_a_constant_head() -> None:
    content = files.make("My visits", []).content
    assert content == (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
        b"PRODID:-//planner//planner 1//EN\r\nCALSCALE:GREGORIAN\r\n"
        b"NAME:My visits\r\nX-WR-CALNAME:My visits\r\n"
        + zones.block(NEW_YORK)
        + b"END:VCALENDAR\r\n"
    )


def test_equal_events_make_equal_bytes_and_tags() -> None:
    assert files.make("My visits", [visit()]) == files.make("My visits", [visit()])


def test_another_sequence_makes_another_tag() -> None:
    assert files.make("x", [visit()]).etag != files.make("x", [visit(sequence=1)]).etag


def test_whole_days_end_on_the_day_after_the_last() -> None:
    days = visit(when=Days(first=date(2026, 11, 1), last=date(2026, 11, 4)), is_busy=False)
    read = calendars.icaljs(files.make("x", [days]).content)[days.uid]
    assert (read.starts, read.ends) == (date(2026, 11, 1), date(2026, 11, 5))


def texts() -> st.SearchStrategy[str]:
    """Whatever a keyboard, a clipboard or an attacker gives."""
    return st.text(st.characters() | st.sampled_from("\r\n\t;,:\\\"^'\u202e\ufeff😀"), max_size=120)


NASTY = (
    "one\r\nBEGIN:VALARM\r\nACTION:EMAIL",
    "semi;colons, commas \\ backslashes \\n",
    'a "quoted" name: with colon',
    "🦵👩🏽‍⚕️ naïve façade",
    "عيادة الأوردة \u202e evil",
    "x" * 300,
    "ü" * 300,
    "nul\x00 bell\x07 del\x7f nel\x85 line\u2028separator \ud800",
    "\tTabs and  spaces ",
)


@pytest.mark.parametrize("text", NASTY)
def test_hostile_text_stays_text(text: str) -> None:
    event = visit(summary=text, description=text, location=text)
    content = files.make(text, [event]).content
    expected = (events.clean(text),) * 3
    for read in (calendars.icaljs(content), calendars.vobject_reads(content)):
        found = read[event.uid]
        assert (found.summary, found.description, found.location) == expected
        assert found.alarms == 0


@pytest.mark.parametrize("text", NASTY)
def test_lines_end_in_crlf_and_hold_at_most_75_octets(text: str) -> None:
    content = files.make(text, [visit(summary=text, description=text)]).content
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert [line for line in lines[:-1] if not 0 < len(line) <= 75] == []
    assert b"\n" not in content.replace(b"\r\n", b"") and b"\r" not in content.replace(b"\r\n", b"")
    content.decode("utf-8")
    assert not content.startswith(b"\xef\xbb\xbf")


HALF_PAST = datetime(2026, 11, 3, 15, 30, tzinfo=UTC)
NAIVE = datetime(2026, 11, 3, 15, 30)  # noqa: DTZ001  on purpose
BROKEN = {
    "ends before it starts": {
        "when": Span(starts_at=HALF_PAST, ends_at=HALF_PAST, zone=NEW_YORK)
    },
    "floats": {"when": Span(starts_at=NAIVE, ends_at=NAIVE + timedelta(hours=1), zone=NEW_YORK)},
    "days end before they start": {"when": Days(first=date(2026, 11, 4), last=date(2026, 11, 3))},
    "unknown status": {"status": "NOSHOW"},
    "negative sequence": {"sequence": -1},
    "no uid": {"uid": ""},
    "a uid that breaks the line": {"uid": "a\r\nb@planner.invalid"},
    "a uid too long": {"uid": f"{'a' * 250}@planner.invalid"},
    "no summary": {"summary": " \x07 "},
    "three reminders": {"reminders": (timedelta(1), timedelta(2), timedelta(3))},
    "a cancelled visit that rings": {
        "status": "CANCELLED", "is_busy": False, "reminders": (timedelta(1),),
    },
    "a floating stamp": {"modified_at": NAIVE},
}  # fmt: skip


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_a_broken_event_is_left_out_and_logged_and_the_others_stay(
    changes: dict[str, Any],
) -> None:
    good = visit("good@planner.invalid")
    with structlog.testing.capture_logs() as logs:
        content = files.make("x", [visit(**changes), good]).content
    assert list(calendars.icaljs(content)) == [good.uid]
    assert [entry["event"] for entry in logs] == ["calendar_event_left_out"]
    with pytest.raises(BrokenEvent):
        events.rendered(visit(**changes))


def test_the_guard_sees_every_line_that_is_not_as_meant() -> None:
    event = visit(
        summary="One; two", description="A, b\nc", location="Here", reminders=(timedelta(days=1),)
    )
    content = events.rendered(event)
    lines = content.split(b"\r\n")[:-1]
    unseen = []
    for n, line in enumerate(lines):
        for wrong in ([], [line + b"x"], [line, line], [line[:-1]]):
            spoilt = b"".join(one + b"\r\n" for one in (*lines[:n], *wrong, *lines[n + 1 :]))
            try:
                events._check_reading(event, spoilt)
                unseen.append((line, wrong))
            except BrokenEvent:
                pass
    events._check_reading(event, content)
    assert unseen == []


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(summary=texts(), description=texts(), location=texts())
def test_whatever_is_typed_is_read_as_it_was_cleaned(
    summary: str, description: str, location: str
) -> None:
    event = visit(summary=f"x{summary}", description=description, location=location)
    read = icalendar.Event.from_ical(events.rendered(event))
    found = [str(read.get(name, "")) for name in ("summary", "description", "location")]
    assert found == [
        events.clean(text) for text in (event.summary, event.description, event.location)
    ]


def test_joined_blocks_are_the_bytes_and_the_tag_of_one() -> None:
    wanted = [visit("a@planner.invalid"), visit("b@planner.invalid", sequence=3)]
    together = files.make("x", wanted)
    apart = files.join("x", [files.block([one]) for one in wanted])
    other = files.join("x", [files.block([one]) for one in reversed(wanted)])
    assert (apart.content, apart.etag == other.etag) == (together.content, False)
    assert files.join("x", [], is_feed=True).etag != files.join("x", []).etag


def test_a_uid_in_two_blocks_stands_in_a_file_once() -> None:
    block = files.block([visit()])
    with structlog.testing.capture_logs() as logs:
        made = files.join("x", [block, block])
    assert (made.content.count(b"BEGIN:VEVENT"), len(made.left_out), len(logs)) == (1, 1, 1)


def test_a_uid_stands_in_a_file_once() -> None:
    with structlog.testing.capture_logs() as logs:
        content = files.make("x", [visit(), visit(sequence=1)]).content
    assert (content.count(b"BEGIN:VEVENT"), len(logs)) == (1, 1)


def test_a_long_title_is_cut_at_a_word() -> None:
    assert events.one_line("Appointment – a name that goes on", 26) == "Appointment – a name that…"


def test_add_links_say_the_visit_in_utc_and_hold_back_what_breaks_addresses() -> None:
    when = on(date(2026, 11, 3), time(10))
    links = add_links.of("Cita – Glamour & co; #1\r\nx", when, "Miami\n1 Example Avenue, Suite #2")
    parts = {name: urlsplit(url) for name, url in (("g", links.google), ("o", links.outlook))}
    query = {name: dict(parse_qsl(part.query)) for name, part in parts.items()}
    assert {name: part.hostname for name, part in parts.items()} == {
        "g": "calendar.google.com",
        "o": "outlook.live.com",
    }
    assert query["g"]["dates"] == "20261103T150000Z/20261103T154500Z"
    assert (query["o"]["startdt"], query["o"]["enddt"]) == (
        "2026-11-03T15:00:00Z",
        "2026-11-03T15:45:00Z",
    )
    assert query["g"]["text"] == query["o"]["subject"] == "Cita – Glamour & co; #1 x"
    assert query["g"]["location"] == query["o"]["location"] == "Miami, 1 Example Avenue, Suite #2"
    assert not any(
        "+" in url or "details" in url or "body" in url for url in (links.google, links.outlook)
    )


@pytest.mark.parametrize(
    "changes",
    [{}, {"when": Days(first=date(2026, 11, 1), last=date(2026, 11, 4))}],
    ids=["timed", "days"],
)
def test_the_bytes_are_those_the_library_writes_of_a_whole_component(
    changes: dict[str, Any],
) -> None:
    event = visit(
        description=NASTY[1],
        location="Miami\n1 Example Avenue",
        belongs_to="b@planner.invalid",
        reminders=(timedelta(days=1), timedelta(hours=2)),
        **changes,
    )
    content = events.rendered(event)
    assert icalendar.Event.from_ical(content).to_ical() == content
