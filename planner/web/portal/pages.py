"""A patient's own page: a link is exchanged for a cookie, and from then on addresses are clean.

Looking changes nothing: whatever somebody does is a form that is sent, and most of it only tells us.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import feeds
from planner.actions import links as actions
from planner.errors import Invalid, KeyReused, NotFound, Stale, Unavailable
from planner.queries import calendars, own_page
from planner.queries.own_page import OwnPage
from planner.web import context
from planner.web.calendar import answers
from planner.web.portal import devices, entry, trouble
from planner.web.portal.blueprint import blueprint
from planner.web.portal.forms import AnswerForm, ConfirmForm, PreferencesForm

SAID: Mapping[str, Callable[[], str]] = {
    "confirm": lambda: _("Thank you: you are expected."),
    "answer": lambda: _("Thank you. Your answer is with us."),
    "another_time": lambda: _(
        "We have your wish, and will get in touch. Until then the visit stays."
    ),
    "cannot_come": lambda: _("We know now, and will get in touch about another day."),
    "flight": lambda: _("We have noted the flight, and will look whether a visit has to move."),
    "health": lambda: _("Your provider will read this."),
    "preferences": lambda: _("Saved."),
    "subscription_ended": lambda: _("It has ended. A calendar that used it becomes empty."),
}
"""What the page says after something was sent; the address names it, and nothing else."""


@blueprint.get("/p/<token>")
def enter(token: str) -> AnyResponse:
    """Exchange a link for a cookie and a clean address; one that has ended says so."""
    state, link_id = own_page.link_state(token, now=context.now())
    if state != "open":
        locale = own_page.language_of(link_id) if link_id else ""
        return make_response(trouble.closed(state, locale), 404)
    if request.method == "GET":
        # A patient at the airport gets the dates even while the disk takes no writes.
        with contextlib.suppress(Unavailable):
            actions.opened(link_id, what=actions.PAGE, by=entry.who(), now=context.now())
    response = make_response(redirect(url_for(".visits")))
    entry.open_with(link_id, response)
    return response


@blueprint.get("/c/<token>")
@blueprint.get("/c/<token>/calendar.ics")
def former(token: str) -> AnyResponse:
    """Lead from a link that once opened a calendar alone to where it is said that it has ended."""
    return redirect(url_for(".enter", token=token), 301)


@blueprint.get("/visits")
def visits() -> AnyResponse:
    """Show the visits to come and what can be said about them."""
    return shown(own_page_html)


@blueprint.get("/visits/care")
def care() -> AnyResponse:
    """Show what to bring and what to heed: on a page of its own, so that nobody reads it unasked."""
    return shown(lambda page: render_template("portal/care.html", page=page))


@blueprint.get("/visits/sheet")
def sheet() -> AnyResponse:
    """Show everything on one page for paper."""
    return shown(lambda page: render_template("portal/sheet.html", page=page))


@blueprint.get("/visits/visits.ics")
def all_file() -> AnyResponse:
    """Download all visits to come."""
    return _file("", answers.ALL)


@blueprint.get("/visits/<key>/visit.ics")
def visit_file(key: str) -> AnyResponse:
    """Download one visit."""
    return _file(key, answers.ONE)


@blueprint.post("/visits/close")
def close() -> AnyResponse:
    """Close the page on this device."""
    response = make_response(trouble.closed("none", _language()))
    entry.close(response)
    return response


def shown(draw: Callable[[OwnPage], str], code: int = 200) -> AnyResponse:
    """Answer with a page of whoever holds the link, in their language; without one say why not."""
    known = entry.holder()
    page = own_page.page(known.link_id, now=context.now()) if known else None
    if page is None:
        return nothing()
    with force_locale(page.locale):
        return make_response(draw(page), code)


def acted(do: Callable[[OwnPage, entry.Holder], AnyResponse]) -> AnyResponse:
    """Return what is done for whoever holds the link, in their language; say so when it cannot be."""
    known = entry.holder()
    page = own_page.page(known.link_id, now=context.now()) if known else None
    if known is None or page is None:
        return nothing()
    with force_locale(page.locale):
        try:
            return do(page, known)
        except (Stale, NotFound) as error:
            code = 404 if isinstance(error, NotFound) else 409
            return make_response(own_page_html(page, problem=problem_of(error)), code)
        except KeyReused:
            problem = (_("This form was sent before."), _("This is what we have of it."))
            return make_response(own_page_html(page, problem=problem), 422)
        except Invalid:
            problem = (_("Nothing was sent."), _("Please check what was typed."))
            return make_response(own_page_html(page, problem=problem), 422)


def nothing() -> AnyResponse:
    """Answer somebody whose link has ended, or who has come without one."""
    known = entry.holder()
    state = own_page.state_of(known.link_id, now=context.now()) if known else "none"
    return make_response(trouble.closed(state, _language()), 404)


def own_page_html(
    page: OwnPage,
    *,
    problem: tuple[str, str] | None = None,
    answer: tuple[str, AnswerForm] | None = None,
) -> str:
    """Return the page itself, with what could not be done above, and a form that lacks something."""
    kind = devices.device(request.headers.get("User-Agent", ""))
    return render_template(
        "portal/visits.html",
        page=page,
        said="" if problem else said(),
        problem=problem,
        answers={
            v.key: _answer_form(v.key, v.seen, answer)
            for v in page.visits
            if v.asks_health or (answer and answer[0] == v.key)
        },
        confirms={
            v.key: ConfirmForm(formdata=None, seen=v.seen) for v in page.visits if v.may_confirm
        },
        ways={visit.key: devices.ways(visit, kind) for visit in page.visits},
        maps={visit.key: devices.map_url(visit.address, kind) for visit in page.visits},
        form_token=entry.form_token(),
    )


def problem_of(error: Stale | NotFound) -> tuple[str, str]:
    """Return why nothing was done of what was sent about a visit."""
    if isinstance(error, Stale) and "starts_at" in error.changed:
        return (
            _("This visit was moved meanwhile."),
            _("Nothing was sent. Its new time is below."),
        )
    if isinstance(error, Stale) and "day" in error.changed:
        return (
            _("This can be answered on the day of the visit."),
            _("For anything before, choose “My health has changed”."),
        )
    return gone()


def gone() -> tuple[str, str]:
    """Return what is said of a visit that is no more."""
    return (
        _("This visit does not take place, or is over."),
        _("Nothing was sent. What stands is below."),
    )


def said() -> str:
    """Return what is said of what was just sent; empty for nothing."""
    say = SAID.get(request.args.get("done", ""))
    return say() if say else ""


def preferences_form(page: OwnPage) -> PreferencesForm:
    """Return the form with what holds now."""
    return PreferencesForm(
        formdata=None,
        words="plain" if page.is_plain else "neutral",
        reminders_by=page.reminders_by,
        invitations=page.wants_invitations,
    )


def _answer_form(key: str, seen: str, wrong: tuple[str, AnswerForm] | None) -> AnswerForm:
    if wrong and wrong[0] == key:
        return wrong[1]
    return AnswerForm(formdata=None, seen=seen)


def _file(key: str, name: str) -> AnyResponse:
    known = entry.holder()
    now = context.now()
    file = calendars.page_file(known.link_id, key, now=now) if known else None
    if known is None or file is None:
        return nothing()
    response = answers.answer(file, name)
    if answers.is_taken(response):
        # A patient at the airport gets the dates even while the disk takes no writes.
        with contextlib.suppress(Unavailable):
            actions.opened(known.link_id, what=actions.FILE, by=entry.who(), now=now)
            feeds.report(file.left_out, by=entry.who(), now=now)
    return response


def _language() -> str:
    known = entry.holder()
    return own_page.language_of(known.link_id) if known else ""
