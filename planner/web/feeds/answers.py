"""A feed as the programs behind calendars want it: they follow nothing, send nothing, and keep asking."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from planner.ical.files import File


def answer(file: File, changed_at: datetime | None) -> AnyResponse:
    """Return the file, or 304 for whoever has it already. No cookie, no redirect, no variants."""
    response = Response(file.content, content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.set_etag(file.etag)
    if changed_at is not None:  # nothing would be taken for now
        response.last_modified = changed_at
    return response.make_conditional(request)


def nothing() -> AnyResponse:
    """Say no more than that there is nothing: not whether there ever was."""
    response = Response("There is nothing here.\n", 404, content_type="text/plain; charset=utf-8")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
