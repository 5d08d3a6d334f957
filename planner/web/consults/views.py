"""Recording a consult."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from planner import wording
from planner.actions import consults as actions
from planner.errors import Invalid, Refused, Stale
from planner.queries import consults as queries
from planner.queries.consults import ConsultPage
from planner.scheduling import candidacy
from planner.web import context, undo
from planner.web.consults import form_values
from planner.web.consults.forms import ConsultForm

blueprint = Blueprint("consults", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.route("/appointments/<key>/consult", methods=["GET", "POST"])
def record(key: str) -> Answer:
    """Record a consult, or read it. A preview shows what follows, and stores nothing."""
    page = queries.page(key, locale=context.locale(), now=context.now(), by=context.who())
    if page.hindrance:
        code = 403 if request.method == "POST" else 200
        return render_template("consults/read.html", page=page), code
    form = _form(page)
    if request.method == "GET":
        return _shown(page, form)
    if request.form.get("do") != "record":
        form_values.suggest(form, page)
        form_values.draw(form, page)
        return _shown(page, form)
    return _recorded(page, form)


def _form(page: ConsultPage) -> ConsultForm:
    form = ConsultForm(
        packs=page.packs, protocols=page.protocols, **form_values.stored_values(page)
    )
    if request.method == "GET" and page.stored and page.stored.order:
        form_values.fill(form, page.stored.order.sessions)
        form_values.mark_drawn(form, page)
    return form


def _recorded(page: ConsultPage, form: ConsultForm) -> Answer:
    is_order = form.outcome.data == "candidate"
    if is_order and form_values.draw(form, page):
        form.validate()
        message = _("The sessions below follow what has changed. Please look at them, then save.")
        form.form_errors.append(message)
        return _shown(page, form, 422)
    return _done(page, form) if form.validate() else _shown(page, form, 422)


def _done(page: ConsultPage, form: ConsultForm) -> Answer:
    protocol = form_values.protocol_of(form, page)
    is_order = form.outcome.data == "candidate"
    try:
        done = actions.record(
            page.key,
            form_values.answers(form),
            form_values.finding(form),
            form_values.order(form, protocol, request.form) if is_order and protocol else None,
            version=form.version.data or 0,
            by=context.who(),
            now=context.now(),
            idempotency=context.idempotency(request.form),
        )
    except Invalid as error:
        _put(form, error)
        return _shown(page, form, 422)
    except Refused as refusal:
        return _shown(page, form, 409, _said(refusal))
    except Stale:
        form.version.data = page.version
        form.form_errors.append(
            _("The appointment has changed meanwhile. Please look at it, then save again.")
        )
        return _shown(page, form, 409)
    _tell(done)
    if done.course_key:
        return redirect(url_for("courses.show", key=done.course_key))
    return redirect(url_for("patients.show", key=done.patient_key))


def _shown(
    page: ConsultPage, form: ConsultForm, code: int = 200, refused: tuple[str, ...] = ()
) -> Answer:
    html = render_template(
        "consults/record.html", page=page, form=form, refused=refused, **_outlook(page, form)
    )
    return html, code


def _outlook(page: ConsultPage, form: ConsultForm) -> dict[str, Any]:
    """Return what follows from the form as it stands."""
    locale = context.locale()
    given, zones = form_values.answers(form), form_values.chosen_zones(form)
    protocol = form_values.protocol_of(form, page)
    first = queries.earliest(page, given)
    count, minutes = form_values.sizes(form)
    eligible = queries.eligible_from(page, given)
    service_id = protocol.service_id if protocol else _service_of(page)
    typed = _typed_decisions(page)
    return {
        "outlooks": queries.outlooks(
            page,
            chosen_id=protocol.id if protocol else None,
            count=count,
            zones=zones,
            ordered=form_values.ordered(form, protocol) if protocol else (),
            first=first,
            locale=locale,
        ),
        "first_label": wording.format_date(first, locale),
        "eligible_label": wording.format_date(eligible, locale) if eligible else "",
        "adult_label": wording.format_date(page.adult_from, locale) if page.adult_from else "",
        "questions": queries.questions(page, given, zones, service_id, locale=locale),
        "decided": typed,
        "hint": candidacy.SUGGESTIONS.get(form.area_size.data or ""),
        "remarks": {name: _remark(found) for name, found in form_values.remarks(form)},
        "zone_names": {zone: wording.zone(zone, locale) for zone in zones},
        "count": count,
        "minutes": minutes,
    }


def _typed_decisions(page: ConsultPage) -> Mapping[str, str]:
    if request.method == "POST":
        return form_values.decisions(request.form)
    return page.stored.order.decisions if page.stored and page.stored.order else {}


def _service_of(page: ConsultPage) -> int:
    return page.protocols[0].service_id if page.protocols else 0


def _remark(found: candidacy.Remark) -> tuple[str, str]:
    words = {
        candidacy.Remark.EITHER: ("info", _("1.0 mm counts as either: spider or reticular.")),
        candidacy.Remark.TOO_WIDE: ("warn", _("Over 3 mm: provider assessment.")),
        candidacy.Remark.RATHER_RETICULAR: (
            "info",
            _("Spider veins are under 1 mm; this would be reticular."),
        ),
        candidacy.Remark.RATHER_SPIDER: (
            "info",
            _("Reticular veins are 1 to 3 mm; this would be a spider vein."),
        ),
    }
    return words[found]


def _put(form: ConsultForm, error: Invalid) -> None:
    words = {
        "required": _("Please fill this in."),
        "choice": _("Please choose from the list."),
        "too_long": _("This is too long."),
        "pregnant": _("Not while pregnant: please choose another outcome."),
        "in_the_past": _("This day is not to come any more."),
        "in_the_future": _("This day is still to come."),
        "not_yet": _("This consult is still to come."),
        "followed": _("Sessions of this order are booked already: change it on the course."),
        "sessions": _("A course has 1 to 12 sessions."),
    }
    for name, code in error.fields.items():
        sentence = words.get(code, _("This cannot be."))
        field = {"veins": "is_spider"}.get(name, name)
        if field in form:
            form[field].errors = [*form[field].errors, sentence]
        else:
            form.form_errors.append(sentence)


def _said(refusal: Refused) -> tuple[str, ...]:
    return tuple(
        wording.conflict(conflict, locale=context.locale(), clinical=True)
        for conflict in refusal.conflicts
    )


def _tell(done: actions.Recorded) -> None:
    undo.offer(_("The consult is recorded."), done.change_key)
    if done.released:
        flash(
            ngettext(
                "One reserved session was released.",
                "%(num)s reserved sessions were released.",
                done.released,
            ),
            "info",
        )
