"""``planner why-not``: what keeps the starts of a day from being offered."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from planner import clock
from planner.cli import reading, running
from planner.queries import searches


@click.command("why-not")
@click.option("--service", required=True, help="Code, name or number of the service.")
@click.option("--site", required=True, help="Name or number of the site.")
@click.option("--on", "day", required=True, type=reading.Day(), help="The day, as 2027-03-31.")
@click.option("--at", default="", help="One start on the site's clock, as 14:30; else all.")
@click.option("--provider", default="", help="Name or number of the provider; without it, all.")
@click.option("--patient", default="", help="Number or key of the patient; without it, nobody.")
@click.option("--minutes", type=click.IntRange(5, 480), help="Another length than the service's.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def why_not(  # noqa: PLR0917  # click passes them by name
    context: click.Context,
    service: str,
    site: str,
    day: date,
    at: str,
    provider: str,
    patient: str,
    minutes: int | None,
    as_json: bool,
) -> None:
    """Say by provider which starts of a day are not offered, with every rule they break."""
    with running.inside(context):
        try:
            found = searches.reasons(
                service=service,
                site=site,
                day=day,
                at=at,
                provider=provider,
                patient=patient,
                minutes=minutes,
                now=clock.now(),
            )
        except ValueError as error:
            raise running.Wrong(f"{str(error) or type(error).__name__}.") from error
    lines = [line for one in found for line in _lines(one)]
    reading.put(found, as_json=as_json, lines=lines or ["Nothing speaks against any start."])


def _lines(blocked: dict[str, Any]) -> list[str]:
    starts, ends = (reading.rfc3339(blocked[key]) for key in ("starts_at", "ends_at"))
    return [
        f"{starts} … {ends}  {blocked['site']}  {blocked['provider']}",
        *(f"   {reason['severity']}  {reason['text']}" for reason in blocked["reasons"]),
    ]
