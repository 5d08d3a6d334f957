"""The page of a patient's messages."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions import messages as actions
from planner.errors import Invalid
from planner.queries import messages as queries
from planner.web import context

blueprint = Blueprint("messages", __name__)


@blueprint.get("/patients/<key>/messages")
def of_patient(key: str) -> str:
    """Show what was sent to a patient, when; and what waits."""
    page = queries.of_patient(key, locale=context.locale(), now=context.now())
    return render_template("messages/patient.html", page=page)


@blueprint.post("/patients/<key>/messages/wishes")
def wishes(key: str) -> Response:
    """Set how a patient wants to be reminded, and whether invitations go to their calendar."""
    try:
        actions.set_wishes(
            key,
            request.form.get("reminders_by", ""),
            invitations=request.form.get("invitations") == "yes",
            by=context.who(),
            now=context.now(),
        )
        flash(_("Saved."), "success")
    except Invalid:
        flash(_("Please choose how the patient wants to be reminded."), "danger")
    return redirect(url_for(".of_patient", key=key))


@blueprint.post("/patients/<key>/messages/<message_key>/again")
def again(key: str, message_key: str) -> Response:
    """Tell a patient once more what a message told, as it stands now."""
    try:
        actions.send_again(message_key, by=context.who(), now=context.now())
        flash(_("It will be sent once more."), "success")
    except Invalid:
        flash(_("It is too late: it would say nothing any more."), "warning")
    return redirect(url_for(".of_patient", key=key))
