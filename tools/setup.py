"""Prepares a machine that has only Python and make: virtual environment, libraries, assets, browser.

Standard library only, because it runs before anything is installed. Each step is skipped when what it
depends on has not changed since it last succeeded.

    python3 tools/setup.py run      what serving needs
    python3 tools/setup.py test     that, and what the tests need
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
STAMPS = ROOT / "build" / "stamps"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class Failure(Exception):
    """One sentence that says what to do."""


def main(arguments: list[str]) -> int:
    """Run the steps of the named target; return the exit code."""
    target = arguments[0] if arguments else "run"
    try:
        _check_python()
        STAMPS.mkdir(parents=True, exist_ok=True)
        for name, inputs, work in _steps(target):
            _step(name, inputs, work)
    except Failure as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    return 0


def _steps(target: str) -> list[tuple[str, list[Path], Callable[[], None]]]:
    assets = [*_tree("planner/static/src"), ROOT / "package-lock.json", ROOT / "tools/assets.py"]
    steps = [
        ("virtual environment", [], _make_venv),
        ("libraries", [ROOT / "requirements.lock"], _install_runtime),
        ("planner itself", [ROOT / "pyproject.toml"], _install_project),
        ("assets", assets, _build_assets),
        ("translations", _tree("planner/translations", ".po"), _compile_translations),
    ]
    if target == "test":
        steps += [
            ("test libraries", [ROOT / "requirements-dev.lock"], _install_dev),
            ("test packages of npm", [ROOT / "package-lock.json"], _install_npm),
            ("PostgreSQL", [], _check_postgresql),
            ("Chromium", [], _find_or_install_chromium),
        ]
    return steps


def _step(name: str, inputs: Iterable[Path], work: Callable[[], None]) -> None:
    stamp = STAMPS / name.replace(" ", "-")
    key = _key(inputs)
    if stamp.exists() and stamp.read_text() == key and PYTHON.exists():
        return
    print(f"==> {name} …", flush=True)
    begun = time.monotonic()
    work()
    stamp.write_text(key)
    print(f"    {time.monotonic() - begun:.1f} s", flush=True)


def _key(inputs: Iterable[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(inputs):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _tree(folder: str, ending: str = "") -> list[Path]:
    base = ROOT / folder
    return [p for p in base.rglob("*") if p.is_file() and p.name.endswith(ending)]


def _check_python() -> None:
    if sys.version_info < (3, 11):
        found = ".".join(map(str, sys.version_info[:3]))
        raise Failure(f"Python 3.11 or newer is needed, this is {found}: set PYTHON=… for make.")


def _make_venv() -> None:
    if PYTHON.exists() and _works():
        return
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    except subprocess.CalledProcessError as error:
        raise Failure(
            "the virtual environment could not be made: install the package python3-venv, then try again."
        ) from error
    for stamp in STAMPS.iterdir():
        stamp.unlink()


def _works() -> bool:
    code = "import sys; sys.exit(sys.version_info[:2] != (%d, %d))" % sys.version_info[:2]
    return subprocess.run([str(PYTHON), "-c", code], check=False).returncode == 0


def _install_runtime() -> None:
    _install("requirements.lock")


def _install_dev() -> None:
    _install("requirements-dev.lock")


def _install(lock: str) -> None:
    """Install with uv, which is quick; with pip where uv itself is not to be had."""
    uv = _uv(lock)
    options = ["--quiet", "--require-hashes", "-r", str(ROOT / lock)]
    if uv:
        command = [str(uv), "pip", "install", "--python", str(PYTHON), "--compile-bytecode"]
        if subprocess.run([*command, *options], env=_environment(), check=False).returncode == 0:
            return
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    _run([*command, *options], f"the libraries of {lock} could not be installed: is PyPI reachable?")


def _uv(lock: str) -> Path | None:
    """Return uv inside the environment, installed by its hash in the lock; None where it cannot be."""
    uv = BIN / "uv"
    if uv.exists():
        return uv
    wanted = STAMPS / "uv.txt"
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("uv=="))
    end = next(i for i in range(begin + 1, len(lines) + 1) if i == len(lines) or lines[i][:1].strip())
    wanted.write_text("\n".join(lines[begin:end]) + "\n")
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*command, "--require-hashes", "-r", str(wanted)], env=_environment(), check=False
    )
    return uv if uv.exists() else None


def _install_project() -> None:
    uv = BIN / "uv"
    if uv.exists():
        command = [str(uv), "pip", "install", "--quiet", "--python", str(PYTHON)]
    else:
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(
        [*command, "--no-deps", "--no-build-isolation", "-e", str(ROOT)],
        "planner itself could not be installed: see the lines above.",
    )


def _install_npm() -> None:
    _npm_ci()


def _npm_ci(*options: str) -> None:
    npm = BIN / "npm"
    _run(
        [str(npm), "ci", "--loglevel=error", *options],
        "the packages of package-lock.json could not be installed: is the npm registry reachable?",
    )


def _build_assets() -> None:
    if not (ROOT / "node_modules" / "esbuild").exists() or _is_older("package-lock.json"):
        _npm_ci()
    _run([str(PYTHON), str(ROOT / "tools/assets.py")], "the assets could not be bundled.")


def _is_older(lock: str) -> bool:
    installed = ROOT / "node_modules" / ".package-lock.json"
    return not installed.exists() or installed.stat().st_mtime < (ROOT / lock).stat().st_mtime


def _compile_translations() -> None:
    for catalogue in _tree("planner/translations", ".po"):
        _run(
            [str(BIN / "pybabel"), "-q", "compile", "-i", str(catalogue), "-o", str(catalogue.with_suffix(".mo"))],
            f"the translations in {catalogue.relative_to(ROOT)} could not be compiled.",
        )


def _check_postgresql() -> None:
    code = "from tests.support import postgresql; print('   ', postgresql.describe())"
    _run([str(PYTHON), "-c", code], "no PostgreSQL server was found: set PLANNER_TEST_POSTGRES_URL.")


def _find_or_install_chromium() -> None:
    found = find_chromium()
    if found is None and _is_root() and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        found = find_chromium()
    if found is None:
        environment = {**_environment(), "PLAYWRIGHT_NODEJS_PATH": str(BIN / "node")}
        command = [str(PYTHON), "-m", "playwright", "install", "chromium"]
        if subprocess.run(command, env=environment, check=False).returncode:
            raise Failure("no Chromium was found: install one, or set PLANNER_CHROMIUM to its path.")
    print(f"    {found or 'of playwright'}")


def find_chromium() -> str | None:
    """Return the Chromium of PLANNER_CHROMIUM or of PATH, or None."""
    named = os.environ.get("PLANNER_CHROMIUM")
    if named:
        return named
    return next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _environment() -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment.get('PATH', '')}"
    return environment


def _run(command: list[str], failure: str) -> None:
    if subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode:
        raise Failure(failure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
