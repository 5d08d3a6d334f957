"""Calendars that providers subscribe to, and events that could not be served."""

from __future__ import annotations

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from planner.actions import feeds as actions
from planner.queries import feeds as queries
from planner.web import context
from planner.web.feeds import views
from planner.web.forms import number
from planner.web.settings.blueprint import blueprint


@blueprint.route("/subscriptions", methods=["GET", "POST"])
def feeds() -> str | Response:
    """Show every provider's subscriptions, and end one."""
    if request.method == "POST":
        actions.revoke_any(
            number(request.form.get("revoke", "")), by=context.who(), now=context.now()
        )
        return views.ended(url_for("settings.feeds"))
    page = queries.for_managers(locale=context.locale(), now=context.now())
    return render_template("settings/feeds.html", page=page)
