"""Choosing a start and booking it; moving an appointment; another room or provider for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from planner.actions.appointments import booking, moving
from planner.errors import Invalid, KeyReused, PlannerError, Refused, Stale
from planner.queries import appointments as queries
from planner.queries import slots
from planner.queries.course_view import Choice, Sentence
from planner.queries.slot_view import Chosen, Picker, Swap
from planner.scheduling.timetable import Status
from planner.web import context, undo
from planner.web.appointments import asked as asking
from planner.web.appointments.blueprint import blueprint

STATUSES = {"book": Status.BOOKED, "hold": Status.HELD, "reserve": Status.RESERVED}
SEARCH = ("service", "site", "provider", "minutes", "part", "from", "days", "on", "at")
"""What a picker's address carries from one page to the next."""

Answer = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a POST was not done, above the page it was sent from."""

    title: str
    text: str = ""
    sentences: tuple[Sentence, ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()
    is_warning: bool = False  # the same button, pressed again, goes on


@blueprint.route("/patients/<key>/book", methods=["GET", "POST"])
def new(key: str) -> Answer:
    """Choose a start for a consult or any single service, then book, hold or reserve it."""
    if request.method == "GET":
        return _picker(key, request.args)
    values = request.form
    wanted = asking.pick(values.get("pick", ""))
    status = STATUSES.get(values.get("do", ""))
    service_id, minutes = (asking.number(values.get(name, "")) for name in ("service", "minutes"))
    if wanted is None or service_id is None or minutes is None:
        return _picker(key, values, Refusal(title=_("Choose a start first.")), code=422)
    if status is None:
        return _picker(key, values, Refusal(title=_("Choose what to do.")), code=422)
    try:
        done = booking.book(
            slots.patient_id(key),
            asking.place(wanted, service_id=service_id, minutes=minutes),
            asking.terms(values, status),
            by=context.who(),
            now=context.now(),
            idempotency=context.idempotency(values),
        )
    except (Refused, Invalid, KeyReused) as error:
        return _picker(
            key, values, _refusal(error, _("Nothing was booked.")), code=code_of(error, values)
        )
    undo.offer(_done(done.status), done.change_key)
    return redirect(url_for("appointments.show", key=done.key))


@blueprint.route("/appointments/<key>/move", methods=["GET", "POST"])
def move(key: str) -> Answer:
    """Choose another start; the page shows first what it does to the other sessions."""
    if request.method == "GET":
        return _picker(key, request.args, is_move=True)
    values = request.form
    wanted = asking.pick(values.get("pick", ""))
    service_id, minutes = (asking.number(values.get(name, "")) for name in ("service", "minutes"))
    if wanted is None or service_id is None or minutes is None:
        refusal = Refusal(title=_("Choose a start first."))
        return _picker(key, values, refusal, is_move=True, code=422)
    place = asking.place(
        wanted, service_id=service_id, minutes=minutes, version=context.version(values)
    )
    try:
        done = moving.move(
            key,
            place,
            asking.terms(values),
            by=context.who(),
            now=context.now(),
            idempotency=context.idempotency(values),
        )
    except (Refused, Stale, Invalid, KeyReused) as error:
        return _picker(
            key,
            values,
            _refusal(error, _("Nothing was moved.")),
            is_move=True,
            code=code_of(error, values),
        )
    undo.offer(_("Moved."), done.change_key)
    return redirect(url_for("appointments.show", key=done.key))


@blueprint.route("/appointments/<key>/swap", methods=["GET", "POST"])
def swap(key: str) -> Answer:
    """Give the appointment another room or provider: one click, and one to confirm."""
    values = request.args if request.method == "GET" else request.form
    wanted = asking.pick(values.get("pick", ""))
    if request.method == "GET" or wanted is None:
        return _swap(key, values)
    service_id, minutes = (asking.number(values.get(name, "")) for name in ("service", "minutes"))
    place = asking.place(
        wanted,
        service_id=service_id or 0,
        minutes=minutes or 0,
        version=context.version(values),
    )
    purpose = {"held": "hold", "reserved": "reserve"}.get(values.get("status", ""), "here_now")
    try:
        done = moving.move(
            key,
            place,
            asking.terms(values, purpose=purpose),
            tells_provider=values.get("tell") == "yes",
            by=context.who(),
            now=context.now(),
            idempotency=context.idempotency(values),
        )
    except (Refused, Stale, Invalid, KeyReused) as error:
        return _swap(
            key, values, _refusal(error, _("Nothing was changed.")), code=code_of(error, values)
        )
    undo.offer(_("Swapped."), done.change_key)
    return redirect(url_for("appointments.show", key=done.key))


def _picker(
    key: str,
    values: MultiDict[str, str],
    refusal: Refusal | None = None,
    *,
    is_move: bool = False,
    code: int = 200,
) -> Answer:
    asked, wrong = asking.read(values)
    find = slots.for_move if is_move else slots.for_patient
    page = find(key, asked, locale=context.locale(), now=context.now())
    html = render_template(
        "appointments/move.html" if is_move else "appointments/new.html",
        page=page,
        key=key,
        refusal=_named(refusal, page),
        errors=asking.messages({**page.errors, **wrong})
        | wanting(page.chosen, page.deciders, values, refusal),
        typed=values,
        search={name: values.get(name, "") for name in SEARCH if values.get(name)},
        own_provider=asking.own_decision(page.deciders),
        idempotency_key=context.new_idempotency_key(),
    )
    return html, code


def _swap(
    key: str, values: MultiDict[str, str], refusal: Refusal | None = None, *, code: int = 200
) -> Answer:
    wanted = asking.pick(values.get("pick", ""))
    page: Swap = queries.swap(key, wanted, locale=context.locale(), now=context.now())
    html = render_template(
        "appointments/swap.html",
        page=page,
        refusal=refusal,
        errors=wanting(page.chosen, page.deciders, values, refusal),
        typed=values,
        own_provider=asking.own_decision(page.deciders),
        idempotency_key=context.new_idempotency_key(),
    )
    return html, code


def wanting(
    chosen: Chosen | None,
    deciders: Collection[Choice],
    values: Mapping[str, str],
    refusal: Refusal | None,
) -> dict[str, str]:
    """Return what the decision sub-form lacks, once it has been sent."""
    if refusal is None or chosen is None:
        return {}
    return asking.wanting(chosen.decisions, deciders, values)


def code_of(error: PlannerError, values: Mapping[str, str]) -> int:
    """Return the status of a refusal: 422 when the form lacks something, else 409."""
    if isinstance(error, Stale):
        return 409
    if isinstance(error, Refused):
        lacks = values.get("decide") and not values.get("decision_reason", "").strip()
        return 422 if lacks else 409
    return 422


def _refusal(error: PlannerError, title: str) -> Refusal:
    if isinstance(error, Stale):
        return Refusal(
            title=_("Somebody changed this appointment meanwhile."),
            text=_("This is how it stands now. Nothing of yours was saved."),
            changes=queries.changes_in_words(error.changed, locale=context.locale()),
        )
    if isinstance(error, KeyReused):
        return Refusal(
            title=_("This form was sent before."),
            text=_("Look at what was booked then before you send it again."),
        )
    if isinstance(error, Refused):
        return Refusal(
            title=title,
            sentences=queries.sentences(error.conflicts, locale=context.locale()),
        )
    return Refusal(title=title, text=_("Please check what was typed."))


def _named(refusal: Refusal | None, page: Picker) -> Refusal | None:
    """Leave to the chosen start what it says itself; without one the refusal has to."""
    if refusal is None or page.chosen is None or not refusal.sentences:
        return refusal
    text = _("The nearest free starts are below.") if page.nearest else ""
    return Refusal(title=refusal.title, text=text, changes=refusal.changes)


def _done(status: Status) -> str:
    said = {
        Status.BOOKED: _("Booked."),
        Status.HELD: _("Held until the site closes."),
        Status.RESERVED: _("Reserved."),
    }
    return str(said.get(status, ""))
