"""The list of what patients have told from their own page, and the list of whom to call."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions import notices as actions
from planner.actions.appointments import lifecycle
from planner.errors import Invalid, Stale
from planner.queries import inbox as queries
from planner.web import context, undo

blueprint = Blueprint("inbox", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.get("/inbox")
def index() -> Answer:
    """Show what waits, the oldest first."""
    return _page()


@blueprint.post("/inbox/<int:notice_id>")
def handle(notice_id: int) -> Answer:
    """Take one notice off the list, or write its flight down; back to the visit it was read at."""
    try:
        if request.form.get("do") == "take":
            actions.take_over_flight(notice_id, by=context.who(), now=context.now())
            flash(_("The flight stands on the patient’s page now."), "success")
        else:
            note = request.form.get("note", "").strip()
            actions.handle(notice_id, note=note, by=context.who(), now=context.now())
            flash(_("Done."), "success")
    except Invalid:
        wrong = (notice_id, _("At most 300 characters fit here."), request.form.get("note", ""))
        return _page(wrong), 422
    except Stale:
        flash(_("Somebody has seen to this already."), "info")
    visit_key = request.form.get("visit", "")
    if visit_key:
        return redirect(url_for("appointments.show", key=visit_key))
    return redirect(url_for(".index"))


@blueprint.get("/call-list")
def calls() -> Answer:
    """Show whom to call about the visits of the next days, by language."""
    text = request.args.get("days", "")
    page = queries.calls(
        days=int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0,
        everybody=request.args.get("who") == "all",
        locale=context.locale(),
        now=context.now(),
    )
    return render_template("inbox/calls.html", page=page, spans=queries.SPANS)


@blueprint.post("/call-list/<key>")
def called(key: str) -> Answer:
    """Note that a patient has confirmed on the phone, and go on with the list."""
    try:
        change_key = lifecycle.confirm(
            key, version=context.version(request.form), by=context.who(), now=context.now()
        )
        undo.offer(_("Confirmed."), change_key)
    except Stale:
        flash(_("Somebody changed this appointment meanwhile. Look at it again."), "warning")
    days, who = request.form.get("days", ""), request.form.get("who", "")
    return redirect(
        url_for(
            ".calls",
            days=days if days in map(str, queries.SPANS) else None,
            who="all" if who == "all" else None,
        )
    )


def _page(wrong: tuple[int, str, str] | None = None) -> str:
    page = queries.page(locale=context.locale(), by=context.who())
    ids = tuple(line.id for line in page.health)
    actions.note_read(ids, by=context.who(), now=context.now())
    return render_template("inbox/index.html", page=page, wrong=wrong)
