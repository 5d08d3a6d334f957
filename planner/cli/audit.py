"""``planner audit``: judge what is stored; ``planner audit verify``: walk the chain."""

from __future__ import annotations

import re
import sys

import click

from planner import clock
from planner.cli import running
from planner.queries import audits

HEAD = re.compile(r"[0-9a-f]{16,64}")


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
@click.option(
    "--expect",
    default="",
    metavar="HASH",
    help="A head that was written down elsewhere: it must still stand in the chain.",
)
@click.pass_context
def verify(context: click.Context, expect: str) -> None:
    """Walk the chain of the audit trail; exit 1 when a row is not as it was written, or is gone.

    The last line prints the head. Written down outside this machine, it proves later, with --expect, that
    everything up to it is still there and unchanged.
    """
    expected = expect.strip().lower()
    if expected and not HEAD.fullmatch(expected):
        raise click.BadParameter(
            "a head is 16 to 64 hexadecimal digits, as printed.", param_hint="--expect"
        )
    with running.inside(context):
        verdict = audits.chain(expected=expected)
    for broken in verdict.breaks:
        click.echo(f"row {broken.row_id}: {broken.reason}")
    is_missing = bool(expected) and verdict.expected_at is None
    if is_missing:
        click.echo("The expected head is not in the chain: rows were cut off or written anew.")
    elif expected:
        click.echo(f"The expected head is row {verdict.expected_at}.")
    click.echo(f"{verdict.rows} rows, {len(verdict.breaks)} broken, head {verdict.head}")
    sys.exit(1 if verdict.breaks or is_missing else 0)
