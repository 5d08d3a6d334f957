"""The pages that need no sign-in, because whoever opens them holds a link."""

from __future__ import annotations

from flask import Blueprint, Response, request

from planner.web.portal import entry

blueprint = Blueprint("portal", __name__)


@blueprint.after_request
def keep_the_token(response: Response) -> Response:
    """Let no other page learn the address: whoever has it holds the link."""
    if "token" in (request.view_args or {}):
        response.headers["Referrer-Policy"] = "no-referrer"
    elif request.method == "GET" and response.status_code == 200:
        entry.renew(response)
    return response
