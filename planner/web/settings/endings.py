"""Taking absences back, retiring, removing: the same for every kind of thing."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage
from werkzeug.wrappers import Response

from planner.actions.catalogue import absences, retirement
from planner.actions.catalogue.absences import AbsenceValues
from planner.errors import Invalid
from planner.queries.settings import endings
from planner.web import context
from planner.web.settings import answers
from planner.web.settings.blueprint import blueprint
from planner.web.settings.forms import AbsenceForm, RetireForm

Answer = str | Response | tuple[str, int]
LISTS = {
    "site": "settings.sites",
    "room": "settings.sites",
    "provider": "settings.providers",
    "service": "settings.services",
    "protocol": "settings.protocols",
}


def absence_values(form: AbsenceForm) -> AbsenceValues:
    """Return what the form says; without a last day it is one day."""
    return AbsenceValues(
        from_date=form.from_date.data,
        until_date=form.until_date.data or form.from_date.data,
        starts=form.starts.data,
        ends=form.ends.data,
        reason=form.reason.data,
    )


@blueprint.post(
    "/<any(site, room, provider):actor>/<int:actor_id>/absences/<int:absence_id>/remove"
)
def take_back(actor: str, actor_id: int, absence_id: int) -> Answer:
    """Remove an absence: they are there after all."""
    absences.take_back(
        absence_id, actor=actor, actor_id=actor_id, by=context.who(), now=context.now()
    )
    flash(_("It is removed from the calendar."), "success")
    return redirect(_absences_url(actor, actor_id))


@blueprint.route(
    "/<any(site, room, provider, service):kind>/<int:row_id>/retire", methods=["GET", "POST"]
)
def retire(kind: str, row_id: int) -> Answer:
    """Retire from a date; what is booked from then on is listed."""
    page = endings.page(kind, row_id, locale=context.locale(), now=context.now())
    form = RetireForm(obj=page)
    if form.validate_on_submit() and answers.saved(
        form, page.version, lambda: _retire(kind, row_id, form)
    ):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.retire", kind=kind, row_id=row_id))
    return (
        render_template("settings/retire.html", page=page, form=form, list_endpoint=LISTS[kind]),
        answers.status(form),
    )


@blueprint.post("/<any(site, room, provider, service, protocol):kind>/<int:row_id>/remove")
def remove(kind: str, row_id: int) -> Answer:
    """Remove what nothing refers to."""
    try:
        retirement.remove(kind, row_id, by=context.who(), now=context.now())
    except Invalid:
        flash(answers.sentence("in_use"), "error")
    else:
        flash(_("It is removed."), "success")
    return redirect(url_for(LISTS[kind]))


def _retire(kind: str, row_id: int, form: RetireForm) -> bool:
    retirement.retire(
        kind,
        row_id,
        from_date=form.retired_from.data,
        version=form.version.data,
        by=context.who(),
        now=context.now(),
    )
    return True


def _absences_url(actor: str, actor_id: int) -> str:
    if actor == "site":
        return url_for("settings.closures", site_id=actor_id)
    if actor == "room":
        return url_for("settings.outages", room_id=actor_id)
    if actor == "provider":
        return url_for("settings.absences", provider_id=actor_id)
    raise NoSuchPage
