"""Finding, registering, editing and merging patients, and the page of one."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner import wording
from planner.actions import merging
from planner.actions import patients as actions
from planner.errors import Invalid, Refused, Stale
from planner.queries import names, patient_page, sharing
from planner.queries import patients as queries
from planner.web import context, security, undo
from planner.web.patients import answers
from planner.web.patients.forms import ConsentForm, DateForm, EditForm, PatientForm, StayForm

blueprint = Blueprint("patients", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.get("/patients")
def index() -> Answer:
    """Find a patient, or go on with those opened lately; a search that means one leads there."""
    page = _found()
    if request.args.get("go") and page.query and len(page.lines) == 1:
        return redirect(url_for(".show", key=page.lines[0].key))
    return render_template("patients/index.html", page=page)


@blueprint.get("/patients/search")
def search() -> Answer:
    """Return the list alone, for a search while typing; a whole page for everybody else."""
    if request.headers.get("HX-Request") != "true":
        return redirect(url_for("patients.index", q=request.args.get("q", "")))
    page = _found()
    answer = make_response(render_template("patients/_results.html", page=page))
    answer.headers["HX-Replace-Url"] = url_for("patients.index", q=page.query or None)
    return answer


@blueprint.route("/patients/new", methods=["GET", "POST"])
def new() -> Answer:
    """Register a patient, and usually go on to book the consult."""
    form = PatientForm()
    if request.method == "GET":
        form.begin_with(request.args.get("q", "")[:100])
    similar: tuple[queries.Line, ...] = ()
    code = 200
    if form.validate_on_submit():
        try:
            done = actions.register(
                form.values(),
                acknowledged=frozenset(request.form.getlist("acknowledged")),
                by=context.who(),
                now=context.now(),
                idempotency=context.idempotency(request.form),
            )
            return _registered(done)
        except Invalid as error:
            answers.put(form, error)
        except Refused as refusal:
            code = 409
            similar = queries.by_keys(
                refusal.conflicts[0].params["keys"], locale=context.locale(), now=context.now()
            )
    if form.errors:
        answers.put_rest(form, form.values(), today=context.now().date())
        code = 422
    return render_template(
        "patients/new.html", form=form, similar=similar, wanted=_wanted(), then=_then()
    ), code


@blueprint.get("/patients/<key>")
def show(key: str) -> Answer:
    """Show one patient; the address of one merged away leads to the patient kept."""
    return _page(key)


@blueprint.route("/patients/<key>/edit", methods=["GET", "POST"])
def edit(key: str) -> Answer:
    """Edit what is written down about a patient."""
    page = queries.editable(key)
    form = EditForm(obj=page.values, version=page.version)
    code = 200
    if form.validate_on_submit():
        try:
            done = actions.edit(
                key,
                form.values(),
                version=form.version.data,
                by=context.who(),
                now=context.now(),
            )
            undo.offer(_("Saved."), done.change_key)
            return redirect(security.way_back(url_for(".show", key=done.key)))
        except Invalid as error:
            answers.put(form, error)
        except Stale as error:
            answers.put_stale(form, error, page.version)
            code = 409
    if form.errors and code == 200:
        answers.put_rest(
            form, form.values(), today=context.now().date(), known_phone=page.values.phone
        )
        code = 422
    return render_template(
        "patients/edit.html", page=page, form=form, back=security.way_back("")
    ), code


@blueprint.post("/patients/<key>/stay")
def stay(key: str) -> Answer:
    """Set from when to when a seasonal patient is here."""
    form = StayForm()
    if form.validate_on_submit():
        try:
            change_key = actions.set_stay(
                key,
                form.stay_from.day,
                form.stay_until.day,
                version=form.version.data,
                by=context.who(),
                now=context.now(),
            )
            undo.offer(_("Saved."), change_key)
            return redirect(security.way_back(url_for(".show", key=key, _anchor="dates")))
        except Invalid as error:
            answers.put(form, error)
        except Stale as error:
            answers.put_stale(form, error, queries.editable(key).version)
    return _page(key, stay_form=form)


@blueprint.post("/patients/<key>/dates")
def dates(key: str) -> Answer:
    """Add a flight or another date to avoid."""
    form = DateForm()
    if form.validate_on_submit():
        try:
            change_key = actions.add_date(key, form.avoided(), by=context.who(), now=context.now())
            undo.offer(_("Saved."), change_key)
            return redirect(security.way_back(url_for(".show", key=key, _anchor="dates")))
        except Invalid as error:
            answers.put(form, error)
    return _page(key, date_form=form)


@blueprint.post("/patients/<key>/dates/<int:date_id>/remove")
def remove_date(key: str, date_id: int) -> Answer:
    """Remove a date to avoid."""
    change_key = actions.remove_date(key, date_id, by=context.who(), now=context.now())
    undo.offer(_("Removed."), change_key)
    return redirect(url_for(".show", key=key, _anchor="dates"))


@blueprint.post("/patients/<key>/consents")
def consents(key: str) -> Answer:
    """Record a signed consent."""
    form = ConsentForm()
    if form.validate_on_submit():
        try:
            change_key = actions.add_consent(
                key, form.signed(), by=context.who(), now=context.now()
            )
            undo.offer(_("Saved."), change_key)
            return redirect(url_for(".show", key=key, _anchor="consents"))
        except Invalid as error:
            answers.put(form, error)
    return _page(key, consent_form=form)


@blueprint.post("/patients/<key>/consents/<int:consent_id>/remove")
def remove_consent(key: str, consent_id: int) -> Answer:
    """Take a consent back."""
    change_key = actions.remove_consent(key, consent_id, by=context.who(), now=context.now())
    undo.offer(_("Removed."), change_key)
    return redirect(url_for(".show", key=key, _anchor="consents"))


@blueprint.post("/patients/<key>/calendar-words")
def calendar_words(key: str) -> Answer:
    """Let calendar files say plainly what an appointment is, or no longer."""
    wanted = request.form.get("words") == "plain"
    change_key = actions.set_plain_words(key, wanted, by=context.who(), now=context.now())
    undo.offer(_("Saved."), change_key)
    return redirect(url_for(".show", key=key, _anchor="calendar"))


@blueprint.route("/patients/<key>/merge", methods=["GET", "POST"])
def merge(key: str) -> Answer:
    """Find the other file of the same person, compare both, and make them one."""
    problem, code = "", 200
    if request.method == "POST":
        try:
            merged = merging.merge(
                request.form.get("keep", ""),
                request.form.get("drop", ""),
                kept_version=_number("keep_version"),
                other_version=_number("drop_version"),
                by=context.who(),
                now=context.now(),
            )
            undo.offer(_("The two files are one now."), merged.change_key)
            return redirect(url_for(".show", key=merged.key))
        except Refused as refusal:
            problem, code = _said(refusal), 409
        except Invalid as error:
            problem, code = answers.sentence(next(iter(error.fields.values()))), 422
        except Stale:
            problem, code = _("One of the files has changed meanwhile. Please compare again."), 409
    page = queries.compare(
        key,
        request.values.get("other", ""),
        request.values.get("q", ""),
        locale=context.locale(),
        now=context.now(),
    )
    return render_template("patients/merge.html", page=page, problem=problem), code


def _found() -> queries.Found:
    return queries.find(
        request.args.get("q", ""), locale=context.locale(), now=context.now(), by=context.who()
    )


def _page(
    key: str,
    *,
    date_form: DateForm | None = None,
    consent_form: ConsentForm | None = None,
    stay_form: StayForm | None = None,
) -> Answer:
    page = patient_page.page(key, locale=context.locale(), now=context.now(), by=context.who())
    if request.method == "GET" and page.key != key:
        return redirect(url_for(".show", key=page.key))
    actions.note_opened(page.id, by=context.who(), now=context.now())
    exchange = sharing.exchange(page.key, locale=context.locale(), now=context.now())
    is_refused = date_form or consent_form or stay_form
    blank = {"formdata": None}
    html = render_template(
        "patients/show.html",
        page=page,
        exchange=exchange,
        date_form=date_form or DateForm(**blank),
        consent_form=consent_form
        or ConsentForm(**blank, language=page.language, signed_on=page.today),
        stay_form=stay_form
        or StayForm(
            **blank, version=page.version, stay_from=page.stay_from, stay_until=page.stay_until
        ),
        date_is_open=date_form is not None,
        consent_is_open=consent_form is not None,
        stay_is_open=stay_form is not None,
        link=_link,
        back=security.way_back(""),
    )
    return html, 422 if is_refused else 200


def _registered(done: actions.Registered) -> Response:
    family = queries.sharing_phone(done.key, locale=context.locale(), now=context.now())
    if family:
        people = ", ".join(line.name for line in family[:3])
        flash(_("Shares the phone number with %(people)s.", people=people), "info")
    service_id = queries.consult_service_id()
    book = _link("appointments.new", key=done.key, service=service_id) if service_id else ""
    if _wanted() == "consult" and book:
        return redirect(book)
    return redirect(url_for(".show", key=done.key))


def _wanted() -> str:
    return "save" if request.form.get("do", request.form.get("wanted")) == "save" else "consult"


def _then() -> str:
    return "consult" if request.args.get("then") == "consult" else ""


def _link(endpoint: str, **values: Any) -> str:
    """Return the address, "" where that page is not part of this application."""
    if endpoint not in current_app.view_functions:
        return ""
    return url_for(endpoint, **values)


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _said(refusal: Refused) -> str:
    known = names.all_names()
    return " ".join(
        wording.conflict(conflict, locale=context.locale(), names=known)
        for conflict in refusal.conflicts
    )
