"""Bundles planner/static/src into planner/static/dist.

Every file carries a hash of its contents in its name, so that browsers may keep it for ever. ``manifest.json``
maps the plain name to the hashed one: ``{"app.js": "app-4F2K….js", "app.css": "app-….css"}``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "planner" / "static" / "src"
BUNDLES = ROOT / "planner" / "static" / "dist"
ESBUILD = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"


def main() -> int:
    """Bundle everything anew; return the exit code."""
    waiting = BUNDLES.with_name("dist.new")
    shutil.rmtree(waiting, ignore_errors=True)
    meta = ROOT / "build" / "assets.json"
    meta.parent.mkdir(exist_ok=True)
    command = [
        str(Path(sys.executable).with_name("node")),
        str(ESBUILD),
        str(SOURCES / "app.js"),
        str(SOURCES / "app.css"),
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2020",
        "--loader:.woff2=file",
        "--entry-names=[name]-[hash]",
        "--asset-names=[name]-[hash]",
        f"--outdir={waiting}",
        f"--metafile={meta}",
        "--log-level=warning",
    ]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        return done.returncode
    (waiting / "manifest.json").write_text(json.dumps(_manifest(meta), indent=1))
    shutil.rmtree(BUNDLES, ignore_errors=True)
    waiting.rename(BUNDLES)
    return 0


def _manifest(meta: Path) -> dict[str, str]:
    outputs = json.loads(meta.read_text())["outputs"]
    return {
        Path(output["entryPoint"]).name: Path(path).name
        for path, output in sorted(outputs.items())
        if "entryPoint" in output
    }


if __name__ == "__main__":
    sys.exit(main())
