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
from planner.web.settings.forms import MessageTextForm, TestNumberForm, TextMessageForm

Answer = str | Response | tuple[str, int]
TOKEN_LENGTH = 43  # of the link at the end


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
    view = queries.text("mail", kind, language, locale=context.locale())
    form = MessageTextForm(obj=view)
    if _is_saved(form, view):
        return redirect(url_for("settings.message_text", kind=kind, language=language))
    preview = letter_samples.preview(kind, language, form.text.data or "", now=context.now())
    html = render_template("settings/message_text.html", form=form, view=view, preview=preview)
    return html, _status(form)


@blueprint.post("/messages/texts/<kind>/<language>/test")
def message_test(kind: str, language: str) -> Answer:
    """Send oneself the message with made-up data."""
    actions.send_test(kind, language, by=context.who(), now=context.now())
    flash(_("A test is on its way to your own address, in the words that are stored."), "success")
    return redirect(url_for("settings.message_text", kind=kind, language=language))


@blueprint.route("/messages/text-messages/<kind>/<language>", methods=["GET", "POST"])
def message_sms(kind: str, language: str) -> Answer:
    """Edit the text message of one kind in one language; the preview says how long it is."""
    view = queries.text("sms", kind, language, locale=context.locale())
    form = TextMessageForm(obj=view)
    if _is_saved(form, view):
        return redirect(url_for("settings.message_sms", kind=kind, language=language))
    return _text_message(view, form, TestNumberForm(formdata=None), _status(form))


@blueprint.post("/messages/text-messages/<kind>/<language>/test")
def message_sms_test(kind: str, language: str) -> Answer:
    """Send the text message with made-up data to a number."""
    view = queries.text("sms", kind, language, locale=context.locale())
    number = TestNumberForm()
    if number.validate_on_submit() and answers.saved(number, 0, lambda: _test(number, view)):
        if current_app.config["PLANNER"].sms == "none":
            flash(_("The test waits: text messages are switched off."), "warning")
        else:
            flash(
                _("A test is on its way to that number, in the words that are stored."), "success"
            )
        return redirect(url_for("settings.message_sms", kind=kind, language=language))
    form = TextMessageForm(formdata=None, obj=view)
    return _text_message(view, form, number, answers.status(number))


def _is_saved(form: MessageTextForm | TextMessageForm, view: TextView) -> bool:
    """Whether the words were sent to be stored, and are."""
    if not form.validate_on_submit() or _is_preview():
        return False
    if not answers.saved(form, view.version, lambda: _write(form, view)):
        return False
    flash(_("Saved."), "success")
    return True


def _is_preview() -> bool:
    return request.form.get("do") == "preview"


def _status(form: MessageTextForm | TextMessageForm) -> int:
    return 200 if _is_preview() and not form.errors else answers.status(form)


def _text_message(
    view: TextView, form: TextMessageForm, number: TestNumberForm, code: int
) -> Answer:
    settings = current_app.config["PLANNER"]
    preview = letter_samples.preview_text(
        view.kind,
        view.language,
        form.text.data or "",
        link=f"{settings.address}/p/{'x' * TOKEN_LENGTH}",
        now=context.now(),
    )
    html = render_template(
        "settings/message_sms.html", form=form, number=number, view=view, preview=preview
    )
    return html, code


def _test(number: TestNumberForm, view: TextView) -> bool:
    actions.send_test(
        view.kind, view.language, number=number.number.data, by=context.who(), now=context.now()
    )
    return True


def _write(form: MessageTextForm | TextMessageForm, view: TextView) -> bool:
    clinic.save_message_text(
        view.channel,
        view.kind,
        view.language,
        form.text.data or "",
        version=form.version.data,
        by=context.who(),
        now=context.now(),
    )
    return True
