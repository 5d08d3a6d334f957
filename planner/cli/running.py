"""Runs a command inside the application, and turns what it raises into one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask

from planner.config import Settings, from_environment
from planner.errors import Invalid, NotFound, Refused, Unavailable

WRONG_USE = 2


class Wrong(click.ClickException):
    """One sentence on stderr, exit code 2."""

    exit_code = WRONG_USE

    def show(self, file: Any = None) -> None:
        """Write the sentence."""
        click.echo(f"planner: {self.message}", err=True)


def settings() -> Settings:
    """Return the settings of this environment."""
    return from_environment(os.environ)


@contextmanager
def inside(context: click.Context, *, for_serving: bool = True) -> Iterator[Flask]:
    """Run the block in the application; what actions raise becomes one sentence."""
    make: Callable[..., Flask] = context.find_root().obj
    app = make(settings(), for_serving=for_serving)
    with app.app_context():
        try:
            yield app
        except NotFound as error:
            raise Wrong(f"there is no such {error}.") from error
        except Invalid as error:
            fields = ", ".join(f"{name} ({code})" for name, code in error.fields.items())
            raise Wrong(f"these values cannot be: {fields}.") from error
        except Refused as error:
            raise Wrong(f"refused: {error}.") from error
        except Unavailable as error:
            raise Wrong("the database cannot be reached or written just now.") from error


@contextmanager
def asking() -> Iterator[None]:
    """Turn what a question is refused for into one sentence."""
    try:
        yield
    except ValueError as error:
        raise Wrong(f"{str(error) or type(error).__name__}.") from error
