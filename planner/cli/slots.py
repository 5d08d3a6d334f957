"""``planner slots``: when a service is free."""

from __future__ import annotations

from datetime import date

import click

from planner import clock
from planner.cli import reading, running
from planner.queries import searches


@click.command()
@click.option("--service", required=True, help="Code, name or number of the service.")
@click.option("--site", default="", help="Name or number of the site; without it, any.")
@click.option("--provider", default="", help="Name or number of the provider; without it, any.")
@click.option("--from", "from_day", type=reading.Day(), help="First day; without it, today.")
@click.option(
    "--days",
    type=reading.Whole(1, reading.LONGEST_HORIZON),
    default=28,
    show_default=True,
    help="How many days.",
)
@click.option("--minutes", type=reading.Whole(5, 480), help="Another length than the service's.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def slots(  # noqa: PLR0917  # click passes them by name
    context: click.Context,
    service: str,
    site: str,
    provider: str,
    from_day: date | None,
    days: int,
    minutes: int | None,
    as_json: bool,
) -> None:
    """List free starts of a service, earliest first, by the clocks of the site."""
    if minutes is not None and minutes % 5:
        raise running.Wrong("minutes are a multiple of five.")
    with running.inside(context), running.asking():
        found = searches.slots(
            service=service,
            site=site,
            provider=provider,
            from_day=from_day,
            days=days,
            minutes=minutes,
            now=clock.now(),
        )
    lines = [
        f"{reading.clocks(s['starts_at'], s['zone'])}  {s['site']}  {s['provider']}  {s['room']}"
        for s in found
    ]
    reading.put(
        found, as_json=as_json, lines=lines or ["Nothing is free; planner why-not says why."]
    )
