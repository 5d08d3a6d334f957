"""Chooses the versions of all libraries anew, with hashes and without naming where they come from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
OPTIONS = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--upgrade",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--quiet",
]


def main() -> int:
    """Write both lock files and package-lock.json; return the exit code."""
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_FIND_LINKS")}
    for name in ("requirements", "requirements-dev"):
        command = [str(BIN / "uv"), "pip", "compile", *OPTIONS, f"{name}.in", "-o", f"{name}.lock"]
        if code := subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            return code
    command = [str(BIN / "npm"), "install", "--package-lock-only"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
