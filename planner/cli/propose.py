"""``planner propose``: the best ways to place a whole course."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from planner import clock
from planner.cli import reading, running
from planner.queries import searches
from planner.scheduling.course import MAXIMUM_SESSIONS, OBJECTIVES
from planner.scheduling.timetable import Gap


@click.command()
@click.option("--patient", required=True, help="Number or key of the patient.")
@click.option("--protocol", required=True, help="Name or number of the protocol.")
@click.option("--site", default="", help="Name or number of the site; without it, any.")
@click.option("--provider", default="", help="Name or number of the provider; without it, any.")
@click.option(
    "--weekday",
    "weekdays",
    type=click.Choice(reading.WEEKDAYS),
    multiple=True,
    help="A weekday wished for; may be given several times.",
)
@click.option("--from", "from_day", type=reading.Day(), help="Not before this day.")
@click.option("--until", "until_day", type=reading.Day(), help="Finished by this day.")
@click.option(
    "--sessions",
    type=reading.Whole(1, MAXIMUM_SESSIONS),
    help="Another number of sessions than the protocol's.",
)
@click.option(
    "--gap",
    type=reading.Gaps(),
    help="Another gap than the protocol's: not before, target and late after, as 7-14-21.",
)
@click.option(
    "--top", type=reading.Whole(1, 20), default=3, show_default=True, help="How many proposals."
)
@click.option(
    "--objective",
    type=click.Choice(tuple(OBJECTIVES)),
    default="order",
    show_default=True,
    help="What is best: closest to the order, soonest, or the same time each visit.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def propose(  # noqa: PLR0917  # click passes them by name
    context: click.Context,
    patient: str,
    protocol: str,
    site: str,
    provider: str,
    weekdays: tuple[str, ...],
    from_day: date | None,
    until_day: date | None,
    sessions: int | None,
    gap: Gap | None,
    top: int,
    objective: str,
    as_json: bool,
) -> None:
    """Propose complete courses with what each costs, best first; nothing is booked.

    Where there is none: what is in the way and what would help; beside --json, on the standard error.
    """
    asked = searches.CourseAsked(
        patient=patient,
        protocol=protocol,
        site=site,
        provider=provider,
        weekdays=frozenset(map(reading.WEEKDAYS.index, weekdays)),
        from_day=from_day,
        until_day=until_day,
        sessions=sessions,
        gap=gap,
        objective=objective,
        top=top,
    )
    with running.inside(context), running.asking():
        found = searches.course(asked, now=clock.now())
    proposals = found["proposals"]
    lines = [line for number, one in enumerate(proposals, start=1) for line in _lines(number, one)]
    reading.put(proposals, as_json=as_json, lines=lines or reading.no_way(found))
    if as_json and not proposals:
        click.echo("\n".join(reading.no_way(found)), err=True)


def _lines(number: int, proposal: dict[str, Any]) -> list[str]:
    lines = [f"{number}. {proposal['name']}, cost {proposal['cost']}, ends {proposal['ends_on']}"]
    for s in proposal["sessions"]:
        when = reading.clocks(s["starts_at"], s["zone"])
        lines.append(f"   {s['number']}  {when}  {s['site']}  {s['provider']}  {s['room']}")
        lines += [f"      +{c['amount']}  {c['text']}" for c in s["costs"] if c["amount"]]
        lines += [f"      {one['severity']}  {one['text']}" for one in s["reasons"]]
    return lines
