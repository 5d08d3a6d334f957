"""``planner worker``: send what waits in the outbox."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click

from planner import worker as workers
from planner.actions import access
from planner.cli import running

NONE = "No mail is sent: PLANNER_MAIL is none. Messages wait."
DEMO = "This is the demo clinic: no mail is sent. With PLANNER_MAIL=console or file you see it."


@click.command()
@click.option("--once", is_flag=True, help="Do what is due and end: for cron.")
@click.pass_context
def worker(context: click.Context, once: bool) -> None:
    """Plan reminders and send messages until Ctrl-C; as many at once as you like."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    with running.inside(context):
        is_demo = bool(access.demo_sign_ins())
        chosen = workers.of(running.settings(), is_demo=is_demo)
        if chosen.mail is None:
            click.echo(DEMO if is_demo else NONE, err=True)
        if once:
            click.echo(f"{chosen.once()} messages dealt with.")
            return
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        chosen.run(stop)
