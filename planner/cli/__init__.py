"""The command line: one file a command, gathered here."""

from __future__ import annotations

import click

from planner.cli.audit import audit
from planner.cli.demo import fill as demo
from planner.cli.export import export
from planner.cli.ics import ics
from planner.cli.init import init
from planner.cli.propose import propose
from planner.cli.serve import serve
from planner.cli.slots import slots
from planner.cli.tidy import tidy
from planner.cli.user import user
from planner.cli.why_not import why_not
from planner.cli.worker import worker

COMMANDS = (audit, demo, export, ics, init, propose, serve, slots, tidy, user, why_not, worker)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="planner")
def cli() -> None:
    """Plan courses of treatment: consult, sessions, rooms and providers."""


for command in COMMANDS:
    cli.add_command(command)
