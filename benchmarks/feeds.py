"""Calendars to subscribe to: from rows to bytes, beside the library writing the same events."""

from __future__ import annotations

import http.client
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter, process_time
from typing import Any
from urllib.parse import urlsplit

import flask
import icalendar
import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import clinics, measuring, serving
from benchmarks.measuring import Row
from planner.actions import feeds as actions
from planner.db import engine
from planner.db.models import Appointment, Patient
from planner.ical import events, files
from planner.ical.events import Event
from planner.queries import calendar_events, calendar_rows, calendars, schedules
from planner.queries.calendar_rows import Diary
from planner.who import SYSTEM, Who

NOW = datetime.combine(clinics.TODAY, datetime.min.time(), UTC)
KEPT_GOAL = 1 / 160  # 2 µs of the 320 µs that the library took for an event when the goal was set
COLD_GOAL = 1.0
TOKEN = "t" * 43
CROWD = 4
TURNS = 200
"""How often what is kept is asked for at a time: once alone, after the library, it is the caches that are
measured."""


def feed(seconds: float) -> Iterator[Row]:
    """A patient's feed and a provider's: kept, from cold, and as a whole request."""
    with clinics.copy("M") as url, clinics.serving(url) as app:
        with app.app_context(), engine.reading() as session:
            in_course = _busiest(
                session, Appointment.patient_id, Appointment.course_session_id.is_not(None)
            )
            patient_id = _busiest(session, Appointment.patient_id)
            provider_id = _busiest(session, Appointment.provider_id)
            key = session.get_one(Patient, patient_id).key
            diaries = {
                "patient's feed": calendar_rows.diary(session, in_course),
                "patient's feed, many visits": calendar_rows.diary(session, patient_id),
            }
            schedule = schedules.taken(session, provider_id, now=NOW)
        for name, diary in diaries.items():
            yield from _of_patient(name, diary, seconds)
        entries = list(schedules.entries(schedule, now=NOW))
        yield from _both(
            "provider's feed",
            [schedules.event_of(entry, "en") for entry in entries],
            lambda: schedules.join(entries, "en"),
            lambda: schedules.join([], "en"),
            seconds,
        )
        by = Who(user_id=None, role="provider", provider_id=provider_id, origin="", request_id="")
        with app.app_context():
            actions.subscribe_patient(key, TOKEN, by=SYSTEM, now=NOW)
            actions.subscribe_provider(TOKEN + "p", by=by, now=NOW)
        for name, token in (("patient's", TOKEN), ("provider's", TOKEN + "p")):
            yield _asked(app, f"{name} feed, asked for", f"/cal/{token}.ics", seconds)
        with serving.server(url, PLANNER_WORKERS="1") as address:
            yield from _crowded(f"{address}/cal/{TOKEN}.ics", seconds)


def _of_patient(name: str, diary: Diary, seconds: float) -> Iterator[Row]:
    states = tuple(calendar_events.shown(visit, diary, NOW) for visit in diary.visits)
    wanted = [
        event
        for state in states
        if calendar_events.is_current(state, NOW)
        for event in calendar_events.of(state, diary, states)
    ]
    nothing = replace(diary, visits=())
    yield from _both(
        name,
        wanted,
        lambda: calendars.feed_of(diary, now=NOW),
        lambda: calendars.feed_of(nothing, now=NOW),
        seconds,
    )


def _both(
    name: str,
    wanted: Sequence[Event],
    kept: Callable[[], files.File],
    empty: Callable[[], files.File],
    seconds: float,
) -> Iterator[Row]:
    count = len(wanted)
    written = [events.rendered(event) for event in wanted]
    if kept().content.count(b"BEGIN:VEVENT") != count:
        raise RuntimeError("what is measured is not what is served")
    joined = measuring.alone("", "", lambda: b"".join(written), seconds=seconds / 10).ours_ms

    def cold() -> files.File:
        events.rendered.cache_clear()
        return files.make("My visits", wanted)

    def library() -> bytes:
        calendar = icalendar.Calendar()
        calendar.subcomponents = [_component(event) for event in wanted]
        return calendar.to_ical()

    several = measuring.beside(
        f"{name}, kept",
        f"{count} events",
        lambda: [kept() for _ in range(TURNS)],
        library,
        seconds=seconds,
        turns=TURNS,
    )
    row = replace(
        several,
        ours_ms=several.ours_ms / TURNS,
        ours_p95_ms=(several.ours_p95_ms or 0) / TURNS,
        ratio=(several.ratio or 0) / TURNS,
        goal=KEPT_GOAL,
    )
    for figure in ("processor_ms", "processor_ratio"):  # of all turns together
        del row.facts[figure]
    whole, constant = _spent(kept), _spent(empty)
    row.facts.update(
        {
            "us_an_event": _us(whole, count),
            "us_an_event_more": _us(whole - constant, count),
            "us_without_events": _us(constant, 1),
            "joined_alone_us": _us(joined, count),
        }
    )
    yield row
    row = measuring.beside(
        f"{name}, from cold", f"{count} events", cold, library, seconds=seconds, goal=COLD_GOAL
    )
    row.facts.update({"us_an_event": _us(row.ours_ms, count)})
    yield row


