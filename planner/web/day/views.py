"""The first page of everybody's day. GET only: what is done to a visit is done on its own page."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from planner.queries import day as queries
from planner.queries.day_view import DayPage
from planner.web import context, sessions

blueprint = Blueprint("day", __name__)

YEARS = range(2000, 2101)
VIEWS = ("provider", "room")


@blueprint.get("/")
def home() -> AnyResponse:
    """Go to where the day is worked: a provider's own, everybody else's usual site's."""
    account = context.account()
    if account and account.role == "provider" and account.provider_id:
        return redirect(url_for("day.mine"))
    return redirect(url_for("day.show"))


@blueprint.get("/day")
def show() -> Response | str:
    """Return the day of a site, or of all sites, by provider or by room."""
    tag = _tag()
    if tag in request.if_none_match:
        return _unchanged(tag)
    on, message = _date(request.args.get("date", ""))
    account = context.account()
    wanted = request.args.get("site", "")
    by = request.args.get("by", "")
    page = queries.page(
        on,
        int(wanted) if _is_number(wanted) else (account.site_id if account else None),
        is_all=wanted == "all",
        by=by if by in VIEWS else "provider",
        locale=context.locale(),
        now=_minute(),
    )
    if wanted not in ("", "all", *(str(site.id) for site in page.sites)):
        message = message or _("There is no such site. This is %(name)s.", name=_chosen(page))
    html = render_template(
        "day/show.html", page=page, site=wanted if wanted == "all" else "", message=message
    )
    return _tagged(html, tag)


def _chosen(page: DayPage) -> str:
    return ", ".join(site.name for site in page.sites if site.is_chosen)


@blueprint.get("/my-day")
def mine() -> Response | str:
    """Return the day of the provider who is signed in."""
    tag = _tag()
    if tag in request.if_none_match:
        return _unchanged(tag)
    on, message = _date(request.args.get("date", ""))
    provider_id = context.who().provider_id
    if provider_id is None:
        return render_template("day/no_provider.html")
    page = queries.mine(on, provider_id, locale=context.locale(), now=_minute())
    return _tagged(render_template("day/mine.html", page=page, message=message), tag)


def _date(text: str) -> tuple[date | None, str]:
    """Return the day asked for; for what is none, today and a sentence that says so."""
    if not text:
        return None, ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        return None, _("There is no such date. This is today; write a date as 2027-03-31.")
    return day, ""


def _tag() -> str:
    """Return what the page depends on, in one word; another while a message waits to be shown.

    The minute stands for the line of now, for those who wait or are late and for holds that run
    out; the session for the form keys. All was read with the session: asking costs nothing more.
    """
    session = sessions.current()
    if "csrf_token" not in session:
        generate_csrf()  # made now, or the first page would differ from all after it
    facts = (
        session.schedule,
        session.edition,
        session.waiting,
        session.account,
        context.locale(),
        request.full_path,
        request.cookies.get("theme", ""),
        session.get("csrf_token", ""),
        ("message", context.now()) if "_flashes" in session else _minute(),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _minute() -> datetime:
    """Return the minute it is: what a day shows is that of its first second, or its tag would lie."""
    return context.now().replace(second=0, microsecond=0)


def _tagged(html: str, tag: str) -> Response:
    answer = make_response(html)
    answer.set_etag(tag)
    return answer


def _unchanged(tag: str) -> Response:
    answer = make_response("", 304)
    answer.set_etag(tag)
    return answer


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
