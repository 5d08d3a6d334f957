"""The stylesheet of the clinic's own colours: sites, providers and services are told apart by them."""

from __future__ import annotations

import re

from flask import Blueprint, make_response, request
from werkzeug.wrappers import Response

from planner.queries import brand

blueprint = Blueprint("brand", __name__)
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
YEAR = 31_536_000


@blueprint.get("/clinic.css")
def stylesheet() -> Response:
    """Return a class per colour, lighter where the page is dark.

    A page asks for the edition it was made with, so a browser may keep that for ever.
    """
    response = make_response("".join(map(_rule, brand.colours())))
    response.mimetype = "text/css"
    if request.args.get("edition") == brand.clinic().edition:
        response.cache_control.max_age = YEAR
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)


def _rule(colour: str) -> str:
    # The names of hues that everybody can tell apart have their classes in tokens.css.
    if not COLOUR.fullmatch(colour):
        return ""
    lighter = f"color-mix(in oklab, {colour} 55%, white)"
    return f".hue-x{colour[1:].lower()} {{ --hue: light-dark({colour}, {lighter}); }}\n"
