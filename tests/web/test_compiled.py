"""Compiled templates: kept for the next process, and never worth a page."""

from __future__ import annotations

from pathlib import Path

import flask
import pytest

from planner.web import compiled


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> flask.Flask:
    """An application with one template and a folder of its own for what it is compiled to."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(compiled, "FOLDER", tmp_path / "kept")
    (tmp_path / "page.html").write_text("{{ 1 + 1 }}")
    made = flask.Flask("compiled", template_folder=str(tmp_path))
    compiled.register(made)
    return made


def page(app: flask.Flask) -> str:
    with app.app_context():
        return flask.render_template("page.html")


def test_what_was_compiled_is_kept_for_the_next_process(app: flask.Flask) -> None:
    page(app)
    kept = [path.read_bytes() for path in compiled.FOLDER.iterdir()]
    assert [b"page.html" in content for content in kept] == [True]


def test_a_template_that_has_changed_is_compiled_again(app: flask.Flask, tmp_path: Path) -> None:
    page(app)
    (tmp_path / "page.html").write_text("{{ 2 + 2 }}")
    app.jinja_env.cache.clear()  # type: ignore[union-attr]  # there is one unless it is turned off
    assert page(app) == "4"


def test_a_folder_that_has_gone_costs_nobody_a_page(app: flask.Flask) -> None:
    compiled.FOLDER.rmdir()
    assert page(app) == "2"


def test_nothing_is_kept_where_python_keeps_nothing(
    app: flask.Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    other = flask.Flask("other", template_folder=str(tmp_path))
    compiled.register(other)
    assert other.jinja_env.bytecode_cache is None
