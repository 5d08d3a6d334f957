"""The patient's own calendar follows: a subscription is made, shown once, seen and ended on their page."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import feeds as actions
from planner.errors import Invalid, NotFound, Stale
from planner.queries import feeds as queries
from planner.queries.own_page import OwnPage
from planner.web import context
from planner.web.feeds import addresses
from planner.web.feeds.addresses import Subscription
from planner.web.forms import number
from planner.web.portal import devices, entry, pages
from planner.web.portal.blueprint import blueprint
from planner.web.portal.forms import SubscribeForm


@blueprint.route("/visits/calendar", methods=["GET", "POST"])
def subscription() -> AnyResponse:
    """Show what follows, make one more, or end one. Only a form that is sent does anything."""
    return pages.acted(_answer)


def _answer(page: OwnPage, known: entry.Holder) -> AnyResponse:
    if request.method != "POST":
        return _page(page, SubscribeForm(formdata=None))
    if "revoke" in request.form:
        return _end(page, known)
    form = SubscribeForm()
    if not form.validate():
        return _page(page, form, code=422)
    token = addresses.token(f"patient {page.patient_key}", str(form.idempotency_key.data))
    try:
        actions.subscribe_by_link(known.link_id, token, by=entry.who(), now=context.now())
    except Invalid:
        problem = (
            _("There are many already"),
            _("End one that you no longer use, then try again."),
        )
        return _page(page, form, problem=problem, code=422)
    except Stale:
        problem = (_("This one has ended meanwhile"), _("Make a new one."))
        return _page(page, SubscribeForm(formdata=None), problem=problem, code=409)
    return _page(page, form, made=addresses.subscription(token))


def _end(page: OwnPage, known: entry.Holder) -> AnyResponse:
    try:
        actions.revoke_by_link(
            known.link_id, number(request.form["revoke"]), by=entry.who(), now=context.now()
        )
    except NotFound:
        problem = (_("There is no such subscription"), _("What there is stands below."))
        return _page(page, SubscribeForm(formdata=None), problem=problem, code=404)
    return redirect(url_for("portal.subscription", done="subscription_ended"))


def _page(
    page: OwnPage,
    form: SubscribeForm,
    *,
    made: Subscription | None = None,
    problem: tuple[str, str] | None = None,
    code: int = 200,
) -> AnyResponse:
    found = queries.of_patient(page.patient_key, locale=page.locale, now=context.now())
    html = render_template(
        "portal/subscription.html",
        page=page,
        form=form,
        form_token=entry.form_token(),
        made=made,
        problem=problem,
        said="" if problem else pages.said(),
        subscriptions=found.in_use,
        device=devices.device(request.headers.get("User-Agent", "")),
    )
    return make_response(html, code)
