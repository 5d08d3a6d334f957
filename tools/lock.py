"""Lock the versions of all libraries, with hashes and without naming where they come from.

Versions already locked stay as long as they fit; with ``--upgrade`` the newest that fit are taken.
"""

from __future__ import annotations

import json
import re
import sys

from tools import assets
from tools.install import DEV_LOCK, LOCK, UV
from tools.steps import ROOT, SetupError, call

SOURCES = {LOCK: ("requirements.in", "requirements-build.in"), DEV_LOCK: ("requirements-dev.in",)}
NPM_LOCK = ROOT / "package-lock.json"
# A host that only one office reaches, or a folder of one machine, must not be in a lock.
PLACES = re.compile(r"https?://|file:|index-url|find-links|\"resolved\"")


def main(arguments: list[str]) -> int:
    """Write all lock files."""
    try:
        for lock, sources in SOURCES.items():
            call(
                [
                    str(UV),
                    "pip",
                    "compile",
                    *sources,
                    "--output-file",
                    lock.name,
                    *arguments,
                    "--universal",
                    "--python-version",
                    "3.11",
                    "--generate-hashes",
                    "--quiet",
                    "--no-header",
                    "--no-annotate",
                    "--no-emit-index-url",
                    "--no-emit-find-links",
                ],
                advice="Change the requirement that is named above.",
            )
        call(
            [assets.node(), assets.npm(), "install", "--package-lock-only", "--loglevel=error"],
            advice="Change the package in package.json that is named above.",
        )
        NPM_LOCK.write_text(without_funding(NPM_LOCK.read_text()))
        for path in (*SOURCES, NPM_LOCK):
            if found := PLACES.search(path.read_text()):
                raise SetupError(
                    f"{path.name} names a place ({found[0]}): remove it from the settings."
                )
    except SetupError as error:
        print(f"The versions could not be locked. {error}", file=sys.stderr)
        return 1
    return 0


def without_funding(lock: str) -> str:
    """Return npm's lock without the addresses of those who collect money for a package."""
    content = json.loads(lock)
    for package in content["packages"].values():
        package.pop("funding", None)
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
