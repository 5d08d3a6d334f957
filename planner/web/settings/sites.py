"""Sites: what they are, their hours and closures."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner import wording
from planner.actions.catalogue import absences
from planner.actions.catalogue import sites as actions
from planner.actions.catalogue.absences import AbsenceValues
from planner.actions.catalogue.sites import SiteValues
from planner.errors import Invalid
from planner.queries.settings import places
from planner.scheduling import holidays
from planner.web import context
from planner.web.settings import answers, hours_form
from planner.web.settings.blueprint import blueprint
from planner.web.settings.endings import absence_values
from planner.web.settings.fields import ids, whole
from planner.web.settings.forms import AbsenceForm, HolidayForm, SiteForm
from planner.web.settings.hours_form import HoursForm

Answer = str | Response | tuple[str, int]
YEARS = range(2000, 2200)


@blueprint.get("/sites")
def sites() -> Answer:
    """All sites."""
    lines, findings = places.sites(locale=context.locale(), now=context.now())
    return render_template("settings/sites.html", sites=lines, findings=findings)


@blueprint.route("/sites/new", methods=["GET", "POST"])
def site_new() -> Answer:
    """Add a site."""
    form = SiteForm()
    if form.validate_on_submit() and (added := answers.saved(form, 0, lambda: _save(None, form))):
        flash(_("%(name)s is added. Now say when it is open.", name=form.name.data), "success")
        return redirect(url_for("settings.site_hours", site_id=added))
    return render_template("settings/site.html", form=form, site=None), answers.status(form)


@blueprint.route("/sites/<int:site_id>", methods=["GET", "POST"])
def site(site_id: int) -> Answer:
    """What a site is."""
    view = places.site(site_id, locale=context.locale(), now=context.now())
    form = SiteForm(obj=view)
    if form.validate_on_submit() and answers.saved(
        form, view.version, lambda: _save(site_id, form)
    ):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.site", site_id=site_id))
    return render_template("settings/site.html", form=form, site=view), answers.status(form)


@blueprint.route("/sites/<int:site_id>/hours", methods=["GET", "POST"])
def site_hours(site_id: int) -> Answer:
    """When a site is open."""
    page = places.site_hours(site_id, now=context.now())
    answer = hours_form.answer(page.version, page.rows, lambda form: _save_hours(site_id, form))
    if answer is None:
        flash(_("Saved."), "success")
        return redirect(url_for("settings.site_hours", site_id=site_id))
    form, status = answer
    return render_template("settings/site_hours.html", form=form, page=page), status


@blueprint.route("/sites/<int:site_id>/closures", methods=["GET", "POST"])
def closures(site_id: int) -> Answer:
    """When a site is closed, by dates."""
    form = AbsenceForm()
    if form.validate_on_submit() and (
        answers.saved(form, 0, lambda: _close(site_id, form)) is not None
    ):
        flash(_("The closure is recorded."), "success")
        return redirect(url_for("settings.closures", site_id=site_id))
    return _closures(site_id, form, HolidayForm(formdata=None)), answers.status(form)


@blueprint.post("/sites/<int:site_id>/holidays")
def holidays_close(site_id: int) -> Answer:
    """Close the ticked sites on the ticked holidays."""
    form = HolidayForm()
    if form.validate_on_submit():
        closed = answers.saved(form, 0, lambda: _close_holidays(form))
        if closed is not None:
            message = ngettext("One closure is added.", "%(num)d closures are added.", len(closed))
            flash(message, "success")
            return redirect(url_for("settings.closures", site_id=site_id))
    return _closures(site_id, AbsenceForm(formdata=None), form), 422


def _closures(site_id: int, form: AbsenceForm, holiday_form: HolidayForm) -> str:
    page = places.closures(site_id, locale=context.locale(), now=context.now())
    asked = whole(request.values.get("year", ""))
    year = asked if asked in YEARS else page.today.year
    if not holiday_form.is_submitted():
        holiday_form.sites.data = [str(site_id)]
    return render_template(
        "settings/closures.html",
        page=page,
        form=form,
        holiday_form=holiday_form,
        year=year,
        holidays=_holidays(year, page.today),
    )


def _holidays(year: int, today: date) -> list[tuple[str, str, str]]:
    """Return what each box sends, its name and its date, from today on; and what is observed."""
    lines: list[tuple[date, str, str]] = []
    for holiday in holidays.of_year(year):
        name = wording.holiday(holiday.code, context.locale())
        lines.append((holiday.day, holiday.code, name))
        if holiday.observed != holiday.day and holiday.observed.year == year:
            observed = str(_("%(holiday)s, observed", holiday=name))
            lines.append((holiday.observed, holiday.code, observed))
    return [(f"{day} {code}", name, _day_label(day)) for day, code, name in lines if day >= today]


def _day_label(day: date) -> str:
    return str(format_date(day, "EEE d MMM yyyy"))


def _save(site_id: int | None, form: SiteForm) -> int:
    values = SiteValues(
        name=form.name.data,
        address=form.address.data,
        phone=form.phone.data,
        colour=form.colour.data,
        zone=form.zone.data,
        grid_minutes=form.grid_minutes.data,
        arrival_note=form.arrival_note.data,
        quiet_from=form.quiet_from.data,
        quiet_until=form.quiet_until.data,
        position=form.position.data or 0,
    )
    version = form.version.data
    return actions.save(site_id, values, version=version, by=context.who(), now=context.now())


def _save_hours(site_id: int, form: HoursForm) -> None:
    actions.save_hours(
        site_id, form.ranges(), version=form.version.data, by=context.who(), now=context.now()
    )


def _close(site_id: int, form: AbsenceForm) -> tuple[int, ...]:
    values = absence_values(form)
    return absences.record("site", (site_id,), values, by=context.who(), now=context.now())


def _close_holidays(form: HolidayForm) -> tuple[int, ...]:
    spans = tuple(_holiday(value) for value in form.days.data or ())
    if not spans:
        raise Invalid({"days": "missing"})
    site_ids = sorted(ids(form.sites.data))
    return absences.record_all("site", site_ids, spans, by=context.who(), now=context.now())


def _holiday(value: str) -> AbsenceValues:
    day, _space, code = value.partition(" ")
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise Invalid({"days": "choice"}) from None
    if code not in holidays.CODES:
        raise Invalid({"days": "choice"})
    return AbsenceValues(
        from_date=on, until_date=on, reason=wording.holiday(code, context.locale())
    )
