"""POST /undo/<key>: take the change back, then show the page it was offered on."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions import changes
from planner.errors import NotFound, Refused, Stale
from planner.queries.appointments import sentences
from planner.web import context, security

blueprint = Blueprint("changes", __name__)


@blueprint.post("/undo/<key>")
def undo(key: str) -> Response:
    """Undo a change of the last two minutes; say so, or say why it cannot be done any more."""
    try:
        changes.undo(key, by=context.who(), now=context.now())
    except NotFound:
        flash(_("This can no longer be undone."), "warning")
    except Stale:
        flash(_("It has been changed again meanwhile, so it cannot be undone."), "warning")
    except Refused as refusal:
        said = [s.text for s in sentences(refusal.conflicts, locale=context.locale())]
        flash(_("It cannot be undone any more. %(why)s", why=" ".join(said)), "warning")
    else:
        flash(_("Undone."), "success")
    return redirect(security.own_path(request.form.get("back", "")))
