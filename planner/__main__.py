"""The command ``planner``."""

from __future__ import annotations

import sys

from planner.app import NotReady, create_app
from planner.cli import cli
from planner.config import BadSetting
from planner.errors import Unavailable


def main() -> None:
    """Run the command line; one sentence and exit code 2 when it cannot."""
    try:
        cli(obj=create_app, prog_name="planner")
    except (BadSetting, NotReady, Unavailable) as error:
        print(f"planner: {error or 'The database cannot be reached.'}", file=sys.stderr)  # noqa: T201  a command speaks to its terminal
        sys.exit(2)


if __name__ == "__main__":
    main()
