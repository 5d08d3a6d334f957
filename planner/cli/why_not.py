"""``planner why-not``: what keeps a start, a day or a whole course from being offered."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import click

from planner import clock
from planner.cli import reading, running
from planner.queries import searches

SHORTEST_DAY = timedelta(hours=23)  # the one on which the clocks go forward


@click.command("why-not")
@click.option("--service", default="", help="Code, name or number of the service.")
@click.option("--protocol", default="", help="Instead of it: a protocol of the patient's.")
@click.option("--session", "number", type=int, help="Which session of it; else the first open one.")
@click.option("--site", default="", help="Name or number of the site; without it, all.")
@click.option("--on", "day", type=reading.Day(), help="The day; without it, the whole course.")
@click.option("--at", default="", help="One start on the site's clock, as 14:30; else all.")
@click.option("--provider", default="", help="Name or number of the provider; without it, all.")
@click.option("--patient", default="", help="Number or key of the patient; without it, nobody.")
@click.option("--minutes", type=reading.Whole(5, 480), help="Another length than the service's.")
@click.option("--from", "from_day", type=reading.Day(), help="Of a course: not before this day.")
@click.option("--until", "until_day", type=reading.Day(), help="Of a course: finished by this day.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def why_not(  # noqa: PLR0917  # click passes them by name
    context: click.Context,
    service: str,
    protocol: str,
    number: int | None,
    site: str,
    day: date | None,
    at: str,
    provider: str,
    patient: str,
    minutes: int | None,
    from_day: date | None,
    until_day: date | None,
    as_json: bool,
) -> None:
    """Say which starts of a day are not offered, with every rule they break.

    Without a day: why a course cannot be placed, and what little would have to give.
    """
    if bool(service) == bool(protocol):
        raise running.Wrong("name a service, or a protocol of the patient's.")
    if day is None and not (protocol and patient):
        raise running.Wrong("name a day with --on, or a patient and a protocol.")
    if minutes is not None and minutes % 5:
        raise running.Wrong("minutes are a multiple of five.")
    if day is None:
        asked = searches.CourseAsked(
            patient=patient,
            protocol=protocol,
            site=site,
            provider=provider,
            from_day=from_day,
            until_day=until_day,
        )
        with running.inside(context), running.asking():
            course = searches.course(asked, now=clock.now())
        is_possible = bool(course.pop("proposals"))
        lines = ["The course can be placed."] if is_possible else reading.no_way(course)
        reading.put(course, as_json=as_json, lines=lines)
        return
    about = searches.DayAsked(
        day=day,
        service=service,
        protocol=protocol,
        number=number,
        site=site,
        provider=provider,
        patient=patient,
        at=at,
        minutes=minutes,
    )
    with running.inside(context), running.asking():
        found = searches.reasons(about, now=clock.now())
    lines = [line for one in found for line in _lines(one)]
    reading.put(found, as_json=as_json, lines=lines or ["Nothing speaks against any start."])


def _lines(blocked: dict[str, Any]) -> list[str]:
    starts, ends = (
        reading.clocks(blocked[key], blocked["zone"]) for key in ("starts_at", "ends_at")
    )
    day = starts[: -len("09:30")]
    ends = ends.removeprefix(day)  # the day is said once
    when = f"{starts} … {ends}"
    if blocked["ends_at"] - blocked["starts_at"] >= SHORTEST_DAY:
        when = f"{day}all day"
    return [
        "  ".join(filter(None, (when, blocked["site"], blocked["provider"]))),
        *(f"   {reason['severity']}  {reason['text']}" for reason in blocked["reasons"]),
    ]
