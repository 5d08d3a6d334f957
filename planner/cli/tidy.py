"""``planner tidy``: let go of what nobody can need any more."""

from __future__ import annotations

import click

from planner import clock
from planner.actions import tidying
from planner.cli import running


@click.command()
@click.pass_context
def tidy(context: click.Context) -> None:
    """Remove answers of old forms, undo records, sign-ins that are over and counters of failures."""
    total = 0
    with running.inside(context):
        while True:
            removed = tidying.tidy(now=clock.now()).values()
            total += sum(removed)
            if max(removed) < tidying.MOST:
                break
    click.echo(f"{total} rows removed.")
