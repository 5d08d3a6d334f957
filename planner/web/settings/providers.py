"""Providers: who they are, when they work where, what they may do, when they are away."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from planner.actions.catalogue import absences as absence_actions
from planner.actions.catalogue import providers as actions
from planner.actions.catalogue.providers import Capability, ProviderValues
from planner.errors import Stale
from planner.queries.settings import people
from planner.queries.settings.people import MatrixPage
from planner.web import context
from planner.web.settings import answers, hours_form
from planner.web.settings.blueprint import blueprint
from planner.web.settings.endings import absence_values
from planner.web.settings.fields import whole
from planner.web.settings.forms import AbsenceForm, ProviderForm
from planner.web.settings.hours_form import HoursForm

Answer = str | Response | tuple[str, int]


@blueprint.get("/providers")
def providers() -> Answer:
    """All providers."""
    lines, findings = people.providers(locale=context.locale(), now=context.now())
    return render_template("settings/providers.html", providers=lines, findings=findings)


@blueprint.route("/providers/new", methods=["GET", "POST"])
def provider_new() -> Answer:
    """Add a provider."""
    form = ProviderForm()
    if form.validate_on_submit() and (added := answers.saved(form, 0, lambda: _save(None, form))):
        message = _("%(name)s is added. Now say when and where they work.", name=form.name.data)
        flash(message, "success")
        return redirect(url_for("settings.provider_hours", provider_id=added))
    html = render_template("settings/provider.html", form=form, provider=None)
    return html, answers.status(form)


@blueprint.route("/providers/<int:provider_id>", methods=["GET", "POST"])
def provider(provider_id: int) -> Answer:
    """Who a provider is."""
    view = people.provider(provider_id, locale=context.locale(), now=context.now())
    form = ProviderForm(obj=view)
    if form.validate_on_submit() and answers.saved(
        form, view.version, lambda: _save(provider_id, form)
    ):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.provider", provider_id=provider_id))
    html = render_template("settings/provider.html", form=form, provider=view)
    return html, answers.status(form)


@blueprint.route("/providers/<int:provider_id>/hours", methods=["GET", "POST"])
@blueprint.route("/providers/<int:provider_id>/hours/<int:site_id>", methods=["GET", "POST"])
def provider_hours(provider_id: int, site_id: int | None = None) -> Answer:
    """When a provider works at a site."""
    page = people.provider_hours(provider_id, site_id, locale=context.locale(), now=context.now())
    if page.site is None:
        return render_template("settings/provider_hours.html", form=None, page=page)
    at = page.site.id
    answer = hours_form.answer(
        page.version, page.rows, lambda form: _save_hours(provider_id, at, form)
    )
    if answer is None:
        flash(_("Saved."), "success")
        url = url_for("settings.provider_hours", provider_id=provider_id, site_id=at)
        return redirect(url)
    form, status = answer
    return render_template("settings/provider_hours.html", form=form, page=page), status


@blueprint.route("/providers/<int:provider_id>/services", methods=["GET", "POST"])
def provider_services(provider_id: int) -> Answer:
    """What a provider may treat and examine, per site."""
    page = people.matrix(provider_id, now=context.now())
    if request.method != "POST":
        return _matrix(page, page.treats, page.examines, is_stale=False)
    treats, examines = _cells("treat"), _cells("examine")
    try:
        _allow(page, treats, examines)
    except Stale:
        return _matrix(page, treats, examines, is_stale=True), 409
    flash(_("Saved."), "success")
    return redirect(url_for("settings.provider_services", provider_id=provider_id))


@blueprint.route("/providers/<int:provider_id>/absences", methods=["GET", "POST"])
def absences(provider_id: int) -> Answer:
    """When a provider is away. Recording it is never refused for what is booked."""
    form = AbsenceForm()
    if (
        form.validate_on_submit()
        and (added := answers.saved(form, 0, lambda: _leave(provider_id, form))) is not None
    ):
        page = people.absences(provider_id, locale=context.locale(), now=context.now())
        _flash_displaced(sum(a.displaced.count for a in page.absences if a.id in added))
        return redirect(url_for("settings.absences", provider_id=provider_id))
    page = people.absences(provider_id, locale=context.locale(), now=context.now())
    return render_template("settings/absences.html", form=form, page=page), answers.status(form)


def _flash_displaced(count: int) -> None:
    if count:
        message = ngettext(
            "Recorded. One appointment has to move: it is listed below.",
            "Recorded. %(num)d appointments have to move: they are listed below.",
            count,
        )
        flash(message, "warning")
    else:
        flash(_("Recorded. Nothing is booked then."), "success")


def _matrix(
    page: MatrixPage,
    treats: frozenset[tuple[int, int]],
    examines: frozenset[tuple[int, int]],
    *,
    is_stale: bool,
) -> str:
    return render_template(
        "settings/provider_services.html",
        page=page,
        treats=treats,
        examines=examines,
        is_stale=is_stale,
    )


def _cells(name: str) -> frozenset[tuple[int, int]]:
    """Return the ticked cells: each sends "<service>.<site>"."""
    pairs = (value.partition(".") for value in request.form.getlist(name))
    return frozenset((whole(service), whole(site)) for service, _dot, site in pairs)


def _allow(
    page: MatrixPage, treats: frozenset[tuple[int, int]], examines: frozenset[tuple[int, int]]
) -> None:
    shown = {(service.id, site.id) for service in page.services for site in page.sites}
    hidden = (page.treats | page.examines) - shown
    treats = (treats & shown) | (page.treats & hidden)
    examines = (examines & shown) | (page.examines & hidden)
    cells = [
        Capability(
            service_id=service_id,
            site_id=site_id,
            may_treat=(service_id, site_id) in treats,
            may_examine=(service_id, site_id) in examines,
        )
        for service_id, site_id in sorted(treats | examines)
    ]
    version = whole(request.form.get("version", ""))
    actions.allow(page.provider.id, cells, version=version, by=context.who(), now=context.now())


def _save(provider_id: int | None, form: ProviderForm) -> int:
    values = ProviderValues(
        name=form.name.data,
        credentials=form.credentials.data,
        colour=form.colour.data,
        position=form.position.data or 0,
    )
    version = form.version.data
    return actions.save(provider_id, values, version=version, by=context.who(), now=context.now())


def _save_hours(provider_id: int, site_id: int, form: HoursForm) -> None:
    actions.save_hours(
        provider_id,
        site_id,
        form.ranges(),
        version=form.version.data,
        by=context.who(),
        now=context.now(),
    )


def _leave(provider_id: int, form: AbsenceForm) -> tuple[int, ...]:
    values = absence_values(form)
    by, now = context.who(), context.now()
    return absence_actions.record("provider", (provider_id,), values, by=by, now=now)
