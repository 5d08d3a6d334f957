"""``python -m tools.setup run|check|all``: bring a checkout to where planner or its tests run."""

from __future__ import annotations

import sys

from tools import assets, install, messages
from tools.steps import PYTHON, VENV, SetupError, Step, call, carry_out, digest


def main(arguments: list[str]) -> int:
    """Carry out the steps that are still to do."""
    try:
        carry_out(_steps(arguments))
    except SetupError as error:
        print(f"planner could not be set up. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _steps(arguments: list[str]) -> list[Step]:
    running = [
        install.venv(),
        install.runtime(),
        install.project(),
        assets.packages(),
        assets.bundle(),
        messages.compiled(),
    ]
    match arguments:
        case ["run"]:
            return running
        case ["check"]:
            return [*running[:3], install.development()]
        case ["all"]:
            tools = [
                _tool("Chromium for the tests", "chromium"),
                _tool("PostgreSQL for the tests", "postgres"),
            ]
            return [*running, install.development(), *tools]
    raise SetupError("Say what to set up: python -m tools.setup run|check|all.")


def _tool(title: str, name: str) -> Step:
    return Step(
        title=title,
        stamp=VENV / "stamps" / name,
        key=lambda: digest([install.DEV_LOCK]),
        run=lambda: call([PYTHON, "-m", f"tools.{name}"], advice="The line above says what to do."),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
