"""``planner audit``: judge what is stored; ``planner audit verify``: walk the chain."""

from __future__ import annotations

import sys

import click

from planner import clock
from planner.cli import running
from planner.queries import audits


@click.group(invoke_without_command=True)
@click.pass_context
def audit(context: click.Context) -> None:
    """Judge every stored appointment by the rules; exit 1 and a line per violation."""
    if context.invoked_subcommand is not None:
        return
    with running.inside(context):
        found = audits.everything(now=clock.now())
    for one in found:
        what = "violation" if one.is_violation else "outside a rule since"
        click.echo(f"{what}: {one.code}: {one.subject}")
    violations = sum(one.is_violation for one in found)
    click.echo(f"{violations} violations, {len(found) - violations} outside a rule since.")
    sys.exit(1 if violations else 0)


@audit.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Walk the chain of the audit trail; exit 1 when a row is not as it was written."""
    with running.inside(context):
        verdict = audits.chain()
    for broken in verdict.breaks:
        click.echo(f"row {broken.row_id}: {broken.reason}")
    click.echo(f"{verdict.rows} rows, head {verdict.head[:16]}, {len(verdict.breaks)} broken.")
    sys.exit(1 if verdict.breaks else 0)
