"""``planner ics``: a patient's calendar file on standard output."""

from __future__ import annotations

import click

from planner import clock
from planner.actions import links
from planner.cli import running
from planner.queries import calendars
from planner.who import SYSTEM


@click.command()
@click.option("--patient", required=True, help="The patient's number, or the key in addresses.")
@click.pass_context
def ics(context: click.Context, patient: str) -> None:
    """Write a patient's calendar file: 90 days back, and all visits to come."""
    now = clock.now()
    with running.inside(context):
        file = calendars.patient_file(calendars.patient_key(patient), now=now)
        links.downloaded(file.object_kind, file.object_id, by=SYSTEM, now=now)
    click.echo(file.content, nl=False)
