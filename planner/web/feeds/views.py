"""What a subscription's token serves, and the pages on which one is made or ended."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import feeds as actions
from planner.actions.feeds import Fetch
from planner.errors import Unavailable
from planner.queries import feeds as queries
from planner.queries.feeds import Served
from planner.web import context
from planner.web.feeds import addresses, answers
from planner.web.feeds.addresses import Subscription
from planner.web.forms import KeyForm, number

blueprint = Blueprint("feeds", __name__)

Answer = str | AnyResponse | tuple[str, int]


@blueprint.get("/cal/<token>.ics")
def show(token: str) -> AnyResponse:
    """Serve the calendar that somebody subscribes to. Nobody signs in here."""
    served = queries.serve(token, now=context.now())
    if served is None:
        return answers.nothing()
    # A patient at the airport gets the dates even while the disk takes no writes.
    with contextlib.suppress(Unavailable):
        served = _noted(served)
    return answers.answer(served.file, served.changed_at)


@blueprint.route("/patients/<key>/subscriptions", methods=["GET", "POST"])
def patient(key: str) -> Answer:
    """Show a patient's subscriptions; make one, which is shown this once, or end one."""
    if request.method == "POST" and "revoke" in request.form:
        actions.revoke_patients(
            key, number(request.form["revoke"]), by=context.who(), now=context.now()
        )
        return ended(url_for("feeds.patient", key=key))
    form = KeyForm()
    if not form.validate_on_submit():
        return _patients_page(key, form), 422 if request.method == "POST" else 200
    token = addresses.token(f"patient {key}", str(form.idempotency_key.data))
    actions.subscribe_patient(key, token, by=context.who(), now=context.now())
    return _patients_page(key, form, addresses.subscription(token))


@blueprint.route("/account/calendar", methods=["GET", "POST"])
def mine() -> Answer:
    """Show a provider's own subscriptions; make one, which is shown this once, or end one."""
    if request.method == "POST" and "revoke" in request.form:
        actions.revoke_own(number(request.form["revoke"]), by=context.who(), now=context.now())
        return ended(url_for("feeds.mine"))
    form = KeyForm()
    if not form.validate_on_submit():
        return _own_page(form), 422 if request.method == "POST" else 200
    token = addresses.token(f"user {context.who().user_id}", str(form.idempotency_key.data))
    actions.subscribe_provider(token, by=context.who(), now=context.now())
    return _own_page(form, addresses.subscription(token))


def ended(address: str) -> AnyResponse:
    """Say that a subscription has ended, on the page of the address."""
    flash(_("The subscription has ended. Calendars that use it become empty."), "success")
    return redirect(address)


def _noted(served: Served) -> Served:
    """Write down what is to be known of this fetch, and since when the bytes are these."""
    if not served.is_due:
        return served
    if served.file.left_out:
        actions.report(served.file.left_out, by=context.who(), now=context.now())
    fetch = Fetch(
        feed_id=served.feed_id,
        etag=served.file.etag,
        agent=request.headers.get("User-Agent", ""),
    )
    changed_at = actions.fetched(fetch, by=context.who(), now=context.now())
    return replace(served, changed_at=changed_at)


def _patients_page(key: str, form: KeyForm, made: Subscription | None = None) -> str:
    page = queries.of_patient(key, locale=context.locale(), now=context.now())
    sheet = ""
    if made is not None:
        with force_locale(page.language):
            sheet = Markup(render_template("feeds/sheet.html", page=page, made=made))  # noqa: S704  our own template
    return render_template("feeds/patient.html", page=page, form=form, made=made, sheet=sheet)


def _own_page(form: KeyForm, made: Subscription | None = None) -> str:
    provider_id = context.who().provider_id
    if provider_id is None:
        return render_template("feeds/no_provider.html")
    rows = queries.of_provider(provider_id, locale=context.locale(), now=context.now())
    return render_template("feeds/mine.html", feeds=rows, form=form, made=made)
