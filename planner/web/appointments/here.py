"""Somebody is here without an appointment: patient, service, room, start."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from planner.actions.appointments import booking
from planner.errors import Invalid, KeyReused, Refused
from planner.queries import here, slots
from planner.queries.course_view import Pick
from planner.queries.slot_view import Asked
from planner.scheduling.timetable import Status
from planner.web import context, undo
from planner.web.appointments import asked as asking
from planner.web.appointments.blueprint import blueprint
from planner.web.appointments.views import Answer, Refusal, code_of, wanting

LONGEST_SEARCH = 100


@blueprint.route("/here-now", methods=["GET", "POST"])
def here_now() -> Answer:
    """See a walk-in: find the patient, choose the service and a free room, start."""
    key = request.values.get("patient", "")
    if not key:
        page = here.find(
            request.args.get("q", "")[:LONGEST_SEARCH],
            locale=context.locale(),
            now=context.now(),
            by=context.who(),
        )
        return render_template("appointments/here_who.html", page=page)
    if request.method == "GET":
        return _page(key, request.args)
    return _start(key, request.form)


def _start(key: str, values: MultiDict[str, str]) -> Answer:
    wanted, service_id = _pick(values), asking.number(values.get("service", ""))
    minutes = asking.number(values.get("minutes", ""))
    if wanted is None or service_id is None or minutes is None:
        refusal = Refusal(title=_("Choose a room and a provider."))
        return _page(key, values, refusal, code=422)
    try:
        done = booking.see_now(
            slots.patient_id(key),
            asking.place(wanted, service_id=service_id, minutes=minutes),
            asking.terms(values, purpose="here_now"),
            by=context.who(),
            now=context.now(),
            idempotency=context.idempotency(values),
        )
    except (Refused, Invalid) as error:
        refusal = Refusal(title=_("Not started."), text=_("The reasons stand above the button."))
        return _page(key, values, refusal, code=code_of(error, values))
    except KeyReused:
        refusal = Refusal(title=_("This form was sent before."))
        return _page(key, values, refusal, code=422)
    is_started = done.status is Status.STARTED
    text = (
        _("Started.") if is_started else _("Checked in. Some things are missing before the start.")
    )
    undo.offer(text, done.change_key)
    return redirect(url_for("appointments.show", key=done.key))


def _page(
    key: str, values: MultiDict[str, str], refusal: Refusal | None = None, *, code: int = 200
) -> Answer:
    account = context.account()
    asked = Asked(
        service_id=asking.number(values.get("service", "")),
        site_id=asking.number(values.get("site", "")),
        minutes=asking.number(values.get("minutes", "")) if refusal else None,
        pick=_pick(values),
    )
    page = here.page(
        key,
        asked,
        usual_site=account.site_id if account else None,
        locale=context.locale(),
        now=context.now(),
        by=context.who(),
    )
    html = render_template(
        "appointments/here_what.html",
        page=page,
        refusal=refusal,
        errors=wanting(page.chosen, page.deciders, values, refusal),
        typed=values,
        own_provider=asking.own_decision(page.deciders),
        idempotency_key=context.new_idempotency_key(),
    )
    return html, code


def _pick(values: MultiDict[str, str]) -> Pick | None:
    site_id, room_id, provider_id = (
        asking.number(values.get(name, "")) for name in ("site", "room", "provider")
    )
    if site_id is None or room_id is None or provider_id is None:
        return None
    return Pick(
        site_id=site_id,
        room_id=room_id,
        provider_id=provider_id,
        starts_at=here.start_of(context.now()),
    )
