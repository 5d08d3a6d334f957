"""The command ``planner``."""

from __future__ import annotations

import os
import sys

import click

from planner.app import NotReady, create_app
from planner.cli import cli, running
from planner.config import BadSetting
from planner.errors import Unavailable

PRIVATE = 0o077


def main() -> None:
    """Run the command line; one sentence and exit code 2 when it cannot."""
    os.umask(PRIVATE)  # what planner writes holds patients' data: the owner's alone
    try:
        cli.main(obj=create_app, prog_name="planner", standalone_mode=False)
    except running.Wrong as error:
        _stop(error.message)
    except click.ClickException as error:
        _stop(error.format_message())
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        sys.exit(1)
    except (BadSetting, NotReady) as error:
        _stop(str(error))
    except Unavailable:
        _stop("The database cannot be reached: is PLANNER_DATABASE_URL right, and does it run?")


def _stop(sentence: str) -> None:
    print(f"planner: {sentence}", file=sys.stderr)  # noqa: T201  # a command speaks to its terminal
    sys.exit(2)


if __name__ == "__main__":
    main()
