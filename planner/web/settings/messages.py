"""The queue of messages, and the words of each kind."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions import messages as actions
from planner.actions.catalogue import clinic
from planner.errors import Invalid, NotFound, Stale
from planner.queries import letter_samples
from planner.queries import messages as queries
from planner.queries.messages import TextView
from planner.web import context
from planner.web.settings import answers
from planner.web.settings.blueprint import blueprint
from planner.web.settings.forms import MessageTextForm

Answer = str | Response | tuple[str, int]


@blueprint.get("/messages")
def messages() -> Answer:
    """Show what waits, what was sent, and what failed and why."""
    settings = current_app.config["PLANNER"]
    page = queries.queue(request.args.get("status", ""), locale=context.locale(), now=context.now())
    return render_template(
        "settings/messages.html", page=page, mail=settings.mail, texts=settings.sms
    )


@blueprint.post("/messages/<key>/<verb>")
def message_act(key: str, verb: str) -> Answer:
    """Try a message again, or withdraw it."""
    acts = {"retry": actions.retry, "drop": actions.drop}
    if verb not in acts:
        raise NotFound("verb")
    try:
        acts[verb](key, by=context.who(), now=context.now())
        done = {"retry": _("It is tried again."), "drop": _("Withdrawn.")}
        flash(done[verb], "success")
    except Invalid as error:
        flash(answers.sentence(next(iter(error.fields.values()))), "warning")
    except Stale:
        flash(_("It has been sent, or is being sent, meanwhile."), "warning")
    return redirect(url_for("settings.messages", status=request.form.get("status") or None))


@blueprint.get("/messages/texts")
def message_texts() -> Answer:
    """Show every kind of message, in each language."""
    return render_template(
        "settings/message_texts.html", texts=queries.texts(locale=context.locale())
    )


@blueprint.route("/messages/texts/<kind>/<language>", methods=["GET", "POST"])
def message_text(kind: str, language: str) -> Answer:
    """Edit the words of one kind in one language; the preview shows what is typed."""
    view = queries.text(kind, language, locale=context.locale())
    form = MessageTextForm(obj=view)
    is_saving = request.form.get("do") != "preview"
    if (
        form.validate_on_submit()
        and is_saving
        and answers.saved(form, view.version, lambda: _write(form, view))
    ):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.message_text", kind=kind, language=language))
    preview = letter_samples.preview(kind, language, form.text.data or "", now=context.now())
    status = answers.status(form) if is_saving or form.errors else 200
    html = render_template("settings/message_text.html", form=form, view=view, preview=preview)
    return html, status


@blueprint.post("/messages/texts/<kind>/<language>/test")
def message_test(kind: str, language: str) -> Answer:
    """Send oneself the message with made-up data."""
    actions.send_test(kind, language, by=context.who(), now=context.now())
    flash(_("A test is on its way to your own address, in the words that are stored."), "success")
    return redirect(url_for("settings.message_text", kind=kind, language=language))


def _write(form: MessageTextForm, view: TextView) -> bool:
    clinic.save_message_text(
        view.kind,
        view.language,
        form.text.data or "",
        version=form.version.data,
        by=context.who(),
        now=context.now(),
    )
    return True
