"""A calendar file as an answer that phones and desktops open."""

from __future__ import annotations

import re

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from planner.queries.calendars import CalendarFile

ALL, ONE = "visits.ics", "visit.ics"
"""Names of files. They say nothing: they stay in a phone's list of downloads."""

_APPLE_PHONES = re.compile(r"iPhone|iPad|iPod")


def answer(file: CalendarFile, name: str) -> AnyResponse:
    """Return the file to be added to a calendar, or 304 for whoever has it already."""
    response = Response(file.content, content_type="text/calendar; charset=utf-8")
    # On these phones an attachment is only stored; inline opens the sheet that adds the visits.
    is_inline = _APPLE_PHONES.search(request.headers.get("User-Agent", ""))
    how = "inline" if is_inline else "attachment"
    response.headers["Content-Disposition"] = f'{how}; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.set_etag(file.etag)
    return response.make_conditional(request)


def is_taken(response: AnyResponse) -> bool:
    """Whether the answer hands the file out, rather than only describing it."""
    return request.method == "GET" and response.status_code == 200
