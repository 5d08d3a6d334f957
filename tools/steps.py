"""Steps of the set-up: each is done once and again only when what it is made from has changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class SetupError(Exception):
    """The set-up cannot go on; the message says in one sentence what to do."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A piece of the set-up.

    ``stamp`` is a file inside of what the step makes: who removes that removes the proof too.
    ``key`` says what the product is made from.
    """

    title: str
    stamp: Path
    key: Callable[[], str]
    run: Callable[[], None]

    def is_done(self, key: str) -> bool:
        """Whether the product is there and was made from what the key stands for."""
        return self.stamp.is_file() and self.stamp.read_text() == key


def carry_out(steps: Sequence[Step]) -> None:
    """Do what is not done yet, in order, and say what and how long."""
    for step in steps:
        # Taken before the work: what changes while it runs is for the next time.
        key = step.key()
        if step.is_done(key):
            continue
        say(f"{step.title} …")
        began = time.monotonic()
        step.stamp.unlink(missing_ok=True)
        step.run()
        step.stamp.parent.mkdir(parents=True, exist_ok=True)
        step.stamp.write_text(key)
        say(f"{step.title}: done in {time.monotonic() - began:.1f} s")


def say(text: str) -> None:
    """Tell the person at the terminal how far it is."""
    print(f"· {text}", file=sys.stderr, flush=True)


def digest(paths: Iterable[Path], *more: str) -> str:
    """Return a hash of files, folders' files included, and of further facts."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(_files(paths)):
        total.update(str(path.relative_to(ROOT)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def call(
    command: Sequence[str | Path], *, advice: str, env: Mapping[str, str] | None = None
) -> None:
    """Run a command in the checkout, its output going to the terminal.

    Raises SetupError with the advice when it fails.
    """
    try:
        status = subprocess.run(
            command, cwd=ROOT, env=environment() | dict(env or {}), check=False
        ).returncode
    except OSError as error:
        raise SetupError(f"{advice} ({error})") from error
    if status:
        raise SetupError(advice)


def environment() -> dict[str, str]:
    """Return the environment for installers: bytecode is wanted, the system's certificates count.

    pip, uv and Node carry lists of their own, which do not know an office's authority.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if CERTIFICATES.is_file():
        for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"):
            env.setdefault(name, str(CERTIFICATES))
    env.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return env


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from (inner for inner in path.rglob("*") if inner.is_file())
        elif path.is_file():
            yield path
