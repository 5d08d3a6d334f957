"""``planner demo``: fill an empty database with a clinic to try."""

from __future__ import annotations

from datetime import date

import click

from planner import clock, demo
from planner.cli import reading, running


@click.command(name="demo")
@click.option("--size", type=click.Choice(tuple(demo.SIZES)), default="M", show_default=True)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same clinic."
)
@click.option("--today", type=reading.Day(), help="The day it is in the clinic; without it, today.")
@click.option("--if-empty", is_flag=True, help="Do nothing when there is a clinic already.")
@click.pass_context
def fill(context: click.Context, size: str, seed: int, today: date | None, if_empty: bool) -> None:
    """Fill an empty database with a made-up clinic: S, M (8,000 appointments) or L (50,000)."""
    with running.inside(context):
        if if_empty and not demo.is_empty():
            return
        bar = _Bar()
        try:
            made = demo.fill(size, seed=seed, today=today or clock.now().date(), progress=bar.show)
        except demo.NotEmpty as error:
            raise running.Wrong("there is a clinic in this database already.") from error
        finally:
            bar.end()
    click.echo(
        f"{made.patients} patients, {made.courses} courses, {made.appointments} appointments."
    )


class _Bar:
    """One line per step, redrawn as it fills; a terminal sees it move."""

    def __init__(self) -> None:
        self._what = ""

    def show(self, what: str, done: int, total: int) -> None:
        """Draw how much of a step is done."""
        if self._what and what != self._what:
            click.echo(err=True)
        self._what = what
        filled = round(30 * done / max(total, 1))
        click.echo(
            f"\r{what:8} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}", nl=False, err=True
        )

    def end(self) -> None:
        """Leave the last line."""
        if self._what:
            click.echo(err=True)