def _spent(work: Callable[[], object]) -> float:
    """Return the milliseconds of the processor that it takes: a busy machine leaves them as they are."""
    taken = []
    for _ in range(9):
        begun = process_time()
        for _ in range(TURNS):
            work()
        taken.append((process_time() - begun) * 1000 / TURNS)
    return statistics.median(taken)


def _us(milliseconds: float, count: int) -> float:
    return round(milliseconds * 1000 / count, 2)


def _asked(app: flask.Flask, name: str, path: str, seconds: float) -> Row:
    browser, empty = app.test_client(), flask.Flask("empty")
    empty.add_url_rule("/", view_func=lambda: "")
    nobody = empty.test_client()
    return measuring.beside(
        name,
        "M",
        lambda: browser.get(path),
        lambda: nobody.get("/"),
        seconds=seconds,
        kilobytes=round(len(browser.get(path).data) / 1000),
    )


def _crowded(address: str, seconds: float) -> Iterator[Row]:
    """Ask one process of the real server from several sides: for all of it, and whether it is new."""
    first = _ask(address, {})
    for name, headers in (("200", {}), ("304", {"If-None-Match": first.headers["ETag"]})):
        until = perf_counter() + seconds
        with ThreadPoolExecutor(CROWD) as pool:
            asking = [pool.submit(_keep_asking, address, headers, until) for _ in range(CROWD)]
            taken = [each for one in asking for each in one.result()]
        yield Row(
            name=f"patient's feed from the server, {name}",
            size=f"M, {CROWD} clients, one process",
            ours_ms=statistics.median(taken),
            ours_p95_ms=measuring.percentile(taken, 95),
            facts={
                "per_second": round(len(taken) / seconds),
                "p99_ms": round(measuring.percentile(taken, 99), 1),
                "runs": len(taken),
            },
        )


def _keep_asking(address: str, headers: Mapping[str, str], until: float) -> list[float]:
    taken = []
    while perf_counter() < until:
        begun = perf_counter()
        answer = _ask(address, headers)
        if answer.status != (304 if headers else 200):
            raise RuntimeError(f"the feed answered {answer.status}")
        taken.append((perf_counter() - begun) * 1000)
    return taken


def _ask(address: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", parts.path, headers=dict(headers))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def _component(event: Event) -> icalendar.Event:
    """Return the event as the library's own functions make it."""
    component = icalendar.Event()
    starts, ends = events._bounds(event.when)
    values: dict[str, Any] = {
        "uid": event.uid, "sequence": event.sequence, "dtstamp": event.modified_at,
        "created": event.created_at, "last-modified": event.modified_at, "dtstart": starts,
        "dtend": ends, "summary": event.summary, "status": event.status, "class": "PRIVATE",
        "transp": "OPAQUE" if event.is_busy else "TRANSPARENT",
        "description": event.description, "location": event.location,
        "related-to": event.belongs_to,
    }  # fmt: skip
    for name, value in values.items():
        if value != "":
            component.add(name, value)
    for before in event.reminders:
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", event.reminder_text)
        alarm.add("trigger", -before)
        component.add_component(alarm)
    return component


def _busiest(session: Session, column: Any, *which: sa.ColumnElement[bool]) -> int:
    """Return whose appointments to come, of those that are asked for, are the most."""
    counted = sa.select(column).where(
        Appointment.starts_at > NOW, Appointment.status == "booked", *which
    )
    most_first = counted.group_by(column).order_by(sa.func.count().desc()).limit(1)
    return int(session.scalar(most_first) or 0)
