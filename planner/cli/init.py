"""``planner init``: create the database, or bring it up to this version."""

from __future__ import annotations

import click

from planner import clock
from planner.actions import setup
from planner.cli import running
from planner.who import SYSTEM


@click.command()
@click.pass_context
def init(context: click.Context) -> None:
    """Create the database, or upgrade it to this version, and add what ships with planner."""
    chosen = running.settings()
    setup.make_tables(chosen.database_url)
    with running.inside(context, for_serving=False):
        if setup.seed_shipped(by=SYSTEM, now=clock.now()):
            click.echo("The database is ready: services, protocols and texts are in it.")
