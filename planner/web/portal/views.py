"""What a patient's calendar link shows. Opening it changes nothing but the note that it was opened."""

from __future__ import annotations

import contextlib

from flask import make_response, render_template, request
from flask_babel import force_locale
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import feeds
from planner.actions import links as actions
from planner.errors import Unavailable
from planner.queries import calendars
from planner.web import context
from planner.web.calendar import answers
from planner.web.portal.blueprint import blueprint


@blueprint.get("/c/<token>")
def calendar(token: str) -> AnyResponse:
    """Show the visits to come, in the patient's language, and the button that takes them along."""
    page = calendars.link_page(token, now=context.now())
    if page is None:
        return _nothing()
    if request.method == "GET":
        _note(token, "page")
    with force_locale(page.locale):
        return make_response(render_template("portal/calendar.html", page=page, token=token))


@blueprint.get("/c/<token>/calendar.ics")
def calendar_file(token: str) -> AnyResponse:
    """Download the visits, or with ``?visit=`` one of them."""
    visit_key = request.args.get("visit", "")
    file = calendars.link_file(token, visit_key, now=context.now())
    if file is None:
        return _nothing()
    response = answers.answer(file, answers.ONE if visit_key else answers.ALL)
    if answers.is_taken(response):
        _note(token, "file")
        with contextlib.suppress(Unavailable):
            feeds.report(file.left_out, by=context.who(), now=context.now())
    return response


def _note(token: str, what: str) -> None:
    # A patient at the airport gets the dates even while the disk takes no writes.
    with contextlib.suppress(Unavailable):
        actions.opened(token, what=what, by=context.who(), now=context.now())


def _nothing() -> AnyResponse:
    """Say no more than that there is nothing: not whether there ever was."""
    return make_response(render_template("portal/nothing.html"), 404)
