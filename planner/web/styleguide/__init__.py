"""The living page of all components in all states, for managers and for whoever builds a page."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("styleguide", __name__)


@blueprint.get("/styleguide")
def show() -> str:
    """Return every component."""
    return render_template("styleguide.html")
