"""Downloads of calendar files, and the page of a patient's links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import feeds
from planner.actions import links as actions
from planner.queries import calendars
from planner.queries import links as queries
from planner.queries.calendars import CalendarFile
from planner.web import context
from planner.web.calendar import answers, links
from planner.web.calendar.forms import LinkForm

blueprint = Blueprint("calendar", __name__)

Answer = str | AnyResponse | tuple[str, int]


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


@blueprint.route("/patients/<key>/links", endpoint="links", methods=["GET", "POST"])
def patient_links(key: str) -> Answer:
    """Show a patient's links; make one, which is shown this once, or end one."""
    form = LinkForm()
    if request.method == "POST" and "revoke" in request.form:
        return _revoke(key)
    if not form.validate_on_submit():
        return _page(key, form), 422 if request.method == "POST" else 200
    token = links.token(key, str(form.idempotency_key.data))
    actions.create(
        key,
        token,
        replaces_others=bool(form.replaces_others.data),
        by=context.who(),
        now=context.now(),
    )
    return _page(key, form, made=links.link(token))


def _page(key: str, form: LinkForm, made: links.Link | None = None) -> str:
    page = queries.page(key, locale=context.locale(), now=context.now())
    sheet = ""
    if made is not None:
        with force_locale(page.language):
            sheet = Markup(render_template("calendar/sheet.html", page=page, made=made))  # noqa: S704  our own template
    return render_template("calendar/links.html", page=page, form=form, made=made, sheet=sheet)


def _revoke(key: str) -> AnyResponse:
    actions.revoke(key, links.number(request.form["revoke"]), by=context.who(), now=context.now())
    flash(_("The link has ended. Whoever opens it sees nothing any more."), "success")
    return redirect(url_for("calendar.links", key=key))


def _download(load: Callable[..., CalendarFile], key: str, name: str) -> AnyResponse:
    now: datetime = context.now()
    file = load(key, now=now)
    response = answers.answer(file, name)
    if answers.is_taken(response):
        feeds.report(file.left_out, by=context.who(), now=now)
        actions.downloaded(file.object_kind, file.object_id, by=context.who(), now=now)
    return response
