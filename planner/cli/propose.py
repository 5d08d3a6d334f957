"""``planner propose``: the best ways to place a whole course."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from planner import clock
from planner.cli import reading, running
from planner.queries import searches


@click.command()
@click.option("--patient", required=True, help="Number or key of the patient.")
@click.option("--protocol", required=True, help="Name or number of the protocol.")
@click.option("--from", "from_day", type=reading.Day(), help="Not before this day.")
@click.option("--top", type=click.IntRange(1, 20), default=3, help="How many proposals.")
@click.option(
    "--objective",
    type=click.Choice(("order", "soonest", "same_time")),
    default="order",
    help="What is best: closest to the order, soonest, or the same time each visit.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def propose(  # noqa: PLR0917  # click passes them by name
    context: click.Context,
    patient: str,
    protocol: str,
    from_day: date | None,
    top: int,
    objective: str,
    as_json: bool,
) -> None:
    """Propose complete courses, best first; nothing is booked."""
    with running.inside(context):
        try:
            found = searches.proposals(
                patient=patient,
                protocol=protocol,
                from_day=from_day,
                top=top,
                objective=objective,
                now=clock.now(),
            )
        except ValueError as error:
            raise running.Wrong(f"{str(error) or type(error).__name__}.") from error
    lines = [line for number, one in enumerate(found, start=1) for line in _lines(number, one)]
    reading.put(found, as_json=as_json, lines=lines or ["There is no way to place the course."])


def _lines(number: int, proposal: dict[str, Any]) -> list[str]:
    return [
        f"{number}. {proposal['name']}, cost {proposal['cost']}",
        *(
            f"   {s['number']}  {reading.rfc3339(s['starts_at'])}  {s['site']}  {s['provider']}"
            for s in proposal["sessions"]
        ),
    ]
