"""The virtual environment and what is installed into it, each file checked by its hash."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.steps import PYTHON, ROOT, VENV, SetupError, Step, call, digest, environment, say

OLDEST = (3, 11)
LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
UV = VENV / "bin" / "uv"
OFFLINE = "Check the network or the package index that pip uses, then run the same command again."


def venv() -> Step:
    """The environment itself; made anew for another Python or another folder."""
    return Step(
        title="Python environment",
        stamp=VENV / "stamps" / "venv",
        key=lambda: f"{VENV}\n{sys.version}\n{Path(sys.executable).resolve()}",
        run=_make_venv,
    )


def runtime() -> Step:
    """What planner imports when it runs, and what builds its assets."""
    return _locked("Libraries", LOCK)


def development() -> Step:
    """What checks and tests planner."""
    return _locked("Test and check tools", DEV_LOCK)


def project() -> Step:
    """Planner itself, as it lies here, with its command."""
    return Step(
        title="The planner command",
        stamp=VENV / "stamps" / "project",
        key=lambda: digest([ROOT / "pyproject.toml", ROOT / "requirements.in", LOCK]),
        run=_install_project,
    )


def entry(lock: str, name: str) -> str:
    """Return one package's lines of a lock file, its hashes included."""
    lines: list[str] = []
    for line in lock.splitlines():
        if lines and not line.startswith(" "):
            break
        if lines or line.startswith(f"{name}=="):
            lines.append(line)
    return "\n".join(lines) + "\n"


def _make_venv() -> None:
    if sys.version_info < OLDEST:
        raise SetupError(
            "planner needs Python 3.11 or newer: install one and run `make PYTHON=python3.12 …`."
        )
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            "This Python cannot make virtual environments: install the package python3-venv "
            f"(or python{version}-venv) and run the same command again."
        )
    call(
        [sys.executable, "-m", "venv", "--clear", VENV],
        advice=f"Make sure that {VENV} can be written and that python3-venv is installed.",
    )


def _locked(title: str, lock: Path) -> Step:
    return Step(
        title=title,
        stamp=VENV / "stamps" / lock.name,
        key=lambda: digest([lock]),
        run=lambda: _install(["--require-hashes", "-r", str(lock)]),
    )


def _install_project() -> None:
    _install(["--no-deps", "--no-build-isolation", "-e", "."])


def _install(arguments: list[str]) -> None:
    if _has_uv():
        command = [str(UV), "pip", "install", "--python", str(PYTHON), "--compile-bytecode"]
        done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment(), check=False)
        if done.returncode == 0:
            return
        say("uv did not succeed; trying pip, which takes longer")
    call([PYTHON, "-m", "pip", "install", *arguments], advice=OFFLINE)


def _has_uv() -> bool:
    """Install uv when it is not there; a mirror may lack a wheel for this machine."""
    if UV.is_file():
        return True
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "uv.lock"
        wanted.write_text(entry(LOCK.read_text(), "uv"))
        done = subprocess.run(
            [
                str(PYTHON),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--no-deps",
                "-r",
                str(wanted),
            ],
            cwd=ROOT,
            env=environment(),
            check=False,
        )
    if done.returncode:
        say("uv cannot be had here; using pip, which takes longer")
    return done.returncode == 0 and shutil.which(UV) is not None
