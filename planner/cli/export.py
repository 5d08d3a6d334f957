"""``planner export``: everything as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from planner import clock
from planner.actions import audits
from planner.cli import running
from planner.queries import exports
from planner.who import SYSTEM


@click.command()
@click.option(
    "--to", "path", type=click.Path(dir_okay=False), help="File; without it, standard output."
)
@click.pass_context
def export(context: click.Context, path: str | None) -> None:
    """Write everything as JSON: a list per kind, described in docs/export.md."""
    with running.inside(context):
        audits.note_export(by=SYSTEM, now=clock.now())
        found = exports.everything()
    _write(found, path)


def _write(found: dict[str, Any], path: str | None) -> None:
    text = json.dumps(found, indent=1, ensure_ascii=False)
    if path is None:
        click.echo(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise running.Wrong(f"{path} cannot be written: {error.strerror}.") from error
