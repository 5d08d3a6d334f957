"""The list of a provider: decisions to sign, and courses that wait for an interval."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions import decisions as actions
from planner.errors import Invalid, Stale
from planner.queries import decisions as queries
from planner.web import context, undo

blueprint = Blueprint("decisions", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.get("/decisions")
def index() -> Answer:
    """Show what waits for a provider."""
    return _page()


@blueprint.post("/decisions/<int:decision_id>")
def sign(decision_id: int) -> Answer:
    """Sign a decision that was taken down by phone, or say that it was not given like that."""
    try:
        if request.form.get("do") == "disagree":
            note = request.form.get("note", "")
            change_key = actions.disagree(decision_id, note, by=context.who(), now=context.now())
            said = _("Noted. The decision counts no longer; the desk sees your note.")
        else:
            change_key = actions.sign(decision_id, by=context.who(), now=context.now())
            said = _("Signed.")
        undo.offer(said, change_key)
    except Invalid as error:
        words = {
            "required": _("Please say what was different."),
            "too_long": _("At most 300 characters fit here."),
        }
        wrong = (decision_id, words[error.fields["note"]], request.form.get("note", ""))
        return _page(wrong), 422
    except Stale:
        flash(_("This decision was answered already."), "info")
    return redirect(url_for(".index"))


def _page(wrong: tuple[int, str, str] | None = None) -> str:
    page = queries.page(locale=context.locale(), now=context.now(), by=context.who())
    has_visits = "appointments.show" in current_app.view_functions
    return render_template("decisions/index.html", page=page, wrong=wrong, has_visits=has_visits)
