"""Where the bundled scripts and styles are: their names carry a hash of their contents."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask, url_for

MANIFEST = Path(__file__).parent.parent / "static" / "dist" / "manifest.json"


def register(app: Flask) -> None:
    """Give templates ``asset('app.css')``."""
    names = _names()

    def asset(name: str) -> str:
        return url_for("static", filename=f"dist/{names.get(name, name)}")

    app.jinja_env.globals["asset"] = asset


def _names() -> dict[str, str]:
    """Return plain names to hashed ones; empty before the assets were bundled."""
    if not MANIFEST.exists():
        return {}
    found: dict[str, str] = json.loads(MANIFEST.read_text())
    return found
