"""The page of one appointment, and what is done there: confirming, starting, completing, ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from planner.actions import access, notices
from planner.actions.appointments import booking, lifecycle
from planner.actions.appointments.lifecycle import CheckIn, Treated
from planner.errors import Denied, Invalid, KeyReused, PlannerError, Refused, Stale
from planner.queries import appointments as queries
from planner.queries.appointment_view import AppointmentPage
from planner.scheduling import hours, zones
from planner.scheduling.hours import NoSuchTime
from planner.web import context, undo
from planner.web.appointments import asked as asking
from planner.web.appointments.blueprint import blueprint
from planner.web.appointments.views import Answer, Refusal

LONGEST_NOTE = 1000
LONGEST_REASON = 300
STOCKINGS = {"yes": True, "no": False}


@blueprint.get("/appointments/<key>")
def show(key: str) -> Answer:
    """Return everything about an appointment, with what can be done next."""
    return _page(key)


@blueprint.post("/appointments/<key>/<verb>")
def act(key: str, verb: str) -> Answer:
    """Do one thing to an appointment; every one of them can be undone for two minutes."""
    if verb not in ACTS:
        abort(404)
    do, said = ACTS[verb]
    try:
        change_key = do(key, request.form)
    except (Refused, Stale, Invalid, KeyReused) as error:
        return _refused(key, verb, error)
    except Denied:
        access.denied(f"appointments.act/{verb}", by=context.who(), now=context.now())
        refusal = Refusal(title=_("A provider does this."), text=_("Nothing of yours was saved."))
        return _page(key, refusal, verb=verb, code=403)
    undo.offer(said(), change_key)
    return _next(key)


def _confirm(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.confirm(
        key, version=context.version(values), by=context.who(), now=context.now()
    )


def _check_in(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.check_in(
        key, _seen(values), version=context.version(values), by=context.who(), now=context.now()
    )


def _health(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.answer_health(
        key, _seen(values), version=context.version(values), by=context.who(), now=context.now()
    )


def _review(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.review_health(
        key, version=context.version(values), by=context.who(), now=context.now()
    )


def _start(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.start(
        key,
        version=context.version(values),
        decided=asking.decided(values),
        by=context.who(),
        now=context.now(),
    )


def _complete(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.complete(
        key,
        _treated(key, values),
        version=context.version(values),
        by=context.who(),
        now=context.now(),
    )


def _cancel(key: str, values: MultiDict[str, str]) -> str:
    reason = _text(values, "reason", LONGEST_REASON)
    ended_by = values.get("ended_by", "")
    wrong = {} if ended_by in lifecycle.ENDED_BY else {"ended_by": "choice"}
    if wrong or not reason:
        raise Invalid(wrong if reason else {**wrong, "reason": "required"})
    return lifecycle.cancel(
        key,
        ended_by=ended_by,
        reason=reason,
        version=context.version(values),
        by=context.who(),
        now=context.now(),
    )


def _no_show(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.miss(key, version=context.version(values), by=context.who(), now=context.now())


def _release(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.release(
        key,
        reason=_text(values, "reason", LONGEST_REASON),
        version=context.version(values),
        by=context.who(),
        now=context.now(),
    )


def _book(key: str, values: MultiDict[str, str]) -> str:
    done = booking.settle(
        key,
        asking.terms(values),
        version=context.version(values),
        by=context.who(),
        now=context.now(),
        idempotency=context.idempotency(values),
    )
    return done.change_key


def _note(key: str, values: MultiDict[str, str]) -> str:
    return lifecycle.annotate(
        key,
        _text(values, "note", LONGEST_NOTE),
        version=context.version(values),
        by=context.who(),
        now=context.now(),
    )


ACTS: Mapping[str, tuple[Callable[[str, MultiDict[str, str]], str], Callable[[], str]]] = {
    "confirm": (_confirm, lambda: _("Confirmed.")),
    "check-in": (_check_in, lambda: _("Checked in.")),
    "health": (_health, lambda: _("Saved.")),
    "review": (_review, lambda: _("Reviewed.")),
    "start": (_start, lambda: _("Started.")),
    "complete": (_complete, lambda: _("Completed.")),
    "cancel": (_cancel, lambda: _("Cancelled.")),
    "no-show": (_no_show, lambda: _("Marked as not come.")),
    "release": (_release, lambda: _("Released.")),
    "book": (_book, lambda: _("Booked.")),
    "note": (_note, lambda: _("Saved.")),
}


def _page(
    key: str, refusal: Refusal | None = None, errors: Mapping[str, str] | None = None, *,
    verb: str = "", code: int = 200,
) -> Answer:  # fmt: skip
    page = _shown(key)
    read = tuple(note.id for note in page.health_notes.lines)
    notices.note_read(read, by=context.who(), now=context.now())
    html = render_template(
        "appointments/show.html",
        page=page,
        refusal=refusal,
        errors=errors or {},
        typed=request.form,
        verb=verb,
        own_provider=asking.own_decision(page.deciders),
        idempotency_key=context.new_idempotency_key(),
    )
    return html, code


def _shown(key: str) -> AppointmentPage:
    return queries.show(key, locale=context.locale(), now=context.now(), by=context.who())


def _refused(key: str, verb: str, error: PlannerError) -> Answer:
    """Render the same page with every reason, and what was typed kept in its form."""
    if isinstance(error, Stale):
        refusal = Refusal(
            title=_("Somebody changed this appointment meanwhile."),
            text=_("This is how it stands now. Nothing of yours was saved."),
            changes=queries.changes_in_words(error.changed, locale=context.locale()),
        )
        return _page(key, refusal, verb=verb, code=409)
    if isinstance(error, Refused):
        sentences = queries.sentences(error.conflicts, locale=context.locale())
        is_warning = all(sentence.severity == "warn" for sentence in sentences)
        title = _("Please look at this, then press the button again.")
        refusal = Refusal(
            title=title if is_warning else _("This cannot go on yet."),
            sentences=sentences,
            is_warning=is_warning,
        )
        return _page(key, refusal, verb=verb, code=409)
    fields = error.fields if isinstance(error, Invalid) else {}
    refusal = Refusal(title=_("Please check the form."))
    return _page(key, refusal, asking.messages(fields), verb=verb, code=422)


def _seen(values: MultiDict[str, str]) -> CheckIn:
    state = values.get("health_state", "")
    # The desk does not type what a patient wrote: whoever types it has read it.
    is_provider = context.who().provider_id is not None
    answer = _text(values, "health_answer", LONGEST_NOTE) if is_provider else ""
    return CheckIn(
        # Whatever a patient writes is for a provider to read, so that no desk has to judge it.
        health_state="review" if answer else state,
        health_answer=answer,
        has_stockings=STOCKINGS.get(values.get("stockings", "")),
    )


def _treated(key: str, values: MultiDict[str, str]) -> Treated:
    page = _shown(key)
    errors: dict[str, str] = {}
    starts = asking.clock(values, "starts", errors)
    ends = asking.clock(values, "ends", errors)
    for name, at in (("starts", starts), ("ends", ends)):
        if at is None:
            errors.setdefault(name, "required")
    injections = asking.amount(values, "injections", errors, is_whole=True)
    volume = asking.amount(values, "volume_ml", errors)
    if errors or starts is None or ends is None:
        raise Invalid(errors)
    return Treated(
        starts_at=_instant(page, starts, "starts"),
        ends_at=_instant(page, ends, "ends"),
        zones=tuple(code for code in values.getlist("zones") if zones.is_known(code)),
        note=_text(values, "note", LONGEST_NOTE),
        injections=None if injections is None else int(injections),
        volume_ml=volume,
        acknowledged=frozenset(values.get("acknowledged", "").split()[: asking.MOST_CODES]),
    )


def _instant(page: AppointmentPage, at: time, name: str) -> datetime:
    try:
        return hours.instant(date.fromisoformat(page.day), at, page.zone)
    except NoSuchTime:
        raise Invalid({name: "no_such_time"}) from None


def _text(values: MultiDict[str, str], name: str, longest: int) -> str:
    text = values.get(name, "").replace("\x00", "").strip()
    if len(text) > longest:
        raise Invalid({name: "too_long"})
    return text


def _next(key: str) -> Response:
    return redirect(url_for("appointments.show", key=key))
