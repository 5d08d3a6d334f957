"""What a patient does on their own page: confirm, answer, tell, choose. Each is a form that was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import own_page as actions
from planner.errors import Invalid, NotFound, Stale
from planner.queries.own_page import OwnPage, OwnVisit
from planner.web import context
from planner.web.patients import answers as field_answers
from planner.web.portal import entry, pages
from planner.web.portal.blueprint import blueprint
from planner.web.portal.forms import (
    AnotherTimeForm,
    AnswerForm,
    CannotComeForm,
    ConfirmForm,
    FlightForm,
    HealthForm,
    OwnForm,
    PreferencesForm,
)


@blueprint.post("/visits/<key>/confirm")
def confirm(key: str) -> AnyResponse:
    """Say that one will come."""

    def do(page: OwnPage, known: entry.Holder) -> AnyResponse:
        form = ConfirmForm()
        actions.confirm(known.link_id, form.seen_of(key), **_circumstances())
        return _done("confirm")

    return pages.acted(do)


@blueprint.post("/visits/<key>/health")
def answer(key: str) -> AnyResponse:
    """Answer the question of check-in on the own phone."""

    def do(page: OwnPage, known: entry.Holder) -> AnyResponse:
        form = AnswerForm()
        if not form.validate():
            return make_response(pages.own_page_html(page, answer=(key, form)), 422)
        try:
            actions.answer_health(
                known.link_id,
                form.seen_of(key),
                form.text.data or "",
                has_changed=form.answer.data != "no",
                **_circumstances(),
            )
        except Invalid as error:
            field_answers.put(form, error)
            return make_response(pages.own_page_html(page, answer=(key, form)), 422)
        except Stale as error:
            visit = page.visit(key)
            form.seen.data = visit.seen if visit else ""
            html = pages.own_page_html(page, problem=pages.problem_of(error), answer=(key, form))
            return make_response(html, 409)
        return _done("answer")

    return pages.acted(do)


@blueprint.route("/visits/<key>/another-time", methods=["GET", "POST"])
def another_time(key: str) -> AnyResponse:
    """Ask for another time; the visit stays until the desk has answered."""
    return _tell("another_time", AnotherTimeForm, key)


@blueprint.route("/visits/<key>/cannot-come", methods=["GET", "POST"])
def cannot_come(key: str) -> AnyResponse:
    """Say that one cannot come; the desk cancels, and offers another day."""
    return _tell("cannot_come", CannotComeForm, key)


@blueprint.route("/visits/flight", methods=["GET", "POST"])
def flight() -> AnyResponse:
    """Tell of a flight."""
    return _tell("flight", FlightForm)


@blueprint.route("/visits/my-health", methods=["GET", "POST"])
def health() -> AnyResponse:
    """Write something about one's health that only a provider reads."""
    return _tell("health", HealthForm)


@blueprint.route("/visits/preferences", methods=["GET", "POST"])
def preferences() -> AnyResponse:
    """Choose how to be reached, and whether words may be plain."""

    def do(page: OwnPage, known: entry.Holder) -> AnyResponse:
        form = PreferencesForm() if _is_sent() else pages.preferences_form(page)
        if not _is_sent() or not form.validate():
            html = render_template(
                "portal/preferences.html", page=page, form=form, form_token=entry.form_token()
            )
            return make_response(html, 422 if _is_sent() else 200)
        actions.prefer(known.link_id, form.preferences(), by=entry.who(), now=context.now())
        return _done("preferences")

    return pages.acted(do)


def _tell(kind: str, form_of: Callable[..., Any], key: str = "") -> AnyResponse:
    def do(page: OwnPage, known: entry.Holder) -> AnyResponse:
        visit = page.visit(key) if key else None
        if key and visit is None and not _is_sent():
            return make_response(pages.own_page_html(page, problem=pages.gone()), 404)
        form = form_of() if _is_sent() else form_of(formdata=None, seen=visit.seen if visit else "")
        if not _is_sent() or not form.validate():
            return _form_page(kind, page, visit, form, 422 if _is_sent() else 200)
        try:
            actions.tell(
                known.link_id, form.told(), form.seen_of(key) if key else None, **_circumstances()
            )
        except Invalid as error:
            field_answers.put(form, error)
            return _form_page(kind, page, visit, form, 422)
        except (Stale, NotFound) as error:
            if visit is None:
                return make_response(pages.own_page_html(page, problem=pages.gone()), 409)
            form.seen.data = visit.seen
            return _form_page(kind, page, visit, form, 409, problem=pages.problem_of(error))
        return _done(kind)

    return pages.acted(do)


def _form_page(
    kind: str,
    page: OwnPage,
    visit: OwnVisit | None,
    form: OwnForm,
    code: int,
    *,
    problem: tuple[str, str] | None = None,
) -> AnyResponse:
    html = render_template(
        f"portal/{kind}.html",
        page=page,
        visit=visit,
        form=form,
        problem=problem,
        form_token=entry.form_token(),
    )
    return make_response(html, code)


def _circumstances() -> dict[str, Any]:
    return {
        "by": entry.who(),
        "now": context.now(),
        "idempotency": context.idempotency(request.form),
    }


def _is_sent() -> bool:
    return request.method == "POST"


def _done(what: str) -> AnyResponse:
    return make_response(redirect(url_for("portal.visits", done=what)))
