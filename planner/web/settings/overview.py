"""How far the set-up is; who the clinic is; its texts."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions.catalogue import clinic as actions
from planner.actions.catalogue.clinic import ClinicValues
from planner.queries.settings import clinic, overview
from planner.queries.settings.clinic import TextView
from planner.web import context
from planner.web.settings import answers
from planner.web.settings.blueprint import blueprint
from planner.web.settings.forms import ClinicForm, TextForm
from planner.web.settings.names import text_name

Answer = str | Response | tuple[str, int]


@blueprint.get("/")
def index() -> Answer:
    """The checklist, and what contradicts itself."""
    page = overview.page(locale=context.locale(), now=context.now())
    return render_template("settings/index.html", page=page)


@blueprint.route("/clinic", methods=["GET", "POST"], endpoint="clinic")
def edit_clinic() -> Answer:
    """Who the clinic is."""
    page = clinic.show()
    form = ClinicForm(obj=page)
    if form.validate_on_submit() and answers.saved(form, page.version, lambda: _save(form)):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.index"))
    return render_template("settings/clinic.html", form=form), answers.status(form)


@blueprint.get("/texts")
def texts() -> Answer:
    """Every text, and in which languages it is missing."""
    rows = clinic.texts(locale=context.locale())
    return render_template(
        "settings/texts.html", rows=[(row, *text_name(row.code)) for row in rows]
    )


@blueprint.route("/texts/<code>/<language>", methods=["GET", "POST"])
def text(code: str, language: str) -> Answer:
    """One text in one language; the others stand beside it."""
    row = clinic.text(code, locale=context.locale())
    view = row.get(language)
    form = TextForm(obj=view)
    if form.validate_on_submit() and answers.saved(form, view.version, lambda: _write(form, view)):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.texts"))
    return (
        render_template(
            "settings/text.html", form=form, row=row, view=view, name=text_name(code)[0]
        ),
        answers.status(form),
    )


def _save(form: ClinicForm) -> bool:
    values = ClinicValues(
        name=form.name.data,
        neutral_name=form.neutral_name.data,
        phone=form.phone.data,
        email=form.email.data,
        colour=form.colour.data.lower(),
        languages=tuple(form.languages.data or ()),
    )
    actions.save(values, version=form.version.data, by=context.who(), now=context.now())
    return True


def _write(form: TextForm, view: TextView) -> bool:
    actions.save_text(
        view.code,
        view.language,
        form.text.data,
        is_placeholder=form.is_placeholder.data,
        version=form.version.data,
        by=context.who(),
        now=context.now(),
    )
    return True
