"""Downloads of calendar files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import feeds
from planner.actions import links as actions
from planner.queries import calendars
from planner.queries.calendars import CalendarFile
from planner.web import context
from planner.web.calendar import answers

blueprint = Blueprint("calendar", __name__)


@blueprint.get("/patients/<key>/calendar.ics")
def patient(key: str) -> AnyResponse:
    """Download all visits of a patient."""
    return _download(calendars.patient_file, key, answers.ALL)


@blueprint.get("/courses/<key>/calendar.ics")
def course(key: str) -> AnyResponse:
    """Download the visits of a course."""
    return _download(calendars.course_file, key, answers.ALL)


@blueprint.get("/appointments/<key>/calendar.ics")
def appointment(key: str) -> AnyResponse:
    """Download one visit."""
    return _download(calendars.appointment_file, key, answers.ONE)


def _download(load: Callable[..., CalendarFile], key: str, name: str) -> AnyResponse:
    now: datetime = context.now()
    file = load(key, now=now)
    response = answers.answer(file, name)
    if answers.is_taken(response):
        feeds.report(file.left_out, by=context.who(), now=now)
        actions.downloaded(file.object_kind, file.object_id, by=context.who(), now=now)
    return response
