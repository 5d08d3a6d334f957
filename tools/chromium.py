"""The Chromium that the tests drive: one given, one installed, or one to be installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import assets
from tools.steps import PYTHON, ROOT, SetupError, call, environment, say

GIVEN = "PLANNER_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> Path | None:
    """Return the browser to drive, or None: Playwright then takes its own, if it has one."""
    if given := os.environ.get(GIVEN):
        return Path(given)
    for name in NAMES:
        found = shutil.which(name)
        if found and _answers(found):
            return Path(found)
    return None


def install() -> str:
    """Make sure that there is one; return its address or what it is. Raises SetupError."""
    found = find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install_with_apt()
        found = find()
    if found is not None:
        if not _answers(str(found)):
            raise SetupError(f"{GIVEN} names {found}, which does not start: name another.")
        return str(found)
    call(
        [PYTHON, "-m", "playwright", "install", "chromium"],
        advice=f"Install Chromium or Chrome, or set {GIVEN} to one, and run this again.",
        env={"PLAYWRIGHT_NODEJS_PATH": str(assets.node())},
    )
    return "Playwright's own"


def _answers(program: str) -> bool:
    """Whether it starts: some systems ship a stand-in that only says how to get the real one."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _install_with_apt() -> None:
    env = environment() | {"DEBIAN_FRONTEND": "noninteractive"}
    log = ROOT / "build" / "apt.log"
    log.parent.mkdir(exist_ok=True)
    say(f"  installing Debian's package, about a minute; what it says goes to {log}")
    with log.open("w") as output:
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", *arguments], env=env, stdout=output, stderr=output, check=False
            )


def main() -> int:
    """Install one if there is none, and say which."""
    try:
        say(f"  {install()}")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
