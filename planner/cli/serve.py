"""``planner serve``: answer requests with several processes."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import socket
import traceback
from dataclasses import replace
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from planner import clock
from planner.actions import access, tidying
from planner.cli import running
from planner.cli.demo import fill
from planner.cli.init import init
from planner.config import Settings
from planner.errors import Unavailable

FIRST_USER = "planner user add you@example.com --role manager --password-stdin"
LONGEST_ADDRESS_LINE = 8_190  # bytes; the wishes of a course page travel in its address


class Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own log, without the tokens of the addresses that it may quote."""

    def setup(self, cfg: Any) -> None:
        """Set it up as gunicorn does, and read along."""
        super().setup(cfg)
        self.error_log.addFilter(_mask)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with our settings; sync workers, which are quicker than threads for rendered pages."""

    def __init__(self, app: Flask, chosen: Settings) -> None:
        self._app, self._chosen = app, chosen
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn needs to know."""
        for name, value in _options(self._chosen).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application: checked before the first process starts, so none starts in vain."""
        return self._app


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--prepare", is_flag=True, help="Before that, do what init and demo --if-empty do.")
@click.pass_context
def serve(context: click.Context, port: int | None, prepare: bool) -> None:
    """Serve the application until Ctrl-C."""
    chosen = running.settings()
    if port is not None:
        chosen = replace(chosen, port=port)
    _check_port(chosen)
    if prepare:
        context.invoke(init)
        context.invoke(fill, size="M", seed=1, if_empty=True)
    with running.inside(context) as app:
        # Where nobody runs ``planner tidy``, each start does some of it; a full disk hinders no start.
        with contextlib.suppress(Unavailable):
            tidying.tidy(now=clock.now())
        _say_how(chosen)
        app.extensions["sqlalchemy"].engine.dispose()  # processes do not share connections
    _Server(app, chosen).run()


def _options(chosen: Settings) -> dict[str, Any]:
    return {
        "bind": f"[{chosen.host}]:{chosen.port}" if ":" in chosen.host else _bind(chosen),
        "workers": chosen.workers,
        "worker_class": "sync",
        "timeout": 60,
        "graceful_timeout": 10,
        "limit_request_line": LONGEST_ADDRESS_LINE,
        "accesslog": None,  # web/logs.py writes routes, not addresses with their keys
        "logger_class": Log,
        "loglevel": "warning",
        "control_socket_disable": True,
        "proc_name": "planner",
        # Addresses of proxies are trusted as PLANNER_TRUSTED_PROXIES says, not by gunicorn.
        "forwarded_allow_ips": "",
    }


def _bind(chosen: Settings) -> str:
    return f"{chosen.host}:{chosen.port}"


def _mask(record: logging.LogRecord) -> bool:
    """Take the tokens out of a line: gunicorn quotes addresses that it cannot read."""
    record.msg, record.args = _masked(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = _masked("".join(traceback.format_exception(*record.exc_info)))
    return True


def _masked(text: str) -> str:
    return _TOKEN.sub(r"\1…", text)


_TOKEN = re.compile(r"(/(?:c|cal|p)/)[^\s/?\"'.]+")


def _check_port(chosen: Settings) -> None:
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(
            chosen.host, chosen.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise running.Wrong(_why_not(error, chosen)) from error


def _why_not(error: OSError, chosen: Settings) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {chosen.port} is taken: set PLANNER_PORT to another, or stop what uses it."
    if error.errno == errno.EACCES:
        return f"port {chosen.port} needs more rights: set PLANNER_PORT to one above 1023."
    return f"this machine has no address {chosen.host}: set PLANNER_HOST to one of its own."


def _say_how(chosen: Settings) -> None:
    click.echo(f"planner serves {chosen.address} (Ctrl-C ends it)")
    if not access.has_users():
        click.echo(f"Nobody can sign in yet. Add the first manager: {FIRST_USER}")
    for line in access.demo_sign_ins():
        click.echo(f"  {line}")
