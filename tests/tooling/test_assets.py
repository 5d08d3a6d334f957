"""What a page asks for by name is there under a name with a hash, and is ours to serve."""

from __future__ import annotations

import json
import re

from tools import assets


def test_the_manifest_names_the_entry_points_only() -> None:
    outputs = {
        "build/assets/app-AAAA.js": {"entryPoint": "planner/static/src/app.js"},
        "build/assets/app-BBBB.css": {"entryPoint": "planner/static/src/app.css"},
        "build/assets/inter-CCCC.woff2": {},
    }
    assert assets.manifest(outputs) == {"app.js": "app-AAAA.js", "app.css": "app-BBBB.css"}


def test_what_the_manifest_names_is_there() -> None:
    named = json.loads((assets.DIST / "manifest.json").read_text())
    assert sorted(named) == ["app.css", "app.js", "copy.js"]
    assert [file for file in named.values() if not (assets.DIST / file).is_file()] == []


def test_the_styles_load_nothing_from_elsewhere() -> None:
    styles = "".join(path.read_text() for path in assets.DIST.glob("*.css"))
    assert re.findall(r"url\(\"?(?:https?:)?//[^)]*\)", styles) == []


def test_browsers_that_know_no_two_themes_get_every_colour_of_the_light_one() -> None:
    css = assets.SOURCES / "css"
    tokens, older = ((css / name).read_text() for name in ("tokens.css", "older.css"))
    light = re.findall(r"(--[\w-]+): light-dark\((#\w+),", tokens)
    assert len(light) > 40
    assert sorted(set(light)) == sorted(set(re.findall(r"(--[\w-]+): (#\w+);", older)))
