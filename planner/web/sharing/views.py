"""The patient's link with its QR code, texts for the desk's own messenger, and the plan on one page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import links as actions
from planner.actions import patients
from planner.queries import own_page
from planner.queries import sharing as queries
from planner.web import context, security
from planner.web.forms import number
from planner.web.sharing import links
from planner.web.sharing.forms import LinkForm

blueprint = Blueprint("sharing", __name__)

Answer = str | AnyResponse | tuple[str, int]


@blueprint.route("/patients/<key>/share", methods=["GET", "POST"])
def share(key: str) -> Answer:
    """Show what was sent and opened; make a link, which is shown this once, or end one."""
    form = LinkForm()
    if request.method == "POST" and "revoke" in request.form:
        return _revoke(key)
    if not form.validate_on_submit():
        return _page(key, form), 422 if request.method == "POST" else 200
    token = links.token(key, str(form.idempotency_key.data))
    actions.create(
        key,
        token,
        replaces_others=bool(form.replaces_others.data),
        by=context.who(),
        now=context.now(),
    )
    return _page(key, form, links.link(token))


@blueprint.get("/patients/<key>/sheet")
def sheet(key: str) -> Answer:
    """Print everything on one page, in the patient's language; the next one says that it replaces it."""
    page = own_page.for_desk(key, now=context.now())
    patients.note_sheet(page.patient_key, by=context.who(), now=context.now())
    with force_locale(page.locale):
        content = Markup(render_template("portal/_sheet.html", page=page))  # noqa: S704  our own template
        title = _("Your visits")
    return render_template(
        "sharing/sheet.html", page=page, content=content, title=title, back=security.way_back("")
    )


def _page(key: str, form: LinkForm, made: links.Link | None = None) -> str:
    page = queries.page(
        key,
        visit_key=request.values.get("visit", ""),
        link=made.url if made else "",
        locale=context.locale(),
        now=context.now(),
    )
    handout, back = "", security.way_back("")
    if made is not None:
        with force_locale(page.language):
            handout = Markup(render_template("sharing/handout.html", page=page, made=made))  # noqa: S704  our own template
    return render_template(
        "sharing/share.html",
        page=page,
        form=form,
        made=made,
        handout=handout,
        back=back,
        here=url_for("sharing.share", key=key, back=back or None),
    )


def _revoke(key: str) -> AnyResponse:
    link_id = number(request.form["revoke"])
    actions.revoke(key, link_id, by=context.who(), now=context.now())
    flash(_("The link has ended. Whoever opens it sees nothing any more."), "success")
    return redirect(url_for("sharing.share", key=key))
