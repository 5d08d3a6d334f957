"""Services and protocols."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions.catalogue import services as actions
from planner.actions.catalogue.services import ProtocolValues, ServiceValues
from planner.queries.settings import offers
from planner.web import context
from planner.web.settings import answers
from planner.web.settings.blueprint import blueprint
from planner.web.settings.forms import ProtocolForm, ServiceForm

Answer = str | Response | tuple[str, int]


@blueprint.get("/services")
def services() -> Answer:
    """All services."""
    views, findings = offers.services(locale=context.locale(), now=context.now())
    return render_template("settings/services.html", services=views, findings=findings)


@blueprint.route("/services/new", methods=["GET", "POST"])
def service_new() -> Answer:
    """Add a service."""
    form = ServiceForm()
    if form.validate_on_submit() and answers.saved(form, 0, lambda: _save(None, form)):
        flash(_("%(name)s is added.", name=form.name.data), "success")
        return redirect(url_for("settings.services"))
    html = render_template("settings/service.html", form=form, service=None)
    return html, answers.status(form)


@blueprint.route("/services/<int:service_id>", methods=["GET", "POST"])
def service(service_id: int) -> Answer:
    """A service."""
    view = offers.service(service_id, locale=context.locale(), now=context.now())
    form = ServiceForm(obj=view)
    if form.validate_on_submit() and answers.saved(
        form, view.version, lambda: _save(service_id, form)
    ):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.services"))
    html = render_template("settings/service.html", form=form, service=view)
    return html, answers.status(form)


@blueprint.get("/protocols")
def protocols() -> Answer:
    """All protocols."""
    return render_template("settings/protocols.html", protocols=offers.protocols())


@blueprint.route("/protocols/new", methods=["GET", "POST"])
def protocol_new() -> Answer:
    """Add a protocol."""
    form = ProtocolForm(services=offers.service_choices(now=context.now()))
    if form.validate_on_submit() and answers.saved(form, 0, lambda: _save_protocol(None, form)):
        flash(_("%(name)s is added.", name=form.name.data), "success")
        return redirect(url_for("settings.protocols"))
    html = render_template("settings/protocol.html", form=form, protocol=None, is_removable=False)
    return html, answers.status(form)


@blueprint.route("/protocols/<int:protocol_id>", methods=["GET", "POST"])
def protocol(protocol_id: int) -> Answer:
    """A protocol. Editing it changes no running course."""
    view, is_removable = offers.protocol(protocol_id)
    form = ProtocolForm(services=offers.service_choices(now=context.now()), obj=view)
    if form.validate_on_submit() and answers.saved(
        form, view.version, lambda: _save_protocol(protocol_id, form)
    ):
        flash(_("Saved. Courses that already run keep what was ordered."), "success")
        return redirect(url_for("settings.protocols"))
    html = render_template(
        "settings/protocol.html", form=form, protocol=view, is_removable=is_removable
    )
    return html, answers.status(form)


def _save(service_id: int | None, form: ServiceForm) -> int:
    values = ServiceValues(
        code=form.code.data,
        name=form.name.data,
        kind=form.kind.data,
        minutes=form.minutes.data,
        minutes_choices=tuple(form.minutes_choices.data or ()),
        preparation_minutes=form.preparation_minutes.data,
        turnover_minutes=form.turnover_minutes.data,
        walk_minutes=form.walk_minutes.data or 0,
        colour=form.colour.data,
        reminder_days=tuple(form.reminder_days.data or ()),
        position=form.position.data or 0,
    )
    version = form.version.data
    return actions.save(service_id, values, version=version, by=context.who(), now=context.now())


def _save_protocol(protocol_id: int | None, form: ProtocolForm) -> int:
    values = ProtocolValues(
        name=form.name.data,
        service_id=form.service_id.data,
        sessions=form.sessions.data,
        minutes=form.minutes.data,
        zones=form.zones.data,
        gap_floor=form.gap_floor.data,
        gap_target=form.gap_target.data,
        gap_soft_max=form.gap_soft_max.data,
        sentence=form.sentence.data,
        is_active=form.is_active.data,
        position=form.position.data or 0,
    )
    by, now = context.who(), context.now()
    return actions.save_protocol(protocol_id, values, version=form.version.data, by=by, now=now)
