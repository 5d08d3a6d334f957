"""The stylesheet with the clinic's own colours: sites, providers and services are told apart by them."""

from __future__ import annotations

import re

from flask import Blueprint, Response, make_response, request

from planner.queries import brand

blueprint = Blueprint("brand", __name__)
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@blueprint.get("/clinic.css")
def stylesheet() -> Response:
    """Return a class per colour, darker or lighter as the page is light or dark."""
    response = make_response("".join(_rule(colour) for colour in brand.colours()))
    response.mimetype = "text/css"
    response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)


def _rule(colour: str) -> str:
    if not COLOUR.fullmatch(colour):
        return ""
    name = colour.lower().replace("#", "x")
    lighter = f"color-mix(in oklab, {colour} 55%, white)"
    return f".hue-{name} {{ --hue: light-dark({colour}, {lighter}); }}\n"
