"""The rules of the clinic, and what a change of one leaves outside."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions.catalogue import rules as actions
from planner.actions.catalogue.rules import RuleValues
from planner.errors import Invalid
from planner.queries.settings import offers, outside
from planner.queries.settings.offers import RulePage
from planner.web import context
from planner.web.settings import answers, rule_forms
from planner.web.settings.blueprint import blueprint
from planner.web.settings.rule_forms import RuleForm

Answer = str | Response | tuple[str, int]


@blueprint.get("/rules")
def rules() -> Answer:
    """Every rule as it holds today."""
    lines = offers.rules(locale=context.locale(), now=context.now())
    return render_template("settings/rules.html", lines=lines)


@blueprint.route("/rules/<code>", methods=["GET", "POST"])
def rule(code: str) -> Answer:
    """A rule: what holds, what held, and what is booked against it."""
    page = offers.rule(code, locale=context.locale(), now=context.now())
    form = rule_forms.of(page)
    if form.validate_on_submit() and answers.saved(form, 0, lambda: _record(page, form)):
        flash(_("Recorded. What is already booked stays as it is."), "success")
        return redirect(url_for("settings.rule", code=code))
    found = outside.visits(code, locale=context.locale(), now=context.now())
    html = render_template("settings/rule.html", page=page, form=form, outside=found)
    return html, answers.status(form)


def _record(page: RulePage, form: RuleForm) -> int:
    scope, scope_id = form.scope_id()
    rule = page.line.rule
    values = RuleValues(
        scope=scope,
        scope_id=scope_id,
        value=form.value(rule),
        severity=form.severity.data if rule.is_severity_editable else rule.severity,
        effective_from=form.effective_from.data,
    )
    try:
        return actions.record(page.line.code, values, by=context.who(), now=context.now())
    except Invalid as error:
        raise Invalid({_named(name, form): code for name, code in error.fields.items()}) from error


def _named(name: str, form: RuleForm) -> str:
    return form.part_names[-1] if name == "value" and form.part_names else name
