"""``planner serve``: answer requests with several processes."""

from __future__ import annotations

import socket
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from planner.actions import access
from planner.cli import running
from planner.config import Settings


class _Server(BaseApplication):  # type: ignore[misc]  gunicorn has no types
    """gunicorn with our settings; sync workers, which are quicker than threads for rendered pages."""

    def __init__(self, app: Flask, chosen: Settings) -> None:
        self._app, self._chosen = app, chosen
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn needs to know."""
        for name, value in _options(self._chosen).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application."""
        return self._app


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.pass_context
def serve(context: click.Context, port: int | None) -> None:
    """Serve the application until Ctrl-C."""
    chosen = running.settings()
    if port is not None:
        chosen = type(chosen)(**{**_fields(chosen), "port": port})
    _check_port(chosen)
    with running.inside(context) as app:
        _say_how(chosen)
        app.extensions["sqlalchemy"].engine.dispose()
    _Server(app, chosen).run()


def _fields(chosen: Settings) -> dict[str, Any]:
    return {name: getattr(chosen, name) for name in chosen.__dataclass_fields__}


def _options(chosen: Settings) -> dict[str, Any]:
    return {
        "bind": f"{chosen.host}:{chosen.port}",
        "workers": chosen.workers,
        "worker_class": "sync",
        "timeout": 30,
        "graceful_timeout": 10,
        "accesslog": None,
        "loglevel": "warning",
        "control_socket_disable": True,
        "proc_name": "planner",
    }


def _check_port(chosen: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError as error:
            raise running.Wrong(
                f"port {chosen.port} on {chosen.host} is taken: set PLANNER_PORT to another."
            ) from error


def _say_how(chosen: Settings) -> None:
    click.echo(f"planner serves {chosen.address} (Ctrl-C ends it)")
    if not access.has_users():
        click.echo(
            "Nobody can sign in yet: planner user add you@example.com --role manager --password-stdin"
        )
    for line in access.demo_sign_ins():
        click.echo(f"  {line}")
